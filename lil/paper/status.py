"""The status page in Markdown: its answer, and tables of environment, notebooks, records, witnesses, speed and wing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat

from lil import results
from lil.paper import shipped
from lil.paper.judging import EXPERIMENTS
from lil.paper.markdown import powers, table
from lil.paper.notebook import shown
from lil.paper.pages import ROOT
from lil.results.closing import duration
from lil.results.listing import NOT_KEPT, Row
from lil.results.records import COMMITTED_UP_TO

TIMINGS = ROOT / "benchmarks" / "timings.json"
WITNESSES = (
    "Training amplifies rounding errors. After it the engines differ most in coordinates of layouts (`umap`, `plane`, "
    "`space`), in pixels of attacked pictures (`attacked`), and in whether one image is taken for its class (`vote`), "
    "also under attack (`right`)."
)


def environment() -> str:
    """Return a table of the interpreter, the system and the packages that the results and the book depend on."""
    required = [each for each in importlib.metadata.requires("lil") or [] if "extra" not in each or "book" in each]
    rows = [
        ("Python", platform.python_version()),
        ("System", f"{platform.system()} {platform.machine()}"),
        ("Processors", str(os.cpu_count())),
    ]
    for package in sorted({match[0] for each in required if (match := re.match(r"[\w.-]+", each))}):
        with suppress(importlib.metadata.PackageNotFoundError):  # GUDHI, where it has no wheel
            rows.append((package, importlib.metadata.version(package)))
    return table(("what", "version"), rows)


def notebooks(folder: Path) -> str:
    """Return a table of the executed notebooks in a folder: profile, mode, seconds and peak memory of the run."""
    rows = [
        (name, run["profile"], run["mode"], f"{run['seconds']:.0f}", str(run["peak_memory_mb"] or "–"))
        for name, run in executed(folder).items()
    ]
    return table(("notebook", "profile", "mode", "seconds", "peak memory (MiB)"), rows)


def executed(folder: Path) -> dict[str, Any]:
    """Return the facts of each executed notebook in a folder, by name."""
    paths = [path for path in sorted(folder.glob("*.ipynb")) if not path.name.endswith(".part.ipynb")]
    return {path.stem: nbformat.read(path, as_version=4).metadata["lil"] for path in paths}


def answer(folder: Path) -> str:
    """Return the page's answer: current records, their witnesses, and the notebooks that were executed."""
    rows = [row for row in results.listing(EXPERIMENTS) if row.state != NOT_KEPT]
    current = sum(row.state == "current" for row in rows)
    valid = {name: pair for name, pair in witnessed(rows).items() if results.witness.trains(pair[0])}
    found = [each for attrs, each in valid.values() if not results.witness.is_missing(attrs)]
    worst = max((results.witness.largest(each).same for each in found), default=0.0)
    same = "the same numbers" if worst == 0 else f"numbers within {powers(f'{worst:.0e}')} of the largest"
    runs = executed(folder).values()
    modes = " and ".join(f"`{mode}`" for mode in sorted({run["mode"] for run in runs}))
    parts = [f"{current} of {len(rows)} records are current: the code beside each is the code that computed it."]
    if found:
        parts.append(f"The plain engine has witnessed {len(found)} of them: from the same weights it evaluates {same}.")
    if runs:
        took = duration(sum(run["seconds"] for run in runs))
        parts.append(f"The {len(runs)} notebooks were executed in mode {modes}, and their times add up to {took}.")
    return " ".join(parts)


def records() -> str:
    """Return a table of the records: state, cost, engine; sentences on their machine and on what is not kept.

    Other pages link to a record's row through its name, which the role ``record`` makes a target.
    """
    rows, machines, not_kept = [], set(), 0
    for row in results.listing(EXPERIMENTS):
        if row.state == NOT_KEPT:
            not_kept += 1
            continue
        state = f"{row.state} ({', '.join(row.changed)})" if row.changed else row.state
        cells = ["–"] * 5
        if (attrs := row.attrs) is not None:
            machines.add(attrs["machine"])
            cost = [f"{attrs['seconds']:.0f}", f"{attrs['peak_memory_mb']:.0f}"]
            cells = [attrs["date"][:10], *cost, engine(attrs), attrs["machine"]]
        rows.append([f"{{record}}`{row.name}`", state, *cells])
    header = ["record", "state", "date", "seconds", "MiB", "engine", "machine"]
    parts = [table(header, rows)]
    if len(machines) == 1:
        parts = [f"All were computed on {machines.pop()}.", table(header[:-1], [row[:-1] for row in rows])]
    if not_kept:
        sets = "One set of networks is" if not_kept == 1 else f"{not_kept} sets of networks are"
        large = f"larger than {COMMITTED_UP_TO // 2**20} MiB"
        parts.append(f"{sets} {large} and not kept: such networks are trained anew where they are needed.")
    return "\n\n".join(parts)


def engine(attrs: Mapping[str, Any]) -> str:
    """Return the name of the engine that computed a record."""
    return json.loads(attrs["engine"])["name"] if "engine" in attrs else "none yet"


def witnessed(rows: Iterable[Row]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return the attributes and the witness of each record that has one."""
    there = ((row.name, row.attrs) for row in rows if row.attrs is not None and "witness" in row.attrs)
    return {name: (attrs, json.loads(attrs["witness"])) for name, attrs in there}


def witnesses() -> str:
    """Return a table of the witnesses: date, networks, and the largest differences; and why some are large."""
    rows = []
    for name, (attrs, found) in witnessed(results.listing(EXPERIMENTS)).items():
        if not results.witness.trains(attrs):
            rows.append((name, "none: nothing is trained", *"––––"))
            continue
        date = f"outdated, {found['date'][:10]}" if results.witness.is_missing(attrs) else found["date"][:10]
        date += f", affirmed {found['carried'][:10]}" if "carried" in found else ""
        most = results.witness.largest(found)
        same, trained, weights = (powers(f"{value:.1e}") if value else "0" for value in most[:3])
        rows.append((name, date, str(found["networks"]), same, f"{trained} (`{most.variable}`)", weights))
    head = ("record", "date", "networks", "same weights", "after training", "weights")
    return f"{table(head, rows)}\n\n{WITNESSES}"


def witness_settings() -> str:
    """Return a table of the settings that were cut for each witness."""
    found = witnessed(results.listing(EXPERIMENTS))
    words = {
        name: [f"{key} = {shown(value)}" for key, value in witness["settings"].items()]
        for name, (attrs, witness) in found.items()
        if results.witness.trains(attrs)
    }
    return table(("record", "settings of its witness"), ((name, ", ".join(each)) for name, each in words.items()))


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
        [f"`{row['file']}`", *(str(row.get(name) or "–") for name in ("lines", "speeds_up", "ratio", "without"))]
        for row in timings.get("wing", [])
    ]
    if not rows:
        return "Not measured yet: `make bench` does."
    return table(("file", "lines", "speeds up", "times as fast", "the whole paper without it"), rows)


def _milliseconds(value: float) -> str:
    """Return three digits, or all before the point."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def read_timings() -> dict[str, Any]:
    """Return the timings that the last ``make bench`` recorded. Raises CorruptFile where their file is damaged."""
    return shipped.read(TIMINGS, json.loads)
