"""The loop over pairs: loss and gradients are those of lil.isometry under autograd in double precision."""

import numpy as np
import pytest
import torch

from lil.fast import pairs
from lil.isometry import flat_pairs, isometry_loss, pair_distances, within_class


def draw(d, n, seed=0):
    return torch.randn(d, n, generator=torch.Generator().manual_seed(seed))


def loop(z, x, groups, scale, attacked=True):
    """Run both compiled functions on arrays of (coordinates, n)."""
    order, s = groups.argsort(stable=True), groups.bincount()
    x_dist = np.full(int((s * (s - 1) // 2).sum()) + 1, -1, np.float32)
    pairs.distances(x.numpy(), order.numpy(), groups.numpy(), x_dist)
    assert x_dist[-1] == -1 and (x_dist[:-1] >= 0).all()  # exactly the pairs that count
    pull = np.full(z.shape, np.nan, np.float32)
    x_pull = np.full(x.shape if attacked else (0, z.shape[1]), np.nan, np.float32)
    arrays = z.numpy(), x.numpy(), order.numpy(), groups.numpy(), x_dist, np.float32(scale), pull, x_pull
    return pairs.isometry(*arrays), torch.from_numpy(pull), torch.from_numpy(x_pull), x_dist[:-1]


@pytest.mark.parametrize("n", [1, 2, 3, 15, 16, 17, 33, 70])
@pytest.mark.parametrize(("d", "d_x"), [(20, 3), (1, 1), (2, 5), (7, 64)])
def test_the_loss_and_its_gradients_are_those_of_the_definition(n, d, d_x):
    """One group, two mixed groups, and pairs that coincide in z, in x and in both."""
    for classes in (1, 2):
        z, x, groups = draw(d, n), draw(d_x, n, 1), torch.arange(n) % classes
        if n > 8:
            z[:, 2], z[:, 4], x[:, 6], x[:, 4] = z[:, 0], z[:, 0], x[:, 0], x[:, 0]
        exact, exact_x = z.double().T.requires_grad_(), x.double().T.requires_grad_()
        mask = within_class(groups)
        right = isometry_loss(exact, pair_distances(exact_x), mask, scale=1.5)
        along, along_x = torch.autograd.grad(right, (exact, exact_x))
        squares, pull, x_pull, _ = loop(z, x, groups, 1.5)
        assert 2 * squares / n**2 == pytest.approx(float(right.detach()), rel=1e-5, abs=1e-12)
        torch.testing.assert_close(4 * 1.5 * pull.T.double() / n**2, along, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(-4 * x_pull.T.double() / n**2, along_x, rtol=1e-4, atol=1e-5)


def test_a_training_needs_no_gradient_along_the_inputs():
    z, x, groups = draw(5, 30), draw(3, 30, 1), torch.arange(30) % 3
    found, alone = loop(z, x, groups, 1.0), loop(z, x, groups, 1.0, attacked=False)
    assert found[0] == alone[0] and torch.equal(found[1], alone[1]) and not alone[2].numel()


@pytest.mark.parametrize("n", [2, 5, 16, 40])
def test_distances_stand_row_by_row(n):
    """Close points far from the origin keep theirs."""
    x = 1e-3 * draw(3, n) + 100
    found = torch.from_numpy(loop(x, x, torch.zeros(n, dtype=torch.int64), 1.0)[3])
    right = flat_pairs(pair_distances(x.T.double()), within_class(torch.zeros(n, dtype=torch.int64)))
    torch.testing.assert_close(found.double(), right, rtol=1e-6, atol=0)


def test_points_that_all_coincide_pull_on_nothing():
    z = draw(4, 1).expand(-1, 20).contiguous()
    squares, pull, x_pull, _ = loop(z, z, torch.zeros(20, dtype=torch.int64), 1.0)
    assert squares == 0 and not pull.any() and not x_pull.any()
