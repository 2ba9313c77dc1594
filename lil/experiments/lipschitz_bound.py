"""The theory beside its numbers: Lipschitz constants, both sides of Eq. 6, and certificates of trained networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from lil import attacks
from lil.datasets import images
from lil.experiments import _lipschitz
from lil.experiments._common import Networks, make_run
from lil.experiments._lipschitz import UNBOUNDED, Group, Measuring, measure
from lil.experiments._lipschitz import rank_correlation as rank_correlation
from lil.models import LIL, StackedLIL
from lil.progress import Progress, silent
from lil.recipes import mnist, rings, torus

RECIPES = {"rings": rings, "torus": torus, "mnist": mnist, "mnist_public": mnist}


@dataclass(frozen=True)
class Config(Measuring):
    rings: rings.Config = rings.PAPER  # the networks: Figure 2's,
    torus: torus.Config = torus.PAPER  # Figure 4's, of which each level is a network of its own,
    mnist_public: mnist.Config = mnist.FIVE_PUBLIC  # those of MNIST with K = 10, as in the public code,
    mnist: mnist.Config = mnist.FIVE  # and Figure 3A's; of both the first five seeds


PAPER = Config()
QUICK_SIZES = dict(n_images=40, batch_size=20, directions=2, drawn=10, steps=3)
QUICK_NETWORKS = dict(rings=rings.QUICK, torus=torus.QUICK, mnist=mnist.QUICK, mnist_public=mnist.QUICK_PUBLIC)
QUICK = Config(epsilons=(1e-4, 1e-3, 1e-2, 1e-1, 1.0), **QUICK_NETWORKS, **QUICK_SIZES)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the measures of every network: see :func:`lil.experiments._lipschitz.measure`.

    ``scale`` is K. The constant ``one`` is that of an isometry, whatever K is: where K d(Φ) = d(x), the Lipschitz
    constant of K Φ is one and that of Φ is 1/K ({prf:ref}`prop-isometry-lipschitz`), so Λ = 1/K in Eq. 6.
    """
    parts = []
    for group in _groups(config, networks):
        part = measure(config, [group], device, progress)
        if group.scale != 1:
            part = _with_an_isometrys_constant(part, config, _lipschitz._in_float64(group, device))
        parts.append(part.assign(scale=("network", np.full(part.sizes["network"], group.scale, np.float32))))
    return xr.concat(parts, "network", join="exact", coords="minimal", compat="equals")


def _with_an_isometrys_constant(part: xr.Dataset, config: Config, group: Group) -> xr.Dataset:
    """Return a group's measures with Λ = 1/K in place of Λ = 1."""
    constant = torch.full((group.model.members, 1), 1 / group.scale, dtype=group.x.dtype, device=group.x.device)
    left, right = _lipschitz._both_sides(group, {"one": constant})
    kept = torch.linspace(0, len(group.x) - 1, config.drawn).long()
    values = {
        "bound": _lipschitz._quantiles(right, config),
        "tightness": _lipschitz._quantiles(left[:, :, None] / right, config),
        "violated": (left[:, :, None] > right * (1 + 1e-9)).double().mean(-1),
        "right": right[..., kept],
    }
    part = part.copy(deep=True)
    for name, value in values.items():
        part[name].loc[dict(constant=["one"])] = value.numpy(force=True)
    return part


def _groups(config: Config, networks: Networks) -> Iterator[Group]:
    """Yield the networks of each data set; those of the torus by level. The text's reading of MNIST comes last."""
    model, members = rings.restore(config.rings, networks["rings"]), rings.members(config.rings)
    _, _, x, labels = rings.data(config.rings)
    yield Group("rings", model, members, 1.0, x, labels, len(x), UNBOUNDED)

    stack, points = torus.restore(config.torus, networks["torus"]), torus.data(config.torus)
    members = [(config.torus.beta, seed) for seed in torus.members(config.torus)]
    for level, labels in enumerate(points.labels):
        model = network_to_level(stack, level)
        name = f"torus, {model.sizes[-1]} classes"
        yield Group(name, model, members, 1.0, points.x, labels, len(labels), UNBOUNDED)

    for recipe, settings in (("mnist_public", config.mnist_public), ("mnist", config.mnist)):
        model, members = mnist.restore(settings, networks[recipe]), mnist.members(settings)
        x, labels = (part[: config.n_images] for part in mnist.inputs(settings, "test"))
        name = images.TITLES[settings.dataset] + ("" if recipe == "mnist" else f", K = {settings.scale:g}")
        yield Group(name, model, members, settings.scale, x, labels, config.batch_size, attacks.BOUNDS)


def network_to_level(stack: StackedLIL, level: int) -> LIL:
    """Return the network from the data to one level of a stack: all hidden layers, and that level's classifier."""
    below = stack.lils[: level + 1]
    sizes = [stack.lils[0].sizes[0], *(size for lil in below for size in lil.sizes[1:-1]), below[-1].sizes[-1]]
    model = LIL(sizes, seeds=[0] * stack.members)
    for name in ("weights", "biases"):
        hidden = [layer for lil in below for layer in getattr(lil, name)[:-1]]
        for own, other in zip(getattr(model, name), [*hidden, getattr(below[-1], name)[-1]], strict=True):
            own.data.copy_(other)
    return model


run = make_run(RECIPES, evaluate)
