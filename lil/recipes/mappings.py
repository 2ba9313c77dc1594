"""The networks of Figure 1A: one data set, three kinds of mapping.

The paper draws the mappings by hand. Here networks are trained on two crescents in the plane, for three reasons. A map
from the plane to the plane can be shown without a projection. The crescents' mesh shows bending and stretching. No
straight line separates the crescents, so that the kinds must differ: a global isometry keeps them interlocked, an
isometry of each class may pull them apart, and a network without isometry may do anything that classifies.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lil.datasets import toy
from lil.models import LIL
from lil.progress import Progress, silent
from lil.recipes import ensembles
from lil.training import Settings

MAPPINGS = ("none", "within-class", "all")  # the pairs whose distances the loss holds: the three kinds


@dataclass(frozen=True)
class Config:
    mesh: tuple[int, int] = (24, 4)  # of each crescent, along and across: the training points
    radius: float = 0.5  # of a crescent; both must fit in the range of tanh, (−1, 1)²
    width: float = 0.15  # of a crescent
    hidden: tuple[int, ...] = (20, 20, 20, 2)  # "Experiments", but for 2 units in the last layer: a plane
    beta: float = 100.0  # of both isometric kinds; large, as distances here are short
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)  # one network each for every kind
    epochs: int = 10_000  # "Experiments"; each is one step on all points
    learning_rate: float = 1e-3  # Adam's default; the paper does not say


PAPER = Config()
QUICK = Config(mesh=(12, 3), seeds=(0, 1), epochs=400)


def data(config: Config) -> tuple[Float[Tensor, "n 2"], Int[Tensor, "n"]]:
    """Return the training points and their classes."""
    return toy.crescents(*config.mesh, radius=config.radius, width=config.width)


def members(config: Config) -> list[tuple[str, int]]:
    """Return (kind of mapping, seed) of each network. A seed's networks start from the same weights for every kind."""
    return [(mapping, seed) for mapping in MAPPINGS for seed in config.seeds]


def build(config: Config) -> LIL:
    """Return the untrained networks, one member each (kind of mapping, seed)."""
    return LIL((2, *config.hidden, 2), seeds=[seed for _, seed in members(config)])


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Train the networks and return their weights, on the CPU.

    β = 0 and within-class isometry are one ensemble; all pairs (G = 1) are another, from the same initial weights.
    """
    x, labels = (part.to(device) for part in data(config))
    trained = []
    for pairs, betas in (("within-class", (0.0, config.beta)), ("all", (config.beta,))):
        ensemble = [(beta, seed) for beta in betas for seed in config.seeds]
        model = LIL((2, *config.hidden, 2), seeds=[seed for _, seed in ensemble]).to(device)
        settings = Settings(epochs=config.epochs, learning_rate=config.learning_rate, pairs=pairs)
        trained.append(ensembles.train(model, x, labels, settings, ensemble, progress))
    return {name: torch.cat([state[name] for state in trained]) for name in trained[0]}


restore = ensembles.restorer(build)
