"""Beyond the paper: the isometry term, its relatives and adversarial training on MNIST, matched by clean accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lil import lipschitz, stronger_attacks
from lil.attacks import check_epsilons, pixels
from lil.evaluation import FGSM, accuracy, select
from lil.experiments._common import Networks, Values, check_shared, grid_dataset, make_run
from lil.models import LIL, derived_seed
from lil.progress import Progress, silent
from lil.recipes import baselines, mnist

RECIPES = {"mnist": mnist, "public": mnist, "baselines": baselines}
PLAIN = {"lil": "plain", "lil_public": "plain_public"}  # readings of the isometry term, and their networks at β = 0
SHARED = ("dataset", "n_train", "n_test", "batch_size", "epochs", "learning_rate")  # by all recipes
TEXT, PUBLIC = mnist.FIVE, mnist.FIVE_PUBLIC
NEAR = 0.005  # clean accuracies that differ by no more, as means over seeds, count as equal


@dataclass(frozen=True)
class Config:
    mnist: mnist.Config = TEXT  # the networks: Figure 3A's, of the others' seeds alone,
    public: mnist.Config = PUBLIC  # the same in the public code's reading, with K = 10,
    baselines: baselines.Config = baselines.PAPER  # and the others
    # An ε of Figure 3 where its curves are steep; what is customary for networks not trained for it, and for MNIST
    epsilons: tuple[float, ...] = (FGSM.epsilons[3], 0.1, 0.3)
    strongest_epsilon: float = 0.1  # one of them: for AutoAttack, and for answers that are kept image by image
    n_images: int = 500  # test images, the set's first, for PGD and the constants
    n_few: int = 50  # of them, the first, for AutoAttack, which goes on with the images that PGD leaves right
    steps: int = 10  # of PGD, to begin with, from one random start
    doublings: int = 4  # of the steps and the starts in turn, at most
    iterations: int = 40  # of AutoAttack's APGD and FAB: 100 in the standard version
    queries: int = 1000  # of its Square Attack: 5000 in the standard version
    draw: int = 500  # seed of all random starts
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)  # of the constants, over the images

    def __post_init__(self):
        check_epsilons(self.epsilons)
        if self.strongest_epsilon not in self.epsilons:
            raise ValueError(f"strongest_epsilon must be one of the ε, {self.epsilons}, not {self.strongest_epsilon}.")
        if not 0 < self.n_few <= self.n_images:
            raise ValueError(f"n_few must be 1 to n_images, {self.n_images}, not {self.n_few}.")
        check_shared((self.mnist, self.public, self.baselines), *SHARED)
        if self.mnist.hidden != self.baselines.hidden:
            raise ValueError(f"the baselines' hidden layers must be {self.mnist.hidden}, not {self.baselines.hidden}.")
        for name, networks in (("mnist", self.mnist), ("public", self.public)):
            if max(networks.betas) <= 0:
                raise ValueError(f"{name}.betas must have one above 0, not {networks.betas} alone.")
        seeds = [seed for seed in self.mnist.seeds if seed in self.public.seeds]
        if not set(self.baselines.seeds) <= set(seeds):
            raise ValueError(f"the baselines' seeds must be among {seeds}, not {self.baselines.seeds}.")


PAPER = Config()
QUICK_NETWORKS = dict(mnist=mnist.QUICK, public=mnist.QUICK_PUBLIC, baselines=baselines.QUICK)
QUICK_SIZES = dict(n_images=60, n_few=20, doublings=2, iterations=5, queries=20)
QUICK = Config(**QUICK_NETWORKS, epsilons=(0.02, 0.1, 0.3), **QUICK_SIZES)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the accuracy of every network without attack and under PGD and AutoAttack, and local Lipschitz constants.

    All lie over (setting, seed). A setting has a ``method`` and a ``strength``: "lil" and "lil_public" are the isometry
    term with K = 1 and in the public code's reading, at β > 0; "plain" and "plain_public" are their networks at β = 0;
    the other methods are the baselines.

    ``clean`` is a share of all test images, ``pgd`` (…, epsilon) of the first ones. At ``strongest_epsilon``,
    ``pgd_right`` (…, image) is 1 where PGD leaves an image right, and ``strongest_right`` (…, few) where AutoAttack
    leaves it right too; ``strongest`` is the mean of the latter. ``change`` (…, epsilon) is the largest change of a
    pixel. ``local`` (…, quantile) is the largest singular value of the logits' Jacobian, over the images. ``reach``
    (…, quantile) is an image's margin, its logit less the largest other logit, divided by √2 times that value: to first
    order, the image has to move at least so far for another answer. ``local`` scales with the logits, ``reach`` not.
    """
    seeds = config.baselines.seeds
    x, labels = (part.to(device) for part in baselines.data(config.baselines, "test"))
    parts = []
    for name, recipe in RECIPES.items():
        recipe_config, settings = getattr(config, name), _settings(config, name)
        members = recipe.members(recipe_config)
        order = [members.index((*member, seed)) for _, _, member in settings for seed in seeds]
        model = select(recipe.restore(recipe_config, networks[name]), order).to(device).requires_grad_(False)
        measured = _measures(config, model, x, labels, f"attacks: {name}", progress)
        method, strength = ([setting[k] for setting in settings] for k in (0, 1))
        named = {"method": ("setting", method), "strength": ("setting", strength)}
        parts.append(grid_dataset(measured, {"setting": range(len(settings)), "seed": seeds}, named))
    coords = {
        "epsilon": list(config.epsilons),
        "quantile": list(config.quantiles),
        "strongest_epsilon": config.strongest_epsilon,
    }
    return xr.concat(parts, "setting", join="override").drop_vars("setting").assign_coords(coords)


