"""Training steps and attacks of small networks, compiled for the CPU.

A network goes through many steps by itself: no thread waits for another, and its arrays stay in the cache. Arrays of a
layer are (units, n), so that inner loops run over points. Matrix products are those of BLAS, on one thread.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lil.fast import elementary
from lil.fast.compiling import compiled
from lil.fast.elementary import ONE, ZERO, cross_entropy, tanh
from lil.fast.pairs import distances, isometry

LAYER = np.dtype(
    [
        (name, np.int64)
        for name in (
            "level",
            "below",  # first row of the layer below, in the array of all layers; -1: the inputs
            "inputs",
            "row",  # first row of this layer
            "outputs",
            "at",  # place of its weights among the parameters; its biases follow
            "representation",
            "logits",
        )
    ]
)


class Networks(NamedTuple):
    """m networks, or stacks of them, with the moments of Adam."""

    layers: np.ndarray  # of LAYER: from the lowest level to the highest, the classifier last in each
    connected: bool  # gradients reach the levels below
    parameters: np.ndarray  # (m, p)
    means: np.ndarray  # (m, p)
    squares: np.ndarray  # (m, p)


class Batches(NamedTuple):
    """b batches of n points for each of s seeds, with the pairs that count on each level."""

    x: np.ndarray  # (s, b, d, n)
    labels: np.ndarray  # (s, b, levels, n)
    groups: np.ndarray  # (s, b, levels, n): the pairs within a group count
    order: np.ndarray  # (s, b, levels, n): the points sorted by group
    start: np.ndarray  # (s, b, levels): place of the first distance
    x_dist: np.ndarray  # (pairs,): distances of the inputs
    weights: np.ndarray  # (s, b, levels): of an ordered pair in the isometry loss


class Loss(NamedTuple):
    """The weights of the loss."""

    alpha: float  # of the cross-entropy
    betas: np.ndarray  # (m,): of the isometry loss
    scale: np.float32  # K


@compiled
def prepare(points, chosen, batches, task):
    """Write the inputs and the distances of one batch: of the rows ``chosen`` (s, b, n) of ``points``."""
    seed, batch = divmod(task, batches.x.shape[1])
    x = batches.x[seed, batch]
    for i in range(x.shape[1]):
        row = points[chosen[seed, batch, i]]
        for c in range(len(row)):
            x[c, i] = row[c]
    for level in range(batches.order.shape[2]):
        place = (seed, batch, level)
        distances(x, batches.order[place], batches.groups[place], batches.x_dist[batches.start[place] :])


@compiled
def train(networks, batches, loss, seed, rate, done, history, k):
    """Take steps with network k on the batches of its seed, and add the terms of the loss to ``history``.

    ``history`` is (2, epochs, levels, m): all batches are seen in each of the epochs. ``done`` steps came before.
    """
    layers, parameters = networks.layers, networks.parameters[k]
    _, b, _, n = batches.x.shape
    values, along, other, spare = _buffers(layers, n)
    gradient, no_inputs = np.empty(len(parameters), np.float32), np.empty((0, n), np.float32)
    for step in range(history.shape[1] * b):
        epoch, batch = divmod(step, b)
        x, terms = batches.x[seed, batch], history[:, epoch, :, k]
        forward(layers, parameters, x, values)
        pulls = _pulls(layers, batches, loss, k, seed, batch, values, no_inputs, terms[1])
        _backward(
            networks,
            k,
            x,
            values,
            batches.labels[seed, batch],
            loss.alpha,
            pulls,
            along,
            other,
            spare,
            gradient,
            terms[0],
            no_inputs,
        )
        elementary.adam(parameters, networks.means[k], networks.squares[k], gradient, rate, done + step + 1)


@compiled
def forward(layers, parameters, x, values):
    """Compute all layers, hidden units and logits, from the inputs x (d, n)."""
    for layer in layers:
        out, at = values[layer.row : layer.row + layer.outputs], layer.at + layer.outputs * layer.inputs
        np.dot(_weights(parameters, layer), _below(x, values, layer), out)
        for o in range(layer.outputs):
            out[o] += parameters[at + o]
        if not layer.logits:
            tanh(out.reshape(-1))


@compiled
def _pulls(layers, batches, loss, k, seed, batch, values, x_pull, terms):
    """Return the isometry term's gradient along the representations, (levels, units, n); add the losses to ``terms``.

    Its gradient along the inputs, through their distances, goes into ``x_pull`` where that has rows.
    """
    x, widest = batches.x[seed, batch], 0
    for layer in layers:
        widest = max(widest, layer.outputs if layer.representation else 0)
    pulls = np.zeros((len(terms), widest, x.shape[1]), np.float32)
    for layer in layers:
        if layer.representation and loss.betas[k] > 0:
            level = layer.level
            place, pull = (seed, batch, level), pulls[level, : layer.outputs]
            order, groups, distances = (
                batches.order[place],
                batches.groups[place],
                batches.x_dist[batches.start[place] :],
            )
            z = values[layer.row : layer.row + layer.outputs]
            squares = isometry(z, x, order, groups, distances, loss.scale, pull, x_pull)
            terms[level] += 2 * batches.weights[place] * squares
            strength = np.float32(4 * loss.betas[k] * batches.weights[place])
            pull *= loss.scale * strength
            x_pull *= -strength
    return pulls


@compiled
def _backward(networks, k, x, values, labels, alpha, pulls, along, other, spare, gradient, terms, to_inputs):
    """Write the gradient along the parameters and along the inputs, each where its array is not empty.

    The loss is ``alpha`` times the cross-entropy, whose values are added to ``terms``, and the term with the ``pulls``.
    """
    layers, parameters, n = networks.layers, networks.parameters[k], x.shape[1]
    along[:] = ZERO  # along the units of the layer that is next
    for number in range(len(layers) - 1, -1, -1):
        layer = layers[number]
        weights = _weights(parameters, layer)
        if layer.logits:
            back = other[: layer.outputs]
            logits = values[layer.row : layer.row + layer.outputs]
            terms[layer.level] += cross_entropy(logits, labels[layer.level], np.float32(alpha / n), back) / n
        else:
            back = along[: layer.outputs]
            if layer.representation:
                back += pulls[layer.level, : layer.outputs]
            for o in range(layer.outputs):
                z, row = values[layer.row + o], back[o]
                for j in range(n):
                    row[j] *= ONE - z[j] * z[j]
        if len(gradient):
            np.dot(back, _below(x, values, layer).T, _weights(gradient, layer))
            for o in range(layer.outputs):
                gradient[layer.at + layer.outputs * layer.inputs + o] = back[o].sum()
        if layer.logits:
            np.dot(weights.T, back, spare[: layer.inputs])
            along[: layer.inputs] += spare[: layer.inputs]
        elif number == 0:
            if len(to_inputs):
                np.dot(weights.T, back, to_inputs)
        elif layers[number - 1].level == layer.level or networks.connected:
            np.dot(weights.T, back, other[: layer.inputs])
            along, other = other, along
        else:
            along[:] = ZERO


@compiled
def _below(x, values, layer):
    """Return the units that the layer reads."""
    return x if layer.below < 0 else values[layer.below : layer.below + layer.inputs]


@compiled
def _weights(parameters, layer):
    """Return the layer's weights, or the gradient along them, (outputs, inputs)."""
    return parameters[layer.at : layer.at + layer.outputs * layer.inputs].reshape(layer.outputs, layer.inputs)


