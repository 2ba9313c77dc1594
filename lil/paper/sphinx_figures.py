"""Sphinx extension: mathematics, movable figures and references of a book that works from a folder, with no network.

MathJax comes from the installed package ``sphinx-mathjax-offline``, plotly's script from the installed ``plotly``;
both are copied into the built pages. A plotly figure of a notebook becomes an empty ``<div>`` with its data beside
it as JSON; ``assets/figures.js`` draws it when the reader comes near.
"""

from __future__ import annotations

import html
import importlib.metadata
import json
import shutil
from pathlib import Path

import plotly
from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx

from lil.paper import vector

PLOTLY_MIME = "application/vnd.plotly.v1+json"
OUTPUT_CLASS = "plotly-output"  # of the node, which Sphinx turns into an element around the figure


class PlotlyFigure:
    """The renderer of plotly's output type, which myst-nb would drop: the entry point ``myst_nb.mime_renderers``."""

    mime_priority_overrides = (("*", PLOTLY_MIME, 0),)

    @staticmethod
    def handle_mime(renderer, data, inline: bool) -> list[nodes.Element] | None:
        """Return a raw HTML node with the figure in it, or None where the output is not plotly's."""
        if inline or data.mime_type != PLOTLY_MIME:
            return None
        figure = data.content if isinstance(data.content, dict) else json.loads(data.content)
        image = renderer.renderer.get_cell_level_config("render_image_options", data.cell_metadata, line=data.line)
        return [nodes.raw("", plotly_html(figure, (image or {}).get("alt", "")), format="html", classes=[OUTPUT_CLASS])]


def plotly_html(figure: dict, alt: str) -> str:
    """Return the ``<div>`` that ``figures.js`` fills; its height is fixed so that the page does not jump at drawing."""
    height = int(figure.get("layout", {}).get("height", 480))
    # "</" would end the script element from inside a label.
    content = json.dumps(
        {key: figure[key] for key in ("data", "layout", "frames") if key in figure}, separators=(",", ":")
    ).replace("</", "<\\/")
    return (
        f'<div class="plotly-figure" role="group" aria-label="{html.escape(alt)}" style="height:{height}px" '
        f"data-dark='{json.dumps(vector.DARK)}'>"
        f'<script type="application/json">{content}</script>'
        "<noscript>This figure is drawn by the browser and needs JavaScript.</noscript></div>"
    )


class AuthorYearLabels(BaseLabelStyle):
    """Labels of the list of references as the text cites them: "Beshkov et al., 2025"."""

    def format_labels(self, sorted_entries):
        """Yield one label an entry, in order."""
        for entry in sorted_entries:
            names = [str(person.rich_last_names[-1]) for person in entry.persons["author"]]
            who = " and ".join(names) if len(names) <= 2 else f"{names[0]} et al."
            yield f"{who}, {entry.fields['year']}"


class AuthorYearStyle(PlainStyle):
    """pybtex's plain style (sorted by author) with those labels."""

    default_label_style = AuthorYearLabels


def add_figure_scripts(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Load plotly's script (5 MB) only on pages with a figure that needs it, and ours on pages with any figure."""
    if doctree is not None and any(OUTPUT_CLASS in node["classes"] for node in doctree.findall(nodes.raw)):
        app.add_js_file("plotly.min.js", loading_method="defer")
    if doctree is not None and any(doctree.findall(nodes.figure)):
        app.add_js_file("figures.js", loading_method="defer")


def copy_scripts(app: Sphinx, exception: Exception | None) -> None:
    """Copy plotly's script and the part of MathJax that the pages can ask for (2 MB of its 24)."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", static / "plotly.min.js")
    package = importlib.metadata.distribution("sphinx-mathjax-offline")
    source, target = Path(str(package.locate_file("sphinx-mathjax-offline/static/mathjax"))), static / "mathjax"
    target.mkdir(exist_ok=True)
    shutil.copyfile(source / "tex-mml-chtml.js", target / "tex-mml-chtml.js")
    for part in ("output/chtml/fonts/woff-v2", "input/tex/extensions"):
        shutil.copytree(source / part, target / part, dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Connect the extension to Sphinx."""
    register_plugin("pybtex.style.formatting", "author-year", AuthorYearStyle)
    app.connect("html-page-context", add_figure_scripts)
    app.connect("build-finished", copy_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
