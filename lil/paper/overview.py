"""The pages about the paper as a whole, in Markdown: the ledger of its claims, the differences, and the summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache

from lil import results
from lil.paper.differences import DIFFERENCES, Difference, measured
from lil.paper.judging import EXPERIMENTS, Entry, judge_all, recorded
from lil.paper.markdown import table
from lil.paper.verdicts import Verdict
from lil.results.closing import duration

record = cache(recorded)  # the ledger and the differences look at the same records: each is read once a build


@cache
def ledger() -> tuple[Entry, ...]:
    """Return all claims, judged once a build."""
    return tuple(judge_all(record))


def claims_table(entries: Sequence[Entry], pages: Collection[str]) -> str:
    """Return a table of the claims: verdict, conditions kept, seeds, and where to look."""
    rows = [
        (
            str(entry.claim.number),
            f"{{ref}}`{entry.claim.title} <claim-{entry.claim.name}>`",
            f"{{verdict}}`{entry.verdict}`",
            entry.score + (" so far" if entry.missing else ""),
            str(entry.seeds or "none"),
            f"page: {_pages(entry, pages, short=True)}<br>record: {_records(entry)}",
        )
        for entry in entries
    ]
    return table(("", "the paper's claim", "verdict", "conditions kept", "seeds", "see"), rows)


def _pages(entry: Entry, pages: Collection[str], *, short: bool = False) -> str:
    """Return links to a claim's pages, by title or, ``short``, by file; pages that the book lacks are only named."""
    links = []
    for page in entry.claim.pages:
        stem = page.rpartition("/")[2]
        if page not in pages:
            links.append(f"{stem} (comes with its record)")
        else:
            links.append(f"{{doc}}`{stem} </{page}>`" if short else f"{{doc}}`/{page}`")
    return ", ".join(links)


def _records(entry: Entry) -> str:
    """Return links to the rows of a claim's records."""
    return ", ".join(f"{{ref}}`{name} <record-{name}>`" for name in entry.claim.experiments) or "none"


def claim_section(entry: Entry, pages: Collection[str]) -> str:
    """Return the section on one claim: statement, criterion, and the numbers of its conditions."""
    claim = entry.claim
    facts = {
        "in the paper": claim.place,
        "measured": claim.measured,
        "holds if": claim.criterion,
        "because": claim.reason,
        "seeds": str(entry.seeds or ("none yet" if entry.missing else "none")),
        "shown on": _pages(entry, pages),
        "computed from": _records(entry),
    }
    if entry.missing:
        facts["waits for"] = ", ".join(f"results/{name}.nc is {state}" for name, state in entry.missing.items())
    parts = [
        f"(claim-{claim.name})=\n### {claim.number}. {claim.title}",
        f"{{verdict}}`{entry.verdict}` {claim.statement}",
        table(("", ""), facts.items()),
    ]
    if entry.numbers:
        rows = [
            (
                number.label,
                str(number),
                number.condition + (" (beyond the paper's protocol)" if number.beyond else ""),
                "–" if number.relation is None else f"{number.met} of {len(number.values)}",
            )
            for number in entry.numbers
        ]
        parts.append(table(("number", "median (lowest to highest seed)", "condition", "seeds that meet it"), rows))
    return "\n\n".join(parts)


def differences_table(differences: Sequence[Difference]) -> str:
    """Return a table of the topics: the text beside the public code."""
    rows = [
        (f"{{ref}}`{each.topic} <difference-{position}>`", each.text, each.public)
        for position, each in enumerate(differences)
    ]
    return table(("topic", "the text", "the public code"), rows)


def difference_sections(differences: Sequence[Difference], pages: Collection[str]) -> str:
    """Return a section for each topic: our default, the option by its name, and the measured effect."""
    sections = []
    for position, each in enumerate(differences):
        effect = measured(each.effect, record)
        if each.effect is not None and each.effect.page in pages:
            effect += f" ({{doc}}`/{each.effect.page}`)"
        ours, options = (
            [f"`{name}` = `{value!r}`" for name, value in part.items()] for part in (each.ours, each.options)
        )
        facts = {
            "here, by default": "<br>".join([*ours, *([each.note] if each.note else [])]),
            "the public code's, by name": "<br>".join(options) or "none",
            "what it does": effect,
        }
        sections.append(f"(difference-{position})=\n### {each.topic}\n\n{table(('', ''), facts.items())}")
    return "\n\n".join(sections)


def summary_numbers() -> dict[str, str]:
    """Return the numbers of the reproducibility summary: those of the current records' provenance, and the verdicts."""
    rows = [row for row in results.listing(EXPERIMENTS) if not row.name.startswith("networks/")]
    current = [row.attrs for row in rows if row.state == "current" and row.attrs is not None]
    trained = {}  # by key: experiments share networks
    for attrs in current:
        for recipe, cost in json.loads(attrs["training"]).items():
            trained[json.loads(attrs["networks"])[recipe]] = cost
    costs = [*current, *trained.values()]
    dates = sorted(cost["date"][:10] for cost in costs)
    versions = json.loads(current[0]["versions"]) if current else {}
    counts = Counter(entry.verdict for entry in ledger())
    return {
        "records": str(len(current)),
        "experiments": str(len(rows)),
        "waiting": ", ".join(row.name for row in rows if row.state != "current") or "none",
        "training": duration(sum((cost["seconds"] for cost in trained.values()), start=0.0)),
        "evaluation": duration(sum((attrs["seconds"] for attrs in current), start=0.0)),
        "memory": f"{max((cost['peak_memory_mb'] for cost in costs), default=0) / 1024:.1f} GiB",
        "machines": "; ".join(sorted({cost["machine"] for cost in costs})) or "none",
        "devices": ", ".join(sorted({cost["device"] for cost in costs})) or "none",
        "dates": " to ".join(dict.fromkeys((dates[0], dates[-1]))) if dates else "none",
        "python": versions.get("python", "none"),
        "torch": versions.get("torch", "none"),
        "claims": str(len(ledger())),
        "differences": str(len(DIFFERENCES)),
        "verdicts": "; ".join(f"{counts[verdict]} {{verdict}}`{verdict}`" for verdict in Verdict if counts[verdict]),
    }
