"""Beyond the paper: the isometry term, its relatives and adversarial training on MNIST."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from lil import lipschitz, stronger_attacks
from lil.attacks import pixels
from lil.evaluation import FGSM, accuracy, select
from lil.experiments._attackers import attack_by_pgd_and_autoattack, check_view, shares
from lil.experiments._common import Networks, Values, grid_dataset, make_run
from lil.models import LIL
from lil.progress import Progress, silent
from lil.recipes import baselines, mnist

RECIPES = {"mnist": mnist, "baselines": baselines}
ATTACKS = ("pgd", "autoattack")
SHARED = ("dataset", "n_train", "n_test", "hidden", "batch_size", "epochs", "learning_rate")  # by both recipes
NEAR = 0.01  # clean accuracies that differ by no more count as equal


@dataclass(frozen=True)
class Config:
    mnist: mnist.Config = mnist.FIVE  # the networks: Figure 3A's, of the others' seeds alone,
    baselines: baselines.Config = baselines.PAPER  # and the others
    # An ε of Figure 3 where its curves are steep; what is customary for networks not trained for it, and for MNIST
    epsilons: tuple[float, ...] = (FGSM.epsilons[3], 0.1, 0.3)
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
        check_view(self, self.epsilons)
        for name in SHARED:
            ours, theirs = getattr(self.mnist, name), getattr(self.baselines, name)
            if ours != theirs:
                raise ValueError(f"networks that are compared must share their {name}, not have {ours} and {theirs}.")
        if not set(self.baselines.seeds) <= set(self.mnist.seeds):
            raise ValueError(f"the baselines' seeds must be among {self.mnist.seeds}, not {self.baselines.seeds}.")


PAPER = Config()
QUICK_SIZES = dict(n_images=60, n_few=20, doublings=2, iterations=5, queries=20)
QUICK = Config(
    mnist=mnist.QUICK, baselines=baselines.QUICK, epsilons=(0.02, 0.1, 0.3), auto_epsilons=(0.1,), **QUICK_SIZES
)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return accuracy without attack, under PGD and under AutoAttack, and local Lipschitz constants of every network.

    The baselines' lie over (setting, seed), a setting having a ``method`` and a ``strength``; those of the networks
    with the isometry term have ``lil_`` before their names and lie over (beta, seed). :func:`combine` joins them.

    ``clean`` is a share of all test images. ``accuracy`` (images, attack, …, epsilon) is a share of the first images,
    all and few; AutoAttack has the few alone, and some ε. ``change`` (attack, …, epsilon) is the largest change of a
    pixel. ``local`` (…, quantile) is the largest singular value of the logits' Jacobian, over the images. ``reach``
    (…, quantile) is an image's margin, its logit less the largest other logit, divided by √2 times that value: to first
    order, the image has to move at least so far for another answer. ``local`` scales with the logits, ``reach`` not.
    """
    seeds, methods = config.baselines.seeds, baselines.methods(config.baselines)
    trained = mnist.members(config.mnist)
    order = [trained.index((beta, seed)) for beta in config.mnist.betas for seed in seeds]
    plain = select(mnist.restore(config.mnist, networks["mnist"]), order)
    others = baselines.restore(config.baselines, networks["baselines"])
    x, labels = (part.to(device) for part in baselines.data(config.baselines, "test"))
    coords = {
        "method": ("setting", [method for method, _ in methods]),
        "strength": ("setting", [strength for _, strength in methods]),
        "epsilon": list(config.epsilons),
        "attack": list(ATTACKS),
        "images": [min(config.n_images, len(x)), config.n_few],
        "quantile": list(config.quantiles),
    }
    parts = []
    kinds = (("lil_", plain, "beta", config.mnist.betas), ("", others, "setting", range(len(methods))))
    for prefix, model, axis, positions in kinds:
        measured = _measures(config, model.to(device).requires_grad_(False), x, labels, f"attacks: {axis}", progress)
        single = {prefix + name: (dims, array.astype(np.float32)) for name, (dims, array) in measured.items()}
        parts.append(grid_dataset(single, {axis: positions, "seed": seeds}, {}))
    return xr.merge(parts, join="exact", compat="equals").drop_vars("setting").assign_coords(coords)


