"""Training in batches, compiled: what :func:`lil.training.train` does, several times as fast for small networks.

Networks of an ensemble do not know of one another. Each goes through many batches by itself, on a thread of its own:
:mod:`lil.fast.dense_kernel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from lil import training
from lil.fast import dense_kernel as kernel
from lil.fast import isometry_kernel, workers
from lil.fast.tasks import blas_alone, share
from lil.isometry import pair_blocks, pair_weights
from lil.models import LIL
from lil.progress import Progress, silent
from lil.randomness import derived_seed
from lil.training import History, Settings

_AHEAD = 8000  # points, of all seeds, that are prepared together, and which a network goes through before the next has its turn


def train(
    model: LIL,
    x: Float[Tensor, "n d"],
    labels: Int[Tensor, "labels"] | tuple[Int[Tensor, "labels"], ...],
    settings: Settings,
    *,
    betas: Sequence[float],
    seeds: Sequence[int],
    progress: Progress = silent,
) -> History:
    """Train the members of ``model`` in place, as :func:`lil.training.train` does, whose arguments and errors it has.

    It is compiled for the CPU, for single precision, for networks that are not stacked and for steps on batches. Members of
    one seed see the same batches, however many of them have β > 0.
    """
    each_level = labels if isinstance(labels, tuple) else (labels,)
    training.check([model], x, each_level, betas, seeds, settings)
    workers.keep_memory()
    (targets,) = each_level
    distinct = list(dict.fromkeys(seeds))
    generators = [torch.Generator().manual_seed(derived_seed(seed, 0)) for seed in distinct]
    networks = pack(model)
    of_member = np.array([distinct.index(seed) for seed in seeds])
    steps_per_epoch, size = -(-len(x) // settings.batch_size), settings.batch_size
    ahead = max(1, _AHEAD // (size * len(distinct))) * size
    strengths = np.array(betas)
    history, done = np.zeros((2, settings.epochs, 1, len(seeds))), 0
    with workers.alone(), blas_alone():
        for epoch in range(settings.epochs):
            order = torch.stack([torch.randperm(len(x), generator=generator) for generator in generators])
            for chosen in pieces(order, size, ahead):
                batches = prepare(_gathered(x, chosen), targets[chosen], settings.pairs, settings.reduction)
                share(
                    kernel.train,
                    (
                        networks,
                        batches,
                        of_member,
                        strengths,
                        settings.alpha,
                        settings.scale,
                        settings.learning_rate,
                        done,
                        history[:, epoch, 0],
                    ),
                    np.ones(len(seeds)),
                )
                done += chosen.shape[1]
                progress("training", done, settings.epochs * steps_per_epoch)
    unpack(networks, model)
    return History(*torch.from_numpy(history / steps_per_epoch).float())


def pieces(x: Shaped[Tensor, "s n *rest"], size: int, ahead: int) -> Iterator[Shaped[Tensor, "s b m *rest"]]:
    """Up to ``ahead`` points of each seed at a time, in batches of ``size``; the last batch, where it is smaller, by itself."""
    whole = x.shape[1] // size * size
    for first in range(0, whole, ahead):
        yield x[:, first : min(first + ahead, whole)].unflatten(1, (-1, size))
    if whole < x.shape[1]:
        yield x[:, None, whole:]


def _gathered(x: Float[Tensor, "n d"], chosen: Int[Tensor, "s b m"]) -> Float[Tensor, "s b m d"]:
    """x[chosen], on all threads."""
    out = x.new_empty(chosen.numel(), x.shape[1]).view(-1, chosen.shape[2], x.shape[1])
    rows = chosen.flatten(0, 1).numpy()
    share(kernel.gather, (x.numpy(), rows, out.numpy()), np.ones(len(rows)))
    return out.view(*chosen.shape, -1)


def prepare(x: Float[Tensor, "s b n d"], labels: Int[Tensor, "s b n"], pairs: str, reduction: str) -> kernel.Batches:
    """Batches with their pairs and the distances of these."""
    blocks = pair_blocks(labels, pairs)
    cuts = torch.searchsorted(blocks.batch, torch.arange(len(blocks.order) + 1))
    x_dist = isometry_kernel.distances(x.flatten(0, 1), blocks)
    return kernel.Batches(
        *(
            part.numpy()
            for part in (
                x,
                labels,
                blocks.order,
                cuts,
                blocks.start,
                blocks.size,
                blocks.offset,
                x_dist,
                pair_weights(blocks, reduction),
            )
        )
    )


def pack(model: LIL) -> kernel.Networks:
    """The networks' parameters in arrays of their own, with zeros for Adam."""
    parameters = torch.cat([each.detach().flatten(1) for each in _parameters(model)], 1)
    means, squares = torch.zeros_like(parameters), torch.zeros_like(parameters)
    return kernel.Networks(np.array(model.sizes), parameters.numpy(), means.numpy(), squares.numpy())


@torch.no_grad()
def unpack(networks: kernel.Networks, model: LIL) -> None:
    """Into the model what the parameters have become."""
    each = _parameters(model)
    found = torch.from_numpy(networks.parameters).split([parameter[0].numel() for parameter in each], 1)
    for parameter, values in zip(each, found, strict=True):
        parameter.copy_(values.reshape(parameter.shape))


def _parameters(model: LIL) -> list[Tensor]:
    """Layer by layer, weights and biases."""
    return [each for layer in zip(model.weights, model.biases, strict=True) for each in layer]
