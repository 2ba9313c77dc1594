"""The pages about the paper as a whole, written from the records when the book is built.

A line ``% generated: claims-table`` of a page's source becomes the ledger as a table, other names become other parts:
see ``GENERATED``. The reproducibility summary has its numbers as substitutions. Beside the ledger's page the build puts
``claims.json`` and ``claims.csv``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from lil import results
from lil.paper import export
from lil.paper.differences import DIFFERENCES, Difference, Setting, measured
from lil.paper.judging import EXPERIMENTS, Entry, judge_all, recorded
from lil.paper.verdicts import Verdict
from lil.results.closing import duration

PAGE = "claims"  # beside which the exports lie

record = cache(recorded)  # the ledger and the page on what differs look at the same records: each is read once a build


@cache
def ledger() -> tuple[Entry, ...]:
    """All claims, judged once a build."""
    return tuple(judge_all(record))


class Downloads(Directive):
    """Links to the exports, which the end of the build writes."""

    def run(self) -> list[nodes.Node]:
        """A paragraph."""
        paragraph = nodes.paragraph(text="The whole ledger, with the numbers of every seed: ")
        for name in (f"{PAGE}.json", f"{PAGE}.csv"):
            paragraph += [nodes.reference("", name, refuri=name, internal=True), nodes.Text(", ")]
        paragraph[-1] = nodes.Text(".")
        return [paragraph]


def verdict_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    """A verdict as a coloured word."""
    kind = Verdict(text).name.lower().replace("_", "-")
    return [nodes.inline(rawtext, text, classes=["verdict", f"verdict-{kind}"])], []


def claims_table(entries: Sequence[Entry], pages: Collection[str]) -> str:
    """Each claim, its verdict, on how much that rests, and where to look."""
    rows = []
    for entry in entries:
        claim = entry.claim
        rows.append(
            (
                str(claim.number),
                f"{{ref}}`{claim.title} <claim-{claim.name}>`",
                f"{{verdict}}`{entry.verdict}`",
                entry.score + (" so far" if entry.missing else ""),
                str(entry.seeds or "none"),
                f"page: {_pages(entry, pages, short=True)}<br>record: {_records(entry)}",
            )
        )
    return _table(("", "the paper's claim", "verdict", "conditions kept", "seeds", "see"), rows)


def _pages(entry: Entry, pages: Collection[str], *, short: bool = False) -> str:
    """Links to a claim's pages, by title or, ``short``, by file; those that are not in this book are only named."""
    links = []
    for page in entry.claim.pages:
        stem = page.rpartition("/")[2]
        if page not in pages:
            links.append(f"{stem} (comes with its record)")
        else:
            links.append(f"{{doc}}`{stem} </{page}>`" if short else f"{{doc}}`/{page}`")
    return ", ".join(links)


def _records(entry: Entry) -> str:
    """Links to the rows of a claim's records."""
    return ", ".join(f"{{ref}}`{name} <record-{name}>`" for name in entry.claim.experiments) or "none"


def claim_section(entry: Entry, pages: Collection[str]) -> str:
    """Everything about one claim."""
    claim = entry.claim
    facts = [
        ("in the paper", claim.place),
        ("measured", claim.measured),
        ("holds if", claim.criterion),
        ("because", claim.reason),
        ("seeds", str(entry.seeds) if entry.seeds else "none yet" if entry.missing else "none"),
        ("shown on", _pages(entry, pages)),
        ("computed from", _records(entry)),
    ]
    if entry.missing:
        waits = ", ".join(f"results/{name}.nc is {state}" for name, state in entry.missing.items())
        facts.append(("waits for", waits))
    parts = [
        f"(claim-{claim.name})=\n### {claim.number}. {claim.title}",
        f"{{verdict}}`{entry.verdict}` {claim.statement}",
        _table(("", ""), facts),
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
        parts.append(_table(("number", "median (lowest to highest seed)", "condition", "seeds that meet it"), rows))
    return "\n\n".join(parts)


def differences_table(differences: Sequence[Difference]) -> str:
    """Each topic, in the text and in the public code."""
    rows = [
        (f"{{ref}}`{each.topic} <difference-{position}>`", each.text, each.public)
        for position, each in enumerate(differences)
    ]
    return _table(("topic", "the text", "the public code"), rows)


def difference_sections(differences: Sequence[Difference], pages: Collection[str]) -> str:
    """Of each topic what is done here, under which names, and what the difference does."""
    sections = []
    for position, each in enumerate(differences):
        effect = measured(each.effect, record)
        if each.effect is not None and each.effect.page in pages:
            effect += f" ({{doc}}`/{each.effect.page}`)"
        ours = "<br>".join(filter(None, [*map(_setting, each.ours), each.note]))
        options = "<br>".join(map(_setting, each.options)) or "none"
        facts = [("here, by default", ours), ("the public code's, by name", options), ("what it does", effect)]
        sections.append(f"(difference-{position})=\n### {each.topic}\n\n{_table(('', ''), facts)}")
    return "\n\n".join(sections)


def _setting(setting: Setting) -> str:
    """ "`lil.recipes.mnist.PAPER.scale` = `1.0`"."""
    return f"`{setting.name}` = `{setting.value!r}`"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def summary_numbers() -> dict[str, str]:
    """What the reproducibility summary says in numbers: of the current records' provenance, and of the verdicts."""
    rows = [row for row in results.listing(EXPERIMENTS) if not row.name.startswith("networks/")]
    current = [row.attrs for row in rows if row.state == "current"]
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


GENERATED: dict[str, Callable[[Collection[str]], str]] = {  # of the pages that the book has
    "claims-table": lambda pages: claims_table(ledger(), pages),
    "claims-in-full": lambda pages: "\n\n".join(claim_section(entry, pages) for entry in ledger()),
    "differences-table": lambda pages: differences_table(DIFFERENCES),
    "differences-in-full": lambda pages: difference_sections(DIFFERENCES, pages),
}


def fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    """Put what is generated into a page's source. Raises KeyError for a name that GENERATED does not have."""
    source[0] = re.sub(
        "^% generated: (.+)$", lambda found: GENERATED[found[1]](app.env.found_docs), source[0], flags=re.MULTILINE
    )


def drop_empty_heads(app: Sphinx, doctree: nodes.document) -> None:
    """Markdown has no table without a head: take away those without a word."""
    for head in list(doctree.findall(nodes.thead)):
        if not head.astext().strip():
            head.parent.remove(head)


def set_substitutions(app: Sphinx, config) -> None:
    """Make the summary's numbers known to the pages."""
    numbers = {f"summary_{name}": value for name, value in summary_numbers().items()}
    config.myst_substitutions = config.myst_substitutions | numbers


def write_exports(app: Sphinx, exception: Exception | None) -> None:
    """Put the ledger's exports beside its page."""
    if exception or app.builder.format != "html":
        return
    for ending, write in (("json", export.to_json), ("csv", export.to_csv)):
        (Path(app.outdir) / f"{PAGE}.{ending}").write_text(write(ledger()), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Entry point of the extension."""
    app.add_directive("claims-downloads", Downloads)
    app.add_role("verdict", verdict_role)
    app.connect("config-inited", set_substitutions)
    app.connect("source-read", fill_in)
    app.connect("doctree-read", drop_empty_heads)
    app.connect("build-finished", write_exports)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
