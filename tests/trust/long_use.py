"""Long use: fifty runs of each quick experiment in one process, and what the process holds early and late.

``python -m tests.trust.long_use [NAME ...]`` runs each experiment in a process of its own and writes its row of the
record as soon as it is known. It needs Linux's ``/proc``. With ``--measure NAME`` it runs one experiment in this
process and prints what was measured.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lil.results import registry
from tests.trust import recording

NAME, COMMAND = "long_use", "make test-long"
EXPERIMENTS = tuple(registry.names("lil.experiments"))
EARLY, LATE = 10, 50  # runs: caches have filled by the early one
SLACK = 10.0  # MiB that memory may grow by: freed memory comes back in pieces
MEMORY = "memory (MiB)"


def held() -> dict[str, float]:
    """Return what this process holds: resident memory, open files, threads, and files in its temporary folder."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines())
    return {
        MEMORY: round(int(status["VmRSS"].split()[0]) / 2**10, 1),
        "open files": len(list(Path("/proc/self/fd").iterdir())),
        "threads": int(status["Threads"]),
        "temporary files": sum(len(files) for _, _, files in os.walk(tempfile.gettempdir())),
    }


def measured(run: Callable[[], object], early: int = EARLY, late: int = LATE) -> list[dict[str, float]]:
    """Call ``run`` ``late`` times and return what this process held after the early calls and after the late ones."""
    found = []
    for calls in range(1, late + 1):
        run()
        if calls in (early, late):
            found.append(held())
    return found


def grown(early: dict[str, float], late: dict[str, float]) -> list[str]:
    """Return the names of what the process held more of late than early; of memory, more by over SLACK."""
    return [name for name in early if late[name] - early[name] > (SLACK if name == MEMORY else 0)]


def row(name: str, early: dict[str, float], late: dict[str, float], seconds: float) -> recording.Row:
    """Return the row of one experiment."""
    return {
        "experiment": f"`{name}`",
        "runs": f"{EARLY} → {LATE}",
        **{what: f"{early[what]:g} → {late[what]:g}" for what in early},
        "grown": ", ".join(grown(early, late)) or "nothing",
        "seconds": round(seconds),
    }


def in_a_process(name: str) -> recording.Row:
    """Measure an experiment in a new process with a temporary folder of its own, and return its row."""
    root, started = Path(__file__).resolve().parents[2], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.trust.long_use", "--measure", name]
        environment = {**os.environ, "TMPDIR": folder, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return row(name, *json.loads(done.stdout), time.monotonic() - started)


def quick(name: str) -> Callable[[], object]:
    """Return a function that trains and evaluates an experiment at its quick scale."""
    experiment = registry.load("lil.experiments", name)
    return functools.partial(experiment.run, experiment.QUICK)


def record(new: recording.Row) -> recording.Row:
    """Put a row into the record, in which the other experiments keep theirs, and return it."""
    rows = recording.renewed(NAME, [new], "experiment", (f"`{name}`" for name in EXPERIMENTS))
    steady = sum(row["grown"] == "nothing" for row in rows)
    counts = {"steady": steady, "grown": len(rows) - steady}
    recording.write(NAME, COMMAND, rows, counts, sum(float(row["seconds"]) for row in rows))
    return new


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return 1 where an experiment has grown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="experiments (default: all)")
    parser.add_argument("--measure", action="store_true", help="one experiment in this process, and no record")
    chosen = parser.parse_args(arguments)
    if not Path("/proc/self/status").exists():
        sys.exit("Memory, files and threads are read from /proc, which this system lacks: run it on Linux.")
    if unknown := set(chosen.names) - set(EXPERIMENTS):
        parser.error(f"{', '.join(sorted(unknown))} is no experiment: choose from {', '.join(EXPERIMENTS)}.")
    if chosen.measure:
        print(json.dumps(measured(quick(chosen.names[0]))))
        return 0
    rows = [record(in_a_process(name)) for name in chosen.names or EXPERIMENTS]
    print(*(json.dumps(row, ensure_ascii=False) for row in rows), sep="\n")
    return int(any(row["grown"] != "nothing" for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
