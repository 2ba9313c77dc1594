"""Beyond the paper: Table 1's first row and Figure 3A with other choices of K, reduction, depth and batch size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import xarray as xr

from lil import engine
from lil.evaluation import FGSM, Fgsm
from lil.experiments._common import Networks, make_run
from lil.experiments._sweeps import load_sweep
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import choices, mnist

SCALES, BATCHES = ("scale_01", "scale_03", "scale_3", "scale_10"), ("batch_50", "batch_200", "batch_500", "batch_1000")
RECIPES = {"text": mnist, **dict.fromkeys((*SCALES, "pairs", "deeper", *BATCHES), choices)}


@dataclass(frozen=True)
class Config:
    text: mnist.Config = mnist.FIVE  # the networks of Figure 3A and Table 1
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
    fgsm: Fgsm = FGSM  # the attack of Figure 3A on all of them, in batches of 100
    n_distances: int = 1000  # test images, the first, whose distances are taken


PAPER = Config()
QUICK = replace(PAPER, **{name: choices.quick(getattr(PAPER, name)) for name in RECIPES})


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the measures of :func:`lil.evaluation.robustness` for each set of networks; NaN for missing seeds.

    Each attack follows the loss that its networks were trained with. The choices are coordinates of ``networks``.
    ``x_dist`` is the mean distance between test images of one class.
    """
    parts = []
    for name, recipe in RECIPES.items():
        settings = getattr(config, name)
        sweep, x, labels = load_sweep(recipe, settings, networks[name], device=device)
        choice = dict(reduction=sweep.reduction, layers=len(settings.hidden), batch_size=settings.batch_size)
        measures = engine.robustness(sweep, x, labels, config.fgsm, progress=progress)
        parts.append(measures.drop_attrs().assign_coords(scale=settings.scale, **choice))
    x, labels = (part[: config.n_distances] for part in mnist.inputs(config.text, "test"))
    x_dist = flat_pairs(pair_distances(x), within_class(labels)).mean()
    result = xr.concat(parts, "networks", join="outer", coords="different", compat="equals")
    return result.assign_coords(networks=list(RECIPES)).assign(x_dist=x_dist.numpy())


run = make_run(RECIPES, evaluate)
