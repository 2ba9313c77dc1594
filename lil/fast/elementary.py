"""Functions of float32 arrays for compiled loops.

tanh is written as arithmetic, which becomes vector instructions: the C library's takes 51 times as long, more than all
the rest of a step. Divisions are ``np.divide``, for Python's looks for zeros.
"""

from __future__ import annotations

import numpy as np

from lil.fast.compiling import compiled

ZERO, ONE = np.float32(0), np.float32(1)
_SATURATED = np.float32(9.010913)  # the largest float32 whose tanh is nearer to another than to 1

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's


@compiled
def tanh(x):
    """Replace x by tanh(x): the rational function of Eigen, within 4e-7 of it, and ±1 where no float32 is nearer."""
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
        value = np.divide(above, b0 + s * (b2 + s * (b4 + s * b6)))
        x[j] = ONE if x[j] > _SATURATED else -ONE if x[j] < -_SATURATED else value


@compiled
def cross_entropy(logits, labels, factor, gradient):
    """Return the sum of −log softmax(logits)[label] over the points; write its gradient times ``factor``.

    ``logits`` and ``gradient`` are (classes, n).
    """
    classes, n = logits.shape
    loss = 0.0
    for j in range(n):
        most, total = logits[0, j], ZERO
        for c in range(1, classes):
            most = max(most, logits[c, j])
        for c in range(classes):
            gradient[c, j] = np.exp(logits[c, j] - most)
            total += gradient[c, j]
        loss += np.log(total) + most - logits[labels[j], j]
        for c in range(classes):
            gradient[c, j] *= np.divide(factor, total)
        gradient[labels[j], j] -= factor
    return loss


@compiled
def adam(parameters, means, squares, gradient, rate, step):
    """Take the ``step``-th step of Adam, from 1 on, with the values of torch's class."""
    size = np.float32(rate / (1 - _BETA1**step))
    root = np.float32(1 / np.sqrt(1 - _BETA2**step))
    first, second, least = np.float32(1 - _BETA1), np.float32(1 - _BETA2), np.float32(_EPSILON)
    for p in range(len(means)):
        means[p] += first * (gradient[p] - means[p])
        squares[p] += second * (gradient[p] * gradient[p] - squares[p])
        parameters[p] -= np.divide(size * means[p], np.sqrt(squares[p]) * root + least)
