"""Figure 3A: MNIST classifiers for six β under FGSM, with both objectives. The text's reading of the method."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr
from torch import Tensor

from lil.evaluation import Fgsm
from lil.experiments import _sweeps
from lil.experiments._sweeps import BANDS as BANDS
from lil.progress import Progress, silent
from lil.recipes import mnist

RECIPES = {"mnist": mnist}


@dataclass(frozen=True)
class Config:
    mnist: mnist.Config = mnist.reading("text")  # the networks
    fgsm: Fgsm = Fgsm()  # the attack


PAPER = Config()
QUICK = Config(mnist=mnist.QUICK)


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """Accuracy of each network on all test images, clean and attacked: see :func:`lil.evaluation.robustness`."""
    return _sweeps.attacked(
        mnist, config.mnist, networks["mnist"], mnist.front(config.mnist), config.fgsm, device=device, progress=progress
    )


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {"mnist": mnist.train(config.mnist, device=device, progress=progress)}
    return evaluate(config, networks, device=device, progress=progress)
