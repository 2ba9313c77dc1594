"""Beyond the paper: rings and torus with other metrics than the Euclidean one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from lil.experiments._common import Networks, grid_dataset, make_run
from lil.isometry import pair_distances
from lil.progress import Progress, silent
from lil.recipes import metrics
from lil.recipes.metrics import METRICS, OUTPUT

RECIPES = {"rings": metrics, "torus": metrics}
POINTS = {"training": "train", "held-out": "test"}


@dataclass(frozen=True)
class Config:
    rings: metrics.Config = metrics.PAPER_RINGS  # the networks: of Figure 2's rings,
    torus: metrics.Config = metrics.PAPER_TORUS  # and of Figure 4's torus, in two classes
    n_shown: int = 300  # pairs of held-out points of one class that are drawn
    draw: int = 700  # seed of their choice
    stress_steps: int = 1000  # of the embedding of the geodesic distances with the least stress

    def __post_init__(self):
        if (self.rings.dataset, self.torus.dataset) != ("rings", "torus"):
            raise ValueError("rings and torus must be networks of the data set that they are named after.")
        if self.rings.terms != self.torus.terms or self.rings.seeds != self.torus.seeds:
            raise ValueError("rings and torus must have the same terms and seeds: they share their dimensions.")


PAPER = Config()
QUICK = Config(rings=metrics.QUICK_RINGS, torus=metrics.QUICK_TORUS, n_shown=60, stress_steps=200)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return measures of each network in each metric, on the training and on held-out points.

    ``accuracy`` lies over (data, points, term, seed). Over (…, metric), of the pairs of one class: ``correlation`` of
    d(Φ) with d(x), and ``stress``, √(Σ (d(Φ) − d(x))² / Σ d(x)²). A metric measures both sides, but the geodesic one:
    there d(x) are shortest paths within the class and d(Φ) is Euclidean. Such distances need not fit into a Euclidean
    space, so ``least_stress`` and ``best_correlation`` (data, points) are those of :func:`embed`, which is no network.

    ``shown`` (data, metric, term, pair) are d(Φ) of some held-out pairs in networks of the first seed, ``target`` d(x).
    """
    parts = [_measures(config, name, networks[name], device, progress) for name in RECIPES]
    return xr.concat(parts, "data", join="exact").assign_coords(data=list(RECIPES))


def _measures(config: Config, name: str, weights: dict[str, Tensor], device: str, progress: Progress) -> xr.Dataset:
    """Return the measures of one data set."""
    settings = getattr(config, name)
    model = metrics.restore(settings, weights).to(device).requires_grad_(False)
    size = (len(POINTS), model.members)
    accuracy, correlation, stress = np.empty(size), np.empty((*size, len(METRICS))), np.empty((*size, len(METRICS)))
    best = np.empty((len(POINTS), 2))
    for row, split in enumerate(POINTS.values()):
        x, labels = metrics.data(settings, split)
        z = model.represent(x.to(device))
        accuracy[row] = (model.classify(z).argmax(-1).cpu() == labels).float().mean(-1)
        by_class = [(x[labels == k], z[:, labels == k].cpu()) for k in range(2)]
        pairs = {metric: _pairs(settings, metric, by_class) for metric in METRICS}
        for column, (x_dist, z_dist) in enumerate(pairs.values()):
            correlation[row, :, column] = [np.corrcoef(x_dist, one)[0, 1] for one in z_dist]
            stress[row, :, column] = _stress(x_dist, z_dist)
        x_dist, _ = pairs["geodesic"]
        fitted = [
            embed(metrics.distances(settings, "geodesic", cloud), settings.hidden[-1], config.stress_steps)
            for cloud, _ in by_class
        ]
        fitted_dist = np.concatenate([_upper(pair_distances(cloud)) for cloud in fitted])
        best[row] = _stress(x_dist, fitted_dist[None])[0], np.corrcoef(x_dist, fitted_dist)[0, 1]
        progress(f"measures of the {name}", row + 1, len(POINTS))
    chosen = np.random.default_rng(config.draw).choice(len(x_dist), config.n_shown, replace=False)
    first = [k for k, (_, seed) in enumerate(metrics.members(settings)) if seed == settings.seeds[0]]
    values = {
        "accuracy": (("points", "member"), accuracy),
        "correlation": (("points", "member", "metric"), correlation),
        "stress": (("points", "member", "metric"), stress),
        "least_stress": (("points",), best[:, 0]),
        "best_correlation": (("points",), best[:, 1]),
        "target": (("metric", "pair"), np.stack([x_dist[chosen] for x_dist, _ in pairs.values()])),
        "shown": (("metric", "term", "pair"), np.stack([z_dist[first][:, chosen] for _, z_dist in pairs.values()])),
    }
    values = {name: (dims, np.asarray(array, np.float32)) for name, (dims, array) in values.items()}
    return grid_dataset(
        values, {"term": settings.terms, "seed": settings.seeds}, {"points": list(POINTS), "metric": list(METRICS)}
    )


def _pairs(
    settings: metrics.Config, metric: str, by_class: list[tuple[Tensor, Tensor]]
) -> tuple[Float[np.ndarray, "pairs"], Float[np.ndarray, "m pairs"]]:
    """Return the distances of all pairs of one class in one metric, of the points and of their representations."""
    x_dist = [_upper(metrics.distances(settings, metric, x)) for x, _ in by_class]
    z_dist = [_upper(pair_distances(z, OUTPUT[metric])) for _, z in by_class]
    return np.concatenate(x_dist), np.concatenate(z_dist, -1)


def _upper(distance: Float[Tensor, "*lead n n"]) -> Float[np.ndarray, "*lead pairs"]:
    """Return the distances of the unordered pairs."""
    rows, columns = torch.triu_indices(*distance.shape[-2:], 1)
    return distance[..., rows, columns].numpy()


def _stress(x_dist: Float[np.ndarray, "pairs"], z_dist: Float[np.ndarray, "m pairs"]) -> Float[np.ndarray, "m"]:
    """Return √(Σ (d(Φ) − d(x))² / Σ d(x)²): 0 for an isometry, and 1 where all representations coincide."""
    return np.sqrt(((z_dist - x_dist) ** 2).sum(-1) / (x_dist**2).sum())


def embed(target: Float[Tensor, "n n"], dims: int, steps: int) -> Float[Tensor, "n dims"]:
    """Return points in a Euclidean space whose distances have (locally) the least stress against ``target``.

    Classical scaling gives the start, and each step of SMACOF (de Leeuw, 1977) lowers the stress: with
    :math:`B_{ij} = -t_{ij} / d_{ij}` off the diagonal and rows that sum to 0, x becomes B x / n.
    """
    target, n = target.double(), len(target)
    centred = torch.eye(n, dtype=torch.float64) - 1 / n
    values, vectors = torch.linalg.eigh(-centred @ target.square() @ centred / 2)
    x = vectors[:, -dims:] * values[-dims:].clamp(min=0).sqrt()
    for _ in range(steps):
        ratio = torch.where(target > 0, target / pair_distances(x).clamp(min=1e-12), 0)
        x = (ratio.sum(-1, keepdim=True) * x - ratio @ x) / n
    return x.float()


run = make_run(RECIPES, evaluate)
