"""A step of small networks on all points, compiled for the CPU by numba: three sweeps, each cut into tasks.

All layers of all levels lie in one array of rows of points, the inputs being its first rows. A chunk of points goes
through all layers while its rows are in the cache, and adds to a gradient of its own; a tile of a block's pairs adds to a
pull of its own. So the result is the same bit for bit, whatever thread has which task.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lil import elementary
from lil.elementary import ONE, ZERO, add, cross_entropy, tanh
from lil.tasks import meet
from lil.workers import compiled

LANES = 16                # floats of a cache line; rows begin at one, and chunks and tiles where one begins
PAD = 2 * LANES           # what inner loops take at a time
ROWS = 4                  # rows of pairs that share what is loaded

LAYER = np.dtype([(name, np.int64) for name in (
    "level", "below", "inputs", "row", "outputs",       # rows of the layer below and of this one, in the array of all layers
    "at",                                               # where its weights begin among the parameters, and behind them its biases
    "last", "hidden",                                   # whether it is its level's representation; whether it has a tanh
)])
TILE = np.dtype([(name, np.int64) for name in (
    "member", "level", "row", "width",                  # whose representation, and where it lies in the array of all layers
    "start", "left", "right",                           # pairs (i, j) of the block's points from ``start`` on: i < j, left ≤ j < right
    "offset", "layer",                                  # where its distances begin; which layer of ``pull`` it writes
)])


class Networks(NamedTuple):
    """m networks (or stacks of them) and what a step makes of them. Rows of points are padded."""

    layers: np.ndarray       # of LAYER: levels from the lowest, layers from the first, each level's classifier last
    parameters: np.ndarray   # (m, p)
    parts: np.ndarray        # (m, chunks, p): the gradient, by chunk of points
    values: np.ndarray       # (m, rows, ≥ n): inputs, hidden layers and logits of all points
    labels: np.ndarray       # (levels, n)
    cuts: np.ndarray         # (chunks + 1,): where chunks begin and end
    entropies: np.ndarray    # (m, chunks, levels): Σ −log of the share of the right class


class Pairs(NamedTuple):
    """The isometry term: the pairs that count, and what a step makes of them."""

    tiles: np.ndarray        # of TILE
    order: np.ndarray        # (levels, n): points by block
    distances: np.ndarray    # of the inputs, as lay_out has them
    losses: np.ndarray       # (tiles,): Σ r²
    pull: np.ndarray         # (layers, m, levels, width, n): Σ_j (r_ij / d_ij)(z_i − z_j)


class Loss(NamedTuple):
    """What weighs what."""

    alpha: float             # of the cross-entropy
    scale: np.float32        # K
    weights: np.ndarray      # (levels,): of an ordered pair in the isometry loss
    strengths: np.ndarray    # (m, levels): of the pulls in the gradient


class Share(NamedTuple):
    """The tasks of a thread."""

    points: np.ndarray       # networks and chunks of points
    tiles: np.ndarray
    members: np.ndarray


@compiled
def forward(networks, tasks):
    """All layers, as far as the logits."""
    chunks = networks.parts.shape[1]
    for task in tasks:
        k, chunk = divmod(task, chunks)
        first, end = networks.cuts[chunk], networks.cuts[chunk + 1]
        for layer in networks.layers:
            _affine(networks.parameters[k, layer.at:], networks.values[k], layer, first, end)
            if layer.hidden:
                for row in range(layer.row, layer.row + layer.outputs):
                    tanh(networks.values[k, row, first:end])


@compiled
def isometry(networks, pairs, scale, tasks):
    """Loss and pull of tiles of pairs."""
    for task in tasks:
        tile = pairs.tiles[task]
        points = pairs.order[tile.level, tile.start:tile.start + tile.right]
        z = _centred(networks.values[tile.member], tile.row, tile.width, points)
        partners, weights = _rows(*z.shape), _rows(1, z.shape[1])[0]
        pairs.losses[task] = _tile(z, tile, pairs.distances[tile.offset:], scale, partners, weights)
        pull = pairs.pull[tile.layer, tile.member, tile.level]
        for c in range(tile.width):
            row = partners[c]
            for i in range(len(points)):
                row[i] = z[c, i] * weights[i] - row[i]
            _put(row, points, pull[c])


@compiled
def backward(networks, pairs, alpha, strengths, connected, tasks):
    """The gradient of ``alpha`` times the cross-entropy and ``strengths`` (m, levels) times the pulls.

    ``connected``: whether it goes on from a level to the one below.
    """
    values, layers = networks.values, networks.layers
    chunks = networks.parts.shape[1]
    for task in tasks:
        k, chunk = divmod(task, chunks)
        first, end = networks.cuts[chunk], networks.cuts[chunk + 1]
        along, other = _buffers(layers, end - first)     # along what the layer gives; for what it reads
        from_above = False
        for number in range(len(layers) - 1, -1, -1):
            layer = layers[number]
            parameters, gradient = networks.parameters[k, layer.at:], networks.parts[k, chunk, layer.at:]
            lowest = number == 0 or layers[number - 1].level < layer.level
            if not layer.hidden:
                labels = networks.labels[layer.level]
                networks.entropies[k, chunk, layer.level] = cross_entropy(
                    values[k], layer.row, first, end, labels[first:end], np.float32(alpha / len(labels)), other[:layer.outputs])
                _gradient(values[k], layer, first, end, other, gradient)
                _pass_back(parameters, layer, other, along, from_above)
                continue
            if layer.last and strengths[k, layer.level] != ZERO:
                _add_pulls(pairs.pull, k, layer, strengths[k, layer.level], first, end, along)
            for c in range(layer.outputs):
                z, back = values[k, layer.row + c, first:end], along[c]
                for j in range(len(back)):
                    back[j] *= ONE - z[j] * z[j]
            _gradient(values[k], layer, first, end, along, gradient)
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
def _affine(parameters, values, layer, first, end):
    """W below + b."""
    below, inputs, biases = layer.below, layer.inputs, parameters[layer.outputs * layer.inputs:]
    for o in range(layer.outputs):
        weights, out = parameters[o * inputs:(o + 1) * inputs], values[layer.row + o, first:end]
        out[:] = biases[o]
        for i in range(0, inputs - 3, 4):
            a, b, c, d = weights[i], weights[i + 1], weights[i + 2], weights[i + 3]
            h0, h1 = values[below + i, first:end], values[below + i + 1, first:end]
            h2, h3 = values[below + i + 2, first:end], values[below + i + 3, first:end]
            for j in range(len(out)):
                out[j] += (a * h0[j] + b * h1[j]) + (c * h2[j] + d * h3[j])
        for i in range(inputs - inputs % 4, inputs):
            add(out, weights[i], values[below + i, first:end])


@compiled
def _gradient(values, layer, first, end, along, gradient):
    """Along weights and biases, from that along the layer. Outputs come in twos, an odd last one twice."""
    below, inputs = layer.below, layer.inputs
    for o in range(0, layer.outputs, 2):
        p = min(o + 1, layer.outputs - 1)
        u, v = along[o], along[p]
        for i in range(0, inputs - 3, 4):
            h0, h1 = values[below + i, first:end], values[below + i + 1, first:end]
            h2, h3 = values[below + i + 2, first:end], values[below + i + 3, first:end]
            s0, s1, s2, s3 = ZERO, ZERO, ZERO, ZERO
            t0, t1, t2, t3 = ZERO, ZERO, ZERO, ZERO
            for j in range(len(u)):
                s0 += u[j] * h0[j]
                s1 += u[j] * h1[j]
                s2 += u[j] * h2[j]
                s3 += u[j] * h3[j]
                t0 += v[j] * h0[j]
                t1 += v[j] * h1[j]
                t2 += v[j] * h2[j]
                t3 += v[j] * h3[j]
            at = o * inputs + i
            gradient[at], gradient[at + 1], gradient[at + 2], gradient[at + 3] = s0, s1, s2, s3
            at = p * inputs + i
            gradient[at], gradient[at + 1], gradient[at + 2], gradient[at + 3] = t0, t1, t2, t3
        for i in range(inputs - inputs % 4, inputs):
            h0, s0, t0 = values[below + i, first:end], ZERO, ZERO
            for j in range(len(u)):
                s0 += u[j] * h0[j]
                t0 += v[j] * h0[j]
            gradient[o * inputs + i], gradient[p * inputs + i] = s0, t0
        biases = layer.outputs * inputs
        gradient[biases + o], gradient[biases + p] = u.sum(), v.sum()


@compiled
def _pass_back(parameters, layer, along, into, onto):
    """Along what lies below: Wᵀ times that along the layer, added to what is there or in its place."""
    inputs, outputs = layer.inputs, layer.outputs
    for i in range(inputs):
        back = into[i]
        if not onto:
            back[:] = ZERO
        for o in range(0, outputs - 3, 4):
            a, b = parameters[o * inputs + i], parameters[(o + 1) * inputs + i]
            c, d = parameters[(o + 2) * inputs + i], parameters[(o + 3) * inputs + i]
            g0, g1, g2, g3 = along[o], along[o + 1], along[o + 2], along[o + 3]
            for j in range(len(back)):
                back[j] += (a * g0[j] + b * g1[j]) + (c * g2[j] + d * g3[j])
        for o in range(outputs - outputs % 4, outputs):
            add(back, parameters[o * inputs + i], along[o])


@compiled
def _add_pulls(pull, k, layer, strength, first, end, along):
    """The isometry term's part, which has no padding."""
    inner = min(end, pull.shape[-1])
    for tiles in range(len(pull)):
        for c in range(layer.outputs):
            add(along[c], strength, pull[tiles, k, layer.level, c, first:inner])


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
    return flat[skip:skip + count * width].reshape(count, width)


