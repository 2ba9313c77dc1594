"""Attacks in the L∞ ball: one gradient loop, FGSM being one step of it. The objective is an argument.

An objective is a loss that the attacker wants to increase, as a function of the images and of what the networks see
of them, their *inputs*: the pixels themselves, or the features that a frozen network makes of the images. It has one
value a network, or one a network and image. Its sum is differentiated, so that one backward pass serves all
networks: a network's value must depend on its own images alone.

The paper's γ is ``epsilon`` here: the greatest change of a coordinate, in units of the images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from lil.checks import BOUNDS as BOUNDS
from lil.checks import check_betas, check_name
from lil.checks import check_epsilons as check_epsilons
from lil.checks import check_images as check_images
from lil.checks import check_labels as check_labels
from lil.isometry import isometry_loss, pair_distances, within_class
from lil.models import LIL, cross_entropies, cross_entropy

Objective = Callable[[Float[Tensor, "m n d"], Float[Tensor, "m n c h w"]], Float[Tensor, "m *n"]]
"""A function of the inputs of m networks and of the images behind them, which the attacker wants to increase."""

Distances = Literal["inputs", "pixels"]

Front = Callable[[Float[Tensor, "*lead c h w"]], Float[Tensor, "*lead d"]]
"""A function from images to the inputs of a network."""


def pixels(x: Float[Tensor, "*lead c h w"]) -> Float[Tensor, "*lead d"]:
    """Return the pixels of each image in a row: the front of networks that see the images themselves."""
    return x.flatten(-3)


def classification(model: LIL, labels: Integer[Tensor, "n"]) -> Objective:
    """Return the objective of an attacker of the classifier: the cross-entropy of each image."""

    def objective(inputs: Float[Tensor, "m n d"], images: Float[Tensor, "m n c h w"]) -> Float[Tensor, "m n"]:
        return cross_entropies(model(inputs), labels)

    return objective


def total(
    model: LIL,
    labels: Integer[Tensor, "n"],
    betas: Sequence[float],
    *,
    scale: float = 1.0,
    reduction: str = "n2",
    distances: str = "inputs",
) -> Objective:
    """Return the whole training loss as objective, L_CSE + β L_ISO of the n images as one batch ({eq}`weighted-loss`).

    Eq. 6 and the public code differentiate it. Both distances of each pair depend on the attacked images, as in Eq. 6,
    whose terms H·J and H·J^Φ are their two derivatives. ``betas`` has one entry a network, ``scale`` is K.
    ``distances`` names the points whose distances are the target: "inputs", as in training, or "pixels", as in the
    public code's attack on CIFAR10.
    """
    check_name("distances", distances, Distances)
    check_betas(betas, model.members)
    mask = within_class(labels)

    def objective(inputs: Float[Tensor, "m n d"], images: Float[Tensor, "m n c h w"]) -> Float[Tensor, "m"]:
        z = model.represent(inputs)
        x_dist = pair_distances(inputs if distances == "inputs" else pixels(images))
        isometry = isometry_loss(z, x_dist, mask, scale=scale, reduction=reduction)
        return cross_entropy(model.classify(z), labels) + inputs.new_tensor(betas) * isometry

    return objective


def gradients(
    objective: Objective, front: Front, x: Float[Tensor, "n c h w"], members: int
) -> Iterator[Float[Tensor, "n c h w"]]:
    """Yield the gradient of the objective by the images, of one network after another, at images that all share.

    The images go through ``front`` once, whatever the number of networks.
    """
    check_images(x, (-math.inf, math.inf), batch=True)
    x = x.detach().requires_grad_()
    inputs = front(x)
    of_each = inputs.detach().expand(members, -1, -1).requires_grad_()
    images = x.detach().expand(members, -1, -1, -1, -1).requires_grad_()
    losses = objective(of_each, images)
    along_inputs, along_images = torch.autograd.grad(
        losses.sum(), (of_each, images), allow_unused=True, materialize_grads=True
    )
    for along_input, along_image in zip(along_inputs, along_images, strict=True):
        (pulled_back,) = torch.autograd.grad(inputs, x, along_input, retain_graph=True)
        yield pulled_back + along_image


def fgsm(
    x: Float[Tensor, "*#lead c h w"],
    sign: Float[Tensor, "*#lead c h w"],
    epsilon: float | Float[Tensor, "*#lead 1 1 1"],
    bounds: tuple[float, float] = BOUNDS,
) -> Float[Tensor, "*lead c h w"]:
    """Return x, moved by ``epsilon`` along the gradient's ``sign`` ({eq}`fgsm`) and cut off at the bounds.

    Raises ValueError for images outside the bounds and for an ε that is no step within them.
    """
    check_epsilons(epsilon.flatten().tolist() if isinstance(epsilon, Tensor) else (epsilon,), bounds)
    check_images(x, bounds)
    return _step(x, sign, epsilon, bounds)


def _step(x: Tensor, sign: Tensor, epsilon: float | Tensor, bounds: tuple[float, float]) -> Tensor:
    return (x + epsilon * sign).clamp_(*bounds)


class Attacked(NamedTuple):
    """The attacked images, and the networks that they deceive."""

    x: Float[Tensor, "m n c h w"]
    success: Bool[Tensor, "m n"]  # True where the predicted class is not the label


def attack(
    model: LIL,
    front: Front,
    objective: Objective,
    x: Float[Tensor, "n c h w"],
    labels: Integer[Tensor, "n"],
    *,
    epsilon: float,
    step_size: float,
    steps: int,
    random_start: bool = False,
    bounds: tuple[float, float] = BOUNDS,
    generator: torch.Generator | None = None,
) -> Attacked:
    """Attack by projected gradient ascent: each network gets images of its own, within ``epsilon`` of x.

    FGSM is one step of size ``epsilon`` from x itself. PGD takes several, from x or, with ``random_start``, from a
    point that ``generator`` draws uniformly in the ball.
    """
    check_epsilons((epsilon,), bounds)
    check_images(x, bounds, batch=True)
    labels = check_labels(labels, len(x), model.sizes[-1])
    if steps < 1 or not 0 < step_size <= torch.finfo(x.dtype).max:
        raise ValueError(f"an attack takes at least one step of a finite size > 0, not {steps} of {step_size}.")
    if random_start and generator is None:
        raise ValueError("a random start needs the generator that draws it.")
    low, high = (x - epsilon).clamp(*bounds), (x + epsilon).clamp(*bounds)
    attacked = x.expand(model.members, *x.shape)
    if random_start:
        noise = torch.rand(attacked.shape, generator=generator, dtype=x.dtype, device=x.device)
        attacked = (attacked + epsilon * (2 * noise - 1)).clamp(*bounds)
    for _ in range(steps):
        attacked = attacked.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(objective(front(attacked), attacked).sum(), attacked)
        if gradient.isnan().any():
            raise ValueError("the gradient is NaN: look for NaN in the front, the networks or the objective.")
        attacked = _step(attacked.detach(), gradient.sign(), step_size, bounds).clamp(low, high)
    with torch.no_grad():
        return Attacked(attacked, model(front(attacked)).argmax(-1) != labels)
