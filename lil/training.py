"""Training with α · cross-entropy + β · isometry: one network, an ensemble, or stacks of either.

All members of an ensemble take their steps together. The loss is the sum over members, and Adam acts on each
parameter alone, so that each member learns as if it were by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.optim.adam import adam

from lil.fast import workers
from lil.fast.backpropagation import Batch, Objective, Sharing
from lil.isometry import PairKind, Reduction, finite, pair_blocks, pair_distances
from lil.models import LIL, StackedLIL
from lil.progress import Progress, silent
from lil.randomness import derived_seed

REPORTS = 200  # calls of the progress callback over a training, at most
_AHEAD = 20  # batches that are prepared together: fewer calls for the small things that a batch needs
_NARROW = 64  # units of a layer up to which torch is faster on one thread, the isometry loss having the others


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
        if not (math.isfinite(self.alpha) and self.alpha >= 0):
            raise ValueError(f"alpha must be a finite number ≥ 0, not {self.alpha}.")


class History(NamedTuple):
    """The two terms of the loss, without their weights, as means over the steps of each epoch."""

    cross_entropy: Float[Tensor, "epochs levels m"]
    isometry: Float[Tensor, "epochs levels m"]  # 0 where β = 0: it is not computed there


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
    """Train the m members of ``model`` in place, where x lies, with Adam.

    ``labels`` are classes from 0 on; a tuple of them for a stack, one for each level. ``betas`` and ``seeds`` have
    one entry a member: the weight of its isometry term, and the seed of the order of its batches. The distances that
    the levels of a stack keep are those of the data: in Eq. 1, D_M belongs to the data manifold M.

    Raises ValueError for labels that do not fit, values that are not finite, β < 0, or a class of a single point,
    which has no distance to keep.
    """
    levels = tuple(model.lils) if isinstance(model, StackedLIL) else (model,)
    each_level = labels if isinstance(labels, tuple) else (labels,)
    check(levels, x, each_level, betas, seeds, settings)
    targets = torch.stack(each_level)
    workers.keep_memory()
    sharing = sharing_of(betas, seeds, settings, x.device)
    objective = Objective(
        model,
        sharing,
        alpha=settings.alpha,
        betas=x.new_tensor(betas),
        scale=settings.scale,
        reduction=settings.reduction,
    )
    one_epoch = _full_batch(x, targets, settings) if settings.batch_size is None else None
    generators = [torch.Generator().manual_seed(derived_seed(seed, 0)) for seed in dict.fromkeys(seeds)]
    steps_per_epoch = -(-len(x) // (settings.batch_size or len(x)))
    steps, done = settings.epochs * steps_per_epoch, 0
    step = fused_adam(objective.parameters, objective.gradients, settings.learning_rate)
    history = x.new_zeros(2, settings.epochs, len(levels), len(betas))
    narrow = max(max(lil.sizes[1:]) for lil in levels) <= _NARROW
    with workers.alone() if narrow else nullcontext():
        for epoch in range(settings.epochs):
            for batch in one_epoch or _batches(x, targets, settings, generators):
                history[:, epoch] += objective(batch)
                step()
                done += 1
                if done * REPORTS // steps > (done - 1) * REPORTS // steps:
                    progress("training", done, steps)
    return History(*(history / steps_per_epoch).cpu())


def fused_adam(parameters: list[Tensor], gradients: list[Tensor], learning_rate: float) -> Callable[[], None]:
    """A step of Adam along what lies in ``gradients``: torch's function, with the values of torch's class.

    The class looks at every parameter anew before each step, which takes as long as the step of a small network.
    """
    means, squares = ([torch.zeros_like(each) for each in parameters] for _ in range(2))
    steps = [each.new_zeros((), dtype=torch.float32) for each in parameters]

    @torch.no_grad()
    def step() -> None:
        adam(
            parameters,
            gradients,
            means,
            squares,
            [],
            steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=learning_rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )

    return step


def _full_batch(x: Tensor, targets: Tensor, settings: Settings) -> list[Batch]:
    """The one batch of an epoch that sees all points, with its distances."""
    blocks = pair_blocks(targets, settings.pairs)
    return [Batch(x, targets, blocks, pair_distances(x.expand(len(targets), -1, -1), blocks))]


def _batches(x: Tensor, targets: Tensor, settings: Settings, generators: Sequence[torch.Generator]) -> Iterator[Batch]:
    """The batches of an epoch, in an order of each seed's own; the last holds what is left. One seed: no axis for it."""
    order = torch.stack([torch.randperm(len(x), generator=generator) for generator in generators]).to(x.device)
    size = settings.batch_size
    for ahead in order.split(_AHEAD * size, dim=1):
        whole = ahead.shape[1] // size * size
        for part in (ahead[:, :whole].unflatten(1, (-1, size)), ahead[:, None, whole:]):
            if part.numel():
                chosen = part.transpose(0, 1)  # (batches, seeds, points)
                yield from _prepare(x, targets, settings, chosen.squeeze(1) if len(generators) == 1 else chosen)


