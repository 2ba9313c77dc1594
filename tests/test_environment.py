"""The environment: one in pyproject.toml, requirements.lock and environment.yml; a wheel that is complete in it."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from tracked import copy_folder, tracked

from tests import wheels
from tests.wheels import PYTHONS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
TEXT = ("", ".cfg", ".cff", ".in", ".lock", ".md", ".py", ".toml", ".txt", ".yml", ".yaml")


LAB = (ROOT / "requirements-lab.lock").read_text(encoding="utf-8")  # what `make lab` adds


def direct_requirements() -> list[Requirement]:
    extras = [lines for name, lines in PROJECT["optional-dependencies"].items() if name != "lab"]
    return [Requirement(line) for line in [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]]


def wanted_here() -> list[Requirement]:
    """Return the requirements that the project has on this system."""
    return [requirement for requirement in direct_requirements() if holds(requirement)]


def holds(requirement: Requirement, environment: dict[str, str] | None = None) -> bool:
    """Return True if a requirement counts in an environment, by default in this one."""
    return requirement.marker is None or requirement.marker.evaluate(environment)


def locked(lock: str = LOCK) -> list[tuple[Requirement, str]]:
    """Return each pinned requirement of a lock file with the text of its entry."""
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    return [(Requirement(entry.split("\\")[0].strip()), entry) for entry in entries]


def locked_here() -> dict[str, str]:
    """Versions that the lock file gives this interpreter on this system."""
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin, _ in locked() if holds(pin)}


def test_every_pin_is_one_version_with_checksums():
    for pin, entry in locked() + locked(LAB):
        assert re.fullmatch(r"==[^*,]+", str(pin.specifier)), pin
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), pin


@pytest.mark.parametrize("requirement", wanted_here(), ids=lambda requirement: requirement.name)
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


@pytest.mark.parametrize("name", sorted({canonicalize_name(requirement.name) for requirement in wanted_here()}))
def test_what_is_installed_is_what_is_locked(name):
    installed = importlib.metadata.version(name)
    assert installed.partition("+")[0] == locked_here()[name]  # 2.15.0+cpu is PyTorch 2.15.0, without CUDA


SYSTEMS = {  # the values of the markers that tell platforms apart
    "Linux, x86_64": dict(sys_platform="linux", platform_system="Linux", platform_machine="x86_64", os_name="posix"),
    "Linux, ARM64": dict(sys_platform="linux", platform_system="Linux", platform_machine="aarch64", os_name="posix"),
    "macOS, arm64": dict(sys_platform="darwin", platform_system="Darwin", platform_machine="arm64", os_name="posix"),
    "Windows, x86_64": dict(sys_platform="win32", platform_system="Windows", platform_machine="AMD64", os_name="nt"),
}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_one_version_of_each_package_on_every_system(system, python):
    """Only packages that the project names itself count; markers leave out one of them, gudhi on Linux on ARM64."""
    there = SYSTEMS[system] | dict(python_version=python, python_full_version=f"{python}.0")
    there |= dict(implementation_name="cpython", platform_python_implementation="CPython")
    pins = [canonicalize_name(pin.name) for pin, _ in locked() if holds(pin, there)]
    assert len(pins) == len(set(pins))
    named = {canonicalize_name(requirement.name) for requirement in direct_requirements()}
    assert named - set(pins) == ({"gudhi"} if system == "Linux, ARM64" else set())
    cuda = {name for name in pins if name.startswith(("nvidia-", "cuda-")) or name == "triton"}
    assert bool(cuda) == system.startswith("Linux")
    assert ("colorama" in pins) == system.startswith("Windows") == ("pexpect" not in pins)


BROUGHT = {  # by a package that the project names, and that would be of no use without them
    "PIL": "torchvision",
    "cycler": "matplotlib",
    "dask": "distributed",
    "IPython": "ipykernel",
    "jupyter_client": "ipykernel",
    **dict.fromkeys(("docutils", "myst_nb", "pybtex", "sphinx"), "jupyter-book"),
}


def imports(tree: ast.AST, top: bool = True) -> Iterator[tuple[str, bool]]:
    """Yield each package that a module imports from outside, and True where importing the module imports it too."""
    for node in ast.iter_child_nodes(tree):
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Try)
        yield from imports(node, top and not inside)
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], top


def closure(name: str) -> set[str]:
    """Return the distributions that come with one, itself among them."""
    found, waiting = set(), {canonicalize_name(name)}
    while waiting:
        found.add(one := waiting.pop())
        required = map(Requirement, importlib.metadata.requires(one) or [])
        waiting |= {canonicalize_name(each.name) for each in required if holds(each, {"extra": ""})} - found
    return found


def test_every_package_that_the_code_imports_is_named_in_pyproject():
    """Packages of an extra are imported inside functions, or by modules of ``lil.paper``, which make the book."""
    core = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    extras = {canonicalize_name(each.name) for each in direct_requirements()} - core
    distributions = importlib.metadata.packages_distributions()
    seen = set()
    for path in sorted((ROOT / "lil").rglob("*.py")):
        for package, at_once in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if package in sys.stdlib_module_names or package == "lil":
                continue
            seen.add(package)
            of = {canonicalize_name(name) for name in distributions[package]}
            if package in BROUGHT:
                assert of <= closure(BROUGHT[package]), package
                of = {BROUGHT[package]}
            late = not at_once or ROOT / "lil" / "paper" in path.parents
            assert of <= (core | extras if late else core), f"{path.relative_to(ROOT)} imports {package}"
    assert {*BROUGHT, "torch", "yaml", "sklearn", "distributed"} <= seen and "pytest" not in seen


def test_every_pin_has_a_wheel_on_every_system():
    assert wheels.TARGETS.keys() == SYSTEMS.keys()
    assert wheels.RECORD.read_text("utf-8") == wheels.record(), (
        "wheels were looked for of other locks: `make lock`, or `python -m tests.wheels UV` where they are right"
    )


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
    for path in tracked():
        if path.suffix in TEXT:
            assert not forbidden.search(path.read_text(encoding="utf-8")), path


def test_files_are_listed_without_git_and_in_a_clone_of_another_owner(monkeypatch, tmp_path):
    """As git lists them; untracked files that git does not ignore are not in a clone, so they do not count."""
    names = {path.relative_to(ROOT) for path in tracked()}
    assert {Path("README.md"), Path(".ci/run"), Path("tests/test_environment.py")} <= names
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    shutil.copy(ROOT / ".gitignore", tmp_path)
    for ignored in ("_build/x.html", "book/nb/x.ipynb", "lil/__pycache__/x.pyc", ".venv/bin/python"):
        (tmp_path / ignored).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / ignored).touch()
    assert {path.relative_to(tmp_path) for path in tracked(tmp_path)} == names
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own switch, for its tests
    assert {path.relative_to(ROOT) for path in tracked()} == names


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
        copy_folder(ROOT / name, tree / name)
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


def contents(top: Path) -> dict[Path, bytes]:
    """Return the content of each file below a folder, by its path there."""
    files = (path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(top): path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_wheel_holds_the_package_with_its_data_and_the_records_and_nothing_else(installed):
    site = folder(installed, "purelib")
    records = {Path("_records") / path: content for path, content in contents(ROOT / "results").items()}
    package = contents(ROOT / "lil")
    assert {path.suffix for path in package} >= {".py", ".json", ".toml", ".safetensors"} and len(records) > 20
    assert contents(site / "lil") == package | records
    assert not (site / "results").exists() and not (site / "tests").exists()


@pytest.mark.slow
def test_an_installed_package_finds_every_committed_record(installed, tmp_path):
    listing = run(folder(installed, "scripts") / "lil", "results", cwd=tmp_path)
    states = dict(re.findall(r"^(\S+) +(\w+)", listing, flags=re.MULTILINE))
    recorded = [Path(line.split()[1]) for line in (ROOT / "results" / "SHA256SUMS").read_text("utf-8").splitlines()]
    assert {states.get(str(path.with_suffix(""))) for path in recorded} <= {"current", "stale"}
