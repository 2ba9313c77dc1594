"""The matrix of planted faults is alive: each plant applies, the record has each, and a few are planted anew."""

import subprocess
import sys

import pytest

from lil.paper import shipped
from tests.trust.forked import ROOT
from tests.trust.planted import plants

PLANTS = plants()
RECORD = ROOT / "tests/trust/records/planted.json"


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_each_plant_still_applies(plant):
    """Its old text stands once in its file, and its tests are there."""
    assert plant.text() != (ROOT / plant.file).read_text(encoding="utf-8") and plant.mistake.endswith(".")
    paths = [ROOT / each for each in plant.tests if each.startswith("tests/")]
    assert paths and all(path.is_file() for path in paths)


def test_a_plant_that_no_longer_applies_is_an_error():
    for old in ("no such text", "import"):
        with pytest.raises(ValueError, match=r"stands \d+ times in lil/isometry.py: mend plants.toml"):
            PLANTS[0]._replace(old=old).text()


def test_the_record_is_of_these_plants_and_none_was_missed():
    record = shipped.read_sealed(RECORD)
    recorded = [row["mistake"] for row in record["rows"]]
    assert recorded == [plant.mistake for plant in PLANTS]
    assert record["counts"] == {"planted": len(recorded), "noticed": len(recorded), "missed": 0}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_planted_anew_a_few_are_noticed():
    command = [sys.executable, "-m", "tests.trust.planted", "--sample"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("tests/") >= 2 and "MISSED" not in run.stdout
