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


@pytest.mark.parametrize(
    ("text", "found"),
    [("8.8e+06 to 1.2e+07", "8.8 × 10⁶ to 1.2 × 10⁷"), ("3e-05", "3 × 10⁻⁵"), ("1e+00 of some", "1 × 10⁰ of some")],
)
def test_powers_of_ten_are_written_out(text, found):
    assert markdown.powers(text) == found.replace(" × ", "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}")


def test_a_fold_says_how_many_rows_it_has():
    text = "Measured.\n\n" + markdown.table(("a", "b"), [("1", "2"), ("3", "4")])
    assert markdown.folded("Two numbers", text) == f":::{{dropdown}} Two numbers (2 rows)\n{text}\n:::"
    assert markdown.folded("Waits", "*This waits.*") == "*This waits.*"


def test_the_environment_has_versions_of_what_the_results_depend_on():
    rows = dict(rows_of(status.environment()))
    assert {"Python", "torch", "xarray", "jupyter-book"} <= rows.keys() and "pytest" not in rows


def test_a_package_that_a_system_lacks_has_no_row(monkeypatch):
    version = status.importlib.metadata.version

    def without_gudhi(name):
        if name == "gudhi":
            raise status.importlib.metadata.PackageNotFoundError(name)
        return version(name)

    before = rows_of(status.environment())
    monkeypatch.setattr(status.importlib.metadata, "version", without_gudhi)
    assert [row for row in before if row not in rows_of(status.environment())] == [
        row for row in before if row[0] == "gudhi"
    ]


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


ENGINE = json.dumps({"name": "fast", "code": "0"})


def test_records_have_their_engine(monkeypatch):
    computed = row("a", engine=ENGINE)
    listed = [computed, row("b", state="stale", changed=("code", "data")), Row("c", "missing")]
    monkeypatch.setattr(status.results, "listing", lambda package: listed)
    text = status.records()
    assert text.startswith("All were computed on Z80.")
    a, b, c = rows_of(text)
    assert a == ["{record}`a`", "current", "2026-01-02", "12", "100", "fast"]
    assert b[1] == "stale (code, data)" and b[5] == "none yet" and c == ["{record}`c`", "missing", *"–" * 4]


def test_witnesses_have_their_differences_and_settings(monkeypatch):
    listed = [row("a", engine=ENGINE, witness=json.dumps(WITNESS)), row("b"), Row("c", "missing")]
    monkeypatch.setattr(status.results, "listing", lambda package: listed)
    same, whole, weights = (markdown.powers(each) for each in ("3.0e-05", "2.0e-03", "1.2e-07"))
    table = status.witnesses()
    assert rows_of(table) == [["a", "2026-11-29", "2", same, f"{whole} (`accuracy`)", weights]]
    assert table.endswith(status.WITNESSES)
    assert rows_of(status.witness_settings()) == [["a", "lines.betas = 0, 10, lines.epochs = 100"]]


def test_the_page_begins_with_its_answer(monkeypatch, tmp_path):
    listed = [row("a"), row("b", state="stale"), Row("networks/c", NOT_KEPT)]
    monkeypatch.setattr(status.results, "listing", lambda package: listed)
    records = "1 of 2 records are current: the code beside each is the code that computed it."
    assert status.answer(tmp_path) == records
    for name, mode in (("one", "auto"), ("two", "recorded")):
        notebook = nbformat.v4.new_notebook(metadata={"lil": {"mode": mode, "seconds": 90.0}})
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    listed[0] = row("a", engine=ENGINE, witness=json.dumps(WITNESS))
    found = f"from the same weights it evaluates numbers within {markdown.powers('3e-05')} of the largest."
    pages = "The 2 notebooks were executed in mode `auto` and `recorded`, and their times add up to 3 min."
    assert status.answer(tmp_path) == f"{records} The plain engine has witnessed 1 of them: {found} {pages}"
    listed[0] = row("a", engine=ENGINE, witness=json.dumps(WITNESS | {"evaluation": {"accuracy": 0.0}}))
    assert "from the same weights it evaluates the same numbers." in status.answer(tmp_path)
    listed[0] = row("a", code="2", engine=ENGINE, witness=json.dumps(WITNESS))
    assert status.answer(tmp_path) == f"{records} {pages}", "an outdated witness does not count"


@pytest.mark.parametrize(
    "attrs, words",
    [
        ({"code": "2"}, "outdated, 2026-11-29"),
        ({"engine": json.dumps({"name": "fast", "code": "2"})}, "outdated, 2026-11-29"),
        ({"witness": json.dumps(WITNESS | {"carried": "2026-12-01 10:00:00 UTC"})}, "2026-11-29, affirmed 2026-12-01"),
        ({"networks": "{}", "training": "{}"}, "none: nothing is trained"),
    ],
)
def test_a_witness_of_other_code_or_of_no_network_is_told(attrs, words, monkeypatch):
    listed = [row("a", **{"engine": ENGINE, "witness": json.dumps(WITNESS)} | attrs)]
    monkeypatch.setattr(status.results, "listing", lambda package: listed)
    assert rows_of(status.witnesses())[0][1] == words


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
    one = {"file": "lil/fast/minibatches.py", "lines": 140, "speeds_up": "MNIST's training", "ratio": "7.12"}
    assert rows_of(status.wing(TIMINGS | {"wing": [one]})) == [
        ["`lil/fast/minibatches.py`", "140", "MNIST's training", "7.12", "–"]
    ]


def test_the_recorded_timings_make_their_tables():
    timings = status.read_timings()
    assert len(rows_of(status.speed(timings))) == len(timings["rows"]) and status.wing(timings)
