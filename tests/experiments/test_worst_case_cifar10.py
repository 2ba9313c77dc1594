from dataclasses import replace

import pytest
import torch

from lil import attacks, evaluation
from lil.experiments import fig3_cifar10, worst_case_cifar10
from lil.recipes import cifar10

TINY = replace(
    worst_case_cifar10.QUICK,
    cifar10=replace(cifar10.QUICK, betas=(0.0, 0.01, 10.0), seeds=(0, 1), n_test=12),
    betas=(0.0, 10.0),
)
EPSILON = 8 / 255


@pytest.fixture(scope="module")
def result(networks):
    return worst_case_cifar10.evaluate(TINY, networks).sel(epsilon=EPSILON)


def test_attacks_go_through_the_vgg13_to_the_chosen_networks(networks, result):
    x, labels = cifar10.data(TINY.cifar10, "test")
    front, model = cifar10.front(TINY.cifar10), cifar10.restore(TINY.cifar10, networks["cifar10"]).requires_grad_(False)
    assert result.beta.values.tolist() == [0, 10] and result.reading.values.tolist() == ["text"]
    for beta, seed, k in ((0, 0, 0), (10, 1, 5)):
        one, here = evaluation.select(model, [k]), dict(reading="text", beta=beta, seed=seed)
        settings = dict(epsilon=EPSILON, step_size=EPSILON, steps=1)
        made = attacks.attack(one, front, attacks.classification(one, labels), x, labels, **settings)
        found = result.right.sel(attack="classification", **here).values
        assert int((found != ~made.success[0].numpy()).sum()) <= 1  # a last digit may turn a sign
        clean = evaluation.correct(one, front(x), labels)[0].numpy()
        assert (result.right.sel(attack="none", **here).values == clean).all()
    assert float(result.change.max()) <= EPSILON + 1e-6


def test_gradients_have_the_precision_asked_for_and_answers_are_in_float32(networks, monkeypatch):
    """A blind front in bfloat16's place moves no image, so that every step's answer is the float32 one to the clean."""
    real, asked = cifar10.front, []

    def front(config, *, precision="float32", device="cpu"):
        asked.append(precision)
        sees = real(config, device=device)
        return (lambda images: 0 * sees(images)) if precision == "bfloat16" else sees

    monkeypatch.setattr(cifar10, "front", front)
    found = worst_case_cifar10.evaluate(replace(TINY, precision="bfloat16"), networks)
    assert set(asked) == {"float32", "bfloat16"}
    steps = found.right.sel(attack=["classification", "margin", "targeted"])
    assert (steps == found.right.sel(attack="none")).all() and found.right.sel(attack="none").any()
    moved = found.change.sel(attack=["classification", "margin"])
    assert (moved == 0).all() and (found.change.sel(attack="noise") > 0).all()


def test_its_papers_scale_is_figure_3bs_networks():
    config = worst_case_cifar10.PAPER
    assert config.cifar10 == fig3_cifar10.PAPER.cifar10 and config.precision == fig3_cifar10.PAPER.precision
    assert set(config.betas) < set(config.cifar10.betas) and len(config.cifar10.seeds) == 3
    assert config.trial.epsilons == config.trial.auto_epsilons == (EPSILON,) and config.trial.n_images == 500


def test_some_beta_must_be_trained():
    with pytest.raises(ValueError, match="betas must have one of"):
        replace(TINY, betas=(3.0,))


def test_the_digits_in_its_place_are_known_to_every_network(result):
    """The share of rightly classified images that stay right needs one."""
    assert (result.right.sel(attack="none").mean("image") > 0).all() and torch.get_num_threads() == 1
