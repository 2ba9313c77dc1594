"""The numbers that the paper prints, each with its place. Nothing here was computed by this project.

K. Beshkov, J. Verhellen and M. E. Lepperød, *Isometric representations in neural networks improve robustness*,
Scientific Reports (2025), doi 10.1038/s41598-025-20619-0.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A row of a table: one value for each β."""

    betas: tuple[float, ...]
    values: tuple[float, ...]  # in the order of ``betas``
    place: str  # in the paper

    def at(self, beta: float) -> float:
        """Return the value printed for ``beta``. Raise KeyError for a β that the row does not have."""
        if beta not in self.betas:
            raise KeyError(f"{self.place} has no β = {beta:g}: it has {', '.join(f'{b:g}' for b in self.betas)}.")
        return self.values[self.betas.index(beta)]


BETAS = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0)  # "Experiments", the six networks on MNIST; Table 1 has them for CIFAR10 too
TABLE_1 = {  # accuracy on the test set
    "mnist": Row(BETAS, (0.9664, 0.9714, 0.9679, 0.9701, 0.9693, 0.9517), "Table 1, first row"),
    "cifar10": Row(BETAS, (0.8479, 0.8593, 0.8675, 0.8545, 0.7928, 0.2542), "Table 1, second row"),
}

# "Locally isometric layers and hierarchical representations", the stacked networks on the torus
TORUS_BETA = 10.0
TORUS_ACCURACY = 0.99  # classification rate that each level exceeds
