"""Robust accuracy of networks that see pixels, compiled: the numbers of :func:`lil.evaluation.robustness`.

A small network's attack is ten times as many matrix products of microseconds as there are images, with arrays of all
attacked images between them. Here a network goes through many batches by itself: :func:`lil.fast.kernel.attack`.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from jaxtyping import Float, Integer
from torch import Tensor

from lil import attacks
from lil.evaluation import OBJECTIVES, Fgsm, Sweep
from lil.fast import kernel, training
from lil.fast.threads import share
from lil.isometry import integers
from lil.progress import Progress, silent

_AHEAD = 20  # batches that a network goes through before the next has its turn


def robustness(
    sweep: Sweep, x: Float[Tensor, "n c h w"], labels: Integer[Tensor, "n"], fgsm: Fgsm, *, progress: Progress = silent
) -> xr.Dataset:
    """Return the accuracy of the networks, clean and under FGSM, as :func:`lil.evaluation.robustness` does.

    The front of ``sweep`` must be :func:`lil.attacks.pixels`, and everything on the CPU and of single precision.
    """
    networks, betas = training.pack(sweep.model), np.repeat(sweep.betas, len(sweep.seeds))
    loss = kernel.Loss(1.0, betas, np.float32(sweep.scale))
    points, targets = x.detach().flatten(1).contiguous().numpy(), integers(labels)[None].numpy()
    epsilons, bounds = np.float32(fgsm.epsilons), np.float32(attacks.BOUNDS)
    shape = len(OBJECTIVES), len(betas), len(epsilons)
    clean, right, zero = np.zeros(shape[1]), np.zeros(shape), np.zeros(shape[:2])
    change, done = np.zeros(shape, np.float32), 0
    for chosen in training.pieces(np.arange(len(x))[None], fgsm.batch_size, _AHEAD):
        batches = training.prepare(points, targets, chosen, "within-class", sweep.reduction)

        def run(k: int, part: int, batches: kernel.Batches = batches) -> None:
            kernel.attack(networks, batches, loss, epsilons, *bounds, clean, right, zero, change, k)

        share(run, range(len(betas)))
        done += chosen.size
        progress("attacks", done, len(x))
    for counts in (right, zero, change):
        counts[0, betas == 0] = counts[1, betas == 0]
    shares = {"clean": clean, "accuracy": right, "zero_gradient": zero}
    values = {name: (counts / len(x)).astype(np.float32) for name, counts in shares.items()} | {"change": change}
    dims = ("objective", "beta", "seed", "epsilon")
    coordinates = dict(zip(dims, map(list, (OBJECTIVES, sweep.betas, sweep.seeds, fgsm.epsilons)), strict=True))
    its_dims = {"clean": dims[1:3], "accuracy": dims, "zero_gradient": dims[:3], "change": dims}
    return xr.Dataset(
        {
            name: (its_dims[name], array.reshape([len(coordinates[dim]) for dim in its_dims[name]]))
            for name, array in values.items()
        },
        coordinates,
        {"seconds_before": 0.0},
    )
