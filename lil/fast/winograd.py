"""3 × 3 convolutions with a quarter of the products, for processors: stride 1, padding 1, float32 or float64.

Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, arXiv:1509.09308): a tile of 6 × 6 input pixels gives one of
4 × 4 output pixels through 36 products a pair of channels, where the definition takes 144. Tiles are transformed, the
products of many tiles are 36 matrix products, and the results are transformed back. A few images at a time, so that
what lies between the three steps stays in the processor's cache. Channels lie last in memory.
"""

from __future__ import annotations

import threading
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lil.fast.workers import compiled, share

# The filters' transform; those of the input, Bᵀ, and of the output, Aᵀ, are _split and _join. Lavin and Gray's names.
G = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    dtype=torch.float64,
)

_TILES = 128  # a task transforms about so many tiles at a time: they and their products fit the second-level cache
_ROW = 2048  # width × channels of an image, at most
_RUN = 560  # channels of a row of tiles, _ROW / 4 at most; not a power of two, as addresses would collide
_PADDED = 3120  # a row with a pixel on either side, at most, likewise

_two, _four, _five, _eight = (np.float32(number) for number in (2, 4, 5, 8))  # an int would make float64 of float32


def fits(width: int, channels: int) -> bool:
    """Whether the kernels' arrays hold a row of an image of this width."""
    return channels * width <= _ROW and channels <= _ROW // 4


def transformed(weight: Float[Tensor, "o c 3 3"]) -> Float[Tensor, "36 c o"]:
    """U = G g Gᵀ for each filter g."""
    o, c = weight.shape[:2]
    return (_filters(weight.dtype) @ weight.detach().permute(2, 3, 1, 0).reshape(9, c * o)).view(36, c, o)


def transformed_turned(weight: Float[Tensor, "o c 3 3"]) -> Float[Tensor, "36 o c"]:
    """U of the filters through which a convolution's gradient flows back to its input: rotated, channels exchanged."""
    return transformed(weight.flip(2, 3).transpose(0, 1))


