"""The isometry loss from pairs drawn at random, for classes so large that all their pairs take too long.

:func:`lil.isometry.isometry_loss` visits every pair, and their number grows with the square of a class. The loss is a
sum over ordered pairs; of these, some are drawn uniformly and with replacement, so that the mean of their mismatches,
times the number of all of them, is right on average, and so is its gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lil.isometry import Blocks, finite, mismatch, pair_blocks, pair_weights


class Estimate(NamedTuple):
    """An unbiased estimate of the isometry loss of each member, and how far to trust it."""

    loss: Float[Tensor, "*members"]  # differentiable by z
    variance: Float[Tensor, "*members"]  # of the loss, estimated from the same pairs, without bias too


def draw_pairs(
    blocks: Blocks, n_pairs: int, generator: torch.Generator
) -> tuple[Int[Tensor, "pairs"], Int[Tensor, "pairs"]]:
    """The points i and j, i ≠ j, of ``n_pairs`` ordered pairs that count, each drawn uniformly from all of them.

    Raises ValueError where no pair counts, where ``blocks`` has leading dimensions, or for less than two pairs, which
    have no variance.
    """
    if blocks.lead:
        raise ValueError(f"labels must be of one batch, (n,), not of batches {blocks.lead}.")
    if n_pairs < 2:
        raise ValueError(f"n_pairs must be at least 2, not {n_pairs}.")
    if blocks.n_pairs == 0:
        raise ValueError("no two points share a class, so there is no pair to draw.")
    ordered = blocks.size * (blocks.size - 1)
    ends = ordered.cumsum(0)
    number = torch.randint(int(ends[-1]), (n_pairs,), generator=generator)  # pairs are numbered block by block
    block = torch.searchsorted(ends, number, right=True)
    within, others = number - (ends - ordered)[block], blocks.size[block] - 1
    i, j = within // others, within % others
    j = j + (j >= i)  # no point is paired with itself
    first = blocks.start[block]
    return blocks.order[0, first + i], blocks.order[0, first + j]


def sampled_isometry_loss(
    z: Float[Tensor, "*members n d"],
    x: Float[Tensor, "n D"],
    labels: Int[Tensor, "labels"],
    n_pairs: int,
    *,
    generator: torch.Generator,
    pairs: str = "within-class",
    scale: float = 1.0,
    reduction: str = "n2",
) -> Estimate:
    """An estimate of {eq}`isometry-loss` from ``n_pairs`` ordered pairs, the same for all members; Euclidean distances.

    It takes time and memory for the pairs drawn alone. ``pairs``, ``scale`` (K) and ``reduction`` are those of
    :func:`lil.isometry.isometry_loss`. Raises ValueError for what :func:`draw_pairs` refuses, for a number of labels
    that is not that of the points, and for inputs that are not finite.
    """
    if not len(labels) == len(x) == z.shape[-2]:
        raise ValueError(
            f"z, x and labels must have as many points: they have {z.shape[-2]}, {len(x)} and {len(labels)}."
        )
    if not finite(x):
        raise ValueError("x has values that are NaN or infinite: clean the data before taking distances.")
    blocks = pair_blocks(labels, pairs)
    i, j = (points.to(z.device) for points in draw_pairs(blocks, n_pairs, generator))
    distances = [
        torch.linalg.vector_norm(each.index_select(-2, i) - each.index_select(-2, j), dim=-1) for each in (z, x)
    ]
    each = mismatch(*distances, scale)
    total = 2 * blocks.n_pairs * float(pair_weights(blocks, reduction))  # of ordered pairs, with their weight
    return Estimate(total * each.mean(-1), total**2 * each.detach().var(-1) / n_pairs)
