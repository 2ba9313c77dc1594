"""Lipschitz constants, both sides of Eq. 6, and certificates of Figure 3B's networks, as maps of the VGG13's features.

The paper's argument is about the locally isometric part: the network from the features on. The VGG13 before it is
frozen, and the same for every network.
"""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from lil.datasets import images
from lil.experiments._common import Networks, make_run
from lil.experiments._lipschitz import UNBOUNDED, Group, Measuring, measure
from lil.progress import Progress, silent
from lil.recipes import cifar10

RECIPES = {"cifar10": cifar10}


@dataclass(frozen=True)
class Config(Measuring):
    cifar10: cifar10.Config = cifar10.PAPER  # the networks
    n_images: int = 100  # a Jacobian of Φ has 1000 rows, each a backward pass


PAPER = Config()
QUICK_SIZES = dict(n_images=20, batch_size=10, directions=2, drawn=10, steps=3)
QUICK = Config(cifar10=cifar10.QUICK, epsilons=(1e-4, 1e-3, 1e-2, 1e-1, 1.0), **QUICK_SIZES)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the measures of every network: see :func:`lil.experiments._lipschitz.measure`.

    Points, distances, attacks and certificates are in the space of the features, which has no bounds.
    """
    settings = config.cifar10
    name, model = images.TITLES[settings.dataset], cifar10.restore(settings, networks["cifar10"])
    x, labels = (part[: config.n_images] for part in cifar10.inputs(settings, "test", device=device))
    members = cifar10.members(settings)
    group = Group(name, model, members, settings.scale, x, labels, config.batch_size, UNBOUNDED)
    return measure(config, [group], device, progress)


run = make_run(RECIPES, evaluate)
