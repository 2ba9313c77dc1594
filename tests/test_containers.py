"""Binder, Codespaces, Docker and CI: their files can be read, and take the steps of the two commands."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from test_environment import CONDA, PROJECT, PYTHONS
from tracked import ROOT

from lil import dev

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
DEVCONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/workflows").glob("*.yml")}
(PYTHON,) = [line.removeprefix("python=") for line in CONDA["dependencies"] if str(line).startswith("python=")]


def lines(path: str) -> list[str]:
    """Return the lines of a file that are no comments."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def is_target(command: str) -> bool:
    """Return True for ``make TARGET`` with a target that the Makefile has."""
    words = shlex.split(command)
    return words[0] == "make" and re.search(rf"^{words[1]}:", MAKEFILE, flags=re.MULTILINE) is not None


def test_all_take_the_same_python():
    assert SpecifierSet(PROJECT["requires-python"]).contains(PYTHON) and PYTHON in PYTHONS
    assert lines("binder/runtime.txt") == [f"python-{PYTHON}"]
    assert DEVCONTAINER["image"] == f"python:{PYTHON}"
    assert f"FROM python:{PYTHON}-slim\n" in DOCKERFILE


def test_binder_installs_the_lock_and_takes_the_steps_of_the_makefile(monkeypatch, tmp_path):
    (requirement,) = lines("binder/requirements.txt")
    assert (ROOT / "binder" / requirement.removeprefix("-r ")).resolve() == ROOT / "requirements.lock"
    _, lab, project = lines("binder/postBuild")
    (by_make,) = re.findall(r"\$\(BIN\)/(python .* -r requirements-lab\.lock)", MAKEFILE)
    assert lab == by_make
    seen: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    Path(".venv").mkdir()
    monkeypatch.setattr(subprocess, "run", lambda command, check: seen.append(command))
    dev.install()
    assert shlex.split(project)[1:] == seen[-1][1:]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission")
def test_binder_can_run_its_script():
    assert os.access(ROOT / "binder" / "postBuild", os.X_OK)
    subprocess.run(["bash", "-n", ROOT / "binder" / "postBuild"], check=True)


def test_codespaces_and_docker_run_targets_of_the_makefile():
    assert is_target(DEVCONTAINER["postCreateCommand"]) and not is_target("make nothing")
    steps = re.findall(r"^RUN (make .*)$", DOCKERFILE, flags=re.MULTILINE)
    assert steps == ["make install", "make book MODE=recorded"] and all(map(is_target, steps))
    (serve,) = re.findall(r"^CMD (.*)$", DOCKERFILE, flags=re.MULTILINE)
    assert json.loads(serve)[-1] == re.findall(r"^HTML +:= (.*)$", MAKEFILE, flags=re.MULTILINE)[0]


def test_an_image_gets_nothing_that_git_ignores_for_being_made():
    ignored = {line.strip("/") for line in lines(".gitignore")}
    assert ignored <= {line.removeprefix("**/") for line in lines(".dockerignore")}


def test_ci_tests_every_system_and_python_that_the_readme_names():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| (Linux|macOS|Windows)[^|]*\| (3\.\d+) to (3\.\d+) \|", readme, flags=re.MULTILINE)
    assert len(named) == 4 and {(oldest, newest) for _, oldest, newest in named} == {(PYTHONS[0], PYTHONS[-1])}
    matrix = WORKFLOWS["tests"]["jobs"]["tests"]["strategy"]["matrix"]
    assert {each.partition("-")[0] for each in matrix["os"]} == {"ubuntu", "macos", "windows"} and len(
        matrix["os"]
    ) == 4
    assert {*matrix["python"], *(each["python"] for each in matrix["include"])} == set(PYTHONS)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_runs_commands_of_the_project(name):
    """Each command is a target of the Makefile, a command of lil.dev, or ``lil`` itself; actions have a version."""
    for job in WORKFLOWS[name]["jobs"].values():
        for step in job["steps"]:
            command = step.get("run", "")
            of_dev = command.removeprefix("python -m lil.dev ") in dev.STEPS
            assert "uses" in step or is_target(command) or of_dev or command.startswith(".venv/bin/lil "), step
            assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"]), step
