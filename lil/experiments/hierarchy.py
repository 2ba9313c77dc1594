"""Beyond the paper: Figure 4's stacks with other weights and rates, without the stop, and beside flat networks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from lil import lipschitz
from lil.datasets import toy
from lil.experiments._common import Networks, make_run
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.models import StackedLIL
from lil.progress import Progress, silent
from lil.recipes import hierarchy, torus

STACKS = ("text", "pairs", "decayed", "both", "connected", "plain")
FLAT = ("deep", "deep_both", "deep_plain", "shallow", "shallow_both", "shallow_plain")
VARIANTS = (*STACKS, *FLAT)
RECIPES = {"text": torus, **dict.fromkeys(VARIANTS[1:], hierarchy)}

POINTS = ("training", "held-out")
KINDS = ("own", "inherited", "inside")  # of neighbours: on two sides of a cut, old or new, or of none
TANGENTS = ("across", "along")
REGIONS = ("near", "far")  # from a cut: up to one step of the grid, or further
DIMS = {
    "accuracy": ("points",),
    "correlation": ("points",),
    "ratio": ("points", "quantile"),
    "tear": ("kind", "quantile"),
    "distortion": ("tangent", "distance"),
    "isometric": ("region",),
}


@dataclass(frozen=True)
class Config:
    text: torus.Config = torus.PAPER  # the stacks of Figure 4,
    pairs: hierarchy.Config = hierarchy.PAPER_PAIRS  # and with the mean over the pairs that count, in place of 1/N²,
    decayed: hierarchy.Config = hierarchy.PAPER_DECAYED  # with a learning rate that falls,
    both: hierarchy.Config = hierarchy.PAPER_BOTH  # with both,
    connected: hierarchy.Config = hierarchy.PAPER_CONNECTED  # with gradients through all LILs,
    plain: hierarchy.Config = hierarchy.PAPER_PLAIN  # or without the isometry term
    deep: hierarchy.Config = hierarchy.PAPER_DEEP  # flat: eight classes at once, with the stack's twelve layers,
    deep_both: hierarchy.Config = hierarchy.PAPER_DEEP_BOTH  # with the mean over pairs and a rate that falls,
    deep_plain: hierarchy.Config = hierarchy.PAPER_DEEP_PLAIN  # or without the isometry term
    shallow: hierarchy.Config = hierarchy.PAPER_SHALLOW  # flat, with the four layers of one LIL,
    shallow_both: hierarchy.Config = hierarchy.PAPER_SHALLOW_BOTH  # with the mean over pairs and a rate that falls,
    shallow_plain: hierarchy.Config = hierarchy.PAPER_SHALLOW_PLAIN  # or without the isometry term
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)  # of d(Φ)/d(x), over pairs of points
    within: float = 0.1  # how far from 1 the stretch of the surface may lie at a point that counts as isometric

    def __post_init__(self):
        shared = {(each.grid, each.noise, each.cut, each.draw, each.seeds) for each in _settings(self).values()}
        if self.text.grid < 24:
            raise ValueError("grid must be at least 24: on a coarser one, no point of eight classes is far from a cut.")
        if len(shared) > 1:
            raise ValueError("all variants must share grid, noise, cut, draw and seeds, as they are compared.")


def _settings(config: Config) -> dict[str, torus.Config]:
    return {name: getattr(config, name) for name in VARIANTS}


PAPER = Config()
QUICK = replace(PAPER, **{name: hierarchy.quick(settings) for name, settings in _settings(PAPER).items()})


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return measures of each level of each variant.

    Over (variant, level, seed, points), on the training points and on :func:`lil.recipes.hierarchy.held_out`:
    accuracy, and of the pairs of one class of that level the ``correlation`` and the quantiles of the ``ratio`` of
    d(Φ) to d(x). Points on a cut have no class and are left out.

    ``tear`` (…, kind, quantile) is d(Φ)/d(x) of training points that are neighbours along the angle of the cuts.
    The distortion of the surface at a point is the distance of ‖J t‖ from 1, for a unit tangent t. ``distortion``
    (…, tangent, distance) is its median over the points at one distance from a cut of that level, in steps of the grid.
    ``isometric`` (…, region) is the share of points at which it is at most ``within`` for both tangents.

    A flat network has one representation, which is measured at the finest level; NaN stands at the others. The
    accuracy of a coarser level is that of its classes, joined.
    """
    data = (torus.data(config.text), hierarchy.held_out(config.text))
    parts = []
    for done, (name, recipe) in enumerate(RECIPES.items(), start=1):
        model = recipe.restore(getattr(config, name), networks[name]).to(device).requires_grad_(False)
        parts.append(_measures(config, model, data))
        progress("measures of the variants", done, len(RECIPES))
    result = xr.concat(parts, "variant", join="exact").assign_coords(variant=list(VARIANTS))
    return result.assign(within=np.float32(config.within))


