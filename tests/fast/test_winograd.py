"""lil.fast.winograd against torch's convolution in float64, for the shapes of VGG13."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from lil.fast.winograd import convolve, fits, transformed, transformed_turned, weight_gradient
from torch import Tensor

# channels in, channels out, pixels a side: the layers of VGG13 that Winograd's way is for
VGG13 = [(64, 64, 32), (64, 128, 16), (128, 128, 16), (128, 256, 8), (256, 256, 8), (256, 512, 4), (512, 512, 4)]

# Largest error relative to the largest value. In float32 1.3e-5 was measured, ten times what torch's own makes.
TOLERANCE = {torch.float32: 3e-5, torch.float64: 1e-12}


def layer(c: int, o: int, size: tuple[int, int], n: int = 3) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Images, filters, biases and a gradient of the output, in float64."""
    generator = torch.Generator().manual_seed(c + o)
    x, gradient = (torch.randn(n, channels, *size, generator=generator, dtype=torch.float64) for channels in (c, o))
    weight = torch.randn(o, c, 3, 3, generator=generator, dtype=torch.float64) / (9 * c) ** 0.5
    return x, weight, torch.randn(o, generator=generator, dtype=torch.float64), gradient


def error(found: Tensor, right: Tensor) -> float:
    assert found.shape == right.shape
    return float((found - right.detach()).abs().max() / right.detach().abs().max())


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("c, o, size", VGG13)
def test_convolution_and_both_gradients(c: int, o: int, size: int, dtype: torch.dtype) -> None:
    x, weight, bias, gradient = layer(c, o, (size, size))
    x.requires_grad_(), weight.requires_grad_()
    right = F.conv2d(x, weight, bias, padding=1)
    right_dx, right_dweight = torch.autograd.grad(right, (x, weight), gradient)
    x, weight, bias, gradient = (part.detach().to(dtype) for part in (x, weight, bias, gradient))
    assert error(convolve(x, transformed(weight), bias), right) < TOLERANCE[dtype]
    assert error(convolve(gradient, transformed_turned(weight)), right_dx) < TOLERANCE[dtype]
    assert error(weight_gradient(x, gradient), right_dweight) < TOLERANCE[dtype]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("size", [(4, 4), (4, 12), (12, 8)])
def test_images_that_are_not_square_batches_of_any_size_and_threads(size: tuple[int, int], threads: int) -> None:
    torch.set_num_threads(threads)
    for n in (0, 1, 5, 130):
        x, weight, bias, gradient = layer(16, 24, size, n)
        right = F.conv2d(x, weight, bias, padding=1)
        torch.testing.assert_close(convolve(x, transformed(weight), bias), right)
        right = torch.nn.grad.conv2d_weight(x, weight.shape, gradient, padding=1)
        torch.testing.assert_close(weight_gradient(x, gradient), right)


def test_relu_and_no_bias() -> None:
    x, weight, bias, _ = layer(16, 16, (8, 8))
    y = convolve(x, transformed(weight), bias, relu=True)
    torch.testing.assert_close(y, F.conv2d(x, weight, bias, padding=1).relu())
    torch.testing.assert_close(convolve(x, transformed(weight)), F.conv2d(x, weight, padding=1))


def test_each_pixel_meets_each_tap_of_its_filter() -> None:
    """One pixel alone in an image gives the filter, turned by 180°, around its place: exact to float64's rounding."""
    weight = torch.arange(16 * 16 * 9, dtype=torch.float64).view(16, 16, 3, 3)
    u = transformed(weight)
    for row in range(8):
        for column in range(8):
            x = torch.zeros(1, 16, 8, 8, dtype=torch.float64)
            x[0, 5, row, column] = 1
            right = torch.zeros(16, 10, 10, dtype=torch.float64)
            right[:, row : row + 3, column : column + 3] = weight[:, 5].flip(1, 2)
            torch.testing.assert_close(convolve(x, u)[0], right[:, 1:-1, 1:-1], rtol=0, atol=1e-9)


def test_the_kernels_hold_the_layers_of_vgg13_and_no_wider_row() -> None:
    assert all(fits(size, max(c, o)) for c, o, size in VGG13)
    assert not fits(64, 64) and not fits(4, 516)
