r"""The isometry loss of the paper, in four named steps.

With inputs :math:`x_i`, representations :math:`z_i = \Phi(x_i)` and :math:`N` points,

.. math::  L_{ISO} = \frac{1}{N^2} \sum_{i,j} G_{ij} \, (K \, d(z_i, z_j) - d(x_i, x_j))^2

("Background and methods", the second term of the loss; {eq}`isometry-loss` in the book). The steps are

1. which pairs count: :func:`pair_blocks` (the indexing matrix G, {eq}`indexing-matrix`);
2. their distance: :func:`euclidean`, :func:`manhattan`, or any callable of that shape, through :func:`pair_distances`;
3. the mismatch of each pair: :func:`mismatch`;
4. the reduction over pairs: :func:`reduce_pairs`.

:func:`isometry_loss` joins them. G is never formed. It is block diagonal once the points are sorted by class, and
symmetric, so each unordered pair of one class is held once: time and memory follow the pairs that count, not N².
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

PairKind = Literal["within-class", "all"]
Reduction = Literal["n2", "pairs"]
Metric = Callable[[Float[Tensor, "*batch p d"], Float[Tensor, "*batch q d"]], Float[Tensor, "*batch p q"]]


# Step 1: which pairs


class Blocks(NamedTuple):
    """The unordered pairs i < j with G = 1, as blocks of points: within a block every pair counts, across blocks none.

    The pairs stand in one flat order: block after block, in each block (0, 1), (0, 2), …, (1, 2), …
    Blocks of one point have no pair and are left out. All tensors are on the CPU.
    """

    order: Int[Tensor, "batches n"]  # the points of each batch, sorted by label
    batch: Int[Tensor, "blocks"]  # of each block: the batch it belongs to,
    start: Int[Tensor, "blocks"]  # where it begins in that batch's order,
    size: Int[Tensor, "blocks"]  # how many points it has,
    offset: Int[Tensor, "blocks"]  # where its pairs begin in the flat order of pairs
    lead: tuple[int, ...]  # the leading dimensions of the labels, () for one batch
    n_pairs: int  # unordered pairs in all

    @property
    def n_points(self) -> int:
        """Points of each batch, the paper's N."""
        return self.order.shape[-1]

    def unbind(self) -> list[Blocks]:
        """The blocks of each entry of the first leading dimension; their pairs follow one another in the flat order."""
        entries, *lead = self.lead
        batches = len(self.order) // entries
        pairs = torch.cat((self.offset, torch.tensor([self.n_pairs])))
        cuts = torch.searchsorted(self.batch, torch.arange(0, len(self.order) + 1, batches)).tolist()
        each = []
        for entry, (a, b) in enumerate(zip(cuts, cuts[1:], strict=False)):
            first, last = int(pairs[a]), int(pairs[b])
            rows = slice(entry * batches, (entry + 1) * batches)
            each.append(
                Blocks(
                    self.order[rows],
                    self.batch[a:b] - rows.start,
                    self.start[a:b],
                    self.size[a:b],
                    self.offset[a:b] - first,
                    tuple(lead),
                    last - first,
                )
            )
        return each


def pair_blocks(labels: Int[Tensor, "*lead n"], kind: str = "within-class") -> Blocks:
    """Step 1: the pairs (i, j) with G(x_i, x_j) = 1, as blocks ({eq}`indexing-matrix`).

    ``"within-class"`` is the paper's local isometry: a block a class. ``"all"`` is G = 1, its global isometry: one
    block. Leading dimensions are independent batches of n points each, such as the batches of an ensemble's seeds.
    """
    if kind not in get_args(PairKind):
        raise ValueError(f"pairs must be one of {get_args(PairKind)}, not {kind!r}.")
    if labels.ndim == 0 or labels.numel() == 0:
        raise ValueError("labels are empty: the isometry loss needs at least one labelled point.")
    if kind == "all":
        labels = torch.zeros_like(labels)
    n = labels.shape[-1]
    sorted_labels, order = torch.sort(labels.cpu().reshape(-1, n), dim=-1, stable=True)
    first = torch.ones_like(sorted_labels, dtype=torch.bool)
    first[:, 1:] = sorted_labels[:, 1:] != sorted_labels[:, :-1]
    batch, start = first.nonzero(as_tuple=True)
    size = torch.diff(batch * n + start, append=torch.tensor([order.numel()]))
    batch, start, size = batch[size > 1], start[size > 1], size[size > 1]
    pairs = size * (size - 1) // 2
    return Blocks(order, batch, start, size, pairs.cumsum(0) - pairs, tuple(labels.shape[:-1]), int(pairs.sum()))


