"""Beyond the paper: Table 1's second row on features of other scales. Can hyperbolic tangents hold their distances?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from lil import evaluation
from lil.experiments._common import Networks, grid_dataset, make_run
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import cifar10, scaled_features

# One set of networks a scale: without a name here, and its field below, a scale is neither trained nor shown.
RECIPES = {"scale_1": cifar10} | dict.fromkeys(("scale_3", "scale_6", "scale_9", "scale_12", "half_9"), scaled_features)
SATURATED = 0.99  # a unit of Φ beyond it, or below minus it, counts as saturated
_PIECE = 1000  # images that all networks see at once: each layer of all of them takes 72 MB


@dataclass(frozen=True)
class Config:
    scale_1: cifar10.Config = cifar10.PAPER  # the networks of Figure 3B and Table 1: features as they are,
    scale_3: scaled_features.Config = scaled_features.PAPER_3  # and features multiplied by a factor
    scale_6: scaled_features.Config = scaled_features.PAPER_6
    scale_9: scaled_features.Config = scaled_features.PAPER_9
    scale_12: scaled_features.Config = scaled_features.PAPER_12
    half_9: scaled_features.Config = scaled_features.PAPER_HALF_9  # the same, of images as (x − 0.5)/0.5
    n_distances: int = 1000  # test images, the first, whose distances are taken


PAPER = Config()
QUICK_SETS = {name: scaled_features.quick(getattr(PAPER, name)) for name in RECIPES if name != "scale_1"}
QUICK = Config(scale_1=cifar10.QUICK, **QUICK_SETS, n_distances=60)


@torch.no_grad()
def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return ``accuracy`` (networks, beta, seed) on all test images, and measures on the first of them.

    ``distance`` is the mean distance between representations of one class, ``saturated`` the share of the units of Φ
    beyond :data:`SATURATED`. Of the inputs: ``input_distance``, the same mean, and ``beyond``, the share of those
    distances that exceed ``reach``, the largest distance of two representations: 2√n for n tanh units.
    """
    parts = []
    for done, (name, recipe) in enumerate(RECIPES.items(), start=1):
        settings = getattr(config, name)
        model = recipe.restore(settings, networks[name]).to(device)
        x, labels = recipe.inputs(settings, "test", device=device)
        pieces = zip(x.split(_PIECE), labels.split(_PIECE), strict=True)
        accuracy = sum(len(some) * evaluation.accuracy(model, points, some) for points, some in pieces) / len(x)
        few, mask = x[: config.n_distances], within_class(labels[: config.n_distances])
        z, apart = model.represent(few), flat_pairs(pair_distances(few), mask)
        reach = 2 * settings.hidden[-1] ** 0.5
        values = {
            "accuracy": (("member",), accuracy),
            "distance": (("member",), [float(flat_pairs(pair_distances(one), mask).mean()) for one in z]),
            "saturated": (("member",), (z.abs() > SATURATED).float().mean((-2, -1))),
            "input_distance": ((), float(apart.mean())),
            "beyond": ((), float((apart > reach).float().mean())),
            "reach": ((), reach),
        }
        single = {key: (dims, np.asarray(array, np.float32)) for key, (dims, array) in values.items()}
        parts.append(grid_dataset(single, dict(beta=settings.betas, seed=settings.seeds), {}))
        progress("accuracy", done, len(RECIPES))
    scales = [getattr(getattr(config, name), "feature_scale", 1.0) for name in RECIPES]
    joined = xr.concat(parts, "networks", join="outer")
    return joined.assign_coords(networks=list(RECIPES), feature_scale=("networks", scales))


run = make_run(RECIPES, evaluate)
