"""The VGG13's features in bfloat16, arranged for a processor's matrix instructions: :class:`lil.features.VGGFeatures`, faster.

What an attack needs most of: passes of many images. Features have errors of 0.4 %. Two things keep such a processor from
its matrix products. Small images leave its tiles half empty, so images of 4 × 4 pixels are laid beside one another, with a
column of zeros between. And ReLUs and poolings take as long as products: in bfloat16 a number's bits, read as an integer,
keep the order of those that a ReLU lets through, so both are maxima of integers, taken of the pooled image.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import BFloat16, Float
from torch import Tensor, nn

from lil.fast.convolutions import FrozenConv3x3, dense, matrix
from lil.features import VGGFeatures

PIECE = 250  # images that go through the VGG13 at once: more take more memory and no less time
_BESIDE = 25  # images in a row, at most


class Bfloat16Features(nn.Module):
    """(…, 3, 32, 32) in [0, 1] to (…, 512); in float32 where the processor lacks such instructions, as :class:`VGGFeatures`."""

    def __init__(self, source: str = "cifar10", inputs: str = "normalised", *, seed: int = 0):
        super().__init__()
        self.plain = VGGFeatures(source, inputs, seed=seed)
        self.blocks = nn.Sequential(*_blocks(self.plain.layers)).bfloat16() if multiplies_bfloat16() else None

    def forward(self, x: Float[Tensor, "*lead n 3 32 32"]) -> Float[Tensor, "*lead n 512"]:
        of_pieces = [self._features(piece) for piece in x.flatten(0, -4).split(PIECE)]
        return torch.cat(of_pieces).unflatten(0, x.shape[:-3])

    def _features(self, x: Float[Tensor, "n 3 32 32"]) -> Float[Tensor, "n 512"]:
        if self.blocks is None:
            return self.plain(x)
        return self.blocks(self.plain.seen(x).bfloat16()).flatten(1).to(x.dtype)


@cache
def multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for products of bfloat16 matrices (Intel's AMX)."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))


def _blocks(layers: Iterable[nn.Module]) -> Iterable[_Block]:
    """The convolutions up to each pooling."""
    convolutions: list[FrozenConv3x3] = []
    for layer in layers:
        if isinstance(layer, FrozenConv3x3):
            convolutions.append(layer)
        else:
            yield _Block(convolutions)
            convolutions = []


class _Block(nn.Module):
    """Convolutions with their ReLUs, and a pooling."""

    def __init__(self, convolutions: Iterable[FrozenConv3x3]):
        super().__init__()
        self.convolutions = nn.ModuleList(convolutions)

    def forward(self, x: BFloat16[Tensor, "n c h w"]) -> BFloat16[Tensor, "n o h/2 w/2"]:
        *before, last = self.convolutions
        for convolution in before:
            x = F.relu(_convolved(convolution, x), inplace=True)
        y = _convolved(last, x)
        return F.max_pool2d(F.relu(y, inplace=True), 2) if y.requires_grad else pooled_relu(y)


def _convolved(layer: FrozenConv3x3, x: BFloat16[Tensor, "n c h w"]) -> BFloat16[Tensor, "n o h w"]:
    """The convolution alone, in the way that measured fastest for images of this size."""
    if x.shape[2:] == (2, 2):
        return dense(x, layer.once(matrix), layer.bias)
    if x.shape[2:] == (4, 4):
        return beside(x, layer)
    return nn.Conv2d.forward(layer, x)


def beside(x: BFloat16[Tensor, "n c h w"], layer: nn.Conv2d) -> BFloat16[Tensor, "n o h w"]:
    """The convolution of images beside one another: what pads one keeps the next from it."""
    n, c, h, w = x.shape
    count = max(divisor for divisor in range(1, _BESIDE + 1) if n % divisor == 0)
    row = x.new_zeros(n // count, h, count, w + 1, c)
    row[..., :w, :] = x.permute(0, 2, 3, 1).unflatten(0, (-1, count)).transpose(1, 2)
    y = nn.Conv2d.forward(layer, row.flatten(2, 3).permute(0, 3, 1, 2))
    apart = y.permute(0, 2, 3, 1).unflatten(2, (count, w + 1))[..., :w, :]
    return apart.transpose(1, 2).flatten(0, 1).permute(0, 3, 1, 2)


def pooled_relu(x: BFloat16[Tensor, "n c h w"]) -> BFloat16[Tensor, "n c h/2 w/2"]:
    """The largest of each 2 × 2 pixels, or 0 if they are all negative."""
    bits = x.view(torch.int16)
    rows = torch.maximum(bits[:, :, ::2], bits[:, :, 1::2])
    return torch.maximum(rows[..., ::2], rows[..., 1::2]).clamp_(min=0).view(torch.bfloat16)
