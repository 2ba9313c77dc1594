"""Beyond the paper: Table 1's first row and Figure 3A with other choices of K, reduction, depth and batch size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import xarray as xr
from torch import Tensor

from lil import engine
from lil.evaluation import Fgsm, Sweep
from lil.experiments._sweeps import BANDS as OF_SWEEPS
from lil.isometry import Reduction, flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import choices, mnist

VARIANTS = (
    "scale_01",
    "scale_03",
    "scale_3",
    "scale_10",
    "pairs",
    "deeper",
    "batch_50",
    "batch_200",
    "batch_500",
    "batch_1000",
)
RECIPES = {"text": mnist, **dict.fromkeys(VARIANTS, choices)}
BANDS = {name: OF_SWEEPS[name] for name in ("clean", "accuracy", "zero_gradient", "change")}


@dataclass(frozen=True)
class Config:
    text: mnist.Config = mnist.PAPER  # the networks of Figure 3A and Table 1
    scale_01: choices.Config = choices.PAPER_SCALE_01  # and those with one change each: K,
    scale_03: choices.Config = choices.PAPER_SCALE_03
    scale_3: choices.Config = choices.PAPER_SCALE_3
    scale_10: choices.Config = choices.PAPER_SCALE_10
    pairs: choices.Config = choices.PAPER_PAIRS  # the reduction of the isometry term,
    deeper: choices.Config = choices.PAPER_DEEPER  # one hidden layer more,
    batch_50: choices.Config = choices.PAPER_BATCH_50  # and the images of a step
    batch_200: choices.Config = choices.PAPER_BATCH_200
    batch_500: choices.Config = choices.PAPER_BATCH_500
    batch_1000: choices.Config = choices.PAPER_BATCH_1000
    fgsm: Fgsm = Fgsm()  # the attack of Figure 3A on all of them, in batches of 100
    n_distances: int = 1000  # test images, the first, whose distances are taken


PAPER = Config()
QUICK = replace(PAPER, **{name: choices.quick(getattr(PAPER, name)) for name in RECIPES})


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """What :func:`lil.evaluation.robustness` measures, for each set of ``networks``; NaN for seeds that a set lacks.

    Each attack follows the loss that its networks were trained with. The choices are coordinates of ``networks``.
    ``x_dist`` is the mean distance between test images of one class.
    """
    each = []
    for name, recipe in RECIPES.items():
        settings = getattr(config, name)
        sweep = Sweep(
            recipe.restore(settings, networks[name]).to(device).requires_grad_(False),
            recipe.front(settings, device=device),
            settings.betas,
            settings.seeds,
            settings.scale,
            _reduction(settings),
        )
        x, labels = (part.to(device) for part in recipe.data(settings, "test"))
        found = engine.robustness(sweep, x, labels, config.fgsm, progress=progress)
        each.append(
            found.drop_attrs().assign_coords(
                scale=settings.scale,
                reduction=_reduction(settings),
                layers=len(settings.hidden),
                batch_size=settings.batch_size,
            )
        )
    x, labels = (part[: config.n_distances] for part in mnist.inputs(config.text, "test"))
    x_dist = flat_pairs(pair_distances(x), within_class(labels)).mean()
    result = xr.concat(each, "networks", join="outer", coords="different", compat="equals")
    return result.assign_coords(networks=list(RECIPES)).assign(x_dist=x_dist.numpy())


def _reduction(settings: mnist.Config) -> Reduction:
    """Of the isometry term; where there is no choice, Eq. 1's."""
    return settings.reduction if isinstance(settings, choices.Config) else "n2"


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {
        name: recipe.train(getattr(config, name), device=device, progress=progress) for name, recipe in RECIPES.items()
    }
    return evaluate(config, networks, device=device, progress=progress)
