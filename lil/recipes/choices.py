"""The networks of Table 1's first row with one choice made otherwise: K, the reduction, the depth or the batch size.

Each set of settings is the text's, :data:`lil.recipes.mnist.PAPER`, with one change and fewer seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from torch import Tensor

from lil.isometry import Reduction
from lil.progress import Progress, silent
from lil.recipes import mnist, sweep
from lil.recipes.mnist import build as build
from lil.recipes.mnist import data as data
from lil.recipes.mnist import data_available as data_available
from lil.recipes.mnist import data_fingerprint as data_fingerprint
from lil.recipes.mnist import front as front
from lil.recipes.mnist import inputs as inputs
from lil.recipes.mnist import members as members
from lil.recipes.mnist import restore as restore

Settings = TypeVar("Settings", bound=mnist.Config)

BAND = mnist.BAND  # how far two trainings of one network may lie apart, of the largest weight


@dataclass(frozen=True)
class Config(mnist.Config):
    seeds: tuple[int, ...] = (0, 1)  # the first of the text's: from the same weights, and with the same batches
    reduction: Reduction = "n2"  # of the isometry term; Eq. 1: 1/N²


PAPER = Config()
PAPER_SCALE_01 = replace(PAPER, scale=0.1)
PAPER_SCALE_03 = replace(PAPER, scale=0.3)
PAPER_SCALE_3 = replace(PAPER, scale=3.0)
PAPER_SCALE_10 = replace(PAPER, scale=10.0)  # K of the public code
PAPER_PAIRS = replace(PAPER, reduction="pairs")
PAPER_DEEPER = replace(PAPER, hidden=(100,) * 5)  # depth of the public code
PAPER_BATCH_50 = replace(PAPER, batch_size=50)
PAPER_BATCH_200 = replace(PAPER, batch_size=200)
PAPER_BATCH_500 = replace(PAPER, batch_size=500)
PAPER_BATCH_1000 = replace(PAPER, batch_size=1000)


def quick(config: Settings) -> Settings:
    """The same settings on the embedded digits, with narrower layers, fewer β and three seeds at most: seconds."""
    return replace(
        config,
        dataset="digits",
        n_test=200,
        hidden=(40,) * len(config.hidden),
        betas=(0.0, 0.1, 1.0, 10.0),
        seeds=config.seeds[:3],
    )


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """The trained networks' weights, on the CPU."""
    x, labels = inputs(config, "train", device=device)
    return sweep.train(build(config).to(device), config, x, labels, reduction=config.reduction, progress=progress)
