"""Sixteen numbers at once: against numpy, position by position."""

import numpy as np
import pytest
from lil.fast.vectors import LANES, constant, load, repeat, root, store, totals, where_above
from lil.fast.workers import compiled

from lil.fast import vectors

RANDOM = np.random.default_rng(0)


def floats(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


@compiled
def arithmetic(a, b, out):
    x, y = load(a, 0), load(b, 0)
    for row, z in enumerate((x + y, x - y, x * y, x / y)):
        store(out, (row, 0), z)


@compiled
def from_anywhere(array, row, at, out):
    store(out, 1, load(array, (row, at)))
    store(out, 1 + LANES, repeat(array, (row, at)))


@compiled
def from_a_number(number, out):
    store(out, 0, constant(number))


@compiled
def inverse_root(a, out):
    store(out, 0, constant(np.float32(1)) / root(load(a, 0)))


@compiled
def chosen(a, bound, b, out):
    store(out, 0, where_above(load(a, 0), load(bound, 0), load(b, 0)))


@compiled
def sums(rows):
    return totals(load(rows, (0, 0)), load(rows, (1, 0)), load(rows, (2, 0)), load(rows, (3, 0)))


def test_vectors_have_arithmetic():
    a, b, out = floats(LANES), floats(LANES), floats(4, LANES)
    arithmetic(a, b, out)
    np.testing.assert_allclose(out, [a + b, a - b, a * b, a / b], rtol=1e-6)


@pytest.mark.parametrize("row, at", [(0, 0), (1, 3), (2, 14)])
def test_they_come_from_any_position_and_go_to_any(row, at):
    array, out = floats(3, 30), floats(2 * LANES + 2)
    ends = out[[0, -1]].copy()
    from_anywhere(array, row, at, out)
    assert (out[1 : 1 + LANES] == array[row, at : at + LANES]).all()
    assert (out[1 + LANES : -1] == array[row, at]).all()
    assert (out[[0, -1]] == ends).all()  # nothing beside them is written


def test_rows_may_lie_apart():
    out = floats(2 * LANES + 2)
    wide = floats(5, 60)[::2, 7:40]  # a view: rows of another length in memory
    from_anywhere(wide, 1, 4, out)
    assert (out[1 : 1 + LANES] == wide[1, 4 : 4 + LANES]).all() and (out[1 + LANES : -1] == wide[1, 4]).all()


def test_a_number_is_repeated():
    out = floats(LANES)
    from_a_number(np.float32(1.5), out)
    assert (out == 1.5).all()


def test_one_over_the_root_is_right_to_the_last_digits():
    a, out = np.float32(10.0) ** np.linspace(-30, 30, LANES, dtype=np.float32), floats(LANES)
    inverse_root(a, out)
    np.testing.assert_allclose(out, 1 / np.sqrt(a.astype(np.float64)), rtol=4e-7)


def test_where_above_takes_nothing_at_the_bound_or_of_nan():
    a, bound, b, out = (floats(LANES) for _ in range(4))
    a[3], a[5], b[6], a[6], bound[6] = bound[3], np.nan, np.nan, 0, 1
    chosen(a, bound, b, out)
    np.testing.assert_array_equal(out, np.where(a > bound, b, 0))


def test_totals_are_of_each_vector():
    rows = floats(4, LANES)
    np.testing.assert_allclose(sums(rows), rows.sum(1, dtype=np.float64), atol=2e-6)
    for row in range(4):
        for lane in range(LANES):  # each number is counted once, and in its own sum
            one = np.zeros((4, LANES), np.float32)
            one[row, lane] = 1
            assert sums(one) == tuple(float(row == other) for other in range(4))


def test_vectors_and_numbers_do_not_mix():
    from numba.core.errors import TypingError

    @compiled
    def mixed(a, out):
        store(out, 0, load(a, 0) + np.float32(1))

    with pytest.raises(TypingError, match="Vector"):
        mixed(floats(LANES), floats(LANES))
    assert str(vectors.vector) == "Vector"
