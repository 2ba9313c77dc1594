"""Claims judged by the recorded results: one entry of the ledger each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import xarray as xr

from lil import results
from lil.paper.ledger import CLAIMS, Claim
from lil.paper.verdicts import Number, Verdict, decide
from lil.results import registry
from lil.results.errors import CorruptRecord, MissingRecord, StaleRecord

EXPERIMENTS = "lil.experiments"
STATES = {MissingRecord: "missing", StaleRecord: "stale", CorruptRecord: "damaged"}  # as `lil results` calls them


@dataclass(frozen=True)
class Entry:
    """A claim, its numbers and its verdict."""

    claim: Claim
    verdict: Verdict
    numbers: tuple[Number, ...]  # also where the verdict waits: of those records that are there
    missing: Mapping[str, str]  # of the experiments without a current record, its state

    @property
    def seeds(self) -> int:
        """Return the most seeds that a number has; 0 without numbers."""
        return max((len(number.values) for number in self.numbers), default=0)

    @property
    def conditions(self) -> tuple[Number, ...]:
        """Return the numbers that have a condition."""
        return tuple(number for number in self.numbers if number.relation is not None)

    @property
    def score(self) -> str:
        """Return "3 of 4": the conditions that every seed meets, and those with a number."""
        kept = sum(number.kept for number in self.conditions)
        return f"{kept} of {len(self.conditions)}" if self.conditions else "none"


def recorded(name: str) -> xr.Dataset:
    """Return the current record of an experiment. Raise one of STATES where there is none."""
    return results.get(registry.load(EXPERIMENTS, name), mode="recorded")


def judge(claim: Claim, load: Callable[[str], xr.Dataset] = recorded) -> Entry:
    """Judge a claim by the results that ``load`` returns.

    Where a record is missing, stale or damaged there is no verdict yet, only the numbers of the rest.
    """
    if not claim.measures:
        return Entry(claim, Verdict.NOT_TESTABLE, (), {})
    numbers, missing = [], {}
    for measure in claim.measures:
        try:
            result = load(measure.experiment)
        except tuple(STATES) as error:
            missing[measure.experiment] = STATES[type(error)]
        else:
            numbers += measure.numbers(result)
    return Entry(claim, Verdict.NOT_RECORDED if missing else decide(numbers), tuple(numbers), missing)


def judge_all(load: Callable[[str], xr.Dataset] = recorded) -> list[Entry]:
    """Judge the whole ledger, in the order of the claims. Each result is loaded once."""
    load = cache(load)
    return [judge(claim, load) for claim in CLAIMS]
