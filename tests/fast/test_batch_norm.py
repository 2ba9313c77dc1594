"""lil.fast.batch_norm against nn.BatchNorm2d and relu."""

from __future__ import annotations

import copy

import pytest
import torch
from lil.fast.batch_norm import BatchNormReLU
from torch import Tensor, nn

# Largest error relative to the largest value; in float32 2e-7 was measured.
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-13}


def pair(channels: int) -> tuple[nn.BatchNorm2d, BatchNormReLU]:
    torch.manual_seed(channels)
    plain = nn.BatchNorm2d(channels, dtype=torch.float64)
    for parameter in plain.parameters():
        nn.init.normal_(parameter)
    plain.running_mean.normal_()
    plain.running_var.uniform_(0.5, 2)
    return plain, BatchNormReLU.like(copy.deepcopy(plain))


def images(*shape: int) -> Tensor:
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.7


def close(found: Tensor, right: Tensor, dtype: torch.dtype) -> bool:
    found, right = found.detach(), right.detach()
    return found.dtype == dtype and float((found - right).abs().max() / right.abs().max()) < TOLERANCE[dtype]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(16, 64, 32, 32), (5, 512, 2, 2), (3, 7, 1, 5)])
def test_training_is_batch_norm_then_relu(shape: tuple[int, ...], dtype: torch.dtype, threads: int) -> None:
    torch.set_num_threads(threads)
    plain, fast = pair(shape[1])
    fast = fast.to(dtype)
    x = images(*shape).requires_grad_()
    x_fast = x.detach().to(dtype).requires_grad_()
    right, found = plain(x).relu(), fast(x_fast)
    gradient = images(*shape) - 0.7
    right_gradients = torch.autograd.grad(right, (x, *plain.parameters()), gradient)
    gradients = torch.autograd.grad(found, (x_fast, *fast.parameters()), gradient.to(dtype))
    assert close(found, right, dtype)
    assert all(close(a, b, dtype) for a, b in zip(gradients, right_gradients, strict=True))
    assert close(fast.running_mean, plain.running_mean, dtype) and close(fast.running_var, plain.running_var, dtype)
    assert int(fast.num_batches_tracked) == int(plain.num_batches_tracked) == 1


def test_gradients_by_differences() -> None:
    _, fast = pair(3)
    x = images(4, 3, 2, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, *_: fast(x), (x, fast.weight, fast.bias))


def test_evaluation_uses_the_statistics_and_leaves_them() -> None:
    plain, fast = pair(6)
    x = images(4, 6, 3, 3)
    before = copy.deepcopy(fast.state_dict())
    torch.testing.assert_close(fast.eval()(x), plain.eval()(x).relu())
    assert all(torch.equal(value, before[name]) for name, value in fast.state_dict().items())


def test_state_is_that_of_the_layer_it_is_like() -> None:
    plain, _ = pair(6)
    fast = BatchNormReLU.like(plain)
    assert fast.weight is plain.weight and fast.bias is plain.bias
    assert list(fast.state_dict()) == list(plain.state_dict())
    assert (fast.eps, fast.momentum) == (plain.eps, plain.momentum)
