"""Long use: a process that keeps what it should give back is noticed, and the experiments do not."""

import json
import tempfile
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lil.experiments import fig1_mappings
from tests.trust import long_use, recording

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells what a process holds")
KEPT = []


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """A temporary folder of the test's own, and nothing kept after it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    while KEPT:
        KEPT.pop()()


def forget_a_file():
    file = Path(__file__).open()  # noqa: SIM115  it stays open
    KEPT.append(file.close)


def forget_a_thread():
    done = threading.Event()
    threading.Thread(target=done.wait).start()
    KEPT.append(done.set)


def forget_a_temporary_file():
    Path(tempfile.mkdtemp(), "left").touch()


def forget_memory():
    KEPT.append((bytearray(b"x") * 2**22).clear)


@pytest.mark.parametrize(
    ("run", "names"),
    [
        (forget_a_file, ["open files"]),
        (forget_a_thread, ["threads"]),
        (forget_a_temporary_file, ["temporary files"]),
        (forget_memory, ["memory (MiB)"]),
        (lambda: bytearray(b"x") * 2**22, []),
    ],
)
def test_growth_is_noticed(run, names):
    assert long_use.grown(*long_use.measured(run, 2, 8)) == names


def test_an_experiment_gives_back_what_it_takes():
    config = replace(fig1_mappings.QUICK, mappings=replace(fig1_mappings.QUICK.mappings, epochs=20))
    assert long_use.grown(*long_use.measured(partial(fig1_mappings.run, config), 4, 12)) == []


@pytest.mark.parametrize(("late", "grown", "status"), [(9.0, "nothing", 0), (30.0, "memory (MiB)", 1)])
def test_the_record_has_a_row_for_each_experiment(tmp_path, monkeypatch, late, grown, status):
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    monkeypatch.setattr(recording, "_commit", lambda: "0123abc")
    measures = [{"memory (MiB)": 1.5, "threads": 2}, {"memory (MiB)": late, "threads": 2}]
    monkeypatch.setattr(long_use, "in_a_process", lambda name: long_use.row(name, *measures))
    assert long_use.main([]) == status
    record = json.loads((tmp_path / "long_use.json").read_text("utf-8"))
    assert record["counts"] == {"steady": 3 * (1 - status), "grown": 3 * status}
    assert record["rows"][0] == {
        "experiment": "`fig1_mappings`",
        "runs": "10 → 50",
        "memory (MiB)": f"1.5 → {late:g}",
        "threads": "2 → 2",
        "grown": grown,
    }
