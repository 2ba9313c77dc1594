"""The straightforward twin: the paper's method as one would first write it in PyTorch, to measure ours against.

Full N × N distance matrices, masked, under autograd, in double precision, one network after another.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lil.models import LIL


def as_modules(lil: LIL, member: int) -> tuple[nn.Sequential, nn.Linear]:
    """The hidden part and the classifier of one member of an ensemble, in torch's own modules and double precision."""
    layers = []
    for weight, bias in zip(lil.weights, lil.biases, strict=True):
        linear = nn.Linear(weight.shape[2], weight.shape[1])
        linear.load_state_dict({"weight": weight[member], "bias": bias[member]})
        layers.append(linear.double())
    hidden = nn.Sequential(*(module for linear in layers[:-1] for module in (linear, nn.Tanh())))
    return hidden, layers[-1]


def isometry_loss(z: Tensor, x_dist: Tensor, same_class: Tensor) -> Tensor:
    """Eq. 1: 1/N² ‖G ⊙ D_M − G ⊙ D_Φ‖²."""
    return (same_class * x_dist - same_class * torch.cdist(z, z)).square().sum() / len(z) ** 2


def train_stack(
    lils: list[LIL], x: Tensor, labels: tuple[Tensor, ...], *, beta: float, epochs: int, learning_rate: float = 1e-3
) -> list[tuple[nn.Sequential, nn.Linear]]:
    """Train the first member of each level, one level after another, on all points at once."""
    x = x.double()
    x_dist = torch.cdist(x, x)
    below, trained = x, []
    for lil, target in zip(lils, labels, strict=True):
        hidden, classifier = as_modules(lil, 0)
        same_class = (target[:, None] == target).double()
        optimizer = torch.optim.Adam([*hidden.parameters(), *classifier.parameters()], lr=learning_rate)
        for _ in range(epochs):
            z = hidden(below)
            loss = F.cross_entropy(classifier(z), target) + beta * isometry_loss(z, x_dist, same_class)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            below = hidden(below)
        trained.append((hidden, classifier))
    return trained