def _measures(
    config: Config, model: LIL, x: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"], label: str, progress: Progress
) -> Values:
    """Return the measures of some networks, over the dimension ``member``."""
    clean = accuracy(model, pixels(x), labels).numpy(force=True)
    x, labels = x[: config.n_images], labels[: config.n_images]
    right = np.full((2, len(ATTACKS), model.members, len(config.epsilons)), np.nan)
    change = np.full(right.shape[1:], np.nan)
    for k in range(model.members):
        network = select(model, [k]).requires_grad_(False)
        seed = config.baselines.seeds[k % len(config.baselines.seeds)]
        for at, epsilon in enumerate(config.epsilons):
            pgd, auto = attack_by_pgd_and_autoattack(config, network, pixels, x, labels, epsilon, at, seed)
            right[:, 0, k, at], change[0, k, at] = shares(pgd.right, config.n_few), pgd.change
            if auto is not None:
                right[1, 1, k, at], change[1, k, at] = float(auto.right[-1].double().mean()), auto.change
        progress(label, k + 1, model.members)
    local, reach = _constants(config, model, pixels(x), labels)
    return {
        "clean": (("member",), clean),
        "accuracy": (("images", "attack", "member", "epsilon"), right),
        "change": (("attack", "member", "epsilon"), change),
        "local": (("member", "quantile"), local),
        "reach": (("member", "quantile"), reach),
    }


def _constants(
    config: Config, model: LIL, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"]
) -> tuple[Float[np.ndarray, "m q"], Float[np.ndarray, "m q"]]:
    """Return quantiles over the images of the logits' local constant, and of the margin in units of √2 of it."""
    double = select(model, range(model.members)).double().requires_grad_(False)
    points = x.double().expand(model.members, -1, -1)
    local = lipschitz.local_jacobian(double, points)
    margin = -stronger_attacks.margin(double, labels)(points, points[..., None, None])
    reach, at = margin / (2**0.5 * local), local.new_tensor(config.quantiles)
    local, reach = (torch.quantile(values, at, dim=-1).T.numpy(force=True) for values in (local, reach))
    return local, reach


# The comparison on the page


def combine(result: xr.Dataset) -> xr.Dataset:
    """Return all networks over (setting, seed): the plain one (β = 0), those with the isometry term, and the baselines.

    ``method`` is "plain", "lil" or a baseline's, ``strength`` is β or a baseline's strength.
    """
    ours = [name for name in result.data_vars if name.startswith("lil_")]
    lil = result[ours].rename({name: name.removeprefix("lil_") for name in ours}).rename(beta="setting")
    method = np.where(lil.setting == 0, "plain", "lil")
    lil = lil.assign_coords(strength=("setting", lil.setting.values), method=("setting", method)).drop_vars("setting")
    others = result[[name.removeprefix("lil_") for name in ours]]
    return xr.concat([lil, others], "setting", join="exact").assign_attrs(result.attrs)


def match(result: xr.Dataset) -> xr.Dataset:
    """Return the comparison at equal clean accuracy, as far as strengths allow: one setting of each method.

    The reference is the setting of the isometry term with the highest accuracy under PGD, as a mean over ε and seeds.
    Each other method is represented by the setting whose clean accuracy, as a mean over seeds, is nearest to the
    reference's; ``gap`` is how far it lies above it, and ``near`` is True if it differs by :data:`NEAR` at most.
    """
    networks = combine(result)
    clean = networks.clean.mean("seed").values
    pgd = networks.accuracy.isel(images=0).sel(attack="pgd").mean(("seed", "epsilon")).values
    settings = {
        name: np.flatnonzero(networks.method == name) for name in dict.fromkeys(networks.method.values.tolist())
    }
    reference = settings["lil"][pgd[settings["lil"]].argmax()]
    gap = clean - clean[reference]
    nearest = {name: where[np.abs(gap[where]).argmin()] for name, where in settings.items()} | {"lil": reference}
    chosen = list(nearest.values())
    near = np.abs(gap[chosen]) <= NEAR
    return networks.isel(setting=chosen).assign(gap=("setting", gap[chosen]), near=("setting", near))


run = make_run(RECIPES, evaluate)
