"""Robustness of networks that see the pixels themselves, compiled: what :func:`lil.evaluation.robustness` finds.

A small network's attack is matrix products of microseconds, ten times as many as there are images, and arrays of all
attacked images between them. Here each network goes through all batches by itself, in arrays that stay in the cache.
"""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from lil import attacks, evaluation
from lil.evaluation import OBJECTIVES, Fgsm, Sweep
from lil.fast import dense_kernel as kernel
from lil.fast import minibatches, workers
from lil.fast.tasks import blas_alone, share
from lil.isometry import Reduction
from lil.progress import Progress, silent

_AHEAD = 20  # batches that a network goes through before the next has its turn


def robustness(
    sweep: Sweep,
    x: Float[Tensor, "n c h w"],
    labels: Int[Tensor, "n"],
    fgsm: Fgsm,
    *,
    reduction: Reduction = "n2",
    progress: Progress = silent,
) -> xr.Dataset:
    """Accuracy of the networks on the images, clean and under FGSM, as :func:`lil.evaluation.robustness` gives it.

    The front of ``sweep`` must be the images' pixels in a row, and ``reduction`` the isometry term's in its objective. It is
    compiled for the CPU and single precision; all else is left to that function.
    """
    if x.device.type != "cpu" or x.dtype != torch.float32:
        return evaluation.robustness(sweep, x, labels, fgsm, progress=progress)
    networks, betas = minibatches.pack(sweep.model), np.repeat(sweep.betas, len(sweep.seeds))
    shape = len(OBJECTIVES), len(betas), len(fgsm.epsilons)
    clean, right, zero = np.zeros(shape[1]), np.zeros(shape), np.zeros(shape[:2])
    change, done = np.zeros(shape, np.float32), 0
    with workers.alone(), blas_alone():
        parts = (
            minibatches.pieces(each[None], fgsm.batch_size, _AHEAD * fgsm.batch_size) for each in (x.flatten(1), labels)
        )
        for images, classes in zip(*parts, strict=True):
            batches = minibatches.prepare(images, classes, "within-class", reduction)
            share(
                kernel.attack,
                (
                    networks,
                    batches,
                    betas,
                    np.float32(sweep.scale),
                    np.float32(fgsm.epsilons),
                    *np.float32(attacks.BOUNDS),
                    clean,
                    right,
                    zero,
                    change,
                ),
                1 + (betas > 0),
            )
            done += classes.numel()
            progress("attacks", done, len(x))
    for counts in (right, zero, change):
        counts[0, betas == 0] = counts[1, betas == 0]
    dims = ("objective", "beta", "seed", "epsilon")
    arrays = {"clean": (dims[1:3], clean), "accuracy": (dims, right), "zero_gradient": (dims[:3], zero)}
    data = {name: (of, (counts / len(x)).astype(np.float32)) for name, (of, counts) in arrays.items()}
    data["change"] = dims, change
    lengths = dict(zip(dims, (len(OBJECTIVES), *sweep.grid, len(fgsm.epsilons)), strict=True))
    return xr.Dataset(
        {name: (of, values.reshape([lengths[dim] for dim in of])) for name, (of, values) in data.items()},
        {
            "objective": list(OBJECTIVES),
            "beta": list(sweep.betas),
            "seed": list(sweep.seeds),
            "epsilon": list(fgsm.epsilons),
        },
        {"seconds_before": 0.0},
    )
