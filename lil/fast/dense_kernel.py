"""Dense networks of the shape of :class:`lil.models.LIL` on one batch after another, compiled for the CPU by numba.

A network goes through many batches by itself, its weights and their moments staying in the cache, and no thread waits for
another. Products with the inputs are :mod:`lil.fast.products`', all others BLAS's on one thread, and what lies between them is
loops. Layers are (units, n), a layer's points next to one another in memory; inputs are (n, d). Parameters of a network are
one array, layer by layer (weights, biases).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lil.fast.elementary import ONE, ZERO, adam, cross_entropy, tanh
from lil.fast.products import multiply, multiply_transposed
from lil.fast.vectors import LANES
from lil.fast.workers import compiled


class Networks(NamedTuple):
    """m networks; with what Adam remembers, where they are trained."""

    sizes: np.ndarray  # (layers + 1,): inputs, hidden layers, classes
    parameters: np.ndarray  # (m, p)
    means: np.ndarray  # (m, p)
    squares: np.ndarray  # (m, p)


class Batches(NamedTuple):
    """b batches of n points for each of s seeds, and the pairs of each that count: see :class:`lil.isometry.Blocks`."""

    x: np.ndarray  # (s, b, n, d)
    labels: np.ndarray  # (s, b, n)
    order: np.ndarray  # (s · b, n)
    cuts: np.ndarray  # (s · b + 1,): where each batch's blocks begin among
    start: np.ndarray  # (blocks,)
    size: np.ndarray  # (blocks,)
    offset: np.ndarray  # (blocks,)
    x_dist: np.ndarray  # (pairs,): distances of the inputs
    weights: np.ndarray  # (s · b,): of an ordered pair in the isometry loss


@compiled
def gather(points, chosen, out, tasks):
    """The rows ``chosen`` (batches, n) of ``points``, batch by batch."""
    for batch in tasks:
        for i in range(chosen.shape[1]):
            out[batch, i] = points[chosen[batch, i]]


@compiled
def train(networks, batches, of_member, betas, alpha, scale, rate, done, history, tasks):
    """Steps on all batches, of the networks ``tasks``; adds the terms of the loss to ``history`` (2, m).

    ``of_member``: the seed of each network, by position; ``done``: steps before these.
    """
    _, b, n, d = batches.x.shape
    p = networks.parameters.shape[1]
    units = networks.sizes[1:].sum()
    values, gradient = np.empty(units * n, np.float32), np.empty(p, np.float32)
    along, other = _buffers(networks.sizes, n)
    z, pull = np.empty((n, networks.sizes[-2]), np.float32), np.empty((n, networks.sizes[-2]), np.float32)
    mismatches = np.empty(n * (n - 1) // 2, np.float32)
    for k in tasks:
        parameters, seed = networks.parameters[k], of_member[k]
        for batch in range(b):
            x, labels, number = batches.x[seed, batch], batches.labels[seed, batch], seed * b + batch
            forward(networks.sizes, parameters, x, values)
            logits = _rows(values, units - networks.sizes[-1], networks.sizes[-1], n)
            factor, along_logits = np.float32(alpha / n), _rows(along, 0, networks.sizes[-1], n)
            history[0, k] += cross_entropy(logits, 0, 0, n, labels, factor, along_logits) / n
            strength = ZERO
            if betas[k] > 0:
                weight = batches.weights[number]
                strength = np.float32(4 * scale * betas[k] * weight)
                _points(values, units - networks.sizes[-1] - z.shape[1], z)
                history[1, k] += 2 * weight * isometry(z, batches, number, np.float32(scale), pull, mismatches)
            backward(networks.sizes, parameters, x, values, along, other, strength, pull, gradient)
            adam(parameters, networks.means[k], networks.squares[k], gradient, rate, done + batch + 1)


@compiled
def forward(sizes, parameters, x, values):
    """All layers, as far as the logits, into ``values``: hidden layers and logits one after another."""
    n, at, row = len(x), 0, 0
    for layer in range(len(sizes) - 1):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        weights, biases = _weights(parameters, at, inputs, outputs), parameters[at + outputs * inputs :]
        out = _rows(values, row, outputs, n)
        if layer == 0:
            _from_inputs(weights, x, out)
        else:
            np.dot(weights, _rows(values, row - inputs, inputs, n), out)
        for o in range(outputs):
            unit, bias = out[o], biases[o]
            for j in range(n):
                unit[j] += bias
        if layer < len(sizes) - 2:
            tanh(out.reshape(-1))
        at += outputs * (inputs + 1)
        row += outputs


@compiled
def backward(sizes, parameters, x, values, along, other, strength, pull, gradient):
    """The gradient along all parameters, from that along the logits, which lies in ``along``, and ``strength`` times ``pull``.

    ``along`` and ``other`` are overwritten.
    """
    n, at, row = len(x), len(gradient), sizes[1:].sum()
    for layer in range(len(sizes) - 2, -1, -1):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        at -= outputs * (inputs + 1)
        row -= outputs
        back = _rows(along, 0, outputs, n)
        if layer < len(sizes) - 2:
            _before_tanh(back, _rows(values, row, outputs, n))
        if layer == 0:
            _to_inputs(back, x, _weights(gradient, at, inputs, outputs))
        else:
            below = _rows(values, row - inputs, inputs, n)
            np.dot(back, below.T, _weights(gradient, at, inputs, outputs))
            passed = _rows(other, 0, inputs, n)
            np.dot(_weights(parameters, at, inputs, outputs).T, back, passed)
            if layer == len(sizes) - 2 and strength != ZERO:
                _add_pull(passed, strength, pull)
            along, other = other, along
        for o in range(outputs):
            gradient[at + outputs * inputs + o] = back[o].sum()


@compiled
def _from_inputs(weights, x, out):
    """weights · xᵀ. The inputs' products are the largest, and of a shape that BLAS is not quick at."""
    if x.shape[1] % LANES:
        np.dot(weights, x.T, out)
    else:
        multiply_transposed(weights, x, 0, out)


