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


def train_classifier(
    lil: LIL,
    member: int,
    x: Tensor,
    labels: Tensor,
    *,
    beta: float,
    order: Tensor,
    batch_size: int,
    learning_rate: float = 1e-3,
) -> tuple[nn.Sequential, nn.Linear]:
    """Train one member for one epoch over the points in ``order``, batch after batch."""
    hidden, classifier = as_modules(lil, member)
    optimizer = torch.optim.Adam([*hidden.parameters(), *classifier.parameters()], lr=learning_rate)
    for chosen in order.split(batch_size):
        loss = _loss(hidden, classifier, x[chosen].double(), labels[chosen], beta)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return hidden, classifier


def fgsm_accuracy(
    hidden: nn.Sequential,
    classifier: nn.Linear,
    x: Tensor,
    labels: Tensor,
    *,
    beta: float,
    epsilons: list[float],
    batch_size: int,
) -> list[float]:
    """Accuracy under FGSM on the training loss, the gradient taken anew for each ε, as the public code does."""
    accuracies = []
    for epsilon in epsilons:
        right = 0
        for images, truth in zip(x.double().split(batch_size), labels.split(batch_size), strict=True):
            images = images.clone().requires_grad_()
            (gradient,) = torch.autograd.grad(_loss(hidden, classifier, images, truth, beta), images)
            attacked = (images + epsilon * gradient.sign()).clamp(0, 1).detach()
            right += int((classifier(hidden(attacked)).argmax(1) == truth).sum())
        accuracies.append(right / len(x))
    return accuracies


def _loss(hidden: nn.Sequential, classifier: nn.Linear, x: Tensor, labels: Tensor, beta: float) -> Tensor:
    z = hidden(x)
    same_class = (labels[:, None] == labels).double()
    return F.cross_entropy(classifier(z), labels) + beta * isometry_loss(z, torch.cdist(x, x), same_class)
