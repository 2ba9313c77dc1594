"""Records of the harnesses that try the book: what each of them tried, and what became of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lil.paper import shipped
from lil.results import provenance

FOLDER = Path(__file__).parent / "records"
Row = Mapping[str, str | int | float]


def write(
    name: str, command: str, rows: Sequence[Row], counts: Mapping[str, int], seconds: float, *, tried: int | None = None
) -> Path:
    """Write ``records/NAME.json`` and return its path: single cases, counts of them, and how they came about.

    Where fewer rows were ``tried`` than there are, the others are of the last record, and its date and commit stay.
    """
    about = {
        "name": name,
        "command": command,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _commit(),
        "machine": provenance.machine(),
        "seconds": round(seconds, 1),
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    if tried is not None and tried < len(rows):
        about |= {key: shipped.read_sealed(path)[key] for key in ("date", "commit")}
    content = about | {"counts": dict(counts), "rows": [dict(row) for row in rows]}
    shipped.write_sealed(path, content)
    return path


def rows(name: str) -> list[Row]:
    """Return the rows of a record, none where there is no record: a harness that tries some cases keeps the others."""
    path = FOLDER / f"{name}.json"
    return shipped.read_sealed(path)["rows"] if path.exists() else []


def renewed(name: str, new: Sequence[Row], by: str, order: Iterable[str]) -> list[Row]:
    """Return the rows of a record with ``new`` ones in the place of theirs: ``by`` names them, ``order`` sorts them."""
    known = {row[by]: row for row in [*rows(name), *new]}
    return [known[each] for each in order if each in known]


def _commit() -> str:
    """Return the short name of the commit that is checked out."""
    command = ["git", "rev-parse", "--short=7", "HEAD"]
    return subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, check=True).stdout.strip()
