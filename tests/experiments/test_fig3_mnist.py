from dataclasses import replace

import numpy as np
import pytest

from lil import evaluation
from lil.evaluation import Fgsm
from lil.experiments import fig3_mnist, fig3_mnist_public
from lil.paper import numbers as paper
from lil.paper.headlines import headline
from lil.recipes import mnist

TINY = fig3_mnist.Config(
    mnist=replace(mnist.QUICK, n_train=200, n_test=40, batch_size=20, scale=3.0),
    fgsm=Fgsm(epsilons=(0.02, 0.2, 1.0), batch_size=20, pictured=(1,)),
)


@pytest.fixture(scope="module")
def networks():
    return {"mnist": mnist.train(TINY.mnist)}


@pytest.fixture(scope="module")
def result(networks):
    return fig3_mnist.evaluate(TINY, networks)


def test_it_attacks_the_networks_on_the_test_images_with_their_own_settings(networks, result):
    model = mnist.restore(TINY.mnist, networks["mnist"])
    sweep = evaluation.Sweep(model, lambda x: x.flatten(-3), TINY.mnist.betas, TINY.mnist.seeds, 3.0)
    x, labels = mnist.data(TINY.mnist, "test")
    expected = evaluation.robustness(sweep, x, labels, TINY.fgsm)
    assert result[list(expected.data_vars)].equals(expected)
    assert result[["attacked", "taken_for"]].equals(
        evaluation.pictures(sweep, x, labels, TINY.fgsm)[["attacked", "taken_for"]]
    )


def test_its_dimensions_have_names(result):
    assert dict(result.accuracy.sizes) == dict(objective=2, beta=3, seed=2, epsilon=3)
    assert result.accuracy.sel(objective="classification", beta=10, seed=1, epsilon=0.2).ndim == 0
    assert dict(result.attacked.sizes) == dict(objective=2, beta=3, pictured=1, example=3, channel=1, row=28, column=28)


def test_an_attack_makes_it_worse(result):
    assert (result.accuracy.sel(epsilon=1.0) <= result.clean).all()
    assert float(result.accuracy.sel(epsilon=1.0, objective="classification").mean()) < 0.1


def test_the_headline_is_table_1s_row_and_the_attack_where_beta_matters_most(result):
    found = headline("fig3_mnist", result)
    clean = {name: value for name, value in found.items() if name.endswith("clean accuracy")}
    for beta, (printed, ours) in zip(result.beta.values, clean.values(), strict=True):
        assert printed == paper.TABLE_1["mnist"].at(beta)
        assert ours == pytest.approx(float(result.clean.sel(beta=beta).mean()))
    curves = result.accuracy.sel(objective="total").mean("seed").values  # beta, epsilon
    where = np.argmax(curves.max(0) - curves.min(0))
    attacked = {name: value for name, value in found.items() if name not in clean}
    assert all(name.endswith(f"at γ = {TINY.fgsm.epsilons[where]:g}") for name in attacked)
    assert list(attacked.values()) == [(None, pytest.approx(value)) for value in curves[:, where]]


def test_records_are_small(result):
    assert {str(v.dtype) for v in result.data_vars.values()} <= {"float32", "uint8", "int8"}


def test_the_public_codes_reading_is_the_same_experiment_with_its_settings():
    assert fig3_mnist.PAPER.mnist == mnist.PAPER
    assert fig3_mnist_public.PAPER.mnist == mnist.PAPER_PUBLIC
    assert fig3_mnist_public.PAPER.fgsm == fig3_mnist.PAPER.fgsm == Fgsm()
    assert fig3_mnist_public.evaluate is fig3_mnist.evaluate


def test_run_gives_what_evaluate_gives(result):
    assert fig3_mnist.run(TINY).equals(result)
