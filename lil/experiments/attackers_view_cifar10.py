"""An attacker's view of Figure 3B: the same classifiers of CIFAR10, through the VGG13, under stronger attacks."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr
from torch import Tensor

from lil.experiments import _attackers
from lil.experiments._attackers import View
from lil.progress import Progress, silent
from lil.recipes import cifar10

RECIPES = {"cifar10": cifar10}

# At β = 10 two trainings of one network end in different weights (see the recipe), and there are few images.
BANDS = _attackers.BANDS | {"clean": 0.1, "accuracy": 0.3, "after_stage": 0.3, "trace": 0.3}


@dataclass(frozen=True)
class Config:
    cifar10: cifar10.Config = cifar10.reading("text")  # the networks
    view: View = View(                                 # every gradient goes through the VGG13: few images
        more_epsilons=(8 / 255,), auto_epsilons=(8 / 255,), n_images=40, n_few=30, doublings=6,
    )


PAPER = Config()
QUICK = Config(
    cifar10=cifar10.QUICK,
    view=View(
        epsilons=(0.01, 0.2), more_epsilons=(8 / 255,), auto_epsilons=(8 / 255,), n_images=20, n_few=10,
        batch_size=20, steps=2, doublings=2, transfer_steps=2, iterations=2, queries=4,
    ),
)


def evaluate(
    config: Config,
    networks: dict[str, dict[str, Tensor]],
    *,
    device: str = "cpu",
    progress: Progress = silent,
) -> xr.Dataset:
    """What each attacker leaves of each network's accuracy: see :func:`lil.experiments._attackers.attacked`."""
    return _attackers.attacked(
        cifar10, config.cifar10, networks["cifar10"], config.view, device=device, progress=progress)


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {"cifar10": cifar10.train(config.cifar10, device=device, progress=progress)}
    return evaluate(config, networks, device=device, progress=progress)
