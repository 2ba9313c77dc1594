"""Sphinx extension: the figures of a notebook in light and dark, and below each a line on its origin.

A page has the SVG of a still figure twice, and the theme hides one of them. The line has the figure's place in the
paper, the command that computes it again, the seconds, the date and the commit of its record, and links to the figure
as SVG and to the page's data.

The files come from ``book/nb/downloads``, where :func:`lil.paper.pages.execute` has put them, and go to ``_downloads``,
with the notebooks as one archive, the PDF of the whole book if ``make pdf`` has made it, the RO-Crate metadata, and the
bill of materials.
"""

from __future__ import annotations

import html
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx

from lil.paper import crate, downloads, pdf, sbom, vector
from lil.paper.pages import ROOT, find_sources

FOLDER = "_downloads"
COVER = "assets/rings.png"  # of the first page; lil.plotting.cover writes its SVG beside it
PART = re.compile(r"(Appendix )?(Figure|Table) \w+(?=:|$)")

commit = cache(downloads.commit_of)  # asked once a build


def place_in_paper(figure: nodes.Element) -> str:
    """Return the part of the paper that a figure belongs to, such as "Figure 3A"; "" on pages beyond the paper.

    The headings above the figure say it, the nearest first; the title of the page must name a part of the paper too.
    """
    titles, above = [], figure.parent
    while above is not None:
        titles += [title.astext() for title in above.children if isinstance(title, nodes.title)]
        above = above.parent
    parts = [found[0] if (found := PART.match(title)) else "" for title in titles]
    return next(filter(None, parts), "") if parts and parts[-1] else ""


def line(figure: str, place: str, stem: str, folder: Path) -> str:
    """Return the line below a figure, in HTML: its place in the paper, its origin, and links to its files."""
    words, archive, page = [f"{place} of the paper"] if place else [], folder / f"{stem}.zip", folder.parent
    if archive.exists():
        found = downloads.read_provenance(archive)
        notebook = nbformat.read(page / f"{stem}.ipynb", as_version=4)
        names = downloads.results_of(figure, notebook, list(found))
        words += downloads.origin([found[name] for name in names], [commit(name) for name in names])
    offered = {f"{figure}.svg": "SVG", f"{stem}.zip": "data (CSV)"}
    anchors = [
        f'<a href="../{FOLDER}/{html.escape(name)}" download>{label}</a>'
        for name, label in offered.items()
        if (folder / name).exists()
    ]
    texts = [re.sub("`(.+)`", r"<code>\1</code>", html.escape(each)) for each in words]
    return f'<p class="figure-line">{" · ".join(texts + anchors)}</p>' if texts or anchors else ""


class Still(nodes.image):
    """A still figure: the node of its SVG, which is written twice."""


def visit_still(translator: Any, node: Still) -> None:
    """Write the picture for a light and that for a dark page; a browser fetches the one that it shows."""
    folder, name = translator.builder.imgpath, translator.builder.images[node["uri"]]
    width, height = node["size"]
    look = f'alt="{html.escape(node["alt"])}" width="{width}" height="{height}" loading="lazy"'
    images = [
        f'<img class="only-{theme}" src="{folder}/{below}{name}" {look}>'
        for theme, below in (("light", ""), ("dark", f"{downloads.DARK}/"))
    ]
    translator.body.append(f'<div class="still-figure">{"".join(images)}</div>')
    raise nodes.SkipNode


def show_as_vector(image: nodes.image, folder: str, svg: Path) -> None:
    """Replace the pixels of a figure by its SVG, which the page finds in ``folder``, where that was written."""
    if svg.exists():
        size = vector.size(svg.read_text(encoding="utf-8"))
        image.replace_self(Still(uri=f"{folder}/{svg.name}", alt=image["alt"], size=size))


def add_lines(app: Sphinx, doctree: nodes.document) -> None:
    """Show the still figures of a page as SVG, and put the line below each named figure of a notebook."""
    page, folder = app.env.docname, Path(app.srcdir) / "nb" / "downloads"
    for image in list(doctree.findall(nodes.image)):
        if image["uri"] == COVER:
            show_as_vector(image, "assets", Path(app.srcdir, COVER).with_suffix(".svg"))
    if not page.startswith("nb/"):
        return
    for figure in [figure for figure in doctree.findall(nodes.figure) if figure["names"]]:
        name = figure["names"][0]
        for image in list(figure.findall(nodes.image)):
            show_as_vector(image, "downloads", folder / f"{name}.svg")
        if text := line(name, place_in_paper(figure), page.removeprefix("nb/"), folder):
            figure.parent.insert(figure.parent.index(figure) + 1, nodes.raw("", text, format="html"))


def copy_dark_figures(app: Sphinx, exception: Exception | None) -> None:
    """Copy the figures for dark pages beside those for light ones."""
    target = Path(app.outdir) / app.builder.imagedir / downloads.DARK
    for folder in ("nb/downloads", "assets"):
        source = Path(app.srcdir, folder, downloads.DARK)
        if exception is None and app.builder.format == "html" and source.exists():
            shutil.copytree(source, target, dirs_exist_ok=True)


def write_downloads(app: Sphinx, exception: Exception | None) -> None:
    """Copy what is taken along into the built book, and describe it all as a research object."""
    source, out = Path(app.srcdir) / "nb", Path(app.outdir)
    if exception is not None or app.builder.name != "html" or not source.exists():
        return
    target = out / FOLDER
    target.mkdir(exist_ok=True)
    for path in (source / "downloads").glob("*.*"):
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
    app.add_node(Still, html=(visit_still, None))
    app.connect("doctree-read", add_lines, priority=400)  # before Sphinx collects the images
    app.connect("build-finished", copy_dark_figures)
    app.connect("build-finished", write_downloads, priority=950)  # once no page changes: it tells their sizes
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
