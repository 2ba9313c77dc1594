"""Training in the way that is fastest where the data lie: each does what :func:`lil.training.train` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lil import training
from lil.fast import captured, full_batch, minibatches
from lil.models import LIL, StackedLIL
from lil.progress import Progress, silent
from lil.training import History, Settings


def train(
    model: LIL | StackedLIL,
    x: Float[Tensor, "n d"],
    labels: Int[Tensor, "labels"] | tuple[Int[Tensor, "labels"], ...],
    settings: Settings,
    *,
    betas: Sequence[float],
    seeds: Sequence[int],
    progress: Progress = silent,
) -> History:
    """Train the members of ``model`` in place, as :func:`lil.training.train` does, whose arguments and errors it has."""
    return _way(model, x.device, x.dtype, settings)(
        model, x, labels, settings, betas=betas, seeds=seeds, progress=progress
    )


def _way(
    model: LIL | StackedLIL, device: torch.device, dtype: torch.dtype, settings: Settings
) -> Callable[..., History]:
    if device.type == "cuda":
        return captured.train
    if device.type != "cpu" or dtype != torch.float32:
        return training.train
    if settings.batch_size is None:
        return full_batch.train
    return minibatches.train if isinstance(model, LIL) else training.train