def _measures(config: Config, model: StackedLIL, data: tuple[toy.Torus, toy.Torus]) -> xr.Dataset:
    """Return the measures of one variant."""
    grid = config.text.grid
    levels = {lil.sizes[-1]: number for number, lil in enumerate(model.lils)}
    clouds = [points.x.to(model.lils[0].weights[0].device) for points in data]
    represented = [model.represent(x) for x in clouds]
    predicted = [[scores.argmax(-1).cpu() for scores in model.classify(z)] for z in represented]
    surface, found = hierarchy.surface(config.text), {}
    for classes, number in levels.items():
        pairs = [
            _pairs(points.x, z[number].cpu(), points.labels[toy.TORUS_CLASSES.index(classes)])
            for points, z in zip(data, represented, strict=True)
        ]
        coarser = max((other for other in levels if other < classes), default=None)
        tears = _tears(data[0].x, represented[0][number].cpu(), grid, classes, coarser)
        found[classes] = {
            "correlation": np.stack(
                [[np.corrcoef(one, x_dist)[0, 1] for one in z_dist] for x_dist, z_dist in pairs], 1
            ),
            "ratio": np.stack([_quantiles(z_dist / x_dist, config) for x_dist, z_dist in pairs], 1),
            "tear": np.stack([_quantiles(ratio, config) for ratio in tears], 1),
            **_distortions(config, _stretches(model, surface, number), surface.position, classes),
        }
    blank = {name: np.full_like(values, np.nan) for name, values in found[toy.TORUS_CLASSES[-1]].items()}
    accuracy = [
        [_accuracy(each, points.labels[row], classes, levels) for each, points in zip(predicted, data, strict=True)]
        for row, classes in enumerate(toy.TORUS_CLASSES)
    ]
    values = {"accuracy": np.moveaxis(np.array(accuracy), 1, -1)}
    values |= {name: np.stack([found.get(classes, blank)[name] for classes in toy.TORUS_CLASSES]) for name in blank}
    coords = {
        "level": list(toy.TORUS_CLASSES),
        "seed": list(config.text.seeds),
        "points": list(POINTS),
        "quantile": list(config.quantiles),
        "kind": list(KINDS),
        "tangent": list(TANGENTS),
        "distance": np.arange(grid // 2 + 1) / 2,
        "region": list(REGIONS),
    }
    return xr.Dataset(
        {name: (("level", "seed", *DIMS[name]), array.astype(np.float32)) for name, array in values.items()}, coords
    )


def _quantiles(values: Float[np.ndarray, "m _"], config: Config) -> Float[np.ndarray, "m q"]:
    """Return quantiles over the last axis; NaN where it is empty."""
    if not values.shape[-1]:
        return np.full((len(values), len(config.quantiles)), np.nan)
    return np.quantile(values, config.quantiles, axis=-1).T


def _accuracy(
    predicted: list[Int[Tensor, "m n"]], labels: Int[Tensor, "n"], classes: int, levels: dict[int, int]
) -> Float[np.ndarray, "m"]:
    """Return the accuracy on points that have a class, by the LIL of this level or, without one, the finest, joined."""
    own = classes if classes in levels else max(levels)
    right = predicted[levels[own]] // (own // classes) == labels
    return right[:, labels >= 0].float().mean(-1).numpy()


def _pairs(
    x: Float[Tensor, "n 3"], z: Float[Tensor, "m n width"], labels: Int[Tensor, "n"]
) -> tuple[Float[np.ndarray, "pairs"], Float[np.ndarray, "m pairs"]]:
    """Return the distances of the pairs of one class, in the data and in the representations."""
    x, z, labels = x[labels >= 0], z[:, labels >= 0], labels[labels >= 0]
    mask = within_class(labels)
    return flat_pairs(pair_distances(x), mask).numpy(), flat_pairs(pair_distances(z), mask).numpy()


def _tears(
    x: Float[Tensor, "n 3"], z: Float[Tensor, "m n width"], grid: int, classes: int, coarser: int | None
) -> list[Float[np.ndarray, "m _"]]:
    """Return d(Φ)/d(x) of each point and its neighbour before it along the angle of the cuts, for each of the KINDS.

    A cut of the level is inherited if the next coarser LIL of the stack has it, and else the level's own.
    """
    rows = torch.arange(grid)
    cut = rows % (grid // classes) == 0
    old = rows % (grid // coarser) == 0 if coarser else torch.zeros(grid, dtype=torch.bool)

    def apart(cloud: Tensor) -> Tensor:
        rings = cloud.unflatten(-2, (grid, grid))
        return (rings - rings.roll(1, -3)).norm(dim=-1)

    ratio = apart(z) / apart(x)
    return [ratio[:, chosen].flatten(1).numpy() for chosen in (cut & ~old, cut & old, ~cut)]


def _stretches(model: StackedLIL, points: hierarchy.Surface, level: int) -> Float[np.ndarray, "2 m n"]:
    """Return ‖J t‖ of one level for both tangents of the surface, through all LILs below."""
    stop, model.stop_gradient = model.stop_gradient, False  # it belongs to training
    x = points.x.to(model.lils[0].weights[0].device).expand(model.members, -1, -1)
    found = [
        lipschitz.local_directional(lambda at: model.represent(at)[level], x, tangent.to(x.device).expand_as(x))
        for tangent in (points.across, points.along)
    ]
    model.stop_gradient = stop
    return torch.stack(found).numpy(force=True)


def _distortions(
    config: Config, stretch: Float[np.ndarray, "2 m n"], position: Float[Tensor, "n"], classes: int
) -> dict[str, Float[np.ndarray, "m ..."]]:
    """Return the measures of the distortion of one level: by distance from a cut, and by region."""
    grid = config.text.grid
    distance, off = hierarchy.distance_to_cut(position, grid, classes).numpy(), np.abs(stretch - 1)
    by_distance = np.full((*stretch.shape[:2], grid // 2 + 1), np.nan)
    for place in range(grid // classes + 1):
        by_distance[..., place] = np.median(off[..., distance == place / 2], -1)
    isometric = (off <= config.within).all(0)
    regions = [isometric[:, distance <= 1].mean(-1), isometric[:, distance > 1].mean(-1)]
    return {"distortion": by_distance.swapaxes(0, 1), "isometric": np.stack(regions, -1)}


run = make_run(RECIPES, evaluate)
