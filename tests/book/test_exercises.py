"""The answers to the exercises of the theory's pages, computed with the project's own functions."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from lil.isometry import isometry_loss, pair_distances, within_class
from lil.lipschitz import jacobians, lower_margins, lower_pairs, upper_product
from lil.paper.pages import ROOT


def loss(x, z, scale=1.0):
    """The isometry loss of points that are all of one class."""
    return isometry_loss(z, pair_distances(x), within_class(torch.zeros(len(x), dtype=torch.int64)), scale=scale)


def test_1_orthogonal_columns_over_k_keep_distances_up_to_k():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20, 2, generator=generator, dtype=torch.float64)
    a = torch.linalg.qr(torch.randn(3, 2, generator=generator, dtype=torch.float64)).Q / 10
    torch.testing.assert_close(a.T @ a, torch.eye(2, dtype=torch.float64) / 100)
    assert loss(x, x @ a.T, scale=10.0) < 1e-20 < loss(x, 2 * x @ a.T, scale=10.0)


def test_2_margins_force_a_stretch_of_three():
    x, labels = torch.tensor([[0.0], [0.5]]), torch.tensor([0, 1])
    rows = torch.tensor([[2.0], [-2.0]])
    z = torch.tensor([[0.75], [-0.75]])
    margins = z @ (rows[0] - rows[1])
    assert margins.tolist() == [3.0, -3.0]
    assert lower_pairs(x, z[None], labels).between.item() == 3.0
    forced = lower_margins(x, (z @ rows.T)[None], labels, rows[None])
    assert forced.item() == pytest.approx(3.0)


def test_3_the_product_is_a_hundred_times_the_constant():
    first, second = torch.diag(torch.tensor([10.0, 0.1])), torch.diag(torch.tensor([0.1, 10.0]))
    assert upper_product([first[None], second[None]]).item() == pytest.approx(100)
    grid = torch.cartesian_prod(*2 * [torch.linspace(-2, 2, 21)])
    found = jacobians(lambda x: torch.tanh(torch.tanh(x @ first.T) @ second.T), grid[None])
    assert torch.linalg.matrix_norm(found, ord=2).max().item() == pytest.approx(1)
    torch.testing.assert_close(found[0, len(grid) // 2], torch.eye(2))


@pytest.mark.parametrize("scale, a", [(1.0, 0.5), (10.0, 0.3), (4.0, 0.25)])
def test_4_the_gradient_of_one_pair(scale, a):
    x = torch.tensor([[1.0, 2.0], [4.0, -2.0]], dtype=torch.float64, requires_grad=True)
    value = loss(x, a * x, scale)
    slope = torch.autograd.grad(value, x)[0][0]
    torch.testing.assert_close(value, torch.tensor((1 - scale * a) ** 2 * 25 / 2, dtype=torch.float64))
    torch.testing.assert_close(slope, (1 - scale * a) ** 2 * (x[0] - x[1]).detach())


def test_5_no_corner_of_the_box_beats_the_signs():
    g, epsilon = torch.tensor([0.5, -2.0, 0.0, 1.0]), 0.1
    best = max(float(g @ torch.tensor(corner)) for corner in itertools.product([-epsilon, epsilon], repeat=4))
    assert best == pytest.approx(float(g @ (epsilon * g.sign()))) == pytest.approx(epsilon * float(g.abs().sum()))
    even = torch.full((784,), 3.0)
    assert float(even.abs().sum() / even.norm()) == pytest.approx(28)


def test_6_a_tear_hardly_shows_in_the_loss():
    x = torch.linspace(0, 1, 1000, dtype=torch.float64)[:, None]
    z = x + 0.01 * (x > 0.5)
    assert loss(x, z).item() == pytest.approx(0.00005)
    labels = torch.zeros(1000, dtype=torch.int64)
    assert lower_pairs(x, z[None], labels).within.item() == pytest.approx(10.99)
    text = (ROOT / "book" / "theory" / "limits.md").read_text("utf-8")
    assert "$0.00005$" in text and "$10.99$" in text


def test_7_single_precision_masks_the_gradient():
    def step(c, dtype):
        x = torch.ones(1, dtype=dtype, requires_grad=True)
        logits = c * torch.stack((x, torch.zeros_like(x)), -1)
        return torch.autograd.grad(F.cross_entropy(logits, torch.tensor([0])), x)[0].sign().item()

    assert [step(c, torch.float64) for c in (1, 20)] == [-1, -1]
    assert [step(c, torch.float32) for c in (1, 20)] == [-1, 0]
