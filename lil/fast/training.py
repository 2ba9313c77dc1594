"""Training on the CPU in float32, compiled: the steps of :func:`lil.training.train`.

A step of a small network in PyTorch is a hundred operations of microseconds, whose arithmetic takes a fraction of the
time. Here a network takes many steps in one compiled call: :mod:`lil.fast.kernel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lil import training
from lil.fast import kernel
from lil.fast.threads import share
from lil.models import LIL, StackedLIL
from lil.progress import Progress, silent
from lil.training import History, Labels, Settings

_AHEAD = 8000  # points, of all seeds, that are prepared together: they stay in the cache for all networks of a seed
_PARTS = 100  # of a training on all points: then another network has its turn


def train(
    model: LIL | StackedLIL,
    x: Float[Tensor, "n d"],
    labels: Labels,
    settings: Settings,
    *,
    betas: Sequence[float],
    seeds: Sequence[int],
    progress: Progress = silent,
) -> History:
    """Train the members of ``model`` in place, as :func:`lil.training.train` does, whose arguments and errors it has.

    Everything must be on the CPU and of single precision.
    """
    targets = training.check(model, x, labels, settings, betas, seeds).numpy()
    networks = pack(model)
    loss = kernel.Loss(settings.alpha, np.array(betas, np.float64), np.float32(settings.scale))
    history = np.zeros((2, settings.epochs, len(targets), len(betas)))
    run = _on_all_points if settings.batch_size is None else _on_batches
    run(networks, x.contiguous().numpy(), targets, loss, settings, seeds, history, progress)
    _unpack(networks, model)
    return History(*torch.from_numpy(history).float())


def _on_all_points(networks, points, targets, loss, settings, seeds, history, progress) -> None:
    """Take a step an epoch. A network takes some of them, then the next has its turn."""
    batches = prepare(points, targets, np.arange(len(points))[None, None], settings.pairs, settings.reduction)
    ends = np.linspace(0, settings.epochs, min(_PARTS, settings.epochs) + 1).astype(int)
    calls = len(seeds) * (len(ends) - 1)

    def run(k: int, part: int) -> None:
        first, end = ends[part : part + 2]
        kernel.train(networks, batches, loss, 0, settings.learning_rate, first, history[:, first:end], k)

    def report(finished: int) -> None:
        progress("training", finished * settings.epochs // calls, settings.epochs)

    share(run, range(len(seeds)), len(ends) - 1, report)


def _on_batches(networks, points, targets, loss, settings, seeds, history, progress) -> None:
    """Take a step a batch. Members of one seed see the same batches, prepared for some steps ahead."""
    distinct, done = list(dict.fromkeys(seeds)), 0
    steps, ahead = -(-len(points) // settings.batch_size), max(1, _AHEAD // (settings.batch_size * len(distinct)))
    for epoch, orders in enumerate(training.batch_orders(len(points), settings.epochs, distinct)):
        for chosen in pieces(orders.numpy(), settings.batch_size, ahead):
            batches = prepare(points, targets, chosen, settings.pairs, settings.reduction)
            run = partial(_steps, networks, batches, loss, settings.learning_rate, done, history[:, epoch : epoch + 1])
            share(lambda k, part, run=run: run(distinct.index(seeds[k]), k), range(len(seeds)))
            done += chosen.shape[1]
            progress("training", done, settings.epochs * steps)
    history /= steps


def _steps(networks, batches, loss, rate, done, history, seed, k) -> None:
    kernel.train(networks, batches, loss, seed, rate, done, history, k)


def pieces(order: Int[np.ndarray, "s n"], size: int, ahead: int) -> Iterator[Int[np.ndarray, "s b m"]]:
    """Yield the points of up to ``ahead`` batches of ``size``; the last batch, where it is smaller, by itself."""
    whole = order.shape[1] // size * size
    for first in range(0, whole, ahead * size):
        part = order[:, first : min(first + ahead * size, whole)]
        yield part.reshape(len(order), -1, size)
    if whole < order.shape[1]:
        yield order[:, None, whole:]


def prepare(
    points: Float[np.ndarray, "n d"],
    targets: Int[np.ndarray, "levels n"],
    chosen: Int[np.ndarray, "s b m"],
    kind: str,
    reduction: str,
) -> kernel.Batches:
    """Return batches of the chosen points, with the pairs that count and their distances."""
    chosen = np.ascontiguousarray(chosen)  # one layout, so that one version is compiled
    labels = np.ascontiguousarray(np.moveaxis(targets[:, chosen], 0, 2))
    groups = labels if kind == "within-class" else np.zeros_like(labels)
    order = groups.argsort(-1, kind="stable")
    ordered, place = np.take_along_axis(groups, order, -1), np.arange(order.shape[-1])
    new = np.diff(ordered, axis=-1, prepend=-1) != 0
    pairs = (place - np.maximum.accumulate(np.where(new, place, 0), -1)).sum(-1)  # unordered, of each batch and level
    weights = 1 / np.maximum(2 * pairs, 1) if reduction == "pairs" else np.full(pairs.shape, 1 / order.shape[-1] ** 2)
    ends = pairs.cumsum().reshape(pairs.shape)
    x = np.empty((*chosen.shape[:2], points.shape[1], chosen.shape[2]), np.float32)
    x_dist = np.empty(pairs.sum(), np.float32)
    batches = kernel.Batches(x, labels, groups, order, ends - pairs, x_dist, weights)
    share(lambda task, part: kernel.prepare(points, chosen, batches, task), range(pairs.shape[0] * pairs.shape[1]))
    return batches


def pack(model: LIL | StackedLIL) -> kernel.Networks:
    """Return the networks as arrays, with zeros for the moments of Adam."""
    levels = tuple(model.lils) if isinstance(model, StackedLIL) else (model,)
    layers, below, row, at = [], -1, 0, 0
    for level, lil in enumerate(levels):
        for layer, (inputs, outputs) in enumerate(zip(lil.sizes, lil.sizes[1:], strict=False)):
            above = len(lil.sizes) - 2 - layer
            layers.append((level, below, inputs, row, outputs, at, above == 1, above == 0))
            below = row if above else below  # the next level reads the representation, not the logits
            row, at = row + outputs, at + outputs * (inputs + 1)
    parameters = torch.cat([each.detach().flatten(1) for each in _parameters(levels)], 1)
    means, squares = torch.zeros_like(parameters), torch.zeros_like(parameters)
    connected = isinstance(model, StackedLIL) and not model.stop_gradient
    arrays = (each.numpy() for each in (parameters, means, squares))
    return kernel.Networks(np.array(layers, kernel.LAYER), connected, *arrays)


@torch.no_grad()
def _unpack(networks: kernel.Networks, model: LIL | StackedLIL) -> None:
    """Write the parameters into the model."""
    each = list(_parameters(tuple(model.lils) if isinstance(model, StackedLIL) else (model,)))
    trained = torch.from_numpy(networks.parameters).split([parameter[0].numel() for parameter in each], 1)
    for parameter, values in zip(each, trained, strict=True):
        parameter.copy_(values.reshape(parameter.shape))


def _parameters(levels: Sequence[LIL]) -> Iterator[Tensor]:
    """Yield weights and biases, level by level and layer by layer."""
    for lil in levels:
        for weight, bias in zip(lil.weights, lil.biases, strict=True):
            yield from (weight, bias)