# Pairs


@compiled
def _centred(values, row, width, points):
    """The points' representation less its mean, (width, points), with zeros up to an even width and behind the points.

    Distances and pulls do not change with the mean, but lose digits to it.
    """
    count = len(points)
    z = _rows(width + width % 2, count + PAD)
    for c in range(width):
        out = z[c, :count]
        _take(values[row + c], points, out)
        mean = out.sum() / np.float32(count)
        for i in range(count):
            out[i] -= mean
    return z


@compiled
def _take(row, points, out):
    """What stands at the points, which ascend; one after another, most of the time."""
    if points[-1] - points[0] == len(points) - 1:
        out[:] = row[points[0]:points[0] + len(points)]
    else:
        for i in range(len(points)):
            out[i] = row[points[i]]


@compiled
def _put(values, points, row):
    """The other way."""
    if points[-1] - points[0] == len(points) - 1:
        row[points[0]:points[0] + len(points)] = values[:len(points)]
    else:
        for i in range(len(points)):
            row[points[i]] = values[i]


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
    """Σ r² of a tile's pairs; adds Σ_j w_ij and Σ_j w_ij z_j to ``weights`` and ``partners``, with w = r / d, for both points."""
    held = _rows(ROWS, z.shape[1])
    total, at = 0.0, 0
    for i in range(0, tile.right - 1, ROWS):
        left, width = _span(i, tile.left, tile.right)
        _squares(z, i, left, width, held)
        total += _weights(held, i, left, width, distances[at:at + ROWS * width], scale, weights)
        at += ROWS * width
        w0, w1, w2, w3 = held[0, :width], held[1, :width], held[2, :width], held[3, :width]
        for c in range(len(z)):
            p0, p1, p2, p3 = z[c, i], z[c, i + 1], z[c, i + 2], z[c, i + 3]
            y, column = z[c, left:left + width], partners[c, left:left + width]
            s0, s1, s2, s3 = ZERO, ZERO, ZERO, ZERO
            for j in range(width):
                s0 += w0[j] * y[j]
                s1 += w1[j] * y[j]
                s2 += w2[j] * y[j]
                s3 += w3[j] * y[j]
                column[j] += (w0[j] * p0 + w1[j] * p1) + (w2[j] * p2 + w3[j] * p3)
            partners[c, i] += s0
            partners[c, i + 1] += s1
            partners[c, i + 2] += s2
            partners[c, i + 3] += s3
    return total


