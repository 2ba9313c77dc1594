"""The ledger as JSON and CSV, and its frozen verdicts, which a test compares with those recomputed from the records."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lil.paper.judging import Entry

FROZEN = Path(__file__).with_name("frozen.json")


def as_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain data, numbers for every seed."""
    claim = entry.claim
    head, words = ("number", "name", "title"), ("statement", "place", "measured", "criterion", "reason")
    numbers = [
        {
            "label": number.label,
            "values": list(number.values),
            "condition": number.condition,
            "met": None if number.relation is None else number.met,
            "beyond_the_protocol": number.beyond,
        }
        for number in entry.numbers
    ]
    return {
        **{name: getattr(claim, name) for name in head},
        "verdict": str(entry.verdict),
        **{name: getattr(claim, name) for name in words},
        "seeds": entry.seeds,
        "conditions_met": entry.score,
        "numbers": numbers,
        "pages": list(claim.pages),
        "records": [f"results/{name}.nc" for name in claim.experiments],
        "not_recorded": dict(entry.missing),
    }


def to_json(entries: Sequence[Entry]) -> str:
    """Return all entries as indented JSON."""
    return json.dumps([as_dict(entry) for entry in entries], indent=1, ensure_ascii=False) + "\n"


def to_csv(entries: Sequence[Entry]) -> str:
    """Return one row a claim; a list of the JSON stands in one cell, its items separated by semicolons."""
    rows = []
    for entry in entries:
        row = as_dict(entry)
        row["numbers"] = "; ".join(f"{each.label}: {each} [{each.condition}]" for each in entry.numbers) or "none"
        row["pages"], row["records"] = ("; ".join(row[name]) or "none" for name in ("pages", "records"))
        row["not_recorded"] = "; ".join(f"{name}: {state}" for name, state in entry.missing.items()) or "none"
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def verdicts(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the verdict of each claim, by the claim's name."""
    return {entry.claim.name: str(entry.verdict) for entry in entries}


def frozen() -> dict[str, str]:
    """Return the verdicts that were last agreed to."""
    return json.loads(FROZEN.read_text(encoding="utf-8"))


def freeze(entries: Sequence[Entry]) -> Path:
    """Write these verdicts as those agreed to."""
    FROZEN.write_text(json.dumps(verdicts(entries), indent=1) + "\n", encoding="utf-8")
    return FROZEN
