"""The isometry loss and its gradient, by a loop over the pairs that count.

Each unordered pair is visited once: its distance, its mismatch r = K d − d_x, and its pull on both points. The points
of a group are copied to a block (coordinates, points), so that inner loops run over neighbours in memory.
"""

from __future__ import annotations

import numpy as np

from lil.fast.compiling import compiled
from lil.fast.elementary import ZERO

_LINE = 16  # floats of a cache line, at which inner loops begin and end: blocks are padded with zeros


@compiled
def isometry(z, x, order, groups, x_dist, scale, pull, x_pull):
    """Return Σ r² over the pairs of one batch; write Σ_j (r_ij / d_ij)(z_i − z_j) into ``pull``.

    z, x and the pulls are (coordinates, n). ``order`` sorts the points by ``groups``; the pairs within a group count.
    ``x_dist`` are their distances as :func:`distances` writes them. For an attack, Σ_j (r_ij / d_x)(x_i − x_j) goes
    into ``x_pull``, which has no rows in a training. A pair at distance 0 pulls on nothing.
    """
    total, at, start = 0.0, 0, 0
    while start < len(order):
        points = _group(order, groups, start)
        start, s = start + len(points), len(points)
        block, x_block = _take(z, points), _take(x[: len(x_pull)], points)
        pulled, x_pulled = np.zeros_like(block), np.zeros_like(x_block)
        rows, x_rows = np.zeros((2, block.shape[1]), np.float32), np.zeros((2, block.shape[1]), np.float32)
        for i in range(0, s - 1, 2):
            left = (i + 1) // _LINE * _LINE
            _squares(block, i, left, rows)
            for row in range(2):
                k = i + row
                total += _weights(rows[row], x_rows[row], left, k, s, x_dist[at:], scale, len(x_pull) > 0)
                at += s - 1 - k
            _add_pulls(block, rows, i, left, pulled)
            if len(x_pull):
                _add_pulls(x_block, x_rows, i, left, x_pulled)
        _put(pulled, points, pull)
        _put(x_pulled, points, x_pull)
    return total


@compiled
def distances(x, order, groups, out):
    """Write the distances of the pairs i < j that count: group by group, and in each row by row."""
    at, start = 0, 0
    while start < len(order):
        points = _group(order, groups, start)
        start, s = start + len(points), len(points)
        block = _take(x, points)
        rows = np.empty((2, block.shape[1]), np.float32)
        for i in range(0, s - 1, 2):
            _squares(block, i, 0, rows)
            for row in range(2):
                for j in range(i + row + 1, s):
                    out[at] = np.sqrt(rows[row, j])
                    at += 1


@compiled
def _group(order, groups, start):
    """Return the points of the group that begins at ``start``."""
    end = start + 1
    while end < len(order) and groups[order[end]] == groups[order[start]]:
        end += 1
    return order[start:end]


@compiled
def _take(x, points):
    """Return a block of the points, with zeros behind the last."""
    block = np.zeros((len(x), -(-len(points) // _LINE) * _LINE), np.float32)
    for c in range(len(x)):
        row, out = x[c], block[c]
        for i in range(len(points)):
            out[i] = row[points[i]]
    return block


@compiled
def _put(block, points, out):
    """Write a block to the places of its points."""
    for c in range(len(block)):
        row, into = block[c], out[c]
        for i in range(len(points)):
            into[points[i]] = row[i]


@compiled
def _squares(z, i, left, rows):
    """Write the squared distances of points i and i + 1 to those from ``left`` on.

    Two rows and four coordinates at a time share what is loaded (2.2 times as fast as one and one).
    """
    rows[:, left:] = ZERO
    d, v, w = len(z), rows[0, left:], rows[1, left:]
    for c in range(0, d - 3, 4):
        p0, p1, p2, p3 = z[c, i], z[c + 1, i], z[c + 2, i], z[c + 3, i]
        q0, q1, q2, q3 = z[c, i + 1], z[c + 1, i + 1], z[c + 2, i + 1], z[c + 3, i + 1]
        y0, y1, y2, y3 = z[c, left:], z[c + 1, left:], z[c + 2, left:], z[c + 3, left:]
        for j in range(len(v)):
            a0, a1, a2, a3 = p0 - y0[j], p1 - y1[j], p2 - y2[j], p3 - y3[j]
            b0, b1, b2, b3 = q0 - y0[j], q1 - y1[j], q2 - y2[j], q3 - y3[j]
            v[j] += (a0 * a0 + a1 * a1) + (a2 * a2 + a3 * a3)
            w[j] += (b0 * b0 + b1 * b1) + (b2 * b2 + b3 * b3)
    for c in range(d - d % 4, d):
        p, q, y = z[c, i], z[c, i + 1], z[c, left:]
        for j in range(len(v)):
            v[j] += (p - y[j]) * (p - y[j])
            w[j] += (q - y[j]) * (q - y[j])


@compiled
def _weights(row, x_row, left, k, s, x_dist, scale, attacked):
    """Turn squared distances of point k into r / d, 0 where no pair is; return Σ r². Write r / d_x to ``x_row``."""
    total = ZERO
    row[left : k + 1] = ZERO
    row[s:] = ZERO
    v, w, target = row[k + 1 : s], x_row[k + 1 : s], x_dist[: s - k - 1]
    if attacked:
        x_row[left : k + 1] = ZERO
        for j in range(len(v)):
            r = scale * np.sqrt(v[j]) - target[j]
            w[j] = np.divide(r, target[j]) if target[j] > ZERO else ZERO
    for j in range(len(v)):
        distance = np.sqrt(v[j])
        r = scale * distance - target[j]
        total += r * r
        v[j] = np.divide(r, distance) if distance > ZERO else ZERO
    return total


@compiled
def _add_pulls(z, weights, i, left, pulled):
    """Add the pulls between points i and i + 1 and those from ``left`` on, to both."""
    v, w = weights[0, left:], weights[1, left:]
    for c in range(len(z)):
        p, q, y, out = z[c, i], z[c, i + 1], z[c, left:], pulled[c, left:]
        of_i, of_k = ZERO, ZERO
        for j in range(len(v)):
            a, b = v[j] * (p - y[j]), w[j] * (q - y[j])
            of_i += a
            of_k += b
            out[j] -= a + b
        pulled[c, i] += of_i
        pulled[c, i + 1] += of_k
