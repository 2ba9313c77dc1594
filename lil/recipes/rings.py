"""The networks of Figure 2: classifiers of two linked rings, with and without the isometry term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from lil.datasets import toy
from lil.models import LIL
from lil.progress import Progress, silent
from lil.recipes import ensembles
from lil.recipes.ensembles import members as members
from lil.training import Settings


@dataclass(frozen=True)
class Config:
    n_points: int = 500  # of each ring and draw; the paper does not say
    radius: float = 1.0  # of both rings; the paper does not say
    noise: float = 0.0  # standard deviation a coordinate; the paper does not say
    draws: tuple[int, int] = (100, 101)  # seeds of the training and the test draw
    hidden: tuple[int, ...] = (20, 20, 20, 20)  # "Experiments": [D, 20, 20, 20, 20, C]
    betas: tuple[float, ...] = (0.0, 1.0)  # Fig. 2, without and with LIL; β = 1 from the public code
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)  # one network each for every β; the paper shows one
    epochs: int = 10_000  # "Experiments"; each is one step on all points
    learning_rate: float = 1e-3  # Adam's default; the paper does not say


PAPER = Config()
QUICK = Config(n_points=40, seeds=(0, 1), epochs=400)


class Data(NamedTuple):
    """Two draws of the rings; n is twice ``n_points``."""

    x: Float[Tensor, "n 3"]
    labels: Int[Tensor, "n"]
    x_test: Float[Tensor, "n 3"]
    labels_test: Int[Tensor, "n"]


def data(config: Config) -> Data:
    """Return the training and the test draw."""
    shape = dict(radius=config.radius, noise=config.noise)
    train_draw, test_draw = (toy.rings(config.n_points, seed=seed, **shape) for seed in config.draws)
    return Data(*train_draw, *test_draw)


def build(config: Config) -> LIL:
    """Return the untrained networks, one member each (β, seed)."""
    return LIL((3, *config.hidden, 2), seeds=[seed for _, seed in members(config)])


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Train the networks and return their weights, on the CPU."""
    x, labels, _, _ = (part.to(device) for part in data(config))
    settings = Settings(epochs=config.epochs, learning_rate=config.learning_rate)
    return ensembles.train(build(config).to(device), x, labels, settings, members(config), progress)


restore = ensembles.restorer(build)
