"""The paper's claims, the propositions that each comes apart into, and the entries in which those are judged.

All of it stands in ``claims.toml``. A proposition is one measure with one threshold; an entry is a proposition on one
data set, in one reading of the method.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from lil.paper import measures, shipped
from lil.paper.measures import Effect
from lil.paper.verdicts import RELATIONS, Verdict

READINGS = {  # of the method: in a cell, and in a sentence after the data set
    "none": ("–", ""),
    "text": ("the text", ""),
    "public": ("the public code", " with the public code's settings"),
    "mixture": ("a mixture of public commits", " with a mixture of public settings"),
    "7167a91": ("commit 7167a91", " with the CNN of commit 7167a91"),
    "cut": ("the public code's cut", " with the public code's cut"),
    "K = 10": ("K = 10", " with K = 10"),
}


@dataclass(frozen=True)
class Threshold:
    """A number that an effect is compared with."""

    value: float
    reason: str  # for this number and no other
    fixed: datetime  # the commit that brought it


@dataclass(frozen=True)
class Proposition:
    """One measure, and the condition under which the paper's statement counts as reproduced."""

    name: str  # "fgsm-gain"
    title: str  # of the measure, for a line
    measured: str  # on what, in words
    relation: str  # one of RELATIONS, to
    threshold: Threshold  # this
    fixed: datetime  # when the condition was first asked of this measure
    opposite: float | None = None  # effects beyond it contradict the statement
    theorem: Verdict | None = None  # the verdict of a theorem whose witness this is
    pages: tuple[str, ...] = ()  # of the book that show all its entries, beside the page of each

    @property
    def condition(self) -> str:
        """Return "≥ 0.99"."""
        return f"{self.relation} {self.threshold.value:.6g}".replace("-", "−")


@dataclass(frozen=True)
class Case:
    """An entry of the ledger: a proposition on one data set, in one reading."""

    claim: int  # its number
    proposition: Proposition
    name: str  # "fgsm-gain-mnist-text"
    on: str  # the data set
    reading: str  # one of READINGS
    detail: str  # "ε = 0.1", or nothing
    record: str  # the experiment
    page: str  # of the book
    measure: Callable[[xr.Dataset], Effect]
    stronger: tuple[str, ...]  # names of the entries of the same networks under stronger attacks
    asked: datetime  # when the condition was first asked of these networks
    after_record: bool  # whether their numbers had been recorded then

    @property
    def label(self) -> str:
        """Return "MNIST, the text, ε = 0.1"."""
        reading = READINGS[self.reading][0] if self.reading != "none" else ""
        return ", ".join(filter(None, (self.on.removeprefix("the "), reading, self.detail)))


@dataclass(frozen=True)
class Claim:
    """A claim of the paper."""

    number: int
    title: str  # for a row of a table
    statement: str  # in our words
    place: str  # in the paper
    lead: tuple[str, ...]  # names of the entries that stand for it in a table
    cases: tuple[Case, ...]  # none: not recorded yet


def _proposition(entry: dict[str, Any], thresholds: dict[str, Threshold]) -> Proposition:
    relation, threshold = entry["condition"].split()
    if relation not in RELATIONS:
        raise ValueError(f"claims.toml, {entry['name']}: a condition begins with {', '.join(RELATIONS)}.")
    theorem = entry.get("theorem")
    return Proposition(
        **{name: entry[name] for name in ("name", "title", "measured")},
        relation=relation,
        threshold=thresholds[threshold],
        fixed=entry.get("fixed", thresholds[threshold].fixed),
        opposite=entry.get("opposite"),
        theorem=None if theorem is None else Verdict(theorem),
        pages=tuple(entry.get("pages", ())),
    )


def _case(number: int, proposition: Proposition, entry: dict[str, Any], records: dict[str, datetime]) -> Case:
    """Return an entry; the names that are left in its table are arguments of the measure."""
    words, measure = dict(entry), getattr(measures, entry["measure"])
    del words["measure"]
    on, record, reading = words.pop("on"), words.pop("record"), words.pop("reading", "none")
    stronger, page = words.pop("stronger", ()), words.pop("page", f"nb/{record.removesuffix('_public')}")
    first, asked = records.get(words.pop("seen", record)), words.pop("asked", proposition.fixed)
    detail = words.pop("kind", f"ε = {words['epsilon']:.2g}" if "epsilon" in words else "")
    parts = (proposition.name, on, reading.replace("none", ""), detail.removeprefix("ε = "))
    return Case(
        number,
        proposition,
        name=re.sub("[^a-z0-9]+", "-", " ".join(filter(None, parts)).lower().replace("the ", "")),
        on=on,
        reading=reading,
        detail=detail,
        record=record,
        page=page,
        measure=partial(measure, where=f"On {on}{READINGS[reading][1]}", **words),
        stronger=tuple(stronger),
        asked=asked,
        after_record=first is not None and first < asked,
    )


def read(path: Path) -> tuple[tuple[Claim, ...], dict[str, datetime]]:
    """Return the claims of a file such as ``claims.toml``, and the date of each experiment's first record.

    Raises CorruptFile where the file is damaged.
    """
    return shipped.read(path, _parse)


def _parse(text: str) -> tuple[tuple[Claim, ...], dict[str, datetime]]:
    content = tomllib.loads(text)
    records, thresholds = content["records"], {}
    for name, each in content["thresholds"].items():
        value = getattr(measures, each["value"]) if isinstance(each["value"], str) else each["value"]
        thresholds[name] = Threshold(**each | {"value": float(value)})
    claims = []
    for number, entry in enumerate(content["claim"], start=1):
        cases = []
        for part in entry.get("proposition", ()):
            proposition, shared = _proposition(part, thresholds), {"measure": part["measure"], **part.get("with", {})}
            cases += [_case(number, proposition, shared | each, records) for each in part["cases"]]
        lead = tuple(entry.get("lead", ()))
        claims.append(Claim(number, entry["title"], entry["statement"], entry["place"], lead, tuple(cases)))
    return tuple(claims), records


CLAIMS, FIRST_RECORDS = read(Path(__file__).with_name("claims.toml"))
CASES = {case.name: case for claim in CLAIMS for case in claim.cases}
