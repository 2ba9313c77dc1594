"""Figure 3B: CIFAR10 classifiers for six β under FGSM, through the VGG13. The text's reading of the method.

The attack goes through the VGG13 in bfloat16 where a processor has that in hardware; on a GPU in float32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import xarray as xr
from torch import Tensor

from lil.evaluation import OBJECTIVES, Fgsm
from lil.experiments import _sweeps
from lil.progress import Progress, silent
from lil.recipes import cifar10

RECIPES = {"cifar10": cifar10}

# Two trainings of one network end in different weights (see the recipe), and so in different accuracies under attack: by
# up to a third of the largest, in either reading.
BANDS = _sweeps.BANDS | {"clean": 0.05, "accuracy": 0.4, "compared": 0.4}


@dataclass(frozen=True)
class Config:
    cifar10: cifar10.Config = cifar10.reading("text")  # the networks
    fgsm: Fgsm = Fgsm()  # the attack,
    objectives: tuple[str, ...] = OBJECTIVES  # what it wants to increase,
    precision: Literal["float32", "bfloat16"] = "bfloat16"  # and of the VGG13 in it; what the networks learn is float32
    n_compared: int = 200  # test images, the first, attacked in float32 too


PAPER = Config()
SHOWN = replace(  # in the paper: one network for each β, attacked along the training's loss
    PAPER, cifar10=replace(PAPER.cifar10, seeds=(0,)), objectives=("total",), n_compared=50
)
QUICK = Config(
    cifar10=replace(cifar10.QUICK, n_test=40),
    fgsm=Fgsm(epsilons=(0.01, 0.1, 1.0), batch_size=20, pictured=(1, 2)),
    precision="float32",
    n_compared=4,
)


def evaluate(
    config: Config,
    networks: dict[str, dict[str, Tensor]],
    *,
    device: str = "cpu",
    progress: Progress = silent,
    partial: Path | None = None,
) -> xr.Dataset:
    """Accuracy of each network on all test images, clean and attacked: see :func:`lil.evaluation.robustness`.

    ``compared`` is the accuracy under attack on the first images with the VGG13 in either ``precision``, "used" and
    "float32": what the faster one changes. ``partial``: the file from which an evaluation that was cut off goes on.
    """

    def attack(settings: cifar10.Config, precision: str, partial: Path | None = None) -> xr.Dataset:
        front = cifar10.front(settings, precision=precision, device=device)
        return _sweeps.attacked(
            cifar10,
            settings,
            networks["cifar10"],
            front,
            config.fgsm,
            objectives=config.objectives,
            device=device,
            progress=progress,
            partial=partial,
        )

    few = replace(config.cifar10, n_test=config.n_compared)
    compared = [attack(few, precision).accuracy for precision in (config.precision, "float32")]
    result = attack(config.cifar10, config.precision, partial)
    return result.assign(compared=xr.concat(compared, "precision").assign_coords(precision=["used", "float32"]))


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {"cifar10": cifar10.train(config.cifar10, device=device, progress=progress)}
    return evaluate(config, networks, device=device, progress=progress)
