r"""Both sides of Eq. 6 of the paper: the gradient of the loss with respect to each input, and its bound.

With N points, the representation Φ, the classifier's weights W, softmax probabilities :math:`\sigma_i`, the Jacobian
:math:`D\Phi` and the factor K on representations' distances, the gradient of α L_CSE + β L_ISO at the input
:math:`x_i` has the two terms

.. math::
    \nabla_{x_i} L_{CSE} &= \frac{1}{N}\, D\Phi(x_i)^\top W^\top (\sigma_i - e_{t_i}) \\
    \nabla_{x_i} L_{ISO} &= \frac{4}{N^2} \sum_j G_{ij} H_{ij} (J_{ij} - K\, D\Phi(x_i)^\top J^\Phi_{ij})

where :math:`H_{ij} = d(x_i, x_j) - K d(\Phi(x_i), \Phi(x_j))`, and :math:`J_{ij}` and :math:`J^\Phi_{ij}` are
the unit vectors from the second point to the first, before and after Φ. If :math:`\|D\Phi(x_i)\|_2 \le Λ`, then

.. math::
    \|\nabla_{x_i} L_{CSE}\|_2 &\le \frac{1}{N}\, Λ\, \|W\|_2\, \|\sigma_i - e_{t_i}\|_2 \\
    \|\nabla_{x_i} L_{ISO}\|_2 &\le \frac{4}{N^2}\, (1 + K Λ) \sum_j G_{ij} |H_{ij}| .

The book derives them ({eq}`bound-cse`, {eq}`bound-iso`). α = 1, as throughout the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from lil.checks import check_betas
from lil.isometry import floats, integers, isometry_loss, mismatch, pair_distances, within_class
from lil.models import LIL, cross_entropy


class Terms(NamedTuple):
    """One side of Eq. 6 for each point of each member."""

    cross_entropy: Float[Tensor, "m n"]
    isometry: Float[Tensor, "m n"]  # without its weight β
    total: Float[Tensor, "m n"]  # of cross-entropy + β · isometry


def gradient_norms(
    model: LIL, x: Float[Tensor, "n d"], labels: Integer[Tensor, "n"], betas: Sequence[float], *, scale: float = 1.0
) -> Terms:
    """Return the left sides: Euclidean norms of the gradient at each point, through autograd.

    The n points are one batch, and both distances of a pair depend on them. ``betas`` has one entry a member, ``scale``
    is K.
    """
    model.check(x)
    check_betas(betas, model.members)
    x = x.detach().expand(model.members, -1, -1).requires_grad_()
    z = model.represent(x)
    losses = (
        cross_entropy(model.classify(z), labels),
        isometry_loss(z, pair_distances(x), within_class(labels), scale=scale),
    )
    # The members' losses do not mix, so their sum has the gradient of each.
    classification, isometry = (torch.autograd.grad(loss.sum(), x, retain_graph=True)[0] for loss in losses)
    total = classification + x.new_tensor(betas)[:, None, None] * isometry
    return Terms(*(gradient.norm(dim=-1) for gradient in (classification, isometry, total)))


@torch.no_grad()
def gradient_bounds(
    model: LIL,
    x: Float[Tensor, "n d"],
    labels: Integer[Tensor, "n"],
    betas: Sequence[float],
    lipschitz: Float[Tensor, "m #n"],
    *,
    scale: float = 1.0,
) -> Terms:
    """Return the right sides, {eq}`bound-cse` and {eq}`bound-iso`, for a Λ of each member, or of each of its points."""
    check_betas(betas, model.members)
    z = model.represent(x)
    slope = softmax_slope(model.classify(z), labels).norm(dim=-1)
    classifier = torch.linalg.matrix_norm(model.weights[-1], ord=2)[:, None]
    missing = mismatch(pair_distances(z), pair_distances(x), scale).sqrt()  # |H_ij|
    missing = missing.masked_fill(~within_class(labels), 0).sum(-1)
    classification = lipschitz * classifier * slope / len(x)
    isometry = 4 / len(x) ** 2 * (1 + scale * lipschitz) * missing
    return Terms(classification, isometry, classification + x.new_tensor(betas)[:, None] * isometry)


def softmax_slope(logits: Float[Tensor, "m n classes"], labels: Integer[Tensor, "n"]) -> Float[Tensor, "m n classes"]:
    """Return the derivative of a point's cross-entropy by its logits: softmax minus the one-hot label."""
    return floats(logits).softmax(-1) - F.one_hot(integers(labels), logits.shape[-1])
