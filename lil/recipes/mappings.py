"""The networks of Figure 1A: one data set, three kinds of mapping.

The paper draws them by hand. Here they are what training gives, on two crescents in the plane, for three
reasons. A map from the plane to the plane can be shown as it is, with no projection. The crescents' mesh
shows how it bends and stretches. And no straight line separates them, so the kinds must differ: a global
isometry keeps them interlocked, an isometry of each class may pull them apart, and without isometry anything
goes that classifies.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lil import engine
from lil.datasets import toy
from lil.models import LIL
from lil.progress import Progress, silent
from lil.training import Settings

MAPPINGS = ("none", "within-class", "all")  # the pairs whose distances the loss holds: the three kinds


# How far two trainings of one network may lie apart, of the largest weight: rounding errors grow over 10 000 epochs.
BAND = 0.05


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
    """The training points and their classes."""
    return toy.crescents(*config.mesh, radius=config.radius, width=config.width)


def members(config: Config) -> list[tuple[str, int]]:
    """(kind of mapping, seed) of each network. A seed's networks start from the same weights for every kind."""
    return [(mapping, seed) for mapping in MAPPINGS for seed in config.seeds]


def build(config: Config) -> LIL:
    """The untrained networks, one member each (kind of mapping, seed)."""
    return LIL((2, *config.hidden, 2), seeds=[seed for _, seed in members(config)])


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """The trained networks' weights, on the CPU.

    β = 0 and within-class isometry are one ensemble; all pairs (G = 1) are another, from the same initial
    weights.
    """
    x, labels = (part.to(device) for part in data(config))
    trained = []
    for pairs, betas in (("within-class", (0.0, config.beta)), ("all", (config.beta,))):
        seeds = config.seeds * len(betas)
        model = LIL((2, *config.hidden, 2), seeds=seeds).to(device)
        settings = Settings(epochs=config.epochs, learning_rate=config.learning_rate, pairs=pairs)
        each = [beta for beta in betas for _ in config.seeds]
        engine.train(model, x, labels, settings, betas=each, seeds=seeds, progress=progress)
        trained.append(model.state_dict())
    return {name: torch.cat([state[name] for state in trained]).cpu() for name in trained[0]}


def restore(config: Config, networks: dict[str, Tensor]) -> LIL:
    """The networks with the weights that :func:`train` returned."""
    model = build(config)
    model.load_state_dict(networks)
    return model
