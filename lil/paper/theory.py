"""The tables of the theory's pages, in Markdown: records by data set, reading and β, lowest to highest seed.

Constants of Φ are multiplied by K, so that an isometry has 1 in every reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import xarray as xr

from lil.paper.judging import STATES
from lil.paper.markdown import powers, table
from lil.paper.overview import record
from lil.paper.tables import lipschitz

RECORDS = ("lipschitz_bound", "lipschitz_bound_cifar10")
NAMES = {"CIFAR10": "CIFAR10, in features"}
CONSTANTS = {
    "within": "pairs within a class",
    "between": "pairs between classes",
    "median": "local constant: median point",
    "largest": "local constant: worst point",
    "product": "upper bound",
}
STRETCHES = {
    "neighbour": "towards the nearest of the class",
    "random": "random",
    "attack": "attack",
    "most": "the most there is",
}
SIDES = {
    ("local", "cross_entropy"): "cross-entropy over its bound, local constant",
    ("local", "isometry"): "isometry term, the same",
    ("product", "cross_entropy"): "cross-entropy over its bound, product",
    ("product", "isometry"): "isometry term, the same",
    ("holds", "cross_entropy"): "points at which Λ = 1/K bounds the cross-entropy's gradient",
    ("holds", "isometry"): "the isometry term's",
}


def constants(results: Sequence[xr.Dataset]) -> str:
    """Return the estimates of the Lipschitz constant, times K."""
    tables = (lipschitz.constants_table(result)[list(CONSTANTS)] for result in results)
    return _printed(results, map(lipschitz.ranges, tables), CONSTANTS)


def stretches(results: Sequence[xr.Dataset]) -> str:
    """Return the median stretch in three directions, times K, and the largest in any."""
    tables = (lipschitz.stretch_table(result)[list(STRETCHES)] for result in results)
    return _printed(results, (lipschitz.ranges(table, ".2f") for table in tables), STRETCHES)


def both_sides(results: Sequence[xr.Dataset]) -> str:
    """Return the gradient over its bound of Eq. 6, as medians, and the share of points that Λ = 1/K bounds."""
    tables = []
    for result in results:
        sides = lipschitz.sides_table(result)[list(SIDES)]
        tight, shares = sides.drop(columns="holds", level=0), sides[["holds"]]
        tables.append(pd.concat((lipschitz.ranges(tight, ".2g"), lipschitz.ranges(shares, ".1%")), axis=1))
    return _printed(results, tables, SIDES)


def _printed(results: Sequence[xr.Dataset], tables: Iterable[pd.DataFrame], columns: Mapping[Any, str]) -> str:
    rows = []
    for result, found in zip(results, tables, strict=True):
        for data in lipschitz.data_names(result):
            for beta, cells in found.loc[data].iterrows():
                rows.append((NAMES.get(data, data), f"{beta:g}", *map(powers, cells)))
    return table(("data", "β", *columns.values()), rows)


def generated(
    tabulate: Callable[[Sequence[xr.Dataset]], str],
    records: Sequence[str] = RECORDS,
    load: Callable[[str], xr.Dataset] = record,
) -> str:
    """Return a table of the records, or a sentence in its place if one of them is not there."""
    try:
        return tabulate([load(name) for name in records])
    except tuple(STATES) as error:
        return f"*This table waits for a record that is {STATES[type(error)]}.*"
