"""The two commands without make: the steps of the Makefile, as the README writes them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import test_environment
from packaging.requirements import Requirement
from tracked import ROOT

from lil import dev

# Each command of the stand-in environment notes its name and arguments, and fails where that is asked for.
STAND_IN = '#!/bin/sh\nprintf "%s\\n" "$(basename "$0")" "$@" "" >> "$NOTES"\nexit "${FAILS_WITH:-0}"\n'
needs_a_shell = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are scripts for a POSIX shell")


@pytest.fixture
def clone(tmp_path):
    """A clone in a folder with a space and an umlaut, with an environment that only notes its commands."""
    folder = "Übungs Ordner" if sys.getfilesystemencoding() == "utf-8" else "Other folder"  # of the C locale
    root = tmp_path / folder / "lil"
    for name in ("lil/__init__.py", "lil/dev.py", "Makefile", "pyproject.toml", "requirements.lock"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in ("python", "jupyter-book"):
        command = root / ".venv" / "bin" / name
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(STAND_IN, encoding="utf-8")
        command.chmod(0o755)
    (root / ".venv" / "pyvenv.cfg").write_text(
        f"home = /usr\ncommand = /usr/bin/python3 -m venv {root}/.venv\n", "utf-8"
    )
    (root / ".venv" / ".installed").touch()
    return root


def run(line: str, clone: Path, **more: str) -> tuple[int, str, list[str]]:
    """Run a line of the README in a clone; return its status, what it printed, and the commands of the environment."""
    notes = clone.parent / "notes"
    notes.unlink(missing_ok=True)
    path = clone.parent / "bin"
    path.mkdir(exist_ok=True)
    if not (path / "python").exists():
        (path / "python").symlink_to(sys.executable)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "NOTES": str(notes), **more}
    done = subprocess.run(line, shell=True, cwd=clone, env=environment, capture_output=True, text=True)
    noted = notes.read_text(encoding="utf-8").split("\n\n")[:-1] if notes.exists() else []
    return done.returncode, done.stdout + done.stderr, noted


def documented() -> list[str]:
    """Return the lines of the README that need no make."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^python -m lil\.dev \w+", readme, flags=re.MULTILINE)


def test_the_readme_documents_both_commands():
    assert documented() == ["python -m lil.dev book", "python -m lil.dev test"]


@needs_a_shell
@pytest.mark.skipif(shutil.which("make") is None, reason="compares with make, which is not on this machine")
@pytest.mark.parametrize("line", [*documented(), "python -m lil.dev test-all"])
def test_each_command_takes_the_steps_of_make(line, clone):
    status, printed, steps = run(line, clone)
    assert status == 0 and len(steps) == (3 if line.endswith("book") else 1), printed
    outermost = dict(MAKEFLAGS="", MAKELEVEL="0")  # though `make test` may run this
    by_make = run(line.replace("python -m lil.dev", "make"), clone, **outermost)
    assert by_make[0] == 0 and by_make[2] == steps, by_make[1]
    closing = [f"The book: {clone}/_build/html/intro.html"] if line.endswith("book") else []
    assert printed.splitlines()[-1:] == by_make[1].splitlines()[-1:] == closing or not closing


@needs_a_shell
def test_a_step_that_fails_is_the_last(clone):
    status, _, steps = run("python -m lil.dev book", clone, FAILS_WITH="7")
    assert status == 7 and len(steps) == 1


@needs_a_shell
def test_the_records_alone(clone):
    assert "--mode\nrecorded" in run("python -m lil.dev book --mode recorded", clone)[2][0]


@pytest.mark.parametrize(
    "made_in, copied", [("{here}/.venv", False), ("--clear {here}/.venv", False), ("/old/.venv", True)]
)
def test_an_environment_that_was_copied_with_its_folder_is_made_anew(clone, monkeypatch, made_in, copied):
    made_in = made_in.format(here=clone)
    (clone / ".venv" / "pyvenv.cfg").write_text(f"command = /usr/bin/python3 -m venv {made_in}\n", "utf-8")
    monkeypatch.chdir(clone)
    assert dev.was_copied() is copied and dev.is_installed() is not copied
    if shutil.which("make"):
        dry = subprocess.run(
            ["make", "--dry-run", "pages"], cwd=clone, capture_output=True, text=True, check=True
        ).stdout
        assert ("-m lil.dev install" in dry) is copied
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: (clone / ".venv").mkdir(exist_ok=True))
    dev.install()
    assert (clone / ".venv" / "pyvenv.cfg").exists() is not copied and (clone / ".venv" / ".installed").exists()


def test_an_environment_is_older_than_its_lock_or_not_there(clone, monkeypatch):
    monkeypatch.chdir(clone)
    assert dev.is_installed()
    os.utime(clone / "requirements.lock", (2e9, 2e9))
    assert not dev.is_installed()
    shutil.rmtree(clone / ".venv")
    assert not dev.is_installed()


@pytest.fixture
def commands(clone, monkeypatch):
    """The commands of an installation, in the place of which nothing is done."""
    seen: list[list[str]] = []
    monkeypatch.chdir(clone)
    monkeypatch.setattr(subprocess, "run", lambda command, check: seen.append(command))
    return seen


def test_the_installation_takes_the_lock_with_its_checksums(commands):
    dev.install()
    venv, lock, project = commands
    assert venv == [sys.executable, "-m", "venv", ".venv"]
    assert lock[-3:] == ["--require-hashes", "-r", "requirements.lock"] and "-i" not in lock
    assert project[-4:] == ["--no-deps", "--no-build-isolation", "-e", "."]


def test_an_index_without_cuda_gives_pytorch_alone(commands, clone):
    dev.install("somewhere")
    _, torch, rest, _ = commands
    versions = test_environment.locked_here()
    pins = [f"{name}=={versions[name]}" for name in ("torch", "torchvision")]
    assert torch[-5:] == ["--no-deps", "-i", "somewhere", *pins]
    assert rest[-3:-1] == ["--require-hashes", "-r"]
    kept = {pin.name for pin, _ in test_environment.locked(Path(rest[-1]).read_text(encoding="utf-8"))}
    left_out = {pin.name for pin, _ in test_environment.locked()} - kept
    assert {"torch", "torchvision", "triton", "nvidia-cudnn-cu13", "cuda-toolkit"} <= left_out
    assert all(re.match(r"(torch|torchvision|triton|nvidia-|cuda-)", name) for name in left_out)
    assert all(Requirement(pin).specifier for pin in pins)


def test_a_folder_that_is_no_clone_is_told_in_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    assert dev.main(["test"]) == 1
    assert capsys.readouterr().err == f"{tmp_path} is no clone of the project: it has no requirements.lock.\n"


def test_an_old_python_is_told_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    assert dev.main(["test"]) == 1
    assert capsys.readouterr().err.startswith("Python 3.11 or newer is needed: name one, as in ")
