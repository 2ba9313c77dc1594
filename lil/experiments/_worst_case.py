"""Answers of classifiers, image by image, under every attack at one ε. Each experiment brings its recipe.

This module does not import the recipes, so that a change to one makes no other experiment stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lil import attacks, stronger_attacks, targeted
from lil.evaluation import Fgsm, Sweep, correct, select
from lil.experiments._common import grid_dataset
from lil.models import derived_seed
from lil.progress import Progress

# "none" is the clean image. AutoAttack is run on those images alone that all the others leave right.
ATTACKS = ("none", "total", "classification", "margin", "noise", "pgd", "targeted", "transfer", "autoattack")
STEPS = ("total", "classification", "margin")  # the objectives of one step of FGSM
WRONG, RIGHT, NOT_RUN = 0, 1, 2

Images = Float[Tensor, "n c h w"]
Labels = Int[Tensor, "n"]


@dataclass(frozen=True)
class Trial:
    """Settings of the attacks. The seeds of their draws are derived from ``draw``."""

    epsilon: float  # the size of every attack
    n_images: int  # test images, the set's first
    batch_size: int = 100  # images whose pairs make the isometry term, as in training
    steps: int = 40  # of PGD, of every target's PGD, and of PGD on the network with β = 0
    starts: int = 2  # random ones of PGD on the cross-entropy
    iterations: int = 100  # of AutoAttack's APGD and FAB: the standard version's
    queries: int = 5000  # of its Square Attack: the same
    draw: int = 600  # seed of all random starts and of the noise

    def __post_init__(self):
        attacks.check_epsilons((self.epsilon,))
        for name in ("n_images", "batch_size", "steps", "starts", "iterations", "queries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}.")


def attack_by_everything(
    sweep: Sweep, x: Images, labels: Labels, trial: Trial, *, judge: attacks.Front, progress: Progress
) -> xr.Dataset:
    """Return each network's answers, image by image, under each of the ATTACKS.

    ``right`` (attack, beta, seed, image) is RIGHT, WRONG or NOT_RUN. ``change`` (attack, beta, seed) is the largest
    change of a pixel. Gradients go through the sweep's front, answers through ``judge``.

    The steps, noise and transferred images are put to all images. PGD and multi-targeted PGD meet the images that are
    classified correctly without attack. Images for the transfer are made for the network of the same seed with β = 0;
    that network does not meet them. AutoAttack meets the images that every other attack leaves right.
    """
    x, labels = x[: trial.n_images], labels[: trial.n_images]
    answers = _Answers(sweep.model.members, len(x))
    answers.put("none", slice(None), correct(sweep.model, judge(x), labels), 0.0)
    _single_steps(answers, sweep, x, labels, trial, judge)
    progress("worst case: one step", 1, 1)
    generator = torch.Generator(x.device).manual_seed(derived_seed(trial.draw, 0))
    _show(answers, "noise", slice(None), sweep, stronger_attacks.noise(x, trial.epsilon, generator), x, labels, judge)
    if sweep.betas[0] == 0 and len(sweep.betas) > 1:
        _transfer(answers, sweep, x, labels, trial, judge)
    progress("worst case: noise and transfer", 1, 1)
    for k in range(sweep.model.members):
        _many_steps(answers, sweep, k, x, labels, trial, judge)
        progress("worst case: PGD, targets, AutoAttack", k + 1, sweep.model.members)
    values = {
        "right": (("attack", "member", "image"), answers.right),
        "change": (("attack", "member"), answers.change.astype(np.float32)),
    }
    coords = dict(attack=list(ATTACKS), epsilon=trial.epsilon)
    return grid_dataset(values, dict(beta=sweep.betas, seed=sweep.seeds), coords)


class _Answers:
    """The tables that the attacks fill, network by network."""

    def __init__(self, members: int, images: int):
        self.right = np.full((len(ATTACKS), members, images), NOT_RUN, np.uint8)
        self.change = np.full((len(ATTACKS), members), np.nan)

    def put(self, attack: str, members: Any, right: Bool[Tensor, "*lead n"], change: float, at: Any = None) -> None:
        """Enter the answers of some networks under one attack, to the images ``at`` or to all."""
        row, images = ATTACKS.index(attack), slice(None) if at is None else at.numpy(force=True)
        self.right[row, members, images] = right.numpy(force=True)
        self.change[row, members] = np.fmax(self.change[row, members], change)

    def left(self, member: int) -> np.ndarray:
        """Return True for the images that no attack so far has beaten."""
        return (self.right[:, member] != WRONG).all(0)


def _show(
    answers: _Answers,
    attack: str,
    members: Any,
    sweep: Sweep,
    moved: Images,
    x: Images,
    labels: Labels,
    judge: attacks.Front,
) -> None:
    """Put the same attacked images to some networks."""
    model = select(sweep.model, range(sweep.model.members)[members])
    answers.put(attack, members, correct(model, judge(moved), labels), float((moved - x).abs().max()))


def _single_steps(
    answers: _Answers, sweep: Sweep, x: Images, labels: Labels, trial: Trial, judge: attacks.Front
) -> None:
    """Attack by FGSM with each of three objectives; at β = 0 the total is the cross-entropy, and so are its answers."""
    networks = [select(sweep.model, [k]) for k in range(sweep.model.members)]
    fgsm = Fgsm(batch_size=trial.batch_size)
    for name in STEPS:
        for at in torch.arange(len(x)).split(trial.batch_size):
            if name == "margin":
                objective = stronger_attacks.margin(sweep.model, labels[at])
            else:
                objective = sweep.objective(name, labels[at], fgsm)
            for k, gradient in enumerate(attacks.gradients(objective, sweep.front, x[at], len(networks))):
                moved = attacks.fgsm(x[at], gradient.sign(), trial.epsilon)
                right = correct(networks[k], judge(moved), labels[at])[0]
                answers.put(name, k, right, float((moved - x[at]).abs().max()), at)
    plain = [k for k in range(len(networks)) if sweep.betas[k // len(sweep.seeds)] == 0]
    for table in (answers.right, answers.change):
        table[ATTACKS.index("total"), plain] = table[ATTACKS.index("classification"), plain]


def _transfer(answers: _Answers, sweep: Sweep, x: Images, labels: Labels, trial: Trial, judge: attacks.Front) -> None:
    """Give the networks with β > 0 the images that PGD makes for the network of their seed with β = 0."""
    for j in range(len(sweep.seeds)):
        source = select(sweep.model, [j]).requires_grad_(False)
        moved = torch.cat(list(_made_for(source, sweep.front, x, labels, trial)))
        others = slice(len(sweep.seeds) + j, None, len(sweep.seeds))
        _show(answers, "transfer", others, sweep, moved, x, labels, judge)


def _made_for(source: Any, front: attacks.Front, x: Images, labels: Labels, trial: Trial) -> Iterator[Images]:
    """Yield the images that PGD on the cross-entropy makes for one network, batch by batch."""
    for at in torch.arange(len(x)).split(trial.batch_size):
        objective = attacks.classification(source, labels[at])
        settings = targeted.step_settings(trial.epsilon, trial.steps)
        yield attacks.attack(source, front, objective, x[at], labels[at], **settings).x[0]


def _many_steps(
    answers: _Answers, sweep: Sweep, k: int, x: Images, labels: Labels, trial: Trial, judge: attacks.Front
) -> None:
    """Attack the k-th network by PGD, by multi-targeted PGD, and by AutoAttack on the images that are left."""
    network, seed = select(sweep.model, [k]).requires_grad_(False), sweep.seeds[k % len(sweep.seeds)]
    generator = torch.Generator(x.device).manual_seed(derived_seed(trial.draw, 1, seed))
    settings: dict[str, Any] = dict(epsilon=trial.epsilon, steps=trial.steps, batch_size=trial.batch_size)
    attacked = (network, sweep.front, judge, x, labels)
    answers.put("pgd", k, *targeted.pgd(*attacked, starts=trial.starts, generator=generator, **settings))
    answers.put("targeted", k, *targeted.multi_targeted(*attacked, **settings))
    at = torch.as_tensor(np.flatnonzero(answers.left(k)), device=x.device)
    if len(at):
        effort = dict(iterations=trial.iterations, queries=trial.queries, seed=derived_seed(trial.draw, 2, seed))
        found = stronger_attacks.autoattack(network, judge, x[at], labels[at], epsilon=trial.epsilon, **effort)
        answers.put("autoattack", k, found.right[-1], found.change, at)
