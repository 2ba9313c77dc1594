"""The matrix of planted faults: each mistake of ``plants.toml`` alone in a copy of the tree, and the test that notices.

``python -m tests.trust.planted`` plants all of them and writes the record; with names, these alone, and the record
keeps its other rows. The exit status is 1 where a mistake goes unnoticed, or where the tests fail without any.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.trust.forked import ROOT, Outcome, Tree, tree

Row = dict[str, str | float]
SAMPLE = ("relu", "printed-number-mistyped")  # for `make test-all`: one in the code, one in a table


class Plant(NamedTuple):
    """A mistake, and the tests that should notice it."""

    name: str
    mistake: str  # one sentence
    file: str
    old: str  # stands in the file exactly once
    new: str
    tests: tuple[str, ...]  # arguments of pytest

    def text(self, folder: Path = ROOT) -> str:
        """Return the file with the mistake. Raises ValueError where the old text does not stand there once."""
        source = (folder / self.file).read_text(encoding="utf-8")
        if (found := source.count(self.old)) != 1:
            raise ValueError(f"{self.name}: its old text stands {found} times in {self.file}: mend plants.toml.")
        return source.replace(self.old, self.new)


def plants() -> list[Plant]:
    """Return all plants, in their order."""
    with Path(__file__).with_name("plants.toml").open("rb") as file:
        return [Plant(**entry | {"tests": tuple(entry["tests"])}) for entry in tomllib.load(file)["plant"]]


def place(file: str) -> str:
    """Return the part of the project that a file belongs to: "lil/paper", "notebooks"."""
    folders = file.split("/")[:-1]
    return "/".join(folders[:2]) if folders != ["lil"] else file.removesuffix(".py")


def plant(one: Plant, copy: Tree) -> Outcome:
    """Return the outcome of the tests with the mistake."""
    with copy.changed(one.file, one.text(copy.folder)):
        return copy.test(one.tests)


def main(names: Sequence[str]) -> int:
    """Plant the mistakes with these names, or all, and record them; ``--sample`` records nothing."""
    wanted = SAMPLE if names == ["--sample"] else names
    chosen = [one for one in plants() if one.name in wanted or not wanted]
    if unknown := set(wanted) - {one.name for one in chosen}:
        raise SystemExit(f"There is no plant {', '.join(sorted(unknown))}: plants.toml lists them.")
    for one in chosen:
        one.text()
    rows: list[Row] = []
    try:
        with tree() as copy:
            try_all(chosen, copy, rows)
    finally:  # an interrupted run keeps the plants that it has tried
        if rows and names != ["--sample"]:
            record(rows)
    return int(any(row["noticed by"] == "missed" for row in rows))


def try_all(chosen: list[Plant], copy: Tree, rows: list[Row]) -> None:
    """Run each set of tests without a mistake, then with each of its mistakes, which are added to ``rows``."""
    broken = {}
    for tests in dict.fromkeys(one.tests for one in chosen):
        outcome = copy.test(tests)
        print(f"{outcome.seconds:5.1f} s  without a mistake: {' '.join(tests)}", flush=True)
        if outcome.noticed_by:
            broken[tests] = outcome.noticed_by
        for one in (one for one in chosen if one.tests == tests and tests not in broken):
            outcome = plant(one, copy)
            print(f"{outcome.seconds:5.1f} s  {one.name}: {outcome.noticed_by or 'MISSED'}", flush=True)
            row = {"mistake": one.mistake, "where": place(one.file), "noticed by": outcome.noticed_by or "missed"}
            rows.append(row | {"seconds": round(outcome.seconds, 1)})
    if broken:
        raise SystemExit(f"Without any mistake some tests fail, mend them first: {', '.join(broken.values())}.")


def record(tried: list[Row]) -> None:
    """Write the record: these rows, and those of the plants that were not tried this time, in the order of all."""
    from tests.trust import recording  # it imports lil, which no fork may inherit

    rows = recording.renewed("planted", tried, "mistake", (one.mistake for one in plants()))
    missed = sum(row["noticed by"] == "missed" for row in rows)
    counts = {"planted": len(rows), "noticed": len(rows) - missed, "missed": missed}
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    seconds = sum(float(row["seconds"]) for row in rows)
    recording.write("planted", "make test-planted", rows, counts, seconds, tried=len(tried))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
