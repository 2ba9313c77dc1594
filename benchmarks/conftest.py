"""After the timings: what the plain twin takes in units of ours, and what ours takes in units of the arithmetic alone.

With ``--record-timings``, as ``make bench`` has it, they become the table of the book's status page.
"""

import json
from pathlib import Path

from lil.results import provenance

TIMINGS = Path(__file__).with_name("timings.json")
KINDS = ("ours", "naive", "floor")   # "floor": the arithmetic alone, as torch does it


def pytest_addoption(parser):
    parser.addoption("--record-timings", action="store_true", help=f"write {TIMINGS.name}, which the book's status page shows")


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    rows = _rows(config._benchmarksession.benchmarks)
    terminalreporter.section("medians")
    for row in rows:
        terminalreporter.write_line(_in_words(row))
    if config.getoption("--record-timings") and exitstatus == 0:
        about = provenance.describe("cpu", provenance.Cost())
        kept = {name: about[name] for name in ("date", "machine", "threads")}
        TIMINGS.write_text(json.dumps(kept | {"rows": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _rows(timings):
    """A row for each thing that is timed: milliseconds of each kind."""
    rows = {}
    for timing in (each for each in timings if "what" in each.extra_info):     # not where a benchmark failed
        kind = timing.extra_info.get("kind") or timing.name.rstrip("]").rpartition("[")[2].rpartition("-")[2]
        what, unit = timing.extra_info["what"], timing.extra_info["unit"]
        row = rows.setdefault((what, unit), {"what": what, "unit": unit} | dict.fromkeys(KINDS))
        row[kind] = 1e3 * timing.stats.median / timing.extra_info["repeats"]
    return list(rows.values())


def _in_words(row):
    words = f"{row['what']}: {row['ours']:.3g} ms {row['unit']}"
    if row["naive"]:
        words += f"; the plain twin {row['naive']:.3g} ms, {row['naive'] / row['ours']:.1f} times as much"
    if row["floor"]:
        words += f"; the arithmetic alone {row['floor']:.3g} ms: ours is {row['ours'] / row['floor']:.2f} times that"
    return words
