"""An attacker's view of Figure 3B: the same classifiers of CIFAR10, through the VGG13, under stronger attacks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import xarray as xr

from lil.experiments._attackers import View, attack_by_all
from lil.experiments._common import Networks, make_run
from lil.progress import Progress, silent
from lil.recipes import cifar10

RECIPES = {"cifar10": cifar10}

# Every gradient goes through the VGG13, so that the images are few.
VIEW = View(more_epsilons=(8 / 255,), auto_epsilons=(8 / 255,), n_images=100, n_few=40, doublings=6)


@dataclass(frozen=True)
class Config:
    cifar10: cifar10.Config = cifar10.PAPER  # the networks of Figure 3B
    n_seeds: int = 1  # of their seeds the first
    view: View = VIEW

    def __post_init__(self):
        if not 1 <= self.n_seeds <= len(self.cifar10.seeds):
            trained = len(self.cifar10.seeds)
            raise ValueError(f"n_seeds must be 1 to {trained}, as many as are trained, not {self.n_seeds}.")


PAPER = Config()
QUICK_EPSILONS = dict(epsilons=(0.01, 0.2), more_epsilons=(8 / 255,), auto_epsilons=(8 / 255,))
QUICK_STEPS = dict(steps=2, doublings=2, transfer_steps=2, iterations=2, queries=4)
QUICK = Config(cifar10=cifar10.QUICK, view=View(n_images=12, n_few=6, batch_size=12, **QUICK_EPSILONS, **QUICK_STEPS))


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the accuracy of the first seeds' networks: see :func:`lil.experiments._attackers.attack_by_all`."""
    shown = replace(config.cifar10, seeds=config.cifar10.seeds[: config.n_seeds])
    trained = cifar10.members(config.cifar10)
    chosen = [trained.index(member) for member in cifar10.members(shown)]
    weights = {name: value[chosen] for name, value in networks["cifar10"].items()}
    return attack_by_all(cifar10, shown, weights, config.view, device=device, progress=progress)


run = make_run(RECIPES, evaluate)
