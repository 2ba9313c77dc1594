"""A step of small networks on all points, compiled for the CPU by numba: three sweeps, each cut into tasks.

All layers of all levels lie in one array of rows of points, the inputs being its first rows: a chunk of points after the
other, for a processor that reads ahead must not take from another what that writes. A chunk goes through all layers while its
rows are in the cache, and adds to a gradient of its own; a tile of a block's pairs adds to a pull of its own. So the result is
the same bit for bit, whatever thread has which task.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lil.fast import elementary
from lil.fast.elementary import HALF, ONE, ZERO, add, cross_entropy, tanh
from lil.fast.products import multiply, multiply_transposed
from lil.fast.tasks import meet
from lil.fast.vectors import LANES, constant, load, repeat, root, store, totals, where_above
from lil.fast.workers import compiled

# A vector is a cache line; rows begin at one, and chunks and tiles where one begins.
PAD = 2 * LANES  # what inner loops over pairs take at a time
ROWS = 4  # rows of pairs that share what is loaded

LAYER = np.dtype(
    [
        (name, np.int64)
        for name in (
            "level",
            "below",
            "inputs",
            "row",
            "outputs",  # rows of the layer below and of this one, in the array of all layers
            "at",  # where its weights begin among the parameters, and behind them its biases
            "last",
            "hidden",  # whether it is its level's representation; whether it has a tanh
        )
    ]
)
TILE = np.dtype(
    [
        (name, np.int64)
        for name in (
            "member",
            "level",
            "row",
            "width",  # whose representation, and where it lies in the array of all layers
            "start",
            "left",
            "right",  # pairs (i, j) of the block's points from ``start`` on: i < j, left ≤ j < right
            "offset",
            "layer",  # where its distances begin; which layer of ``pull`` it writes
        )
    ]
)


class Networks(NamedTuple):
    """m networks (or stacks of them) and what a step makes of them. Rows of points are padded."""

    layers: np.ndarray  # of LAYER: levels from the lowest, layers from the first, each level's classifier last
    parameters: np.ndarray  # (m, p)
    parts: np.ndarray  # (m, chunks, p): the gradient, by chunk of points
    values: (
        np.ndarray
    )  # (m, chunks, rows, size): inputs, hidden layers and logits of all points, and zeros behind the last
    labels: np.ndarray  # (levels, n)
    entropies: np.ndarray  # (m, chunks, levels): Σ −log of the share of the right class


class Pairs(NamedTuple):
    """The isometry term: the pairs that count, and what a step makes of them."""

    tiles: np.ndarray  # of TILE
    order: np.ndarray  # (levels, n): points by block
    distances: np.ndarray  # of the inputs, as lay_out has them
    losses: np.ndarray  # (tiles,): Σ r²
    pull: np.ndarray  # (layers, m, levels, chunks, width, size): Σ_j (r_ij / d_ij)(z_i − z_j), and zeros


class Loss(NamedTuple):
    """What weighs what."""

    alpha: float  # of the cross-entropy
    scale: np.float32  # K
    weights: np.ndarray  # (levels,): of an ordered pair in the isometry loss
    strengths: np.ndarray  # (m, levels): of the pulls in the gradient


class Share(NamedTuple):
    """The tasks of a thread."""

    points: np.ndarray  # networks and chunks of points
    tiles: np.ndarray
    members: np.ndarray


@compiled
def forward(networks, tasks):
    """All layers, as far as the logits."""
    for task in tasks:
        k, chunk = divmod(task, networks.values.shape[1])
        values = networks.values[k, chunk]
        for layer in networks.layers:
            _affine(networks.parameters[k, layer.at :], values, layer)
            if layer.hidden:
                tanh(values[layer.row : layer.row + layer.outputs].reshape(-1))


@compiled
def isometry(networks, pairs, scale, tasks):
    """Loss and pull of tiles of pairs."""
    for task in tasks:
        tile = pairs.tiles[task]
        points = pairs.order[tile.level, tile.start : tile.start + tile.right]
        z = _centred(networks.values[tile.member], tile.row, tile.width, points)
        partners, weights = _rows(*z.shape), _rows(1, z.shape[1])[0]
        pairs.losses[task] = _tile(z, tile, pairs.distances[tile.offset :], scale, partners, weights)
        pull = pairs.pull[tile.layer, tile.member, tile.level]
        for c in range(tile.width):
            row = partners[c]
            for i in range(len(points)):
                row[i] = z[c, i] * weights[i] - row[i]
            _put(row, points, c, pull)


@compiled
def backward(networks, pairs, alpha, strengths, connected, tasks):
    """The gradient of ``alpha`` times the cross-entropy and ``strengths`` (m, levels) times the pulls.

    ``connected``: whether it goes on from a level to the one below.
    """
    layers, (_, chunks, _, size) = networks.layers, networks.values.shape
    for task in tasks:
        k, chunk = divmod(task, chunks)
        values = networks.values[k, chunk]
        along, other = _buffers(layers, size)  # along what the layer gives; for what it reads
        from_above = False
        for number in range(len(layers) - 1, -1, -1):
            layer = layers[number]
            parameters, gradient = networks.parameters[k, layer.at :], networks.parts[k, chunk, layer.at :]
            lowest = number == 0 or layers[number - 1].level < layer.level
            if not layer.hidden:
                labels = networks.labels[layer.level]
                networks.entropies[k, chunk, layer.level] = cross_entropy(
                    values,
                    layer.row,
                    0,
                    size,
                    labels[chunk * size : (chunk + 1) * size],
                    np.float32(alpha / len(labels)),
                    other[: layer.outputs],
                )
                _gradient(values, layer, other, gradient)
                _pass_back(parameters, layer, other, along, from_above)
                continue
            if layer.last and strengths[k, layer.level] != ZERO:
                for pulls in pairs.pull[:, k, layer.level, chunk]:
                    for c in range(layer.outputs):
                        add(along[c], strengths[k, layer.level], pulls[c])
            for c in range(layer.outputs):
                z, back = values[layer.row + c], along[c]
                for j in range(len(back)):
                    back[j] *= ONE - z[j] * z[j]
            _gradient(values, layer, along, gradient)
            from_above = lowest and connected
            if not lowest or (connected and number > 0):
                _pass_back(parameters, layer, along, other, False)
                along, other = other, along


@compiled
def adam(networks, means, squares, rate, step, tasks):
    """A step of Adam along the sum of the chunks' gradients, of the networks ``tasks``."""
    for k in tasks:
        gradient = networks.parts[k, 0]
        for chunk in range(1, networks.parts.shape[1]):
            add(gradient, ONE, networks.parts[k, chunk])
        elementary.adam(networks.parameters[k], means[k], squares[k], gradient, rate, step)


