"""Sphinx extension: below each figure of a notebook stand links to the figure's file and to the page's data.

The files come from ``book/nb/downloads``, where :func:`lil.paper.pages.execute` has put them, and go to ``_downloads``,
with the notebooks as one archive, the PDF of the whole book if ``make pdf`` has made it, the RO-Crate metadata, and the
bill of materials.
"""

from __future__ import annotations

import html
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from lil.paper import crate, downloads, pdf, sbom
from lil.paper.pages import ROOT, find_sources

FOLDER = "_downloads"


def links(figure: str, stem: str, folder: Path) -> str:
    """Return the line below a figure, in HTML; empty where there is nothing to take along."""
    offered = {
        f"{figure}.svg": "Figure as SVG",
        f"{figure}.png": "Figure as PNG",
        f"{stem}.zip": "Data of this page as CSV (zip)",
    }
    anchors = [
        f'<a href="../{FOLDER}/{html.escape(name)}" download>{words}</a>'
        for name, words in offered.items()
        if (folder / name).exists()
    ]
    return f'<p class="figure-links">{" · ".join(anchors)}</p>' if anchors else ""


def add_links(app: Sphinx, doctree: nodes.document) -> None:
    """Put the line below each named figure of a notebook's page."""
    page = app.env.docname
    if not page.startswith("nb/"):
        return
    for figure in list(doctree.findall(nodes.figure)):
        names = figure["names"] or [""]
        if line := links(names[0], page.removeprefix("nb/"), Path(app.srcdir) / "nb" / "downloads"):
            figure.parent.insert(figure.parent.index(figure) + 1, nodes.raw("", line, format="html"))


def write_downloads(app: Sphinx, exception: Exception | None) -> None:
    """Copy what is taken along into the built book, and describe it all as a research object."""
    source, out = Path(app.srcdir) / "nb", Path(app.outdir)
    if exception is not None or app.builder.name != "html" or not source.exists():
        return
    target = out / FOLDER
    target.mkdir(exist_ok=True)
    for path in (source / "downloads").glob("*"):
        if path.suffix != ".part":  # of an execution that was killed
            shutil.copy(path, target)
    executed = [path for path in sorted(source.glob("*.ipynb")) if not path.name.endswith(".part.ipynb")]
    downloads.write_notebooks(find_sources(), executed, target / "notebooks.zip")
    if printed := pdf.current(Path(app.srcdir).parent):
        shutil.copy(printed, target)
    sbom.write(out, app.config.project)
    titles = {page: node.astext() for page, node in app.env.titles.items()}
    crate.write(out, ROOT / "CITATION.cff", titles)


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Connect the extension to Sphinx."""
    app.connect("doctree-read", add_links)
    app.connect("build-finished", write_downloads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
