"""Ensembles in common: their members, their training, and their networks from trained weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from torch import Tensor

from lil import engine
from lil.models import LIL, StackedLIL
from lil.progress import Progress
from lil.training import Settings

Model = TypeVar("Model", LIL, StackedLIL)


def members(config: Any) -> list[tuple[float, int]]:
    """Return (β, seed) of each member. A seed's networks start alike and see the same batches for every β."""
    return [(beta, seed) for beta in config.betas for seed in config.seeds]


def train(
    model: Model, x: Tensor, labels: Any, settings: Settings, pairs: Sequence[tuple[float, int]], progress: Progress
) -> dict[str, Tensor]:
    """Train a model on its device and return its weights, on the CPU. ``pairs`` has (β, seed) of every member."""
    betas, seeds = zip(*pairs, strict=True)
    engine.train(model, x, labels, settings, betas=betas, seeds=seeds, progress=progress)
    return {name: value.cpu() for name, value in model.state_dict().items()}


def restorer(build: Callable[[Any], Model]) -> Callable[[Any, dict[str, Tensor]], Model]:
    """Return a recipe's ``restore``, which gives the networks of ``build`` their trained weights."""

    def restore(config: Any, networks: dict[str, Tensor]) -> Model:
        """Return the networks with the weights that ``train`` returned."""
        model = build(config)
        model.load_state_dict(networks)
        return model

    return restore


def check_rising(name: str, values: Sequence[float]) -> None:
    """Raise ValueError unless the values are finite, not negative, and rise."""
    if not all(math.isfinite(value) and value >= 0 for value in values):
        raise ValueError(f"{name} must be finite numbers ≥ 0, not {values}.")
    if tuple(sorted(set(values))) != tuple(values):
        raise ValueError(f"{name} must rise and each stand there once, which {values} do not.")


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise ValueError for seeds that are missing or stand there twice."""
    if not seeds or len(set(seeds)) != len(seeds):
        raise ValueError(f"seeds must be different from each other, at least one of them, not {seeds}.")
