r"""Estimates of the Lipschitz constant of a map: from below, at a point, and from above.

:math:`\mathrm{Lip}(F)` is the smallest K with :math:`d(F(x), F(y)) \le K\, d(x, y)` for all x and y (Definition 3.1,
{prf:ref}`def-lipschitz`), with the Euclidean distance here. Each function says in its name which side it bounds:

    lower_margins ≤ lower_pairs ≤ Lip(F),    local_directional ≤ local_jacobian ≤ Lip(F),    Lip(F) ≤ upper_product.

A map is any callable from the points of m members, (m, n, D), to their images, (m, n, k), that treats each point by
itself: ``model.represent``, a whole ``LIL``, or a function of your own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from lil.checks import check_labels
from lil.isometry import euclidean, finite, floats

Map = Callable[[Float[Tensor, "m n d"]], Float[Tensor, "m n k"]]

_POINTS = 10  # whose Jacobians are held at once: 30 members of 100 units and 784 pixels then take 190 MB in float64


class Pairs(NamedTuple):
    """The largest ratio of each member over the pairs of one class and over those of two; 0 where there is no pair."""

    within: Float[Tensor, "m"]
    between: Float[Tensor, "m"]


def lower_pairs(x: Float[Tensor, "n d"], z: Float[Tensor, "m n k"], labels: Integer[Tensor, "n"]) -> Pairs:
    """Return a lower bound from a sample: the largest d(z_i, z_j) / d(x_i, x_j). Pairs of equal points are left out.

    Take float64 where points lie close together: the ratio of two short distances is a ratio of rounding errors.
    """
    labels = check_labels(labels, len(x))
    if z.shape[-2] != len(x):
        raise ValueError(f"z has {z.shape[-2]} points and x {len(x)}: give the image of each point.")
    _refuse_not_finite(x=x, z=z)
    ratio = _distances(z) / _distances(x)
    ratio = torch.where(ratio.isfinite(), ratio, 0.0)
    same = labels[:, None] == labels
    return Pairs((ratio * same).amax((-2, -1)), (ratio * ~same).amax((-2, -1)))


def lower_margins(
    x: Float[Tensor, "n d"],
    logits: Float[Tensor, "m n classes"],
    labels: Integer[Tensor, "n"],
    classifier: Float[Tensor, "m classes width"],
) -> Float[Tensor, "m"]:
    r"""Return a lower bound from margins, the stretch that classifying forces ({prf:ref}`prop-margins`).

    Two points of classes s and t whose margins against each other sum to μ are at least
    :math:`μ / \|w_s - w_t\|` apart in Φ. Of all pairs of two classes the largest such distance, divided by
    :math:`d(x_i, x_j)`; at least 0, and at most ``lower_pairs(…).between``.
    """
    labels = check_labels(labels, len(x), logits.shape[-1])
    _refuse_not_finite(x=x, logits=logits, classifier=classifier)
    towards = logits[..., labels]  # (i, j): the output of point i for the class of j
    own = towards.diagonal(dim1=-2, dim2=-1)
    margins = own[..., :, None] + own[..., None, :] - towards - towards.mT
    rows = _distances(classifier)[:, labels][:, :, labels]
    ratio = margins / (rows * _distances(x))
    different = labels[:, None] != labels
    return torch.where(different & ratio.isfinite(), ratio, 0.0).amax((-2, -1)).clamp(min=0)


def jacobians(function: Map, x: Float[Tensor, "m n d"]) -> Float[Tensor, "m n k d"]:
    """Return the derivative of a map at each point, row by row through autograd."""
    x = _leaf(x)
    if x.ndim != 3:
        raise ValueError(f"x has shape {tuple(x.shape)}: it must be (m, n, D); x.expand(m, -1, -1) makes it so.")
    images = function(x)
    rows = [torch.autograd.grad(image.sum(), x, retain_graph=True)[0] for image in images.unbind(-1)]
    return torch.stack(rows, dim=-2)


def local_jacobian(function: Map, x: Float[Tensor, "m n d"]) -> Float[Tensor, "m n"]:
    """Return the local constant at each point: the largest singular value of the Jacobian there, exactly.

    No neighbourhood of the point stretches less, and Lip(F) over a convex set is the supremum of these over it
    ({prf:ref}`prop-bounded-derivative`). Singular values are taken from the smaller Gram matrix: the largest is
    as exact there as in the Jacobian itself.
    """
    largest = []
    for points in x.split(_POINTS, dim=-2):
        jacobian = jacobians(function, points)
        gram = jacobian @ jacobian.mT if jacobian.shape[-2] <= jacobian.shape[-1] else jacobian.mT @ jacobian
        largest.append(torch.linalg.eigvalsh(gram)[..., -1].clamp(min=0).sqrt())
    return torch.cat(largest, dim=1)


def local_directional(
    function: Map, x: Float[Tensor, "m n d"], directions: Float[Tensor, "m n d"]
) -> Float[Tensor, "m n"]:
    """Return the stretch of a map at each point in one direction v: ‖J v‖ / ‖v‖, and 0 for v = 0."""
    directions = directions.to(x.dtype)
    _, pushed = torch.autograd.functional.jvp(function, _leaf(x), directions)
    length = directions.norm(dim=-1)
    return torch.where(length > 0, pushed.norm(dim=-1) / length, 0.0)


def upper_product(weights: Iterable[Float[Tensor, "m _ _"]]) -> Float[Tensor, "m"]:
    """Return an upper bound for layers with 1-Lipschitz activations, as tanh: the product of their spectral norms."""
    weights = [floats(weight) for weight in weights]
    shapes = [tuple(weight.shape) for weight in weights]
    if not weights or {len(shape) for shape in shapes} != {3} or len({shape[0] for shape in shapes}) > 1:
        raise ValueError(f"weights must be matrices (m, out, in) of the same m networks, at least one, not {shapes}.")
    _refuse_not_finite(**{f"weights[{at}]": weight for at, weight in enumerate(weights)})
    return torch.stack([torch.linalg.matrix_norm(weight, ord=2) for weight in weights]).prod(dim=0)


def certified_radius(
    logits: Float[Tensor, "m n classes"],
    labels: Integer[Tensor, "n"],
    classifier: Float[Tensor, "m classes width"],
    lipschitz: Float[Tensor, "m"],
) -> Float[Tensor, "m n"]:
    r"""Return a distance by which each point can be moved without a change of its class; 0 where the network errs.

    With an upper bound Λ of Lip(Φ) and the classifier's rows :math:`w_c`, a margin
    :math:`o_t - o_c` changes by at most :math:`\|w_t - w_c\|\, Λ\, \|δ\|` ({eq}`certified-radius`). The smallest
    quotient over the other classes c is the radius. It is Euclidean; divide by √D for that of the L∞ ball.
    """
    labels = check_labels(labels, *logits.shape[-2:])
    own = labels.expand(logits.shape[:-1])[..., None]
    margin = logits.gather(-1, own) - logits
    rows = _distances(classifier)[:, labels]
    radius = torch.where(margin > 0, margin / (rows * lipschitz[:, None, None]), 0.0)
    return radius.scatter(-1, own, math.inf).amin(-1)


def _leaf(x: Tensor) -> Tensor:
    """Return the points as a variable of derivatives. Raises ValueError for integers, which have none."""
    if not x.is_floating_point():
        raise ValueError(f"x is {x.dtype}, which has no derivative: convert the points to floats.")
    return x.detach().requires_grad_()


def _refuse_not_finite(**values: Tensor) -> None:
    """Raise ValueError for values that are NaN or infinite: no distance or norm of them bounds anything."""
    for name, value in values.items():
        if not finite(value):
            raise ValueError(f"{name} has values that are NaN or infinite: look for an overflow, or for bad data.")


def _distances(points: Float[Tensor, "*m n d"]) -> Float[Tensor, "*m n n"]:
    return euclidean(points, points)
