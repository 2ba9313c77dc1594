"""Tests of a changed copy of the tree, run in forks of one process that has imported all other packages already.

A change of one line is so tried in the time of its tests, without the seconds that importing torch takes.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = (".git", ".venv", ".cache", ".benchmarks", "_build", "__pycache__", "*.egg-info", ".ipynb_checkpoints")
IMPORTED = ("torch", "numba", "xarray", "pandas", "scipy.stats", "h5netcdf", "safetensors.torch", "matplotlib.pyplot")
IMPORTED += ("pytest", "hypothesis", "nbval.plugin", "xdist.plugin", "pytest_benchmark.plugin", "jaxtyping", "beartype")
LIMIT = 120  # seconds of a processor for the tests of one change, which may make them loop,
PATIENCE = 1800  # and seconds in all, in which they may wait for ever
ENVIRONMENT = {
    "LIL_ENGINE": "plain",  # the plain code defines the numbers; the fast engine would hide a change of it
    "MPLBACKEND": "agg",
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
}


class Outcome(NamedTuple):
    """The end of one run of tests."""

    noticed_by: str  # the first test that failed; "" where all passed
    seconds: float


class Tree:
    """A copy of the project in which one file at a time is changed."""

    def __init__(self, folder: Path):
        self.folder, self.changes = folder, 0
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))

    @contextmanager
    def changed(self, name: str, text: str) -> Iterator[None]:
        """Give a file another text for the time of the body."""
        path = self.folder / name
        before, stamp = path.read_bytes(), path.stat().st_mtime
        self.changes += 1
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self.changes, self.changes))  # bytecode is found by the time of its source: each has its own
        try:
            yield
        finally:
            path.write_bytes(before)
            os.utime(path, (stamp, stamp))

    def test(self, arguments: Sequence[str]) -> Outcome:
        """Run pytest with these arguments in a fork, up to the first failure."""
        note, started = self.folder.with_suffix(".noticed"), time.perf_counter()
        note.unlink(missing_ok=True)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            _run(self.folder, arguments, note)
        _, status = os.waitpid(pid, 0)
        with suppress(ProcessLookupError):  # the processes that the tests left behind
            os.killpg(pid, signal.SIGKILL)
        found = note.read_text(encoding="utf-8") if note.exists() else ""
        if not found and os.WIFSIGNALED(status):
            late = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM)
            found = "the time limit" if late else "a crash"
        return Outcome(found or ("" if status == 0 else "pytest itself"), time.perf_counter() - started)


@contextmanager
def tree() -> Iterator[Tree]:
    """Give a copy of the project, with every package that the tests need imported and none of the project's own."""
    os.environ |= ENVIRONMENT
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False  # else each fork would compile every module anew
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in IMPORTED:
            importlib.import_module(name)
    sys.modules["torch"].set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        yield Tree(Path(folder, "tree"))


class _Noticed:
    """A plugin that writes down the first test, or file, that fails."""

    def __init__(self, note: Path):
        self.note = note

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.note.exists():
            self.note.write_text(report.nodeid, encoding="utf-8")

    pytest_collectreport = pytest_runtest_logreport


def _run(folder: Path, arguments: Sequence[str], note: Path) -> None:
    """Run pytest in the copy and end this process with its exit status."""
    code = 3
    try:
        import resource  # not on every system; nor is fork

        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT + 5))
        signal.alarm(PATIENCE)
        with note.with_suffix(".out").open("w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        os.chdir(folder)
        os.environ["PYTHONPATH"] = str(folder)
        sys.path[:] = [str(folder), *(each for each in sys.path if each not in ("", str(ROOT)))]
        for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
            del sys.modules[name]
        if any(name.partition(".")[0] == "lil" for name in sys.modules):
            raise RuntimeError("lil was imported before the fork, and would be that of the checkout.")
        import pytest

        quiet = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        code = int(pytest.main([*quiet, *arguments], plugins=[_Noticed(note)]))
        if not Path(str(sys.modules["lil"].__file__)).is_relative_to(folder):
            raise RuntimeError("the tests have imported another lil than the copy's.")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
