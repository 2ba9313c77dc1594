"""The environment: one in pyproject.toml, requirements.lock and environment.yml; a wheel that is complete in it."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
TEXT = ("", ".cfg", ".cff", ".in", ".lock", ".md", ".py", ".toml", ".txt", ".yml", ".yaml")


LAB = (ROOT / "requirements-lab.lock").read_text()  # what `make lab` adds


def direct_requirements() -> list[Requirement]:
    extras = [lines for name, lines in PROJECT["optional-dependencies"].items() if name != "lab"]
    return [Requirement(line) for line in [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]]


def locked(lock: str = LOCK) -> list[tuple[Requirement, str]]:
    """Each pinned requirement of a lock file with the text of its entry."""
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    return [(Requirement(entry.split("\\")[0].strip()), entry) for entry in entries]


def locked_here() -> dict[str, str]:
    """Versions that the lock file gives this interpreter on this system."""
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin, _ in locked()
        if pin.marker is None or pin.marker.evaluate()
    }


def test_every_pin_is_one_version_with_checksums():
    for pin, entry in locked() + locked(LAB):
        assert re.fullmatch(r"==[^*,]+", str(pin.specifier)), pin
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), pin


@pytest.mark.parametrize("requirement", direct_requirements(), ids=lambda requirement: requirement.name)
def test_the_lock_satisfies_the_project(requirement):
    assert requirement.specifier.contains(locked_here()[canonicalize_name(requirement.name)])


def test_the_lab_adds_packages_and_changes_none():
    pins = {(pin.name, str(pin.marker)): str(pin.specifier) for pin, _ in locked()}
    lab = {(pin.name, str(pin.marker)): str(pin.specifier) for pin, _ in locked(LAB)}
    here = locked_here()
    for (name, _), version in lab.items():
        assert here.get(canonicalize_name(name), version.removeprefix("==")) in version, name
    (wanted,) = map(Requirement, PROJECT["optional-dependencies"]["lab"])
    assert wanted.specifier.contains(lab["jupyterlab", "None"].removeprefix("==")) and lab.keys() - pins.keys()


@pytest.mark.parametrize("name", sorted({canonicalize_name(requirement.name) for requirement in direct_requirements()}))
def test_what_is_installed_is_what_is_locked(name):
    assert importlib.metadata.version(name) == locked_here()[name]


def test_what_is_installed_offers_what_the_project_offers():
    offered = {(point.group, point.name): point for point in importlib.metadata.distribution("lil").entry_points}
    groups = PROJECT["entry-points"] | {"console_scripts": PROJECT["scripts"]}
    assert {key: point.value for key, point in offered.items()} == {
        (group, name): value for group, points in groups.items() for name, value in points.items()
    }, "run `make install` again"
    for point in offered.values():
        point.load()


def test_conda_users_get_the_lock_and_a_python_that_fits():
    (python,) = [line for line in CONDA["dependencies"] if isinstance(line, str) and line.startswith("python=")]
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python="))
    (pip,) = [line["pip"] for line in CONDA["dependencies"] if isinstance(line, dict)]
    assert pip == ["-r requirements.lock"]


def test_no_tracked_file_names_a_package_index():
    # Where packages come from is the business of whoever installs; the words are split so as not to find themselves.
    forbidden = re.compile(
        "|".join(["--" + "(extra-)?index" + "-url", "--find" + "-links", "pypi" + r"\.org", "python" + "hosted"])
    )
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix in TEXT:
            assert not forbidden.search(path.read_text()), name


def run(*command: str | Path, cwd: Path) -> str:
    """Return the output of a command that must succeed."""
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=elsewhere, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def folder(environment: Path, kind: str) -> Path:
    return Path(sysconfig.get_path(kind, "venv", {"base": str(environment)}))


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Return an environment with the wheel of this tree: the packages of this environment, but not the tree itself."""
    tree = tmp_path_factory.mktemp("tree")  # a build leaves files behind, and takes along those of an earlier build
    for name in ("lil", "results"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", "wheels", ".", cwd=tree)
    (wheel,) = tree.glob("wheels/*.whl")
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    # A folder named in a .pth file is searched, but its own .pth files are not read: the editable install stays hidden.
    (folder(environment, "purelib") / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    run(*pip, "--python", environment, "install", "--no-deps", "--no-index", wheel, cwd=tree)
    shutil.rmtree(tree)
    return environment


def test_a_wheel_holds_all_data_of_the_package(installed):
    package = folder(installed, "purelib") / "lil"
    files = (path for path in (ROOT / "lil").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    data = [path for path in files if path.suffix != ".py"]
    assert {path.suffix for path in data} >= {".json", ".safetensors"}
    for path in data:
        assert (package / path.relative_to(ROOT / "lil")).read_bytes() == path.read_bytes()


def test_an_installed_package_finds_every_committed_record(installed, tmp_path):
    listing = run(folder(installed, "scripts") / "lil", "results", cwd=tmp_path)
    states = dict(re.findall(r"^(\S+) +(\w+)", listing, flags=re.MULTILINE))
    recorded = [Path(line.split()[1]) for line in (ROOT / "results" / "SHA256SUMS").read_text().splitlines()]
    assert {states.get(str(path.with_suffix(""))) for path in recorded} <= {"current", "stale"}
