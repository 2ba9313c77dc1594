"""The environment and the two commands, for every system: ``python -m lil.dev book`` and ``python -m lil.dev test``.

Any Python 3.11 or newer runs this module, from the project's folder; it needs no package. ``make book``, ``make test``
and ``make test-all`` execute the same steps, and the Makefile's environment is made here too.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ".venv"
READY = Path(VENV, ".installed")
MADE_OF = ("requirements.lock", "pyproject.toml")
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
WITH_CUDA = re.compile(r"(torch|torchvision|triton|nvidia-[\w-]+|cuda-[\w-]+)==(\S+)")

TESTS = "python -m pytest --numprocesses auto --no-loadscope-reorder --nbval-lax --nbval-current-env"
PDF = "python -m lil.paper.pdf --if-possible"
STEPS = {
    "install": (),
    "book": (
        "python -m lil.paper book --mode {mode}",
        PDF,
        "jupyter-book build book --config _config.yml --toc {toc} --path-output . --all -W -n --keep-going --quiet",
    ),
    "test": (f"{TESTS} -m 'not slow'",),
    "test-all": (TESTS,),
}
"""The steps of each command, in the environment."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: that of its first step that fails."""
    parser = argparse.ArgumentParser(prog="python -m lil.dev", description="Make the environment, the book, the tests.")
    parser.add_argument("command", choices=STEPS)
    parser.add_argument("--mode", default="auto", help="of the book's pages: auto (default), live or recorded")
    parser.add_argument("--index", default="", help="a package index with builds of PyTorch that leave CUDA out")
    chosen = parser.parse_args(arguments)
    if sys.version_info < (3, 11):  # noqa: UP036, an older Python comes as far as this sentence
        print("Python 3.11 or newer is needed: name one, as in make PYTHON=python3.12 book.", file=sys.stderr)
        return 1
    if not (ROOT / MADE_OF[0]).exists():
        print(f"{ROOT} is no clone of the project: it has no {MADE_OF[0]}.", file=sys.stderr)
        return 1
    os.chdir(ROOT)
    os.environ.setdefault("PYTHONUTF8", "1")  # sources and pages are UTF-8, whatever the locale
    try:
        if chosen.command == "install" or not is_installed():
            install(chosen.index)
        for step in STEPS[chosen.command]:
            if step == PDF and chosen.mode == "recorded":  # which is to take three minutes
                continue
            name, *rest = shlex.split(step)
            words = (word.format(mode=chosen.mode, toc=ROOT / "_toc.yml") for word in rest)
            subprocess.run([str(tool(name)), *words], check=True)
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    if chosen.command == "book":
        print(f"The book: {ROOT / '_build' / 'html' / 'intro.html'}")
    return 0


def tool(name: str) -> Path:
    """Return the path of a command of the environment."""
    return Path(VENV, "Scripts" if os.name == "nt" else "bin", name).absolute()


def is_installed() -> bool:
    """Return True if the environment was made here, and after the last change of what it is made of."""
    made = READY.stat().st_mtime if READY.exists() else 0.0
    return made > max(Path(name).stat().st_mtime for name in MADE_OF) and not was_copied()


def was_copied() -> bool:
    """Return True if the environment was made in another folder: its commands then run the code of that folder."""
    config = Path(VENV, "pyvenv.cfg")
    lines = config.read_text(encoding="utf-8").splitlines() if config.exists() else []
    made = next(filter(None, (re.match(r"command = .* -m venv (?:--\S+ )*(.+)", line) for line in lines)), None)
    return made is not None and Path(made[1]).resolve() != Path(VENV).resolve()


def install(index: str = "") -> None:
    """Make the environment of requirements.lock; raise CalledProcessError where a step fails.

    ``index``: a package index with builds of PyTorch for processors alone. They come from there, in the locked
    versions, and the packages of CUDA are left out.
    """
    if was_copied():
        shutil.rmtree(VENV)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    lock = Path(MADE_OF[0])
    if index:
        lock, torch = without_cuda(lock.read_text(encoding="utf-8"))
        _pip("--no-deps", "-i", index, *torch)
    _pip("--require-hashes", "-r", str(lock))
    _pip("--no-deps", "--no-build-isolation", "-e", ".")
    READY.touch()


def without_cuda(lock: str) -> tuple[Path, list[str]]:
    """Write the lock without PyTorch and CUDA into the environment; return the file and PyTorch's two requirements."""
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    left_out = [found for found in map(WITH_CUDA.match, entries) if found]
    rest = Path(VENV, "without-cuda.lock")
    rest.write_text("".join(entry for entry in entries if not WITH_CUDA.match(entry)), encoding="utf-8")
    return rest, [found[0] for found in left_out if found[1] in ("torch", "torchvision")]


def _pip(*arguments: str) -> None:
    subprocess.run([str(tool("python")), *PIP, *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
