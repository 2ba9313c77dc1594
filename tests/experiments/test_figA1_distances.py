from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from lil.experiments import fig3_cifar10, fig3_mnist, figA1_distances
from lil.recipes import cifar10, mnist

TINY = replace(
    figA1_distances.QUICK,
    mnist_text=replace(mnist.QUICK, n_train=200, n_test=40, betas=(0.0, 10.0)),
    mnist_public=replace(mnist.QUICK_PUBLIC, n_train=200, n_test=40, betas=(0.0, 10.0)),
    cifar10_text=replace(cifar10.QUICK, n_train=100, n_test=40, betas=(0.0, 10.0), seeds=(0,), epochs=1),
    n_images=30,
    bins=8,
)


@pytest.mark.parametrize("name", figA1_distances.RECIPES)
def test_it_measures_the_pairs_of_one_class_with_the_plain_formulas(networks, result, name):
    recipe, settings = figA1_distances.RECIPES[name], getattr(TINY, name)
    x, labels = (part[:30] for part in recipe.inputs(settings, "test"))
    z = settings.scale * recipe.restore(settings, networks[name]).represent(x).detach()
    pairs = [(i, j) for i in range(30) for j in range(i) if labels[i] == labels[j]]
    before = np.array([(x[i] - x[j]).norm().item() for i, j in pairs])
    of_set = result.sel(networks=name)
    assert of_set.data_mean.item() == pytest.approx(before.mean(), rel=1e-5)
    assert of_set.data_count.sum() == len(pairs)
    for member, (beta, seed) in enumerate(recipe.members(settings)):
        after = np.array([(z[member, i] - z[member, j]).norm().item() for i, j in pairs])
        one = of_set.sel(beta=beta, seed=seed)
        assert one["count"].sum() == len(pairs)
        assert np.abs(one["count"].values - np.histogram(after, of_set.edges.values)[0]).sum() <= 2  # at an edge
        assert one.correlation.item() == pytest.approx(np.corrcoef(after, before)[0, 1], abs=1e-4)
        assert one.wasserstein.item() == pytest.approx(wasserstein_distance(after, before) / before.mean(), rel=1e-4)
        assert one.ratio.values == pytest.approx(np.quantile(after / before, [0.05, 0.5, 0.95]), rel=1e-4)


def test_an_isometry_leaves_the_distances_as_they_are(networks):
    class Turn(torch.nn.Module):
        """The inputs mirrored, for every network."""

        def __init__(self, settings):
            super().__init__()
            self.members, self.scale = len(settings.betas) * len(settings.seeds), settings.scale

        def represent(self, x):
            return -x.expand(self.members, -1, -1) / self.scale  # K undoes what it is divided by

    with pytest.MonkeyPatch.context() as patch:
        for recipe in (mnist, cifar10):
            patch.setattr(recipe, "restore", lambda settings, networks: Turn(settings))
        result = figA1_distances.evaluate(TINY, networks)
    for name in figA1_distances.RECIPES:
        one = result.sel(networks=name, beta=10.0, seed=0)
        assert one.wasserstein.item() == pytest.approx(0, abs=1e-5) and one.correlation.item() == pytest.approx(1)
        assert one.ratio.values == pytest.approx(np.ones(3), abs=1e-4)
        assert np.array_equal(one["count"], one.data_count)


def test_networks_with_fewer_seeds_have_none_in_place_of_the_others(result):
    missing = result.correlation.isnull().any("beta")
    assert missing.sel(networks="cifar10_text").values.tolist() == [False, True]
    assert not missing.sel(networks=["mnist_text", "mnist_public"]).any()


def test_run_gives_what_evaluate_gives(result):
    assert figA1_distances.run(TINY).equals(result)


def test_what_the_paper_shows_is_of_the_networks_that_figure_3_shows():
    shown = figA1_distances.SHOWN
    assert shown.cifar10_text == fig3_cifar10.SHOWN.cifar10 and shown.mnist_text == fig3_mnist.SHOWN.mnist
    assert len(mnist.members(shown.mnist_public)) == len(shown.mnist_public.betas)
