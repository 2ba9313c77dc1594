"""The networks of Table 1's first row with one choice made otherwise: K, the reduction, the depth or the batch size.

Each set of settings is the text's, :data:`lil.recipes.mnist.PAPER`, with one change and fewer seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from lil.isometry import Reduction
from lil.recipes import mnist

Settings = TypeVar("Settings", bound=mnist.Config)

data, data_available, data_fingerprint = mnist.data, mnist.data_available, mnist.data_fingerprint
front, inputs, members, build = mnist.front, mnist.inputs, mnist.members, mnist.build
train, restore = mnist.train, mnist.restore


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
    """Return the settings for the embedded digits, with narrower layers, fewer β and at most three seeds: seconds."""
    hidden, betas, seeds = (40,) * len(config.hidden), (0.0, 0.1, 1.0, 10.0), config.seeds[:3]
    return replace(config, dataset="digits", n_test=200, hidden=hidden, betas=betas, seeds=seeds)
