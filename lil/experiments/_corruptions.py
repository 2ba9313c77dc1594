"""Accuracy of classifiers of images under random noise and corruptions. Each experiment brings its recipes.

This module does not import the recipes, so that a change to one makes no other experiment stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from types import ModuleType

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from lil import corruptions
from lil.corruptions import CORRUPTIONS, Images, Severities
from lil.evaluation import Sweep, _bytes, correct
from lil.experiments._common import Networks, grid_dataset
from lil.experiments._sweeps import load_sweep
from lil.models import derived_seed
from lil.progress import Progress

PIECE = 500  # images that go through all networks at once


@dataclass(frozen=True)
class Corrupting:
    """Settings of the perturbations."""

    severities: Severities = corruptions.MNIST  # of each perturbation, mild to strong
    n_images: int = 10_000  # test images, the set's first
    draw: int = 500  # seed of all noise; the paper states no random perturbation


def corrupt_and_classify(
    recipes: Mapping[str, ModuleType], config: Corrupting, networks: Networks, *, device: str, progress: Progress
) -> xr.Dataset:
    """Return the accuracy of each recipe's networks on the same images, as they are and corrupted.

    ``clean`` (networks, beta, seed) and ``accuracy`` (networks, corruption, level, beta, seed) are shares of the
    ``images``, of which there is one number. ``severity`` (corruption, level) is in the ``unit`` of the corruption;
    levels count from 1. ``moved`` (corruption, level) is the mean Euclidean distance of a corrupted image from its
    original. ``picture`` (corruption) is the first image at the middle level, ``original`` itself: pixels are 0 to 255.
    """
    loaded = [
        load_sweep(recipe, getattr(config, name), networks[name], device=device) for name, recipe in recipes.items()
    ]
    sweeps = [sweep for sweep, _, _ in loaded]
    x, labels = (part[: config.n_images].cpu() for part in loaded[0][1:])
    severities = np.array(astuple(config.severities))
    right = [[classify(sweep, x, labels, device) for sweep in sweeps]]
    moved, pictures, middle = np.empty(severities.shape), [], severities.shape[1] // 2
    for place, name in enumerate(CORRUPTIONS):
        for level, severity in enumerate(severities[place].tolist()):
            # Levels share their draws, so that they differ in severity alone.
            generator = torch.Generator().manual_seed(derived_seed(config.draw, place))
            corrupted = corruptions.corrupt(name, x, severity, generator)
            moved[place, level] = (corrupted - x).flatten(1).norm(dim=1).mean()
            right.append([classify(sweep, corrupted, labels, device) for sweep in sweeps])
            pictures += [corrupted[0]] if level == middle else []
        progress("corruptions", place + 1, len(CORRUPTIONS))
    parts = []
    for sweep, (clean, *others) in zip(sweeps, zip(*right, strict=True), strict=True):
        accuracy = np.stack(others).reshape(*severities.shape, -1)
        values = {"clean": (("member",), clean), "accuracy": (("corruption", "level", "member"), accuracy)}
        parts.append(grid_dataset(values, dict(beta=sweep.betas, seed=sweep.seeds), {}))
    pixel = ("channel", "row", "column")
    shared = {
        "severity": (("corruption", "level"), severities.astype(np.float32)),
        "moved": (("corruption", "level"), moved.astype(np.float32)),
        "original": (pixel, _bytes(x[0])),
        "picture": (("corruption", *pixel), _bytes(torch.stack(pictures))),
    }
    coords = {
        "corruption": list(CORRUPTIONS),
        "level": list(range(1, severities.shape[1] + 1)),
        "unit": ("corruption", [corruption.unit for corruption in CORRUPTIONS.values()]),
        "images": len(x),
    }
    result = xr.concat(parts, "networks", join="outer").assign_coords(networks=list(recipes))
    return result.assign(shared).assign_coords(coords)


@torch.no_grad()
def classify(sweep: Sweep, x: Images, labels: Tensor, device: str) -> np.ndarray:
    """Return the share of images that each network of a sweep classifies correctly, float32."""
    right = torch.zeros(sweep.model.members, dtype=torch.long, device=device)
    for images, classes in zip(x.split(PIECE), labels.split(PIECE), strict=True):
        right += correct(sweep.model, sweep.front(images.to(device)), classes.to(device)).sum(-1)
    return (right.double() / len(x)).float().numpy(force=True)
