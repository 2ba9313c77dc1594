"""Attacks that try again: PGD from several random starts, and one target class after another.

Each attempt meets the images that all attempts before it left right, so that an image counts as beaten as soon as one
attempt has beaten it. The gradient may go through another front than the answer: ``front`` makes the attacked images,
``judge`` the inputs of the network whose answer counts. A front in bfloat16 then costs strength and no soundness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

from lil import attacks
from lil.evaluation import correct
from lil.isometry import integers
from lil.models import LIL

Images = Float[Tensor, "n c h w"]
Labels = Integer[Tensor, "n"]
Attempt = Callable[[Int[Tensor, "some"]], Float[Tensor, "some c h w"]]
"""A function from the positions of some images to their attacked copies."""


def targeted_margin(model: LIL, labels: Labels, targets: Labels) -> attacks.Objective:
    """Return the objective by how much the logit of an image's target exceeds the logit of its own class.

    It is greater than 0 only for a wrong answer. The margin of :mod:`lil.stronger_attacks` is its largest value over
    all targets; with one target a gradient cannot turn back and forth between two of them.
    """

    def objective(inputs: Float[Tensor, "m n d"], images: Float[Tensor, "m n c h w"]) -> Float[Tensor, "m n"]:
        logits = model(inputs)
        pairs = integers(torch.stack((targets, labels), -1)).expand(*logits.shape[:-1], 2)
        aim, own = logits.gather(-1, pairs).unbind(-1)
        return aim - own

    return objective


@torch.no_grad()
def likely_targets(network: LIL, inputs: Float[Tensor, "n d"], labels: Labels) -> Int[Tensor, "n others"]:
    """Return all other classes of each image, that with the largest logit first, as the one network sees them."""
    logits = network(inputs)[0]
    own = F.one_hot(integers(labels), logits.shape[-1]).bool()
    return logits.masked_fill(own, -torch.inf).argsort(-1, descending=True)[:, :-1]


class Survivors(NamedTuple):
    """The images of one network after all attempts."""

    right: Bool[Tensor, "n"]  # True where no attempt has beaten the image
    change: float  # the largest change of a pixel


def survivors(
    network: LIL, judge: attacks.Front, x: Images, labels: Labels, attempts: Iterable[Attempt], *, batch_size: int
) -> Survivors:
    """Return the images that the network classifies correctly and that no attempt beats, in batches."""
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
    labels = attacks.check_labels(labels, len(x), network.sizes[-1])
    right, change = correct(network, judge(x), labels)[0], 0.0
    for attempt in attempts:
        left = right.nonzero().squeeze(-1)
        for at in left.split(batch_size) if len(left) else ():
            moved = attempt(at)
            right[at] = correct(network, judge(moved), labels[at])[0]
            change = max(change, float((moved - x[at]).abs().max()))
    return Survivors(right, change)


def pgd(
    network: LIL,
    front: attacks.Front,
    judge: attacks.Front,
    x: Images,
    labels: Labels,
    *,
    epsilon: float,
    steps: int,
    starts: int,
    batch_size: int,
    generator: torch.Generator,
) -> Survivors:
    """Attack by PGD on the cross-entropy from several random starts in the ball."""
    if starts < 1:
        raise ValueError(f"PGD needs at least one start, not {starts}.")
    step_settings(epsilon, steps)  # raises

    def attempt(at: Int[Tensor, "some"]) -> Float[Tensor, "some c h w"]:
        objective = attacks.classification(network, labels[at])
        settings: dict[str, Any] = step_settings(epsilon, steps) | dict(random_start=True, generator=generator)
        return attacks.attack(network, front, objective, x[at], labels[at], **settings).x[0]

    return survivors(network, judge, x, labels, [attempt] * starts, batch_size=batch_size)


def multi_targeted(
    network: LIL,
    front: attacks.Front,
    judge: attacks.Front,
    x: Images,
    labels: Labels,
    *,
    epsilon: float,
    steps: int,
    batch_size: int,
) -> Survivors:
    """Attack by PGD on the :func:`targeted_margin` of every other class in turn, the most likely class first."""
    labels = attacks.check_labels(labels, len(x), network.sizes[-1])
    step_settings(epsilon, steps)  # raises
    with torch.no_grad():
        inputs = judge(x)
    targets = likely_targets(network, inputs, labels)

    def attempt_at(rank: int) -> Attempt:
        def attempt(at: Int[Tensor, "some"]) -> Float[Tensor, "some c h w"]:
            objective = targeted_margin(network, labels[at], targets[at, rank])
            return attacks.attack(network, front, objective, x[at], labels[at], **step_settings(epsilon, steps)).x[0]

        return attempt

    attempts = [attempt_at(rank) for rank in range(targets.shape[1])]
    return survivors(network, judge, x, labels, attempts, batch_size=batch_size)


def step_settings(epsilon: float, steps: int) -> dict[str, Any]:
    """Return the settings of PGD's steps: 2.5 ε divided by their number each, as in Madry et al."""
    if steps < 1:
        raise ValueError(f"PGD needs at least one step, not {steps}.")
    attacks.check_epsilons((epsilon,))
    return dict(epsilon=epsilon, step_size=2.5 * epsilon / steps, steps=steps)
