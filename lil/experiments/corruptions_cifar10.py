"""Classifiers of CIFAR10, through the VGG13, under random noise and corruptions of the pixels."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from lil import corruptions
from lil.experiments._common import Networks, make_run
from lil.experiments._corruptions import Corrupting, corrupt_and_classify
from lil.progress import Progress, silent
from lil.recipes import cifar10

RECIPES = {"cifar10_text": cifar10}


@dataclass(frozen=True)
class Config(Corrupting):
    cifar10_text: cifar10.Config = cifar10.PAPER  # the networks: Figure 3B's


PAPER = Config(severities=corruptions.CIFAR10, n_images=2000)
QUICK = Config(severities=corruptions.CIFAR10, n_images=12, cifar10_text=cifar10.QUICK)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the accuracy of each network: see :func:`lil.experiments._corruptions.corrupt_and_classify`."""
    return corrupt_and_classify(RECIPES, config, networks, device=device, progress=progress)


run = make_run(RECIPES, evaluate)
