"""The loss of LILs and its gradient, written out: what automatic differentiation gives, in arrays that are kept.

A step of a small network is a hundred operations of microseconds. Recording them for automatic differentiation, and
fresh memory for what each of them returns, take longer than the arithmetic.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lil.isometry import Blocks, Reduction, isometry_loss
from lil.models import LIL, StackedLIL


class Batch(NamedTuple):
    """What one step sees. Members of one seed see the same points; a full batch is seen by all."""

    x: Float[Tensor, "*s n d"]  # s batches, one a seed; one (n, d) where all members share it
    labels: Int[Tensor, "levels *s n"]
    blocks: Blocks  # with leading dimensions (levels, *s)
    x_dist: Float[Tensor, "pairs"]  # in the order of the blocks


class Sharing(NamedTuple):
    """Which members see which batch."""

    of_member: Int[Tensor, "m"] | None  # the batch of each member; None: there is one batch, shared by all
    active: slice | Int[Tensor, "*s k"] | None  # the members with β > 0, by batch where there are several


class Objective:
    """α · cross-entropy + β · isometry of the m members of a model, and its gradient, on one batch after another.

    ``gradients`` stand in the order of ``parameters``, and hold what the last call found.
    """

    def __init__(
        self,
        model: LIL | StackedLIL,
        sharing: Sharing,
        *,
        alpha: float,
        betas: Float[Tensor, "m"],
        scale: float,
        reduction: Reduction,
    ):
        self.levels = tuple(model.lils) if isinstance(model, StackedLIL) else (model,)
        self.connected = isinstance(model, StackedLIL) and not model.stop_gradient
        self.sharing, self.alpha, self.scale, self.reduction = sharing, alpha, scale, reduction
        self.betas = None if sharing.active is None else betas[sharing.active]
        self.parameters = [each.detach() for lil in self.levels for each in lil.parameters()]
        self.gradients = [torch.empty_like(each) for each in self.parameters]
        self._kept: dict[
            int, tuple[list[_Layers], Tensor, Tensor]
        ] = {}  # arrays for each size of batch, of which there are two

    @torch.no_grad()
    def __call__(self, batch: Batch) -> Float[Tensor, "2 levels m"]:
        """Cross-entropy and isometry loss of each level and member, without α and β; the latter 0 where β is."""
        of_member = self.sharing.of_member
        x, labels = batch.x, batch.labels
        if of_member is not None:
            x, labels = x[of_member], labels[:, of_member]
        each_level, z, back = self._arrays(x)
        terms = x.new_zeros(2, len(z), z.shape[1])
        below = x.mT.expand(z.shape[1], -1, -1)
        for level, layers in enumerate(each_level):
            layers.forward(below)
            terms[0, level] = layers.cross_entropy(labels[level], self.alpha)
            below = z[level]
        if self.sharing.active is not None:
            self._isometry(batch, z, back, terms[1])
        for level in reversed(range(len(z))):
            below = z[level - 1] if level else x.mT.expand(z.shape[1], -1, -1)
            each_level[level].backward(below, back[level - 1] if level and self.connected else None)
        return terms

    def _arrays(self, x: Tensor) -> tuple[list[_Layers], Tensor, Tensor]:
        """The layers of each level, all representations, and the gradients along them, for batches of this size."""
        n = x.shape[-2]
        if n not in self._kept:
            z, back = (
                x.new_empty(len(self.levels), self.levels[0].members, self.levels[0].sizes[-2], n) for _ in range(2)
            )
            parameters, gradients = iter(self.parameters), iter(self.gradients)
            each_level = []
            for lil, z_of_level, back_of_level in zip(self.levels, z, back, strict=True):
                count = len(lil.weights)
                each_level.append(
                    _Layers(
                        *(
                            [next(source) for _ in range(count)]
                            for source in (parameters, parameters, gradients, gradients)
                        ),
                        z_of_level,
                        back_of_level,
                    )
                )
            self._kept[n] = each_level, z, back
        return self._kept[n]

    def _isometry(self, batch: Batch, z: Tensor, back: Tensor, losses: Tensor) -> None:
        """Put the isometry losses into ``losses``, and add β times their gradients to ``back``."""
        active = self.sharing.active
        kept = z.mT[:, active].requires_grad_()
        with torch.enable_grad():
            found = isometry_loss(kept, batch.x_dist, batch.blocks, scale=self.scale, reduction=self.reduction)
        (gradient,) = torch.autograd.grad(found, kept, self.betas.expand_as(found))
        losses[:, active] = found.detach()
        back[:, active] += gradient.mT


class _Layers:
    """The layers of one LIL on batches of n points. Arrays are (m, units, n): points next to one another in memory."""

    def __init__(
        self,
        weights: list[Tensor],
        biases: list[Tensor],
        along_weights: list[Tensor],
        along_biases: list[Tensor],
        z: Float[Tensor, "m width n"],
        back: Float[Tensor, "m width n"],
    ):
        self.weights, self.biases = weights, [bias[..., None] for bias in biases]
        self.along_weights, self.along_biases = along_weights, along_biases
        n = z.shape[-1]
        self.hidden = [*(z.new_empty(*bias.shape, n) for bias in biases[:-2]), z]
        self.back = [*map(torch.empty_like, self.hidden[:-1]), back]  # the gradient along each hidden layer
        self.logits = z.new_empty(*biases[-1].shape, n)

    def forward(self, below: Float[Tensor, "m d n"]) -> None:
        """All layers of the inputs ``below``."""
        for weight, bias, layer in zip(self.weights, self.biases, self.hidden, strict=False):
            torch.bmm(weight, below, out=layer)
            below = layer.add_(bias).tanh_()
        torch.baddbmm(self.biases[-1], self.weights[-1], below, out=self.logits)

    def cross_entropy(self, labels: Int[Tensor, "*m n"], alpha: float) -> Float[Tensor, "m"]:
        """L_CSE of each member; its gradient, times α, up to the representation."""
        m, _, n = self.logits.shape
        right = labels.expand(m, n)[:, None]
        shares = torch.log_softmax(self.logits, 1)
        loss = shares.gather(1, right).mean((1, 2)).neg()
        shares.exp_().scatter_add_(1, right, shares.new_full((), -1.0).expand_as(right)).mul_(alpha / n)
        self._along(-1, shares, self.hidden[-1], self.back[-1])
        return loss

    def backward(self, below: Float[Tensor, "m d n"], into: Float[Tensor, "m d n"] | None) -> None:
        """From the gradient along the representation to those of the hidden layers' parameters.

        ``into``: to what lies there the gradient along the inputs is added, if wanted.
        """
        for layer in reversed(range(len(self.hidden))):
            passed = torch.ops.aten.tanh_backward.grad_input(
                self.back[layer], self.hidden[layer], grad_input=self.back[layer]
            )
            self._along(
                layer, passed, self.hidden[layer - 1] if layer else below, self.back[layer - 1] if layer else None
            )
        if into is not None:
            into.baddbmm_(self.weights[0].mT, self.back[0])

    def _along(self, layer: int, passed: Tensor, below: Tensor, back: Tensor | None) -> None:
        """A linear map's gradients, given that along its outputs: of weights and biases, and along its inputs."""
        torch.bmm(passed, below.mT, out=self.along_weights[layer])
        torch.sum(passed, -1, out=self.along_biases[layer])
        if back is not None:
            torch.bmm(self.weights[layer].mT, passed, out=back)
