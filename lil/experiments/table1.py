"""Table 1: accuracy on the clean test images for every β, and possible origins of the paper's baseline on CIFAR10."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from lil import evaluation
from lil.experiments._common import Networks, grid_dataset, make_run
from lil.progress import Progress, silent
from lil.recipes import cifar10, mnist

# Sets with the same inputs stand together: their features are made once.
MNIST, CIFAR10 = ("mnist_text", "mnist_public"), ("text", "deeper", "as_published", "public", "first")
RECIPES = {**dict.fromkeys(MNIST, mnist), **{f"cifar10_{name}": cifar10 for name in CIFAR10}}

_PIECE = 1000  # images that all networks see at once: each layer of all of CIFAR10's takes 72 MB for them


@dataclass(frozen=True)
class Config:
    mnist_text: mnist.Config = mnist.FIVE  # the networks, in the text's reading
    mnist_public: mnist.Config = mnist.FIVE_PUBLIC  # and in the public code's
    cifar10_text: cifar10.Config = cifar10.PAPER
    cifar10_deeper: cifar10.Config = cifar10.PAPER_DEEPER  # the text's with the last commit's depth, β = 0 alone,
    cifar10_as_published: cifar10.Config = cifar10.PAPER_AS_PUBLISHED  # or with its inputs of the VGG13
    cifar10_public: cifar10.Config = cifar10.PAPER_PUBLIC  # both: a mixture of public commits
    cifar10_first: cifar10.Config = cifar10.PAPER_FIRST  # the public code's first version, β = 0 alone


PAPER = Config()
QUICK_TEXT = dict(mnist_text=mnist.QUICK, cifar10_text=cifar10.QUICK, cifar10_deeper=cifar10.QUICK_DEEPER)
QUICK_PUBLIC = dict(mnist_public=mnist.QUICK_PUBLIC, cifar10_public=cifar10.QUICK_PUBLIC)
QUICK_OLD = dict(cifar10_as_published=cifar10.QUICK_AS_PUBLISHED, cifar10_first=cifar10.QUICK_FIRST)
QUICK = Config(**QUICK_TEXT, **QUICK_PUBLIC, **QUICK_OLD)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return ``accuracy`` (networks, beta, seed) on all test images; NaN where a set lacks a β or a seed."""
    parts = []
    for done, (name, recipe) in enumerate(RECIPES.items(), start=1):
        settings = getattr(config, name)
        model = recipe.restore(settings, networks[name]).to(device)
        x, labels = recipe.inputs(settings, "test", device=device)
        pieces = zip(x.split(_PIECE), labels.split(_PIECE), strict=True)
        accuracy = sum(len(some) * evaluation.accuracy(model, points, some) for points, some in pieces) / len(x)
        grid = dict(beta=settings.betas, seed=settings.seeds)
        parts.append(grid_dataset({"accuracy": (("member",), accuracy)}, grid, {}))
        progress("accuracy", done, len(RECIPES))
    return xr.concat(parts, "networks", join="outer").assign_coords(networks=list(RECIPES))


run = make_run(RECIPES, evaluate)
