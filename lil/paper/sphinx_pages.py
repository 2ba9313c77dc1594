"""Sphinx extension: parts of pages that are written from the records when the book is built.

A line ``% generated: claims-table`` of a page's source becomes the ledger as a table, other names become other parts:
see ``GENERATED``. ``% folded: claims-table TITLE`` puts it into a fold with that title. The numbers of the first page
and of the summary are substitutions. The numbers in the description of a notebook's figure are the glued ones. Beside
the ledger's page the build puts ``claims.json`` and ``claims.csv``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from myst_nb.core.variables import format_plain_text
from sphinx.application import Sphinx
from sphinx.util import logging

from lil.paper import export, overview, pages, pdf, play, sbom, status, theory, trust
from lil.paper.differences import DIFFERENCES
from lil.paper.ledger import CLAIMS
from lil.paper.markdown import folded

LOGGER = logging.getLogger(__name__)
GENERATED: dict[str, Callable[..., str]] = {  # from the pages that the book has, and its folder
    "claims-table": lambda pages, folder: overview.claims_table(overview.ledger()),
    "claims-in-full": lambda pages, folder: "\n\n".join(
        overview.claim_section(each, overview.ledger(), pages) for each in CLAIMS
    ),
    "verdicts-table": lambda pages, folder: overview.verdicts_table(),
    "take-along": lambda pages, folder: take_along(folder.parent),
    "differences-table": lambda pages, folder: overview.differences_table(DIFFERENCES),
    "differences-in-full": lambda pages, folder: overview.difference_sections(DIFFERENCES, pages),
    "theory-constants": lambda pages, folder: theory.generated(theory.constants),
    "theory-stretches": lambda pages, folder: theory.generated(theory.stretches),
    "theory-both-sides": lambda pages, folder: theory.generated(theory.both_sides),
    "play-torus": lambda pages, folder: theory.generated(play.stacks_table, play.STACKS),
    "play-curves": lambda pages, folder: theory.generated(play.robustness_table, [*play.ROBUSTNESS]),
    "status-environment": lambda pages, folder: status.environment(),
    "status-notebooks": lambda pages, folder: status.notebooks(folder / "nb"),
    "status-speed": lambda pages, folder: status.speed(status.read_timings()),
    "status-wing": lambda pages, folder: status.wing(status.read_timings()),
    "status-records": lambda pages, folder: status.records(),
    "status-witnesses": lambda pages, folder: status.witnesses(),
    "status-witness-settings": lambda pages, folder: status.witness_settings(),
    "status-answer": lambda pages, folder: status.answer(folder / "nb"),
    "play-scripts": lambda pages, folder: play.scripts(),
    "tested-table": lambda pages, folder: trust.overview(),
    "tested-cases": lambda pages, folder: trust.cases(),
    "licences": lambda pages, folder: sbom.licences(),
}


def take_along(root: Path) -> str:
    """Return the line with links to the PDF, where it was made, and to the notebooks; for a page at the book's top."""
    notebooks = '<a href="_downloads/notebooks.zip">all notebooks</a> (zip)'
    if pdf.current(root) is None:
        return f"Take it along: {notebooks}."
    return f'Take it along: <a href="_downloads/{pdf.NAME}">the whole book as a PDF</a>, {notebooks}.'


def record_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    """Return a record's name as the target of ``{ref}`` links from other pages."""
    env, anchor = inliner.document.settings.env, nodes.make_id(f"record-{text}")
    env.get_domain("std").anonlabels[f"record-{text}".lower()] = (env.docname, anchor)
    return [nodes.inline(rawtext, text, ids=[anchor])], []


def fill_in(app: Any, page: str, source: list[str]) -> None:
    """Put the generated parts into a page's source. Raise KeyError for a name that GENERATED does not have."""

    def written(found: re.Match) -> str:
        name, *words = found[2].split()
        part = GENERATED[name](app.env.found_docs, Path(app.srcdir))
        return part if found[1] == "generated" else folded(" ".join(words), part)

    source[0] = re.sub("^% (generated|folded): (.+)$", written, source[0], flags=re.MULTILINE)


def describe_figures(app: Any, page: str, source: list[str]) -> None:
    """Put the glued numbers into the descriptions of a notebook's figures: no role works in an attribute of HTML.

    A name that no cell has glued, or a format that does not fit, is a warning as for the role: it stops the build.
    """
    if not str(app.env.doc2path(page)).endswith(".ipynb"):
        return
    notebook = nbformat.reads(source[0], 4)
    known = pages.glued(notebook)

    def written(found: re.Match) -> str:
        name, form = found.groups("s")
        try:
            return format_plain_text(known[name], form)
        except (KeyError, ValueError) as reason:
            why = reason if name in known else "no cell glues it"
            LOGGER.warning(f"a figure's description on {page} cannot show {name}: {why}.", location=page)
            return "–"

    for cell in notebook.cells:
        image = cell.metadata.get("mystnb", {}).get("image", {})
        image.update({name: pages.GLUED.sub(written, text) for name, text in image.items() if name == "alt"})
    source[0] = nbformat.writes(notebook)


def drop_empty_heads(app: Sphinx, doctree: nodes.document) -> None:
    """Remove the heads of tables that have no word in them: Markdown has no table without a head."""
    for head in list(doctree.findall(nodes.thead)):
        if not head.astext().strip():
            head.parent.remove(head)


def set_substitutions(app: Sphinx, config) -> None:
    """Make the numbers of the first page, and of the summary, known to the pages."""
    of_pages = {"first": overview.first_page(), "summary": overview.summary_numbers()}
    numbers = {f"{page}_{name}": value for page, values in of_pages.items() for name, value in values.items()}
    config.myst_substitutions = config.myst_substitutions | numbers


def write_exports(app: Sphinx, exception: Exception | None) -> None:
    """Write the ledger's exports beside its page."""
    if exception is None and app.builder.format == "html":
        for name, write in (("claims.json", export.to_json), ("claims.csv", export.to_csv)):
            (Path(app.outdir) / name).write_text(write(overview.ledger()), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Connect the extension to Sphinx."""
    app.add_role("record", record_role)
    app.connect("config-inited", set_substitutions)
    app.connect("source-read", fill_in)
    app.connect("source-read", describe_figures)
    app.connect("doctree-read", drop_empty_heads)
    app.connect("build-finished", write_exports)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