@compiled
def _buffers(layers, n):
    """Return an array for all layers, and three for any one of them."""
    units, widest = layers[-1].row + layers[-1].outputs, 0
    for layer in layers:
        widest = max(widest, layer.outputs, layer.inputs if layer.below >= 0 else 0)
    values, three = np.empty((units, n), np.float32), np.empty((3, widest, n), np.float32)
    return values, three[0], three[1], three[2]


# The attack


@compiled
def attack(networks, batches, loss, epsilons, low, high, clean, right, zero, change, k):
    """Attack network k with FGSM on all batches, along L_CSE + β L_ISO and along L_CSE alone.

    Adds the number of images that get their class to ``clean`` (m,) and ``right`` (2, m, ε), and the number without a
    gradient to ``zero`` (2, m). Raises ``change`` (2, m, ε) to the largest change of a coordinate. At β = 0 both
    objectives are one, and the second alone is followed.
    """
    layers, parameters = networks.layers, networks.parameters[k]
    _, b, d, n = batches.x.shape
    values, along, other, spare = _buffers(layers, n)
    after, gradient, attacked = np.empty_like(values), np.empty((d, n), np.float32), np.empty((d, n), np.float32)
    x_pull, no_pull = np.empty((d, n), np.float32), np.empty((0, n), np.float32)
    terms, no_parameters, first = np.zeros((2, 1)), np.empty(0, np.float32), len(values) - layers[-1].outputs
    for batch in range(b):
        x, labels = batches.x[0, batch], batches.labels[0, batch]
        forward(layers, parameters, x, values)
        clean[k] += _hits(values[first:], labels[0])
        for which in range(0 if loss.betas[k] > 0 else 1, 2):
            betas = loss.betas if which == 0 else np.zeros(k + 1)
            pulled = x_pull if which == 0 else no_pull
            pulls = _pulls(layers, batches, Loss(1.0, betas, loss.scale), k, 0, batch, values, pulled, terms[1])
            _backward(
                networks, k, x, values, labels, 1.0, pulls, along, other, spare, no_parameters, terms[0], gradient
            )
            if which == 0:
                gradient += x_pull
            zero[which, k] += _signs(gradient)
            for e in range(len(epsilons)):
                most = _step(x, gradient, epsilons[e], low, high, attacked)
                change[which, k, e] = max(change[which, k, e], most)
                forward(layers, parameters, attacked, after)
                right[which, k, e] += _hits(after[first:], labels[0])


@compiled
def _signs(gradient):
    """Replace the gradient by its sign; return the number of points at which all coordinates have 0."""
    moved = np.zeros(gradient.shape[1], np.bool_)
    for c in range(len(gradient)):
        row = gradient[c]
        for j in range(len(row)):
            row[j] = ONE if row[j] > ZERO else -ONE if row[j] < ZERO else ZERO
            moved[j] |= row[j] != ZERO
    return len(moved) - moved.sum()


@compiled
def _step(x, sign, epsilon, low, high, attacked):
    """Write x + ε · sign, cut off at the bounds; return the largest change of a coordinate."""
    most = ZERO
    for c in range(len(x)):
        before, towards, after = x[c], sign[c], attacked[c]
        for j in range(len(before)):
            y = before[j] + epsilon * towards[j]
            y = low if y < low else y
            after[j] = high if y > high else y
            most = max(most, abs(after[j] - before[j]))
    return most


@compiled
def _hits(logits, labels):
    """Return the number of points whose label has the largest logit, the first of equals."""
    hits = 0
    for j in range(len(labels)):
        best = 0
        for c in range(1, len(logits)):
            if logits[c, j] > logits[best, j]:
                best = c
        hits += best == labels[j]
    return hits