@compiled
def _note(networks, pairs, weights, terms):
    """The terms of the loss, (2, levels, m), of the last step."""
    levels, n = networks.labels.shape
    terms[:] = 0.0
    for k in range(len(networks.entropies)):
        for level in range(levels):
            terms[0, level, k] = networks.entropies[k, :, level].sum() / n
    for task in range(len(pairs.tiles)):
        tile = pairs.tiles[task]
        terms[1, tile.level, tile.member] += 2 * weights[tile.level] * pairs.losses[task]


# Epochs


@compiled
def epochs(networks, pairs, moments, loss, connected, rate, first, history, place, threads, thread, mine):
    """A thread's part of the epochs from ``first`` on, one for each entry of ``history`` (epochs, 2, levels, m)."""
    for epoch in range(len(history)):
        forward(networks, mine.points)
        meet(place, threads)
        isometry(networks, pairs, loss.scale, mine.tiles)
        meet(place, threads)
        backward(networks, pairs, loss.alpha, loss.strengths, connected, mine.points)
        meet(place, threads)
        adam(networks, moments[0], moments[1], rate, first + epoch + 1, mine.members)
        if thread == 0:
            _note(networks, pairs, loss.weights, history[epoch])
        meet(place, threads)


# Layers


@compiled
def _affine(parameters, values, layer):
    """W below + b."""
    biases = parameters[layer.outputs * layer.inputs :]
    for o in range(layer.outputs):
        row, bias = values[layer.row + o], biases[o]
        for j in range(len(row)):
            row[j] = bias
    multiply(_matrix(parameters, layer), values, layer.below, values, layer.row, 0, values.shape[1], True)


