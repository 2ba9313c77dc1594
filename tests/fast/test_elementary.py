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
    saturated = right.abs().float() == 1  # the derivative, 1 − tanh², is exactly 0
    assert saturated.any() and found[saturated].abs().eq(1).all()
    assert found.abs().lt(1)[x.abs() < 7.5].all()  # between, the last digit depends on the processor
    nothing = np.full(3, np.nan, np.float32)
    elementary.tanh(nothing)
    assert np.isnan(nothing).all()


@pytest.mark.parametrize("scale", [5.0, 60.0])
def test_cross_entropy_and_its_gradient(scale):
    """Also of logits whose softmax is 0 or 1 in float32."""
    generator = torch.Generator().manual_seed(0)
    logits, labels = scale * torch.randn(4, 30, generator=generator), torch.randint(0, 4, (30,), generator=generator)
    gradient = torch.full((4, 30), torch.nan)
    loss = elementary.cross_entropy(logits.numpy(), labels.numpy(), np.float32(0.3), gradient.numpy())
    exact = logits.double().requires_grad_()
    expected = F.cross_entropy(exact.mT, labels, reduction="sum")
    (0.3 * expected).backward()
    assert loss == pytest.approx(float(expected.detach()), rel=1e-6)
    torch.testing.assert_close(gradient.double(), exact.grad, rtol=1e-5, atol=1e-7)


def test_the_cross_entropy_of_nan_is_nan():
    logits, gradient = np.full((2, 3), np.nan, np.float32), np.empty((2, 3), np.float32)
    assert np.isnan(elementary.cross_entropy(logits, np.zeros(3, np.int64), np.float32(1), gradient))


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
