"""The entries of the ledger, judged by the recorded results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import xarray as xr

from lil import results
from lil.paper.ledger import CASES, Case
from lil.paper.measures import Effect
from lil.paper.verdicts import Verdict, decide
from lil.results import registry
from lil.results.errors import CorruptRecord, MissingRecord, StaleRecord

EXPERIMENTS = "lil.experiments"
STATES = {MissingRecord: "missing", StaleRecord: "stale", CorruptRecord: "damaged"}  # as `lil results` calls them
WAITING = "There is no current record yet."


@dataclass(frozen=True)
class Entry:
    """An entry of the ledger with its effect and its verdict."""

    case: Case
    verdict: Verdict
    effect: Effect | None  # None: its own record is not there
    missing: Mapping[str, str]  # of the experiments without a current record, its state

    @property
    def finding(self) -> str:
        """Return one sentence with its numbers."""
        return WAITING if self.effect is None else self.effect.finding

    @property
    def n(self) -> str:
        """Return "5 seeds, 500 images", and whether there is no interval or one that covers the images too."""
        return "" if self.effect is None else self.effect.n


def recorded(name: str) -> xr.Dataset:
    """Return the current record of an experiment. Raise one of STATES where there is none."""
    return results.get(registry.load(EXPERIMENTS, name), mode="recorded")


def once(load: Callable[[str], xr.Dataset]) -> Callable[[str], xr.Dataset]:
    """Return a function that asks ``load`` once for each name, and gives its result, or its error, again."""

    @cache
    def attempt(name: str) -> xr.Dataset | Exception:
        try:
            return load(name)
        except tuple(STATES) as error:
            return error

    def get(name: str) -> xr.Dataset:
        if isinstance(found := attempt(name), Exception):
            raise found
        return found

    return get


def judge(case: Case, load: Callable[[str], xr.Dataset] = recorded) -> Entry:
    """Judge an entry by the results that ``load`` returns.

    There is no verdict where its own record, or that of an entry that it depends on, is missing, stale or damaged.
    """
    try:
        effect = case.measure(load(case.record))
    except tuple(STATES) as error:
        return Entry(case, Verdict.NOT_RECORDED, None, {case.record: STATES[type(error)]})
    stronger = [judge(CASES[name], load) for name in case.stronger]
    if missing := {name: state for each in stronger for name, state in each.missing.items()}:
        return Entry(case, Verdict.NOT_RECORDED, effect, missing)
    asked = case.proposition
    verdict = decide(
        effect.interval,
        asked.relation,
        asked.threshold.value,
        opposite=asked.opposite,
        theorem=asked.theorem,
        stronger=[each.verdict for each in stronger],
    )
    return Entry(case, verdict, effect, {})


def judge_all(load: Callable[[str], xr.Dataset] = recorded) -> list[Entry]:
    """Judge the whole ledger, in its order. Each result is loaded once."""
    load = once(load)
    return [judge(case, load) for case in CASES.values()]
