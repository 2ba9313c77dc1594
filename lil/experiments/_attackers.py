"""Figure 3's classifiers under stronger attackers, for two data sets. Each experiment brings its recipe.

This module does not import the recipes, so that a change to one makes no other experiment stale.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lil import attacks, stronger_attacks
from lil.evaluation import FGSM, Fgsm, Sweep, correct, predict, select
from lil.experiments._common import grid_dataset
from lil.experiments._sweeps import load_sweep
from lil.models import LIL, derived_seed
from lil.progress import Progress
from lil.stronger_attacks import AutoAttacked, Escalated, autoattack, converged, escalating_pgd

ATTACKS = ("total", "classification", "margin", "pgd", "autoattack", "noise")
PRECISIONS = ("float32", "float64")

Images = Float[Tensor, "n c h w"]
Labels = Int[Tensor, "n"]


@dataclass(frozen=True)
class View:
    """Settings of the attackers. The seeds of their draws are derived from ``draw``."""

    more_epsilons: tuple[float, ...]  # beside the paper's ten: what others attack this data set with
    auto_epsilons: tuple[float, ...]  # those of all ε at which AutoAttack, which takes long, is run
    n_images: int  # test images, the set's first
    n_few: int  # of them, the first: for AutoAttack and what stands beside it
    epsilons: tuple[float, ...] = FGSM.epsilons  # the paper's ten
    batch_size: int = 100  # images whose pairs make the isometry term, as in training
    steps: int = 10  # of PGD, to begin with, from one random start
    doublings: int = 8  # of the steps and the starts in turn, at most
    transfer_steps: int = 40  # of PGD on the network with β = 0
    iterations: int = 100  # of AutoAttack's APGD and FAB: the standard version's
    queries: int = 5000  # of its Square Attack: the same
    draw: int = 400  # seed of all random starts and noise

    def __post_init__(self):
        epsilons = self.all_epsilons
        attacks.check_epsilons(epsilons)
        if not set(self.auto_epsilons) <= set(epsilons):
            raise ValueError(f"auto_epsilons must be among the ε, {epsilons}, not {self.auto_epsilons}.")
        if not 0 < self.n_few < self.n_images:
            raise ValueError(f"n_few must be greater than 0 and less than n_images, {self.n_images}, not {self.n_few}.")
        if self.doublings < 2:
            raise ValueError(f"doublings must be at least 2, of the steps and of the starts, not {self.doublings}.")

    @property
    def all_epsilons(self) -> tuple[float, ...]:
        """Every ε, rising."""
        return tuple(sorted({*self.epsilons, *self.more_epsilons}))


def attack_by_all(
    recipe: ModuleType, settings: Any, networks: dict[str, Tensor], view: View, *, device: str, progress: Progress
) -> xr.Dataset:
    """Return the accuracy of each network under each attack.

    ``clean`` and ``accuracy`` (images, attack, beta, seed, epsilon) are shares of the first images, all and few;
    AutoAttack has the few alone, and some ε. ``transferred`` is the accuracy on images made for the network of the same
    seed with β = 0, NaN for that network itself. ``after_stage`` is the accuracy after each of AutoAttack's stages.
    ``trace`` (beta, seed, epsilon, rung) is PGD's accuracy after each attempt, and constant from the last one on; an
    attempt has ``steps`` and ``starts``. ``settled`` is 1 where PGD has :func:`lil.stronger_attacks.converged`.

    Measures of the attacks' health: ``change``, the largest change of a pixel; ``zero_gradient``, the share of images
    whose cross-entropy has gradient 0 at the networks' inputs, by precision; and ``turned``, the share of these
    gradients' signs that differ between the precisions.
    """
    sweep, x, labels = load_sweep(recipe, settings, networks, device=device)
    x, labels = x[: view.n_images], labels[: view.n_images]
    members, epsilons = sweep.model.members, view.all_epsilons
    tables = _Tables(view, members)
    _single_steps(tables, sweep, x, labels)
    progress("attackers: one step", 1, 1)
    _noise(tables, sweep, x, labels)
    if sweep.betas[0] == 0 and len(sweep.betas) > 1:
        _transfer(tables, sweep, x, labels)
    progress("attackers: noise and transfer", 1, 1)
    for k in range(members):
        _many_steps(tables, sweep, k, x, labels)
        progress("attackers: PGD and AutoAttack", k + 1, members)
    zero, turned = _precision(sweep, x, labels)
    values = {
        "clean": (("images", "member"), shares(correct(sweep.model, sweep.front(x), labels), view.n_few)),
        "accuracy": (("images", "attack", "member", "epsilon"), tables.accuracy),
        "transferred": (("images", "member", "epsilon"), tables.transferred),
        "after_stage": (("stage", "member", "epsilon"), tables.after_stage),
        "trace": (("member", "epsilon", "rung"), tables.trace),
        "settled": (("member", "epsilon"), tables.settled),
        "change": (("attack", "member", "epsilon"), tables.change),
        "zero_gradient": (("precision", "member"), zero),
        "turned": (("member",), turned),
    }
    attempts = list(stronger_attacks.schedule(view.steps, view.doublings))
    coords = {
        "images": [len(x), view.n_few],
        "attack": list(ATTACKS),
        "epsilon": list(epsilons),
        "precision": list(PRECISIONS),
        "stage": list(stronger_attacks.STAGES),
        "in_paper": ("epsilon", [epsilon in view.epsilons for epsilon in epsilons]),
        "steps": ("rung", [attempt.steps for attempt in attempts]),
        "starts": ("rung", [attempt.starts for attempt in attempts]),
    }
    values = {name: (dims, array.astype(np.float32)) for name, (dims, array) in values.items()}
    return grid_dataset(values, dict(beta=sweep.betas, seed=sweep.seeds), coords)


def attack_by_pgd_and_autoattack(
    view: View, network: LIL, front: attacks.Front, x: Images, labels: Labels, epsilon: float, position: int, seed: int
) -> tuple[Escalated, AutoAttacked | None]:
    """Attack one network: all images by PGD, and at some ε the few by AutoAttack. ``position`` is that of ε.

    The starts are those of the network's ``seed``.
    """
    generator = torch.Generator(x.device).manual_seed(derived_seed(view.draw, 1, seed, position))
    settings = dict(epsilon=epsilon, steps=view.steps, doublings=view.doublings, generator=generator)
    pgd = escalating_pgd(network, front, x, labels, **settings)
    if epsilon not in view.auto_epsilons:
        return pgd, None
    settings = dict(epsilon=epsilon, iterations=view.iterations, queries=view.queries)
    few, seed = slice(view.n_few), derived_seed(view.draw, 2, seed, position)
    return pgd, autoattack(network, front, x[few], labels[few], seed=seed, **settings)


def shares(right: Bool[Tensor, "*lead n"], n_few: int) -> Float[np.ndarray, "two *lead"]:
    """Return the share of correct predictions, of all images and of the few."""
    return np.stack([part.double().mean(-1).numpy(force=True) for part in (right, right[..., :n_few])])


class _Tables:
    """The tables that the attacks fill, member by member and ε by ε; NaN where an attack is not run."""

    def __init__(self, view: View, members: int):
        self.view = view
        member = (members, len(view.all_epsilons))
        self.accuracy = np.full((2, len(ATTACKS), *member), np.nan)
        self.transferred = np.full((2, *member), np.nan)
        self.change = np.full((len(ATTACKS), *member), np.nan)
        self.after_stage = np.full((len(stronger_attacks.STAGES), *member), np.nan)
        self.trace = np.full((*member, view.doublings + 1), np.nan)
        self.settled = np.full(member, np.nan)

    def put(self, attack: str, where: tuple, right: Bool[Tensor, "*lead n"], change: Any) -> None:
        """Enter the predictions under one attack for some networks and ε, and the largest change of a pixel."""
        self.accuracy[:, ATTACKS.index(attack), *where] = shares(right, self.view.n_few)
        self.change[ATTACKS.index(attack), *where] = change


def _single_steps(tables: _Tables, sweep: Sweep, x: Images, labels: Labels) -> None:
    """Attack by FGSM with each of three objectives; at β = 0 the total is the cross-entropy, and so are its results."""
    view, networks = tables.view, [select(sweep.model, [k]) for k in range(sweep.model.members)]
    epsilons, fgsm = x.new_tensor(view.all_epsilons).view(-1, 1, 1, 1, 1), Fgsm(batch_size=view.batch_size)
    for name in ("total", "classification", "margin"):
        right = torch.empty(len(networks), len(epsilons), len(x), dtype=torch.bool)
        change = torch.zeros(len(networks), len(epsilons))
        for at in torch.arange(len(x)).split(view.batch_size):
            if name == "margin":
                objective = stronger_attacks.margin(sweep.model, labels[at])
            else:
                objective = sweep.objective(name, labels[at], fgsm)
            for k, gradient in enumerate(attacks.gradients(objective, sweep.front, x[at], len(networks))):
                moved = attacks.fgsm(x[at], gradient.sign(), epsilons)
                right[k, :, at] = (predict(networks[k], sweep.front, moved) == labels[at]).cpu()
                change[k] = torch.maximum(change[k], (moved - x[at]).abs().flatten(1).amax(1).cpu())
        tables.put(name, (slice(None), slice(None)), right, change)
    plain = [k for k in range(len(networks)) if sweep.betas[k // len(sweep.seeds)] == 0]
    for table in (tables.accuracy, tables.change):
        table[..., ATTACKS.index("total"), plain, :] = table[..., ATTACKS.index("classification"), plain, :]


def _noise(tables: _Tables, sweep: Sweep, x: Images, labels: Labels) -> None:
    """Give all networks the same noisy images."""
    for position, epsilon in enumerate(tables.view.all_epsilons):
        generator = torch.Generator(x.device).manual_seed(derived_seed(tables.view.draw, 0, position))
        moved = stronger_attacks.noise(x, epsilon, generator)
        right = correct(sweep.model, sweep.front(moved), labels)
        tables.put("noise", (slice(None), position), right, float((moved - x).abs().max()))


def _transfer(tables: _Tables, sweep: Sweep, x: Images, labels: Labels) -> None:
    """Give the networks with β > 0 the images that PGD makes for the network of their seed with β = 0."""
    steps, n_seeds = tables.view.transfer_steps, len(sweep.seeds)
    for j in range(n_seeds):
        others = slice(n_seeds + j, None, n_seeds)
        targets = select(sweep.model, range(sweep.model.members)[others])
        source = select(sweep.model, [j]).requires_grad_(False)
        objective = attacks.classification(source, labels)
        for position, epsilon in enumerate(tables.view.all_epsilons):
            size = dict(epsilon=epsilon, step_size=2.5 * epsilon / steps, steps=steps)
            moved = attacks.attack(source, sweep.front, objective, x, labels, **size).x[0]
            right = correct(targets, sweep.front(moved), labels)
            tables.transferred[:, others, position] = shares(right, tables.view.n_few)


def _many_steps(tables: _Tables, sweep: Sweep, k: int, x: Images, labels: Labels) -> None:
    """Attack the k-th network by PGD, and by AutoAttack where it is asked for."""
    network, seed = select(sweep.model, [k]).requires_grad_(False), sweep.seeds[k % len(sweep.seeds)]
    for position, epsilon in enumerate(tables.view.all_epsilons):
        attacked = (tables.view, network, sweep.front, x, labels)
        pgd, auto = attack_by_pgd_and_autoattack(*attacked, epsilon, position, seed)
        tables.put("pgd", (k, position), pgd.right, pgd.change)
        tables.settled[k, position] = converged(pgd.trace)
        tables.trace[k, position, : len(pgd.trace)] = np.array(pgd.trace) / len(x)
        tables.trace[k, position, len(pgd.trace) :] = pgd.trace[-1] / len(x)
        if auto is not None:
            where, after = ATTACKS.index("autoattack"), auto.right.double().mean(-1).numpy(force=True)
            tables.after_stage[:, k, position] = after
            tables.accuracy[1, where, k, position], tables.change[where, k, position] = after[-1], auto.change


def _precision(
    sweep: Sweep, x: Images, labels: Labels
) -> tuple[Float[np.ndarray, "precisions m"], Float[np.ndarray, "m"]]:
    """Return the share of images without a gradient at the networks' inputs, by precision; and of signs that differ."""
    with torch.no_grad():
        inputs = sweep.front(x)
    gradients = []
    for model, at in ((sweep.model, inputs), (copy.deepcopy(sweep.model).double(), inputs.double())):
        points = at.expand(model.members, -1, -1).clone().requires_grad_()
        losses = attacks.classification(model, labels)(points, points[..., None, None])
        gradients.append(torch.autograd.grad(losses.sum(), points)[0])
    zero = [(gradient == 0).all(-1).double().mean(-1).numpy(force=True) for gradient in gradients]
    turned = (gradients[0].sign() != gradients[1].sign()).double().mean((1, 2)).numpy(force=True)
    return np.stack(zero), turned
