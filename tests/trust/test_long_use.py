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
KEPT, MEMORY = [], long_use.MEMORY


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
    KEPT.append((bytearray(b"x") * 2**26).clear)  # too large for memory that earlier tests have given back


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "names"),
    [
        (forget_a_file, ["open files"]),
        (forget_a_thread, ["threads"]),
        (forget_a_temporary_file, ["temporary files"]),
        (forget_memory, [MEMORY]),
        (lambda: bytearray(b"x") * 2**22, []),
    ],
)
def test_growth_is_noticed(run, names):
    assert long_use.grown(*long_use.measured(run, 2, 8)) == names


@pytest.mark.slow
def test_an_experiment_gives_back_what_it_takes():
    config = replace(fig1_mappings.QUICK, mappings=replace(fig1_mappings.QUICK.mappings, epochs=20))
    assert long_use.grown(*long_use.measured(partial(fig1_mappings.run, config), 4, 12)) == []


@pytest.fixture
def measures(tmp_path, monkeypatch):
    """Made-up measures of experiments by name, and a folder of the test's own for the record."""
    monkeypatch.setattr(long_use, "EXPERIMENTS", ("fig1_mappings", "fig2_rings", "fig3_mnist"))
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    monkeypatch.setattr(recording, "_commit", lambda: "0123abc")
    found = dict.fromkeys(long_use.EXPERIMENTS, (2.5, 2))

    def in_a_process(name):
        memory, threads = found[name]
        return long_use.row(name, {MEMORY: 1.5, "threads": 2}, {MEMORY: memory, "threads": threads}, 7.0)

    monkeypatch.setattr(long_use, "in_a_process", in_a_process)
    return found


def read(folder):
    return json.loads((folder / "long_use.json").read_text("utf-8"))


def test_the_record_has_a_row_for_each_experiment(tmp_path, measures):
    assert long_use.main([]) == 0
    record = read(tmp_path)
    assert record["counts"] == {"steady": 3, "grown": 0} and record["seconds"] == 21
    assert record["rows"][0] == {
        "experiment": "`fig1_mappings`",
        "runs": "10 → 50",
        MEMORY: "1.5 → 2.5",
        "threads": "2 → 2",
        "grown": "nothing",
        "seconds": 7,
    }


def test_a_rerun_of_one_experiment_keeps_the_rows_of_the_others(tmp_path, measures):
    long_use.main(["fig3_mnist"])
    measures["fig2_rings"] = (30.0, 3)
    assert long_use.main(["fig2_rings"]) == 1
    record = read(tmp_path)
    assert [row["grown"] for row in record["rows"]] == [f"{MEMORY}, threads", "nothing"]
    assert record["counts"] == {"steady": 1, "grown": 1}


def test_what_is_no_experiment_is_named(capsys):
    with pytest.raises(SystemExit):
        long_use.main(["fig9"])
    assert "fig9 is no experiment: choose from attackers_view, " in capsys.readouterr().err
