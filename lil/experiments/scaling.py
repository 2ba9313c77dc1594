"""Beyond the paper: the cost of the isometry loss, and the estimate of the loss from pairs drawn at random.

It times the machine that it runs on, so that two runs differ; the spread of the estimate does not.
"""

from __future__ import annotations

import ctypes
import itertools
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

from lil.experiments._common import Networks, make_run
from lil.isometry import isometry_loss, pair_distances, within_class
from lil.models import derived_seed
from lil.progress import Progress, silent
from lil.sampled_pairs import sampled_isometry_loss

RECIPES = {}
PAIRS = ("all", "within-class", "sampled")  # every pair, those of one class, some of these at random
_CLASSES = 4


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
QUICK_SIZES = dict(points=(60, 120), classes=(1, 4), members=(1, 2), threads=(1,), drawn=(50, 200))
QUICK = Config(n_points=120, n_drawn=100, repeats=2, n_estimates=200, **QUICK_SIZES)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return the seconds of one call for the loss and its gradient, its memory, and the spread of the estimate.

    ``seconds`` and ``memory`` (MiB, NaN where the system does not tell) lie over (pairs, points), the other times over
    ``classes``, ``members`` and ``threads``, with the pairs within classes. ``loss`` is the exact loss, ``spread``
    (drawn) the standard deviation of the estimates as a share of it, ``predicted`` the deviation that each estimate
    states for itself.
    """
    usable, n = [n for n in config.threads if n <= (os.cpu_count() or 1)], config.n_points
    calls = {
        "seconds": [(pairs, n, {}) for pairs in PAIRS for n in config.points],
        "by_classes": [("within-class", n, dict(classes=classes)) for classes in config.classes],
        "by_members": [("within-class", n, dict(members=members)) for members in config.members],
        "by_threads": [("within-class", config.points[-1], dict(threads=threads)) for threads in usable],
    }
    steps, total = itertools.count(1), sum(map(len, calls.values())) + len(config.drawn)
    results: dict[str, list] = {name: [] for name in (*calls, "estimates")}
    for name, settings in calls.items():
        for pairs, points, more in settings:
            results[name].append(_seconds(config, pairs, points, device=device, **more))
            progress("isometry loss", next(steps), total)
    for n_drawn in config.drawn:
        results["estimates"].append(_spread(config, n_drawn))
        progress("isometry loss", next(steps), total)
    loss, spread, predicted = (np.array(values) for values in zip(*results["estimates"], strict=True))
    return xr.Dataset(
        {
            "seconds": (("pairs", "points"), np.reshape(results["seconds"], (len(PAIRS), -1))),
            "memory": (("pairs", "points"), [_memory(config, pairs) for pairs in PAIRS]),
            "by_classes": ("classes", results["by_classes"]),
            "by_members": ("members", results["by_members"]),
            "by_threads": ("threads", results["by_threads"]),
            "cores": os.cpu_count() or 1,
            "loss": loss[0],
            "spread": ("drawn", spread),
            "predicted": ("drawn", predicted),
        },
        {"pairs": list(PAIRS), "threads": usable}
        | {name: list(getattr(config, name)) for name in ("points", "classes", "members", "drawn")},
    )


def _data(
    config: Config, n: int, classes: int = _CLASSES, members: int = 1
) -> tuple[Float[Tensor, "m n width"], Float[Tensor, "n d"], Int[Tensor, "n"]]:
    """Return representations, points and labels; normal, as the times do not depend on where the points lie."""
    generator = torch.Generator().manual_seed(derived_seed(config.draw, n))
    x = torch.randn(n, config.dimensions, generator=generator)
    return torch.randn(members, n, config.width, generator=generator), x, torch.arange(n) % classes


def _call(
    config: Config, pairs: str, n: int, *, device: str = "cpu", classes: int = _CLASSES, members: int = 1
) -> Callable[[], None]:
    """Return one step's work: the loss and its gradient. Distances of the data are computed before, as in training."""
    z, x, labels = (part.to(device) for part in _data(config, n, classes, members))
    z.requires_grad_()
    generator = torch.Generator().manual_seed(config.draw)
    if pairs == "sampled":
        drawn = dict(n_pairs=config.n_drawn, generator=generator)
        return lambda: torch.autograd.grad(sampled_isometry_loss(z, x, labels, **drawn).loss.sum(), z)
    x_dist, mask = pair_distances(x), within_class(labels, pairs)
    return lambda: torch.autograd.grad(isometry_loss(z, x_dist, mask).sum(), z)


def _seconds(config: Config, pairs: str, n: int, *, device: str, threads: int | None = None, **more: int) -> float:
    """Return the median seconds of a call, after one that is not timed."""
    call, times = _call(config, pairs, n, device=device, **more), []
    with _threads(threads or torch.get_num_threads()):
        for _ in range(config.repeats + 1):
            started = time.perf_counter()
            call()
            if torch.device(device).type == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Have torch compute on ``n`` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _memory(config: Config, pairs: str) -> list[float]:
    """Return the MiB by which a call at each number of points raises the memory of a process of its own, or NaN.

    NaN stands where the system does not count.
    """
    if not Path("/proc/self/clear_refs").exists():
        return [float("nan")] * len(config.points)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_rises, config, pairs).result()


def _rises(config: Config, pairs: str) -> list[float]:
    _call(config, pairs, 2 * _CLASSES)()  # loads all that is loaded once
    rises = []
    for n in config.points:
        ctypes.CDLL(None).malloc_trim(0)  # gives back the memory that the size before has freed
        before = _status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        _call(config, pairs, n)()
        rises.append(_status("VmHWM") - before)
    return rises


def _status(field: str) -> float:
    """Return a field of Linux's status of this process, in MiB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 2**10


def _spread(config: Config, n_drawn: int) -> tuple[float, float, float]:
    """Return the exact loss; as shares of it, the estimates' standard deviation, found and predicted."""
    z, x, labels = _data(config, config.n_points)
    exact = float(isometry_loss(z[0], pair_distances(x), within_class(labels)))
    generator = torch.Generator().manual_seed(derived_seed(config.draw, 0, n_drawn))
    draws = [sampled_isometry_loss(z[0], x, labels, n_drawn, generator=generator) for _ in range(config.n_estimates)]
    losses, variances = (torch.stack(values).double() for values in zip(*draws, strict=True))
    return exact, float(losses.std()) / exact, float(variances.mean().sqrt()) / exact


run = make_run(RECIPES, evaluate)
