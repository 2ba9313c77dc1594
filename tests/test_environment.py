"""pyproject.toml, requirements.lock and environment.yml name one environment, and no place to fetch it from."""

import importlib.metadata
import re
import subprocess
import tomllib
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


def direct_requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(line) for line in [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]]


def locked() -> list[tuple[Requirement, str]]:
    """Each pinned requirement of the lock file with the text of its entry."""
    entries = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    return [(Requirement(entry.split("\\")[0].strip()), entry) for entry in entries]


def locked_here() -> dict[str, str]:
    """Versions that the lock file gives this interpreter on this system."""
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin, _ in locked()
        if pin.marker is None or pin.marker.evaluate()
    }


def test_every_pin_is_one_version_with_checksums():
    for pin, entry in locked():
        assert re.fullmatch(r"==[^*,]+", str(pin.specifier)), pin
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), pin


@pytest.mark.parametrize("requirement", direct_requirements(), ids=lambda requirement: requirement.name)
def test_the_lock_satisfies_the_project(requirement):
    assert requirement.specifier.contains(locked_here()[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("name", sorted({canonicalize_name(requirement.name) for requirement in direct_requirements()}))
def test_what_is_installed_is_what_is_locked(name):
    assert importlib.metadata.version(name) == locked_here()[name]


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
        if path.is_file() and path.suffix in (
            "",
            ".cfg",
            ".cff",
            ".in",
            ".lock",
            ".md",
            ".py",
            ".toml",
            ".txt",
            ".yml",
            ".yaml",
        ):
            assert not forbidden.search(path.read_text()), name
