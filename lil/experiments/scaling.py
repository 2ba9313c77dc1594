"""Beyond the paper: what the isometry loss costs, and how well pairs drawn at random stand in for all of them.

It times the machine that it runs on, so two runs differ; only the spread of the estimate is compared with a record.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from lil.isometry import isometry_loss, pair_distances, within_class
from lil.progress import Progress, silent
from lil.randomness import derived_seed
from lil.sampled_pairs import sampled_isometry_loss

RECIPES = {}
PAIRS = ("all", "within-class", "sampled")  # every pair, those of one class, some of these at random
BANDS = dict.fromkeys(("seconds", "memory", "by_classes", "by_members", "by_threads", "cores"), np.inf) | {
    "spread": 0.05,
    "predicted": 0.05,
    "loss": 1e-5,
}


@dataclass(frozen=True)
class Config:
    points: tuple[int, ...] = (200, 400, 800, 1600, 3200, 6400)
    classes: tuple[int, ...] = (1, 2, 4, 8, 16)  # at ``n_points``; 4 elsewhere
    members: tuple[int, ...] = (1, 2, 4, 8, 16)  # networks trained together, such as seeds, at ``n_points``
    threads: tuple[int, ...] = (1, 2, 4)  # those that the machine has cores for
    drawn: tuple[int, ...] = (100, 1000, 10_000)  # pairs of the estimate, at ``n_points``
    n_points: int = 1600
    n_drawn: int = 10_000  # pairs of the estimate that is timed
    width: int = 20  # units of the representation, as in "Experiments"
    dimensions: int = 3  # of the data, as the torus has
    repeats: int = 7  # calls that are timed, after one that is not; their median
    n_estimates: int = 300  # of the loss, for its spread
    draw: int = 600  # seed of the points and the pairs


PAPER = Config()
QUICK = Config(
    points=(60, 120),
    classes=(1, 4),
    members=(1, 2),
    threads=(1,),
    drawn=(50, 200),
    n_points=120,
    n_drawn=100,
    repeats=2,
    n_estimates=200,
)
_CLASSES = 4


def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """Seconds of one call for the loss and its gradient, the memory that it needs, and the spread of the estimate.

    ``seconds`` and ``memory`` (MiB, NaN where the system does not tell) lie over (pairs, points), the other times over
    ``classes``, ``members`` and ``threads``, with the pairs within classes. ``loss`` is the exact one, ``spread`` (drawn)
    the standard deviation of the estimates as a share of it, ``predicted`` what each estimate says of it by itself.
    """
    usable = [n for n in config.threads if n <= (os.cpu_count() or 1)]
    total = (
        len(PAIRS) * len(config.points) + len(config.classes) + len(config.members) + len(usable) + len(config.drawn)
    )
    steps = iter(range(1, total + 1))

    def timed(pairs: str, n: int, **more: int) -> float:
        seconds = _seconds(_call(config, pairs, n, device=device, **more), config.repeats, device)
        progress("isometry loss", next(steps), total)
        return seconds

    seconds = [[timed(pairs, n) for n in config.points] for pairs in PAIRS]
    by_classes = [timed("within-class", config.n_points, classes=classes) for classes in config.classes]
    by_members = [timed("within-class", config.n_points, members=members) for members in config.members]
    by_threads = []
    for n in usable:
        with _threads(n):
            by_threads.append(timed("within-class", config.points[-1]))
    estimates = []
    for n in config.drawn:
        estimates.append(_spread(config, n))
        progress("isometry loss", next(steps), total)
    loss, spread, predicted = (np.array(values) for values in zip(*estimates, strict=True))
    memory = [_memory(config, pairs) for pairs in PAIRS]
    return xr.Dataset(
        {
            "seconds": (("pairs", "points"), seconds),
            "memory": (("pairs", "points"), memory),
            "by_classes": ("classes", by_classes),
            "by_members": ("members", by_members),
            "by_threads": ("threads", by_threads),
            "cores": os.cpu_count() or 1,
            "loss": loss[0],
            "spread": ("drawn", spread),
            "predicted": ("drawn", predicted),
        },
        coords={
            "pairs": list(PAIRS),
            "points": list(config.points),
            "classes": list(config.classes),
            "members": list(config.members),
            "threads": usable,
            "drawn": list(config.drawn),
        },
    )


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """There is nothing to train."""
    return evaluate(config, {}, device=device, progress=progress)


def _data(
    config: Config, n: int, classes: int = _CLASSES, members: int = 1
) -> tuple[Float[Tensor, "m n width"], Float[Tensor, "n d"], Int[Tensor, "n"]]:
    """Representations, points and labels; normal, as what is timed does not depend on where they lie."""
    generator = torch.Generator().manual_seed(derived_seed(config.draw, n))
    x = torch.randn(n, config.dimensions, generator=generator)
    return torch.randn(members, n, config.width, generator=generator), x, torch.arange(n) % classes


def _call(
    config: Config, pairs: str, n: int, *, device: str = "cpu", classes: int = _CLASSES, members: int = 1
) -> Callable[[], None]:
    """One step's work: the loss and its gradient. The distances of the data are made before, once, as in training."""
    z, x, labels = (part.to(device) for part in _data(config, n, classes, members))
    z.requires_grad_()
    generator = torch.Generator().manual_seed(config.draw)
    if pairs == "sampled":
        return lambda: torch.autograd.grad(
            sampled_isometry_loss(z, x, labels, config.n_drawn, generator=generator).loss.sum(), z
        )
    x_dist, mask = pair_distances(x), within_class(labels, pairs)
    return lambda: torch.autograd.grad(isometry_loss(z, x_dist, mask).sum(), z)


def _seconds(call: Callable[[], None], repeats: int, device: str) -> float:
    """The median of ``repeats`` calls, after one that compiles."""
    found = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        call()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize()
        found.append(time.perf_counter() - started)
    return statistics.median(found[1:])


@contextmanager
def _threads(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _memory(config: Config, pairs: str) -> list[float]:
    """MiB by which one call at each number of points, with all that it keeps, raises the memory of a process of its own;
    NaN where nobody counts."""
    if not Path("/proc/self/clear_refs").exists():
        return [float("nan")] * len(config.points)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_rises, config, pairs).result()


def _rises(config: Config, pairs: str) -> list[float]:
    _call(config, pairs, 2 * _CLASSES)()  # compiles, and loads what is loaded once
    found = []
    for n in config.points:
        ctypes.CDLL(None).malloc_trim(0)  # what the size before has freed
        before = _status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        _call(config, pairs, n)()
        found.append(_status("VmHWM") - before)
    return found


def _status(field: str) -> float:
    """MiB, from what Linux says of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 2**10


def _spread(config: Config, n_drawn: int) -> tuple[float, float, float]:
    """The exact loss; the standard deviation of estimates, and the one that they predict, as shares of it."""
    z, x, labels = _data(config, config.n_points)
    exact = float(isometry_loss(z[0], pair_distances(x), within_class(labels)))
    generator = torch.Generator().manual_seed(derived_seed(config.draw, 0, n_drawn))
    found = [sampled_isometry_loss(z[0], x, labels, n_drawn, generator=generator) for _ in range(config.n_estimates)]
    losses, variances = (torch.stack(values).double() for values in zip(*found, strict=True))
    return exact, float(losses.std()) / exact, float(variances.mean().sqrt()) / exact
