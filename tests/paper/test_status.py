"""The tables of the status page."""

import json

import nbformat
import pytest

from lil.paper import markdown, status
from lil.paper.judging import EXPERIMENTS
from lil.results.listing import NOT_KEPT, Row


def rows_of(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_a_bar_in_a_cell_does_not_end_it():
    assert markdown.table(("a", "b"), [("x|y", "z")]) == "| a | b |\n| --- | --- |\n| x\\|y | z |"


def test_the_environment_has_versions_of_what_the_results_depend_on():
    rows = dict(rows_of(status.environment()))
    assert {"Python", "torch", "xarray", "jupyter-book"} <= rows.keys() and "pytest" not in rows


def test_each_executed_notebook_has_its_row(tmp_path):
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["lil"] = {"profile": "paper", "mode": "auto", "seconds": 12.4, "peak_memory_mb": None}
    for name in ("fig2_rings", "fig1.part"):
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    assert rows_of(status.notebooks(tmp_path)) == [["fig2_rings", "paper", "auto", "12", "–"]]


def row(name, machine="Z80", state="current", changed=(), **attrs):
    cost = dict(date="2026-01-02 03:04:05 UTC", seconds=12.3, peak_memory_mb=99.6, machine=machine)
    cost |= dict(code="1", networks='{"lines": "2"}')
    return Row(name, state, changed, cost | attrs)


WITNESS = {
    "date": "2026-11-29 10:00:00 UTC",
    "machine": "Z80",
    "engine": "0",
    "code": "1",
    "settings": {"lines.betas": [0.0, 10.0], "lines.epochs": 100},
    "networks": 2,
    "weights": {"w": 1.2e-7, "b": 1e-8},
    "evaluation": {"accuracy": 3e-5, "pictures": 0.5},
    "whole": {"accuracy": 2e-3},
    "not_compared": ["pictures"],
    "seconds": 12.0,
}


def test_records_have_their_engine_and_witness(monkeypatch):
    computed = row("a", engine=json.dumps({"name": "fast", "code": "0"}), witness=json.dumps(WITNESS))
    listed = [computed, row("b", state="stale", changed=("code", "data")), Row("c", "missing")]
    monkeypatch.setattr(status.results, "listing", lambda package: listed)
    text = status.records()
    assert text.startswith("All were computed on Z80.")
    a, b, c = rows_of(text)
    assert a[:6] == ["{record}`a`", "current", "2026-01-02", "12", "100", "fast"]
    assert a[6] == (
        "2026-11-29; 2 networks, lines.betas = 0, 10, lines.epochs = 100; 3.0e-05 in numbers from the same weights; "
        "2.0e-03 in numbers after training by either engine (accuracy); 1.2e-07 in weights"
    )
    assert b[1] == "stale (code, data)" and b[5:] == ["none yet"] * 2 and c == ["{record}`c`", "missing", *"–" * 5]
    assert text.endswith(status.WITNESSES)


@pytest.mark.parametrize(
    "attrs, words",
    [
        ({"code": "2"}, "outdated, 2026-11-29; 2 networks"),
        ({"engine": json.dumps({"name": "fast", "code": "2"})}, "outdated, 2026-11-29; 2 networks"),
        (
            {"witness": json.dumps(WITNESS | {"carried": "2026-12-01 10:00:00 UTC"})},
            "2026-11-29, affirmed 2026-12-01; 2",
        ),
        ({"networks": "{}", "training": "{}"}, "none: nothing is trained"),
        ({"networks": "{}"}, "–"),
    ],
)
def test_a_witness_of_other_code_or_of_no_network_is_told(attrs, words):
    record = row("a", engine=json.dumps({"name": "fast", "code": "0"}), witness=json.dumps(WITNESS)).attrs
    assert status.witness(record).startswith("2026-11-29; 2 networks, ")
    assert status.witness(record | attrs).startswith(words)


def test_the_variables_that_training_changed_most_are_named():
    for listed in status.results.listing(EXPERIMENTS):
        for name, share in json.loads((listed.attrs or {}).get("witness", '{"whole": {}}'))["whole"].items():
            assert share < 0.2 or f"`{name}`" in status.WITNESSES, (listed.name, name, share)


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "One set of networks is larger than 4 MiB"), (3, "3 sets of networks are larger than 4 MiB")],
)
def test_networks_that_are_not_kept_are_counted(monkeypatch, count, words):
    listed = [row("a"), *[Row("networks/mnist/paper", NOT_KEPT)] * count]
    monkeypatch.setattr(status.results, "listing", lambda package: listed)
    text = status.records()
    assert len(rows_of(text)) == 1 and words in text.splitlines()[-1]
    monkeypatch.setattr(status.results, "listing", lambda package: listed[:1])
    assert "networks are" not in status.records()


def test_records_of_two_machines_name_theirs(monkeypatch):
    monkeypatch.setattr(status.results, "listing", lambda package: [row("a"), row("b", machine="6502")])
    assert [cells[-1] for cells in rows_of(status.records())] == ["Z80", "6502"]


TIMINGS = {
    "date": "2026-11-26",
    "machine": "Z80",
    "threads": 2,
    "rows": [
        {"what": "rings", "unit": "a run", "ours": 20.0, "naive": 1500.0, "floor": None},
        {"what": "attack", "unit": "an image", "ours": 3.0, "naive": None, "floor": 2.0},
    ],
}


def test_ratios_stand_beside_the_times():
    assert rows_of(status.speed(TIMINGS)) == [
        ["rings", "a run", "20", "1,500", "75.0", "–", "–"],
        ["attack", "an image", "3", "–", "–", "2", "1.50"],
    ]


def test_the_wing_is_told_file_by_file_once_it_was_measured():
    assert status.wing(TIMINGS) == "Not measured yet: `make bench` does."
    one = {"file": "lil/fast/minibatches.py", "lines": 140, "speeds_up": "MNIST's training", "ratio": 7.123}
    assert rows_of(status.wing(TIMINGS | {"wing": [one]})) == [
        ["`lil/fast/minibatches.py`", "140", "MNIST's training", "7.12", "–"]
    ]


def test_the_recorded_timings_make_their_tables():
    timings = status.read_timings()
    assert len(rows_of(status.speed(timings))) == len(timings["rows"]) and status.wing(timings)
