"""The networks of Figure 4: stacks of three LILs that cut a torus into two, four and eight parts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from lil.datasets import toy
from lil.models import StackedLIL
from lil.progress import Progress, silent
from lil.recipes import ensembles
from lil.training import Settings


@dataclass(frozen=True)
class Config:
    grid: int = 40  # its square is the number of points; the text: 1600
    noise: float = 1e-3  # standard deviation a coordinate; the text: N(0, 0.001)
    cut: toy.Cut = "ring"  # the text: "cylindrical regions"; "tube" is the public code's
    draw: int = 100  # seed of the noise
    hidden: tuple[int, ...] = (20, 20, 20, 20)  # "Experiments": each LIL is [D, 20, 20, 20, 20, C]
    beta: float = 10.0  # the text, of every level
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)  # one stack each; the paper shows one
    epochs: int = 10_000  # "Experiments"; each is one step on all points
    learning_rate: float = 1e-3  # Adam's default; the paper does not say


PAPER = Config()
PAPER_TUBE = replace(PAPER, cut="tube")  # the public code's cuts; all else as in the text
QUICK = Config(grid=24, seeds=(0, 1), epochs=400)
QUICK_TUBE = replace(QUICK, cut="tube")


def data(config: Config) -> toy.Torus:
    """Return the points of the torus. Stacks are trained and measured on the same points: the paper has one draw."""
    return toy.torus(grid=config.grid, noise=config.noise, cut=config.cut, seed=config.draw)


def members(config: Config) -> list[int]:
    """Return the seed of each stack."""
    return list(config.seeds)


def build(config: Config) -> StackedLIL:
    """Return the untrained stacks, one member each seed."""
    return StackedLIL(3, config.hidden, toy.TORUS_CLASSES, seeds=config.seeds)


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Train the stacks and return their weights, on the CPU. All levels learn at once, each from its own labels."""
    points = data(config)
    labels = tuple(level.to(device) for level in points.labels)
    settings = Settings(epochs=config.epochs, learning_rate=config.learning_rate)
    pairs = [(config.beta, seed) for seed in config.seeds]
    return ensembles.train(build(config).to(device), points.x.to(device), labels, settings, pairs, progress)


restore = ensembles.restorer(build)
