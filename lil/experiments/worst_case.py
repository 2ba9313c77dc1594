"""Beyond the paper: the worst answer of Figure 3A's classifiers to each image, over every attack, in both readings."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from lil.evaluation import FGSM
from lil.experiments._common import Networks, check_shared, make_run
from lil.experiments._sweeps import load_sweep
from lil.experiments._worst_case import Trial, attack_by_everything
from lil.progress import Progress, silent
from lil.recipes import mnist

RECIPES = {"text": mnist, "public": mnist}

# 0.1 is customary for networks that were not trained for an attack. An ε of Figure 3 where its curves are steep shows
# what the former hides where it leaves nothing.
TRIAL = Trial(epsilons=(FGSM.epsilons[3], 0.1), auto_epsilons=(0.1,), n_images=1000)


@dataclass(frozen=True)
class Config:
    text: mnist.Config = mnist.FIVE  # the networks: Figure 3A's in the text's reading, K = 1, the first five seeds,
    public: mnist.Config = mnist.FIVE_PUBLIC  # and in the public code's, K = 10
    trial: Trial = TRIAL  # the attacks

    def __post_init__(self):
        check_shared((self.text, self.public), "dataset", "n_test")


PAPER = Config()
QUICK_SIZES = dict(n_images=60, batch_size=20, steps=5, starts=1, iterations=5, queries=20)
QUICK_TRIAL = Trial(epsilons=TRIAL.epsilons, auto_epsilons=(0.1,), **QUICK_SIZES)
QUICK = Config(text=mnist.QUICK, public=mnist.QUICK_PUBLIC, trial=QUICK_TRIAL)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the answers over the dimension ``reading``: see :func:`lil.experiments._worst_case.attack_by_everything`.

    The paper's attack follows the loss that its networks were trained with, with its K.
    """
    parts = []
    for name, recipe in RECIPES.items():
        sweep, x, labels = load_sweep(recipe, getattr(config, name), networks[name], device=device)
        parts.append(attack_by_everything(sweep, x, labels, config.trial, judge=sweep.front, progress=progress))
    return xr.concat(parts, "reading", join="exact").assign_coords(reading=list(RECIPES))


run = make_run(RECIPES, evaluate)
