"""Attacks that are stronger than one step: another objective, many steps and starts, AutoAttack; and plain noise.

All of them stay in the L∞ ball of :mod:`lil.attacks`. PGD and AutoAttack take one network at a time and go on with the
images that this network still classifies correctly: an image is beaten as soon as one attempt has beaten it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Integer
from pyautoattack import AutoAttack
from torch import Tensor

from lil import attacks
from lil.evaluation import correct
from lil.models import LIL

STAGES = ("apgd-ce", "apgd-t", "fab-t", "square")  # of AutoAttack's standard version, in its order

Images = Float[Tensor, "n c h w"]
Labels = Integer[Tensor, "n"]


def margin(model: LIL, labels: Labels) -> attacks.Objective:
    """Return the objective by how much the largest logit of another class exceeds the logit of an image's own class.

    It is greater than 0 for a wrong answer. Its slope does not vanish where the network is sure, unlike the
    cross-entropy's.
    """
    labels = attacks.check_labels(labels, len(labels), model.sizes[-1])

    def objective(inputs: Float[Tensor, "m n d"], images: Float[Tensor, "m n c h w"]) -> Float[Tensor, "m n"]:
        logits = model(inputs)
        own = F.one_hot(labels, logits.shape[-1]).bool()
        return logits.masked_fill(own, -torch.inf).amax(-1) - logits[:, own]

    return objective


class Attempt(NamedTuple):
    """The size of one attempt of PGD: its number of steps, from each of its random starts."""

    steps: int
    starts: int


def schedule(steps: int, doublings: int) -> Iterator[Attempt]:
    """Yield the attempts, from ``steps`` steps and one start on; steps and starts double in turn, the steps first."""
    for doubling in range(doublings + 1):
        yield Attempt(steps * 2 ** ((doubling + 1) // 2), 2 ** (doubling // 2))


class Escalated(NamedTuple):
    """The images of one network after PGD."""

    right: Bool[Tensor, "n"]  # True where no attempt has beaten the image
    trace: list[int]  # number of images that are left after each attempt
    change: float  # the largest change of a pixel


def escalating_pgd(
    network: LIL,
    front: attacks.Front,
    x: Images,
    labels: Labels,
    *,
    epsilon: float,
    steps: int,
    doublings: int,
    generator: torch.Generator,
) -> Escalated:
    """Attack by PGD on the cross-entropy with the attempts of the :func:`schedule`, until they have :func:`converged`.

    Steps are of 2.5 ε divided by their number (Madry et al.), so that they reach across the ball and grow finer as they
    grow more. At most ``doublings`` doublings are tried.
    """
    if steps < 1 or doublings < 0:
        raise ValueError(f"PGD needs at least one step and no negative number of doublings: {steps}, {doublings}.")
    right, trace, change = correct(network, front(x), labels)[0], [], 0.0
    for attempt in schedule(steps, doublings):
        settings: dict[str, Any] = dict(epsilon=epsilon, step_size=2.5 * epsilon / attempt.steps, steps=attempt.steps)
        settings |= dict(random_start=True, generator=generator)
        for _ in range(attempt.starts):
            at = right.nonzero().squeeze(-1)
            if len(at) == 0:
                break
            objective = attacks.classification(network, labels[at])
            result = attacks.attack(network, front, objective, x[at], labels[at], **settings)
            right[at] = ~result.success[0]
            change = max(change, float((result.x[0] - x[at]).abs().max()))
        trace.append(int(right.sum()))
        if converged(trace):
            break
    return Escalated(right, trace, change)


def converged(trace: list[int]) -> bool:
    """Return True once no image is left, or once doubling both the steps and the starts beats no further image."""
    return trace[-1:] == [0] or (len(trace) >= 3 and trace[-1] == trace[-3])


class AutoAttacked(NamedTuple):
    """The images of one network after AutoAttack."""

    right: Bool[Tensor, "stages n"]  # True where the image is not beaten after the stage
    change: float  # the largest change of a pixel


def autoattack(
    network: LIL,
    front: attacks.Front,
    x: Images,
    labels: Labels,
    *,
    epsilon: float,
    iterations: int,
    queries: int,
    seed: int,
) -> AutoAttacked:
    """Attack by AutoAttack (Croce and Hein), the standard version in its authors' code, the STAGES one by one.

    ``iterations`` are those of APGD and FAB, 100 in the standard version; ``queries`` are those of Square, there 5000.
    An image is beaten if the network itself misclassifies the image that AutoAttack returns.
    """
    attacks.check_epsilons((epsilon,))
    attacks.check_images(x)
    labels = attacks.check_labels(labels, len(x), network.sizes[-1])
    if network.sizes[-1] < 4:
        raise ValueError(f"AutoAttack's targeted loss ranks 4 classes, and the network has {network.sizes[-1]}.")
    if iterations < 1 or queries < 1:
        raise ValueError(f"AutoAttack needs at least one iteration and one query, not {iterations} and {queries}.")
    logging.getLogger("auto-attack").setLevel(logging.ERROR)  # lil.paper.checklist measures the causes of its warnings

    def logits(images: Images) -> Float[Tensor, "n classes"]:
        return network(front(images))[0]

    ensemble = AutoAttack(logits, eps=epsilon, seed=seed, device=x.device)
    ensemble.apgd.n_iter = ensemble.apgd_targeted.n_iter = ensemble.fab.n_iter = iterations
    ensemble.square.n_queries = queries
    ensemble.apgd_targeted.n_target_classes = ensemble.fab.n_target_classes = min(9, network.sizes[-1] - 1)
    right, stages, change = correct(network, front(x), labels)[0], [], 0.0
    with torch.random.fork_rng():  # each stage seeds torch's global generator
        for stage in STAGES:
            at = right.nonzero().squeeze(-1)
            if len(at):
                ensemble.attacks_to_run = [stage]
                attacked, _ = ensemble.run_standard_evaluation(x[at], labels[at], batch_size=len(at))
                right[at] = correct(network, front(attacked), labels[at])[0]
                change = max(change, float((attacked - x[at]).abs().max()))
            stages.append(right.clone())
    return AutoAttacked(torch.stack(stages), change)


def noise(x: Images, epsilon: float, generator: torch.Generator) -> Images:
    """Return the images with every pixel moved by ``epsilon`` up or down at random, cut off at the bounds."""
    sign = 2 * torch.randint(2, x.shape, generator=generator, device=x.device) - 1
    return attacks.fgsm(x, sign.to(x.dtype), epsilon)
