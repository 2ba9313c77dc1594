"""Classifiers of MNIST whose representation can be drawn: those of Figure 3A with a last hidden layer of two or three.

Two tanh units reach distances up to 2√2 and three up to 2√3. Images of one class lie several times as far apart, so
that with K = 1 no such network can be an isometry. K = 10 divides the distances that are aimed at by 10.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lil.recipes import mnist

data, data_available, data_fingerprint = mnist.data, mnist.data_available, mnist.data_fingerprint
inputs, members, build, train, restore = mnist.inputs, mnist.members, mnist.build, mnist.train, mnist.restore


@dataclass(frozen=True)
class Config(mnist.Config):
    hidden: tuple[int, ...] = (100, 100, 100, 2)  # the text's four layers, the last of them narrowed
    seeds: tuple[int, ...] = (0, 1, 2)  # one network each for every β


PAPER_PLANE = Config()
PAPER_SPACE = replace(PAPER_PLANE, hidden=(100, 100, 100, 3))
PAPER_PLANE_10, PAPER_SPACE_10 = (replace(each, scale=10.0) for each in (PAPER_PLANE, PAPER_SPACE))


def quick(config: Config) -> Config:
    """Return the settings for the embedded digits, with narrower layers, three β and two seeds: seconds."""
    narrow = (40, 40, 40, config.hidden[-1])
    return replace(config, dataset="digits", n_test=200, hidden=narrow, betas=(0.0, 0.1, 10.0), seeds=(0, 1))
