"""The list of `lil results`, and the line that closes a page."""

import re
import shlex

import pytest

from lil import cli, results
from lil.paper import rerun
from lil.results import records, registry
from lil.results.closing import duration
from lil.results.errors import UnknownName


def _states(fake):
    return {row.name: (row.state, *row.changed) for row in results.listing("fake.experiments")}


def test_states(fake, monkeypatch):
    assert _states(fake) == {"fig9_lines": ("missing",), "networks/lines/paper": ("not kept",)}
    results.record(fake.experiment)
    assert _states(fake) == {"fig9_lines": ("current",), "networks/lines/paper": ("current",)}
    fake.edit("experiments/fig9_lines.py", "mean(1).log()", "log().mean(1)")
    assert _states(fake) == {"fig9_lines": ("stale", "code"), "networks/lines/paper": ("current",)}
    fake.edit("arithmetic.py", "a + b", "b + a")
    assert _states(fake) == {"fig9_lines": ("stale", "code", "networks"), "networks/lines/paper": ("stale", "code")}
    monkeypatch.setenv("FAKE_CHECKSUM", "another")
    assert _states(fake)["networks/lines/paper"] == ("stale", "data", "code")
    for path in fake.records.rglob("*.*"):
        path.write_bytes(path.read_bytes()[:-1])
    assert _states(fake) == {"fig9_lines": ("damaged",), "networks/lines/paper": ("damaged",)}


def test_stale_networks_in_the_cache_folder_are_none(fake, monkeypatch):
    monkeypatch.setattr(records, "COMMITTED_UP_TO", 0)
    results.record(fake.experiment)
    assert _states(fake)["networks/lines/paper"] == ("current",)
    fake.edit("arithmetic.py", "a + b", "b + a")
    assert _states(fake) == {"fig9_lines": ("stale", "code", "networks"), "networks/lines/paper": ("not kept",)}


def test_records_of_no_experiment_are_leftovers(fake):
    results.record(fake.experiment)
    (fake.root / "fake/experiments/fig9_lines.py").rename(fake.root / "fake/experiments/fig8_lines.py")
    fake.write("__init__.py", "")
    assert _states(fake) == {
        "fig8_lines": ("missing",),
        "networks/lines/paper": ("current",),
        "fig9_lines": ("leftover",),
    }


def test_a_row_has_the_provenance(fake):
    results.record(fake.experiment)
    for row in results.listing("fake.experiments"):
        assert {"date", "seconds", "peak_memory_mb", "machine"} <= row.attrs.keys()


def test_experiments_are_found_by_name(fake):
    fake.write("experiments/_shared.py", "")
    assert registry.names("fake.experiments") == ["fig9_lines"]
    assert registry.load("fake.experiments", "fig9_lines") is fake.experiment
    with pytest.raises(UnknownName, match="no experiment 'fig1_lines': there are fig9_lines"):
        registry.load("fake.experiments", "fig1_lines")


# ------------------------------------------------------------------------------------------------ footer


def test_the_footer_of_a_live_result(fake):
    result = results.get(fake.experiment, mode="live").assign_attrs(seconds=12.3, machine="Z80, 1 cores", threads=1)
    text = str(results.footer(result))
    assert text.startswith(f"Computed for this page on {result.attrs['date']}, at the paper's scale: ")
    assert "of training and 12 s of evaluation on Z80, 1 cores (device cpu, 1 thread, at most " in text
    assert text.endswith("To compute it again: `lil reproduce fig9_lines`.")
    assert "record" not in text
    assert results.footer(result)._repr_markdown_() == f"*{text}*"


def test_the_footer_of_a_record(fake):
    date = results.record(fake.experiment).attrs["date"]
    text = str(results.footer(results.get(fake.experiment, mode="recorded")))
    assert text.startswith(f"Taken from the record of a computation on {date}, at the paper's scale: ")


def test_the_footer_of_the_quick_profile(fake):
    text = str(results.footer(results.get(fake.experiment, "quick")))
    assert "at a small scale" in text and text.endswith("`lil reproduce fig9_lines --profile quick`.")


def test_the_footer_of_a_rerun_has_a_command_that_lil_reads(fake):
    result = results.get(fake.experiment, "quick", betas=[0, 3])
    for notebook in ("", "fig9"):
        line = re.search("`lil (rerun .*)`", str(results.footer(result, notebook)))[1]
        chosen = cli._parser().parse_args(shlex.split(line))
        assert (chosen.name, chosen.profile) == (notebook or "fig9_lines", "quick")
        assert rerun.parse(chosen.settings) == {"betas": [0, 3]}


def test_fewer_seeds_of_an_experiment_without_a_notebook_have_a_command_too(fake):
    result = results.get(fake.experiment, "quick").assign_attrs(changes='{"seeds": 1}')
    assert "`lil reproduce fig9_lines --profile quick --seeds 1`" in str(results.footer(result))
    assert "`lil rerun fig9 seeds=1 --profile quick`" in str(results.footer(result, "fig9"))
    shown = cli._parser().parse_args(["rerun", "fig9", "seeds=1", "--profile", "shown"])
    assert shown.profile == "shown"


def test_the_footer_says_how_far_the_record_is(fake):
    results.record(fake.experiment)
    assert "It equals the record of " in str(results.footer(results.get(fake.experiment, mode="live")))
    fake.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1.25)")
    text = str(results.footer(results.get(fake.experiment, mode="live")))
    assert "which is stale (code changed), is 2.5e-01 of a variable's largest value (`level`)" in text
    fake.edit("experiments/fig9_lines.py", '"word": "text", ', "")
    text = str(results.footer(results.get(fake.experiment, mode="live")))
    assert "has another shape or other labels (`word`)" in text


def test_the_footer_tells_of_the_last_affirmation_alone(fake, in_process):
    results.record(fake.experiment)
    fake.commit()
    for old, new in (("a + b", "b + a"), ("b + a", "b + a + 1e-7")):
        fake.edit("arithmetic.py", old, new)
        results.affirm(fake.experiment, progress=lambda *_: None)
        fake.commit()
        text = str(results.footer(results.get(fake.experiment, mode="recorded")))
        how = "to the last bit" if new == "b + a" else "within the band of rounding errors"
        assert text.count("Its code changed since") == 1 and f"agreed on a probe {how}." in text


def test_the_footer_names_the_engine(fake):
    text = str(results.footer(results.get(fake.experiment, mode="live")))
    assert "MiB), by the plain code. To compute" in text


@pytest.mark.parametrize(
    "seconds, words",
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.3, "12 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (7199.0, "120 min"),
        (7300.0, "2.0 h"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_listing_tells_its_progress(fake):
    told = []
    rows = results.listing("fake.experiments", lambda *step: told.append(step))
    assert [row.name for row in rows] == ["fig9_lines", "networks/lines/paper"]
    assert told == [("records", 1, 2), ("records", 2, 2)]
