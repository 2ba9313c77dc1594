"""The tables of the status page, in Markdown: environment, notebooks, records, speed, and the optional wing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from lil import results
from lil.paper import shipped
from lil.paper.judging import EXPERIMENTS
from lil.paper.markdown import table
from lil.paper.notebook import shown
from lil.paper.pages import ROOT
from lil.results.listing import NOT_KEPT
from lil.results.records import COMMITTED_UP_TO

TIMINGS = ROOT / "benchmarks" / "timings.json"
WITNESSES = (
    "Training amplifies rounding errors. After it the engines differ most in coordinates of layouts (`umap`, `plane`, "
    "`space`), in pixels of attacked pictures (`attacked`), and in whether one image is taken for its class (`vote`)."
)


def environment() -> str:
    """Return a table of the interpreter, the system and the packages that the results and the book depend on."""
    required = [each for each in importlib.metadata.requires("lil") or [] if "extra" not in each or "book" in each]
    packages = sorted({match[0] for each in required if (match := re.match(r"[\w.-]+", each))})
    rows = [
        ("Python", platform.python_version()),
        ("System", f"{platform.system()} {platform.machine()}"),
        ("Processors", str(os.cpu_count())),
        *((package, importlib.metadata.version(package)) for package in packages),
    ]
    return table(("what", "version"), rows)


def notebooks(folder: Path) -> str:
    """Return a table of the executed notebooks in a folder: profile, mode, seconds and peak memory of the run."""
    rows = []
    for path in sorted(folder.glob("*.ipynb")):
        if not path.name.endswith(".part.ipynb"):
            run = nbformat.read(path, as_version=4).metadata["lil"]
            rows.append(
                (path.stem, run["profile"], run["mode"], f"{run['seconds']:.0f}", str(run["peak_memory_mb"] or "–"))
            )
    return table(("notebook", "profile", "mode", "seconds", "peak memory (MiB)"), rows)


def records() -> str:
    """Return a table of the records: state, cost, engine, witness; sentences on their machine and on what is not kept.

    Other pages link to a record's row through its name, which the role ``record`` makes a target.
    """
    rows, machines, not_kept = [], set(), 0
    for row in (listed := results.listing(EXPERIMENTS)):
        if row.state == NOT_KEPT:
            not_kept += 1
            continue
        state = f"{row.state} ({', '.join(row.changed)})" if row.changed else row.state
        cells = ["–"] * 6
        if (attrs := row.attrs) is not None:
            machines.add(attrs["machine"])
            cost = [f"{attrs['seconds']:.0f}", f"{attrs['peak_memory_mb']:.0f}"]
            cells = [attrs["date"][:10], *cost, engine(attrs), witness(attrs), attrs["machine"]]
        rows.append([f"{{record}}`{row.name}`", state, *cells])
    header = ["record", "state", "date", "seconds", "peak memory (MiB)", "engine", "witness", "machine"]
    parts = [table(header, rows)]
    if len(machines) == 1:
        parts = [f"All were computed on {machines.pop()}.", table(header[:-1], [row[:-1] for row in rows])]
    if any("witness" in (row.attrs or {}) for row in listed):
        parts.append(WITNESSES)
    if not_kept:
        sets = "One set of networks is" if not_kept == 1 else f"{not_kept} sets of networks are"
        large = f"larger than {COMMITTED_UP_TO // 2**20} MiB"
        parts.append(f"{sets} {large} and not kept: such networks are trained anew where they are needed.")
    return "\n\n".join(parts)


def engine(attrs: Mapping[str, Any]) -> str:
    """Return the name of the engine that computed a record."""
    return json.loads(attrs["engine"])["name"] if "engine" in attrs else "none yet"


def witness(attrs: dict[str, Any]) -> str:
    """Return the date of a record's witness, its networks and cut settings, and the largest differences found."""
    if not results.witness.trains(attrs):
        return "none: nothing is trained" if "training" in attrs else "–"  # of networks, with their evaluation
    if "witness" not in attrs:
        return "none yet"
    found = json.loads(attrs["witness"])
    date = f"outdated, {found['date'][:10]}" if results.witness.is_missing(attrs) else found["date"][:10]
    date += f", affirmed {found['carried'][:10]}" if "carried" in found else ""
    settings = ", ".join(f"{name} = {shown(value)}" for name, value in found["settings"].items())
    return f"{date}; {results.witness.counted(found)}, {settings}; {results.witness.differences(found)}"


def speed(timings: Mapping[str, Any]) -> str:
    """Return a table of the times of ``make bench``: ours, the plain twin, the arithmetic alone, and their ratios."""
    rows = []
    for row in timings["rows"]:
        twin, floor = ["–", "–"], ["–", "–"]
        if row["naive"] is not None:
            twin = [_milliseconds(row["naive"]), f"{row['naive'] / row['ours']:.1f}"]
        if row["floor"] is not None:
            floor = [_milliseconds(row["floor"]), f"{row['ours'] / row['floor']:.2f}"]
        rows.append([row["what"], row["unit"], _milliseconds(row["ours"]), *twin, *floor])
    header = ("what", "for", "ours (ms)", "plain twin (ms)", "twin / ours", "arithmetic (ms)", "ours / arithmetic")
    when = f"Measured on {timings['date']} on {timings['machine']}, with {timings['threads']} threads."
    return f"{when}\n\n{table(header, rows)}"


def wing(timings: Mapping[str, Any]) -> str:
    """Return a table of the files of ``lil/fast``: their lines, their purpose, and the time without them."""
    rows = [
        [f"`{row['file']}`", *(_cell(row.get(name)) for name in ("lines", "speeds_up", "ratio", "without"))]
        for row in timings.get("wing", [])
    ]
    if not rows:
        return "Not measured yet: `make bench` does."
    return table(("file", "lines", "speeds up", "times as fast", "the whole paper without it"), rows)


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def _milliseconds(value: float) -> str:
    """Return three digits, or all before the point."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def read_timings() -> dict[str, Any]:
    """Return the timings that the last ``make bench`` recorded. Raises CorruptFile where their file is damaged."""
    return shipped.read(TIMINGS, json.loads)