@compiled
def _squares(z, i, left, width, held):
    """Squared distances of four rows, from i on, to the points from ``left`` on."""
    h0, h1, h2, h3 = held[0, :width], held[1, :width], held[2, :width], held[3, :width]
    held[:, :width] = ZERO
    for c in range(0, len(z), 2):
        p0, p1, p2, p3 = z[c, i], z[c, i + 1], z[c, i + 2], z[c, i + 3]
        q0, q1, q2, q3 = z[c + 1, i], z[c + 1, i + 1], z[c + 1, i + 2], z[c + 1, i + 3]
        y, x = z[c, left:left + width], z[c + 1, left:left + width]
        for j in range(width):
            a0, a1, a2, a3 = p0 - y[j], p1 - y[j], p2 - y[j], p3 - y[j]
            b0, b1, b2, b3 = q0 - x[j], q1 - x[j], q2 - x[j], q3 - x[j]
            h0[j] += a0 * a0 + b0 * b0
            h1[j] += a1 * a1 + b1 * b1
            h2[j] += a2 * a2 + b2 * b2
            h3[j] += a3 * a3 + b3 * b3


@compiled
def _weights(held, i, left, width, distances, scale, weights):
    """Squared distances become w = r / d, 0 where there is no pair; returns Σ r²."""
    total = ZERO
    of_column = weights[left:left + width]
    for k in range(ROWS):
        w, target = held[k, :width], distances[k * width:(k + 1) * width]
        of_row = ZERO
        for j in range(width):
            inverse = np.divide(ONE, np.sqrt(w[j])) if w[j] > ZERO else ZERO     # one instruction, and a step of Newton's
            r = scale * (w[j] * inverse) - target[j] if target[j] >= ZERO else ZERO
            weight = r * inverse
            total += r * r
            of_row += weight
            of_column[j] += weight
            w[j] = weight
        weights[i + k] += of_row
    return total
