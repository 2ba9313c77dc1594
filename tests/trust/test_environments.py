"""The hard places: each is as it says, and tests pass in all of them at once."""

import json
import sys

import pytest

from tests.trust import environments, recording
from tests.trust.environments import ALL_AT_ONCE, C_LOCALE, LATIN_1, OTHER_OWNER, PLACES, Place

if sys.platform == "win32":
    pytest.skip("the places are made by POSIX permissions", allow_module_level=True)

CHEAP = (
    *("tests/notebooks/test_tolerance.py", "tests/results/test_files.py", "tests/test_environment.py", "-k"),
    "test_place or test_tolerance or test_files or listed_without_git or package_index",
)
AS_IT_SAYS = """
import sys
from importlib import import_module
from pathlib import Path

import lil

HERE = Path.cwd()


def can_write(path):
    try:
        path.write_text("x")
    except OSError:
        return False
    return True


def test_the_place(request):
    assert Path(lil.__file__).parents[1] == HERE and HERE.name == "Übungs Ordner"
    assert not can_write(HERE / "new") and not can_write(HERE / "results" / "new") and can_write(HERE.parent / "new")
    assert Path.home() == HERE.parent / "home" and not can_write(Path.home() / "new")
    assert not (HERE / ".git").exists()
    assert sys.__stdout__.encoding.lower() in ("latin-1", "iso8859-1")
    assert sys.flags.optimize == 1
    assert not request.config.pluginmanager.hasplugin("xdist")


def test_gudhi_is_absent():
    try:
        import_module("gudhi")
    except ModuleNotFoundError as error:
        assert error.name == "gudhi"
    else:
        raise AssertionError
"""


@pytest.mark.slow
def test_a_cheap_part_of_the_tests_passes_in_all_places_at_once(tmp_path):
    (tmp_path / "test_place.py").write_text(AS_IT_SAYS, encoding="utf-8")
    printed, passed, failed = environments.run(ALL_AT_ONCE, [*CHEAP, str(tmp_path / "test_place.py")])
    assert failed == 0 and passed > 30, printed


def test_all_places_at_once_are_each_of_them_but_for_what_excludes_another():
    """An archive has no owner, a folder with an umlaut no C locale, and without numba's compiler minutes go by."""
    whole = vars(ALL_AT_ONCE)
    for place in PLACES:
        ordinary = vars(Place(place.name, git=place.git))
        special = {name: value for name, value in vars(place).items() if value != ordinary[name]}
        environment = special.pop("environment", {})
        assert all(whole[name] == value for name, value in special.items()), place.name
        assert environment in ({}, OTHER_OWNER, C_LOCALE | LATIN_1, {"NUMBA_DISABLE_JIT": "1"})


@pytest.mark.parametrize(
    "printed, status, expected",
    [
        ("..\n== 12 passed, 3 skipped in 1.2s ==\n", 0, (12, 0)),
        ("== 2 failed, 12 passed, 1 error in 1.2s ==", 1, (12, 3)),
        ("INTERNALERROR> KeyError: 5 passed here\n\n", 3, (5, 1)),
        ("", -11, (0, 1)),
    ],
)
def test_what_pytest_prints_is_counted(printed, status, expected):
    assert environments.outcome(printed, status) == expected


@pytest.mark.parametrize("failed", [0, 2])
def test_the_record_counts_the_places(failed, monkeypatch, tmp_path):
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    monkeypatch.setattr(recording, "_commit", lambda: "0123abc")
    monkeypatch.setattr(environments, "run", lambda place: ("…", 40, failed if place is PLACES[1] else 0))
    assert environments.main() == int(failed > 0)
    record = json.loads((tmp_path / "environments.json").read_text("utf-8"))
    assert record["counts"] == {"without a failure": len(PLACES) - (failed > 0), "with failures": int(failed > 0)}
    assert [row["environment"] for row in record["rows"]] == [place.name for place in PLACES]
    assert record["rows"][1]["failed"] == failed and record["rows"][6]["command"] == "`python -O -m pytest`"


def test_places_that_did_not_run_keep_their_rows(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    monkeypatch.setattr(recording, "_commit", lambda: "0123abc")
    for passed, chosen in ((40, ["xdist", "umlaut"]), (50, ["python -O", "umlaut"])):
        monkeypatch.setattr(environments, "run", lambda place, passed=passed: ("…", passed, 0))
        assert environments.main(chosen) == 0
        assert capsys.readouterr().out.count(f"{passed} passed, 0 failed") == 2
    rows = json.loads((tmp_path / "environments.json").read_text("utf-8"))["rows"]
    assert [(row["environment"], row["passed"]) for row in rows] == [
        (PLACES[0].name, 50),
        ("python -O", 50),
        ("pytest without xdist", 40),
    ]
