"""``status`` directives: what made this book, read from its executed pages, its environment and its records.

The tables are made when the book is built, so that they describe the book they stand in.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from lil import results
from lil.paper.pages import ROOT

TIMINGS = ROOT / "benchmarks" / "timings.json"
PACKAGES = (
    "torch",
    "torchvision",
    "numpy",
    "xarray",
    "h5netcdf",
    "safetensors",
    "scikit-learn",
    "umap-learn",
    "gudhi",
    "matplotlib",
    "plotly",
    "jupyter-book",
    "papermill",
    "nbval",
)


class EnvironmentTable(Directive):
    """Interpreter, machine and the versions of the packages that the results depend on."""

    def run(self) -> list[nodes.Node]:
        """One row an item."""
        rows = [
            ("Python", platform.python_version()),
            ("System", f"{platform.system()} {platform.machine()}"),
            ("Processors", str(os.cpu_count())),
        ]
        rows += [(package, importlib.metadata.version(package)) for package in PACKAGES]
        return [table(("what", "version"), rows)]


class PagesTable(Directive):
    """Each executed notebook: profile, mode, seconds and peak memory of the run that this book shows."""

    def run(self) -> list[nodes.Node]:
        """One row a notebook, in the folder ``nb`` beside the page."""
        settings = self.state.document.settings
        folder = Path(settings.env.srcdir) / "nb"
        rows = []
        for path in sorted(folder.glob("*.ipynb")):
            if path.name.endswith(".part.ipynb"):
                continue
            settings.record_dependencies.add(str(path))
            run = nbformat.read(path, as_version=4).metadata["lil"]
            rows.append((path.stem, run["profile"], run["mode"], f"{run['seconds']:.0f}", str(run["peak_memory_mb"])))
        return [table(("notebook", "profile", "mode", "seconds", "peak memory (MiB)"), rows)]


class RecordsTable(Directive):
    """Each record: when, where and in how long it was computed, and whether its code is still the code beside it."""

    def run(self) -> list[nodes.Node]:
        """One row a record, or that there is none yet; where all come from one machine, a sentence names it."""
        listing = results.listing("lil.experiments")
        machines = {row.attrs["machine"] for row in listing if row.attrs is not None}
        header, rows = ("record", "state", "date (UTC)", "seconds", "peak memory (MiB)", "machine"), []
        for row in listing:
            state = f"{row.state} ({', '.join(row.changed)})" if row.changed else row.state
            cost = (
                ("–",) * 4
                if row.attrs is None
                else (
                    row.attrs["date"].removesuffix(" UTC"),
                    f"{row.attrs['seconds']:.0f}",
                    f"{row.attrs['peak_memory_mb']:.0f}",
                    row.attrs["machine"],
                )
            )
            rows.append((row.name, state, *cost))
        shown = len(header) - (len(machines) < 2)
        whole = table(header[:shown], [row[:shown] for row in rows])
        env = self.state.document.settings.env
        (body,) = whole.findall(nodes.tbody)
        for row, (name, *_) in zip(body, rows, strict=True):  # other pages link to a record's row
            anchor = nodes.make_id(f"record-{name}")
            row["ids"].append(anchor)
            env.get_domain("std").anonlabels[f"record-{name}".lower()] = (env.docname, anchor)
        if len(machines) == 1:
            return [nodes.paragraph(text=f"All were computed on {machines.pop()}."), whole]
        return [whole]


class TimingsTable(Directive):
    """What ``make bench`` last measured: ours, the plain twin, the arithmetic alone, and the ratios between them."""

    def run(self) -> list[nodes.Node]:
        """A sentence on when and where, and one row for each thing that was timed."""
        self.state.document.settings.record_dependencies.add(str(TIMINGS))
        timings = json.loads(TIMINGS.read_text(encoding="utf-8"))
        when = nodes.paragraph(
            text=f"Measured on {timings['date']} on {timings['machine']}, with {timings['threads']} threads."
        )
        rows = []
        for row in timings["rows"]:
            twin = (
                ("–", "–")
                if row["naive"] is None
                else (_milliseconds(row["naive"]), f"{row['naive'] / row['ours']:.1f}")
            )
            floor = (
                ("–", "–")
                if row["floor"] is None
                else (_milliseconds(row["floor"]), f"{row['ours'] / row['floor']:.2f}")
            )
            rows.append((row["what"], row["unit"], _milliseconds(row["ours"]), *twin, *floor))
        header = ("what", "for", "ours (ms)", "plain twin (ms)", "twin / ours", "arithmetic (ms)", "ours / arithmetic")
        return [when, table(header, rows)]


def _milliseconds(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> nodes.table:
    """A docutils table of plain text."""
    group = nodes.tgroup(cols=len(header))
    group += [nodes.colspec(colwidth=1) for _ in header]
    head, body = nodes.thead(), nodes.tbody()
    head += _row(header)
    body += [_row(row) for row in rows]
    group += [head, body]
    whole = nodes.table(classes=["colwidths-auto"])
    whole += group
    return whole


def _row(cells: tuple[str, ...]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        entry = nodes.entry()
        entry += nodes.paragraph(text=cell)
        row += entry
    return row


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Entry point of the extension."""
    app.add_directive("status-environment", EnvironmentTable)
    app.add_directive("status-pages", PagesTable)
    app.add_directive("status-records", RecordsTable)
    app.add_directive("status-timings", TimingsTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