@compiled
def _to_inputs(matrix, rows, out):
    """matrix · rows, each row as long as the inputs."""
    if rows.shape[1] % LANES:
        np.dot(matrix, rows, out)
    else:
        multiply(matrix, rows, 0, out, 0, 0, rows.shape[1], False)


@compiled
def _add_pull(back, strength, pull):
    """The isometry term's part of the gradient along the representation."""
    for c in range(len(back)):
        unit = back[c]
        for j in range(len(unit)):
            unit[j] += strength * pull[j, c]


@compiled
def isometry(z, batches, number, scale, pull, mismatches):
    """Σ r² over the pairs of a batch, r = K d − d_x. z and ``pull`` are (n, d).

    Into ``pull`` Σ_j (r_ij / d_ij)(z_i − z_j); into ``mismatches`` r of each pair.
    """
    pull[:] = ZERO
    order, total, pair = batches.order[number], 0.0, 0
    for block in range(batches.cuts[number], batches.cuts[number + 1]):
        points = order[batches.start[block] : batches.start[block] + batches.size[block]]
        at = batches.offset[block]
        for i in range(len(points)):
            p, pulled = z[points[i]], pull[points[i]]
            for j in range(i + 1, len(points)):
                q, other = z[points[j]], pull[points[j]]
                square = ZERO
                for c in range(len(p)):
                    square += (p[c] - q[c]) * (p[c] - q[c])
                distance = np.sqrt(square)
                r = scale * distance - batches.x_dist[at]
                total += r * r
                mismatches[pair] = r
                at, pair = at + 1, pair + 1
                if distance > ZERO:
                    w = np.divide(r, distance)
                    for c in range(len(p)):
                        a = w * (p[c] - q[c])
                        pulled[c] += a
                        other[c] -= a
    return total


@compiled
def _points(values, row, z):
    """Layers' rows from ``row`` on, a point's coordinates together."""
    n, d = z.shape
    for c in range(d):
        unit = values[(row + c) * n : (row + c + 1) * n]
        for j in range(n):
            z[j, c] = unit[j]


@compiled
def _before_tanh(back, z):
    """The gradient along what tanh is taken of, in place."""
    for c in range(len(z)):
        unit, out = z[c], back[c]
        for j in range(len(unit)):
            out[j] *= ONE - unit[j] * unit[j]


@compiled
def _buffers(sizes, n):
    """Two arrays of as many units as the widest layer has."""
    widest = sizes[1:].max() * n
    return np.empty(widest, np.float32), np.empty(widest, np.float32)


@compiled
def _rows(values, row, units, n):
    """Some rows of points of a flat array."""
    return values[row * n : (row + units) * n].reshape(units, n)


@compiled
def _weights(parameters, at, inputs, outputs):
    return parameters[at : at + outputs * inputs].reshape(outputs, inputs)


# The attack