def convolve(
    x: Float[Tensor, "n c h w"], u: Float[Tensor, "36 c o"], bias: Float[Tensor, "o"] | None = None, relu: bool = False
) -> Float[Tensor, "n o h w"]:
    """The convolution with transformed filters, Aᵀ [U ⊙ Bᵀ d B] A for each tile d; then, if wanted, max(·, 0)."""
    n, c, h, w = x.shape
    o = u.shape[2]
    x = channels_last(x)
    y = torch.empty((n, h, w, o), dtype=x.dtype)
    u, bias = u.detach(), x.new_zeros(o) if bias is None else bias.detach()

    def task(first: int, last: int) -> None:
        tiles = (last - first) * h * w // 16
        v, m = _scratch(x.dtype, (36, tiles, c), (36, tiles, o))
        _gather(x[first:last].numpy(), v.view(36, -1).numpy(), False)
        torch.bmm(v, u, out=m)
        _scatter(m.view(36, -1).numpy(), bias.numpy(), relu, y[first:last].numpy())

    share(n, max(1, 16 * _TILES // (h * w)), lambda _, first, last: task(first, last))
    return y.permute(0, 3, 1, 2)


def weight_gradient(x: Float[Tensor, "n c h w"], gradient: Float[Tensor, "n o h w"]) -> Float[Tensor, "o c 3 3"]:
    """Gᵀ [Σ Bᵀ d B ⊙ A δ Aᵀ] G over the tiles d of the input and δ of the output's gradient."""
    n, c, h, w = x.shape
    o = gradient.shape[1]
    x, gradient = channels_last(x), channels_last(gradient)
    total = x.new_zeros((torch.get_num_threads(), 36, c, o))

    def task(worker: int, first: int, last: int) -> None:
        tiles = (last - first) * h * w // 16
        v, m = _scratch(x.dtype, (36, tiles, c), (36, tiles, o))
        _gather(x[first:last].numpy(), v.view(36, -1).numpy(), False)
        _gather(gradient[first:last].numpy(), m.view(36, -1).numpy(), True)
        torch.baddbmm(total[worker], v.mT, m, out=total[worker])

    share(n, max(1, 16 * _TILES // (h * w)), task)
    return (_filters(x.dtype).T @ total.sum(0).view(36, c * o)).view(3, 3, c, o).permute(3, 2, 0, 1)


@cache
def _filters(dtype: torch.dtype) -> Float[Tensor, "36 9"]:
    return torch.kron(G, G).to(dtype)


def channels_last(x: Tensor) -> Tensor:
    return x.detach().permute(0, 2, 3, 1).contiguous()


_buffers = threading.local()


def _scratch(dtype: torch.dtype, *shapes: tuple[int, int, int]) -> list[Tensor]:
    """Tensors without values in memory that stays this thread's own."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    buffer = getattr(_buffers, str(dtype), torch.empty(0, dtype=dtype))
    if len(buffer) < sum(sizes):
        buffer = torch.empty(sum(sizes), dtype=dtype)
        setattr(_buffers, str(dtype), buffer)
    return [part.view(shape) for part, shape in zip(buffer[: sum(sizes)].split(sizes), shapes)]


@compiled
def _split(a, b, c, d, e, f, adjoint):
    """Bᵀ of a row of six; or, adjoint, A of the middle four."""
    if adjoint:
        p, q, r, s = b + d, c + e, b + _four * d, _two * c + _eight * e
        return b, p + q, p - q, r + s, r - s, e
    p, q, r, s = e - _four * c, d - _four * b, e - c, _two * (d - b)
    return _four * a - _five * c + e, p + q, p - q, r + s, r - s, _four * b - _five * d + f


@compiled
def _join(a, b, c, d, e, f):
    """Aᵀ of a row of six."""
    p, q, r, s = b + c, b - c, d + e, d - e
    return a + p + r, q + _two * s, p + _four * r, q + _eight * s + f


@compiled
def _gather(x, v, adjoint):
    """Tiles of x (n, h, w, c), transformed along both axes, as v (36, tiles · c): Bᵀ d B; or, adjoint, A δ Aᵀ.

    A row of tiles at a time: the columns' transform of all its pixels, then the rows' of each tile. The intermediate
    arrays have constant strides, without which the compiler would not know that the inner loops can be vectorised.
    """
    n, height, width, c = x.shape
    rows = x.reshape(n * height, width * c)
    outside = np.zeros(width * c, x.dtype)
    columns = np.zeros(6 * _PADDED, x.dtype)
    tiles = np.empty(6 * _RUN, x.dtype)
    across = width // 4
    done = 0
    for image in range(n):
        for top in range(0, height, 4):
            at = image * height + top
            r0 = rows[at - 1] if top > 0 else outside
            r1, r2, r3, r4 = rows[at], rows[at + 1], rows[at + 2], rows[at + 3]
            r5 = rows[at + 4] if top + 4 < height else outside
            o = columns[c:]
            for k in range(width * c):
                (
                    o[k],
                    o[k + _PADDED],
                    o[k + 2 * _PADDED],
                    o[k + 3 * _PADDED],
                    o[k + 4 * _PADDED],
                    o[k + 5 * _PADDED],
                ) = _split(r0[k], r1[k], r2[k], r3[k], r4[k], r5[k], adjoint)
            for i in range(6):
                for tile in range(across):
                    p0 = columns[i * _PADDED + 4 * tile * c :]
                    p1, p2, p3, p4, p5 = p0[c:], p0[2 * c :], p0[3 * c :], p0[4 * c :], p0[5 * c :]
                    o = tiles[tile * c :]
                    for k in range(c):
                        (o[k], o[k + _RUN], o[k + 2 * _RUN], o[k + 3 * _RUN], o[k + 4 * _RUN], o[k + 5 * _RUN]) = (
                            _split(p0[k], p1[k], p2[k], p3[k], p4[k], p5[k], adjoint)
                        )
                for j in range(6):
                    source, target = tiles[j * _RUN :], v[6 * i + j, done * c :]
                    for k in range(across * c):
                        target[k] = source[k]
            done += across


@compiled
def _scatter(m, bias, relu, y):
    """Aᵀ m A of all tiles, m (36, tiles · o), plus the bias, as y (n, h, w, o)."""
    n, height, width, c = y.shape
    rows = y.reshape(n * height, width * c)
    columns = np.empty(24 * _RUN, y.dtype)
    tiles = np.empty(4 * _RUN, y.dtype)
    across = width // 4
    zero = y.dtype.type(0)
    done = 0
    for image in range(n):
        for top in range(0, height, 4):
            for j in range(6):
                p0, p1, p2 = m[j, done * c :], m[6 + j, done * c :], m[12 + j, done * c :]
                p3, p4, p5 = m[18 + j, done * c :], m[24 + j, done * c :], m[30 + j, done * c :]
                o = columns[j * _RUN :]
                for k in range(across * c):
                    o[k], o[k + 6 * _RUN], o[k + 12 * _RUN], o[k + 18 * _RUN] = _join(
                        p0[k], p1[k], p2[k], p3[k], p4[k], p5[k]
                    )
            for i in range(4):
                p = columns[6 * i * _RUN :]
                for k in range(across * c):
                    tiles[k], tiles[k + _RUN], tiles[k + 2 * _RUN], tiles[k + 3 * _RUN] = _join(
                        p[k], p[k + _RUN], p[k + 2 * _RUN], p[k + 3 * _RUN], p[k + 4 * _RUN], p[k + 5 * _RUN]
                    )
                row = rows[image * height + top + i]
                for tile in range(across):
                    for j in range(4):
                        source, target = tiles[j * _RUN + tile * c :], row[(4 * tile + j) * c :]
                        if relu:
                            for k in range(c):
                                target[k] = max(source[k] + bias[k], zero)
                        else:
                            for k in range(c):
                                target[k] = source[k] + bias[k]
            done += across
