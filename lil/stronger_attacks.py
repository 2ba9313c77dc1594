"""What a strong attacker does beyond one step: another objective, many steps and starts, AutoAttack, plain noise.

All of it stays in the L∞ ball of :mod:`lil.attacks`. PGD and AutoAttack take one network at a time and go on only with
the images that this network still puts into their class: an image counts as beaten as soon as anything has beaten it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from pyautoattack import AutoAttack
from torch import Tensor

from lil import attacks
from lil.models import LIL

STAGES = ("apgd-ce", "apgd-t", "fab-t", "square")  # of AutoAttack's standard version, in its order


def margin(model: LIL, labels: Int[Tensor, "n"]) -> attacks.Objective:
    """By how much the largest logit of another class exceeds that of an image's own: greater than 0 is a wrong answer.

    Unlike the cross-entropy its slope does not vanish where the network is sure.
    """

    def objective(inputs: Float[Tensor, "m n d"], images: Float[Tensor, "m n c h w"]) -> Float[Tensor, "m n"]:
        logits = model(inputs)
        own = F.one_hot(labels, logits.shape[-1]).bool()
        return logits.masked_fill(own, -torch.inf).amax(-1) - logits[:, own]

    return objective


class Rung(NamedTuple):
    """One attempt of PGD: so many steps from each of so many random starts."""

    steps: int
    starts: int


def ladder(steps: int, doublings: int) -> Iterator[Rung]:
    """Attempts from ``steps`` steps and one start on; the steps and the starts are doubled in turn, the steps first."""
    starts = 1
    yield Rung(steps, starts)
    for doubling in range(doublings):
        if doubling % 2 == 0:
            steps *= 2
        else:
            starts *= 2
        yield Rung(steps, starts)


class Climbed(NamedTuple):
    """What is left of one network's images after PGD."""

    right: Bool[Tensor, "n"]  # in their class whatever was tried
    trace: list[int]  # how many were, after each rung that was taken
    change: float  # the largest of a pixel


def climb(
    network: LIL,
    front: attacks.Front,
    x: Float[Tensor, "n c h w"],
    labels: Int[Tensor, "n"],
    *,
    epsilon: float,
    steps: int,
    doublings: int,
    generator: torch.Generator,
) -> Climbed:
    """PGD on the cross-entropy up the :func:`ladder`, until doubling the steps and the starts beats no further image.

    Steps are of 2.5 ε divided by their number (Madry et al.), so that they reach across the ball and grow finer as they
    grow more. At most ``doublings`` doublings are tried.
    """
    right, trace, change = _right(network, front, x, labels), [], 0.0
    for rung in ladder(steps, doublings):
        for _ in range(rung.starts):
            at = right.nonzero().squeeze(-1)
            if len(at) == 0:
                break
            result = attacks.attack(
                network,
                front,
                attacks.classification(network, labels[at]),
                x[at],
                labels[at],
                epsilon=epsilon,
                step_size=2.5 * epsilon / rung.steps,
                steps=rung.steps,
                random_start=True,
                generator=generator,
            )
            right[at] = ~result.success[0]
            change = max(change, float((result.x[0] - x[at]).abs().max()))
        trace.append(int(right.sum()))
        if settled(trace):
            break
    return Climbed(right, trace, change)


def settled(trace: list[int]) -> bool:
    """Whether nothing is left, or the last doubling of the steps and that of the starts have both changed nothing."""
    return trace[-1] == 0 or (len(trace) >= 3 and trace[-1] == trace[-3])


class AutoAttacked(NamedTuple):
    """What is left of one network's images after each stage of AutoAttack."""

    right: Bool[Tensor, "stages n"]
    change: float  # the largest of a pixel


def autoattack(
    network: LIL,
    front: attacks.Front,
    x: Float[Tensor, "n c h w"],
    labels: Int[Tensor, "n"],
    *,
    epsilon: float,
    iterations: int,
    queries: int,
    seed: int,
) -> AutoAttacked:
    """AutoAttack (Croce and Hein), the standard version in its authors' code, with the STAGES one by one.

    ``iterations`` of APGD and FAB, 100 in the standard version, and ``queries`` of Square, there 5000. An image is
    beaten if the network itself says so of what AutoAttack made of it.
    """
    logging.getLogger("auto-attack").setLevel(logging.ERROR)  # what it warns of is measured: see lil.paper.checklist

    def logits(images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        return network(front(images))[0]

    ensemble = AutoAttack(logits, eps=epsilon, seed=seed, device=x.device)
    ensemble.apgd.n_iter = ensemble.apgd_targeted.n_iter = ensemble.fab.n_iter = iterations
    ensemble.square.n_queries = queries
    right, stages, change = _right(network, front, x, labels), [], 0.0
    with torch.random.fork_rng():  # each stage seeds torch's global generator
        for stage in STAGES:
            at = right.nonzero().squeeze(-1)
            if len(at):
                ensemble.attacks_to_run = [stage]
                attacked, _ = ensemble.run_standard_evaluation(x[at], labels[at], batch_size=len(at))
                right[at] = _right(network, front, attacked, labels[at])
                change = max(change, float((attacked - x[at]).abs().max()))
            stages.append(right.clone())
    return AutoAttacked(torch.stack(stages), change)


def noise(x: Float[Tensor, "n c h w"], epsilon: float, generator: torch.Generator) -> Float[Tensor, "n c h w"]:
    """Every pixel moved by ``epsilon`` up or down at random, cut off at the bounds: a corner that nobody chose."""
    sign = 2 * torch.randint(2, x.shape, generator=generator, device=x.device) - 1
    return attacks.fgsm(x, sign.to(x.dtype), epsilon)


def _right(
    network: LIL, front: attacks.Front, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"]
) -> Bool[Tensor, "n"]:
    with torch.no_grad():
        return network(front(x))[0].argmax(-1) == labels
