"""Table 1: accuracy on the clean test images for every β, and what may have made the paper's baseline on CIFAR10."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr
from torch import Tensor

from lil import evaluation
from lil.progress import Progress, silent
from lil.recipes import cifar10, mnist

# Those with the same inputs stand together: their features are made once.
RECIPES = {
    "mnist_text": mnist,
    "mnist_public": mnist,
    "cifar10_text": cifar10,
    "cifar10_deeper": cifar10,
    "cifar10_as_published": cifar10,
    "cifar10_public": cifar10,
    "cifar10_first": cifar10,
}

_PIECE = 1000  # images that all networks see at once: each layer of all of CIFAR10's takes 72 MB for them

BANDS = {"accuracy": 0.05}  # training amplifies the last digit of a sum: on CIFAR10 at β = 10, see the recipe


@dataclass(frozen=True)
class Config:
    mnist_text: mnist.Config = mnist.PAPER  # the networks, in the text's reading
    mnist_public: mnist.Config = mnist.PAPER_PUBLIC  # and in the public code's
    cifar10_text: cifar10.Config = cifar10.PAPER
    cifar10_deeper: cifar10.Config = cifar10.PAPER_DEEPER  # the text's with the public code's depth, β = 0 alone,
    cifar10_as_published: cifar10.Config = cifar10.PAPER_AS_PUBLISHED  # or with its inputs of the VGG13
    cifar10_public: cifar10.Config = cifar10.PAPER_PUBLIC  # both, as in the public code
    cifar10_first: cifar10.Config = cifar10.PAPER_FIRST  # the public code's first version, β = 0 alone


PAPER = Config()
QUICK = Config(
    mnist_text=mnist.QUICK,
    mnist_public=mnist.QUICK_PUBLIC,
    cifar10_text=cifar10.QUICK,
    cifar10_deeper=cifar10.QUICK_DEEPER,
    cifar10_as_published=cifar10.QUICK_AS_PUBLISHED,
    cifar10_public=cifar10.QUICK_PUBLIC,
    cifar10_first=cifar10.QUICK_FIRST,
)


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """``accuracy`` (networks, beta, seed) on all test images; NaN where a set has no network for a β and seed."""
    each = []
    for done, (name, recipe) in enumerate(RECIPES.items(), start=1):
        settings = getattr(config, name)
        model = recipe.restore(settings, networks[name]).to(device)
        x, labels = recipe.inputs(settings, "test", device=device)
        pieces = zip(x.split(_PIECE), labels.split(_PIECE), strict=True)
        accuracy = sum(len(some) * evaluation.accuracy(model, points, some) for points, some in pieces) / len(x)
        grid = accuracy.view(len(settings.betas), len(settings.seeds)).numpy(force=True)
        coords = {"beta": list(settings.betas), "seed": list(settings.seeds)}
        each.append(xr.Dataset({"accuracy": (("beta", "seed"), grid)}, coords))
        progress("accuracy", done, len(RECIPES))
    return xr.concat(each, "networks", join="outer").assign_coords(networks=list(RECIPES))


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {
        name: recipe.train(getattr(config, name), device=device, progress=progress) for name, recipe in RECIPES.items()
    }
    return evaluate(config, networks, device=device, progress=progress)
