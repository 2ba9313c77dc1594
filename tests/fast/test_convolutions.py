"""lil.fast.convolutions: the same function as nn.Conv2d, whichever way computes it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from lil.fast.convolutions import Conv3x3, FrozenConv3x3, dense, matrix
from torch import Tensor, nn

WINOGRAD, MATRIX, TORCHS = "_ConvolutionBackward", "PermuteBackward0", "ConvolutionBackward0"

# channels in, channels out, pixels a side, and the last step of the way it is computed
CASES = [
    (3, 64, 32, TORCHS),
    (64, 64, 32, WINOGRAD),
    (256, 512, 4, WINOGRAD),
    (512, 512, 2, MATRIX),
    (3, 5, 2, MATRIX),
    (16, 16, 6, TORCHS),
    (16, 16, 1, TORCHS),
    (8, 64, 8, TORCHS),
    (64, 64, 64, TORCHS),
]


def pair(kind: type[Conv3x3], c: int, o: int) -> tuple[nn.Conv2d, Conv3x3]:
    torch.manual_seed(c + o)
    plain = nn.Conv2d(c, o, 3, padding=1, dtype=torch.float64)
    return plain, kind.like(plain)


def images(c: int, size: int) -> Tensor:
    x = torch.randn(2, c, size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x.requires_grad_()


@pytest.mark.parametrize("c, o, size, way", CASES)
def test_same_function_and_gradients_as_torchs(c: int, o: int, size: int, way: str) -> None:
    plain, fast = pair(Conv3x3, c, o)
    x = images(c, size)
    right, found = plain(x), fast(x)
    assert found.grad_fn.name() == way
    torch.testing.assert_close(found, right)
    gradient = torch.randn(right.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    inputs = (x, plain.weight, plain.bias)
    right = torch.autograd.grad(right, inputs, gradient)
    torch.testing.assert_close(torch.autograd.grad(found, inputs, gradient), right)


@pytest.mark.parametrize("size", [2, 4])
def test_gradients_by_differences(size: int) -> None:
    _, fast = pair(Conv3x3, 16, 16)
    x = images(16, size)

    def function(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.func.functional_call(fast, {"weight": weight, "bias": bias}, (x,))

    assert torch.autograd.gradcheck(function, (x, fast.weight, fast.bias), fast_mode=True)


def test_gradients_are_computed_only_where_wanted() -> None:
    _, fast = pair(Conv3x3, 16, 16)
    fast.weight.requires_grad_(False)
    x = images(16, 4)
    fast(x).sum().backward()
    assert fast.weight.grad is None and x.grad is not None and fast.bias.grad is not None


@pytest.mark.parametrize("c, o, size, way", CASES)
def test_a_frozen_layer_is_the_relu_of_torchs(c: int, o: int, size: int, way: str) -> None:
    plain, fast = pair(FrozenConv3x3, c, o)
    fast.requires_grad_(False)
    x = images(c, size)
    right = plain(x).relu()
    found = fast(x)
    torch.testing.assert_close(found, right)
    gradient = torch.randn(right.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(torch.autograd.grad(found, x, gradient), torch.autograd.grad(right, x, gradient))


@pytest.mark.parametrize("size", [2, 4])
def test_a_frozen_layer_transforms_its_filters_once_but_notices_other_filters(size: int) -> None:
    plain, fast = pair(FrozenConv3x3, 16, 16)
    fast.requires_grad_(False)
    x = images(16, size)
    fast(x)
    (kept,) = fast._made.values()
    fast(x)
    assert fast._made.popitem()[1] is kept
    fast(x)
    fast.load_state_dict({name: 2 * value for name, value in fast.state_dict().items()})
    torch.testing.assert_close(fast(x), plain(x).relu())  # the parameters are shared
    fast.float()
    assert fast(x.float()).dtype == torch.float32


def test_state_is_that_of_the_layer_it_is_like() -> None:
    plain, fast = pair(Conv3x3, 3, 4)
    assert fast.weight is plain.weight and fast.bias is plain.bias
    assert list(fast.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize(
    "other",
    [
        {"stride": 2},
        {"padding": 0},
        {"dilation": 2},
        {"groups": 2},
        {"padding_mode": "circular"},
        {"bias": False},
        {"kernel_size": 5},
    ],
)
def test_layers_of_other_kinds_are_refused(other: dict) -> None:
    with pytest.raises(ValueError, match="is needed"):
        Conv3x3.like(nn.Conv2d(4, 4, **{"kernel_size": 3, "padding": 1, **other}))


def test_autocast_and_other_precisions_are_left_to_torch() -> None:
    _, fast = pair(Conv3x3, 16, 16)
    fast.float()
    x = images(16, 8).detach().float()
    with torch.autocast("cpu", torch.bfloat16):
        assert fast(x).grad_fn.name() == TORCHS and fast(x).dtype == torch.bfloat16
    assert fast.bfloat16()(x.bfloat16()).grad_fn.name() == TORCHS


def test_the_matrix_of_a_filter_of_ones_is_ones() -> None:
    """Every pixel of a 2 × 2 image is within reach of every other."""
    weight = matrix(torch.ones(5, 3, 3, 3))
    assert torch.equal(weight, torch.ones(12, 20))
    assert torch.equal(dense(torch.ones(1, 3, 2, 2), weight, torch.zeros(5)), torch.full((1, 5, 2, 2), 12.0))
    only_centre = F.pad(torch.eye(3)[:, :, None, None], (1, 1, 1, 1))
    assert torch.equal(matrix(only_centre), torch.eye(12))
