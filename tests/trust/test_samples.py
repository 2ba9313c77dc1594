"""A small sample of each harness that is too long for these tests: it ends well, and it would notice a fault."""

import subprocess
import sys

import pytest

from lil.paper import shipped
from lil.paper.pages import ROOT

RECORDS = ROOT / "tests" / "trust" / "records"


SAMPLES = """
import random, sys, tempfile
from pathlib import Path
from tests.trust import corruption, inputs, kills, kinds, storms, targets

path = Path(sys.argv[1])
path.write_text('{"number": 3.25}')
careless = kinds.Kind("a file that nobody checks", path, path.read_bytes, 12)
assert corruption.try_all(careless, 12, random.Random(0))["missed"] == 12
told = f"lil/paper/claims.toml is not {tempfile.gettempdir()}/0/x.nc"
assert corruption.without_folders(told) == "lil/paper/claims.toml is not x.nc"

half = lambda: [path.write_text(text * 100000) for text in "ab" * 20] and None
torn = storms.Storm("writing in place", half, half, lambda: len(path.read_text("utf-8")) == 100000, lambda: True)
assert kills.kill(torn, 20, random.Random(0))["failed"] > 0

root = targets.Target("a root", targets.numbers, lambda x: x ** 0.5, lambda x, y: not isinstance(y, complex))
assert inputs.row(root, 30)["unclear"] > 0

raise SystemExit(max(each.main(["--sample"]) for each in (kills, corruption, inputs)))
"""


@pytest.mark.slow
def test_a_sample_of_each_ends_well_and_notices_what_does_not(tmp_path):
    """In a process of its own: it forks, changes its folder, and wants no checks of types."""
    command = [sys.executable, "-c", SAMPLES, str(tmp_path / "file.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


UNWANTED = {"corruption": "missed", "faults": "failed", "inputs": "unclear"}  # the count that is 0


@pytest.mark.parametrize(
    "path", [path for path in sorted(RECORDS.glob("*.json")) if path.stem in UNWANTED], ids=lambda path: path.stem
)
def test_the_record_of_the_whole(path):
    record = shipped.read_sealed(path)
    counts, rows, unwanted = record["counts"], record["rows"], UNWANTED[path.stem]
    assert record["command"] == f"make test-{path.stem}" and record["name"] == path.stem
    assert counts["tried"] == sum(row["tried"] for row in rows) > 300
    assert counts[unwanted] == sum(row[unwanted] for row in rows) == 0
