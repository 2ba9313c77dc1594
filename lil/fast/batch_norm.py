"""Batch normalisation and the ReLU after it in one module: on processors, as few passes over memory as there can be."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from lil.fast.winograd import channels_last
from lil.fast.workers import compiled, share

_BLOCK = 64  # rows summed in x's own precision; blocks are summed in float64


class BatchNormReLU(nn.BatchNorm2d):
    """max(·, 0) after ``nn.BatchNorm2d``, with the same parameters and statistics."""

    @classmethod
    def like(cls, layer: nn.BatchNorm2d) -> BatchNormReLU:
        """With ``layer``'s settings and state, sharing its parameters."""
        new = cls(layer.num_features, layer.eps, layer.momentum, device="meta")
        new.load_state_dict(layer.state_dict(keep_vars=True), assign=True)
        return new

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        if not self.training or x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return F.relu(super().forward(x))
        y, mean, variance = _BatchNormReLU.apply(x, self.weight, self.bias, self.eps)
        count = x.numel() // x.shape[1]
        with torch.no_grad():
            self.num_batches_tracked += 1
            new = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, new)
            self.running_var.lerp_(variance * count / (count - 1), new)
        return y


class _BatchNormReLU(torch.autograd.Function):
    """max(γ (x − mean) / σ + β, 0) with the moments of the batch; also returns them."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        n, c, h, w = x.shape
        rows = channels_last(x).view(-1, c)
        first, second = _sums(lambda begin, end, into: _moments(rows.numpy(), begin, end, into), len(rows), c)
        mean = first / len(rows)
        variance = second / len(rows) - mean**2
        inverse = (variance + eps).rsqrt()
        scale = (weight.detach() * inverse).to(x.dtype)
        shift = (bias.detach() - weight.detach() * inverse * mean).to(x.dtype)
        y = torch.empty_like(rows)
        arguments = scale.numpy(), shift.numpy(), y.numpy()
        share(len(rows), _step(c), lambda _, begin, end: _normalise(rows.numpy(), begin, end, *arguments))
        ctx.save_for_backward(rows, y, weight, mean, inverse)
        ctx.mark_non_differentiable(mean, variance)
        return y.view(n, h, w, c).permute(0, 3, 1, 2), mean.to(x.dtype), variance.to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        rows, y, weight, mean, inverse = ctx.saved_tensors
        n, c, h, w = gradient.shape
        given = channels_last(gradient).view(-1, c)
        arrays = rows.numpy(), y.numpy(), given.numpy(), mean.to(rows.dtype).numpy()
        total, moment = _sums(lambda begin, end, into: _pulls(*arrays, begin, end, into), len(rows), c)
        # dx = γ/σ (g − mean(g) − x̂ mean(g x̂)), g the gradient where the ReLU lets it pass and x̂ = (x − mean) / σ
        direct = weight * inverse
        linear = -direct * inverse**2 * moment / len(rows)
        constant = -direct * total / len(rows)
        dx = torch.empty_like(rows)
        coefficients = [part.to(rows.dtype).numpy() for part in (direct, linear, constant)]
        share(len(rows), _step(c), lambda _, begin, end: _back(*arrays, begin, end, *coefficients, dx.numpy()))
        dweight, dbias = (inverse * moment).to(weight.dtype), total.to(weight.dtype)
        return dx.view(n, h, w, c).permute(0, 3, 1, 2), dweight, dbias, None


def _step(channels: int) -> int:
    return max(1, 2**20 // channels)


def _sums(add, rows: int, channels: int) -> Tensor:
    into = np.zeros((torch.get_num_threads(), 2, channels))
    share(rows, _step(channels), lambda worker, begin, end: add(begin, end, into[worker]))
    return torch.from_numpy(into.sum(0))


@compiled
def _moments(x, begin, end, into):
    """Σ x and Σ x² of each column."""
    c = x.shape[1]
    first, second = np.empty(c, x.dtype), np.empty(c, x.dtype)
    for block in range(begin, end, _BLOCK):
        first[:], second[:] = 0, 0
        for row in range(block, min(block + _BLOCK, end)):
            source = x[row]
            for k in range(c):
                first[k] += source[k]
                second[k] += source[k] * source[k]
        into[0] += first
        into[1] += second


@compiled
def _normalise(x, begin, end, scale, shift, y):
    zero = x.dtype.type(0)
    for row in range(begin, end):
        source, target = x[row], y[row]
        for k in range(len(source)):
            target[k] = max(source[k] * scale[k] + shift[k], zero)


@compiled
def _pulls(x, y, given, mean, begin, end, into):
    """Σ g and Σ g (x − mean) of each column, g the given gradient where y > 0."""
    zero = x.dtype.type(0)
    c = x.shape[1]
    first, second = np.empty(c, x.dtype), np.empty(c, x.dtype)
    for block in range(begin, end, _BLOCK):
        first[:], second[:] = 0, 0
        for row in range(block, min(block + _BLOCK, end)):
            source, passed, pulled = x[row], y[row], given[row]
            for k in range(c):
                g = pulled[k] if passed[k] > zero else zero
                first[k] += g
                second[k] += g * (source[k] - mean[k])
        into[0] += first
        into[1] += second


@compiled
def _back(x, y, given, mean, begin, end, direct, linear, constant, dx):
    zero = x.dtype.type(0)
    for row in range(begin, end):
        source, passed, pulled, target = x[row], y[row], given[row], dx[row]
        for k in range(len(source)):
            g = pulled[k] if passed[k] > zero else zero
            target[k] = direct[k] * g + linear[k] * (source[k] - mean[k]) + constant[k]
