"""Training on all points at once, compiled: what :func:`lil.training.train` does, several times as fast for small networks.

A step of the toys' networks is a hundred operations of microseconds, whose arithmetic takes a fraction of the time. Here
it is three compiled sweeps, over points, over pairs, and over points again: :mod:`lil.fast.full_batch_kernel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lil import training
from lil.fast import full_batch_kernel as kernel
from lil.fast import tasks, workers
from lil.fast.vectors import LANES
from lil.isometry import Blocks, pair_blocks, pair_distances, pair_weights
from lil.models import LIL, StackedLIL
from lil.progress import Progress, silent
from lil.training import History, Settings

_CHUNK = 416  # points that go through all layers at once, at most: their rows stay in the cache
_TILE = 800  # points j of a tile of pairs (i, j), at most
_REPORTS = 200  # calls of the progress callback over a training, at most


def train(
    model: LIL | StackedLIL,
    x: Float[Tensor, "n d"],
    labels: Int[Tensor, "labels"] | tuple[Int[Tensor, "labels"], ...],
    settings: Settings,
    *,
    betas: Sequence[float],
    seeds: Sequence[int],
    progress: Progress = silent,
) -> History:
    """Train the members of ``model`` in place, as :func:`lil.training.train` does, whose arguments and errors it has.

    It is compiled for the CPU, for single precision and for steps on all points.
    """
    levels = tuple(model.lils) if isinstance(model, StackedLIL) else (model,)
    each_level = labels if isinstance(labels, tuple) else (labels,)
    training.check(levels, x, each_level, betas, seeds, settings)
    workers.keep_memory()
    targets = torch.stack(each_level)
    sequence = np.lexsort(targets.numpy()[::-1])  # the first level's classes lie together, in each the second's, …
    x, targets = x[sequence], targets[:, sequence]
    blocks = pair_blocks(targets, settings.pairs)
    networks = _networks(levels, x, targets)
    pairs = _pairs(networks, x, blocks, betas)
    weights = pair_weights(blocks, settings.reduction).numpy()
    connected = isinstance(model, StackedLIL) and not model.stop_gradient
    history = _learn(networks, pairs, weights, settings, betas, connected, progress)
    _write_back(levels, networks)
    return history


def _networks(levels: Sequence[LIL], x: Float[Tensor, "n d"], targets: Int[Tensor, "levels n"]) -> kernel.Networks:
    """The networks' arrays, with the inputs in their first rows and the parameters of ``levels``."""
    layers, below, row, at = [], 0, x.shape[1], 0
    for level, lil in enumerate(levels):
        for layer, (inputs, outputs) in enumerate(zip(lil.sizes, lil.sizes[1:], strict=False)):
            to_go = len(lil.sizes) - 2 - layer  # the representation has the classifier to go, which nothing reads
            layers.append((level, below, inputs, row, outputs, at, to_go == 1, to_go > 0))
            below = row if to_go else below
            row, at = row + outputs, at + outputs * (inputs + 1)
    members, n = levels[0].members, len(x)
    chunks = -(-n // _CHUNK)
    size = -(-n // (chunks * LANES)) * LANES
    values, inputs = _zeros(members, chunks, row, size), _zeros(x.shape[1], chunks * size)
    inputs[:, :n] = x.T.numpy()
    values[:, :, : len(inputs)] = inputs.reshape(-1, chunks, size).swapaxes(0, 1)
    return kernel.Networks(
        layers=np.array(layers, kernel.LAYER),
        values=values,
        labels=targets.contiguous().numpy(),
        parameters=torch.cat([each.detach().flatten(1) for each in _parameters(levels)], 1).numpy(),
        parts=_zeros(members, chunks, at),
        entropies=np.zeros((members, chunks, len(levels))),
    )


def _pairs(networks: kernel.Networks, x: Float[Tensor, "n d"], blocks: Blocks, betas: Sequence[float]) -> kernel.Pairs:
    """The pairs that count, in tiles, of each member with β > 0."""
    representations = networks.layers[networks.layers["last"] == 1]
    flat = pair_distances(x.expand(len(representations), -1, -1), blocks).numpy()
    tiles, distances, end = [], [torch.empty(0)], 0
    for level, start, size, offset in zip(*map(Tensor.tolist, blocks[1:5]), strict=True):
        layer = representations[level]
        for left in range(0, size, _TILE):
            right = min(left + _TILE, size)
            distances.append(torch.from_numpy(kernel.lay_out(flat[offset:], size, left, right)))
            tiles += [
                (k, level, layer["row"], layer["outputs"], start, left, right, end, left // _TILE)
                for k, beta in enumerate(betas)
                if beta > 0
            ]
            end += len(distances[-1])
    tiles = np.sort(np.array(tiles, kernel.TILE), order=("member", "start"), kind="stable")  # as chunks of points lie
    depth, width = int(tiles["layer"].max(initial=-1)) + 1, int(representations["outputs"].max())
    _, chunks, _, size = networks.values.shape
    return kernel.Pairs(
        tiles=tiles,
        order=blocks.order.numpy(),
        distances=torch.cat(distances).numpy(),
        losses=np.zeros(len(tiles)),
        pull=_zeros(depth, len(betas), len(representations), chunks, width, size),
    )


def _learn(
    networks: kernel.Networks,
    pairs: kernel.Pairs,
    weights: Float[np.ndarray, "levels"],
    settings: Settings,
    betas: Sequence[float],
    connected: bool,
    progress: Progress,
) -> History:
    """All epochs, each a step. ``weights``: of an ordered pair in the isometry loss of each level."""
    levels, members, size = len(networks.labels), len(networks.parts), networks.parts.shape[-1]
    tiles, points = pairs.tiles, np.ones(members * networks.values.shape[1])
    strengths = (4 * settings.scale * np.outer(betas, weights)).astype(np.float32)
    loss = kernel.Loss(settings.alpha, np.float32(settings.scale), weights, strengths)
    threads = min(workers.threads(), max(len(points), len(tiles)))
    of_tiles = (tiles["right"] ** 2 - tiles["left"] ** 2) * tiles["width"]
    dealt = (tasks.dealt(work, threads) for work in (points, of_tiles, np.ones(members)))
    shares = [kernel.Share(*mine) for mine in zip(*dealt, strict=True)]
    moments, history = _zeros(2, members, size), np.zeros((settings.epochs, 2, levels, members))
    for first in range(0, settings.epochs, ahead := -(-settings.epochs // _REPORTS)):
        part, place = history[first : first + ahead], tasks.meeting_place()
        tasks.together(
            [
                partial(
                    kernel.epochs,
                    networks,
                    pairs,
                    moments,
                    loss,
                    connected,
                    settings.learning_rate,
                    first,
                    part,
                    place,
                    threads,
                    thread,
                    mine,
                )
                for thread, mine in enumerate(shares)
            ]
        )
        progress("training", first + len(part), settings.epochs)
    return History(*torch.from_numpy(history.swapaxes(0, 1)).float())


def _write_back(levels: Sequence[LIL], networks: kernel.Networks) -> None:
    """Into the models what their parameters have become."""
    each = list(_parameters(levels))
    found = torch.from_numpy(networks.parameters).split([parameter[0].numel() for parameter in each], 1)
    with torch.no_grad():
        for parameter, values in zip(each, found, strict=True):
            parameter.copy_(values.reshape(parameter.shape))


def _parameters(levels: Sequence[LIL]) -> Iterator[Tensor]:
    """Level by level and layer by layer, weights and biases."""
    for lil in levels:
        for weight, bias in zip(lil.weights, lil.biases, strict=True):
            yield from (weight, bias)


def _zeros(*shape: int) -> Float[np.ndarray, "*shape"]:
    """Memory of torch's, which begins with a cache line."""
    return torch.zeros(shape).numpy()
