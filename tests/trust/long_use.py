"""Long use: fifty runs of a quick experiment in one process, and what the process holds early and late.

``python -m tests.trust.long_use`` runs each experiment in a process of its own and writes the record. It needs Linux's
``/proc``. ``python -m tests.trust.long_use NAME`` runs one experiment and prints what was measured.
"""

from __future__ import annotations

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

from tests.trust import recording

NAME, COMMAND = "long_use", "make test-long"
# One run takes a second or so: trainings of toys and of small images, UMAP, persistent homology, and an attack.
CHOSEN = ("fig1_mappings", "fig2_rings", "fig3_mnist")
EARLY, LATE = 10, 50  # runs: caches have filled by the early one
SLACK = 10.0  # MiB that memory may grow by: freed memory comes back in pieces
MEMORY = "memory (MiB)"


def held() -> dict[str, float]:
    """Return what this process holds: resident memory, open files, threads, and files in its temporary folder."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
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


def row(name: str, early: dict[str, float], late: dict[str, float]) -> recording.Row:
    """Return the row of one experiment."""
    return {
        "experiment": f"`{name}`",
        "runs": f"{EARLY} → {LATE}",
        **{what: f"{early[what]:g} → {late[what]:g}" for what in early},
        "grown": ", ".join(grown(early, late)) or "nothing",
    }


def in_a_process(name: str) -> recording.Row:
    """Measure an experiment in a new process with a temporary folder of its own, and return its row."""
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.trust.long_use", name]
        environment = {**os.environ, "TMPDIR": folder, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return row(name, *json.loads(done.stdout))


def quick(name: str) -> Callable[[], object]:
    """Return a function that trains and evaluates an experiment at its quick scale."""
    from lil.results import registry

    experiment = registry.load("lil.experiments", name)
    return functools.partial(experiment.run, experiment.QUICK)


def main(names: Sequence[str]) -> int:
    """Print the measures of one experiment; without a name, record those of all and return 1 where one has grown."""
    if not Path("/proc/self/status").exists():
        sys.exit("Memory, files and threads are read from /proc, which this system lacks: run it on Linux.")
    if names:
        print(json.dumps(measured(quick(names[0]))))
        return 0
    started = time.monotonic()
    rows = [in_a_process(name) for name in CHOSEN]
    steady = sum(each["grown"] == "nothing" for each in rows)
    counts = {"steady": steady, "grown": len(rows) - steady}
    print(recording.write(NAME, COMMAND, rows, counts, time.monotonic() - started).read_text("utf-8"))
    return int(steady < len(rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
