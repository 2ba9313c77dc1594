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

from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import cifar10, mnist

RECIPES = {"mnist_text": mnist, "mnist_public": mnist, "cifar10_text": cifar10}

# Training amplifies the last digit of a sum: on CIFAR10 at β = 10, see the recipe. The edges follow the largest distance of
# all β and seeds, so one network alone has others, and other counts.
BANDS = {"correlation": 0.1, "wasserstein": 0.1, "ratio": 0.1, "edges": 1.0, "count": 1.0, "data_count": 1.0}


@dataclass(frozen=True)
class Config:
    mnist_text: mnist.Config = mnist.PAPER  # the networks: the text's
    mnist_public: mnist.Config = mnist.PAPER_PUBLIC  # the public code's, where K = 10
    cifar10_text: cifar10.Config = cifar10.PAPER  # the text's; their inputs are features of the VGG13
    n_images: int = 2000  # the first of the test set; some 200 000 pairs of one class
    bins: int = 100  # of the histograms
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)  # of K d(Φ)/d(x) over the pairs


PAPER = Config()
SHOWN = (
    replace(  # in the paper: one network for each β, of one reading; here Figure 3's, and of the other reading one too
        PAPER,
        mnist_public=replace(PAPER.mnist_public, seeds=(0,)),
        cifar10_text=replace(PAPER.cifar10_text, seeds=(0,)),
    )
)
QUICK = Config(
    mnist_text=mnist.QUICK, mnist_public=mnist.QUICK_PUBLIC, cifar10_text=cifar10.QUICK, n_images=60, bins=30
)


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """Histograms of the within-class distances of the inputs and, times K, of the representations; how they compare.

    Over (networks, beta, seed): ``count``, the histogram; ``wasserstein``, between the distances of the representations and
    those of the inputs, in units of the latter's mean; and pair by pair, ``correlation`` and the quantiles of the
    ``ratio`` of the two. ``data_count`` and ``data_mean`` are those of the inputs. Networks with fewer seeds than
    others have NaN for those that they lack.
    """
    each = []
    for done, (name, recipe) in enumerate(RECIPES.items(), start=1):
        each.append(_distances(config, recipe, getattr(config, name), networks[name], device))
        progress("distances", done, len(RECIPES))
    return xr.concat(each, "networks", join="outer").assign_coords(networks=list(RECIPES))


@torch.no_grad()
def _distances(
    config: Config, recipe: ModuleType, settings: Any, networks: dict[str, Tensor], device: str
) -> xr.Dataset:
    """What the networks of one recipe do to the distances within classes."""
    x, labels = recipe.inputs(replace(settings, n_test=config.n_images), "test", device=device)
    mask = within_class(labels)
    x_dist = flat_pairs(pair_distances(x), mask).numpy(force=True)
    z = recipe.restore(settings, networks).to(device).represent(x)
    # One network after another: all pairs of all networks would not fit into memory.
    z_dist = settings.scale * np.stack([flat_pairs(pair_distances(each), mask).numpy(force=True) for each in z])
    edges = np.linspace(0, max(x_dist.max(), z_dist.max()), config.bins + 1)
    grid, mean = (len(settings.betas), len(settings.seeds)), x_dist.mean()
    member = ("beta", "seed")

    def by_member(values: list) -> np.ndarray:
        return np.array(values, dtype=np.float32).reshape(*grid, *np.shape(values[0]))

    return xr.Dataset(
        {
            "count": ((*member, "bin"), by_member([np.histogram(each, edges)[0] for each in z_dist])),
            "wasserstein": (member, by_member([wasserstein_distance(each, x_dist) / mean for each in z_dist])),
            "correlation": (member, by_member([np.corrcoef(each, x_dist)[0, 1] for each in z_dist])),
            "ratio": (
                (*member, "quantile"),
                by_member([np.quantile(each / x_dist, config.quantiles) for each in z_dist]),
            ),
            "data_count": ("bin", np.histogram(x_dist, edges)[0].astype(np.float32)),
            "data_mean": np.float32(mean),
            "edges": ("edge", edges.astype(np.float32)),
        },
        coords={"beta": list(settings.betas), "seed": list(settings.seeds), "quantile": list(config.quantiles)},
    )


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {
        name: recipe.train(getattr(config, name), device=device, progress=progress) for name, recipe in RECIPES.items()
    }
    return evaluate(config, networks, device=device, progress=progress)
