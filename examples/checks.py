"""Measure a classifier: accuracy, accuracy under attack, and how it keeps distances."""

import torch
import torch.nn.functional as F

from lil.isometry import flat_pairs, pair_distances, within_class


def pgd(network, x, y, epsilon, steps=40):
    attacked = x + epsilon * (2 * torch.rand_like(x) - 1)
    for _ in range(steps):
        attacked.requires_grad_()
        loss = F.cross_entropy(network(attacked), y)
        (gradient,) = torch.autograd.grad(loss, attacked)
        attacked = attacked.detach() + epsilon / 10 * gradient.sign()
        attacked = attacked.clamp(x - epsilon, x + epsilon).clamp(0, 1)
    return attacked


def measure(network, x, y, epsilon=0.1):
    images = (x, pgd(network, x, y, epsilon))
    right = [network(each).argmax(1) == y for each in images]
    points, mask = (x, network[0](x).detach()), within_class(y)
    pairs = torch.stack([flat_pairs(pair_distances(each), mask) for each in points])
    shares = [float(each.float().mean()) for each in right]
    return *shares, float(torch.corrcoef(pairs)[0, 1])
