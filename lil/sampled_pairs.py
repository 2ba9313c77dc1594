"""The isometry loss from pairs drawn at random, for classes so large that all their pairs take too long.

:func:`lil.isometry.isometry_loss` visits every pair, and their number grows with the square of a class. The loss is a
sum over ordered pairs; of these, some are drawn uniformly and with replacement, so that the mean of their mismatches,
times the number of all of them, is right on average, and so is its gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Integer, Shaped
from torch import Tensor

from lil.checks import check_name
from lil.isometry import PairKind, Reduction, finite, floats, integers, mismatch


class Estimate(NamedTuple):
    """An unbiased estimate of the isometry loss of each member, and how far to trust it."""

    loss: Float[Tensor, "*members"]  # differentiable by z
    variance: Float[Tensor, "*members"]  # of the loss, estimated from the same pairs, without bias too


def draw_pairs(
    labels: Integer[Tensor, "n"], n_pairs: int, generator: torch.Generator
) -> tuple[Int[Tensor, "pairs"], Int[Tensor, "pairs"]]:
    """Return the points i and j, i ≠ j, of ``n_pairs`` ordered pairs within the classes, drawn uniformly, replaced.

    Raises ValueError where no two points share a class, or for less than two pairs, which have no variance.
    """
    if n_pairs < 2:
        raise ValueError(f"n_pairs must be at least 2, not {n_pairs}.")
    labels = integers(labels)
    order = torch.argsort(labels, stable=True)
    size = torch.unique(labels, return_counts=True)[1]
    ordered = size * (size - 1)
    if not int(ordered.sum()):
        raise ValueError("no two points share a class, so there is no pair to draw.")
    ends = ordered.cumsum(0)
    number = torch.randint(int(ends[-1]), (n_pairs,), generator=generator)  # pairs are numbered class by class
    class_index = torch.searchsorted(ends, number, right=True)
    within, others = number - (ends - ordered)[class_index], size[class_index] - 1
    i, j = within // others, within % others
    j = j + (j >= i)  # no point is paired with itself
    first = (size.cumsum(0) - size)[class_index]
    return order[first + i], order[first + j]


def sampled_isometry_loss(
    z: Shaped[Tensor, "*members n d"],
    x: Shaped[Tensor, "n ..."],
    labels: Integer[Tensor, "labels"],
    n_pairs: int,
    *,
    generator: torch.Generator,
    pairs: str = "within-class",
    scale: float = 1.0,
    reduction: str = "n2",
) -> Estimate:
    """Return an estimate of {eq}`isometry-loss` from ``n_pairs`` ordered pairs, the same for all members.

    Distances are Euclidean, of images those of their pixels. The estimate takes time and memory for the pairs drawn
    alone. ``pairs``, ``scale`` (K) and ``reduction`` are those of :func:`lil.isometry.isometry_loss`. Raises ValueError
    as :func:`draw_pairs` does, for a number of labels that is not that of the points, and for inputs that are not
    finite.
    """
    counts = (z.shape[-2], len(x), len(labels))
    if len(set(counts)) > 1:
        raise ValueError("z, x and labels must have as many points: they have {}, {} and {}.".format(*counts))
    check_name("pairs", pairs, PairKind)
    check_name("reduction", reduction, Reduction)
    z, x, labels = floats(z), floats(x).flatten(1), integers(labels)
    if not finite(x):
        raise ValueError("x has values that are NaN or infinite: clean the data before taking distances.")
    group = labels.cpu() if pairs == "within-class" else torch.zeros_like(labels, device="cpu")
    i, j = (points.to(z.device) for points in draw_pairs(group, n_pairs, generator))
    differences = (points.index_select(-2, i) - points.index_select(-2, j) for points in (z, x))
    z_dist, x_dist = (torch.linalg.vector_norm(difference, dim=-1) for difference in differences)
    mismatches = mismatch(z_dist, x_dist, scale)
    size = torch.unique(group, return_counts=True)[1]
    weight = int((size * (size - 1)).sum()) / len(x) ** 2 if reduction == "n2" else 1.0  # of all ordered pairs together
    return Estimate(weight * mismatches.mean(-1), weight**2 * mismatches.detach().var(-1) / n_pairs)
