"""Figure 3A: MNIST classifiers for six β under FGSM, with both objectives. The text's reading of the method."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from lil.evaluation import FGSM, Fgsm
from lil.experiments._common import Networks, make_run
from lil.experiments._sweeps import attack_sweep
from lil.progress import Progress, silent
from lil.recipes import mnist

RECIPES = {"mnist": mnist}


@dataclass(frozen=True)
class Config:
    mnist: mnist.Config = mnist.PAPER  # the networks
    fgsm: Fgsm = FGSM  # the attack


PAPER = Config()
SHOWN = Config(mnist=mnist.FIVE)  # in the paper: one network for each β
QUICK = Config(mnist=mnist.QUICK)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return each network's accuracy on all test images, clean and attacked: see :func:`lil.evaluation.robustness`."""
    return attack_sweep(mnist, config.mnist, networks["mnist"], config.fgsm, device=device, progress=progress)


run = make_run(RECIPES, evaluate)