def _settings(config: Config, name: str) -> list[tuple[str, float, tuple]]:
    """Return (method, strength, member without its seed) of each setting of a recipe's networks."""
    if name == "baselines":
        return [(*member, member) for member in baselines.methods(config.baselines)]
    reading = {"mnist": "lil", "public": "lil_public"}[name]
    return [(reading if beta else PLAIN[reading], beta, (beta,)) for beta in getattr(config, name).betas]


def _measures(
    config: Config, model: LIL, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"], label: str, progress: Progress
) -> Values:
    """Return the measures of some networks, over the dimension ``member``; seeds change fastest."""
    clean = accuracy(model, pixels(x), labels)
    x, labels = x[: config.n_images], labels[: config.n_images]
    shape = (model.members, len(config.epsilons))
    pgd, change = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    pgd_right, strongest_right, constants = [], [], []
    for k in range(model.members):
        network = select(model, [k]).requires_grad_(False)
        seed = config.baselines.seeds[k % len(config.baselines.seeds)]
        for at, epsilon in enumerate(config.epsilons):
            right, change[k, at] = _pgd(config, network, x, labels, epsilon, derived_seed(config.draw, 1, seed, at))
            pgd[k, at] = float(right.double().mean())
            if epsilon == config.strongest_epsilon:
                few, more = _autoattack(config, network, x, labels, right, derived_seed(config.draw, 2, seed, at))
                change[k, at] = max(change[k, at], more)
                pgd_right.append(right.numpy(force=True))
                strongest_right.append(few.numpy(force=True))
        constants.append(_constants(network, pixels(x), labels, config.quantiles))
        progress(label, k + 1, model.members)
    local, reach = np.stack(constants, axis=1).astype(np.float32)
    return {
        "clean": (("member",), clean),
        "pgd": (("member", "epsilon"), pgd),
        "pgd_right": (("member", "image"), np.array(pgd_right, np.int8)),
        "strongest_right": (("member", "few"), np.array(strongest_right, np.int8)),
        "strongest": (("member",), np.mean(strongest_right, axis=-1, dtype=np.float64).astype(np.float32)),
        "change": (("member", "epsilon"), change),
        "local": (("member", "quantile"), local),
        "reach": (("member", "quantile"), reach),
    }


