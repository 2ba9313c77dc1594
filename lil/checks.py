"""Checks of images, labels and ε where a public function takes them: each raises a ValueError of one sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, get_args

from jaxtyping import Int, Integer, Shaped
from torch import Tensor

from lil.isometry import integers

BOUNDS = (0.0, 1.0)  # of a pixel


def check_name(name: str, value: Any, known: Any) -> None:
    """Raise ValueError unless ``value`` is one of those of a ``Literal``."""
    if value not in get_args(known):
        raise ValueError(f"{name} must be one of {get_args(known)}, not {value!r}.")


def check_betas(betas: Sequence[float], members: int | None = None) -> None:
    """Raise ValueError for a β that is negative, NaN or infinite, and unless each of the ``members`` has one."""
    if members not in (None, len(betas)):
        raise ValueError(f"there are {len(betas)} β for {members} networks: give one for each.")
    for beta in betas:
        if not 0 <= beta < math.inf:
            raise ValueError(f"β must be a finite number ≥ 0, not {beta}.")


def check_epsilons(epsilons: Sequence[float], bounds: tuple[float, float] = BOUNDS) -> None:
    """Raise ValueError for bounds that rise from no number to another, and for the first ε that is no step within."""
    if len(bounds) != 2 or not (all(isinstance(bound, Real) for bound in bounds) and bounds[0] < bounds[1]):
        raise ValueError(f"bounds must be two numbers, the lower first, not {bounds}.")
    largest = bounds[1] - bounds[0]
    for epsilon in epsilons:
        # With the rounding of single precision.
        if not (isinstance(epsilon, Real) and 0 < epsilon <= largest * (1 + 1e-6)):
            raise ValueError(
                f"ε (the paper's γ) must be > 0 and at most {largest:g}, the range of a pixel, not {epsilon}."
            )


def check_images(x: Shaped[Tensor, "..."], bounds: tuple[float, float] = BOUNDS, *, batch: bool = False) -> None:
    """Raise ValueError for pixels that are no floats, NaN, or outside the bounds: cut off, they move further than ε.

    With ``batch``, also for images that are not (n, c, h, w). Raises TypeError for what is no tensor.
    """
    if not isinstance(x, Tensor):
        raise TypeError("images must be a tensor: torch.stack makes one of several, torch.as_tensor of an array.")
    if batch and x.ndim != 4:
        raise ValueError(f"images have the shape {tuple(x.shape)}: give (n, c, h, w).")
    if not x.is_floating_point() or x.dtype.itemsize < 2:
        raise ValueError(f"images are {x.dtype}: convert them to the float type of the networks, within the bounds.")
    low, high = map(float, x.detach().aminmax()) if x.numel() else bounds
    if not bounds[0] <= low <= high <= bounds[1]:
        raise ValueError(
            f"pixels go from {low:g} to {high:g} and the bounds from {bounds[0]:g} to {bounds[1]:g}: "
            "bring the images into the bounds, or give the bounds of the images."
        )


def check_labels(labels: Integer[Tensor, "..."], n: int, classes: int | None = None) -> Int[Tensor, "n"]:
    """Return labels of any integer type as int64.

    Raises ValueError unless each of n points has one label; with ``classes``, one from 0 to ``classes`` − 1.
    """
    labels = integers(labels)
    if labels.shape != (n,):
        raise ValueError(f"labels have the shape {tuple(labels.shape)} for {n} points: give one label per point.")
    if classes is not None and n > 0:
        low, high = map(int, labels.aminmax())
        if not 0 <= low <= high < classes:
            raise ValueError(f"labels go from {low} to {high}: give one of the classes, 0 to {classes - 1}.")
    return labels
