"""The package as it is installed: with the weights, the verdicts and the records, and without the repository."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tracked import copy_folder

ROOT = Path(__file__).parents[2]
NEEDED = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "lil", "results")
READS = """
import sys
from pathlib import Path
import lil
from lil.experiments import fig1_mappings
from lil.results import listing, records
from lil.recipes import mappings

assert Path(lil.__file__).is_relative_to(sys.argv[1]), lil.__file__
record = records.read_evaluation(fig1_mappings)
networks = records.read_networks(mappings, mappings.PAPER)
print(record.sizes["seed"], len(networks.tensors), {row.state for row in listing("lil.experiments")} & {"damaged"})
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The content of a wheel that is built from a copy of the project, without a network."""
    top = tmp_path_factory.mktemp("wheel")
    for name in NEEDED:
        source, copy = ROOT / name, top / "project" / name
        if source.is_dir():
            copy_folder(source, copy)
        else:
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(source, copy)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", top, top / "project"], check=True, capture_output=True)
    (wheel,) = top.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(top / "site-packages")
    return top / "site-packages"


def test_a_wheel_has_everything_that_the_package_reads(installed):
    for folder, where in (("lil/weights", "lil/weights"), ("results", "lil/_records")):
        expected = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert expected == {
            path.relative_to(installed / where) for path in (installed / where).rglob("*") if path.is_file()
        }
    for path in (ROOT / "lil").rglob("*"):
        if path.suffix in (".py", ".json", ".toml"):
            assert (installed / path.relative_to(ROOT)).exists(), path
    assert not (installed / "results").exists() and not (installed / "tests").exists()


def test_an_installed_package_reads_its_records(installed, tmp_path):
    command = [sys.executable, "-P", "-c", READS, str(installed)]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(installed), "HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "5 10 set()\n"
