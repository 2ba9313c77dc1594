"""An attacker's view of Figure 3A: the same classifiers of MNIST under stronger attacks than the paper's."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr
from torch import Tensor

from lil.evaluation import Fgsm
from lil.experiments import _attackers
from lil.experiments._attackers import BANDS as BANDS
from lil.experiments._attackers import View
from lil.progress import Progress, silent
from lil.recipes import mnist

RECIPES = {"mnist": mnist}


@dataclass(frozen=True)
class Config:
    mnist: mnist.Config = mnist.reading("text")  # the networks
    view: View = View(
        more_epsilons=(0.1, 0.3),  # 0.3 is customary for MNIST, 0.1 for networks not trained for it
        auto_epsilons=(Fgsm().epsilons[3], 0.1, 0.3),  # the first, 0.046, is where the curves are steepest
        n_images=500,
        n_few=100,
    )


PAPER = Config()
QUICK = Config(
    mnist=mnist.QUICK,
    view=View(
        epsilons=(0.02, 0.1, 1.0),
        more_epsilons=(0.3,),
        auto_epsilons=(0.1,),
        n_images=60,
        n_few=30,
        batch_size=20,
        steps=10,
        doublings=4,
        transfer_steps=5,
        iterations=20,
        queries=50,
    ),
)


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """What each attacker leaves of each network's accuracy: see :func:`lil.experiments._attackers.attacked`."""
    return _attackers.attacked(mnist, config.mnist, networks["mnist"], config.view, device=device, progress=progress)


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {"mnist": mnist.train(config.mnist, device=device, progress=progress)}
    return evaluate(config, networks, device=device, progress=progress)
