"""What the Lipschitz argument says of trained networks, measured. Each experiment brings its networks.

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

# Training follows the last digit of every sum. The finest level of the torus ends in different weights each time, and with it
# all ratios that take an extreme over many points.
BANDS = {
    "accuracy": 0.3,
    "certified": 0.1,
    "attacked": 0.5,
    "lower": 1.0,
    "upper": 0.5,
    "forced": 0.5,
    "violated": 1.0,
    "left": 1.0,
    "right": 1.0,
    **dict.fromkeys(("local", "along", "gradient", "bound", "tightness"), np.inf),
}


@dataclass(frozen=True)
class Measuring:
    """How networks are measured."""

    n_images: int = 500  # test images, the set's first; of the toys all points
    batch_size: int = 100  # images whose pairs make the isometry term, as in training
    directions: int = 8  # random ones at each point
    draw: int = 200  # seed of the random directions
    quantiles: tuple[float, ...] = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # of what is measured at each point
    drawn: int = 40  # points of each network kept one by one, for the figure
    epsilons: tuple[float, ...] = tuple(np.logspace(-4, 0, 13).tolist())  # of certificate and attack
    steps: int = 20  # of PGD on the cross-entropy, each a quarter of ε


class Networks(NamedTuple):
    """Networks of one kind and the points at which they are measured, in float64."""

    name: str
    model: LIL
    betas: list[float]  # one a member
    seeds: list[int]
    scale: float  # K
    x: Float[Tensor, "n d"]
    labels: Int[Tensor, "n"]
    batch_size: int  # points whose pairs make the isometry term
    bounds: tuple[float, float]  # of a coordinate, for the attack


def ready(name, model, betas, seeds, scale, x, labels, batch_size, bounds, device) -> Networks:
    """Networks with their points, in float64."""
    model = model.to(device).double().requires_grad_(False)
    return Networks(name, model, betas, seeds, scale, x.to(device).double(), labels.to(device), batch_size, bounds)


def measured(config: Measuring, groups: Iterable[Networks], progress: Progress) -> xr.Dataset:
    """Each network's constants, its two sides of Eq. 6, and what its margin certifies, over the dimension ``network``.

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
    each = [_measures(config, networks, progress) for networks in groups]
    return xr.concat(each, "network", join="exact", coords="minimal", compat="equals")


