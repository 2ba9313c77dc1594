"""The networks of Table 1's second row on features of another scale: a possible origin of the printed numbers.

A representation of 1000 hyperbolic tangents cannot hold two points further apart than 2√1000 = 63. Whether the
isometry term can be satisfied therefore depends on the scale of the features, which the text does not state and which
differs between pretrained networks. Everything else is as in :mod:`lil.recipes.cifar10`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from lil import engine, features
from lil.datasets import images
from lil.progress import Progress, silent
from lil.recipes import cifar10, sweep
from lil.recipes.ensembles import members as members

data, data_available, data_fingerprint = cifar10.data, cifar10.data_available, cifar10.data_fingerprint


@dataclass(frozen=True)
class Config(cifar10.Config):
    feature_scale: float = 9.0  # by which the features are multiplied; nothing in the text or the public code does
    # in place of ``inputs``; "half" is (x − 0.5)/0.5 on the VGG13's images, which commit 050ff84 sets and then bypasses
    shifted: Literal["", "half"] = ""

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.feature_scale < float("inf"):
            raise ValueError(f"feature_scale must be a finite number > 0, not {self.feature_scale}.")
        if self.shifted == "half" and self.inputs != "normalised":
            raise ValueError("shifted takes the place of inputs: leave those at 'normalised'.")


PAPER_3 = Config(feature_scale=3.0)
PAPER_6 = Config(feature_scale=6.0)
PAPER_9 = Config(feature_scale=9.0)
PAPER_12 = Config(feature_scale=12.0)
PAPER_HALF_9 = replace(PAPER_9, shifted="half")


def quick(config: Config) -> Config:
    """Return the settings for the embedded digits, as in :data:`lil.recipes.cifar10.QUICK`."""
    return replace(config, dataset="digits", weights="random", **cifar10.QUICK_SIZES, **cifar10.QUICK_STEPS)


def inputs(
    config: Config, split: images.Split, *, device: str = "cpu", progress: Progress = silent
) -> tuple[Float[Tensor, "n features"], Int[Tensor, "n"]]:
    """Return the inputs of the networks, the scaled features of a split's images, and their classes."""
    if not config.shifted:
        z, labels = cifar10.inputs(config, split, device=device, progress=progress)
        return config.feature_scale * z, labels
    x, labels = data(config, split)
    vgg13 = engine.Features(config.weights, config.inputs, device=device)
    mean, std = vgg13.plain.mean, vgg13.plain.std
    undone = mean + std * (2 * x.to(device) - 1)  # the VGG13's own shift and scale leave (x − 0.5)/0.5
    return config.feature_scale * features.extract(vgg13, undone, progress=progress), labels.to(device)


build, restore = cifar10.build, cifar10.restore


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Train the networks and return their weights, on the CPU; the VGG13 does not change and is not among them."""
    z, labels = inputs(config, "train", device=device, progress=progress)
    return sweep.train(build(config), config, z, labels, progress=progress)
