"""Sphinx extension: parts of pages that are written from the records when the book is built.

A line ``% generated: claims-table`` of a page's source becomes the ledger as a table, other names become other parts:
see ``GENERATED``. The numbers of the summary are substitutions. Beside the ledger's page the build puts ``claims.json``
and ``claims.csv``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from lil.paper import export, overview, status, theory
from lil.paper.differences import DIFFERENCES
from lil.paper.verdicts import Verdict

GENERATED: dict[str, Callable[[set[str], Path], str]] = {  # from the pages that the book has, and its folder
    "claims-table": lambda pages, _: overview.claims_table(overview.ledger(), pages),
    "claims-in-full": lambda pages, _: "\n\n".join(overview.claim_section(each, pages) for each in overview.ledger()),
    "differences-table": lambda pages, _: overview.differences_table(DIFFERENCES),
    "differences-in-full": lambda pages, _: overview.difference_sections(DIFFERENCES, pages),
    "theory-constants": lambda *_: theory.generated(theory.constants, overview.record),
    "theory-stretches": lambda *_: theory.generated(theory.stretches, overview.record),
    "theory-both-sides": lambda *_: theory.generated(theory.both_sides, overview.record),
    "status-environment": lambda pages, _: status.environment(),
    "status-notebooks": lambda pages, folder: status.notebooks(folder / "nb"),
    "status-speed": lambda pages, _: status.speed(status.read_timings()),
    "status-wing": lambda pages, _: status.wing(status.read_timings()),
    "status-records": lambda pages, _: status.records(),
}


def verdict_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    """Return a verdict as a coloured word."""
    kind = Verdict(text).name.lower().replace("_", "-")
    return [nodes.inline(rawtext, text, classes=["verdict", f"verdict-{kind}"])], []


def record_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    """Return a record's name as the target of ``{ref}`` links from other pages."""
    env, anchor = inliner.document.settings.env, nodes.make_id(f"record-{text}")
    env.get_domain("std").anonlabels[f"record-{text}".lower()] = (env.docname, anchor)
    return [nodes.inline(rawtext, text, ids=[anchor])], []


def fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the generated parts into a page's source. Raise KeyError for a name that GENERATED does not have."""

    def written(found: re.Match) -> str:
        return GENERATED[found[1]](app.env.found_docs, Path(app.srcdir))

    source[0] = re.sub("^% generated: (.+)$", written, source[0], flags=re.MULTILINE)


def drop_empty_heads(app: Sphinx, doctree: nodes.document) -> None:
    """Remove the heads of tables that have no word in them: Markdown has no table without a head."""
    for head in list(doctree.findall(nodes.thead)):
        if not head.astext().strip():
            head.parent.remove(head)


def set_substitutions(app: Sphinx, config) -> None:
    """Make the summary's numbers known to the pages."""
    numbers = {f"summary_{name}": value for name, value in overview.summary_numbers().items()}
    config.myst_substitutions = config.myst_substitutions | numbers


def write_exports(app: Sphinx, exception: Exception | None) -> None:
    """Write the ledger's exports beside its page."""
    if exception is None and app.builder.format == "html":
        for name, write in (("claims.json", export.to_json), ("claims.csv", export.to_csv)):
            (Path(app.outdir) / name).write_text(write(overview.ledger()), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Connect the extension to Sphinx."""
    app.add_role("verdict", verdict_role)
    app.add_role("record", record_role)
    app.connect("config-inited", set_substitutions)
    app.connect("source-read", fill_in)
    app.connect("doctree-read", drop_empty_heads)
    app.connect("build-finished", write_exports)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