@compiled
def _gradient(values, layer, along, gradient):
    """Along weights and biases, from that along the layer."""
    multiply_transposed(along, values, layer.below, _matrix(gradient, layer))
    for o in range(layer.outputs):
        gradient[layer.outputs * layer.inputs + o] = along[o].sum()


@compiled
def _pass_back(parameters, layer, along, into, onto):
    """Along what lies below: Wᵀ times that along the layer, added to what is there or in its place."""
    multiply(_matrix(parameters, layer).T, along, 0, into, 0, 0, into.shape[1], onto)


@compiled
def _matrix(parameters, layer):
    """The weights, or the gradient along them."""
    return parameters[: layer.outputs * layer.inputs].reshape(layer.outputs, layer.inputs)


@compiled
def _buffers(layers, count):
    """Two arrays of rows of ``count`` points, as many rows as the widest layer has."""
    widest = 0
    for layer in layers:
        widest = max(widest, layer.inputs, layer.outputs)
    return _rows(widest, count), _rows(widest, count)


@compiled
def _rows(count, points):
    """Zeros, each row beginning with a cache line."""
    width = -(-points // LANES) * LANES
    flat = np.zeros(count * width + LANES, np.float32)
    skip = -(flat.ctypes.data // flat.itemsize) % LANES
    return flat[skip : skip + count * width].reshape(count, width)


# Pairs


@compiled
def _centred(values, row, width, points):
    """The points' representation less its mean, (width, points), with zeros behind the points.

    Distances and pulls do not change with the mean, but lose digits to it.
    """
    count = len(points)
    z = _rows(width, count + PAD)
    for c in range(width):
        out = z[c, :count]
        _take(values, row + c, points, out)
        mean = out.sum() / np.float32(count)
        for i in range(count):
            out[i] -= mean
    return z


@compiled
def _take(values, row, points, out):
    """What stands at the points, which ascend; one after another, most of the time."""
    count, size, i = len(points), values.shape[2], 0
    together = points[-1] - points[0] == count - 1
    while i < count:
        chunk, at = divmod(points[i], size)
        here, run = values[chunk, row], min(count - i, size - at) if together else 1
        for j in range(run):
            out[i + j] = here[at + j]
        i += run


@compiled
def _put(row, points, to, out):
    """The other way."""
    count, size, i = len(points), out.shape[2], 0
    together = points[-1] - points[0] == count - 1
    while i < count:
        chunk, at = divmod(points[i], size)
        here, run = out[chunk, to], min(count - i, size - at) if together else 1
        for j in range(run):
            here[at + j] = row[i + j]
        i += run


@compiled
def _span(i, left, right):
    """Where the columns of the rows from i on begin, with a cache line, and how many there are, padding included."""
    first = max(left, (i + 1) // LANES * LANES)
    return first, -(-(right - first) // PAD) * PAD


@compiled
def lay_out(distances, size, left, right):
    """The distances of a tile's pairs, out of the flat order of its block's, as :func:`isometry` reads them: -1 where no pair is."""
    count = 0
    for i in range(0, right - 1, ROWS):
        count += ROWS * _span(i, left, right)[1]
    out = np.full(count, np.float32(-1))
    at = 0
    for i in range(0, right - 1, ROWS):
        first, width = _span(i, left, right)
        for k in range(i, i + ROWS):
            row = k * (2 * size - k - 1) // 2 - k - 1
            for j in range(max(first, k + 1), right):
                out[at + j - first] = distances[row + j]
            at += width
    return out


@compiled
def _tile(z, tile, distances, scale, partners, weights):
    """Σ r² of a tile's pairs; adds Σ_j w_ij and Σ_j w_ij z_j to ``weights`` and ``partners``, with w = r / d, for both points.

    Four rows at a time, and of them two vectors of columns.
    """
    k, zero, total, at = constant(scale), constant(ZERO), 0.0, 0
    of_rows = _rows(ROWS * len(z), LANES)
    for i in range(0, tile.right - 1, ROWS):
        left, width = _span(i, tile.left, tile.right)
        of_rows[:] = ZERO
        t0 = t1 = t2 = t3 = loss = zero
        for j in range(left, left + width, PAD):
            a0, a1, a2, a3, b0, b1, b2, b3 = _squares(z, i, j)
            here = at + j - left
            loss, a0, b0 = _weights(a0, b0, distances, here, k, loss)
            loss, a1, b1 = _weights(a1, b1, distances, here + width, k, loss)
            loss, a2, b2 = _weights(a2, b2, distances, here + 2 * width, k, loss)
            loss, a3, b3 = _weights(a3, b3, distances, here + 3 * width, k, loss)
            t0, t1, t2, t3 = t0 + (a0 + b0), t1 + (a1 + b1), t2 + (a2 + b2), t3 + (a3 + b3)
            store(weights, j, load(weights, j) + ((a0 + a1) + (a2 + a3)))
            store(weights, j + LANES, load(weights, j + LANES) + ((b0 + b1) + (b2 + b3)))
            for c in range(len(z)):
                p0, p1, p2, p3 = _repeat_four(z, c, i)
                y, x, row = load(z, (c, j)), load(z, (c, j + LANES)), ROWS * c
                of_columns = load(partners, (c, j)) + a0 * p0 + a1 * p1 + a2 * p2 + a3 * p3
                store(partners, (c, j), of_columns)
                of_columns = load(partners, (c, j + LANES)) + b0 * p0 + b1 * p1 + b2 * p2 + b3 * p3
                store(partners, (c, j + LANES), of_columns)
                store(of_rows, (row, 0), load(of_rows, (row, 0)) + a0 * y + b0 * x)
                store(of_rows, (row + 1, 0), load(of_rows, (row + 1, 0)) + a1 * y + b1 * x)
                store(of_rows, (row + 2, 0), load(of_rows, (row + 2, 0)) + a2 * y + b2 * x)
                store(of_rows, (row + 3, 0), load(of_rows, (row + 3, 0)) + a3 * y + b3 * x)
        at += ROWS * width
        _add_four(weights, i, totals(t0, t1, t2, t3))
        for c in range(len(z)):
            row = ROWS * c
            _add_four(
                partners[c],
                i,
                totals(
                    load(of_rows, (row, 0)),
                    load(of_rows, (row + 1, 0)),
                    load(of_rows, (row + 2, 0)),
                    load(of_rows, (row + 3, 0)),
                ),
            )
        total += totals(loss, zero, zero, zero)[0]
    return total


@compiled
def _repeat_four(z, c, i):
    """A coordinate of four points."""
    return repeat(z, (c, i)), repeat(z, (c, i + 1)), repeat(z, (c, i + 2)), repeat(z, (c, i + 3))


@compiled
def _squares(z, i, j):
    """Squared distances of four points from i on to two vectors of points from j on."""
    zero = constant(ZERO)
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = zero
    for c in range(len(z)):
        y, x = load(z, (c, j)), load(z, (c, j + LANES))
        p0, p1, p2, p3 = _repeat_four(z, c, i)
        a0, b0, a1, b1 = _add_square(a0, y, p0), _add_square(b0, x, p0), _add_square(a1, y, p1), _add_square(b1, x, p1)
        a2, b2, a3, b3 = _add_square(a2, y, p2), _add_square(b2, x, p2), _add_square(a3, y, p3), _add_square(b3, x, p3)
    return a0, a1, a2, a3, b0, b1, b2, b3


@compiled
def _add_square(total, y, p):
    difference = y - p
    return total + difference * difference


@compiled
def _weights(a, b, distances, at, k, loss):
    """Of two vectors of squared distances: ``loss`` with r² added, and w = r / d, 0 where there is no pair."""
    r, v = _mismatch(a, load(distances, at), k)
    s, w = _mismatch(b, load(distances, at + LANES), k)
    return loss + (r * r + s * s), v, w


@compiled
def _mismatch(square, target, k):
    """r and r / d."""
    inverse = where_above(square, constant(ZERO), constant(ONE) / root(square))
    r = where_above(target, constant(-HALF), k * (square * inverse) - target)
    return r, r * inverse


@compiled
def _add_four(array, at, numbers):
    a, b, c, d = numbers
    array[at] += a
    array[at + 1] += b
    array[at + 2] += c
    array[at + 3] += d
