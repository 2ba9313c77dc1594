"""One question put to classifiers of two data sets: what a better attacker leaves of Figure 3. Each brings its recipe.

This module does not import the recipes, so that a change to one makes nothing of the other stale.
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
from lil.evaluation import Fgsm, Sweep, predict, select
from lil.models import LIL
from lil.progress import Progress
from lil.randomness import derived_seed

ATTACKS = ("total", "classification", "margin", "pgd", "autoattack", "noise")
SINGLE_STEPS = ATTACKS[:3]
PRECISIONS = ("float32", "float64")

# Training and attacks follow signs that the last digit of a sum can change. What is transferred is not compared: a
# network alone, which is what an affirmation computes, has none with β = 0 beside it.
BANDS = {
    "clean": 0.02,
    "accuracy": 0.08,
    "transferred": np.inf,
    "after_stage": 0.08,
    "trace": 0.08,
    "settled": 1.0,
    "zero_gradient": 1.0,
    "turned": 1.0,
    "change": 1e-6,
}


@dataclass(frozen=True)
class View:
    """How the attackers see the networks. The seeds of their draws are derived from ``draw``."""

    more_epsilons: tuple[float, ...]  # beside the paper's ten: what others attack this data set with
    auto_epsilons: tuple[float, ...]  # those of all ε at which AutoAttack, which takes long, is run
    n_images: int  # test images, the set's first
    n_few: int  # of them, the first: for AutoAttack and what stands beside it
    epsilons: tuple[float, ...] = Fgsm().epsilons  # the paper's ten
    batch_size: int = 100  # images whose pairs make the isometry term, as in training
    steps: int = 10  # of PGD, to begin with, from one random start
    doublings: int = 8  # of the steps and the starts in turn, at most
    transfer_steps: int = 40  # of PGD on the network with β = 0
    iterations: int = 100  # of AutoAttack's APGD and FAB: the standard version's
    queries: int = 5000  # of its Square Attack: the same
    draw: int = 400  # seed of all random starts and noise

    def __post_init__(self):
        attacks.check_epsilons(self.all_epsilons)
        if not set(self.auto_epsilons) <= set(self.all_epsilons):
            raise ValueError(f"auto_epsilons must be among the ε, {self.all_epsilons}, not {self.auto_epsilons}.")
        if self.doublings < 2:
            raise ValueError(f"doublings must be at least 2, of the steps and of the starts, not {self.doublings}.")
        if not 0 < self.n_few < self.n_images:
            raise ValueError(f"n_few must be greater than 0 and less than n_images, {self.n_images}, not {self.n_few}.")

    @property
    def all_epsilons(self) -> tuple[float, ...]:
        """Every ε, rising."""
        return tuple(sorted({*self.epsilons, *self.more_epsilons}))


def attacked(
    recipe: ModuleType, settings: Any, networks: dict[str, Tensor], view: View, *, device: str, progress: Progress
) -> xr.Dataset:
    """What each attacker leaves of each network's accuracy.

    ``clean`` and ``accuracy`` (images, attack, beta, seed, epsilon) are shares of the first so many images; AutoAttack
    has only the few, and only some ε. ``transferred`` is the accuracy on images that were made for the network of the
    same seed with β = 0, NaN for that one itself. ``after_stage`` is what AutoAttack has left after each of its four
    attacks. ``trace`` (beta, seed, epsilon, rung) is PGD's accuracy after each attempt (``steps`` and ``starts`` of a
    rung), constant from where it stopped; ``settled`` says whether doubling had stopped changing anything by then.

    Beside them stands the attacks' health: ``change``, the largest of a pixel; ``zero_gradient``, the share of images
    whose cross-entropy has gradient 0 at the networks' inputs, by precision; and ``turned``, the share of these
    gradients' signs that differ between the precisions.
    """
    model = recipe.restore(settings, networks).to(device).requires_grad_(False)
    sweep = Sweep(model, recipe.front(settings, device=device), settings.betas, settings.seeds, settings.scale)
    x, labels = (part[: view.n_images].to(device) for part in recipe.data(settings, "test"))

    found = _Found(view, model.members, len(x))
    _single_steps(found, sweep, x, labels)
    progress("attackers: one step", 1, 1)
    _noise(found, sweep, x, labels)
    if sweep.betas[0] == 0 and len(sweep.betas) > 1:
        _transfer(found, sweep, x, labels)
    progress("attackers: noise and transfer", 1, 1)
    for k in range(model.members):
        _many_steps(found, sweep, k, x, labels)
        progress("attackers: PGD and AutoAttack", k + 1, model.members)
    zero, turned = _precision(sweep, x, labels)
    clean = _shares(_right(model, sweep.front, x, labels), view)
    member, epsilon = ("beta", "seed"), ("beta", "seed", "epsilon")
    values = {
        "clean": (("images", *member), clean.reshape(2, *sweep.grid)),
        "accuracy": (("images", "attack", *epsilon), found.accuracy.reshape(2, len(ATTACKS), *sweep.grid, -1)),
        "transferred": (("images", *epsilon), found.transferred.reshape(2, *sweep.grid, -1)),
        "after_stage": (("stage", *epsilon), found.after_stage.reshape(len(stronger_attacks.STAGES), *sweep.grid, -1)),
        "trace": ((*epsilon, "rung"), found.trace.reshape(*sweep.grid, *found.trace.shape[1:])),
        "settled": (epsilon, found.settled.reshape(*sweep.grid, -1)),
        "change": (("attack", *epsilon), found.change.reshape(len(ATTACKS), *sweep.grid, -1)),
        "zero_gradient": (("precision", *member), zero.reshape(2, *sweep.grid)),
        "turned": (member, turned.reshape(sweep.grid)),
    }
    rungs = list(stronger_attacks.ladder(view.steps, view.doublings))
    return xr.Dataset(
        {name: (dims, array.astype(np.float32)) for name, (dims, array) in values.items()},
        coords={
            "images": [len(x), view.n_few],
            "attack": list(ATTACKS),
            "beta": list(sweep.betas),
            "seed": list(sweep.seeds),
            "epsilon": list(view.all_epsilons),
            "precision": list(PRECISIONS),
            "stage": list(stronger_attacks.STAGES),
            "in_paper": ("epsilon", [epsilon in view.epsilons for epsilon in view.all_epsilons]),
            "steps": ("rung", [rung.steps for rung in rungs]),
            "starts": ("rung", [rung.starts for rung in rungs]),
        },
    )


class _Found:
    """The tables that the attacks fill, member by member and ε by ε; NaN where an attack is not run."""

    def __init__(self, view: View, members: int, n: int):
        self.view = view
        lead = (len(ATTACKS), members, len(view.all_epsilons))
        self.accuracy = np.full((2, *lead), np.nan)
        self.transferred = np.full((2, *lead[1:]), np.nan)
        self.change = np.full(lead, np.nan)
        self.after_stage = np.full((len(stronger_attacks.STAGES), *lead[1:]), np.nan)
        self.trace = np.full((*lead[1:], view.doublings + 1), np.nan)
        self.settled = np.full(lead[1:], np.nan)

    def put(
        self, attack: str, member: int | slice, epsilon: int | slice, right: Bool[Tensor, "*lead n"], change: Any
    ) -> None:
        """What one attack has left of some networks at some ε, and the largest change that it has made."""
        which = ATTACKS.index(attack)
        self.accuracy[:, which, member, epsilon] = _shares(right, self.view)
        self.change[which, member, epsilon] = change


def _shares(right: Bool[Tensor, "*lead n"], view: View) -> Float[np.ndarray, "two *lead"]:
    """Of all images, and of the few."""
    return np.stack([part.double().mean(-1).numpy(force=True) for part in (right, right[..., : view.n_few])])


def _single_steps(found: _Found, sweep: Sweep, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"]) -> None:
    """FGSM with each of the three objectives; at β = 0 the total's is the cross-entropy's, and so are its results."""
    view, networks = found.view, [select(sweep.model, [k]) for k in range(sweep.model.members)]
    epsilons = x.new_tensor(view.all_epsilons).view(-1, 1, 1, 1, 1)
    for name in SINGLE_STEPS:
        right = torch.empty(len(networks), len(epsilons), len(x), dtype=torch.bool)
        change = torch.zeros(len(networks), len(epsilons))
        for at in torch.arange(len(x)).split(view.batch_size):
            objective = _objective(name, sweep, labels[at], view)
            gradients = attacks.gradients(objective, sweep.front, x[at], len(networks))
            for k, gradient in enumerate(gradients):
                moved = attacks.fgsm(x[at], gradient.sign(), epsilons)
                right[k, :, at] = (predict(networks[k], sweep.front, moved) == labels[at]).cpu()
                change[k] = torch.maximum(change[k], (moved - x[at]).abs().flatten(1).amax(1).cpu())
        found.put(name, slice(None), slice(None), right, change)
    without = [k for k in range(len(networks)) if sweep.betas[k // len(sweep.seeds)] == 0]
    for table in (found.accuracy, found.change):
        table[..., ATTACKS.index("total"), without, :] = table[..., ATTACKS.index("classification"), without, :]


def _objective(name: str, sweep: Sweep, labels: Int[Tensor, "n"], view: View) -> attacks.Objective:
    if name == "margin":
        return stronger_attacks.margin(sweep.model, labels)
    return sweep.objective(name, labels, Fgsm(batch_size=view.batch_size))


def _noise(found: _Found, sweep: Sweep, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"]) -> None:
    """The same noisy images for all networks."""
    for position, epsilon in enumerate(found.view.all_epsilons):
        generator = torch.Generator(x.device).manual_seed(derived_seed(found.view.draw, 0, position))
        moved = stronger_attacks.noise(x, epsilon, generator)
        right = _right(sweep.model, sweep.front, moved, labels)
        found.put("noise", slice(None), position, right, float((moved - x).abs().max()))


def _transfer(found: _Found, sweep: Sweep, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"]) -> None:
    """Images made by PGD for the network with β = 0, shown to the others of its seed."""
    steps, n_seeds = found.view.transfer_steps, len(sweep.seeds)
    for j in range(n_seeds):
        others = slice(n_seeds + j, None, n_seeds)
        targets = select(sweep.model, range(sweep.model.members)[others])
        source = select(sweep.model, [j]).requires_grad_(False)
        objective = attacks.classification(source, labels)
        for position, epsilon in enumerate(found.view.all_epsilons):
            moved = attacks.attack(
                source, sweep.front, objective, x, labels, epsilon=epsilon, step_size=2.5 * epsilon / steps, steps=steps
            ).x[0]
            found.transferred[:, others, position] = _shares(_right(targets, sweep.front, moved, labels), found.view)


def _many_steps(found: _Found, sweep: Sweep, k: int, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"]) -> None:
    """PGD, and AutoAttack where it is asked for, on one network; the starts are those of its seed."""
    view, seed = found.view, sweep.seeds[k % len(sweep.seeds)]
    network = select(sweep.model, [k]).requires_grad_(False)
    few, few_labels = x[: view.n_few], labels[: view.n_few]
    for position, epsilon in enumerate(view.all_epsilons):
        generator = torch.Generator(x.device).manual_seed(derived_seed(view.draw, 1, seed, position))
        pgd = stronger_attacks.climb(
            network,
            sweep.front,
            x,
            labels,
            epsilon=epsilon,
            steps=view.steps,
            doublings=view.doublings,
            generator=generator,
        )
        found.put("pgd", k, position, pgd.right, pgd.change)
        found.settled[k, position] = stronger_attacks.settled(pgd.trace)
        found.trace[k, position, : len(pgd.trace)] = np.array(pgd.trace) / len(x)
        found.trace[k, position, len(pgd.trace) :] = pgd.trace[-1] / len(x)
        if epsilon in view.auto_epsilons:
            auto = stronger_attacks.autoattack(
                network,
                sweep.front,
                few,
                few_labels,
                epsilon=epsilon,
                iterations=view.iterations,
                queries=view.queries,
                seed=derived_seed(view.draw, 2, seed, position),
            )
            found.after_stage[:, k, position] = auto.right.double().mean(-1).numpy(force=True)
            found.accuracy[1, ATTACKS.index("autoattack"), k, position] = found.after_stage[-1, k, position]
            found.change[ATTACKS.index("autoattack"), k, position] = auto.change


def _right(
    model: LIL, front: attacks.Front, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"]
) -> Bool[Tensor, "m n"]:
    with torch.no_grad():
        return model(front(x)).argmax(-1) == labels


def _precision(
    sweep: Sweep, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"]
) -> tuple[Float[np.ndarray, "precisions m"], Float[np.ndarray, "m"]]:
    """The share of images without a gradient at the networks' inputs, by precision; and of signs that differ."""
    with torch.no_grad():
        inputs = sweep.front(x)
    gradients = []
    for model, at in ((sweep.model, inputs), (copy.deepcopy(sweep.model).double(), inputs.double())):
        each = at.expand(model.members, -1, -1).clone().requires_grad_()
        losses = attacks.classification(model, labels)(each, each[..., None, None])
        gradients.append(torch.autograd.grad(losses.sum(), each)[0])
    zero = [(gradient == 0).all(-1).double().mean(-1).numpy(force=True) for gradient in gradients]
    turned = (gradients[0].sign() != gradients[1].sign()).double().mean((1, 2)).numpy(force=True)
    return np.stack(zero), turned
