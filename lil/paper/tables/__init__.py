"""Numbers and tables of the pages: one module a subject, one function that returns all numbers of a page's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import xarray as xr

Numbers = dict[str, Any]
"""Numbers, or the words that they come to, by name."""


def flat(**arrays: xr.DataArray) -> Numbers:
    """Return one number for each entry of each array, named by the array and the entry's labels: ``kept_ring_2``."""
    return {
        "_".join(
            [name, *(f"{label:g}" if isinstance(label, float) else str(label) for label in labels.values())]
        ): value
        for name, array in arrays.items()
        for labels, value in labelled(array)
    }


def labelled(array: xr.DataArray) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield the entries of an array as Python's own numbers, each with its labels by dimension."""
    for position, value in np.ndenumerate(array.values):
        place = dict(zip(array.dims, position, strict=True))
        yield {str(dim): array[dim].values.tolist()[k] for dim, k in place.items()}, np.asarray(value).item()


def prefixed(prefix: str, numbers: Numbers) -> Numbers:
    """Return the numbers with a prefix before their names."""
    return {f"{prefix}_{name}": value for name, value in numbers.items()}


def listed(epsilons: Iterable[float]) -> str:
    """Return "0.05, 0.1"."""
    return ", ".join(f"{epsilon:.2g}" for epsilon in epsilons)


def every_seed(kept: int, seeds: int) -> str:
    """Return the verdict on a criterion that ``kept`` of ``seeds`` seeds meet."""
    return "holds for every seed" if kept == seeds else "does not hold for every seed"
