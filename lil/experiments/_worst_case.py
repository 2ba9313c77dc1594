"""Answers of classifiers, image by image, under every attack at one ε or several. Each experiment brings its recipe.

This module does not import the recipes, so that a change to one makes no other experiment stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lil import attacks, stronger_attacks, targeted
from lil.evaluation import Fgsm, Sweep, correct, select
from lil.experiments._common import grid_dataset
from lil.models import LIL, derived_seed
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

    epsilons: tuple[float, ...]  # the sizes of every attack
    auto_epsilons: tuple[float, ...]  # those of them at which AutoAttack, which takes long, is run
    n_images: int  # test images, the set's first
    batch_size: int = 100  # images whose pairs make the isometry term, as in training
    steps: int = 40  # of PGD, of every target's PGD, and of PGD on the network with β = 0
    starts: int = 2  # random ones of PGD on the cross-entropy
    iterations: int = 100  # of AutoAttack's APGD and FAB: the standard version's
    queries: int = 5000  # of its Square Attack: the same
    draw: int = 600  # seed of all random starts and of the noise

    def __post_init__(self):
        attacks.check_epsilons(self.epsilons)
        if not set(self.auto_epsilons) <= set(self.epsilons):
            raise ValueError(f"auto_epsilons must be among the ε, {self.epsilons}, not {self.auto_epsilons}.")
        for name in ("n_images", "batch_size", "steps", "starts", "iterations", "queries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}.")


def attack_by_everything(
    sweep: Sweep,
    x: Images,
    labels: Labels,
    trial: Trial,
    *,
    judge: attacks.Front,
    distances: Literal["inputs", "pixels"] = "inputs",
    progress: Progress,
) -> xr.Dataset:
    """Return each network's answers, image by image, under each of the ATTACKS.

    ``right`` (epsilon, attack, beta, seed, image) is RIGHT, WRONG or NOT_RUN. ``change`` (epsilon, attack, beta, seed)
    is the largest change of a pixel. Gradients go through the sweep's front, answers through ``judge``. ``distances``
    are those that the isometry term of the paper's attack compares: see :func:`lil.attacks.total`.

    The steps, noise and transferred images are put to all images. PGD and multi-targeted PGD meet the images that are
    classified correctly without attack. Images for the transfer are made for the network of the same seed with β = 0;
    that network does not meet them. AutoAttack meets the images that every other attack leaves right, at some ε.
    """
    x, labels = x[: trial.n_images], labels[: trial.n_images]
    parts = []
    for position, epsilon in enumerate(trial.epsilons):
        trials = _Trials(sweep, x, labels, trial, judge, epsilon, position)
        trials.take_single_steps(Fgsm(batch_size=trial.batch_size, distances=distances))
        trials.add_noise()
        if sweep.betas[0] == 0 and len(sweep.betas) > 1:
            trials.transfer()
        for k in range(sweep.model.members):
            trials.take_many_steps(k)
            progress(f"worst case, ε = {epsilon:.2g}", k + 1, sweep.model.members)
        values = {
            "right": (("attack", "member", "image"), trials.right),
            "change": (("attack", "member"), trials.change.astype(np.float32)),
        }
        parts.append(grid_dataset(values, dict(beta=sweep.betas, seed=sweep.seeds), dict(attack=list(ATTACKS))))
    autoattacked = [epsilon in trial.auto_epsilons for epsilon in trial.epsilons]
    return xr.concat(parts, "epsilon", join="exact").assign_coords(
        epsilon=list(trial.epsilons), autoattacked=("epsilon", autoattacked)
    )


class _Trials:
    """All attacks of one ε, and the tables that they fill: (attack, member, image) and (attack, member)."""

    def __init__(
        self, sweep: Sweep, x: Images, labels: Labels, trial: Trial, judge: attacks.Front, epsilon: float, position: int
    ):
        """``position`` is that of ε among all, so that each has draws of its own."""
        self.sweep, self.x, self.labels, self.trial, self.judge = sweep, x, labels, trial, judge
        self.epsilon, self.position = epsilon, position
        self.networks = [select(sweep.model, [k]).requires_grad_(False) for k in range(sweep.model.members)]
        self.right = np.full((len(ATTACKS), len(self.networks), len(x)), NOT_RUN, np.uint8)
        self.change = np.full((len(ATTACKS), len(self.networks)), np.nan)
        self.put("none", slice(None), correct(sweep.model, judge(x), labels), 0.0)

    def put(self, attack: str, members: Any, right: Bool[Tensor, "*lead n"], change: float, at: Any = None) -> None:
        """Enter the answers of some networks under one attack, to the images ``at`` or to all."""
        row, images = ATTACKS.index(attack), slice(None) if at is None else at.numpy(force=True)
        self.right[row, members, images] = right.numpy(force=True)
        self.change[row, members] = np.fmax(self.change[row, members], change)

    def show(self, attack: str, members: Any, moved: Images) -> None:
        """Put the same attacked images to some networks."""
        model = select(self.sweep.model, range(len(self.networks))[members])
        right = correct(model, self.judge(moved), self.labels)
        self.put(attack, members, right, float((moved - self.x).abs().max()))

    def generator(self, *stream: int) -> torch.Generator:
        """Return the generator of one attack's draws."""
        return torch.Generator(self.x.device).manual_seed(derived_seed(self.trial.draw, *stream, self.position))

    def take_single_steps(self, fgsm: Fgsm) -> None:
        """Attack by FGSM with each of three objectives.

        At β = 0 the total is the cross-entropy, and so are its answers.
        """
        for name in STEPS:
            for at in self._batches():
                x, labels = self.x[at], self.labels[at]
                if name == "margin":
                    objective = stronger_attacks.margin(self.sweep.model, labels)
                else:
                    objective = self.sweep.objective(name, labels, fgsm)
                for k, gradient in enumerate(attacks.gradients(objective, self.sweep.front, x, len(self.networks))):
                    moved = attacks.fgsm(x, gradient.sign(), self.epsilon)
                    right = correct(self.networks[k], self.judge(moved), labels)[0]
                    self.put(name, k, right, float((moved - x).abs().max()), at)
        plain = [k for k in range(len(self.networks)) if self.sweep.betas[k // len(self.sweep.seeds)] == 0]
        for table in (self.right, self.change):
            table[ATTACKS.index("total"), plain] = table[ATTACKS.index("classification"), plain]

    def add_noise(self) -> None:
        """Give all networks the same noisy images."""
        self.show("noise", slice(None), stronger_attacks.noise(self.x, self.epsilon, self.generator(0)))

    def transfer(self) -> None:
        """Give the networks with β > 0 the images that PGD makes for the network of their seed with β = 0."""
        seeds = len(self.sweep.seeds)
        for j in range(seeds):
            moved = torch.cat([self._made_for(self.networks[j], at) for at in self._batches()])
            self.show("transfer", slice(seeds + j, None, seeds), moved)

    def _batches(self) -> tuple[Int[Tensor, "some"], ...]:
        return torch.arange(len(self.x)).split(self.trial.batch_size)

    def _made_for(self, source: LIL, at: Int[Tensor, "some"]) -> Float[Tensor, "some c h w"]:
        """Return the images that PGD on the cross-entropy makes for one network."""
        objective = attacks.classification(source, self.labels[at])
        settings = targeted.step_settings(self.epsilon, self.trial.steps)
        return attacks.attack(source, self.sweep.front, objective, self.x[at], self.labels[at], **settings).x[0]

    def take_many_steps(self, k: int) -> None:
        """Attack the k-th network by PGD, by multi-targeted PGD, and by AutoAttack on the images that are left."""
        network, seed, trial = self.networks[k], self.sweep.seeds[k % len(self.sweep.seeds)], self.trial
        settings: dict[str, Any] = dict(epsilon=self.epsilon, steps=trial.steps, batch_size=trial.batch_size)
        attacked = (network, self.sweep.front, self.judge, self.x, self.labels)
        pgd = targeted.pgd(*attacked, starts=trial.starts, generator=self.generator(1, seed), **settings)
        self.put("pgd", k, *pgd)
        self.put("targeted", k, *targeted.multi_targeted(*attacked, **settings))
        at = torch.as_tensor(np.flatnonzero((self.right[:, k] != WRONG).all(0)), device=self.x.device)
        if self.epsilon in trial.auto_epsilons and len(at):
            effort: dict[str, Any] = dict(iterations=trial.iterations, queries=trial.queries, epsilon=self.epsilon)
            effort |= dict(seed=derived_seed(trial.draw, 2, seed, self.position))
            found = stronger_attacks.autoattack(network, self.judge, self.x[at], self.labels[at], **effort)
            self.put("autoattack", k, found.right[-1], found.change, at)
