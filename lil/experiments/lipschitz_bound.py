"""The theory beside its numbers: Lipschitz constants, both sides of Eq. 6, and certificates of trained networks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import xarray as xr
from torch import Tensor

from lil import attacks
from lil.datasets import images
from lil.experiments import _lipschitz
from lil.experiments._lipschitz import BANDS as BANDS
from lil.experiments._lipschitz import Networks, ready
from lil.experiments._lipschitz import rank_correlation as rank_correlation
from lil.models import LIL, StackedLIL
from lil.progress import Progress, silent
from lil.recipes import mnist, rings, torus

RECIPES = {"rings": rings, "torus": torus, "mnist": mnist}


@dataclass(frozen=True)
class Config(_lipschitz.Measuring):
    rings: rings.Config = rings.PAPER  # the networks: Figure 2's,
    torus: torus.Config = torus.PAPER  # Figure 4's, of which each level is a network of its own,
    mnist: mnist.Config = mnist.reading("text")  # and Figure 3A's


PAPER = Config()
QUICK = Config(
    rings=rings.QUICK,
    torus=torus.QUICK,
    mnist=mnist.QUICK,
    n_images=40,
    batch_size=20,
    directions=2,
    drawn=10,
    epsilons=(1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    steps=3,
)


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """What is measured of every network, over the dimension ``network``: see :func:`lil.experiments._lipschitz.measured`."""
    return _lipschitz.measured(config, _all(config, networks, device), progress)


def _all(config: Config, networks: dict[str, dict[str, Tensor]], device: str) -> Iterator[Networks]:
    """The networks of each data set; those of the torus by level."""
    unbounded = (-math.inf, math.inf)
    model = rings.restore(config.rings, networks["rings"])
    betas, seeds = map(list, zip(*rings.members(config.rings), strict=True))
    ring_data = rings.data(config.rings)
    x, labels = ring_data.x_test, ring_data.labels_test
    yield ready("rings", model, betas, seeds, 1.0, x, labels, len(x), unbounded, device)

    stack = torus.restore(config.torus, networks["torus"])
    points, seeds = torus.data(config.torus), torus.members(config.torus)
    for level, labels in enumerate(points.labels):
        model, betas = through(stack, level), [config.torus.beta] * len(seeds)
        name = f"torus, {model.sizes[-1]} classes"
        yield ready(name, model, betas, seeds, 1.0, points.x, labels, len(labels), unbounded, device)

    model = mnist.restore(config.mnist, networks["mnist"])
    betas, seeds = map(list, zip(*mnist.members(config.mnist), strict=True))
    x, labels = (part[: config.n_images] for part in mnist.inputs(config.mnist, "test"))
    name = images.TITLES[config.mnist.dataset]
    yield ready(name, model, betas, seeds, config.mnist.scale, x, labels, config.batch_size, attacks.BOUNDS, device)


def through(stack: StackedLIL, level: int) -> LIL:
    """The network from the data to one level of a stack: the hidden layers up to there, and that level's classifier."""
    below = stack.lils[: level + 1]
    sizes = [stack.lils[0].sizes[0], *(size for lil in below for size in lil.sizes[1:-1]), below[-1].sizes[-1]]
    model = LIL(sizes, seeds=[0] * stack.members)
    for name in ("weights", "biases"):
        hidden = [layer for lil in below for layer in getattr(lil, name)[:-1]]
        for own, other in zip(getattr(model, name), [*hidden, getattr(below[-1], name)[-1]], strict=True):
            own.data.copy_(other)
    return model


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {
        name: recipe.train(getattr(config, name), device=device, progress=progress) for name, recipe in RECIPES.items()
    }
    return evaluate(config, networks, device=device, progress=progress)
