"""Classifiers of the rings and the torus that keep the distances of another metric than the Euclidean one.

The discussion of the paper says that the approach "can also be extended to other metrics". Networks, classes and steps
are those of Figures 2 and 4, with a single LIL of two classes and fewer points. The loop below is plain PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from scipy.sparse.csgraph import shortest_path
from sklearn.neighbors import kneighbors_graph
from torch import Tensor

from lil.isometry import euclidean, isometry_loss, manhattan, pair_distances
from lil.models import LIL, cross_entropy
from lil.progress import Progress, silent
from lil.recipes import ensembles, hierarchy, rings, torus

METRICS = ("euclidean", "manhattan", "geodesic")
TERMS = ("none", *METRICS)  # of the loss beside the cross-entropy
OUTPUT = {"euclidean": euclidean, "manhattan": manhattan, "geodesic": euclidean}  # metric of the representations


@dataclass(frozen=True)
class Config:
    dataset: Literal["rings", "torus"]  # Figure 2's or Figure 4's; the torus in its two coarsest classes
    size: int  # points of each ring, or the side of the torus' grid
    beta: float  # weight of the isometry term, as in Figure 2 or Figure 4
    neighbours: int = 10  # of each point in the graph whose shortest paths are the geodesic distances
    terms: tuple[str, ...] = TERMS  # the metric to keep; "none": cross-entropy alone
    hidden: tuple[int, ...] = (20, 20, 20, 20)  # "Experiments": [D, 20, 20, 20, 20, C]
    seeds: tuple[int, ...] = (0, 1, 2)  # one network each for every term
    epochs: int = 10_000  # "Experiments"; each is one step on all points
    learning_rate: float = 1e-3  # Adam's default; the paper does not say

    def __post_init__(self):
        if not self.terms or not set(self.terms) <= set(TERMS):
            raise ValueError(f"terms must be some of {TERMS}, not {self.terms}.")
        ensembles.check_seeds(self.seeds)


PAPER_RINGS = Config("rings", size=150, beta=1.0)
PAPER_TORUS = Config("torus", size=16, beta=10.0)
QUICK_RINGS, QUICK_TORUS = (replace(each, seeds=(0, 1), epochs=120) for each in (PAPER_RINGS, PAPER_TORUS))
QUICK_RINGS = replace(QUICK_RINGS, size=60)


def data(config: Config, split: str) -> tuple[Float[Tensor, "n 3"], Int[Tensor, "n"]]:
    """Return the points of the "train" or the "test" draw and their classes, one class after the other.

    The test draw of the torus is :func:`lil.recipes.hierarchy.held_out`, without the points that lie on a cut.
    """
    if config.dataset == "rings":
        x, labels, x_test, labels_test = rings.data(rings.Config(n_points=config.size))
        return (x, labels) if split == "train" else (x_test, labels_test)
    settings = torus.Config(grid=config.size)
    points = torus.data(settings) if split == "train" else hierarchy.held_out(settings)
    labels = points.labels[0]
    return points.x[labels >= 0], labels[labels >= 0]


def distances(config: Config, metric: str, x: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """Return the distances of the points of one class in one of the METRICS.

    Raises ValueError if the graph of the geodesic distances is not connected.
    """
    if metric != "geodesic":
        return pair_distances(x, OUTPUT[metric])
    graph = kneighbors_graph(x.numpy(), config.neighbours, mode="distance")
    paths = torch.from_numpy(shortest_path(graph, directed=False)).float()
    if paths.isinf().any():
        raise ValueError(
            f"the graph of {config.neighbours} neighbours leaves {len(x)} points of one class unconnected: "
            "take more neighbours."
        )
    return paths


def members(config: Config) -> list[tuple[str, int]]:
    """Return (term, seed) of each network. A seed's networks start alike."""
    return [(term, seed) for term in config.terms for seed in config.seeds]


def build(config: Config) -> LIL:
    """Return the untrained networks, one member each (term, seed)."""
    return LIL((3, *config.hidden, 2), seeds=[seed for _, seed in members(config)])


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Train the networks and return their weights, on the CPU; those of one term learn as one ensemble."""
    x, labels = data(config, "train")
    trained = [_train(config, term, x, labels, device, progress) for term in config.terms]
    return {name: torch.cat([networks[name].cpu() for networks in trained]) for name in trained[0]}


def _train(
    config: Config, term: str, x: Float[Tensor, "n 3"], labels: Int[Tensor, "n"], device: str, progress: Progress
) -> dict[str, Tensor]:
    """Return the trained weights of one term's networks. Both classes have equally many points, one after the other."""
    model = LIL((3, *config.hidden, 2), seeds=config.seeds).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    by_class = x.unflatten(0, (2, -1))
    x_dist = None if term == "none" else torch.stack([distances(config, term, one) for one in by_class]).to(device)
    x, labels = x.to(device), labels.to(device)
    for epoch in range(config.epochs):
        z = model.represent(x)
        loss = cross_entropy(model.classify(z), labels)
        if x_dist is not None:
            loss = loss + config.beta * within_blocks(z, x_dist, OUTPUT[term])
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        progress(f"training: {config.dataset}, {term}", epoch + 1, config.epochs)
    return model.state_dict()


def within_blocks(z: Float[Tensor, "m n d"], x_dist: Float[Tensor, "c b b"], metric: object) -> Float[Tensor, "m"]:
    """Return L_ISO ({eq}`isometry-loss`) of points whose c classes are equal blocks, one after the other.

    Pairs of different classes do not count, so their distances are not computed: with two classes, half the time.
    """
    classes, size = x_dist.shape[:2]
    mask = ~torch.eye(size, dtype=torch.bool, device=z.device)
    by_class = isometry_loss(z.unflatten(-2, (classes, size)), x_dist, mask, metric=metric)  # each over size²
    return by_class.sum(-1) / classes**2


restore = ensembles.restorer(build)
