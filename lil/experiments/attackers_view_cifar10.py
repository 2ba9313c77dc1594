"""An attacker's view of Figure 3B: the same classifiers of CIFAR10, through the VGG13, under stronger attacks."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    cifar10: cifar10.Config = cifar10.reading("text")  # the networks of Figure 3B,
    n_seeds: int = 1  # of their seeds the first: every gradient goes through the VGG13,
    view: View = View(  # which also makes the images few
        more_epsilons=(8 / 255,), auto_epsilons=(8 / 255,), n_images=100, n_few=40, doublings=6
    )

    def __post_init__(self):
        if not 1 <= self.n_seeds <= len(self.cifar10.seeds):
            raise ValueError(
                f"n_seeds must be 1 to {len(self.cifar10.seeds)}, as many as are trained, not {self.n_seeds}."
            )


PAPER = Config()
QUICK = Config(
    cifar10=cifar10.QUICK,
    view=View(
        epsilons=(0.01, 0.2),
        more_epsilons=(8 / 255,),
        auto_epsilons=(8 / 255,),
        n_images=12,
        n_few=6,
        batch_size=12,
        steps=2,
        doublings=2,
        transfer_steps=2,
        iterations=2,
        queries=4,
    ),
)


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """What each attacker leaves of the first seeds' accuracy: see :func:`lil.experiments._attackers.attacked`."""
    shown = replace(config.cifar10, seeds=config.cifar10.seeds[: config.n_seeds])
    trained = cifar10.members(config.cifar10)
    which = [trained.index(member) for member in cifar10.members(shown)]
    of_these = {name: value[which] for name, value in networks["cifar10"].items()}
    return _attackers.attacked(cifar10, shown, of_these, config.view, device=device, progress=progress)


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {"cifar10": cifar10.train(config.cifar10, device=device, progress=progress)}
    return evaluate(config, networks, device=device, progress=progress)
