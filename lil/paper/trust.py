"""The tables of the page on how the book is tested, in Markdown: from the records of the harnesses in ``tests/trust``.

A record's ``counts`` say what became of the tries. One of them may be the number of all tries; without it every row is
a try. ``trust.toml`` describes each harness, and names that count and those that should be 0.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lil.paper import shipped
from lil.paper.markdown import table
from lil.paper.pages import ROOT
from lil.results.closing import duration

RECORDS = ROOT / "tests" / "trust" / "records"
LONGEST = 200  # rows of a folded table


class Harness(NamedTuple):
    """A harness as the page shows it: its record, its command, its subject and the reading of its rows."""

    name: str
    command: str
    subject: str
    reading: str
    unwanted: list[str]  # names of counts that should be 0
    tries: list[str]  # folders and files whose code it tries
    total: str = "tried"  # name of the count of all tries


with Path(__file__).with_suffix(".toml").open("rb") as file:
    HARNESSES = tuple(Harness(**each) for each in tomllib.load(file)["harness"])


def read(harness: Harness) -> dict[str, Any] | None:
    """Return the record of a harness, or None where it has not run yet. Raises CorruptFile for a damaged one."""
    path = RECORDS / f"{harness.name}.json"
    return shipped.read_sealed(path) if path.exists() else None


def overview() -> str:
    """Return a sentence on what became of all tries, and a table with a row for each harness."""
    rows, tries, unwanted = [], 0, 0
    for harness in HARNESSES:
        record = read(harness)
        if record is None:
            rows.append((harness.subject, "–", "not run yet", f"`{harness.command}`", "–", "–"))
            continue
        tries += tried(harness, record)
        unwanted += sum(record["counts"].get(name, 0) for name in harness.unwanted)
        many, fate = f"{tried(harness, record):,}", became(harness, record["counts"])
        since = changed(harness.tries, record["commit"])
        rows.append((harness.subject, many, fate, f"`{record['command']}`", record["date"], since))
    header = ("what was tried", "how many", "what became of them", "command", "date", "files changed since")
    return f"{sentence(tries, unwanted)}\n\n{table(header, rows)}"


def tried(harness: Harness, record: Mapping[str, Any]) -> int:
    """Return the number of tries of a record."""
    return record["counts"].get(harness.total, len(record["rows"]))


def changed(places: Sequence[str], commit: str) -> str:
    """Return how many Python files below ``places`` differ from a commit's, "3 of 40"; "–" where git cannot tell."""
    try:
        differ = set(_git("diff", "--name-only", commit, "--", *places))
        return f"{len(differ)} of {len(differ.union(_git('ls-files', '--', *places)))}"
    except (OSError, subprocess.CalledProcessError):  # no git, no repository, or not its whole history
        return "–"


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if name.endswith(".py")]


def became(harness: Harness, counts: Mapping[str, int]) -> str:
    """Return what became of the tries: "1,900 detected, 100 harmless, 0 missed"."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if name != harness.total) or "–"


def sentence(tries: int, unwanted: int) -> str:
    """Return the sentence that sums up all harnesses, from their tries and those that did not end as they should."""
    if tries == 0:
        return "No harness has run yet."
    if unwanted == 0:
        return f"{'The only try' if tries == 1 else f'All {tries:,} tries'} ended as intended."
    return f"Of {tries:,} {'try' if tries == 1 else 'tries'}, {unwanted:,} did not end as intended."


def cases() -> str:
    """Return a folded table of the single cases of each harness that has run, with a sentence on how to read it."""
    records = ((harness, read(harness)) for harness in HARNESSES)
    return "\n\n".join(_fold(harness, record) for harness, record in records if record is not None)


def _fold(harness: Harness, record: Mapping[str, Any]) -> str:
    rows = record["rows"]
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = [[_cell(row.get(name, "–")) for name in names] for row in rows[:LONGEST]]
    made = f"Run in {duration(float(record['seconds']))} on {record['machine']}, at commit `{record['commit']}`."
    rest = [f"The first {LONGEST} of {len(rows):,} rows; `tests/trust/records/{harness.name}.json` holds all."]
    tables = [table([*map(_cell, names)], shown)] if rows else []
    parts = [f"{harness.reading} {made}", *(rest if len(rows) > LONGEST else []), *tables]
    return f":::{{dropdown}} {harness.subject}\n" + "\n\n".join(parts) + "\n:::"


def _cell(value: str | int | float) -> str:
    """Return a value as a cell: floats with three digits, words with Markdown's signs escaped outside of code."""
    if isinstance(value, float):
        return f"{value:.3g}"
    parts = re.split("(`[^`]*`)", " ".join(f"{value:,}".split() if isinstance(value, int) else value.split()))
    escaped = [part if part.startswith("`") else re.sub(r"([\\<>*_$\[\]{}])", r"\\\1", part) for part in parts]
    return "".join(escaped) or "–"
