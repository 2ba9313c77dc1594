"""Kills, full disks, refused permissions and neighbours: nothing is half-written, and the next run ends as ever.

``make test-faults`` sends SIGKILL at random moments to processes that record, affirm, train, evaluate, write networks,
freeze verdicts, execute notebooks and build a small book, over 300 times in all. After each kill every record is whole
or absent, all checksums agree and no lock is held; a checkpoint holds a state that the undisturbed run went through.
The next run ends with the bits of an undisturbed one, and nothing that is ever read stays behind. The same is asked
after a disk has filled up, after permissions are gone, and with two at once (:mod:`tests.trust.refusals`).

Most processes are forked from this one, in which torch is warm, and work on the package of :mod:`tests.trust.small`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

from tests.trust import recording, refusals, small, storms
from tests.trust.small import Row, child, ended
from tests.trust.storms import Storm

SEED = 20
KILLS = {
    "`lil rerun fig1_mappings`": 4,
    "building a book of one page": 40,
    "`lil reproduce --record`": 8,
    "executing a notebook": 40,
    "training with checkpoints": 48,
    "pretraining a small network": 44,
    "pretraining the VGG13": 4,
    "recording for the first time": 24,
    "recording over an older record": 16,
    "evaluating, from the state that was kept": 16,
    "affirming after a change of code": 40,
    "writing networks": 20,
    "freezing the ledger's verdicts": 20,
}
GROUPS = ("builds", "commands", "training", "refusals", "store", "files")  # each in a process and a folder of its own
SAMPLED = {"store": 3, "files": 2, "training": 2, "refusals": 0}  # groups of the sample, and the works of each


def kill(storm: Storm, kills: int, draw: random.Random) -> Row:
    """Kill a work at random moments, and return a row of what was found."""
    storm.prepare()
    started = time.monotonic()
    if status := ended(child(storm.work, refusals.LOG)):
        trace = refusals.LOG.read_text("utf-8") if refusals.LOG.exists() else ""
        raise RuntimeError(f"{storm.what}: the undisturbed work ended with status {status}\n{trace}")
    length, killed, whole, same = time.monotonic() - started, 0, 0, 0
    while killed < kills:
        storm.prepare()
        batch = min(storm.in_a_row, kills - killed)
        for _ in range(batch):
            while not killed_at(draw.uniform(0, length), storm):
                length *= 0.9  # it was faster than the first time: aim earlier
                storm.prepare()
            whole += holds(storm.whole)
        killed += batch
        same += batch * holds(storm.finish)
        length *= 1.02
    return {
        "what": storm.what,
        "disturbed by": "SIGKILL",
        "tried": killed,
        "whole afterwards": whole,
        "next run as ever": same,
        "failed": killed - min(whole, same),
    }


def holds(question: Callable[[], bool]) -> bool:
    """Return the answer to a question, False where it ends in an error, whose trace is kept."""
    try:
        return question()
    except Exception:
        with refusals.LOG.open("a") as file:
            traceback.print_exc(file=file)
        return False


def killed_at(moment: float, storm: Storm) -> bool:
    """Do a work in a child, kill that after some seconds, and return False if it had ended before."""
    pid = child(storm.work, refusals.LOG)
    time.sleep(moment)
    for each in (pid, *descendants(pid)):  # with the kernel of a notebook
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    return ended(pid) == -signal.SIGKILL


def descendants(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started, and of those that these have."""
    try:
        found = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()]
    except OSError:
        return []
    return [each for one in found for each in (one, *descendants(one))]


def group(name: str, sample: bool) -> list[Row]:
    """Return a row for each work of a group and each way of disturbing it."""
    draw = random.Random(f"{SEED} {name}")
    with small.package() as fake, tempfile.TemporaryDirectory() as folder:
        if name == "refusals":
            return list(refusals.rows(fake, draw, sample))
        works = {
            "store": lambda: storms.storms_of_the_store(fake),
            "files": lambda: storms.storms_of_files(Path(folder)),
            "training": storms.storms_of_training,
            "commands": lambda: storms.storms_of_commands(fake, Path(folder)),
            "builds": lambda: storms.storms_of_builds(Path(folder)),
        }
        rows = []
        for storm in itertools.islice(works[name](), SAMPLED[name] if sample else None):
            rows.append(kill(storm, 1 if sample else KILLS[storm.what], draw))
            print(*rows[-1].values(), sep="  ", flush=True)
        return rows


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", action="store_true", help="a few kills of what is quick, and no record")
    sample = parser.parse_args(arguments).sample
    torch.set_num_threads(1)
    started, found = time.perf_counter(), []
    names = [name for name in GROUPS if name in SAMPLED] if sample else GROUPS
    with ProcessPoolExecutor(len(names), multiprocessing.get_context("fork")) as pool:
        for rows in pool.map(group, names, [sample] * len(names)):
            found += rows
    tried = {
        "kills survived": "SIGKILL",
        "full disks": "disk",
        "refused permissions": "access",
        "two at once": "another",
    }
    counts = {"tried": sum(int(row["tried"]) for row in found)}
    for name, how in tried.items():
        those = [row for row in found if how in str(row["disturbed by"])]
        counts[name] = sum(int(row["tried"]) - int(row["failed"]) for row in those)
    counts["failed"] = sum(int(row["failed"]) for row in found)
    print(counts)
    if refusals.LOG.exists():
        print(refusals.LOG.read_text("utf-8"), file=sys.stderr)
        refusals.LOG.unlink()
    if not sample:
        recording.write("faults", "make test-faults", found, counts, time.perf_counter() - started)
    return int(counts["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
