from dataclasses import replace

import numpy as np
import pytest
import torch

from lil import engine
from lil.experiments import table1_cifar10_trained as trained
from lil.experiments import table1_cifar10_trained_between as between
from lil.isometry import isometry_loss, pair_distances, within_class

SMALL = dict(n_train=40, n_test=20, epochs=1)
TINY = replace(
    trained.QUICK,
    vgg13=replace(trained.QUICK.vgg13, **SMALL, betas=(10.0,)),
    cnn=replace(trained.QUICK.cnn, **SMALL | dict(epochs=2), learning_rate=3e-3),
    fgsm=replace(trained.QUICK.fgsm, epsilons=(0.02, 0.2)),
)


@pytest.mark.parametrize(("name", "beta", "place"), [("cnn", 0.0, 0), ("cnn", 10.0, 1), ("vgg13", 10.0, 0)])
def test_measures_are_those_of_the_plain_loop(networks, result, name, beta, place):
    settings, recipe = getattr(TINY, name), trained.RECIPES[name]
    network = recipe.restore(settings, networks[name])[place].requires_grad_(False)
    x, labels = recipe.data(settings, "test")
    z = network.lil.represent(network(x))[0]
    logits = network.lil.classify(z[None])[0]
    one = result.sel(networks=name, beta=beta, seed=0)
    assert one.accuracy.item() == pytest.approx(float((logits.argmax(-1) == labels).float().mean()), abs=1e-6)
    pairs = [(i, j) for i in range(20) for j in range(i) if labels[i] == labels[j]]
    assert one.distance.item() == pytest.approx(np.mean([float((z[i] - z[j]).norm()) for i, j in pairs]), rel=1e-4)
    of_pixels = np.mean([float((x[i] - x[j]).norm()) for i, j in pairs])
    assert one.input_distance.item() == pytest.approx(of_pixels, rel=1e-5)
    assert one.reach.item() == pytest.approx(2 * 20**0.5)
    history = one.history.dropna("epoch")
    assert np.array_equal(history.values, network.history.numpy())


@pytest.fixture
def attacks(networks, monkeypatch):
    """The networks, images and settings of each attack of an evaluation."""
    seen, robustness = [], engine.robustness

    def watched(sweep, x, labels, fgsm, **more):
        seen.append((sweep, x, labels, fgsm))
        return robustness(sweep, x, labels, fgsm, **more)

    monkeypatch.setattr(engine, "robustness", watched)
    trained.evaluate(TINY, networks)
    return seen


def test_each_network_is_attacked_through_its_own_backbone_by_its_own_loss(attacks):
    """The paper's objective is cross-entropy + β · isometry, with the distances of pixels."""
    assert [sweep.betas for sweep, *_ in attacks] == [(10.0,), (0.0,), (10.0,)]
    for sweep, x, labels, fgsm in attacks:
        assert len(x) == TINY.n_attacked and sweep.front.lil is sweep.model
        inputs = sweep.front(x)[None]
        z = sweep.model.represent(inputs)
        expected = torch.nn.functional.cross_entropy(sweep.model.classify(z)[0], labels)
        expected = expected + sweep.betas[0] * isometry_loss(z[0], pair_distances(x.flatten(1)), within_class(labels))
        found = sweep.objective("total", labels, fgsm)(inputs, x[None])
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(("name", "place"), [("cnn", 1), ("vgg13", 0)])
def test_accuracy_under_attack_is_that_on_the_attacked_images(networks, result, name, place):
    settings, recipe = getattr(TINY, name), trained.RECIPES[name]
    network = recipe.restore(settings, networks[name])[place].requires_grad_(False)
    x, labels = (part[:10] for part in recipe.data(settings, "test"))
    at = x.clone().requires_grad_()
    torch.nn.functional.cross_entropy(network.lil(network(at))[0], labels).backward()
    found = result.attacked.sel(networks=name, beta=10.0, seed=0, objective="classification")
    for epsilon in TINY.fgsm.epsilons:
        attacked = (x + epsilon * at.grad.sign()).clamp(0, 1)
        right = (network.lil(network(attacked))[0].argmax(-1) == labels).float().mean()
        # A last digit can turn the sign of a gradient, and with it one image of ten.
        assert found.sel(epsilon=epsilon).item() == pytest.approx(right.item(), abs=0.101)


def test_what_was_not_trained_is_nan(result):
    assert result.networks.values.tolist() == ["cnn", "vgg13"] and result.beta.values.tolist() == [0.0, 10.0]
    there = result[["accuracy", "distance", "attacked_clean"]].notnull().sum(("beta", "seed"))
    assert all(there[name].sel(networks="cnn") == 2 and there[name].sel(networks="vgg13") == 1 for name in there)
    epochs = result.history.sel(term="accuracy", beta=10.0, seed=0).notnull().sum("epoch")
    assert epochs.sel(networks="cnn") == 2 and epochs.sel(networks="vgg13") == 1
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32"}


def test_without_isometry_both_attacks_are_the_same(result):
    plain = result.attacked.sel(networks="cnn", beta=0.0)
    assert np.array_equal(plain.sel(objective="total"), plain.sel(objective="classification"))


def test_the_network_between_is_what_it_would_be_beside_the_others():
    """The later result has the same network and the same measures, so that the two are one row."""
    later = between.Config(cnn=replace(TINY.cnn, betas=(1.0,)), fgsm=TINY.fgsm, n_attacked=10, n_distances=20)
    together = trained.run(replace(TINY, cnn=replace(TINY.cnn, betas=(0.0, 1.0, 10.0))))
    found, expected = between.run(later), together.sel(networks=["cnn"], beta=[1.0]).dropna("epoch", how="all")
    assert found.equals(expected)
    assert replace(between.PAPER.cnn, betas=trained.PAPER.cnn.betas) == trained.PAPER.cnn
    assert all(
        getattr(between.PAPER, name) == getattr(trained.PAPER, name) for name in ("fgsm", "n_attacked", "n_distances")
    )


def test_the_papers_scale():
    config = trained.PAPER
    assert (config.vgg13.backbone, config.cnn.backbone) == ("vgg13", "cnn")
    assert config.fgsm.distances == "pixels" and len(config.fgsm.epsilons) == 10
    assert config.n_attacked >= 1000


def test_evaluation_is_in_float32(networks, result, monkeypatch):
    from lil import features

    monkeypatch.setattr(features, "multiplies_bfloat16", lambda: True)
    config = replace(TINY, cnn=replace(TINY.cnn, precision="bfloat16"))
    found = trained.evaluate(config, networks)
    assert found.distance.equals(result.distance)


def test_run_gives_what_evaluate_gives(result):
    assert trained.run(TINY).equals(result)
