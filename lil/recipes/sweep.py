"""What the recipes for images share: one network for every β and seed, trained together as one ensemble."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from lil import engine
from lil.isometry import Reduction
from lil.models import LIL
from lil.progress import Progress, silent
from lil.training import Settings


@dataclass(frozen=True)
class Config:
    """What every sweep over β has; the recipes add their images. The values are the text's."""

    hidden: tuple[int, ...]  # "Experiments": hidden layers, tanh after each
    init: Literal["default", "orthogonal"] = "default"  # of the weights; the text does not say: PyTorch's
    betas: tuple[float, ...] = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0)  # "Experiments"; columns of Table 1
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)  # one network each for every β; the paper shows one
    scale: float = 1.0  # K; the text has none
    batch_size: int = 100  # "Experiments"
    epochs: int = 5  # "Experiments"
    learning_rate: float = 1e-3  # of Adam; the text does not say: PyTorch's default

    def __post_init__(self):
        if not self.betas or not all(math.isfinite(beta) and beta >= 0 for beta in self.betas):
            raise ValueError(f"betas must be finite numbers ≥ 0, at least one of them, not {self.betas}.")
        if tuple(sorted(set(self.betas))) != tuple(self.betas):
            raise ValueError(f"betas must rise and each stand there once, which {self.betas} do not.")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds must be different from each other, at least one of them, not {self.seeds}.")


def known_reading(name: str, readings: dict[str, Config]) -> Config:
    """The settings by whose description of the method they follow: the paper's text, or its public code where that differs.

    Raises ValueError for another name.
    """
    if name not in readings:
        raise ValueError(f"the reading must be one of {', '.join(map(repr, readings))}, not {name!r}.")
    return readings[name]


def members(config: Config) -> list[tuple[float, int]]:
    """(β, seed) of each member of the ensemble. A seed's networks start alike and see the same batches for every β."""
    return [(beta, seed) for beta in config.betas for seed in config.seeds]


def build(config: Config, inputs: int, classes: int = 10) -> LIL:
    """The untrained networks, one member each (β, seed)."""
    return LIL((inputs, *config.hidden, classes), seeds=[seed for _, seed in members(config)], init=config.init)


def train(
    model: LIL,
    config: Config,
    x: Float[Tensor, "n d"],
    labels: Int[Tensor, "n"],
    *,
    reduction: Reduction = "n2",
    progress: Progress = silent,
) -> dict[str, Tensor]:
    """Train the networks where x lies; their weights come back on the CPU. ``reduction`` is the isometry term's."""
    betas, seeds = zip(*members(config), strict=True)
    settings = Settings(
        epochs=config.epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        scale=config.scale,
        reduction=reduction,
    )
    engine.train(model, x, labels, settings, betas=betas, seeds=seeds, progress=progress)
    return {name: value.cpu() for name, value in model.state_dict().items()}
