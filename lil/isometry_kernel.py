"""Distances, and loss and gradient of :func:`lil.isometry.isometry_loss`, compiled for the CPU by numba.

Each unordered pair is visited once: its distance, its mismatch, its pull on both of its points. Nothing of the size
of the pairs is written. Rows of a block are dealt to strips, and each strip adds to a gradient of its own, so the
result is the same bit for bit whatever the number of threads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch
from numba import njit
from torch import Tensor

from lil.isometry import Blocks

_ROWS = 400            # points of a block for each of its strips
_LANES = 16            # floats of a cache line: loops over points begin at one, where loads are fastest
_WORTH_A_THREAD = 1e5  # pairs × dimensions below which handing work to another thread costs more than it saves


def _fast(function: Callable) -> Callable:
    """Compile. Reassociation lets the inner loops use vector instructions; NaN and infinity keep their meaning."""
    # In tests, functions come wrapped in a check of their shapes, which numba cannot read.
    return njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"})(inspect.unwrap(function))


def distances(x: Tensor, blocks: Blocks) -> Tensor:
    """Euclidean distances of the pairs that count, flat, in the order of the blocks; x is (batches, n, d)."""
    out = np.empty(blocks.n_pairs, dtype=x.numpy().dtype)
    arguments = (x.numpy(), *_layout(blocks), out)
    _in_parallel(_distances, arguments, np.cumsum(_pairs(blocks)) * x.shape[-1])
    return torch.from_numpy(out)


def sweep(z: Tensor, x_dist: Tensor, blocks: Blocks, scale: float) -> tuple[Tensor, Tensor]:
    """Of z (batches, members, n, d): Σ_{i<j} r_ij² as (batches, members), and Σ_j (r_ij / d_ij)(z_i − z_j), of z's shape.

    r_ij = K d_ij − x_dist_ij. ``x_dist`` is flat, in the order of the blocks' pairs, of z's dtype (float32 or float64).
    """
    batches, members, n, d = z.shape
    strips = -(-blocks.size.numpy() // _ROWS)
    # one task a (block, member, strip); the strips of one block go to different layers of the gradient
    block = np.repeat(np.arange(len(strips)), strips * members)
    number = np.arange(len(block)) - np.repeat(np.cumsum(strips * members) - strips * members, strips * members)
    member, strip = number // strips[block], number % strips[block]
    layers = int(strips.max(initial=1))
    loss = np.zeros(len(block))
    pull = np.zeros((layers, batches, members, n, d), dtype=z.numpy().dtype)
    arguments = (
        z.numpy(), x_dist.numpy(), pull.dtype.type(scale), *_layout(blocks), block, member, strip, strips, loss, pull,
    )
    _in_parallel(_sweep, arguments, np.cumsum((_pairs(blocks) / strips)[block]) * d)
    owner = blocks.batch.numpy()[block] * members + member
    total = np.bincount(owner, weights=loss, minlength=batches * members).reshape(batches, members)
    return torch.from_numpy(total).to(z.dtype), torch.from_numpy(pull[0] if layers == 1 else pull.sum(0))


def _layout(blocks: Blocks) -> tuple[np.ndarray, ...]:
    return tuple(part.numpy() for part in (blocks.order, blocks.batch, blocks.start, blocks.size, blocks.offset))


def _pairs(blocks: Blocks) -> np.ndarray:
    size = blocks.size.numpy()
    return size * (size - 1) // 2


def _in_parallel(run: Callable, arguments: tuple, work: np.ndarray) -> None:
    """run(*arguments, first, last) over all tasks; ``work`` is what the tasks up to each one cost together."""
    tasks = len(work)
    threads = min(torch.get_num_threads(), 1 + int(work[-1] / _WORTH_A_THREAD)) if tasks else 1
    cuts = np.searchsorted(work, np.linspace(0, work[-1], threads + 1)[1:-1]).tolist() if threads > 1 else []
    bounds = [0, *cuts, tasks]
    others = [_pool(threads - 1).submit(run, *arguments, a, b) for a, b in zip(bounds[1:], bounds[2:], strict=False)]
    run(*arguments, bounds[0], bounds[1])
    for job in others:
        job.result()


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="isometry")


@_fast
def _distances(x, order, batch, start, size, offset, out, first, last):
    d = x.shape[-1]
    for b in range(first, last):
        points = order[batch[b], start[b]:start[b] + size[b]]
        at = offset[b]
        for i in range(len(points)):
            p = x[batch[b], points[i]]
            for j in range(i + 1, len(points)):
                q = x[batch[b], points[j]]
                total = x.dtype.type(0)
                for c in range(d):
                    total += (p[c] - q[c]) * (p[c] - q[c])
                out[at] = np.sqrt(total)
                at += 1


@_fast
def _sweep(z, x_dist, scale, order, batch, start, size, offset, block, member, strip, strips, loss, pull, first, last):
    for task in range(first, last):
        b, k = block[task], member[task]
        points = order[batch[b], start[b]:start[b] + size[b]]
        source, target = z[batch[b], k], pull[strip[task], batch[b], k]
        d, s = source.shape[1], len(points)
        coordinates = _aligned(d, s, z)
        gradient = _aligned(d, s, z)
        for c in range(d):
            for i in range(s):
                coordinates[c, i] = source[points[i], c]
        loss[task] = _strip(coordinates, s, x_dist[offset[b]:], scale, strip[task], strips[b], gradient)
        for i in range(s):
            for c in range(d):
                target[points[i], c] = gradient[c, i]


@_fast
def _aligned(rows, columns, like):
    """Zeros (rows, at least ``columns``), each row beginning with a cache line."""
    width = -(-columns // _LANES) * _LANES
    flat = np.zeros(rows * width + _LANES, like.dtype)
    skip = -(flat.ctypes.data // flat.itemsize) % _LANES
    return flat[skip:skip + rows * width].reshape(rows, width)


@_fast
def _strip(z, s, x_dist, scale, first, step, gradient):
    """Σ r² over one strip of a block's pairs i < j; adds Σ_j (r_ij / d_ij)(z_i − z_j) to gradient.

    z and gradient are (d, ≥ s): the inner loops run over the points j, from a cache line on: the pairs there that do not
    count get weight 0. Rows come in twos, 2 first and its neighbour, 2 (first + step) and its, …, so that what is
    loaded of z and gradient serves both. x_dist holds the rows of the upper triangle.
    """
    d = len(z)
    zero = z.dtype.type(0)
    weights = _aligned(2, s, z)
    total = 0.0
    for i in range(2 * first, s - 1, 2 * step):
        k = i + 1
        left = k // _LANES * _LANES
        width = s - left
        v, w = weights[0, :width], weights[1, :width]
        v[:] = zero
        w[:] = zero
        for c in range(0, d - 3, 4):    # four coordinates at a time: v and w are read and written a quarter as often
            p0, p1, p2, p3 = z[c, i], z[c + 1, i], z[c + 2, i], z[c + 3, i]
            q0, q1, q2, q3 = z[c, k], z[c + 1, k], z[c + 2, k], z[c + 3, k]
            y0, y1, y2, y3 = z[c, left:s], z[c + 1, left:s], z[c + 2, left:s], z[c + 3, left:s]
            for j in range(width):
                a0, a1, a2, a3 = p0 - y0[j], p1 - y1[j], p2 - y2[j], p3 - y3[j]
                b0, b1, b2, b3 = q0 - y0[j], q1 - y1[j], q2 - y2[j], q3 - y3[j]
                v[j] += (a0 * a0 + a1 * a1) + (a2 * a2 + a3 * a3)
                w[j] += (b0 * b0 + b1 * b1) + (b2 * b2 + b3 * b3)
        for c in range(d - d % 4, d):
            p0, q0, y0 = z[c, i], z[c, k], z[c, left:s]
            for j in range(width):
                v[j] += (p0 - y0[j]) * (p0 - y0[j])
                w[j] += (q0 - y0[j]) * (q0 - y0[j])
        total += _pull_weights(v, left, i, s, x_dist, scale)
        total += _pull_weights(w, left, k, s, x_dist, scale)
        for c in range(d):
            p0, q0, y0, pulled = z[c, i], z[c, k], z[c, left:s], gradient[c, left:s]
            of_i, of_k = zero, zero
            for j in range(width):
                a, b = v[j] * (p0 - y0[j]), w[j] * (q0 - y0[j])
                of_i += a
                of_k += b
                pulled[j] -= a + b
            gradient[c, i] += of_i
            gradient[c, k] += of_k
    return total


@_fast
def _pull_weights(w, left, i, s, x_dist, scale):
    """Squared distances of row i to the points from ``left`` on become r / d, and 0 up to i; returns the row's Σ r²."""
    zero = w.dtype.type(0)
    w[:i + 1 - left] = zero
    w = w[i + 1 - left:]
    row = i * (2 * s - i - 1) // 2
    target = x_dist[row:row + len(w)]
    total = zero
    for j in range(len(w)):
        distance = np.sqrt(w[j])
        r = scale * distance - target[j]
        total += r * r
        w[j] = r / distance if distance > zero else zero
    return total
