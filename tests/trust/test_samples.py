"""A small sample of each harness that is too long for these tests: it ends well, and it would notice a fault."""

import json
import subprocess
import sys

import pytest

from lil.paper.pages import ROOT

RECORDS = ROOT / "tests" / "trust" / "records"


@pytest.mark.parametrize("name", ["corruption", "kills", "inputs"])
def test_a_sample(name):
    """In a process of its own: it forks, changes its folder, and wants no checks of types."""
    command = [sys.executable, "-m", f"tests.trust.{name}", "--sample"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "name, command, unwanted",
    [
        ("corruption", "make test-corruption", "missed"),
        ("faults", "make test-faults", "failed"),
        ("inputs", "make test-inputs", "unclear"),
    ],
)
def test_the_record_of_the_whole(name, command, unwanted):
    record = json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))
    counts, rows = record["counts"], record["rows"]
    assert record["command"] == command and counts["tried"] == sum(row["tried"] for row in rows) > 300
    assert counts[unwanted] == sum(row[unwanted] for row in rows) == 0
