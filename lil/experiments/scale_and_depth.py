"""Beyond the paper: Table 1's first row and Figure 3A with other choices of K, reduction, depth and batch size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import xarray as xr
from torch import Tensor

from lil.attacks import Objective
from lil.evaluation import Fgsm, Sweep
from lil.experiments._sweeps import BANDS as OF_SWEEPS
from lil.fast.pixel_robustness import robustness
from lil.isometry import Reduction, pair_blocks, pair_distances, pair_weights
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


@dataclass(frozen=True)
class Reduced(Sweep):
    """A sweep whose loss, which the attack may follow, has a reduction of its own."""

    reduction: Reduction

    def objective(self, name: str, labels: Tensor, fgsm: Fgsm) -> Objective:
        """One of the objectives, on a batch with these labels: another reduction is another β, batch by batch."""
        blocks = pair_blocks(labels)
        factor = float(pair_weights(blocks, self.reduction) / pair_weights(blocks, "n2"))
        return Sweep.objective(replace(self, betas=tuple(factor * beta for beta in self.betas)), name, labels, fgsm)


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
        sweep = Reduced(
            recipe.restore(settings, networks[name]).to(device).requires_grad_(False),
            recipe.front(settings, device=device),
            settings.betas,
            settings.seeds,
            settings.scale,
            _reduction(settings),
        )
        x, labels = (part.to(device) for part in recipe.data(settings, "test"))
        found = robustness(sweep, x, labels, config.fgsm, reduction=sweep.reduction, progress=progress)
        each.append(
            found.drop_attrs().assign_coords(
                scale=settings.scale,
                reduction=_reduction(settings),
                layers=len(settings.hidden),
                batch_size=settings.batch_size,
            )
        )
    x, labels = (part[: config.n_distances] for part in mnist.inputs(config.text, "test"))
    x_dist = pair_distances(x, pair_blocks(labels)).mean()
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