# Step 2: the distance


def euclidean(a: Float[Tensor, "*batch p d"], b: Float[Tensor, "*batch q d"]) -> Float[Tensor, "*batch p q"]:
    """Step 2: the Euclidean distance, the metric of the paper. Its derivative at coinciding points is 0."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def manhattan(a: Float[Tensor, "*batch p d"], b: Float[Tensor, "*batch q d"]) -> Float[Tensor, "*batch p q"]:
    """Step 2, another metric: the sum of absolute differences (the discussion: "can also be extended to other metrics")."""
    return torch.cdist(a, b, p=1.0)


def pair_distances(
    x: Float[Tensor, "*batch n d"], blocks: Blocks, metric: Metric = euclidean
) -> Float[Tensor, "*members pairs"]:
    """The distances d(x_i, x_j) of the pairs that count, flat, in the order of :class:`Blocks`.

    Where the blocks have leading dimensions, x begins with the same, and their pairs stand one batch after the other
    in the last dimension; dimensions of x behind them (members that share a batch) are kept in front of it.
    Differentiable. Raises ValueError where x has another number of points than the blocks, or a value that is not finite.
    """
    x = _as_batches(x, blocks, "x")
    if not finite(x):
        raise ValueError("x has values that are NaN or infinite: clean the data before taking distances.")
    if metric is euclidean and x.ndim == 3 and x.device.type == "cpu" and not x.requires_grad:
        from lil.fast import isometry_kernel

        return isometry_kernel.distances(x.contiguous(), blocks)
    flat = [x.new_zeros(*x.shape[1:-2], 0)]
    for batch, points in _blocks(blocks, x.device):
        block = x[batch].index_select(-2, points)
        i, j = torch.triu_indices(len(points), len(points), 1, device=x.device)
        flat.append(metric(block, block)[..., i, j])
    return torch.cat(flat, dim=-1)


def finite(x: Float[Tensor, "*shape"]) -> bool:
    """Whether no value is NaN or infinite. A finite sum says so in one sweep; large values need a look at each."""
    return bool(x.detach().sum().isfinite()) or bool(torch.isfinite(x).all())


# Steps 3 and 4: the mismatch of each pair and the reduction


def mismatch(
    z_dist: Float[Tensor, "*pairs"], x_dist: Float[Tensor, "*#pairs"], scale: float = 1.0
) -> Float[Tensor, "*pairs"]:
    """Step 3: (K d(z_i, z_j) − d(x_i, x_j))² of each pair. K = 1 in the paper; its public code has 10 for MNIST."""
    return (scale * z_dist - x_dist).square()


def reduce_pairs(
    values: Float[Tensor, "*members pairs"], blocks: Blocks, reduction: str = "n2"
) -> Float[Tensor, "*batch"]:
    """Step 4: from the mismatch of each pair to the loss of each batch.

    ``"n2"`` divides the sum over ordered pairs (each unordered pair twice) by N², as the paper does. ``"pairs"``
    divides it by the number of ordered pairs that count, so that the loss does not fall as classes are added;
    without any pair it is 0.
    """
    pairs = blocks.size * (blocks.size - 1) // 2
    owner = blocks.batch.repeat_interleave(pairs).to(values.device)
    total = values.new_zeros(*values.shape[:-1], blocks.order.shape[0]).index_add(-1, owner, values)
    total = 2 * total * pair_weights(blocks, reduction).to(values)
    return total.movedim(-1, 0).reshape((*blocks.lead, *values.shape[:-1]))


def pair_weights(blocks: Blocks, reduction: str = "n2") -> Float[Tensor, "batches"]:
    """Of each batch, the weight of one ordered pair in the loss: 1/N² or 1/(number of ordered pairs that count)."""
    batches, n = blocks.order.shape
    if reduction == "n2":
        return torch.full((batches,), 1 / n**2, dtype=torch.float64)
    if reduction == "pairs":
        ordered = torch.zeros(batches, dtype=torch.int64).index_add(0, blocks.batch, blocks.size * (blocks.size - 1))
        return 1 / ordered.clamp(min=1).double()
    raise ValueError(f"reduction must be one of {get_args(Reduction)}, not {reduction!r}.")


# The four steps joined


def isometry_loss(
    z: Float[Tensor, "*batch n d"],
    x_dist: Float[Tensor, "*members pairs"],
    blocks: Blocks,
    *,
    metric: Metric = euclidean,
    scale: float = 1.0,
    reduction: str = "n2",
) -> Float[Tensor, "*batch"]:
    r"""The isometry loss :math:`L_{ISO}` of each set of n representations ({eq}`isometry-loss`).

    ``x_dist`` is what :func:`pair_distances` made of the inputs with the same ``blocks``: computed once per data set for
    training, and as a function of the inputs where an attack differentiates both distances (Eq. 6). z has the leading
    dimensions of the blocks first, then those of members that share them.

    For the Euclidean metric the gradient is the closed form. With :math:`r_{ij} = K d_{ij} - d(x_i, x_j)`,
    :math:`d_{ij} = \|z_i - z_j\|` and :math:`\partial d_{ij} / \partial z_i = (z_i - z_j) / d_{ij}`, and each pair
    standing twice in the sum, as (i, j) and as (j, i),

    .. math::  \frac{\partial L_{ISO}}{\partial z_i}
        = \frac{4K}{N^2} \sum_j G_{ij} \, \frac{r_{ij}}{d_{ij}} \, (z_i - z_j) .

    At coinciding points, where the distance has no derivative, the pair's contribution is 0: the limit has no
    direction, and 0 is the subgradient that autograd takes too. On the CPU, :mod:`lil.fast.isometry_kernel` computes
    loss and gradient in one sweep over the pairs; elsewhere, for any other metric, and where the distances of the inputs
    are differentiated too or differ between members, autograd follows the four steps.
    """
    points = _as_batches(z, blocks, "z")
    if x_dist.shape[-1] != blocks.n_pairs:
        raise ValueError(
            f"x_dist has {x_dist.shape[-1]} pairs, the blocks have {blocks.n_pairs}: make both from the same labels."
        )
    held = x_dist.ndim == 1 and not x_dist.requires_grad
    if metric is euclidean and held and z.device.type == "cpu" and z.dtype == x_dist.dtype:
        weights = pair_weights(blocks, reduction).to(z.dtype)
        return _ClosedForm.apply(points, x_dist, blocks, scale, weights).reshape(z.shape[:-2])
    each = mismatch(pair_distances(z, blocks, metric), x_dist, scale)
    return reduce_pairs(each, blocks, reduction).reshape(z.shape[:-2])


class _ClosedForm(torch.autograd.Function):
    """z (batches, *members, n, d) -> loss (batches, *members). The forward sweep leaves the gradient; backward scales it."""

    @staticmethod
    def forward(ctx, z, x_dist, blocks, scale, weights):
        from lil.fast import isometry_kernel  # numba: half a second that only those pay who take the loss

        flat = z.detach().reshape(z.shape[0], -1, *z.shape[-2:])
        total, pull = isometry_kernel.sweep(flat, x_dist.contiguous(), blocks, scale)
        weights = weights.view(-1, *[1] * (z.ndim - 3))
        ctx.save_for_backward(pull.reshape(z.shape), weights)
        ctx.scale = scale
        return 2 * weights * total.view(z.shape[:-2])

    @staticmethod
    def backward(ctx, upstream):
        pull, weights = ctx.saved_tensors
        return (4 * ctx.scale) * (upstream * weights)[..., None, None] * pull, None, None, None, None


def _as_batches(x: Tensor, blocks: Blocks, name: str) -> Tensor:
    """x as (batches, *members, n, d), or one sentence on what does not fit."""
    lead = len(blocks.lead)
    if x.ndim < lead + 2 or tuple(x.shape[:lead]) != blocks.lead or x.shape[-2] != blocks.n_points:
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}, the labels have shape {(*blocks.lead, blocks.n_points)}: "
            f"{name} must be ({''.join(f'{size}, ' for size in blocks.lead)}…, {blocks.n_points}, d), one label a point."
        )
    return x.reshape(-1, *x.shape[lead:])


def _blocks(blocks: Blocks, device: torch.device):
    """The batch and the points of each block."""
    for batch, start, size in zip(blocks.batch.tolist(), blocks.start.tolist(), blocks.size.tolist(), strict=True):
        yield batch, blocks.order[batch, start : start + size].to(device)
