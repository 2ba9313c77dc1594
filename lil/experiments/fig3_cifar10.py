"""Figure 3B: CIFAR10 classifiers for six β under FGSM, through the VGG13. The text's reading of the method.

The attack goes through the VGG13 in bfloat16 where a processor has that in hardware; on a GPU in float32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import xarray as xr

from lil.evaluation import FGSM, OBJECTIVES, Fgsm
from lil.experiments._common import Networks, make_run
from lil.experiments._sweeps import attack_sweep
from lil.progress import Progress, silent
from lil.recipes import cifar10

RECIPES = {"cifar10": cifar10}


@dataclass(frozen=True)
class Config:
    cifar10: cifar10.Config = cifar10.PAPER  # the networks
    fgsm: Fgsm = FGSM  # the attack,
    objectives: tuple[str, ...] = OBJECTIVES  # what it wants to increase,
    precision: Literal["float32", "bfloat16"] = "bfloat16"  # and of the VGG13 in it; what the networks learn is float32
    n_compared: int = 200  # test images, the first, attacked in float32 too


PAPER = Config()
# In the paper: one network for each β, attacked along the training's loss.
SHOWN_NETWORKS = replace(PAPER.cifar10, seeds=(0,))
SHOWN = replace(PAPER, cifar10=SHOWN_NETWORKS, objectives=("total",), n_compared=50)
QUICK_ATTACK = Fgsm(epsilons=(0.01, 0.1, 1.0), batch_size=20, pictured=(1, 2))
QUICK = Config(cifar10=replace(cifar10.QUICK, n_test=40), fgsm=QUICK_ATTACK, precision="float32", n_compared=4)


def evaluate(
    config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent, partial: Path | None = None
) -> xr.Dataset:
    """Return each network's accuracy on all test images, clean and attacked: see :func:`lil.evaluation.robustness`.

    ``compared`` is the accuracy under attack on the first images with the VGG13 in either ``precision``, "used" and
    "float32". ``partial`` is the file from which an evaluation that was cut off goes on.
    """

    def attack(settings: cifar10.Config, precision: str, partial: Path | None = None) -> xr.Dataset:
        front = cifar10.front(settings, precision=precision, device=device)
        more = dict(front=front, objectives=config.objectives, partial=partial)
        trained = networks["cifar10"]
        return attack_sweep(cifar10, settings, trained, config.fgsm, device=device, progress=progress, **more)

    few = replace(config.cifar10, n_test=config.n_compared)
    compared = [attack(few, precision).accuracy for precision in (config.precision, "float32")]
    result = attack(config.cifar10, config.precision, partial)
    return result.assign(compared=xr.concat(compared, "precision").assign_coords(precision=["used", "float32"]))


run = make_run(RECIPES, evaluate)
