"""The networks of Figure 3A and Table 1's first row: one classifier of MNIST for every β and seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from jaxtyping import Float, Int
from torch import Tensor

from lil.attacks import Front, pixels
from lil.datasets import images
from lil.models import LIL
from lil.progress import Progress, silent
from lil.recipes import ensembles, sweep
from lil.recipes.ensembles import members as members

PIXELS = 28 * 28


@dataclass(frozen=True)
class Config(sweep.Config):
    dataset: Literal["mnist", "digits"] = "mnist"  # "digits": embedded, in MNIST's shape
    n_train: int | None = None  # images, the set's first; None: all
    n_test: int | None = None  # the same, of the test set
    hidden: tuple[int, ...] = (100, 100, 100, 100)  # "Experiments": 4 layers with 100 neurons each
    seeds: tuple[int, ...] = tuple(range(10))  # one network each for every β; the paper shows one


PAPER = Config()

# The public code has one hidden layer more, draws all of them but the first orthogonal, and multiplies the
# distances between representations by 10. (It computes in float64, we in float32.)
PAPER_PUBLIC = replace(PAPER, hidden=(100,) * 5, init="orthogonal", scale=10.0)

# The first five seeds, for measures that take long.
FIVE, FIVE_PUBLIC = (replace(config, seeds=tuple(range(5))) for config in (PAPER, PAPER_PUBLIC))

QUICK = replace(PAPER, dataset="digits", n_test=200, hidden=(40,) * 4, betas=(0.0, 0.1, 10.0), seeds=(0, 1))
QUICK_PUBLIC = replace(QUICK, hidden=(40,) * 5, init="orthogonal", scale=10.0)


def data(config: Any, split: images.Split) -> tuple[Float[Tensor, "n channels height width"], Int[Tensor, "n"]]:
    """Return the images of a split, in [0, 1], and their classes, 0 to 9, for a recipe's ``config``."""
    return images.load(config.dataset, split, config.n_train if split == "train" else config.n_test)


def data_fingerprint(config: Any) -> str:
    """Return the fingerprint of the images on which the networks depend."""
    return images.fingerprint(config.dataset)


def data_available(config: Any) -> bool:
    """Return True if the images are on this machine."""
    return images.available(config.dataset)


def front(config: Config, *, device: str = "cpu") -> Front:
    """Return the front of the networks: they see the pixels themselves."""
    return pixels


def inputs(
    config: Config, split: images.Split, *, device: str = "cpu", progress: Progress = silent
) -> tuple[Float[Tensor, "n pixels"], Int[Tensor, "n"]]:
    """Return the inputs of the networks, the pixels of a split's images, and their classes."""
    x, labels = data(config, split)
    return pixels(x).to(device), labels.to(device)


def build(config: Config) -> LIL:
    """Return the untrained networks, one member each (β, seed)."""
    return sweep.build(config, PIXELS)


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Train the networks and return their weights, on the CPU."""
    return sweep.train(build(config), config, *inputs(config, "train", device=device), progress=progress)


restore = ensembles.restorer(build)