def _pgd(
    config: Config, network: LIL, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"], epsilon: float, seed: int
) -> tuple[Bool[Tensor, "n"], float]:
    """Return True for each image that PGD leaves right, and the largest change of a pixel."""
    size = dict(epsilon=epsilon, steps=config.steps, doublings=config.doublings)
    generator = torch.Generator(x.device).manual_seed(seed)
    attacked = stronger_attacks.escalating_pgd(network, pixels, x, labels, **size, generator=generator)
    return attacked.right, attacked.change


def _autoattack(
    config: Config,
    network: LIL,
    x: Float[Tensor, "n c h w"],
    labels: Int[Tensor, "n"],
    right: Bool[Tensor, "n"],
    seed: int,
) -> tuple[Bool[Tensor, "few"], float]:
    """Return True for each of the few images that AutoAttack leaves right, of those that are ``right`` after PGD.

    The second value is the largest change of a pixel, 0 where PGD has left no image.
    """
    few = right[: config.n_few].clone()
    at = few.nonzero().squeeze(-1)
    if not len(at):
        return few, 0.0
    size = dict(epsilon=config.strongest_epsilon, iterations=config.iterations, queries=config.queries)
    attacked = stronger_attacks.autoattack(network, pixels, x[at], labels[at], **size, seed=seed)
    few[at] = attacked.right[-1]
    return few, attacked.change


def _constants(
    network: LIL, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"], quantiles: Sequence[float]
) -> Float[np.ndarray, "two q"]:
    """Return quantiles over the images of one network's local constant, and of its margin in units of √2 of it."""
    double = select(network, [0]).double().requires_grad_(False)
    points = x.double()[None]
    local = lipschitz.local_jacobian(double, points)
    margin = -stronger_attacks.margin(double, labels)(points, points[..., None, None])
    values = torch.cat([local, margin / (2**0.5 * local)])
    return torch.quantile(values, local.new_tensor(quantiles), dim=-1).T.numpy(force=True)


# The comparison on the page


def match(result: xr.Dataset, reading: str, beta: float | None = None) -> xr.Dataset:
    """Return the comparison with one ``reading`` of the isometry term, "lil" or "lil_public": one setting a method.

    The reference is the reading at ``beta``; without it at that β > 0 which keeps most accuracy under PGD, as a mean
    over ε and seeds. So robust accuracy chooses in favour of the isometry term alone. Each other method is represented
    by the setting whose clean accuracy, as a mean over seeds, is nearest to the reference's. The plain networks are
    those of the reading. ``gap`` (setting, seed) is the clean accuracy less the reference's; ``near`` is True where its
    mean is at most :data:`NEAR`. Raises KeyError where the reading has no such β.
    """
    clean, pgd = (
        result[name].astype(float).mean(rest) for name, rest in (("clean", "seed"), ("pgd", ("seed", "epsilon")))
    )
    others = [plain for name, plain in PLAIN.items() if name != reading]
    methods = [name for name in dict.fromkeys(result.method.values.tolist()) if name not in others]
    where = {name: np.flatnonzero(result.method == name) for name in methods}
    own = where[reading]
    if beta is not None and beta not in result.strength.values[own]:
        raise KeyError(
            f"{reading} has no β = {beta:g}: it has {', '.join(f'{b:g}' for b in result.strength.values[own])}."
        )
    best = own[pgd.values[own].argmax()] if beta is None else own[result.strength.values[own] == beta].item()
    apart = abs(clean.values - clean.values[best])
    chosen = [best if name == reading else each[apart[each].argmin()] for name, each in where.items()]
    gap = result.clean.astype(float) - result.clean.isel(setting=best, drop=True).astype(float)
    matched = result.isel(setting=chosen).assign(gap=gap.isel(setting=chosen).drop_vars(("method", "strength")))
    return matched.assign(near=abs(matched.gap.mean("seed")) <= NEAR + 1e-7).assign_attrs(reading=reading)


def match_each(result: xr.Dataset) -> list[xr.Dataset]:
    """Return the comparison (:func:`match`) with each β > 0 of both readings."""
    betas = {reading: result.strength.values[result.method == reading] for reading in PLAIN}
    return [match(result, reading, float(beta)) for reading in PLAIN for beta in betas[reading]]


run = make_run(RECIPES, evaluate)
