"""Figure 3B in the public code's reading: one hidden layer more, other inputs, an attack with pixels' distances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import xarray as xr
from torch import Tensor

from lil.evaluation import Fgsm
from lil.experiments import fig3_cifar10
from lil.experiments.fig3_cifar10 import BANDS as BANDS
from lil.experiments.fig3_cifar10 import RECIPES as RECIPES
from lil.experiments.fig3_cifar10 import headline as headline
from lil.progress import Progress, silent
from lil.recipes import cifar10


@dataclass(frozen=True)
class Config:
    cifar10: cifar10.Config = cifar10.reading("public-code")   # the networks
    fgsm: Fgsm = Fgsm(distances="pixels")                      # the attack
    n_images: int = 2000                                       # test images, the set's first: a fifth of the text's


PAPER = Config()
QUICK = Config(cifar10=cifar10.QUICK_PUBLIC, fgsm=replace(fig3_cifar10.QUICK.fgsm, distances="pixels"), n_images=40)


def evaluate(
    config: Config,
    networks: dict[str, dict[str, Tensor]],
    *,
    device: str = "cpu",
    progress: Progress = silent,
    partial: Path | None = None,
) -> xr.Dataset:
    """Accuracy of each network on the first test images, clean and attacked: see :func:`lil.evaluation.robustness`.

    ``partial``: the file from which an evaluation that was cut off goes on.
    """
    shown = fig3_cifar10.Config(replace(config.cifar10, n_test=config.n_images), config.fgsm)
    return fig3_cifar10.evaluate(shown, networks, device=device, progress=progress, partial=partial)


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {"cifar10": cifar10.train(config.cifar10, device=device, progress=progress)}
    return evaluate(config, networks, device=device, progress=progress)
