"""Products of small matrices: against numpy's in double precision, of any number of rows."""

import numpy as np
import pytest
from lil.fast.products import multiply, multiply_transposed

RANDOM = np.random.default_rng(0)


def floats(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


def close(found, expected, inner):
    np.testing.assert_allclose(found, expected, atol=2e-6 * inner**0.5, rtol=1e-5)


@pytest.mark.parametrize("onto", [False, True])
@pytest.mark.parametrize("columns", [16, 32, 48, 96])
@pytest.mark.parametrize("rows, inner", [(1, 1), (2, 3), (4, 20), (5, 4), (7, 1), (100, 9)])
@pytest.mark.parametrize("transposed", [False, True])
def test_multiply(rows, inner, columns, onto, transposed):
    matrix = floats(inner, rows).T if transposed else floats(rows, inner)
    x, out = floats(inner + 3, columns + 16), floats(rows + 2, columns + 32)
    before = out.copy()
    multiply(matrix, x[:, 16:], 2, out[:, 16:], 1, 0, columns, onto)
    expected = before.astype(np.float64)
    product = matrix.astype(np.float64) @ x[2 : 2 + inner, 16:]
    expected[1 : 1 + rows, 16 : 16 + columns] = product + expected[1 : 1 + rows, 16 : 16 + columns] * onto
    close(out, expected, inner)
    rest = np.ones(out.shape, bool)
    rest[1 : 1 + rows, 16 : 16 + columns] = False
    assert (out[rest] == before[rest]).all()


def test_multiply_in_some_columns():
    matrix, x, out = floats(3, 5), floats(5, 96), np.zeros((3, 96), np.float32)
    multiply(matrix, x, 0, out, 0, 16, 64, False)
    close(out[:, 16:64], matrix.astype(np.float64) @ x[:, 16:64], 5)
    assert not out[:, :16].any() and not out[:, 64:].any()


@pytest.mark.parametrize("inner", [16, 48, 784])
@pytest.mark.parametrize("rows, columns", [(1, 1), (1, 3), (3, 2), (4, 4), (5, 7), (10, 100)])
def test_multiply_transposed(rows, columns, inner):
    matrix, x, kept = floats(rows + 1, inner), floats(columns + 2, inner + 16), floats(rows * columns + 1)
    last = kept[-1].copy()
    multiply_transposed(matrix, x[:, 16:], 2, kept[:-1].reshape(rows, columns))
    close(kept[:-1].reshape(rows, columns), matrix[:rows].astype(np.float64) @ x[2:, 16:].T, inner)
    assert kept[-1] == last