@compiled
def attack(networks, batches, betas, scale, epsilons, low, high, clean, right, zero, change, tasks):
    """FGSM of the networks ``tasks`` on all batches, along the mean cross-entropy with β times the isometry loss, and without.

    Adds to ``clean`` (m,) and ``right`` (2, m, ε) how many images get their class, and to ``zero`` (2, m) how many have no
    gradient; puts into ``change`` (2, m, ε) the largest change of a coordinate. At β = 0, where both gradients are one, the
    second alone is followed.
    """
    _, b, n, d = batches.x.shape
    sizes = networks.sizes
    units, width, classes = sizes[1:].sum(), sizes[-2], sizes[-1]
    values, after = np.empty(units * n, np.float32), np.empty(units * n, np.float32)
    logits, logits_after = _rows(values, units - classes, classes, n), _rows(after, units - classes, classes, n)
    along, other = _buffers(sizes, n)
    z, pull = np.empty((n, width), np.float32), np.empty((n, width), np.float32)
    gradient, attacked = np.empty((n, d), np.float32), np.empty((n, d), np.float32)
    mismatches = np.empty(n * (n - 1) // 2, np.float32)
    for k in tasks:
        parameters = networks.parameters[k]
        for batch in range(b):
            x, labels = batches.x[0, batch], batches.labels[0, batch]
            forward(sizes, parameters, x, values)
            clean[k] += _hits(logits, labels)
            for which in range(0 if betas[k] > 0 else 1, 2):
                strength = ZERO if which else np.float32(4 * betas[k] * batches.weights[batch])
                cross_entropy(logits, 0, 0, n, labels, np.float32(1 / n), _rows(along, 0, classes, n))
                if strength != ZERO:
                    _points(values, units - classes - width, z)
                    isometry(z, batches, batch, scale, pull, mismatches)
                _along_inputs(sizes, parameters, values, along, other, scale * strength, pull, gradient)
                if strength != ZERO:
                    _pull_inputs(x, batches, batch, mismatches, strength, gradient)
                zero[which, k] += _signs(gradient)
                for e in range(len(epsilons)):
                    most = _step(x, gradient, epsilons[e], low, high, attacked)
                    change[which, k, e] = max(change[which, k, e], most)
                    forward(sizes, parameters, attacked, after)
                    right[which, k, e] += _hits(logits_after, labels)


@compiled
def _along_inputs(sizes, parameters, values, along, other, strength, pull, gradient):
    """As :func:`backward`, the gradient along the inputs alone."""
    n, at, row = len(gradient), len(parameters), sizes[1:].sum()
    for layer in range(len(sizes) - 2, -1, -1):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        at -= outputs * (inputs + 1)
        row -= outputs
        back, weights = _rows(along, 0, outputs, n), _weights(parameters, at, inputs, outputs)
        if layer < len(sizes) - 2:
            _before_tanh(back, _rows(values, row, outputs, n))
        if layer == 0:
            _to_inputs(back.T, weights, gradient)
        else:
            passed = _rows(other, 0, inputs, n)
            np.dot(weights.T, back, passed)
            if layer == len(sizes) - 2 and strength != ZERO:
                _add_pull(passed, strength, pull)
            along, other = other, along


@compiled
def _pull_inputs(x, batches, number, mismatches, strength, gradient):
    """What the distances of the inputs add to the gradient along the inputs: strength · Σ_j (r_ij / d_x)(x_j − x_i)."""
    order, at = batches.order[number], 0
    first = batches.offset[batches.cuts[number]] if batches.cuts[number] < batches.cuts[number + 1] else 0
    for block in range(batches.cuts[number], batches.cuts[number + 1]):
        points = order[batches.start[block] : batches.start[block] + batches.size[block]]
        for i in range(len(points)):
            p, of_i = x[points[i]], gradient[points[i]]
            for j in range(i + 1, len(points)):
                q, of_j = x[points[j]], gradient[points[j]]
                distance = batches.x_dist[first + at]
                w = np.divide(strength * mismatches[at], distance) if distance > ZERO else ZERO
                at += 1
                for c in range(len(p)):
                    a = w * (p[c] - q[c])
                    of_i[c] -= a
                    of_j[c] += a


@compiled
def _signs(gradient):
    """In place: −1, 0 or 1. Returns how many rows have 0 alone."""
    zero = 0
    for i in range(len(gradient)):
        row, count = gradient[i], 0
        for c in range(len(row)):
            sign = ONE if row[c] > ZERO else -ONE if row[c] < ZERO else ZERO
            row[c] = sign
            count += sign != ZERO
        zero += count == 0
    return zero


@compiled
def _step(x, sign, epsilon, low, high, attacked):
    """x + ε · sign, cut off at the bounds; returns the largest change of a coordinate."""
    changes = np.empty(x.shape[1], np.float32)
    as_integers = changes.view(np.int32)  # which floats ≥ 0 are ordered like, and whose largest is a vector instruction
    most = np.int32(0)
    for i in range(len(x)):
        before, towards, after = x[i], sign[i], attacked[i]
        for c in range(len(before)):
            y = before[c] + epsilon * towards[c]
            y = low if y < low else y
            after[c] = high if y > high else y
            changes[c] = abs(after[c] - before[c])
        for c in range(len(changes)):
            most = max(most, as_integers[c])
    as_integers[0] = most
    return changes[0]


@compiled
def _hits(logits, labels):
    """How many points have their label's logit as the largest, the first of equals."""
    hits = 0
    for j in range(len(labels)):
        best = 0
        for c in range(1, len(logits)):
            if logits[c, j] > logits[best, j]:
                best = c
        hits += best == labels[j]
    return hits
