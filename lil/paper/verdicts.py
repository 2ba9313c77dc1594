"""Numbers with the conditions that they have to meet, and the one rule that turns them into a verdict."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

RELATIONS = {"≥": operator.ge, ">": operator.gt, "≤": operator.le, "<": operator.lt}


class Verdict(StrEnum):
    """The outcome for a claim."""

    HOLDS = "holds"
    IN_PART = "holds in part"
    PROTOCOL = "holds under the paper's protocol only"
    FAILS = "does not hold"
    NOT_TESTABLE = "not testable"
    NOT_RECORDED = "not recorded yet"  # no verdict: a result that it needs is not there, or no longer current


@dataclass(frozen=True)
class Number:
    """A measured number for every seed, and the condition that each has to meet, if there is one."""

    label: str
    values: tuple[float, ...]  # one a seed
    relation: str | None = None  # one of RELATIONS, to
    threshold: int | float | None = None  # this
    beyond: bool = False  # whether the condition goes beyond the paper's own protocol

    def __post_init__(self):
        if not self.values:
            raise ValueError(f"{self.label!r} was measured for no seed.")
        if (self.relation is None) != (self.threshold is None) or self.relation not in (None, *RELATIONS):
            raise ValueError(f"a condition is one of {', '.join(RELATIONS)} and a number, not {self.relation!r}.")

    @property
    def condition(self) -> str:
        """Return "≥ 0.99", or "no condition"."""
        return "no condition" if self.threshold is None else f"{self.relation} {_short(self.threshold)}"

    @property
    def met(self) -> int:
        """Count the seeds for which the condition is met. NaN meets none."""
        if self.relation is None or self.threshold is None:
            raise ValueError(f"{self.label!r} has no condition.")
        return sum(RELATIONS[self.relation](value, self.threshold) for value in self.values)

    @property
    def kept(self) -> bool:
        """Return True if the condition is met for every seed."""
        return self.met == len(self.values)

    @property
    def missed(self) -> bool:
        """Return True if the condition is missed for at least half of the seeds."""
        return 2 * self.met <= len(self.values)

    def __str__(self) -> str:
        """Return the median, and the lowest and the highest seed where they differ."""
        middle, low, high = map(_short, (median(self.values), min(self.values), max(self.values)))
        return middle if low == high else f"{middle} ({low} to {high})"


def decide(numbers: Sequence[Number]) -> Verdict:
    """Return the verdict, from the numbers that have a condition.

    A condition is *kept* if every seed meets it and *missed* if at most half of them do. All kept: the claim holds. All
    missed: it does not. All of the paper's own protocol kept and all beyond it missed: it holds under the protocol
    only. Anything between: in part.
    """
    conditions = [number for number in numbers if number.relation is not None]
    own = [number for number in conditions if not number.beyond]
    beyond = [number for number in conditions if number.beyond]
    if not own:
        raise ValueError("a verdict needs at least one condition within the paper's protocol.")
    if all(number.kept for number in conditions):
        return Verdict.HOLDS
    if all(number.missed for number in conditions):
        return Verdict.FAILS
    if all(number.kept for number in own) and all(number.missed for number in beyond):
        return Verdict.PROTOCOL
    return Verdict.IN_PART


def _short(value: int | float) -> str:
    """Return four digits."""
    return f"{value:.4g}".replace("-", "−")
