r"""The isometry loss of the paper, in four named steps of plain PyTorch.

With inputs :math:`x_i`, representations :math:`z_i = \Phi(x_i)` and :math:`N` points,

.. math::  L_{ISO} = \frac{1}{N^2} \sum_{i,j} G_{ij} \, (K \, d(z_i, z_j) - d(x_i, x_j))^2

("Background and methods", the second term of the loss; {eq}`isometry-loss` in the book). The steps are

1. the pairs that count: :func:`within_class`, the indexing matrix G ({eq}`indexing-matrix`);
2. their distance: :func:`euclidean`, :func:`manhattan`, or any callable of that shape, through :func:`pair_distances`;
3. the mismatch of each pair: :func:`mismatch`;
4. the reduction over pairs: :func:`reduce_pairs`.

:func:`isometry_loss` joins them. Leading dimensions are independent: batches, or the members of an ensemble.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Int64, Integer, Shaped
from torch import Tensor, nn

PairKind = Literal["within-class", "all"]
Reduction = Literal["n2", "pairs"]
Metric = Callable[[Float[Tensor, "*lead p d"], Float[Tensor, "*lead q d"]], Float[Tensor, "*lead p q"]]


def within_class(labels: Integer[Tensor, "*lead n"], kind: str = "within-class") -> Bool[Tensor, "*lead n n"]:
    """Return G(x_i, x_j) for all pairs, without the diagonal: step 1, {eq}`indexing-matrix`.

    ``"within-class"`` is the paper's local isometry: pairs of one class count. ``"all"`` is G = 1, its global isometry.
    The distance of a point to itself is 0 on both sides and adds nothing to the loss.
    """
    if kind not in get_args(PairKind):
        raise ValueError(f"pairs must be one of {get_args(PairKind)}, not {kind!r}.")
    labels = integers(labels)
    if labels.ndim == 0 or labels.numel() == 0:
        raise ValueError("labels are empty: the isometry loss needs at least one labelled point.")
    counts = (labels[..., :, None] == labels[..., None, :]) | (kind == "all")
    return counts & ~torch.eye(labels.shape[-1], dtype=torch.bool, device=labels.device)


def integers(labels: Shaped[Tensor, "*shape"]) -> Int64[Tensor, "*shape"]:
    """Return labels as int64, in which no label wraps. Raises ValueError unless they are integers below 2⁶³."""
    if not isinstance(labels, Tensor):
        raise TypeError("labels must be a tensor: torch.as_tensor makes one of arrays and lists.")
    if not torch.can_cast(labels.dtype, torch.int64) or (labels.dtype == torch.uint64 and (labels.long() < 0).any()):
        raise ValueError(f"labels are {labels.dtype}: number the classes by integers below 2⁶³.")
    return labels.long()


def euclidean(a: Shaped[Tensor, "*lead p d"], b: Shaped[Tensor, "*lead q d"]) -> Float[Tensor, "*lead p q"]:
    """Return Euclidean distances: step 2, the metric of the paper. The derivative at coinciding points is 0."""
    # Differences are taken first and squared then: |a|² + |b|² − 2ab loses the distances of close points to rounding.
    return torch.cdist(floats(a, b), floats(b, a), compute_mode="donot_use_mm_for_euclid_dist")


def manhattan(a: Shaped[Tensor, "*lead p d"], b: Shaped[Tensor, "*lead q d"]) -> Float[Tensor, "*lead p q"]:
    """Return sums of absolute differences: step 2 with another metric, to which the discussion says LILs extend."""
    return torch.cdist(floats(a, b), floats(b, a), p=1.0)


def floats(x: Shaped[Tensor, "*shape"], *others: Tensor) -> Float[Tensor, "*shape"]:
    """Return real numbers of any type as float32, or as float64 if these or the ``others`` are float64."""
    if x.is_complex():
        raise ValueError("values are complex: give their real and imaginary parts, as torch.view_as_real does.")
    return x.double() if torch.float64 in [each.dtype for each in (x, *others)] else x.float()


def pair_distances(x: Shaped[Tensor, "*lead n d"], metric: Metric = euclidean, name="x") -> Float[Tensor, "*lead n n"]:
    """Return d(x_i, x_j) for all pairs, differentiable twice. Integers, and floats below 32 bits, are taken as float32.

    Raises ValueError where x, which errors call ``name``, is not (…, n, d), complex, or not finite.
    """
    if x.ndim < 2:
        raise ValueError(f"{name} has shape {tuple(x.shape)}: it must be (…, n, d), a row for each point.")
    x = floats(x)
    if not finite(x):
        raise ValueError(f"{name} has values that are NaN or infinite: clean the data, or look for an overflow before.")
    return metric(x, x)


def finite(x: Shaped[Tensor, "*shape"]) -> bool:
    """Return True if no value is NaN or infinite. A finite sum settles it in one sweep."""
    return bool(x.detach().sum().isfinite()) or bool(torch.isfinite(x).all())


def mismatch(
    z_dist: Float[Tensor, "*pairs"], x_dist: Float[Tensor, "*#pairs"], scale: float = 1.0
) -> Float[Tensor, "*pairs"]:
    """Return (K d(z_i, z_j) − d(x_i, x_j))² of each pair: step 3. ``scale`` is K; the text has none, so 1."""
    return (scale * z_dist - x_dist).square()


def reduce_pairs(
    values: Float[Tensor, "*lead n n"], mask: Bool[Tensor, "*#lead n n"], reduction: str = "n2"
) -> Float[Tensor, "*lead"]:
    """Return the loss of each set of points from the mismatch of each pair: step 4.

    ``"n2"`` divides the sum over the ordered pairs that count by N², as the paper does. ``"pairs"`` divides it by their
    number, so that the loss does not fall as classes are added. Without any pair the loss is 0.
    """
    if reduction not in get_args(Reduction):
        raise ValueError(f"reduction must be one of {get_args(Reduction)}, not {reduction!r}.")
    count = max(mask.shape[-1], 1) ** 2 if reduction == "n2" else mask.sum((-2, -1)).clamp(min=1)
    return values.masked_fill(~mask, 0).sum((-2, -1)) / count


def isometry_loss(
    z: Float[Tensor, "*lead n d"],
    x_dist: Float[Tensor, "*#lead n n"],
    mask: Bool[Tensor, "*#lead n n"],
    *,
    metric: Metric = euclidean,
    scale: float = 1.0,
    reduction: str = "n2",
) -> Float[Tensor, "*lead"]:
    """Return the isometry loss L_ISO of each set of n representations ({eq}`isometry-loss`).

    ``x_dist`` are the :func:`pair_distances` of the inputs: a function of these where an attack differentiates both
    (Eq. 6). ``mask`` is what :func:`within_class` returns. Raises ValueError where they are not of the same points.
    """
    n = z.shape[-2] if z.ndim > 1 else 0
    if not x_dist.shape[-2:] == mask.shape[-2:] == (n, n):
        raise ValueError(
            f"z has shape {tuple(z.shape)}, x_dist {tuple(x_dist.shape)} and mask {tuple(mask.shape)}: "
            "give one row of z, one label and one distance to each other point for each of the n points."
        )
    return reduce_pairs(mismatch(pair_distances(z, metric, "z"), floats(x_dist), scale), mask.bool(), reduction)


def flat_pairs(values: Shaped[Tensor, "*lead n n"], mask: Bool[Tensor, "n n"]) -> Shaped[Tensor, "*lead pairs"]:
    """Return the values of the unordered pairs i < j that count, row by row: for histograms and correlations."""
    return values[..., mask.triu(1)]


class IsometryLoss(nn.Module):
    """The isometry loss as a term of any PyTorch training: ``F.cross_entropy(logits, y) + beta * loss(z, x, y)``.

    Distances are computed in float32 at least, also under autocast. A batch without any pair that counts has loss 0.
    The gradient goes through ``x`` too if it asks for one: detach the features of a backbone that trains along.

    Args:
        pairs: ``"within-class"``, pairs of one class, as in the paper, or ``"all"``.
        metric: :func:`euclidean`, :func:`manhattan`, or another function from two sets of points to their distances.
        scale: K, the factor of the distances between representations.
        reduction: ``"n2"`` divides by N², as the paper does, ``"pairs"`` by the number of pairs that count.
        ignore_index: the label of points that do not count.

    Shape:
        z: (…, n, d), the representations; x: (n, D, …), the inputs, flattened to rows; labels: (n,), any integers.
        Output: (…), a loss for each set of representations.

    Examples:
        >>> z, x = torch.tensor([[0.0, 0.0], [3.0, 4.0], [9.0, 9.0]]), torch.tensor([[0.0], [2.0], [7.0]])
        >>> IsometryLoss()(z, x, torch.tensor([0, 0, 1]))  # (5 − 2)² of the one pair, in both orders, over 3²
        tensor(2.)
    """

    def __init__(
        self,
        *,
        pairs: PairKind = "within-class",
        metric: Metric = euclidean,
        scale: float = 1.0,
        reduction: Reduction = "n2",
        ignore_index: int = -100,
    ):
        super().__init__()
        if not (callable(metric) and abs(scale) < torch.inf and hasattr(ignore_index, "__index__")):
            of_each = f"{metric!r}, {scale!r} and {ignore_index!r}"
            raise ValueError(f"metric must be a function, scale finite and ignore_index an integer, not {of_each}.")
        reduce_pairs(torch.zeros(1, 1), within_class(torch.zeros(1).long(), pairs), reduction)  # for unknown names
        self.pairs, self.metric, self.scale = pairs, metric, scale
        self.reduction, self.ignore_index = reduction, ignore_index

    def extra_repr(self) -> str:
        known = {name: getattr(self, name) for name in ("pairs", "metric", "scale", "reduction", "ignore_index")}
        return ", ".join(f"{name}={getattr(value, '__name__', repr(value))}" for name, value in known.items())

    def forward(
        self, z: Float[Tensor, "*lead n d"], x: Shaped[Tensor, "n ..."], labels: Integer[Tensor, "n"]
    ) -> Float[Tensor, "*lead"]:
        """Return L_ISO of the representations ``z`` of the points ``x``. Raises ValueError where shapes do not fit."""
        if not all(isinstance(each, Tensor) for each in (z, x, labels)):
            raise TypeError("z, x and labels must be tensors: torch.as_tensor makes them of arrays and lists.")
        if z.ndim < 2 or x.ndim < 2 or labels.ndim != 1 or not z.shape[-2] == len(x) == len(labels):
            shapes = " and ".join(str(tuple(each.shape)) for each in (z, x, labels))
            raise ValueError(f"z, x and labels have shapes {shapes}: n points have (…, n, d), (n, D, …) and (n,).")
        kept = integers(labels) != self.ignore_index
        z, x, labels = z[..., kept, :], x[kept].flatten(1), labels[kept]
        if len(labels) == 0:
            return floats(z).sum((-2, -1))
        with torch.autocast(z.device.type, enabled=False):
            x_dist, mask = pair_distances(x, self.metric), within_class(labels, self.pairs)
            return isometry_loss(z, x_dist, mask, metric=self.metric, scale=self.scale, reduction=self.reduction)