def _measures(config: Measuring, networks: Networks, progress: Progress) -> xr.Dataset:
    """Everything that is measured of networks of one kind."""
    model, x, labels = networks.model, networks.x, networks.labels
    each = x.expand(model.members, -1, -1)
    pairs = lipschitz.lower_pairs(x, model.represent(x), labels)
    local = torch.stack([lipschitz.local_jacobian(of, each) for of in (model.represent, model)], 1)
    progress(f"Lipschitz constants: {networks.name}", 1, 3)
    upper = torch.stack([lipschitz.upper_product(weights) for weights in (model.weights[:-1], model.weights)], 1)
    constants = {"local": local[:, 0], "product": upper[:, :1], "one": torch.ones_like(upper[:, :1])}
    left, right = _both_sides(networks, constants)
    progress(f"Lipschitz constants: {networks.name}", 2, 3)
    ratio = left[:, :, None] / right  # 0/0, NaN, where a point is the only one of its class in its batch
    certified, attacked = _certified(config, networks, upper[:, 0]), _attacked(config, networks)
    progress(f"Lipschitz constants: {networks.name}", 3, 3)
    kept = torch.linspace(0, len(x) - 1, config.drawn).long()  # spread out: the toys' points are sorted by class
    values = {
        "points": ((), x.new_full((model.members,), len(x))),
        "accuracy": ((), accuracy(model, x, labels)),
        "lower": (("pairs",), torch.stack(pairs, -1)),
        "forced": ((), lipschitz.lower_margins(x, model(x), labels, model.weights[-1])),
        "local": (("map", "quantile"), _quantiles(local, config)),
        "along": (("direction", "quantile"), _along(config, networks)),
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
    single = {name: value.numpy(force=True).astype(np.float32) for name, (_, value) in values.items()}
    return xr.Dataset(
        {name: (("network", *dims), single[name]) for name, (dims, _) in values.items()},
        coords={
            "data": ("network", [networks.name] * model.members),
            "beta": ("network", networks.betas),
            "seed": ("network", networks.seeds),
            "pairs": list(lipschitz.Pairs._fields),
            "map": list(MAPS),
            "direction": list(DIRECTIONS),
            "term": list(TERMS),
            "constant": list(CONSTANTS),
            "norm": list(NORMS),
            "quantile": list(config.quantiles),
            "epsilon": list(config.epsilons),
        },
    )


def _quantiles(values: Float[Tensor, "*lead n"], config: Measuring) -> Float[Tensor, "*lead q"]:
    """Over the points that have a value."""
    return torch.nanquantile(values, values.new_tensor(config.quantiles), dim=-1).movedim(0, -1)


def _both_sides(
    networks: Networks, constants: dict[str, Float[Tensor, "m _"]]
) -> tuple[Float[Tensor, "m terms n"], Float[Tensor, "m terms constants n"]]:
    """Eq. 6 at each point, batch by batch: the norm of the gradient, and its bound for each constant."""
    lefts, rights = [], []
    for chosen in torch.arange(len(networks.x)).split(networks.batch_size):
        x, labels = networks.x[chosen], networks.labels[chosen]
        settings = dict(betas=networks.betas, scale=networks.scale)
        lefts.append(torch.stack(gradient_bound.gradient_norms(networks.model, x, labels, **settings), 1))
        by_constant = []
        for constant in constants.values():
            own = constant[:, chosen] if constant.shape[1] > 1 else constant
            bounds = gradient_bound.gradient_bounds(networks.model, x, labels, lipschitz=own, **settings)
            by_constant.append(torch.stack(bounds, 1))
        rights.append(torch.stack(by_constant, 2))
    return torch.cat(lefts, -1), torch.cat(rights, -1)


def _along(config: Measuring, networks: Networks) -> Float[Tensor, "m directions q"]:
    """How much the representation stretches in each of the DIRECTIONS.

    ``neighbour``: towards the nearest point of the same class; ``attack``: that of FGSM on the cross-entropy.
    """
    model, x, labels = networks.model, networks.x, networks.labels
    each = x.expand(model.members, -1, -1)
    generator = torch.Generator().manual_seed(config.draw)
    random = torch.randn(config.directions, *x.shape, generator=generator, dtype=x.dtype).to(x.device)
    distance = euclidean(x, x).fill_diagonal_(math.inf)
    shortest, nearest = torch.where(labels[:, None] == labels, distance, math.inf).min(-1)
    alone = shortest.isinf()  # no other point of its class: left out
    at = each.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(attacks.classification(model, labels)(at, at[..., None, None]).sum(), at)
    stretches = {
        "random": torch.cat([lipschitz.local_along(model.represent, each, one.expand_as(each)) for one in random], -1),
        "neighbour": lipschitz.local_along(model.represent, each, (x[nearest] - x).expand_as(each))[:, ~alone],
        "attack": lipschitz.local_along(model.represent, each, gradient.sign()),
    }
    return torch.stack([_quantiles(stretches[direction], config) for direction in DIRECTIONS], 1)


def _certified(
    config: Measuring, networks: Networks, constant: Float[Tensor, "m"]
) -> Float[Tensor, "m norms epsilons"]:
    """The share of points whose certified radius exceeds ε in L2, and in L∞: ε in each of D coordinates is √D ε."""
    model = networks.model
    radius = lipschitz.certified_radius(model(networks.x), networks.labels, model.weights[-1], constant)
    radii = torch.stack((radius, radius / networks.x.shape[-1] ** 0.5), 1)
    return (radii[:, :, None] > radii.new_tensor(config.epsilons)[:, None]).double().mean(-1)


def _attacked(config: Measuring, networks: Networks) -> Float[Tensor, "m epsilons"]:
    """The share of points that projected gradient ascent on the cross-entropy leaves in their class."""
    model, labels = networks.model, networks.labels
    as_images = networks.x[:, None, None]  # attacks are written for images
    left = []
    for epsilon in config.epsilons:
        result = attacks.attack(
            model,
            lambda x: x.flatten(-3),
            attacks.classification(model, labels),
            as_images,
            labels,
            epsilon=epsilon,
            step_size=epsilon / 4,
            steps=config.steps,
            bounds=networks.bounds,
        )
        left.append((~result.success).double().mean(-1))
    return torch.stack(left, -1)


def rank_correlation(a: xr.DataArray, b: xr.DataArray) -> float:
    """Return Spearman's rank correlation over networks; both have that one dimension."""
    return float(spearmanr(a, b).statistic)
