"""Checks of images, labels and ε where a public function takes them: each raises a ValueError of one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

BOUNDS = (0.0, 1.0)  # of a pixel


def check_epsilons(epsilons: Sequence[float], bounds: tuple[float, float] = BOUNDS) -> None:
    """Raise ValueError for bounds that rise from no number to another, and for the first ε that is no step within."""
    if len(bounds) != 2 or not bounds[0] < bounds[1]:
        raise ValueError(f"bounds must be two numbers, the lower first, not {bounds}.")
    largest = bounds[1] - bounds[0]
    for epsilon in epsilons:
        if not 0 < epsilon <= largest * (1 + 1e-6):  # with the rounding of single precision
            raise ValueError(
                f"ε (the paper's γ) must be > 0 and at most {largest:g}, the range of a pixel, not {epsilon}."
            )


def check_images(x: Float[Tensor, "*lead c h w"], bounds: tuple[float, float] = BOUNDS) -> None:
    """Raise ValueError for pixels outside the bounds, or NaN: cutting them off would move them further than ε."""
    if not x.is_floating_point():
        raise ValueError(f"pixels are whole numbers ({x.dtype}): give floating-point ones, such as x / 255.")
    low, high = map(float, x.detach().aminmax()) if x.numel() else bounds
    if not bounds[0] <= low <= high <= bounds[1]:
        raise ValueError(
            f"pixels go from {low:g} to {high:g} and the bounds from {bounds[0]:g} to {bounds[1]:g}: "
            "bring the images into the bounds before the attack, or give the attack theirs."
        )


def check_labels(labels: Int[Tensor, "n"], n: int, classes: int | None = None) -> None:
    """Raise ValueError unless each of n points has one label; with ``classes``, one from 0 to ``classes`` − 1."""
    if labels.shape != (n,):
        raise ValueError(f"labels have the shape {tuple(labels.shape)} for {n} points: give one label per point.")
    if classes is None or n == 0:
        return
    low, high = labels.min().item(), labels.max().item()
    if labels.dtype != torch.int64 or not 0 <= low <= high < classes:
        raise ValueError(
            f"labels are {labels.dtype} from {low} to {high}: give int64 from 0 to {classes - 1}, one of the classes."
        )
