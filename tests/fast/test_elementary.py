"""Functions for compiled loops, against torch's in double precision."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lil.fast import elementary


def test_tanh_is_torchs_to_the_last_digits():
    x = torch.cat(
        [torch.linspace(-12, 12, 100_001), torch.logspace(-30, 0, 1000), torch.tensor([torch.inf, -torch.inf, 0.0])]
    )
    found = x.clone()
    elementary.tanh(found.numpy())
    right = torch.tanh(x.double())
    assert float(((found - right).abs() / right.abs().clamp(min=1e-35)).max()) < 4e-7
    assert float(found.abs().max()) <= 1
    nothing = np.full(3, np.nan, np.float32)
    elementary.tanh(nothing)
    assert np.isnan(nothing).all()


def test_exp_is_torchs_to_the_last_digits():
    x = torch.linspace(-86, 0, 100_001)
    above = torch.full_like(x, 3.0)
    found = torch.empty_like(x)
    elementary._exp_of_difference((x + above).numpy(), above.numpy(), found.numpy())
    right = torch.exp(((x + above) - above).double())
    assert float(((found - right).abs() / right).max()) < 4e-7
    elementary._exp_of_difference(np.full(3, np.nan, np.float32), above.numpy(), found.numpy())
    assert found[:3].isnan().all()


def test_exp_of_what_float32_cannot_hold_is_zero():
    """An attack must see that a softmax has no gradient left."""
    found = np.full(4, np.nan, np.float32)
    elementary._exp_of_difference(np.float32([-88, -200, -np.inf, -86]), np.zeros(4, np.float32), found)
    assert not found[:3].any() and found[3] > 0


@pytest.mark.parametrize(("first", "end", "n"), [(0, 20, 20), (0, 32, 20), (16, 32, 5)])
def test_cross_entropy_and_its_gradient(first, end, n):
    generator = torch.Generator().manual_seed(n)
    values = 5 * torch.randn(6, 40, generator=generator)
    labels = torch.randint(0, 4, (n,), generator=generator)
    along = torch.full((4, end - first), torch.nan)
    loss = elementary.cross_entropy(values.numpy(), 2, first, end, labels.numpy(), np.float32(0.3), along.numpy())
    logits = values[2:, first : first + n].double().requires_grad_()
    expected = F.cross_entropy(logits.mT, labels, reduction="sum")
    (0.3 * expected).backward()
    assert loss == pytest.approx(float(expected.detach()), rel=1e-6)
    torch.testing.assert_close(along[:, :n].double(), logits.grad, rtol=1e-5, atol=1e-7)
    assert not along[:, n:].any()


def test_adam_is_torchs():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(50, generator=generator)
    theirs = weight.clone().double().requires_grad_()
    optimizer = torch.optim.Adam([theirs], lr=0.02)
    means, squares = torch.zeros(50), torch.zeros(50)
    for step in range(1, 8):
        gradient = torch.randn(50, generator=generator)
        theirs.grad = gradient.double()
        optimizer.step()
        elementary.adam(weight.numpy(), means.numpy(), squares.numpy(), gradient.numpy(), 0.02, step)
    torch.testing.assert_close(weight.double(), theirs.detach(), rtol=1e-5, atol=1e-6)
