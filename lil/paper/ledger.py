"""The twelve claims of the paper that this companion tests, each with the conditions under which it counts as kept.

The claims stand in ``claims.toml``; their conditions, as numbers, stand with the measures.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from lil.paper import measures
from lil.paper.verdicts import Number


@dataclass(frozen=True)
class Measure:
    """A function from one experiment's result to numbers with conditions."""

    experiment: str
    numbers: Callable[[xr.Dataset], list[Number]]


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, and the criterion by which it holds."""

    number: int
    name: str  # "rings-keep-distances"
    title: str  # for a row of a table
    statement: str  # in our words
    place: str  # in the paper
    measured: str  # on what, in words
    criterion: str  # the conditions, in words
    reason: str  # why these and no others
    pages: tuple[str, ...]  # of the book, that show it
    measures: tuple[Measure, ...]  # none: not testable, for the ``reason``

    @property
    def experiments(self) -> tuple[str, ...]:
        """Return the experiments whose records it needs."""
        return tuple(measure.experiment for measure in self.measures)


def _read(number: int, entry: dict[str, Any]) -> Claim:
    needed = tuple(
        Measure(experiment, partial(getattr(measures, function), *words))
        for experiment, function, *words in entry.pop("measures")
    )
    texts = {name: text.format(**vars(measures)) for name, text in entry.items() if name != "pages"}
    return Claim(number, **texts, pages=tuple(entry["pages"]), measures=needed)


with Path(__file__).with_name("claims.toml").open("rb") as file:
    CLAIMS = tuple(_read(number, entry) for number, entry in enumerate(tomllib.load(file)["claim"], start=1))
