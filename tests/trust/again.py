"""Each quick experiment twice, in processes of their own: the same machine, threads and seed give the same bits.

``python -m tests.trust.again NAME ...`` prints a line for each experiment: its name and a hash of its networks and
results. ``tests/trust/machines.py`` compares two such processes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lil.results import computing, files, registry
from tests.trust import recording

NAME, WORDS = "again", "everything once more"
EXPERIMENTS = "lil.experiments"
TIMED = ("scaling",)  # their results are times


def names(only: Sequence[str] = ()) -> list[str]:
    """Return the experiments whose results may not change from run to run; with ``only``, those that have its words."""
    found = [name for name in registry.names(EXPERIMENTS) if name not in TIMED]
    return [name for name in found if not only or any(word in name for word in only)]


def digest(name: str) -> str:
    """Return a hash of the networks and of every value of a quick experiment, computed now."""
    experiment = registry.load(EXPERIMENTS, name)
    config, quiet = registry.settings(experiment, "quick"), lambda *_: None
    networks = {
        recipe: computing.train(module, settings, device="cpu", progress=quiet)
        for recipe, (module, settings) in computing.recipes(experiment, config).items()
    }
    result = computing.evaluate(experiment, config, networks, device="cpu", progress=quiet)
    found = hashlib.sha256()
    for recipe in sorted(networks):
        found.update(files.networks_to_bytes(networks[recipe].tensors, {}))
    for variable in sorted(map(str, result.variables)):
        values = result[variable].values
        found.update(f"{variable} {values.dtype} {values.shape}".encode())
        found.update(repr(values.tolist()).encode() if values.dtype.kind in "OU" else values.tobytes())
    return found.hexdigest()


def digests(experiments: Sequence[str]) -> dict[str, str]:
    """Return the hash of each experiment, computed in one new process on one thread."""
    root = Path(__file__).resolve().parents[2]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.trust.again", *experiments]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=True)
    return dict(line.split() for line in done.stdout.splitlines())


def run(only: Sequence[str] = ()) -> recording.Row:
    """Compute the experiments twice and return the row of the record."""
    experiments, started = names(only), time.monotonic()
    first, second = digests(experiments), digests(experiments)
    different = [name for name in experiments if first[name] != second[name]]
    return {
        "machine": WORDS,
        "settings": "–",
        "test files": f"{len(experiments)} of {len(names())} experiments",
        "passed": len(experiments) - len(different),
        "failed": len(different),
        "failures": "; ".join(different) or "none",
        "beyond the others' ranges": "equal bits" if not different else "other bits",
        "where": "–",
        "seconds": round(time.monotonic() - started),
    }


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(each, digest(each), flush=True)
