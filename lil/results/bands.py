"""Differences between two computations of the same numbers, and bands for them that are measured by reruns.

A rerun computes the same probe by the same code with another number of threads, other vector instructions, or weights
moved by rounding errors. The largest difference among the reruns is the spread of a variable. Its band is FACTOR times
the spread, and at least ROUNDING; of a share of few images, at least one image.
"""

from __future__ import annotations

import math
import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from safetensors.numpy import load_file

from lil.results import computing, running
from lil.results.errors import NotAffirmed

FACTOR = 3.0  # band by spread: the largest of a few reruns is exceeded by the next one now and then
ROUNDING = 1e-6  # the smallest band
COMPARABLE = 0.05 + 1e-9  # the largest band: a mistake could hide in a wider one
WEIGHTS = "weights of "  # begins the name under which a recipe's weights are compared
COORDINATE = "coordinate "  # and the name of a coordinate
PATIENCE = 45.0  # seconds of reruns, after which no further one begins
PICTURE = 0.01  # of a picture's mean brightness: attacks follow signs, and rounding turns those of tiny gradients
FEWEST = 2  # reruns that measure a band

_SSE = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
    "NUMBA_CPU_NAME": "nehalem",
    "NUMBA_CPU_FEATURES": "",
}
_AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "MKL_CBWR": "AVX2",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
}
# In words, the seed of the rounding errors that move the weights, and the vector instructions. The first two are of all
# three kinds.
RERUNS: tuple[tuple[str, int, dict[str, str]], ...] = (
    ("other threads", 0, {}),
    ("AVX2, moved by rounding", 1, _AVX2),
    ("moved by rounding", 2, {}),
    ("SSE4.1", 0, _SSE),
)


class Difference(NamedTuple):
    """The distance between two arrays, by two measures. Either tells of a mistake where the other is too noisy."""

    largest: float  # of all elements, as a share of the largest value
    mean: float  # over all elements, as a share of the mean size of the values

    def worst(self, other: Difference) -> Difference:
        return Difference(*map(max, self, other))


NONE = Difference(0.0, 0.0)
Differences = dict[str, Difference]


def between(now: Path, before: Path, *, weights: bool = True) -> Differences:
    """Return the differences of two probes: of each recipe's ``weights``, and of each variable and coordinate.

    A probe lies in a folder of weights and, beside it, in a NetCDF file of the same name.
    """
    with _opened(now) as a, _opened(before) as b:
        found = {}
        for name, share in computing.differences(a, b).items():
            words = f"{COORDINATE}{name}" if name in a.coords else name
            exact = share in (0, math.inf)
            found[words] = _both(share) if exact else difference(a[name].values, b[name].values)
    return (_of_weights(now, before) if weights else {}) | found


def _opened(probe: Path) -> xr.Dataset:
    return xr.open_dataset(f"{probe}.nc", engine="h5netcdf")


def _both(share: float) -> Difference:
    return Difference(share, share)


def _of_weights(now: Path, before: Path) -> Differences:
    """Return the difference of the weights of each recipe: that of the tensor that differs most."""
    found = {}
    for path in sorted(before.glob("*.safetensors")):
        a, b = load_file(now / path.name), load_file(path)
        worst = NONE
        for name in sorted({*a, *b}):
            known = name in a and name in b and a[name].shape == b[name].shape
            worst = worst.worst(difference(a[name], b[name]) if known else _both(math.inf))
        found[f"{WEIGHTS}{path.stem}"] = worst
    return found


def difference(now: np.ndarray, before: np.ndarray) -> Difference:
    """Return the difference of two arrays of numbers of equal shape."""
    largest = computing.largest_difference(now, before)
    if math.isinf(largest):
        return _both(largest)
    now, before = now.astype(np.float64), before.astype(np.float64)
    size = np.nansum(np.abs(before))
    return Difference(largest, float(np.nansum(np.abs(now - before)) / (size or 1.0)))


def floors(probe: Path) -> Differences:
    """Return the smallest band of each variable: one image, for shares of at least 20 images, and else nothing."""
    with _opened(probe) as result:
        return {str(name): _floor(variable.values) for name, variable in result.data_vars.items()}


def _floor(values: np.ndarray) -> Difference:
    """Return one image more in one element and in a tenth of the elements, for values that are multiples of one step.

    Return no band for other numbers, and an infinite one for classes.
    """
    if values.dtype.kind not in "fiu":
        return NONE
    if values.dtype == np.uint8:
        return Difference(math.inf, PICTURE)
    if values.dtype == np.int8:  # classes, which have no distance
        return Difference(math.inf, math.inf)
    found = np.unique(np.abs(values[np.isfinite(values)].astype(np.float64)))
    steps = np.diff(found, prepend=0.0)
    step = steps[steps > 1e-6].min(initial=math.inf)
    multiples = np.allclose(found / step, np.round(found / step), rtol=0, atol=0.01)
    if not found.size or not ROUNDING < step <= COMPARABLE * found[-1] or not multiples:
        return NONE
    return Difference(step / found[-1], step / 10 / np.nanmean(np.abs(values)))


def judge(found: Differences, spread: Differences, smallest: Differences) -> tuple[str, list[str]]:
    """Return the first name that differs by more than its band, "" if none does, and the names that are not compared.

    A measure whose band is wider than COMPARABLE is left out; a variable without a measure is not compared.
    """
    beyond, left_out = "", []
    for name, each in found.items():
        limits = [band(*both) for both in zip(spread.get(name, NONE), smallest.get(name, NONE), strict=True)]
        if name.startswith(WEIGHTS) and limits[0] <= COMPARABLE:
            limits[0] = COMPARABLE  # Adam makes a whole step of a tiny gradient's last digit: the mean has to agree
        if not any(limit <= COMPARABLE for limit in limits):
            left_out.append(name)
        elif any(share > limit for share, limit in zip(each, limits, strict=True) if limit <= COMPARABLE):
            beyond = beyond or name
    return beyond, left_out


def band(spread: float, smallest: float) -> float:
    """Return the band of one measure."""
    return max(FACTOR * spread, smallest, ROUNDING)


def measure(tree: Path, job: running.Job, base: Path, engine: str = "") -> dict[str, Any]:
    """Return the spread of a probe that ``tree`` computed into ``base``, with how it was measured, as JSON.

    The reruns go to ``base``'s folder. A rerun that fails, or for which no time is left, is left out.
    Raises NotAffirmed if fewer than two succeed.
    """
    spread: Differences = {}
    reruns: list[str] = []
    started = time.perf_counter()
    for words, moved, instructions in RERUNS:
        taken = time.perf_counter() - started
        if taken > PATIENCE and len(reruns) >= FEWEST:
            break
        where = base.with_name(f"rerun {len(reruns)}")
        again = replace(job, moved=moved, trained=job.trained and str(where), evaluated={str(base): f"{where}.nc"})
        if words == "other threads":
            again = replace(again, threads=1 if job.threads > 1 else 2)
        here = instructions if platform.machine() in ("x86_64", "AMD64") else {}
        try:
            running.run(tree, again, engine, here, timeout=300.0)
        except NotAffirmed:
            continue
        reruns.append(words)
        found = between(where, base, weights=bool(job.trained))
        spread = {name: each.worst(spread.get(name, NONE)) for name, each in found.items()}
    if len(reruns) < FEWEST:
        raise NotAffirmed(f"No band could be measured for {job.experiment}: its reruns fail or take too long.")
    return {"factor": FACTOR, "reruns": reruns, "spread": spread}
