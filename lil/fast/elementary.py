"""Functions of arrays for compiled loops: arithmetic alone, which becomes vector instructions.

Calls of the C library's functions would not, nor Python's division, which looks for zeros.
"""

from __future__ import annotations

import numpy as np

from lil.fast.workers import compiled

ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's


@compiled
def add(out, factor, x):
    """out + factor · x, in place."""
    for j in range(len(x)):
        out[j] += factor * x[j]


@compiled
def tanh(x):
    """In place: a quotient of polynomials, that of Eigen, to a few of the last digits; ±1 beyond where float32 has it."""
    bound = np.float32(7.90531110763549805)
    a1, a3, a5 = np.float32(4.89352455891786e-03), np.float32(6.37261928875436e-04), np.float32(1.48572235717979e-05)
    a7, a9, a11 = np.float32(5.12229709037114e-08), np.float32(-8.60467152213735e-11), np.float32(2.00018790482477e-13)
    a13 = np.float32(-2.76076847742355e-16)
    b0, b2, b4 = np.float32(4.89352518554385e-03), np.float32(2.26843463243900e-03), np.float32(1.18534705686654e-04)
    b6 = np.float32(1.19825839466702e-06)
    for j in range(len(x)):
        y = bound if x[j] > bound else -bound if x[j] < -bound else x[j]  # NaN stays
        s = y * y
        above = y * (a1 + s * (a3 + s * (a5 + s * (a7 + s * (a9 + s * (a11 + s * a13))))))
        x[j] = np.divide(above, b0 + s * (b2 + s * (b4 + s * b6)))


@compiled
def _exp_of_difference(x, above, out):
    """exp(x − above) where that is at most 0: 2ⁿ times a polynomial of what is left, that of Cephes. Below 1e-38 it is 0."""
    powers = np.empty(len(x), np.int32)
    least, log2e, ln2, rest = (
        np.float32(-87),
        np.float32(1.44269504088896341),
        np.float32(0.693359375),
        np.float32(-2.12194440e-4),
    )
    c0, c1, c2 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
    c3, c4, c5 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)
    for j in range(len(x)):
        y = x[j] - above[j]
        y = least if y < least else y  # NaN stays
        n = np.floor(y * log2e + HALF)
        r = (y - n * ln2) - n * rest
        out[j] = ((((((c0 * r + c1) * r + c2) * r + c3) * r + c4) * r + c5) * r * r + r) + ONE
        powers[j] = (np.int32(n) + np.int32(127)) << np.int32(23) if y > least else np.int32(0)
    two_to_n = powers.view(np.float32)
    for j in range(len(x)):
        out[j] *= two_to_n[j]


@compiled
def cross_entropy(values, row, first, end, labels, factor, along):
    """Σ −log of the right class's share, of the logits in the rows of ``values`` from ``row`` on and the columns first to end.

    The first of the columns are points with ``labels``; what lies behind them is padding. ``along`` has a row a class: into
    it the gradient times ``factor``, 0 behind the points.
    """
    classes, count, n = len(along), end - first, len(labels)
    most, total = np.empty(count, np.float32), np.zeros(count, np.float32)
    most[:] = values[row, first:end]
    for c in range(1, classes):
        logits = values[row + c, first:end]
        for j in range(count):
            most[j] = logits[j] if logits[j] > most[j] else most[j]
    for c in range(classes):
        _exp_of_difference(values[row + c, first:end], most, along[c])
        add(total, ONE, along[c])
    loss = 0.0
    for j in range(n):
        loss += np.log(total[j]) + most[j] - values[row + labels[j], first + j]
    for c in range(classes):
        share = along[c]
        for j in range(count):
            share[j] *= np.divide(factor, total[j])
        share[n:] = ZERO
    for j in range(n):
        along[labels[j], j] -= factor
    return loss


@compiled
def adam(parameters, means, squares, gradient, rate, step):
    """The ``step``-th step of Adam, from 1 on, on flat arrays, with the values of torch's class."""
    size = np.float32(rate / (1 - _BETA1**step))
    root = np.float32(1 / np.sqrt(1 - _BETA2**step))
    first, second, least = np.float32(1 - _BETA1), np.float32(1 - _BETA2), np.float32(_EPSILON)
    for p in range(len(means)):
        means[p] += first * (gradient[p] - means[p])
        squares[p] += second * (gradient[p] * gradient[p] - squares[p])
        parameters[p] -= np.divide(size * means[p], np.sqrt(squares[p]) * root + least)
