"""The unit tests in hard places: folders, owners, permissions, encodings and options that a developer rarely has.

``python -m tests.trust.environments [WORD ...]`` copies the tracked files into each place, runs the tests that depend
on their surroundings there, those marked slow left out, and writes a place's row of the record as soon as it is known;
with words it runs the places whose names hold one of them, and the record keeps its other rows.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.tracked import ROOT, tracked
from tests.trust import recording

NAME, COMMAND = "environments", "make test-environments"
# The tests that read and write files, start processes, ask git or print; the others compute in memory.
TESTS = (
    *("tests/test_cli.py", "tests/test_containers.py", "tests/test_dev.py", "tests/test_environment.py"),
    *("tests/test_imports.py", "tests/test_portability.py", "tests/test_images.py", "tests/results"),
    *("tests/notebooks/test_sources.py", "tests/notebooks/test_tolerance.py"),
    *("tests/paper/test_notebook.py", "tests/paper/test_pages.py", "tests/paper/test_rerun.py"),
)
ENDS = ("passed", "failed", "error")
WITHOUT_GUDHI = "import sys\nsys.modules['gudhi'] = None\n"


@dataclass(frozen=True)
class Place:
    """An environment of the tests."""

    name: str  # in words
    folder: str = "lil"  # the name of the checkout
    git: bool = False  # a clone, not an archive
    read_only: bool = False  # the checkout, its results/ included
    homeless: bool = False  # the home folder, and the cache in it, cannot be written
    environment: dict[str, str] = field(default_factory=dict)
    python: tuple[str, ...] = ()  # options of Python
    pytest: tuple[str, ...] = ()  # options of pytest
    start: str = ""  # code that runs at the start of every Python


OTHER_OWNER = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}  # git's own switch, for its tests
LATIN_1 = {"PYTHONIOENCODING": "latin-1"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
PLACES = (
    Place("a folder with a space and an umlaut in its name", folder="Übungs Ordner", git=True),
    Place("a read-only checkout, its results/ included", git=True, read_only=True),
    Place("a home folder that cannot be written", git=True, homeless=True),
    Place("a source archive, without git"),
    Place("a clone of another owner", git=True, environment=OTHER_OWNER),
    Place("the C locale and a terminal that prints latin-1", git=True, environment=C_LOCALE | LATIN_1),
    Place("python -O", git=True, python=("-O",)),
    Place("pytest without xdist", git=True, pytest=("-p", "no:xdist")),
    Place("numba without its compiler", git=True, environment={"NUMBA_DISABLE_JIT": "1"}),
    Place("a platform for which GUDHI has no build", git=True, start=WITHOUT_GUDHI),
)
ALL_AT_ONCE = Place(
    "everything at once",
    folder="Übungs Ordner",
    read_only=True,
    homeless=True,
    environment=LATIN_1,
    python=("-O",),
    pytest=("-p", "no:xdist"),
    start=WITHOUT_GUDHI,
)


@contextmanager
def copied(place: Place) -> Iterator[Path]:
    """Copy the tracked files into a place; yield the checkout, beside which lie its home and the code at the start."""
    with tempfile.TemporaryDirectory(prefix="lil-") as scratch:
        top, checkout = Path(scratch), Path(scratch) / place.folder
        for path in tracked():
            target = checkout / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        for folder in ("home", "start"):
            (top / folder).mkdir()
        (top / "start" / "sitecustomize.py").write_text(place.start, encoding="utf-8")
        if place.git:
            git = ["git", "-c", "user.name=tester", "-c", "user.email=tester@example.org"]
            for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "all"]):
                subprocess.run([*git, *command], cwd=checkout, check=True)
        closed = [*([checkout] if place.read_only else []), *([top / "home"] if place.homeless else [])]
        for folder in closed:
            _permit(folder, writing=False)
        try:
            yield checkout
        finally:
            for folder in closed:
                _permit(folder, writing=True)


def _permit(top: Path, *, writing: bool) -> None:
    """Give or take the permission to write a folder and all that lies in it."""
    for path in [top, *top.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | stat.S_IWUSR if writing else mode & ~0o222)


def run(place: Place, tests: Sequence[str] = TESTS) -> tuple[str, int, int]:
    """Run tests in a place; return what they printed, and how many passed and failed."""
    with copied(place) as checkout:
        environment = {name: value for name, value in os.environ.items() if name not in ("XDG_CACHE_HOME", "LIL_DATA")}
        environment |= {"HOME": str(checkout.parent / "home"), **place.environment}
        environment["PYTHONPATH"] = os.pathsep.join([str(checkout.parent / "start"), str(checkout)])
        quiet = ("-p", "no:cacheprovider", "--tb=short", "-m", "not slow")
        command = [*_as_a_user(), sys.executable, *place.python, "-m", "pytest", *quiet]
        done = subprocess.run(
            [*command, *place.pytest, *tests],
            cwd=checkout,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    printed = done.stdout.decode("utf-8", errors="replace")
    return printed, *outcome(printed, done.returncode)


def outcome(printed: str, status: int) -> tuple[int, int]:
    """Return how many tests passed and failed; where pytest itself failed, one failed."""
    closing = printed.rstrip().rpartition("\n")[2]
    passed, failed, errors = (sum(map(int, re.findall(rf"(\d+) {each}", closing))) for each in ENDS)
    return passed, max(failed + errors, int(status != 0))


def _as_a_user() -> list[str]:
    """Return a command that takes from root what other users do not have: access against permissions."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if root else []


def words(place: Place) -> str:
    """Return the environment and the options of a place as a shell would take them."""
    given = [f"{name}={value}" for name, value in place.environment.items()]
    return " ".join([*given, "python", *place.python, "-m pytest", *place.pytest])


def main(chosen: Sequence[str] = ()) -> int:
    """Run the tests in all places, or in those whose names hold one of the words; return 1 where one has failed."""
    status = 0
    for place in PLACES:
        if chosen and not any(word in place.name for word in chosen):
            continue
        started = time.monotonic()
        printed, passed, failed = run(place)
        print(f"{place.name}: {passed} passed, {failed} failed", flush=True)
        if failed:
            print(printed)
            status = 1
        row = {"environment": place.name, "command": f"`{words(place)}`", "passed": passed, "failed": failed}
        record(row | {"seconds": round(time.monotonic() - started)})
    return status


def record(new: recording.Row) -> None:
    """Put a row into the record, in which the other places keep theirs."""
    rows = recording.renewed(NAME, [new], "environment", (place.name for place in PLACES))
    ended = sum(row["failed"] == 0 for row in rows)
    counts = {"without a failure": ended, "with failures": len(rows) - ended}
    recording.write(NAME, COMMAND, rows, counts, sum(float(row["seconds"]) for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
