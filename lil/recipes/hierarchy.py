"""Variants of Figure 4's stacks: another weight of the isometry term, a falling learning rate, no stop, no stack.

Each variant is trained on the points of :func:`lil.recipes.torus.data`. A flat network is a stack of a single LIL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lil.datasets import toy
from lil.isometry import Reduction
from lil.models import StackedLIL
from lil.progress import Progress, silent
from lil.recipes import ensembles, torus
from lil.training import Settings

data, members = torus.data, torus.members


@dataclass(frozen=True)
class Config(torus.Config):
    classes: tuple[int, ...] = toy.TORUS_CLASSES  # of each LIL, coarse to fine; (8,): one flat LIL
    reduction: Reduction = "n2"  # of the isometry term; Eq. 1: 1/N²
    decay: tuple[float, ...] = (1.0,)  # factors of the learning rate, one a stage; Adam begins each stage anew
    stop_gradient: bool = True  # at the input of each LIL, as in the text

    def __post_init__(self):
        if not set(self.classes) <= set(toy.TORUS_CLASSES):
            raise ValueError(f"classes must be among {toy.TORUS_CLASSES}, not {self.classes}.")
        if not 0 < len(self.decay) <= self.epochs:
            raise ValueError(f"decay must have between 1 and {self.epochs} stages, not {len(self.decay)}.")


PAPER = Config()
_BETTER = dict(reduction="pairs", decay=(1.0, 0.3, 0.1))
PAPER_PAIRS = replace(PAPER, reduction="pairs")
PAPER_DECAYED = replace(PAPER, decay=_BETTER["decay"])
PAPER_BOTH = replace(PAPER, **_BETTER)
PAPER_CONNECTED = replace(PAPER, stop_gradient=False)
PAPER_PLAIN = replace(PAPER, beta=0.0)
# The flat networks have the finest labels alone: twelve hidden layers, as many as the stack, or one LIL's four.
PAPER_DEEP = replace(PAPER, classes=toy.TORUS_CLASSES[-1:], hidden=PAPER.hidden * 3)
PAPER_DEEP_BOTH = replace(PAPER_DEEP, **_BETTER)
PAPER_DEEP_PLAIN = replace(PAPER_DEEP, beta=0.0)
PAPER_SHALLOW = replace(PAPER, classes=toy.TORUS_CLASSES[-1:])
PAPER_SHALLOW_BOTH = replace(PAPER_SHALLOW, **_BETTER)
PAPER_SHALLOW_PLAIN = replace(PAPER_SHALLOW, beta=0.0)


def quick(config: torus.Config) -> torus.Config:
    """Return the settings with fewer points, seeds and epochs: seconds."""
    return replace(config, grid=24, seeds=(0, 1), epochs=250)


def build(config: Config) -> StackedLIL:
    """Return the untrained stacks, one member each seed."""
    return StackedLIL(3, config.hidden, config.classes, seeds=config.seeds, stop_gradient=config.stop_gradient)


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Train the stacks and return their weights, on the CPU. The stages of ``decay`` share the epochs equally.

    Each stage is a training of its own that goes on from the weights of the stage before. Adam's moments start at 0.
    """
    points, model = data(config), build(config).to(device)
    labels = tuple(points.labels[toy.TORUS_CLASSES.index(classes)].to(device) for classes in config.classes)
    pairs = [(config.beta, seed) for seed in config.seeds]
    ends = [config.epochs * stage // len(config.decay) for stage in range(len(config.decay) + 1)]
    weights: dict[str, Tensor] = {}
    for factor, start, end in zip(config.decay, ends, ends[1:], strict=False):
        rate = config.learning_rate * factor
        settings = Settings(epochs=end - start, learning_rate=rate, reduction=config.reduction)
        weights = ensembles.train(model, points.x.to(device), labels, settings, pairs, progress)
    return weights


restore = ensembles.restorer(build)


# Points of the same torus on which no network was trained


def held_out(config: torus.Config) -> toy.Torus:
    """Return another draw: the grid shifted by half a step both ways, with noise of its own, in the training's scale.

    Some of these points lie on a cut. They belong to no class, and their label is −1.
    """
    fine, grid = _fine(config), config.grid
    noise = torch.randn(grid**2, 3, generator=torch.Generator().manual_seed(config.draw + 1))
    odd = (slice(1, None, 2),) * 2
    position = torch.arange(grid).repeat_interleave(grid) + 0.5  # along the angle of the cuts, in steps of the grid
    labels = []
    for classes in toy.TORUS_CLASSES:
        width = grid // classes
        on_cut = (position + 0.5) % width == 0  # cuts lie half a step before the first point of a class
        labels.append(torch.where(on_cut, -1, (position / width).long()))
    angles = (angle.view(2 * grid, 2 * grid)[odd].flatten() for angle in (fine.ring_angle, fine.tube_angle))
    raw = _raw(fine).view(2 * grid, 2 * grid, 3)[odd].flatten(0, 1)
    return toy.Torus(_scaled(config, raw + config.noise * noise), tuple(labels), *angles)


class Surface(NamedTuple):
    """Points of the torus without noise, every half step along the angle of the cuts, with unit tangents."""

    x: Float[Tensor, "n 3"]
    across: Float[Tensor, "n 3"]  # along the angle of the cuts: the direction that crosses them
    along: Float[Tensor, "n 3"]  # along the other angle: the direction of the cuts
    position: Float[Tensor, "n"]  # along the angle of the cuts, in steps of the grid


def surface(config: torus.Config) -> Surface:
    """Return points of the surface that the training's points lie on, up to their noise, in the training's scale."""
    fine, grid = _fine(config), config.grid
    every = (slice(None), slice(None, None, 2))
    s, t = (angle.view(2 * grid, 2 * grid)[every].flatten() for angle in (fine.ring_angle, fine.tube_angle))
    around = torch.stack((-torch.sin(s), torch.cos(s), torch.zeros_like(s)), -1)
    over = torch.stack((-torch.sin(t) * torch.cos(s), -torch.sin(t) * torch.sin(s), torch.cos(t)), -1)
    tangents = (around, over) if config.cut == "ring" else (over, around)
    raw = _raw(fine).view(2 * grid, 2 * grid, 3)[every].flatten(0, 1)
    return Surface(_scaled(config, raw), *tangents, (torch.arange(2 * grid) / 2).repeat_interleave(grid))


def distance_to_cut(position: Float[Tensor, "n"], grid: int, classes: int) -> Float[Tensor, "n"]:
    """Return the distance to the nearest cut of a level, along the angle of the cuts and in steps of the grid."""
    width = grid // classes
    beyond = (position + 0.5) % width
    return torch.minimum(beyond, width - beyond)


def _fine(config: torus.Config) -> toy.Torus:
    """Return the torus without noise on a grid of half steps."""
    return toy.torus(grid=2 * config.grid, noise=0.0, cut=config.cut, seed=config.draw)


def _raw(points: toy.Torus) -> Float[Tensor, "n 3"]:
    """Return points without noise as they were before the scaling: toy.torus reaches from −1 to 1."""
    return 2 * points.x - 1


def _scaled(config: torus.Config, raw: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """Return points in the scale of the training draw, which lies in [0, 1]."""
    clean = _raw(toy.torus(grid=config.grid, noise=0.0, cut=config.cut, seed=config.draw))
    drawn = clean + config.noise * torch.randn(clean.shape, generator=torch.Generator().manual_seed(config.draw))
    return (raw - drawn.min()) / (drawn.max() - drawn.min())