def _prepare(x: Tensor, targets: Tensor, settings: Settings, chosen: Int[Tensor, "batches *s n"]) -> Iterator[Batch]:
    """The batches of the points ``chosen``."""
    points = x[chosen]
    labels = targets[:, chosen].transpose(0, 1)  # (batches, levels, *s, n)
    blocks = pair_blocks(labels, settings.pairs)
    x_dist = pair_distances(points[:, None].expand(*labels.shape, -1), blocks)
    apart = blocks.unbind()
    return map(Batch, points, labels, apart, x_dist.split([each.n_pairs for each in apart]))


def sharing_of(betas: Sequence[float], seeds: Sequence[int], settings: Settings, device: torch.device) -> Sharing:
    """Who sees what: one batch for all, or one a seed."""
    active = [k for k, beta in enumerate(betas) if beta > 0]
    distinct = list(dict.fromkeys(seeds))
    if settings.batch_size is None or len(distinct) == 1:
        one_run = active == list(range(active[0], active[-1] + 1)) if active else False
        chosen = slice(active[0], active[-1] + 1) if one_run else torch.tensor(active, device=device)
        return Sharing(None, chosen if active else None)
    by_seed = [[k for k in active if seeds[k] == seed] for seed in distinct]
    if len({len(members) for members in by_seed}) > 1:
        raise ValueError("each seed must have equally many members with β > 0, as in a grid of betas and seeds.")
    of_member = torch.tensor([distinct.index(seed) for seed in seeds], device=device)
    return Sharing(of_member, torch.tensor(by_seed, device=device) if active else None)


def check(
    levels: Sequence[LIL],
    x: Tensor,
    targets: Sequence[Tensor],
    betas: Sequence[float],
    seeds: Sequence[int],
    settings: Settings,
) -> None:
    """One sentence on the first thing that does not fit."""
    members = levels[0].members
    if not finite(x):
        raise ValueError("x has values that are NaN or infinite: clean the data before training.")
    if not (len(betas) == len(seeds) == members):
        raise ValueError(
            f"betas and seeds must have one entry for each of the {members} members, not {len(betas)} and {len(seeds)}."
        )
    for beta in betas:
        if not (math.isfinite(beta) and beta >= 0):
            raise ValueError(f"β must be a finite number ≥ 0, not {beta}.")
    if len(targets) != len(levels):
        raise ValueError(f"the model has {len(levels)} levels and needs as many sets of labels, not {len(targets)}.")
    for lil, target in zip(levels, targets, strict=True):
        if len(target) != len(x):
            raise ValueError(f"labels must have one entry for each of the {len(x)} points, not {len(target)}.")
        counts = torch.bincount(target) if target.numel() and int(target.min()) >= 0 else None
        if counts is None or len(counts) > lil.sizes[-1]:
            raise ValueError(f"labels must be classes from 0 to {lil.sizes[-1] - 1}, as many as the model's classes.")
        if max(betas) > 0 and settings.pairs == "within-class" and bool((counts == 1).any()):
            raise ValueError(
                f"class {int((counts == 1).nonzero()[0])} has a single point, so there is no distance "
                "within it to keep: give it a second one, or leave it out."
            )
