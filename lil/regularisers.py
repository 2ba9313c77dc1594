"""Relatives of the isometry term that the paper names, and adversarial training, as changes of a training step.

The members of an ensemble have a strength each. Random numbers are drawn once for each seed, so that member k learns as
if it were by itself. A subclass of :class:`Regulariser` changes the loss, the weights before a step of the optimiser,
or the weights in the end. Strength 0 leaves the plain network, with the cross-entropy alone, except for
:class:`SpectralNorm`, whose strength is a norm.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.func import functional_call

from lil.checks import BOUNDS, check_images
from lil.models import LIL, cross_entropy, derived_seed


class Regulariser:
    """The training of the plain network, from which the others are derived."""

    def __init__(self, model: LIL, strengths: Sequence[float], seeds: Sequence[int]):
        """``strengths`` and ``seeds`` have one entry a member. The draws are stream 1 of a seed; its batches are 0."""
        distinct = list(dict.fromkeys(seeds))
        self.model = model
        self.strengths = model.weights[0].new_tensor(strengths)
        self.generators = [torch.Generator().manual_seed(derived_seed(seed, 1)) for seed in distinct]
        self.seed_index = [distinct.index(seed) for seed in seeds]

    def loss(self, x: Float[Tensor, "m n d"], labels: Int[Tensor, "m n"]) -> Float[Tensor, "m"]:
        """Return the loss of each member on a batch of its own."""
        return cross_entropy(self.model(x), labels)

    def before_step(self, learning_rate: float) -> None:
        """Change the weights before the optimiser's step."""

    def finish(self) -> None:
        """Change the weights after the last step."""

    def draw(self, distribution, *shape: int) -> Float[Tensor, "m ..."]:
        """Return numbers of ``torch.rand`` or ``torch.randn``, the same for all members of a seed."""
        numbers = torch.stack([distribution(shape, generator=generator) for generator in self.generators])
        return numbers.to(self.strengths)[self.seed_index]


class Jacobian(Regulariser):
    r"""Jacobian regularisation (Hoffman et al.): cross-entropy + λ/2 · the mean over points of :math:`\|J\|_F^2`.

    J is the derivative of the logits by the pixels. With a random direction v on the sphere of the C logits,
    :math:`C \|v^T J\|^2` has the mean :math:`\|J\|_F^2`: one direction a point and step, as theirs.
    """

    def loss(self, x, labels):
        self.model.check(x)
        x = x.detach().requires_grad_()
        logits = self.model(x)
        directions = self.draw(torch.randn, *logits.shape[1:])
        directions = directions / directions.norm(dim=-1, keepdim=True)
        squares = logits.shape[-1] * squared_projections(logits, x, directions)
        return cross_entropy(logits, labels) + self.strengths / 2 * squares.mean(-1)


def squared_projections(
    logits: Float[Tensor, "m n c"], x: Float[Tensor, "m n d"], directions: Float[Tensor, "m n c"]
) -> Float[Tensor, "m n"]:
    """Return ‖vᵀJ‖² of each point, differentiable by the weights; ``logits`` are a model's output for ``x``."""
    (projection,) = torch.autograd.grad((directions * logits).sum(), x, create_graph=True)
    return projection.square().sum(-1)


class SpectralNorm(Regulariser):
    """Spectral normalisation (Miyato et al.): every layer works with s · W / σ(W), σ the largest singular value.

    The strength s, 1 in theirs, is the norm of every layer, the classifier's among them. As theirs, σ is uᵀ W v with u
    and v from one step of the power iteration at each training step, held constant when it is differentiated; they
    start from the exact ones. In the end the weights become s · W / σ(W) with σ exact.
    """

    def __init__(self, model, strengths, seeds):
        super().__init__(model, strengths, seeds)
        exact = [torch.linalg.svd(weight.detach(), full_matrices=False) for weight in model.weights]
        self.left = [left[..., :1] for left, _, _ in exact]

    def loss(self, x, labels):
        return cross_entropy(functional_call(self.model, self.normalise(), (x,)), labels)

    def normalise(self) -> dict[str, Float[Tensor, "m out in"]]:
        """Take a step of the power iteration and return the normalised weights, by the model's names."""
        weights = {}
        for layer, weight in enumerate(self.model.weights):
            with torch.no_grad():
                right = _unit(weight.mT @ self.left[layer])
                self.left[layer] = _unit(weight @ right)
            sigma = self.left[layer].mT @ weight @ right
            weights[f"weights.{layer}"] = self.strengths.view(-1, 1, 1) / sigma * weight
        return weights

    @torch.no_grad()
    def finish(self):
        for weight in self.model.weights:
            weight.mul_((self.strengths / torch.linalg.matrix_norm(weight, ord=2)).view(-1, 1, 1))


def _unit(vectors: Float[Tensor, "m k 1"]) -> Float[Tensor, "m k 1"]:
    return vectors / vectors.norm(dim=-2, keepdim=True)


class WeightDecay(Regulariser):
    """Decoupled weight decay, that of AdamW: before each step all weights and biases shrink by 1 − rate · strength."""

    @torch.no_grad()
    def before_step(self, learning_rate):
        for parameter in self.model.parameters():
            kept = 1 - learning_rate * self.strengths
            parameter.mul_(kept.view(-1, *[1] * (parameter.ndim - 1)))


class Adversarial(Regulariser):
    """Adversarial training: the cross-entropy of images that are attacked anew at each step; the strength is their ε.

    The images start at random in the L∞ ball, take ``steps`` along the sign of the cross-entropy's gradient, each of
    ``reach`` · ε / ``steps``, and stay in the ball and within the bounds of a pixel.
    """

    def __init__(self, model, strengths, seeds, *, steps: int, reach: float):
        super().__init__(model, strengths, seeds)
        self.steps, self.reach = steps, reach

    def loss(self, x, labels):
        return super().loss(self.attack(x, labels), labels)

    def attack(self, x: Float[Tensor, "m n d"], labels: Int[Tensor, "m n"]) -> Float[Tensor, "m n d"]:
        """Return the attacked images, from which each member learns. Raises ValueError for pixels outside [0, 1]."""
        check_images(x)
        epsilon = self.strengths.view(-1, 1, 1)
        low, high = (x - epsilon).clamp_(*BOUNDS), (x + epsilon).clamp_(*BOUNDS)
        start = 2 * self.draw(torch.rand, *x.shape[1:]) - 1
        moved = (x + epsilon * start).clamp_(*BOUNDS)
        for _ in range(self.steps):
            moved.requires_grad_()
            (gradient,) = torch.autograd.grad(super().loss(moved, labels).sum(), moved)
            moved = moved.detach().add_(self.reach / self.steps * epsilon * gradient.sign_()).clamp_(low, high)
        return moved
