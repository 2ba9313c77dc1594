"""An attacker's view of Figure 3A: the same classifiers of MNIST under stronger attacks than the paper's."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from lil.evaluation import FGSM
from lil.experiments._attackers import View, attack_by_all
from lil.experiments._common import Networks, make_run
from lil.progress import Progress, silent
from lil.recipes import mnist

RECIPES = {"mnist": mnist}

VIEW = View(
    more_epsilons=(0.1, 0.3),  # 0.3 is customary for MNIST, 0.1 for networks not trained for it
    auto_epsilons=(FGSM.epsilons[3], 0.1, 0.3),  # the first, 0.046, is where the curves are steepest
    n_images=500,
    n_few=100,
)


@dataclass(frozen=True)
class Config:
    mnist: mnist.Config = mnist.FIVE  # the networks: Figure 3A's, the first five seeds
    view: View = VIEW


PAPER = Config()
QUICK_EPSILONS = dict(epsilons=(0.02, 0.1, 1.0), more_epsilons=(0.3,), auto_epsilons=(0.1,))
QUICK_STEPS = dict(steps=10, doublings=4, transfer_steps=5, iterations=20, queries=50)
QUICK = Config(mnist=mnist.QUICK, view=View(n_images=60, n_few=30, batch_size=20, **QUICK_EPSILONS, **QUICK_STEPS))


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the accuracy of each network under each attack: see :func:`lil.experiments._attackers.attack_by_all`."""
    return attack_by_all(mnist, config.mnist, networks["mnist"], config.view, device=device, progress=progress)


run = make_run(RECIPES, evaluate)
