"""Beyond the paper: the worst answer of Figure 3B's classifiers to each image, over every attack, in both readings.

Gradients go through the VGG13 in bfloat16 where a processor has that in hardware, as in Figure 3B. Every answer that
counts is given in float32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import xarray as xr

from lil.attacks import Distances
from lil.experiments._common import Networks, check_shared, make_run
from lil.experiments._sweeps import load_sweep
from lil.experiments._worst_case import Trial, attack_by_everything
from lil.progress import Progress, silent
from lil.recipes import cifar10

RECIPES = {"text": cifar10, "mixture": cifar10}

# 8/255 is customary for CIFAR10. Each step goes through the VGG13: half the steps, one start, a fifth of the queries.
EPSILON = (8 / 255,)
TRIAL = Trial(epsilons=EPSILON, auto_epsilons=EPSILON, n_images=500, steps=20, starts=1, queries=1000)


@dataclass(frozen=True)
class Config:
    text: cifar10.Config = cifar10.PAPER  # the networks: Figure 3B's in the text's reading,
    mixture: cifar10.Config = cifar10.THREE_PUBLIC  # and in the mixture of public commits
    trial: Trial = TRIAL  # the attacks
    mixture_distances: Distances = "pixels"  # that the paper's attack compares there, as published
    precision: Literal["float32", "bfloat16"] = "bfloat16"  # of the VGG13 in the gradients; the answers are float32's

    def __post_init__(self):
        check_shared((self.text, self.mixture), "dataset", "n_test", "weights")


PAPER = Config()
QUICK_SIZES = dict(n_images=12, batch_size=12, steps=2, starts=1, iterations=2, queries=4)
QUICK_TRIAL = Trial(epsilons=EPSILON, auto_epsilons=EPSILON, **QUICK_SIZES)
QUICK_MIXTURE = replace(cifar10.QUICK_PUBLIC, seeds=cifar10.QUICK.seeds)
QUICK = Config(text=cifar10.QUICK, mixture=QUICK_MIXTURE, trial=QUICK_TRIAL, precision="float32")


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the answers over the dimension ``reading``: see :func:`lil.experiments._worst_case.attack_by_everything`.

    The paper's attack compares distances of features in the text's reading, of pixels in the mixture of public commits.
    """
    distances = {"text": "inputs", "mixture": config.mixture_distances}
    parts = []
    for name, recipe in RECIPES.items():
        settings = getattr(config, name)
        front = recipe.front(settings, precision=config.precision, device=device)
        sweep, x, labels = load_sweep(recipe, settings, networks[name], device=device, front=front)
        judge = recipe.front(settings, device=device)
        more = dict(judge=judge, distances=distances[name], progress=progress)
        parts.append(attack_by_everything(sweep, x, labels, config.trial, **more))
    return xr.concat(parts, "reading", join="exact").assign_coords(reading=list(RECIPES))


run = make_run(RECIPES, evaluate)
