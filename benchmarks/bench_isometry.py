"""The isometry loss and its gradient: ours beside the masked matrix under autograd, seconds a call."""

import naive
import pytest
import torch

from lil.isometry import isometry_loss, pair_blocks, pair_distances

CLASSES, WIDTH, MEMBERS = 4, 20, 1


@pytest.mark.parametrize("kind", ("ours", "naive"))
@pytest.mark.parametrize("pairs", ("within-class", "all"))
@pytest.mark.parametrize("n", (100, 400, 1600))
def test_loss_and_gradient(timed, n, pairs, kind):
    generator = torch.Generator().manual_seed(n)
    x = torch.randn(n, 3, generator=generator)
    z = torch.randn(MEMBERS, n, WIDTH, generator=generator).requires_grad_()
    labels = torch.arange(n) % CLASSES
    blocks = pair_blocks(labels, pairs)
    x_dist = pair_distances(x, blocks)
    distances, points = torch.cdist(x.double(), x.double()), z.detach()[0].double().requires_grad_()
    counts = (labels[:, None] == labels).double() if pairs == "within-class" else torch.ones(n, n, dtype=torch.float64)

    def call():
        if kind == "ours":
            torch.autograd.grad(isometry_loss(z, x_dist, blocks).sum(), z)
        else:
            torch.autograd.grad(naive.isometry_loss(points, distances, counts), points)

    timed(call, f"isometry loss and gradient, {n} points, pairs {pairs}", "a call", rounds=6, iterations=5)
