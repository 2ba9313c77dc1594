"""Classifiers of MNIST under random noise and corruptions, in both readings of the method."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from lil.experiments._common import Networks, check_shared, make_run
from lil.experiments._corruptions import Corrupting, corrupt_and_classify
from lil.progress import Progress, silent
from lil.recipes import mnist

RECIPES = {"mnist_text": mnist, "mnist_public": mnist}


@dataclass(frozen=True)
class Config(Corrupting):
    mnist_text: mnist.Config = mnist.PAPER  # the networks: the text's, Figure 3A's,
    mnist_public: mnist.Config = mnist.PAPER_PUBLIC  # and the public code's, where K = 10

    def __post_init__(self):
        check_shared((self.mnist_text, self.mnist_public), "dataset", "n_test")


PAPER = Config()
QUICK = Config(n_images=100, mnist_text=mnist.QUICK, mnist_public=mnist.QUICK_PUBLIC)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the accuracy of each network: see :func:`lil.experiments._corruptions.corrupt_and_classify`."""
    return corrupt_and_classify(RECIPES, config, networks, device=device, progress=progress)


run = make_run(RECIPES, evaluate)
