"""Products of small matrices in compiled functions, in vectors of sixteen.

A block of four rows of the result stays in registers until it is done. Rows that a matrix does not have are its last one
again, computed once more: there is one loop for any number of rows.
"""

from __future__ import annotations

import numpy as np

from lil.fast.vectors import LANES, constant, load, repeat, store, totals
from lil.fast.workers import compiled

ROWS = 4  # rows that share what is loaded
PAIR = 2 * LANES  # columns that share it

_ZERO = np.float32(0)


@compiled
def multiply(matrix, x, of, out, to, first, end, onto):
    """``matrix`` · x, added to ``out`` or in its place, in the columns first to end, a multiple of sixteen.

    The rows of x that count begin with ``of``, and those of ``out`` with ``to``.
    """
    rows, inner = matrix.shape
    for j in range(first, end - LANES, PAIR):
        k = j + LANES
        for r in range(0, rows, ROWS):
            r0, r1, r2, r3 = _four(r, rows)
            a0, b0 = _load_two(out, to + r0, j, onto)
            a1, b1 = _load_two(out, to + r1, j, onto)
            a2, b2 = _load_two(out, to + r2, j, onto)
            a3, b3 = _load_two(out, to + r3, j, onto)
            for c in range(inner):
                y, z = load(x, (of + c, j)), load(x, (of + c, k))
                m0, m1, m2, m3 = (
                    repeat(matrix, (r0, c)),
                    repeat(matrix, (r1, c)),
                    repeat(matrix, (r2, c)),
                    repeat(matrix, (r3, c)),
                )
                a0, b0, a1, b1 = a0 + m0 * y, b0 + m0 * z, a1 + m1 * y, b1 + m1 * z
                a2, b2, a3, b3 = a2 + m2 * y, b2 + m2 * z, a3 + m3 * y, b3 + m3 * z
            _store_two(out, to + r0, j, a0, b0)
            _store_two(out, to + r1, j, a1, b1)
            _store_two(out, to + r2, j, a2, b2)
            _store_two(out, to + r3, j, a3, b3)
    if (end - first) % PAIR:
        _multiply_last(matrix, x, of, out, to, end - LANES, onto)


@compiled
def _multiply_last(matrix, x, of, out, to, j, onto):
    """The last sixteen columns."""
    rows, inner = matrix.shape
    for r in range(0, rows, ROWS):
        r0, r1, r2, r3 = _four(r, rows)
        a0, a1 = _load_or_zero(out, to + r0, j, onto), _load_or_zero(out, to + r1, j, onto)
        a2, a3 = _load_or_zero(out, to + r2, j, onto), _load_or_zero(out, to + r3, j, onto)
        for c in range(inner):
            y = load(x, (of + c, j))
            a0, a1 = a0 + repeat(matrix, (r0, c)) * y, a1 + repeat(matrix, (r1, c)) * y
            a2, a3 = a2 + repeat(matrix, (r2, c)) * y, a3 + repeat(matrix, (r3, c)) * y
        store(out, (to + r0, j), a0)
        store(out, (to + r1, j), a1)
        store(out, (to + r2, j), a2)
        store(out, (to + r3, j), a3)


@compiled
def multiply_transposed(matrix, x, of, out):
    """``out`` = ``matrix`` · xᵀ. Rows of both have sixteen columns, or a multiple of it; those of x that count begin with ``of``."""
    (rows, columns), zero = out.shape, constant(_ZERO)
    for r in range(0, rows, ROWS):
        r0, r1, r2, r3 = _four(r, rows)
        for i in range(0, columns, ROWS):
            i0, i1, i2, i3 = _four(i, columns)
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = zero
            for j in range(0, matrix.shape[1], LANES):
                x0, x1, x2, x3 = (
                    load(x, (of + i0, j)),
                    load(x, (of + i1, j)),
                    load(x, (of + i2, j)),
                    load(x, (of + i3, j)),
                )
                a, b, c, d = load(matrix, (r0, j)), load(matrix, (r1, j)), load(matrix, (r2, j)), load(matrix, (r3, j))
                a0, a1, a2, a3 = a0 + a * x0, a1 + a * x1, a2 + a * x2, a3 + a * x3
                b0, b1, b2, b3 = b0 + b * x0, b1 + b * x1, b2 + b * x2, b3 + b * x3
                c0, c1, c2, c3 = c0 + c * x0, c1 + c * x1, c2 + c * x2, c3 + c * x3
                d0, d1, d2, d3 = d0 + d * x0, d1 + d * x1, d2 + d * x2, d3 + d * x3
            _put(out[r0, i:], totals(a0, a1, a2, a3))
            _put(out[r1, i:], totals(b0, b1, b2, b3))
            _put(out[r2, i:], totals(c0, c1, c2, c3))
            _put(out[r3, i:], totals(d0, d1, d2, d3))


@compiled
def _four(first, count):
    """Numbers from ``first`` on, and in place of those from ``count`` on the one before it."""
    last = count - 1
    return first, min(first + 1, last), min(first + 2, last), min(first + 3, last)


@compiled
def _load_two(array, row, at, there):
    return _load_or_zero(array, row, at, there), _load_or_zero(array, row, at + LANES, there)


@compiled
def _load_or_zero(array, row, at, there):
    return load(array, (row, at)) if there else constant(_ZERO)


@compiled
def _store_two(array, row, at, a, b):
    store(array, (row, at), a)
    store(array, (row, at + LANES), b)


@compiled
def _put(row, numbers):
    """As many of the four as there is room for."""
    a, b, c, d = numbers
    row[0] = a
    if len(row) > 1:
        row[1] = b
    if len(row) > 2:
        row[2] = c
    if len(row) > 3:
        row[3] = d
