"""Numbers and tables of the pages: one module a subject, one function that returns all numbers of a page's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
import pandas as pd
import xarray as xr

Numbers = dict[str, Any]
"""Numbers, or the words that they come to, by name."""

P = ParamSpec("P")
T = TypeVar("T")


class NotComparable(dict):
    """A reason, shown in place of a table or of a page's numbers; it has those that need no comparison, if any."""

    def __init__(self, reason: str, numbers: Mapping[str, Any] | None = None) -> None:
        super().__init__(numbers or {})
        self.reason = reason

    def __repr__(self) -> str:
        return self.reason

    def _repr_markdown_(self) -> str:
        return f"**{self.reason}**"

    def __missing__(self, name: str) -> str:
        """Return a number that is none, for a cell that chooses by one of a page's numbers."""
        return "nan"

    def __or__(self, other: Any) -> NotComparable:
        return self

    def round(self, digits: int) -> NotComparable:
        """Return the reason, as a table is asked for its digits."""
        return self


def lacking(result: xr.Dataset | xr.DataArray, *betas: float) -> str:
    """Return the sentence on the β that a result lacks: one of these, or any above 0; an empty one if it has all."""
    of_methods = "beta" not in result.coords
    there = (result.strength[result.method.isin(["plain", "lil"])] if of_methods else result.beta).values.tolist()
    missing = [f"β = {beta:g}" for beta in betas if beta not in there]
    if not missing and max(there) <= 0:
        missing = ["a β > 0"]
    return f"Without {' and '.join(missing)} there is nothing to compare with." if missing else ""


def comparing(*betas: float) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a function of a result return :class:`NotComparable` where the result is :func:`lacking` one of the β."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            reason = lacking(cast(xr.Dataset, args[0]), *betas)
            return cast(T, NotComparable(reason)) if reason else function(*args, **kwargs)

        return checked

    return decorate


def config(result: xr.Dataset) -> dict[str, Any]:
    """Return the settings of a result, those of each recipe under its name."""
    return json.loads(result.attrs["config"])


def over_baseline(values: xr.DataArray) -> xr.DataArray:
    """Return the values at each β > 0 minus those at β = 0 of the same seed, image, attack, …"""
    return values.drop_sel(beta=0) - values.sel(beta=0, drop=True)


def frame(rows: Mapping[Any, Any], names: str | Sequence[str | None] | None = None) -> pd.DataFrame:
    """Return a table of rows by their labels, each a mapping from columns to cells; tuples are labels of many levels.

    ``names`` are those of the rows' levels.
    """
    index = pd.Index(list(rows))
    table = pd.DataFrame(list(rows.values()), index if names is None else index.set_names(names))
    return table.set_axis(pd.Index(list(table.columns)), axis="columns")


def flat(**arrays: xr.DataArray) -> Numbers:
    """Return one number for each entry of each array, named by the array and the entry's labels: ``kept_ring_2``."""
    found = {}
    for name, array in arrays.items():
        for labels, value in labelled(array):
            words = (f"{label:g}" if isinstance(label, float) else str(label) for label in labels.values())
            found["_".join([name, *words])] = value
    return found


def labelled(array: xr.DataArray) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield the entries of an array as Python's own numbers, each with its labels by dimension."""
    for position, value in np.ndenumerate(array.values):
        place = dict(zip(array.dims, position, strict=True))
        yield {str(dim): array[dim].values.tolist()[k] for dim, k in place.items()}, np.asarray(value).item()


def prefixed(prefix: str, numbers: Numbers) -> Numbers:
    """Return the numbers with a prefix before their names."""
    return {f"{prefix}_{name}": value for name, value in numbers.items()}


def printed(epsilons: Iterable[float]) -> dict[float, str]:
    """Return each ε as text with two digits, or with as many as tell all of them apart: they label rows and columns."""
    values = [float(epsilon) for epsilon in epsilons]
    texts = ([f"{value:.{digits}g}" for value in values] for digits in range(2, 18))
    return dict(zip(values, next(each for each in texts if len({*each}) == len(values)), strict=True))


def listed(epsilons: Iterable[float]) -> str:
    """Return "0.05, 0.1"."""
    return ", ".join(printed(epsilons).values())


def every_seed(kept: int, seeds: int) -> str:
    """Return the verdict on a criterion that ``kept`` of ``seeds`` seeds meet."""
    return "holds for every seed" if kept == seeds else "does not hold for every seed"
