"""The verdicts of the ledger, and the one rule that takes an effect's interval and a threshold to a verdict."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from enum import StrEnum

from lil.paper.intervals import Interval

RELATIONS = {"≥": operator.ge, ">": operator.gt, "≤": operator.le, "<": operator.lt}
DIGITS = 6  # records are in single precision, in which 0.05 is 0.0500000007: ends are rounded before they are compared


class Verdict(StrEnum):
    """The outcome for one entry of the ledger."""

    PROVED = "proved"
    CORRECTED = "proved after a correction"
    REPRODUCED = "reproduced"
    PROTOCOL = "only under the paper's attack"
    NOT_REPRODUCED = "not reproduced"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    NOT_RECORDED = "not recorded yet"

    @property
    def kind(self) -> str:
        """Return the verdict as a part of a CSS class: "not-reproduced"."""
        return self.name.lower().replace("_", "-")


MEANINGS = {
    Verdict.PROVED: "a theorem, proved in this book as it stands; the number beside it could have contradicted it",
    Verdict.CORRECTED: "a theorem, proved in this book once its statement is mended",
    Verdict.REPRODUCED: "the whole interval meets the threshold",
    Verdict.PROTOCOL: "the same, but these networks do not meet it under another attack that the entry names",
    Verdict.NOT_REPRODUCED: "no part of the interval meets the threshold",
    Verdict.REFUTED: "no part does, and the whole interval shows the opposite; or a theorem's number contradicts it",
    Verdict.UNDECIDED: "the interval lies on both sides of the threshold, or one seed alone gives no interval",
    Verdict.NOT_RECORDED: "a result that the entry needs has no current record",
}
FAILED = (Verdict.NOT_REPRODUCED, Verdict.REFUTED)


def meets(interval: Interval, relation: str, threshold: int | float) -> bool | None:
    """Return True if the whole interval meets the condition, False if no part does, None otherwise or without ends."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return None
    ends = {RELATIONS[relation](round(end, DIGITS), threshold) for end in (interval.low, interval.high)}
    return ends.pop() if len(ends) == 1 else None


def decide(
    interval: Interval,
    relation: str,
    threshold: int | float,
    *,
    opposite: int | float | None = None,
    theorem: Verdict | None = None,
    stronger: Iterable[Verdict] = (),
) -> Verdict:
    """Return the verdict on an effect.

    Effects beyond ``opposite`` (below it for a relation ≥ or >, above it for ≤ or <) contradict the statement. A
    ``theorem`` keeps its verdict unless its witness misses the threshold. ``stronger`` are the verdicts on the same
    networks under stronger attacks. More seeds narrow the interval: while the mean stays, they can settle "undecided"
    either way, and turn "not reproduced" into "refuted".
    """
    met = meets(interval, relation, threshold)
    if theorem is not None:
        return Verdict.REFUTED if met is False else theorem
    if met is None:
        return Verdict.UNDECIDED
    if met:
        return Verdict.PROTOCOL if any(verdict in FAILED for verdict in stronger) else Verdict.REPRODUCED
    towards = "≥" if relation in ("≥", ">") else "≤"
    contradicts = opposite is not None and meets(interval, towards, opposite) is False
    return Verdict.REFUTED if contradicts else Verdict.NOT_REPRODUCED
