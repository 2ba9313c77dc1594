"""Beyond the paper: the worst answer of Figure 3B's classifiers to each image, over every attack, through the VGG13.

Gradients go through the VGG13 in bfloat16 where a processor has that in hardware, as in Figure 3B. Every answer that
counts is given in float32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import xarray as xr

from lil.experiments._common import Networks, make_run
from lil.experiments._sweeps import load_sweep
from lil.experiments._worst_case import Trial, attack_by_everything
from lil.progress import Progress, silent
from lil.recipes import cifar10

RECIPES = {"cifar10": cifar10}

# 8/255 is customary for CIFAR10. Each step goes through the VGG13: half the steps, one start, a fifth of the queries.
EPSILON = (8 / 255,)
TRIAL = Trial(epsilons=EPSILON, auto_epsilons=EPSILON, n_images=500, steps=20, starts=1, queries=1000)


@dataclass(frozen=True)
class Config:
    cifar10: cifar10.Config = cifar10.PAPER  # the networks of Figure 3B
    betas: tuple[float, ...] = (0.0, 0.1, 10.0)  # those of their β that are attacked, as far as they are trained
    trial: Trial = TRIAL  # the attacks
    precision: Literal["float32", "bfloat16"] = "bfloat16"  # of the VGG13 in the gradients; the answers are float32's

    def __post_init__(self):
        if not set(self.betas) & set(self.cifar10.betas):
            raise ValueError(f"betas must have one of {self.cifar10.betas}, which are trained, not {self.betas} alone.")


PAPER = Config()
QUICK_SIZES = dict(n_images=12, batch_size=12, steps=2, starts=1, iterations=2, queries=4)
QUICK_TRIAL = Trial(epsilons=EPSILON, auto_epsilons=EPSILON, **QUICK_SIZES)
QUICK = Config(cifar10=cifar10.QUICK, trial=QUICK_TRIAL, precision="float32")


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the answers over the dimension ``reading``: see :func:`lil.experiments._worst_case.attack_by_everything`.

    Figure 3B's networks have the text's reading alone.
    """
    shown = replace(config.cifar10, betas=tuple(beta for beta in config.cifar10.betas if beta in config.betas))
    trained = cifar10.members(config.cifar10)
    chosen = [trained.index(member) for member in cifar10.members(shown)]
    weights = {name: value[chosen] for name, value in networks["cifar10"].items()}
    front = cifar10.front(shown, precision=config.precision, device=device)
    judge = cifar10.front(shown, device=device)
    sweep, x, labels = load_sweep(cifar10, shown, weights, device=device, front=front)
    found = attack_by_everything(sweep, x, labels, config.trial, judge=judge, progress=progress)
    return found.expand_dims(reading=["text"])


run = make_run(RECIPES, evaluate)
