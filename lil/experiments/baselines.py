"""Beyond the paper: the isometry term, its relatives and adversarial training on MNIST, at like clean accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from lil import attacks, lipschitz, stronger_attacks
from lil.evaluation import Fgsm, accuracy, select
from lil.models import LIL
from lil.progress import Progress, silent
from lil.randomness import derived_seed
from lil.recipes import baselines, mnist

RECIPES = {"mnist": mnist, "baselines": baselines}
ATTACKS = ("pgd", "autoattack")
SHARED = ("dataset", "n_train", "n_test", "hidden", "batch_size", "epochs", "learning_rate")  # by both recipes
NEAR = 0.01  # clean accuracies that differ by no more count as equal

# Training and attacks follow signs that the last digit of a sum can change; an image of the few is 2 % of an accuracy.
_BANDS = {"clean": 0.02, "accuracy": 0.08, "local": 0.2, "reach": 0.2, "change": 1e-6}
BANDS = _BANDS | {f"lil_{name}": band for name, band in _BANDS.items()}


@dataclass(frozen=True)
class Config:
    mnist: mnist.Config = mnist.reading("text")  # the networks: Figure 3A's, of the others' seeds alone,
    baselines: baselines.Config = baselines.PAPER  # and the others
    # An ε of Figure 3 where its curves are steep; what is customary for networks not trained for it, and for MNIST
    epsilons: tuple[float, ...] = (Fgsm().epsilons[3], 0.1, 0.3)
    auto_epsilons: tuple[float, ...] = (0.1,)  # those of them at which AutoAttack, which takes long, is run
    n_images: int = 500  # test images, the set's first, for PGD and the constants
    n_few: int = 50  # of them, the first, for AutoAttack
    steps: int = 10  # of PGD, to begin with, from one random start
    doublings: int = 4  # of the steps and the starts in turn, at most
    iterations: int = 100  # of AutoAttack's APGD and FAB: the standard version's
    queries: int = 5000  # of its Square Attack: the same
    draw: int = 500  # seed of all random starts
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)  # of what is measured at each image

    def __post_init__(self):
        attacks.check_epsilons(self.epsilons)
        if not set(self.auto_epsilons) <= set(self.epsilons):
            raise ValueError(f"auto_epsilons must be among the ε, {self.epsilons}, not {self.auto_epsilons}.")
        if not 0 < self.n_few < self.n_images:
            raise ValueError(f"n_few must be greater than 0 and less than n_images, {self.n_images}, not {self.n_few}.")
        for name in SHARED:
            ours, theirs = getattr(self.mnist, name), getattr(self.baselines, name)
            if ours != theirs:
                raise ValueError(f"networks that are compared must share their {name}, not have {ours} and {theirs}.")
        if not set(self.baselines.seeds) <= set(self.mnist.seeds):
            raise ValueError(f"the baselines' seeds must be among {self.mnist.seeds}, not {self.baselines.seeds}.")


PAPER = Config()
QUICK = Config(
    mnist=mnist.QUICK,
    baselines=baselines.QUICK,
    epsilons=(0.02, 0.1, 0.3),
    auto_epsilons=(0.1,),
    n_images=60,
    n_few=20,
    doublings=2,
    iterations=5,
    queries=20,
)


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """Accuracy without attack, under PGD and under AutoAttack, and local Lipschitz constants of every network.

    The baselines' lie over (setting, seed), a setting having a ``method`` and a ``strength``; those of the networks
    with the isometry term have ``lil_`` before their names and lie over (beta, seed). :func:`every` puts them together.

    ``clean`` is a share of all test images. ``accuracy`` (images, attack, …, epsilon) is a share of the first so many;
    AutoAttack has only the few, and only some ε. ``change`` (attack, …, epsilon) is the largest of a pixel.
    ``local`` (…, quantile) is the largest singular value of the logits' Jacobian, over the images. ``reach``
    (…, quantile) is an image's margin, its logit less the largest other, divided by √2 times that value: by how much
    the image has to move, to first order and at least, for another answer. The one scales with the logits, the other
    does not.
    """
    seeds = config.baselines.seeds
    plain = mnist.restore(config.mnist, networks["mnist"])
    there = mnist.members(config.mnist)
    order = [there.index((beta, seed)) for beta in config.mnist.betas for seed in seeds]
    models = {
        "lil_": (select(plain, order), ("beta", "seed"), (len(config.mnist.betas), len(seeds))),
        "": (
            baselines.restore(config.baselines, networks["baselines"]),
            ("setting", "seed"),
            (len(baselines.methods(config.baselines)), len(seeds)),
        ),
    }
    x, labels = (part.to(device) for part in baselines.data(config.baselines, "test"))
    values = {}
    for prefix, (model, dims, grid) in models.items():
        measured = _measures(config, model.to(device).requires_grad_(False), x, labels, f"attacks: {dims[0]}", progress)
        for name, (before, array, after) in measured.items():
            lead = array.shape[: len(before)]
            array = array.reshape(*lead, *grid, *array.shape[len(before) + 1 :]).astype(np.float32)
            values[prefix + name] = ((*before, *dims, *after), array)
    methods, strengths = zip(*baselines.methods(config.baselines), strict=True)
    return xr.Dataset(
        values,
        coords={
            "method": ("setting", list(methods)),
            "strength": ("setting", list(strengths)),
            "beta": list(config.mnist.betas),
            "seed": list(seeds),
            "epsilon": list(config.epsilons),
            "attack": list(ATTACKS),
            "images": [min(config.n_images, len(x)), config.n_few],
            "quantile": list(config.quantiles),
        },
    )


def _measures(
    config: Config, model: LIL, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"], label: str, progress: Progress
) -> dict[str, tuple[tuple[str, ...], np.ndarray, tuple[str, ...]]]:
    """What is measured of some networks: the dimensions before that of the networks, the array, those after it."""
    clean = accuracy(model, mnist.flatten(x), labels).numpy(force=True)
    x, labels = x[: config.n_images], labels[: config.n_images]
    right = np.full((2, len(ATTACKS), model.members, len(config.epsilons)), np.nan)
    change = np.full(right.shape[1:], np.nan)
    for k in range(model.members):
        seed = config.baselines.seeds[k % len(config.baselines.seeds)]
        for position, epsilon in enumerate(config.epsilons):
            right[..., k, position], change[:, k, position] = _attacked(
                config, select(model, [k]).requires_grad_(False), x, labels, epsilon, seed=seed
            )
        progress(label, k + 1, model.members)
    local, reach = _constants(config, model, mnist.flatten(x), labels)
    return {
        "clean": ((), clean, ()),
        "accuracy": (("images", "attack"), right, ("epsilon",)),
        "change": (("attack",), change, ("epsilon",)),
        "local": ((), local, ("quantile",)),
        "reach": ((), reach, ("quantile",)),
    }


def _attacked(
    config: Config, network: LIL, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"], epsilon: float, *, seed: int
) -> tuple[Float[np.ndarray, "two attacks"], Float[np.ndarray, "attacks"]]:
    """Of all images and of the few, what each attack leaves of one network; and the largest change of a pixel."""
    position = config.epsilons.index(epsilon)
    pgd = stronger_attacks.climb(
        network,
        mnist.flatten,
        x,
        labels,
        epsilon=epsilon,
        steps=config.steps,
        doublings=config.doublings,
        generator=torch.Generator(x.device).manual_seed(derived_seed(config.draw, 1, seed, position)),
    )
    shares = np.full((2, len(ATTACKS)), np.nan)
    shares[:, 0] = [float(part.double().mean()) for part in (pgd.right, pgd.right[: config.n_few])]
    changes = np.array([pgd.change, np.nan])
    if epsilon in config.auto_epsilons:
        auto = stronger_attacks.autoattack(
            network,
            mnist.flatten,
            x[: config.n_few],
            labels[: config.n_few],
            epsilon=epsilon,
            iterations=config.iterations,
            queries=config.queries,
            seed=derived_seed(config.draw, 2, seed, position),
        )
        shares[1, 1], changes[1] = float(auto.right[-1].double().mean()), auto.change
    return shares, changes


def _constants(
    config: Config, model: LIL, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"]
) -> tuple[Float[np.ndarray, "m q"], Float[np.ndarray, "m q"]]:
    """Quantiles over the images of the local constant of the logits, and of the margin in units of √2 of it."""
    double = select(model, range(model.members)).double().requires_grad_(False)
    each = x.double().expand(model.members, -1, -1)
    local = lipschitz.local_jacobian(double, each)
    margin = -stronger_attacks.margin(double, labels)(each, each[..., None, None])
    at = local.new_tensor(config.quantiles)
    reach = margin / (2**0.5 * local)
    return tuple(torch.quantile(values, at, dim=-1).T.numpy(force=True) for values in (local, reach))


# What the page compares


def every(result: xr.Dataset) -> xr.Dataset:
    """All networks over (setting, seed): the plain one (β = 0), those with the isometry term, and the baselines.

    ``method`` is "plain", "lil" or a baseline's, ``strength`` β or what a baseline has in its place.
    """
    ours = [name for name in result.data_vars if name.startswith("lil_")]
    lil = result[ours].rename({name: name.removeprefix("lil_") for name in ours}).rename(beta="setting")
    lil = lil.assign_coords(
        strength=("setting", lil.setting.values), method=("setting", np.where(lil.setting == 0, "plain", "lil"))
    ).drop_vars("setting")
    others = result[[name.removeprefix("lil_") for name in ours]]
    return xr.concat([lil, others], "setting", join="exact").assign_attrs(result.attrs)


def matched(result: xr.Dataset) -> xr.Dataset:
    """The comparison at equal clean accuracy, as far as strengths allow: a setting of each method, of :func:`every`.

    Of the networks with the isometry term, that with the highest accuracy under PGD, as a mean over ε and seeds: the
    reference. Of each other method, that whose clean accuracy, as a mean over seeds, is nearest to the reference's;
    ``gap`` is how far it lies above it, ``near`` whether by :data:`NEAR` at most, up or down.
    """
    networks = every(result)
    clean = networks.clean.mean("seed").values
    pgd = networks.accuracy.isel(images=0).sel(attack="pgd").mean(("seed", "epsilon")).values
    of = {name: np.flatnonzero(networks.method == name) for name in dict.fromkeys(networks.method.values.tolist())}
    reference = of["lil"][pgd[of["lil"]].argmax()]
    gap = clean - clean[reference]
    chosen = [reference if name == "lil" else where[np.abs(gap[where]).argmin()] for name, where in of.items()]
    return networks.isel(setting=chosen).assign(
        gap=("setting", gap[chosen]), near=("setting", np.abs(gap[chosen]) <= NEAR)
    )


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {
        name: recipe.train(getattr(config, name), device=device, progress=progress) for name, recipe in RECIPES.items()
    }
    return evaluate(config, networks, device=device, progress=progress)
