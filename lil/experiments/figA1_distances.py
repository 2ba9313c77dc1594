"""Appendix Figure 1: distances within the classes, before and after the networks, for every β."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import torch
import xarray as xr
from scipy.stats import wasserstein_distance
from torch import Tensor

from lil.experiments._common import Networks, grid_dataset, make_run
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import cifar10, mnist

RECIPES = {"mnist_text": mnist, "mnist_public": mnist, "cifar10_text": cifar10}


@dataclass(frozen=True)
class Config:
    mnist_text: mnist.Config = mnist.FIVE  # the networks: the text's
    mnist_public: mnist.Config = mnist.FIVE_PUBLIC  # the public code's, where K = 10
    cifar10_text: cifar10.Config = cifar10.PAPER  # the text's; their inputs are features of the VGG13
    n_images: int = 2000  # the first of the test set; some 200 000 pairs of one class
    bins: int = 100  # of the histograms
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)  # of K d(Φ)/d(x) over the pairs


PAPER = Config()
# In the paper: one network for each β, of one reading; here Figure 3's, and of the other reading one too.
SHOWN_PUBLIC, SHOWN_CIFAR10 = replace(PAPER.mnist_public, seeds=(0,)), replace(PAPER.cifar10_text, seeds=(0,))
SHOWN = replace(PAPER, mnist_public=SHOWN_PUBLIC, cifar10_text=SHOWN_CIFAR10)
QUICK_NETWORKS = dict(mnist_text=mnist.QUICK, mnist_public=mnist.QUICK_PUBLIC, cifar10_text=cifar10.QUICK)
QUICK = Config(**QUICK_NETWORKS, n_images=60, bins=30)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return histograms of the within-class distances of inputs and, times K, of representations; and comparisons.

    Over (networks, beta, seed): ``count``, the histogram; ``wasserstein``, between the distances of the representations
    and those of the inputs, in units of the mean distance of the inputs; and pair by pair, ``correlation`` and the
    quantiles of the ``ratio`` of the two. ``data_count`` and ``data_mean`` are those of the inputs. Networks with fewer
    seeds than others have NaN for the seeds that they lack.
    """
    parts = []
    for done, (name, recipe) in enumerate(RECIPES.items(), start=1):
        parts.append(_distances(config, recipe, getattr(config, name), networks[name], device))
        progress("distances", done, len(RECIPES))
    return xr.concat(parts, "networks", join="outer").assign_coords(networks=list(RECIPES))


@torch.no_grad()
def _distances(
    config: Config, recipe: ModuleType, settings: Any, networks: dict[str, Tensor], device: str
) -> xr.Dataset:
    """Return the measures of one recipe's networks and of their inputs."""
    x, labels = recipe.inputs(replace(settings, n_test=config.n_images), "test", device=device)
    mask = within_class(labels)
    x_dist = flat_pairs(pair_distances(x), mask).numpy(force=True)
    z = recipe.restore(settings, networks).to(device).represent(x)
    # One network after another: all pairs of all networks would not fit into memory.
    z_dist = settings.scale * np.stack([flat_pairs(pair_distances(member), mask).numpy(force=True) for member in z])
    edges, mean = np.linspace(0, max(x_dist.max(), z_dist.max()), config.bins + 1), x_dist.mean()
    values = {
        "count": (("member", "bin"), [np.histogram(member, edges)[0] for member in z_dist]),
        "wasserstein": (("member",), [wasserstein_distance(member, x_dist) / mean for member in z_dist]),
        "correlation": (("member",), [np.corrcoef(member, x_dist)[0, 1] for member in z_dist]),
        "ratio": (("member", "quantile"), [np.quantile(member / x_dist, config.quantiles) for member in z_dist]),
        "data_count": (("bin",), np.histogram(x_dist, edges)[0]),
        "data_mean": ((), mean),
        "edges": (("edge",), edges),
    }
    single = {name: (dims, np.array(array, np.float32)) for name, (dims, array) in values.items()}
    grid = dict(beta=settings.betas, seed=settings.seeds)
    return grid_dataset(single, grid, dict(quantile=list(config.quantiles)))


run = make_run(RECIPES, evaluate)
