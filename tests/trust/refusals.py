"""Disks that are full, access that is refused, and processes that do the same at once."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from lil import results
from lil.cache import cache_folder
from lil.paper import pages
from lil.results import files
from tests.trust import small, storms
from tests.trust.small import Row, child, ended

NOBODY = 65534  # a user without rights
LOG = Path(tempfile.gettempdir()) / f"lil-faults-{os.getpid()}.log"  # traces of errors that are none of the project's


def rows(fake: small.Small, draw: random.Random, sample: bool) -> Iterator[Row]:
    """Yield a row for each way of refusing; as a sample one full disk of each kind, and one access refused."""
    storms.fresh(fake)
    results.record(fake.experiment)
    yield from full_disks(fake, 1 if sample else 8, draw)
    yield from itertools.islice(no_access(fake), 1 if sample else None)
    if not sample:
        yield two_records(fake, 5)
        yield two_notebooks(2)
        with tempfile.TemporaryDirectory() as folder:
            for storm, tries in zip(storms.storms_of_builds(Path(folder)), (2, 5), strict=True):
                yield two_at_once(storm, tries)


def _row(what: str, how: str, whole: list[bool], same: list[bool]) -> Row:
    tried = len(whole)
    failed = sum(not (a and b) for a, b in zip(whole, same, strict=True))
    found = {"whole afterwards": sum(whole), "next run as ever": sum(same), "failed": failed}
    return {"what": what, "disturbed by": how, "tried": tried, **found}


def _refused(fake: small.Small, work: Callable[[], None], expected: tuple[int, ...] = (0, 3)) -> bool:
    """Do a work in a child; return True if it ended well or in one sentence, and the record is as it was."""
    before = fake.numbers()
    return ended(child(work, LOG)) in expected and small.equal(fake.numbers(), before) and fake.free()


def _as_ever(fake: small.Small) -> bool:
    """Record once more, undisturbed; return True if that ends with the same bits and leaves nothing else."""
    before = fake.numbers()
    results.record(fake.experiment)
    return small.equal(fake.numbers(), before) and not fake.strays()


# Full disks


def full_disks(fake: small.Small, tries: int, draw: random.Random) -> Iterator[Row]:
    """Record while the disk fills up: a small one for records or cache, where mounting is allowed, and a limit."""
    for what, folder in (
        ("the disk of the records is full", fake.records),
        ("the disk of the cache is full", cache_folder()),
    ):
        with _small_disk(folder) as mounted:
            if not mounted:
                continue
            results.record(fake.experiment)
            whole, same = [], []
            for _ in range(tries):
                left = draw.randrange(48 * 1024)
                ballast = folder / "ballast"
                ballast.write_bytes(bytes(max(0, os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize - left)))
                whole.append(_refused(fake, lambda: results.record(fake.experiment) and None))
                ballast.unlink()
                same.append(_as_ever(fake))
            yield _row("recording", what, whole, same)
    whole, same = [], []
    for _ in range(tries):
        limit = draw.randrange(24 * 1024)

        def limited(limit: int = limit) -> None:
            import resource  # not on every system

            most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
            try:
                results.record(fake.experiment)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        whole.append(_refused(fake, limited))
        same.append(_as_ever(fake))
    yield _row("recording", "a limit of the size of files stands for a full disk", whole, same)


@contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """Mount an empty disk of half a megabyte on a folder; yield False where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "lil-storms", str(folder)]
    allowed = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield allowed
    finally:
        if allowed:
            subprocess.run(["umount", str(folder)], check=True)


# Access


def no_access(fake: small.Small) -> Iterator[Row]:
    """Record and read as a user whose access is taken away."""

    def record() -> None:
        results.record(fake.experiment)

    def read() -> None:
        results.get(fake.experiment, mode="recorded")

    cases = (
        ("recording", "no access to write into the records", fake.records, 0o555, record, 3),
        ("recording", "no access to the records at all", fake.records, 0o000, record, 3),
        ("recording", "no access to write into the cache", cache_folder(), 0o555, record, 0),  # it keeps no state
        ("reading a record", "no access to write into the cache", cache_folder(), 0o555, read, 0),
        ("reading a record", "no access to the record", fake.records / "fig9_small.nc", 0o000, read, 3),
        ("reading a record", "no access to the checksums", fake.records / files.CHECKSUMS, 0o000, read, 3),
    )
    for what, how, place, mode, work, expected in cases:
        _owned_by(fake, NOBODY)
        before = {path: path.stat().st_mode for path in (place, *(place.rglob("*") if place.is_dir() else ()))}
        for path in before:
            path.chmod(mode if path == place or path.is_dir() else before[path])

        def without_rights(work: Callable[[], None] = work) -> None:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            work()

        status = ended(child(without_rights, LOG))
        for path, old in before.items():
            path.chmod(old)
        _owned_by(fake, os.geteuid())
        whole = status == expected and bool(fake.numbers()[1]) and fake.free()
        yield _row(what, how, [whole], [_as_ever(fake)])


def _owned_by(fake: small.Small, user: int) -> None:
    if os.geteuid() == 0:
        for top in (fake.root, cache_folder().parent):
            for path in (top, *top.rglob("*")):
                os.chown(path, user, user)


# Two at once


def two_records(fake: small.Small, tries: int) -> Row:
    """Record in two processes at once, while a third reads."""

    def read() -> None:
        for _ in range(40):
            if not small.equal(fake.numbers(), before):
                raise RuntimeError("other numbers")

    before, whole, same = fake.numbers(), [], []
    for _ in range(tries):
        children = [child(work, LOG) for work in (lambda: results.record(fake.experiment) and None,) * 2 + (read,)]
        whole.append([ended(each) for each in children] == [0, 0, 0] and fake.free())
        same.append(_as_ever(fake))
    return _row("recording", "another process that records the same, and one that reads", whole, same)


def two_notebooks(tries: int) -> Row:
    """Execute a notebook in two processes at once, while a third reads the page."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = storms.notebook(Path(folder))

        def execute() -> None:
            pages.execute(source, target, profile="quick", mode="live")

        def read() -> None:
            for _ in range(300):
                if nbformat.read(target, 4).cells != before:
                    raise RuntimeError("another page")

        execute()
        before, whole, same = nbformat.read(target, 4).cells, [], []
        for _ in range(tries):
            children = [child(work, LOG) for work in (execute, execute, read)]
            whole.append([ended(each) for each in children] == [0, 0, 0])
            same.append(
                nbformat.read(target, 4).cells == before
                and [path.name for path in target.parent.iterdir()] == [target.name]
            )
    return _row("executing a notebook", "another process that executes the same, and one that reads", whole, same)


def two_at_once(storm: storms.Storm, tries: int) -> Row:
    """Do a work in two processes at once."""
    whole, same = [], []
    for turn in range(tries + 1):
        storm.prepare()
        children = [child(storm.work, LOG) for _ in range(2 if turn else 1)]  # first alone: the undisturbed run
        ends = [ended(each) for each in children]
        if turn:
            whole.append(not any(ends) and storm.whole())
            same.append(storm.finish())
    return _row(storm.what, "another process that does the same", whole, same)
