"""Layers with ``nn.Conv2d``'s parameters that are faster on processors: 3 × 3 filters, stride 1, padding 1, a bias.

Each shape is computed in the way that measured fastest: Winograd's (:mod:`lil.fast.winograd`) where an image divides into
tiles; as one matrix product where it has 2 × 2 pixels, 2.25 times fewer products than the definition takes, which
multiplies the padding's zeros; and by torch elsewhere, in bfloat16, on other devices, and under autocast.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from lil.fast.winograd import convolve, fits, transformed, transformed_turned, weight_gradient


class Conv3x3(nn.Conv2d):
    """The same function of the same parameters as ``nn.Conv2d``."""

    @classmethod
    def like(cls, layer: nn.Conv2d) -> Conv3x3:
        """The same layer, sharing ``layer``'s parameters."""
        kind = layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups, layer.padding_mode
        if kind != ((3, 3), (1, 1), (1, 1), (1, 1), 1, "zeros") or layer.bias is None:
            raise ValueError(f"a 3 × 3 convolution with stride 1, padding 1 and a bias is needed, not {layer}.")
        new = cls(layer.in_channels, layer.out_channels, 3, padding=1, device="meta")
        new.weight, new.bias = layer.weight, layer.bias
        return new

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n o h w"]:
        if _divides(x, self.weight):
            return _Convolution.apply(x, self.weight, self.bias)
        if _tiny(x):
            return dense(x, matrix(self.weight), self.bias)
        return super().forward(x)


class FrozenConv3x3(Conv3x3):
    """max(·, 0) after a convolution whose filters are not trained: they are transformed once, at the first use."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self._made: dict[Callable, tuple[tuple[int, int], Tensor]] = {}

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n o h w"]:
        if _divides(x, self.weight):
            return _FrozenConvolution.apply(x, self)
        if _tiny(x):
            return F.relu(dense(x, self.once(matrix), self.bias), inplace=True)
        return F.relu(nn.Conv2d.forward(self, x), inplace=True)

    def once(self, make: Callable[[Tensor], Tensor]) -> Tensor:
        """``make(self.weight)``, made anew only if the weights are no longer the same memory or were written to."""
        state = self.weight.data_ptr(), self.weight._version
        if self._made.get(make, (None,))[0] != state:
            self._made[make] = state, make(self.weight.detach())
        return self._made[make][1]


class MaxPool2x2(nn.Module):
    """The largest of each 2 × 2 pixels. Without a gradient in a third of the time of torch's, which notes which it was."""

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h/2 w/2"]:
        if x.requires_grad:
            return F.max_pool2d(x, 2)
        of_rows = torch.maximum(x[:, :, ::2], x[:, :, 1::2])
        return torch.maximum(of_rows[..., ::2], of_rows[..., 1::2])


class _FrozenConvolution(torch.autograd.Function):
    """Winograd's way, with the ReLU; differentiable in x."""

    @staticmethod
    def forward(ctx, x: Tensor, layer: FrozenConv3x3) -> Tensor:
        y = convolve(x, layer.once(transformed), layer.bias, relu=True)
        ctx.layer = layer
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors
        passed = torch.ops.aten.threshold_backward(gradient, y, 0)  # the ReLU's, in one pass
        return convolve(passed, ctx.layer.once(transformed_turned)), None


class _Convolution(torch.autograd.Function):
    """Winograd's way; differentiable in x, weight and bias."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return convolve(x, transformed(weight), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            convolve(gradient, transformed_turned(weight)) if wanted[0] else None,
            weight_gradient(x, gradient) if wanted[1] else None,
            gradient.sum((0, 2, 3)) if wanted[2] else None,
        )


def matrix(weight: Float[Tensor, "o c 3 3"]) -> Float[Tensor, "inputs outputs"]:
    """The convolution of images of 2 × 2 pixels as a matrix (4c, 4o): each pair of pixels, in and out, has one tap."""
    o, c = weight.shape[:2]
    pixels = [(row, column) for row in range(2) for column in range(2)]
    taps = [3 * (row - i + 1) + column - j + 1 for row, column in pixels for i, j in pixels]
    filters = weight.permute(2, 3, 1, 0).reshape(9, c, o).index_select(0, torch.tensor(taps))
    return filters.view(4, 4, c, o).transpose(1, 2).reshape(4 * c, 4 * o)


def dense(
    x: Float[Tensor, "n c 2 2"], weight: Float[Tensor, "inputs outputs"], bias: Float[Tensor, "o"]
) -> Float[Tensor, "n o 2 2"]:
    """The convolution of images of 2 × 2 pixels whose weight is a :func:`matrix`."""
    y = x.permute(0, 2, 3, 1).reshape(len(x), -1) @ weight
    return (y.view(len(x), 2, 2, -1) + bias).permute(0, 3, 1, 2)


def _native(x: Tensor) -> bool:
    return x.device.type == "cpu" and not torch.is_autocast_enabled("cpu")


def _divides(x: Tensor, weight: Tensor) -> bool:
    """Whether Winograd's way applies and pays; with few channels the transforms cost more than they save."""
    height, width = x.shape[2:]
    fewest, most = sorted(weight.shape[:2])
    exact = x.dtype in (torch.float32, torch.float64)
    return _native(x) and exact and height % 4 == 0 and width % 4 == 0 and fewest >= 16 and fits(width, most)


def _tiny(x: Tensor) -> bool:
    return _native(x) and x.shape[2:] == (2, 2)
