from dataclasses import replace

import pytest
import torch

from lil import attacks, evaluation
from lil.experiments import fig3_cifar10, fig3_cifar10_public, worst_case_cifar10
from lil.recipes import cifar10

SMALL = dict(betas=(0.0, 10.0), seeds=(0, 1), n_test=12)
TINY = replace(
    worst_case_cifar10.QUICK, text=replace(cifar10.QUICK, **SMALL), mixture=replace(cifar10.QUICK_PUBLIC, **SMALL)
)
EPSILON = 8 / 255


@pytest.fixture(scope="module")
def result(networks):
    return worst_case_cifar10.evaluate(TINY, networks).sel(epsilon=EPSILON)


@pytest.mark.parametrize("reading", ["text", "mixture"])
def test_attacks_go_through_the_vgg13_to_each_readings_networks(networks, result, reading):
    settings = getattr(TINY, reading)
    x, labels = cifar10.data(settings, "test")
    front, model = cifar10.front(settings), cifar10.restore(settings, networks[reading]).requires_grad_(False)
    assert result.beta.values.tolist() == [0, 10] and result.reading.values.tolist() == ["text", "mixture"]
    for beta, seed, k in ((0, 0, 0), (10, 1, 3)):
        one, here = evaluation.select(model, [k]), dict(reading=reading, beta=beta, seed=seed)
        step = dict(epsilon=EPSILON, step_size=EPSILON, steps=1)
        made = attacks.attack(one, front, attacks.classification(one, labels), x, labels, **step)
        found = result.right.sel(attack="classification", **here).values
        assert int((found != ~made.success[0].numpy()).sum()) <= 1  # a last digit may turn a sign
        clean = evaluation.correct(one, front(x), labels)[0].numpy()
        assert (result.right.sel(attack="none", **here).values == clean).all()
    assert float(result.change.max()) <= EPSILON + 1e-6


def test_the_papers_attack_compares_features_in_the_text_and_pixels_in_the_mixture(networks, monkeypatch):
    real, compared = attacks.total, []

    def total(*args, distances, **kwargs):
        compared.append(distances)
        return real(*args, distances=distances, **kwargs)

    monkeypatch.setattr(attacks, "total", total)
    few = replace(TINY, trial=replace(TINY.trial, n_images=4, batch_size=4, iterations=1, queries=1))
    worst_case_cifar10.evaluate(few, networks)
    assert compared == ["inputs", "pixels"]


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
    config, mixture = worst_case_cifar10.PAPER, fig3_cifar10_public.PAPER
    assert config.text == fig3_cifar10.PAPER.cifar10 and config.precision == fig3_cifar10.PAPER.precision
    assert config.mixture == replace(mixture.cifar10, seeds=(0, 1, 2))
    assert config.mixture_distances == mixture.fgsm.distances != fig3_cifar10.PAPER.fgsm.distances
    assert config.trial.epsilons == config.trial.auto_epsilons == (EPSILON,) and config.trial.n_images == 500


def test_the_digits_in_its_place_are_known_to_every_network(result):
    """The share of rightly classified images that stay right needs one."""
    assert (result.right.sel(attack="none").mean("image") > 0).all() and torch.get_num_threads() == 1
