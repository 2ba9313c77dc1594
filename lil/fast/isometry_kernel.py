"""Distances, and loss and gradient of :func:`lil.isometry.isometry_loss`, compiled for the CPU by numba.

Each unordered pair is visited once: its distance, its mismatch, its pull on both of its points. Nothing of the size
of the pairs is written. Rows of a block are dealt to strips, and each strip adds to a gradient of its own, so the
result is the same bit for bit whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch
from torch import Tensor

from lil.fast import workers
from lil.fast.workers import compiled

_ROWS = 400  # points of a block for each of its strips
_LANES = 16  # floats of a cache line: loops over points begin at one, where loads are fastest
_WORTH_A_THREAD = 1e6  # pairs × dimensions below which handing work to another thread costs more than it saves


def distances(x: Tensor, blocks) -> Tensor:
    """Euclidean distances of the pairs that count, flat, in the order of the blocks; x is (batches, n, d)."""
    out = np.empty(blocks.n_pairs, dtype=x.numpy().dtype)
    arguments = (x.numpy(), *_layout(blocks), out)
    _in_parallel(_distances, arguments, _pairs(blocks) * float(x.shape[-1]))
    return torch.from_numpy(out)


def sweep(z: Tensor, x_dist: Tensor, blocks, scale: float) -> tuple[Tensor, Tensor]:
    """Of z (batches, members, n, d): Σ_{i<j} r_ij² as (batches, members), and Σ_j (r_ij / d_ij)(z_i − z_j), of z's shape.

    r_ij = K d_ij − x_dist_ij. ``x_dist`` is flat, in the order of the blocks' pairs, of z's dtype (float32 or float64).
    The gradient lies in memory as z does best: a point's coordinates together, or a coordinate of all points.
    """
    batches, members, n, d = z.shape
    few = d >= int(blocks.size.max()) if len(blocks.size) else False
    run, held = (_few, z) if few else (_many, z.mT)
    strips = -(-blocks.size.numpy() // _ROWS)
    tasks = strips * members  # of each block, one a (member, strip)
    layers = int(strips.max(initial=1))  # the strips of one block go to different layers of the gradient
    pull = np.zeros((layers, *held.shape), dtype=z.numpy().dtype)
    each = np.zeros(tasks.sum())
    layout = _layout(blocks)
    arguments = (
        held.contiguous().numpy(),
        x_dist.numpy(),
        pull.dtype.type(scale),
        *layout,
        strips,
        np.cumsum(tasks),
        each,
        pull,
    )
    _in_parallel(run, arguments, np.repeat(_pairs(blocks) / strips * d, tasks))
    total = np.zeros((batches, members))
    _add_up(each, blocks.batch.numpy(), strips, total)
    gradient = torch.from_numpy(pull[0] if layers == 1 else pull.sum(0))
    return torch.from_numpy(total).to(z.dtype), gradient if few else gradient.mT


def _layout(blocks) -> tuple[np.ndarray, ...]:
    return tuple(part.numpy() for part in (blocks.order, blocks.batch, blocks.start, blocks.size, blocks.offset))


def _pairs(blocks) -> np.ndarray:
    size = blocks.size.numpy()
    return size * (size - 1) // 2


def _in_parallel(run: Callable, arguments: tuple, work: np.ndarray) -> None:
    """run(*arguments, tasks) over all tasks, numbered as the ``work`` of each is."""
    threads = min(workers.threads(), 1 + int(work.sum() / _WORTH_A_THREAD))
    if threads == 1:
        run(*arguments, np.arange(len(work)))
        return
    of_task = _deal(work, np.argsort(-work, kind="stable"), threads)
    shares = [np.flatnonzero(of_task == thread) for thread in range(threads)]
    others = [_pool(threads - 1).submit(run, *arguments, tasks) for tasks in shares[1:]]
    run(*arguments, shares[0])
    for job in others:
        job.result()


@compiled
def _deal(work, order, threads):
    """The thread of each task: the largest first, each to the thread that has least to do by then."""
    load = np.zeros(threads)
    of_task = np.empty(len(work), dtype=np.int64)
    for task in order:
        thread = np.argmin(load)
        of_task[task] = thread
        load[thread] += work[task]
    return of_task


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="isometry")


@compiled
def _distances(x, order, batch, start, size, offset, out, tasks):
    d = x.shape[-1]
    for b in tasks:
        points = order[batch[b], start[b] : start[b] + size[b]]
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


@compiled
def _task(task, ends, strips):
    """The block, member and strip of a task: they are numbered block by block, up to ``ends``, in each member by member."""
    b = np.searchsorted(ends, task, side="right")
    k, strip = divmod(task - (ends[b - 1] if b else 0), strips[b])
    return b, k, strip


@compiled
def _many(z, x_dist, scale, order, batch, start, size, offset, strips, ends, loss, pull, tasks):
    """Blocks of more points than coordinates: z and pull are (…, d, n), and the inner loops run over the points."""
    for task in tasks:
        b, k, strip = _task(task, ends, strips)
        points = order[batch[b], start[b] : start[b] + size[b]]
        source, target = z[batch[b], k], pull[strip, batch[b], k]
        d, s = len(source), len(points)
        coordinates, gradient = _aligned(d, s, z), _aligned(d, s, z)
        for c in range(d):
            for i in range(s):
                coordinates[c, i] = source[c, points[i]]
        loss[task] = _strip(coordinates, s, x_dist[offset[b] :], scale, strip, strips[b], gradient)
        for c in range(d):
            for i in range(s):
                target[c, points[i]] = gradient[c, i]


@compiled
def _few(z, x_dist, scale, order, batch, start, size, offset, strips, ends, loss, pull, tasks):
    """Blocks of few points: z and pull are (…, n, d), and the inner loops run over the coordinates."""
    zero = z.dtype.type(0)
    for task in tasks:
        b, k, strip = _task(task, ends, strips)
        points = order[batch[b], start[b] : start[b] + size[b]]
        source, target = z[batch[b], k], pull[strip, batch[b], k]
        d, s = source.shape[1], len(points)
        total = 0.0
        for i in range(strip, s - 1, strips[b]):
            p, pulled = source[points[i]], target[points[i]]
            row = offset[b] + i * (2 * s - i - 1) // 2
            for j in range(i + 1, s):
                q, other = source[points[j]], target[points[j]]
                square = zero
                for c in range(d):
                    square += (p[c] - q[c]) * (p[c] - q[c])
                distance = np.sqrt(square)
                r = scale * distance - x_dist[row + j - i - 1]
                total += r * r
                if distance > zero:
                    w = r / distance
                    for c in range(d):
                        a = w * (p[c] - q[c])
                        pulled[c] += a
                        other[c] -= a
        loss[task] = total


@compiled
def _add_up(each, batch, strips, total):
    """The tasks' losses, in their order, to those of batches and members."""
    task = 0
    for b in range(len(batch)):
        for k in range(total.shape[1]):
            for _ in range(strips[b]):
                total[batch[b], k] += each[task]
                task += 1


@compiled
def _aligned(rows, columns, like):
    """Zeros (rows, at least ``columns``), each row beginning with a cache line."""
    width = -(-columns // _LANES) * _LANES
    flat = np.zeros(rows * width + _LANES, like.dtype)
    skip = -(flat.ctypes.data // flat.itemsize) % _LANES
    return flat[skip : skip + rows * width].reshape(rows, width)


@compiled
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
        for c in range(0, d - 3, 4):  # four coordinates at a time: v and w are read and written a quarter as often
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


@compiled
def _pull_weights(w, left, i, s, x_dist, scale):
    """Squared distances of row i to the points from ``left`` on become r / d, and 0 up to i; returns the row's Σ r²."""
    zero = w.dtype.type(0)
    w[: i + 1 - left] = zero
    w = w[i + 1 - left :]
    row = i * (2 * s - i - 1) // 2
    target = x_dist[row : row + len(w)]
    total = zero
    for j in range(len(w)):
        distance = np.sqrt(w[j])
        r = scale * distance - target[j]
        total += r * r
        w[j] = r / distance if distance > zero else zero
    return total
