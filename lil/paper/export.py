"""The ledger as JSON, CSV and text, and its frozen verdicts, which a test compares with those of the records."""

from __future__ import annotations

import csv
import io
import json
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lil.paper import shipped
from lil.paper.judging import Entry
from lil.paper.ledger import CLAIMS, READINGS
from lil.paper.verdicts import Verdict
from lil.results import files
from lil.results.errors import NotWritten

FROZEN = Path(__file__).with_name("frozen.json")


def as_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain data; an end of an interval that is not there is None."""
    case, asked, effect = entry.case, entry.case.proposition, entry.effect
    interval = [None] * 3 if effect is None else [None if math.isnan(end) else end for end in effect.interval[:3]]
    return {
        "claim": case.claim,
        "name": case.name,
        "proposition": asked.title,
        "data": case.on.removeprefix("the "),
        "reading": READINGS[case.reading][0],
        "detail": case.detail,
        "finding": entry.finding,
        "verdict": str(entry.verdict),
        **dict(zip(("effect", "low", "high"), interval, strict=True)),
        "n": entry.n,
        "condition": asked.condition,
        "reason": asked.threshold.reason,
        "fixed": case.asked.isoformat(),
        "fixed_after_first_record": case.after_record,
        "measured": asked.measured,
        "stronger": list(case.stronger),
        "pages": [case.page, *asked.pages],
        "record": f"results/{case.record}.nc",
        "not_recorded": dict(entry.missing),
    }


def to_json(entries: Sequence[Entry]) -> str:
    """Return the claims with their entries as indented JSON."""
    names = ("number", "title", "statement", "place")
    claims = [
        {name: getattr(claim, name) for name in names}
        | {"entries": [as_dict(entry) for entry in entries if entry.case.claim == claim.number]}
        for claim in CLAIMS
    ]
    return json.dumps(claims, indent=1, ensure_ascii=False) + "\n"


def to_csv(entries: Sequence[Entry]) -> str:
    """Return one row an entry; a list of the JSON stands in one cell, its items separated by semicolons."""
    titles = {claim.number: claim.title for claim in CLAIMS}
    rows = []
    for entry in entries:
        row = as_dict(entry)
        row["claim"] = f"{entry.case.claim}. {titles[entry.case.claim]}"
        row |= {name: "; ".join(row[name]) for name in ("stronger", "pages")}
        row["not_recorded"] = "; ".join(f"{name}: {state}" for name, state in entry.missing.items())
        rows.append({name: "none" if value in (None, "") else value for name, value in row.items()})
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_text(entries: Sequence[Entry], width: int) -> str:
    """Return each claim with its entries' verdicts and findings, in lines of at most ``width`` characters."""
    column = max(map(len, Verdict)) + 2
    lines = []
    for claim in CLAIMS:
        lines.append(textwrap.shorten(f"{claim.number}. {claim.title}", width, placeholder="…"))
        found = [(entry.verdict, entry.finding) for entry in entries if entry.case.claim == claim.number]
        for verdict, finding in found or [(Verdict.NOT_RECORDED, "No proposition of this claim is recorded yet.")]:
            first, rest = f"   {verdict:{column}}", " " * (column + 3)
            if width < 80:  # two columns would be too narrow
                lines.append(first.rstrip())
                first = rest = " " * 5
            lines += textwrap.wrap(finding, width, initial_indent=first, subsequent_indent=rest)
        lines.append("")
    return "\n".join(lines)


def verdicts(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the verdict of each entry, by the entry's name."""
    return {entry.case.name: str(entry.verdict) for entry in entries}


def frozen(path: Path | None = None) -> dict[str, str]:
    """Return the verdicts that were last agreed to. Raises CorruptFile where their file is damaged."""
    return shipped.read(path or FROZEN, json.loads)


def freeze(entries: Sequence[Entry]) -> Path:
    """Write these verdicts as those agreed to, and the checksums of the ledger's files.

    Raises NotWritten where these files are not all there, as in an installed package, or where a record is not current.
    """
    if waiting := {name: state for entry in entries for name, state in entry.missing.items()}:
        named = ", ".join(f"{name} ({state})" for name, state in waiting.items())
        raise NotWritten(f"Verdicts are frozen when all records are current, and these are not: {named}.")
    if missing := [name for name in shipped.SEALED if not (shipped.ROOT / name).exists()]:
        raise NotWritten(f"{shipped.ROOT} has no {missing[0]}: freeze verdicts in a clone of the project.")
    files.replace(FROZEN, json.dumps(verdicts(entries), indent=1) + "\n")
    shipped.seal()
    return FROZEN
