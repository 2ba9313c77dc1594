"""Timings in turns, and after them the ratios between the kinds.

All kinds of a benchmark take turns, as a machine is slower for minutes now and then. With ``--record-timings``, as in
``make bench``, the medians become the tables of the book's status page.
"""

import json
from pathlib import Path
from statistics import median

import bench_wing
import pytest

from lil.paper import shipped
from lil.results import files, provenance

TIMINGS = Path(__file__).with_name("timings.json")
# the twin of naive.py; the arithmetic alone, as torch does it; lil.training and lil.evaluation; the wing on one thread
KINDS = ("ours", "naive", "floor", "plain", "one thread")
TURNS = 5


def pytest_addoption(parser):
    parser.addoption(
        "--record-timings", action="store_true", help=f"write {TIMINGS.name}, which the book's status page shows"
    )


@pytest.fixture(
    params=range(TURNS), scope="module"
)  # of a module: so that its kinds come one after another in each turn
def turn(request):
    return request.param


@pytest.fixture
def timed(benchmark, turn):
    """Time ``function`` in this turn: ``rounds`` times ``iterations`` calls, each of ``repeats`` of the ``unit``."""

    def run(function, what, unit, repeats=1, *, rounds=1, iterations=1):
        benchmark.pedantic(
            function, rounds=rounds, iterations=iterations, warmup_rounds=1 if turn == 0 or rounds > 1 else 0
        )
        benchmark.extra_info |= {"what": what, "unit": unit, "repeats": repeats}

    return run


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    rows = _rows(config._benchmarksession.benchmarks)
    terminalreporter.section("medians")
    for row in rows:
        terminalreporter.write_line(_in_words(row))
    for row in bench_wing.table(rows):
        terminalreporter.write_line(str(row))
    if config.getoption("--record-timings") and exitstatus == 0:
        about = provenance.describe("cpu", provenance.Cost())
        kept = {name: about[name] for name in ("date", "machine", "threads")}
        everything = kept | {
            "rows": [row for row in rows if row["what"] not in bench_wing.PARTS],
            "wing": bench_wing.table(rows),
        }
        files.replace(TIMINGS, json.dumps(everything, indent=1, ensure_ascii=False) + "\n")
        shipped.seal()


def _rows(timings):
    """A row for each thing that is timed: milliseconds of each kind, the median of all turns."""
    rows = {}
    for timing in (each for each in timings if "what" in each.extra_info):  # not where a benchmark failed
        info = timing.extra_info
        kind = (timing.params or {}).get("kind", "ours")
        row = rows.setdefault((info["what"], info["unit"]), {name: [] for name in KINDS})
        row[kind] += [1e3 * seconds / info["repeats"] for seconds in timing.stats.data]
    return [
        {"what": what, "unit": unit} | {kind: median(found) if found else None for kind, found in row.items()}
        for (what, unit), row in rows.items()
    ]


def _in_words(row):
    words = f"{row['what']}: {row['ours']:.3g} ms {row['unit']}"
    if row["naive"]:
        words += f"; the plain twin {row['naive']:.3g} ms, {row['naive'] / row['ours']:.1f} times as much"
    for kind in ("plain", "one thread"):
        if row[kind]:
            words += f"; {kind} {row[kind]:.3g} ms, {row[kind] / row['ours']:.2f} times as much"
    if row["floor"]:
        words += f"; the arithmetic alone {row['floor']:.3g} ms: ours is {row['ours'] / row['floor']:.2f} times that"
    return words
