"""Sweeps over β in common to the recipes for images: one network for every β and seed, trained as one ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from lil.models import LIL
from lil.progress import Progress, silent
from lil.recipes import ensembles
from lil.recipes.ensembles import members
from lil.training import Settings


@dataclass(frozen=True)
class Config:
    """Settings of every sweep over β, with the text's values; the recipes add their images."""

    hidden: tuple[int, ...]  # "Experiments": hidden layers, tanh after each
    init: Literal["default", "orthogonal"] = "default"  # of the weights; the text does not say: PyTorch's
    betas: tuple[float, ...] = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0)  # "Experiments"; columns of Table 1
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)  # one network each for every β; the paper shows one
    scale: float = 1.0  # K; the text has none
    batch_size: int = 100  # "Experiments"
    epochs: int = 5  # "Experiments"
    learning_rate: float = 1e-3  # of Adam; the text does not say: PyTorch's default

    def __post_init__(self):
        if not self.betas:
            raise ValueError("betas must be at least one number, not ().")
        ensembles.check_rising("betas", self.betas)
        ensembles.check_seeds(self.seeds)


def build(config: Config, inputs: int, classes: int = 10) -> LIL:
    """Return the untrained networks, one member each (β, seed)."""
    return LIL((inputs, *config.hidden, classes), seeds=[seed for _, seed in members(config)], init=config.init)


def train(
    model: LIL, config: Config, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"], *, progress: Progress = silent
) -> dict[str, Tensor]:
    """Train the networks on the device of x and return their weights, on the CPU."""
    settings = Settings(
        epochs=config.epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        scale=config.scale,
        reduction=getattr(config, "reduction", "n2"),  # a choice of lil.recipes.choices alone
    )
    return ensembles.train(model.to(x.device), x, labels, settings, members(config), progress)
