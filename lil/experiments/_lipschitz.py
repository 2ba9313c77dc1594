"""Quantities of the Lipschitz argument, measured on trained networks. Each experiment brings its networks.

This module does not import the recipes, so that a change to one makes no other experiment stale.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from scipy.stats import spearmanr
from torch import Tensor

from lil import attacks, gradient_bound, lipschitz
from lil.evaluation import accuracy
from lil.isometry import euclidean
from lil.models import LIL
from lil.progress import Progress

MAPS = ("representation", "logits")
DIRECTIONS = ("random", "neighbour", "attack")
TERMS = gradient_bound.Terms._fields
CONSTANTS = ("local", "product", "one")  # Λ in Eq. 6: of the point, certified for all points, of an isometry
NORMS = ("L2", "Linf")
UNBOUNDED = (-math.inf, math.inf)


@dataclass(frozen=True)
class Measuring:
    """Settings of the measures."""

    n_images: int = 500  # test images, the set's first; of the toys all points
    batch_size: int = 100  # images whose pairs make the isometry term, as in training
    directions: int = 8  # random ones at each point
    draw: int = 200  # seed of the random directions
    quantiles: tuple[float, ...] = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # of what is measured at each point
    drawn: int = 40  # points of each network kept one by one, for the figure
    epsilons: tuple[float, ...] = tuple(np.logspace(-4, 0, 13).tolist())  # of certificate and attack
    steps: int = 20  # of PGD on the cross-entropy, each a quarter of ε


class Group(NamedTuple):
    """Networks of one kind and the points at which they are measured, in float64."""

    name: str
    model: LIL
    members: list[tuple[float, int]]  # (β, seed) of each
    scale: float  # K
    x: Float[Tensor, "n d"]
    labels: Int[Tensor, "n"]
    batch_size: int  # points whose pairs make the isometry term
    bounds: tuple[float, float]  # of a coordinate, for the attack

    @property
    def settings(self) -> dict:
        """β of each member and K, as arguments."""
        return dict(betas=[beta for beta, _ in self.members], scale=self.scale)


def measure(config: Measuring, groups: Iterable[Group], device: str, progress: Progress) -> xr.Dataset:
    """Return each network's constants, its two sides of Eq. 6, and its certificates, over the dimension ``network``.

    ``data``, ``beta`` and ``seed`` say which network that is, ``points`` at how many points it is measured. Distances
    are Euclidean and all in float64: ratios of short distances lose digits.

    Estimates of Lipschitz constants, see :mod:`lil.lipschitz`: ``lower`` (pairs), ``forced`` (by margins), ``local``
    (map, quantile over the points), ``along`` (direction, quantile; of the representation), ``upper`` (map).

    Eq. 6: ``gradient`` (term, quantile) and ``bound`` (term, constant, quantile) are its sides, ``tightness`` is their
    ratio, left to right, ``violated`` the share of points where that exceeds 1. ``left`` and ``right`` are the sides at
    a few points.

    ``certified`` (norm, epsilon) is the share of points that no perturbation of that size can change, by ``upper`` and
    margin, ``attacked`` (epsilon) the share that PGD, L∞, leaves right.
    """
    parts = [_measures(config, _in_float64(group, device), progress) for group in groups]
    return xr.concat(parts, "network", join="exact", coords="minimal", compat="equals")


def _in_float64(group: Group, device: str) -> Group:
    model = group.model.to(device).double().requires_grad_(False)
    return group._replace(model=model, x=group.x.to(device).double(), labels=group.labels.to(device))


def _measures(config: Measuring, group: Group, progress: Progress) -> xr.Dataset:
    """Return all measures of networks of one kind."""
    model, x, labels = group.model, group.x, group.labels
    points = x.expand(model.members, -1, -1)
    pairs = lipschitz.lower_pairs(x, model.represent(x), labels)
    local = torch.stack([lipschitz.local_jacobian(function, points) for function in (model.represent, model)], 1)
    progress(f"Lipschitz constants: {group.name}", 1, 3)
    upper = torch.stack([lipschitz.upper_product(weights) for weights in (model.weights[:-1], model.weights)], 1)
    constants = {"local": local[:, 0], "product": upper[:, :1], "one": torch.ones_like(upper[:, :1])}
    left, right = _both_sides(group, constants)
    progress(f"Lipschitz constants: {group.name}", 2, 3)
    ratio = left[:, :, None] / right  # 0/0, NaN, where a point is the only one of its class in its batch
    certified, attacked = _certify(config, group, upper[:, 0]), _attack(config, group)
    progress(f"Lipschitz constants: {group.name}", 3, 3)
    kept = torch.linspace(0, len(x) - 1, config.drawn).long()  # spread out: the toys' points are sorted by class
    values = {
        "points": ((), x.new_full((model.members,), len(x))),
        "accuracy": ((), accuracy(model, x, labels)),
        "lower": (("pairs",), torch.stack(pairs, -1)),
        "forced": ((), lipschitz.lower_margins(x, model(x), labels, model.weights[-1])),
        "local": (("map", "quantile"), _quantiles(local, config)),
        "along": (("direction", "quantile"), _directional(config, group)),
        "upper": (("map",), upper),
        "gradient": (("term", "quantile"), _quantiles(left, config)),
        "bound": (("term", "constant", "quantile"), _quantiles(right, config)),
        "tightness": (("term", "constant", "quantile"), _quantiles(ratio, config)),
        # The first is at most the second but for rounding, which float64 keeps far below this.
        "violated": (("term", "constant"), (left[:, :, None] > right * (1 + 1e-9)).double().mean(-1)),
        "left": (("term", "point"), left[..., kept]),
        "right": (("term", "constant", "point"), right[..., kept]),
        "certified": (("norm", "epsilon"), certified),
        "attacked": (("epsilon",), attacked),
    }
    variables = {
        name: (("network", *dims), value.numpy(force=True).astype(np.float32)) for name, (dims, value) in values.items()
    }
    betas, seeds = map(list, zip(*group.members, strict=True))
    networks = dict(data=("network", [group.name] * len(seeds)), beta=("network", betas), seed=("network", seeds))
    axes = dict(pairs=lipschitz.Pairs._fields, map=MAPS, direction=DIRECTIONS, term=TERMS, constant=CONSTANTS)
    axes |= dict(norm=NORMS, quantile=config.quantiles, epsilon=config.epsilons)
    return xr.Dataset(variables, networks | {name: list(axis) for name, axis in axes.items()})


def _quantiles(values: Float[Tensor, "*lead n"], config: Measuring) -> Float[Tensor, "*lead q"]:
    """Return quantiles over the points that have a value."""
    return torch.nanquantile(values, values.new_tensor(config.quantiles), dim=-1).movedim(0, -1)


def _both_sides(
    group: Group, constants: dict[str, Float[Tensor, "m _"]]
) -> tuple[Float[Tensor, "m terms n"], Float[Tensor, "m terms constants n"]]:
    """Return Eq. 6 at each point, batch by batch: the norm of the gradient, and its bound for each constant."""
    lefts, rights = [], []
    for chosen in torch.arange(len(group.x)).split(group.batch_size):
        batch = (group.model, group.x[chosen], group.labels[chosen])
        lefts.append(torch.stack(gradient_bound.gradient_norms(*batch, **group.settings), 1))
        local = [constant[:, chosen] if constant.shape[1] > 1 else constant for constant in constants.values()]
        bounds = [gradient_bound.gradient_bounds(*batch, lipschitz=constant, **group.settings) for constant in local]
        rights.append(torch.stack([torch.stack(terms, 1) for terms in bounds], 2))
    return torch.cat(lefts, -1), torch.cat(rights, -1)


def _directional(config: Measuring, group: Group) -> Float[Tensor, "m directions q"]:
    """Return quantiles over the points of the representation's stretch in each of the DIRECTIONS.

    ``neighbour`` is towards the nearest point of the same class, ``attack`` that of FGSM on the cross-entropy.
    """
    model, x, labels = group.model, group.x, group.labels
    points = x.expand(model.members, -1, -1)
    generator = torch.Generator().manual_seed(config.draw)
    random = torch.randn(config.directions, *x.shape, generator=generator, dtype=x.dtype).to(x.device)
    distance = euclidean(x, x).fill_diagonal_(math.inf)
    shortest, nearest = torch.where(labels[:, None] == labels, distance, math.inf).min(-1)
    alone = shortest.isinf()  # no other point of its class: left out
    at = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(attacks.classification(model, labels)(at, at[..., None, None]).sum(), at)

    def stretch(direction: Float[Tensor, "*m n d"]) -> Float[Tensor, "m n"]:
        return lipschitz.local_directional(model.represent, points, direction.expand_as(points))

    stretches = {
        "random": torch.cat([stretch(direction) for direction in random], -1),
        "neighbour": stretch(x[nearest] - x)[:, ~alone],
        "attack": stretch(gradient.sign()),
    }
    return torch.stack([_quantiles(stretches[direction], config) for direction in DIRECTIONS], 1)


def _certify(config: Measuring, group: Group, constant: Float[Tensor, "m"]) -> Float[Tensor, "m norms epsilons"]:
    """Return the share of points whose certified radius exceeds ε, in L2 and in L∞.

    A change by ε in each of D coordinates has the Euclidean norm √D ε.
    """
    radius = lipschitz.certified_radius(group.model(group.x), group.labels, group.model.weights[-1], constant)
    radii = torch.stack((radius, radius / group.x.shape[-1] ** 0.5), 1)
    return (radii[:, :, None] > radii.new_tensor(config.epsilons)[:, None]).double().mean(-1)


def _attack(config: Measuring, group: Group) -> Float[Tensor, "m epsilons"]:
    """Return the share of points that projected gradient ascent on the cross-entropy leaves in their class."""
    model, labels, images = group.model, group.labels, group.x[:, None, None]  # attacks are written for images
    objective, left = attacks.classification(model, labels), []
    for epsilon in config.epsilons:
        size = dict(epsilon=epsilon, step_size=epsilon / 4, steps=config.steps, bounds=group.bounds)
        result = attacks.attack(model, attacks.pixels, objective, images, labels, **size)
        left.append((~result.success).double().mean(-1))
    return torch.stack(left, -1)


def rank_correlation(a: xr.DataArray, b: xr.DataArray) -> float:
    """Return Spearman's rank correlation over networks; both have that one dimension."""
    return float(spearmanr(a, b).statistic)
