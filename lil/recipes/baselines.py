"""Relatives of the isometry term on Figure 3A's networks: one classifier of MNIST for every method, strength and seed.

Everything but the method is as in :mod:`lil.recipes.mnist`: layers, weights at the start, batches and their order,
optimiser. The plain networks, which have no method, and those with the isometry term are that recipe's.

The strengths are chosen by clean accuracy alone. A scan with seed 0 looked for strengths whose clean accuracy comes
near that of the isometry term at each β, with K = 1 and with K = 10; robust accuracy decided nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lil import regularisers
from lil.attacks import pixels
from lil.models import LIL
from lil.progress import Progress, silent
from lil.recipes import ensembles, mnist
from lil.training import batch_orders

METHODS = ("jacobian", "spectral", "decay", "fgsm", "pgd")


@dataclass(frozen=True)
class Config:
    """A field for each method holds its strengths, which rise."""

    dataset: Literal["mnist", "digits"] = "mnist"  # "digits": embedded, in MNIST's shape
    n_train: int | None = None  # images, the set's first; None: all
    n_test: int | None = None  # the same, of the test set
    hidden: tuple[int, ...] = (100, 100, 100, 100)  # as in lil.recipes.mnist, like what follows
    seeds: tuple[int, ...] = (0, 1, 2)  # of lil.recipes.mnist's, the first three: the methods are many
    batch_size: int = 100
    epochs: int = 5
    learning_rate: float = 1e-3  # of Adam
    jacobian: tuple[float, ...] = (0.01, 0.1, 0.6, 3.0, 6.5)  # λ: Hoffman et al. take 0.01 for MNIST
    spectral: tuple[float, ...] = (1.0, 1.3, 1.45, 1.7, 2.5)  # norm of each layer: Miyato et al. take 1
    decay: tuple[float, ...] = (0.3, 0.5, 1.1, 1.3, 3.0)  # λ of AdamW: a step takes learning_rate · λ of each weight
    fgsm: tuple[float, ...] = (0.03, 0.1, 0.13, 0.2, 0.22)  # ε; one step of 1.25 ε from a random start, as Wong et al.
    pgd: tuple[float, ...] = (0.1, 0.14, 0.19, 0.215)  # ε; steps of 2.5 ε divided by their number, as Madry et al.
    pgd_steps: int = 7  # theirs for CIFAR10; for MNIST they take 40

    def __post_init__(self):
        for method in METHODS:
            ensembles.check_rising(f"the strengths of {method}", getattr(self, method))
        if 0 in self.spectral:
            raise ValueError(f"a spectral norm must be greater than 0, or nothing gets through: not {self.spectral}.")
        ensembles.check_seeds(self.seeds)
        if self.pgd_steps < 1:
            raise ValueError(f"pgd_steps must be at least 1, not {self.pgd_steps}.")


PAPER = Config()
QUICK_STRENGTHS = dict(jacobian=(0.01, 0.1), spectral=(1.0, 2.0), decay=(1.0, 3.0), fgsm=(0.03, 0.1), pgd=(0.03,))
QUICK = Config(dataset="digits", n_test=200, hidden=(40,) * 4, seeds=(0, 1), pgd_steps=3, **QUICK_STRENGTHS)

data, data_available, data_fingerprint = mnist.data, mnist.data_available, mnist.data_fingerprint


def methods(config: Config) -> list[tuple[str, float]]:
    """Return each method with each of its strengths."""
    return [(method, strength) for method in METHODS for strength in getattr(config, method)]


def members(config: Config) -> list[tuple[str, float, int]]:
    """Return (method, strength, seed) of each network. A seed's networks start alike and see the same batches."""
    return [(method, strength, seed) for method, strength in methods(config) for seed in config.seeds]


def build(config: Config) -> LIL:
    """Return the untrained networks, one member each (method, strength, seed)."""
    return LIL((mnist.PIXELS, *config.hidden, 10), seeds=[seed for _, _, seed in members(config)])


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Train the networks and return their weights, on the CPU; those of one method learn as one ensemble."""
    x, labels = (part.to(device) for part in data(config, "train"))
    trained = [_train(config, method, pixels(x), labels, progress) for method in METHODS if getattr(config, method)]
    return {name: torch.cat([networks[name].cpu() for networks in trained]) for name in trained[0]}


def _train(
    config: Config, method: str, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"], progress: Progress
) -> dict[str, Tensor]:
    """Return the weights of one method's networks, trained."""
    _, strengths, seeds = zip(*(member for member in members(config) if member[0] == method), strict=True)
    model = LIL((mnist.PIXELS, *config.hidden, 10), seeds=seeds).to(x.device)
    kinds = {
        "jacobian": regularisers.Jacobian,
        "spectral": regularisers.SpectralNorm,
        "decay": regularisers.WeightDecay,
        "fgsm": partial(regularisers.Adversarial, steps=1, reach=1.25),
        "pgd": partial(regularisers.Adversarial, steps=config.pgd_steps, reach=2.5),
    }
    regulariser = kinds[method](model, strengths, seeds)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    steps = -(-len(x) // config.batch_size)
    for epoch, order in enumerate(batch_orders(len(x), config.epochs, seeds)):
        for step, own in enumerate(order.to(x.device).split(config.batch_size, dim=1), start=1):
            loss = regulariser.loss(x[own], labels[own])
            optimizer.zero_grad()
            loss.sum().backward()
            regulariser.before_step(config.learning_rate)
            optimizer.step()
            progress(f"training: {method}", epoch * steps + step, config.epochs * steps)
    regulariser.finish()
    return model.state_dict()


restore = ensembles.restorer(build)
