"""Training with α · cross-entropy + β · isometry: one network, an ensemble, or stacks of either.

All members of an ensemble take their steps together. The loss is the sum over members, and Adam acts on each
parameter alone, so that each member learns as if it were by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

from lil.checks import check_betas, check_name
from lil.isometry import PairKind, Reduction, finite, integers, isometry_loss, pair_distances, within_class
from lil.models import LIL, StackedLIL, cross_entropy, derived_seed
from lil.progress import Progress, silent

Labels = Integer[Tensor, "labels"] | tuple[Integer[Tensor, "labels"], ...]  # for a stack, one for each level


@dataclass(frozen=True)
class Settings:
    """How a training goes."""

    epochs: int  # passes over the data; "Experiments": 10 000 for the toys, 5 for images
    batch_size: int | None = None  # points a step, 100 for images; None: all of them, one step an epoch
    learning_rate: float = 1e-3  # of Adam; the paper names Adam and no rate: its default
    alpha: float = 1.0  # weight of the cross-entropy; 1 throughout the paper
    pairs: PairKind = "within-class"  # whose distances are kept: the paper's G, or "all", G = 1
    scale: float = 1.0  # K, on the distances between representations; the text has none
    reduction: Reduction = "n2"  # of the isometry term; Eq. 1: 1/N²

    def __post_init__(self):
        if self.epochs < 1 or (self.batch_size is not None and self.batch_size < 1):
            raise ValueError(f"epochs and batch_size must be at least 1, not {self.epochs} and {self.batch_size}.")
        if not (math.isfinite(self.alpha) and self.alpha >= 0 and math.isfinite(self.scale)):
            raise ValueError(f"alpha must be finite and ≥ 0 and scale finite, not {self.alpha} and {self.scale}.")
        if not 0 <= self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be a finite number ≥ 0, not {self.learning_rate}.")
        check_name("pairs", self.pairs, PairKind)
        check_name("reduction", self.reduction, Reduction)


class History(NamedTuple):
    """The two terms of the loss, without their weights, as means over the steps of each epoch."""

    cross_entropy: Float[Tensor, "epochs levels m"]
    isometry: Float[Tensor, "epochs levels m"]  # 0 where β = 0: no member with β = 0 needs it


class Batch(NamedTuple):
    """The points of a step, with the distances to keep. Members share them, or each has its own: (m, …)."""

    x: Float[Tensor, "*m n d"]
    targets: Int[Tensor, "levels *m n"]
    x_dist: Float[Tensor, "*m n n"]
    mask: Bool[Tensor, "levels *m n n"]


def train(
    model: LIL | StackedLIL,
    x: Float[Tensor, "n d"],
    labels: Labels,
    settings: Settings,
    *,
    betas: Sequence[float],
    seeds: Sequence[int],
    progress: Progress = silent,
) -> History:
    """Train the m members of ``model`` in place, where x lies, with Adam.

    ``labels`` are classes from 0 on. ``betas`` and ``seeds`` have one entry a member: the weight of its isometry term,
    and the seed of the order of its batches. The distances that the levels of a stack keep are those of the data: in
    Eq. 1, D_M belongs to the data manifold M. Raises ValueError for labels or inputs that do not fit, values that are
    not finite, β < 0, or a class of a single point, which has no distance to keep.
    """
    targets, beta = check(model, x, labels, settings, betas, seeds), x.new_tensor(betas)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    history = x.new_zeros(2, settings.epochs, len(targets), len(betas))
    steps = -(-len(x) // (settings.batch_size or len(x)))
    for epoch, batches in enumerate(_epochs(x, targets, seeds, settings)):
        for step, batch in enumerate(batches, start=1):
            cross_entropies, isometries = losses(model, batch, settings)
            isometries = torch.where(beta > 0, isometries, 0)
            loss = settings.alpha * cross_entropies + beta * isometries  # {eq}`weighted-loss` of each level and member
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
            history[:, epoch] += torch.stack((cross_entropies, isometries)).detach() / steps
            progress("training", epoch * steps + step, settings.epochs * steps)
    return History(*history.cpu())


def losses(
    model: LIL | StackedLIL, batch: Batch, settings: Settings
) -> tuple[Float[Tensor, "levels m"], Float[Tensor, "levels m"]]:
    """Return the cross-entropy and the isometry loss of every level of every member on one batch."""
    z = model.represent(batch.x)
    logits = model.classify(z)  # type: ignore[arg-type]
    if isinstance(model, LIL):
        z, logits = (z,), (logits,)  # type: ignore[assignment]
    return (
        torch.stack([cross_entropy(*level) for level in zip(logits, batch.targets, strict=True)]),
        torch.stack([
            isometry_loss(of_level, batch.x_dist, mask, scale=settings.scale, reduction=settings.reduction)
            for of_level, mask in zip(z, batch.mask, strict=True)
        ]),
    )  # fmt: skip


def batch_orders(n: int, epochs: int, seeds: Sequence[int]) -> Iterator[Int[Tensor, "m n"]]:
    """Yield the order in which each member sees the n points, epoch by epoch: a function of its seed alone."""
    generators = {seed: torch.Generator().manual_seed(derived_seed(seed, 0)) for seed in seeds}
    for _ in range(epochs):
        drawn = {seed: torch.randperm(n, generator=generator) for seed, generator in generators.items()}
        yield torch.stack([drawn[seed] for seed in seeds])


def _epochs(x: Tensor, targets: Tensor, seeds: Sequence[int], settings: Settings) -> Iterator[Iterator[Batch]]:
    """Yield the batches of each epoch. The last batch of an epoch holds the points that are left."""
    if settings.batch_size is None:
        everything = Batch(x, targets, pair_distances(x), within_class(targets, settings.pairs))
        for _ in range(settings.epochs):
            yield iter([everything])
        return
    for order in batch_orders(len(x), settings.epochs, seeds):
        yield (_batch(x, targets, own, settings) for own in order.to(x.device).split(settings.batch_size, dim=1))


def _batch(x: Tensor, targets: Tensor, own: Int[Tensor, "m b"], settings: Settings) -> Batch:
    points, labels = x[own], targets[:, own]
    return Batch(points, labels, pair_distances(points), within_class(labels, settings.pairs))


def check(
    model: LIL | StackedLIL, x: Tensor, labels: Labels, settings: Settings, betas: Sequence[float], seeds: Sequence[int]
) -> Int[Tensor, "levels n"]:
    """Return the labels of all levels as int64. Raises ValueError for arguments of :func:`train` that do not fit."""
    levels: Sequence[LIL] = tuple(model.lils) if isinstance(model, StackedLIL) else (model,)  # type: ignore[arg-type]
    targets = [integers(target) for target in (labels if isinstance(labels, (tuple, list)) else (labels,))]
    levels[0].check(x)
    if not finite(x):
        raise ValueError("x has values that are NaN or infinite: clean the data before training.")
    b, s, m = len(betas), len(seeds), model.members
    if not b == s == m:
        raise ValueError(f"betas and seeds must have one entry for each of the {m} members, not {b} and {s}.")
    check_betas(betas)
    if len(targets) != len(levels):
        raise ValueError(f"the model has {len(levels)} levels and needs as many sets of labels, not {len(targets)}.")
    for lil, target in zip(levels, targets, strict=True):
        if target.shape != (len(x),):
            raise ValueError(f"labels must have one entry for each of the {len(x)} points, not {tuple(target.shape)}.")
        counts = torch.bincount(target) if target.numel() and int(target.min()) >= 0 else None
        if counts is None or len(counts) > lil.sizes[-1]:
            raise ValueError(f"labels must be classes from 0 to {lil.sizes[-1] - 1}, as many as the model's classes.")
        if max(betas) > 0 and settings.pairs == "within-class" and 1 in counts:
            lonely = f"class {counts.tolist().index(1)} has a single point, so there is no distance within it to keep"
            raise ValueError(f"{lonely}: give it a second one, or leave it out.")
    return torch.stack(targets)
