from dataclasses import replace

import numpy as np
import pytest
import torch

from lil import evaluation
from lil.attacks import pixels
from lil.evaluation import Fgsm
from lil.experiments import fig3_mnist, scale_and_depth
from lil.experiments.scale_and_depth import RECIPES
from lil.isometry import isometry_loss, pair_distances, within_class
from lil.paper import sensitivity
from lil.paper.headlines import headline
from lil.recipes import choices, mnist
from lil.results import computing

SMALL = dict(n_train=200, n_test=40, betas=(0.0, 0.1, 1.0), epochs=1)
TINY = replace(
    scale_and_depth.QUICK,
    fgsm=Fgsm(epsilons=(0.02, 0.2, 1.0), batch_size=20, pictured=()),
    n_distances=30,
    **{name: replace(getattr(scale_and_depth.QUICK, name), **SMALL) for name in RECIPES},
)


@pytest.mark.parametrize("name", ["text", "scale_10", "pairs", "deeper", "batch_500"])
def test_each_set_meets_figure_3s_attack_with_its_own_k_and_reduction(networks, result, name):
    settings, fgsm = getattr(TINY, name), TINY.fgsm
    model = RECIPES[name].restore(settings, networks[name]).requires_grad_(False)
    reduction = "pairs" if name == "pairs" else "n2"
    sweep = evaluation.Sweep(model, pixels, settings.betas, settings.seeds, settings.scale, reduction)
    expected = evaluation.robustness(sweep, *mnist.data(settings, "test"), fgsm)
    found = result.sel(networks=name, seed=list(settings.seeds))
    for variable in ("clean", "accuracy", "zero_gradient"):  # a last digit can turn a sign, and an image of 40
        np.testing.assert_allclose(found[variable], expected[variable], rtol=0, atol=1.01 / SMALL["n_test"])
        assert float((found[variable] != expected[variable]).mean()) < 0.1
    np.testing.assert_allclose(found.change, expected.change, atol=1e-6)


def test_the_attack_follows_the_loss_with_its_reduction(networks):
    """On a batch of unequal classes, by the four steps of the loss."""
    settings = TINY.pairs
    model = choices.restore(settings, networks["pairs"]).requires_grad_(False)
    sweep = evaluation.Sweep(model, pixels, settings.betas, settings.seeds, settings.scale, "pairs")
    x, labels = (part[:20] for part in choices.data(settings, "test"))
    inputs = pixels(x).expand(6, -1, -1)
    images = x.expand(6, -1, -1, -1, -1)
    found = sweep.objective("total", labels, TINY.fgsm)(inputs, images)
    mask = within_class(labels)
    isometry = isometry_loss(model.represent(inputs), pair_distances(inputs[0]), mask, reduction="pairs")
    cross_entropy = torch.stack([torch.nn.functional.cross_entropy(logits, labels) for logits in model(inputs)])
    betas = torch.tensor([beta for beta in settings.betas for _ in settings.seeds])
    assert torch.allclose(found, cross_entropy + betas * isometry, rtol=1e-5)
    plain = evaluation.Sweep(model, pixels, settings.betas, settings.seeds, settings.scale)
    assert not torch.allclose(found[4:], plain.objective("total", labels, TINY.fgsm)(inputs, images)[4:], rtol=0.1)


def test_without_isometry_k_and_reduction_change_nothing(result):
    alike = result.sel(beta=0, seed=[0, 1], networks=["text", "scale_01", "scale_03", "scale_3", "scale_10", "pairs"])
    for variable in ("clean", "accuracy"):
        assert np.array_equal(*np.broadcast_arrays(alike[variable], alike[variable][:1]))
    other = result.clean.sel(beta=0, seed=[0, 1], networks=["text", "deeper"]).values
    assert not np.array_equal(other[0], other[1])


def test_the_choices_are_coordinates_and_seeds_that_a_set_lacks_are_nan(result):
    assert dict(result.accuracy.sizes) == dict(networks=11, objective=2, beta=3, seed=3, epsilon=3)
    assert result.networks.values.tolist() == list(RECIPES)
    assert {choice: len(sensitivity.options(result, choice)) for choice in sensitivity.CHOICES} == dict(
        scale=5, reduction=2, layers=2, batch_size=5
    )
    lacking = result.clean.isnull()
    assert lacking.sel(seed=2).sum() == 10 * 3 and not lacking.sel(seed=[0, 1]).any() and not lacking[0].any()
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32"}


def test_the_distance_is_that_of_pairs_of_one_class(result):
    x, labels = (part[:30].numpy() for part in mnist.inputs(TINY.text, "test"))
    apart = [np.linalg.norm(x[i] - x[j]) for i in range(30) for j in range(i) if labels[i] == labels[j]]
    assert float(result.x_dist) == pytest.approx(np.mean(apart), rel=1e-5)


@pytest.mark.parametrize(("beta", "k"), [(0.0, 1), (1.0, 5)])
def test_a_member_alone_has_the_same_results(networks, result, beta, k):
    """A last digit may turn the sign of a gradient, and an image of 40 with it."""
    one = replace(TINY, **{name: replace(getattr(TINY, name), betas=(beta,), seeds=(1,)) for name in RECIPES})
    where = {name: recipe.members(getattr(TINY, name)).index((beta, 1)) for name, recipe in RECIPES.items()}
    assert where["pairs"] == k
    alone = scale_and_depth.evaluate(
        one, {name: {key: value[[where[name]]] for key, value in each.items()} for name, each in networks.items()}
    )
    apart = computing.differences(alone, result.sel(beta=[beta], seed=[1]))
    near = dict(accuracy=0.05, zero_gradient=0.05, change=1e-6)
    assert all(share <= near.get(name, 0) for name, share in apart.items())


def test_the_papers_scale_shares_the_networks_and_the_attack_of_figure_3():
    config = scale_and_depth.PAPER
    assert (config.text, config.fgsm) == (mnist.FIVE, fig3_mnist.PAPER.fgsm)
    sets = [getattr(config, name) for name in RECIPES]
    assert {settings.scale for settings in sets} == {0.1, 0.3, 1, 3, 10}
    assert {settings.batch_size for settings in sets} == {50, 100, 200, 500, 1000}
    assert {settings.hidden for settings in sets} == {(100,) * 4, (100,) * 5}
    assert {settings.learning_rate for settings in sets} == {1e-3} and {settings.epochs for settings in sets} == {5}


def test_the_headline_sets_the_choices_beside_the_seeds(result):
    found = headline("scale_and_depth", result)
    apart = sensitivity.spans(result).sel(measure="clean").mean("beta")
    assert len(found) == 5
    assert found["seed: accuracies lie apart by"] == (None, pytest.approx(float(apart.sel(choice="seed"))))


def test_run_gives_what_evaluate_gives(result):
    assert scale_and_depth.run(TINY).equals(result)
