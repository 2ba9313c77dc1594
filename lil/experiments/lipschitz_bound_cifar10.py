"""Lipschitz constants, both sides of Eq. 6, and certificates of Figure 3B's networks, as maps of the VGG13's features.

What the paper's argument speaks of is the locally isometric part: the network from the features on. The VGG13 before it is
frozen, and the same for every network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import xarray as xr
from torch import Tensor

from lil.datasets import images
from lil.experiments import _lipschitz
from lil.experiments._lipschitz import BANDS as BANDS
from lil.progress import Progress, silent
from lil.recipes import cifar10

RECIPES = {"cifar10": cifar10}


@dataclass(frozen=True)
class Config(_lipschitz.Measuring):
    cifar10: cifar10.Config = cifar10.reading("text")  # the networks
    n_images: int = 100  # a Jacobian of Φ has 1000 rows, each a backward pass


PAPER = Config()
QUICK = Config(
    cifar10=cifar10.QUICK,
    n_images=20,
    batch_size=10,
    directions=2,
    drawn=10,
    epsilons=(1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    steps=3,
)


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """What is measured of every network, over the dimension ``network``: see :func:`lil.experiments._lipschitz.measured`.

    Points, distances, attacks and certificates are in the space of the features, which has no bounds.
    """
    settings = config.cifar10
    model = cifar10.restore(settings, networks["cifar10"])
    betas, seeds = map(list, zip(*cifar10.members(settings), strict=True))
    x, labels = (part[: config.n_images] for part in cifar10.inputs(settings, "test", device=device))
    group = _lipschitz.ready(
        images.TITLES[settings.dataset],
        model,
        betas,
        seeds,
        settings.scale,
        x,
        labels,
        config.batch_size,
        (-math.inf, math.inf),
        device,
    )
    return _lipschitz.measured(config, [group], progress)


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {"cifar10": cifar10.train(config.cifar10, device=device, progress=progress)}
    return evaluate(config, networks, device=device, progress=progress)
