"""The three modes, and that no stale record is shown in any of them."""

import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from lil import results
from lil.results import errors, files, modes, records


@pytest.fixture
def recorded(fake):
    results.record(fake.experiment)
    return fake


def test_live_trains_and_evaluates_and_leaves_no_record(fake):
    result = results.get(fake.experiment, mode="live")
    assert result.level.values == pytest.approx(np.array([[0, 1, 2], [1, 2, 3]]))
    assert result.attrs["mode"] == "live" and "comparison" not in result.attrs
    assert fake.trainings == [6]
    assert not fake.records.exists()


def test_a_record_is_taken_without_computing(recorded):
    live = results.get(recorded.experiment, mode="live")
    trainings = recorded.trainings
    result = results.get(recorded.experiment, mode="recorded")
    assert result.attrs["mode"] == "recorded"
    assert result.equals(live)
    assert recorded.trainings == trainings


def test_live_is_compared_with_the_record(recorded):
    same = json.loads(results.get(recorded.experiment, mode="live").attrs["comparison"])
    assert same["changed"] == [] and set(same["differences"].values()) == {0.0}
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1.25)")
    other = json.loads(results.get(recorded.experiment, mode="live").attrs["comparison"])
    assert other["changed"] == ["code"]
    assert other["differences"] == pytest.approx({"level": 0.25, "word": 0, "nothing": 0, "beta": 0, "seed": 0})


def test_auto_computes_what_is_cheap(recorded):
    assert results.get(recorded.experiment).attrs["mode"] == "live"


def _cost(fake, seconds_of_training, seconds):
    """Have the record say that it took so long."""
    record = records.read_evaluation(fake.experiment)
    training = json.loads(record.attrs["training"])
    training["lines"]["seconds"] = seconds_of_training
    record = record.assign_attrs(training=json.dumps(training), seconds=seconds)
    records.write_evaluation(fake.experiment, fake.experiment.PAPER, record)


def test_auto_takes_the_record_of_what_is_dear(recorded):
    _cost(recorded, 70.0, 49.0)
    assert results.get(recorded.experiment).attrs["mode"] == "live"
    _cost(recorded, 70.0, 51.0)
    assert results.get(recorded.experiment).attrs["mode"] == "recorded"


def test_auto_takes_the_record_where_there_is_no_data(recorded):
    recorded.recipe.DATA.unlink()
    assert results.get(recorded.experiment).attrs["mode"] == "recorded"


def test_auto_computes_where_there_is_no_record(fake):
    assert results.get(fake.experiment).attrs["mode"] == "live"


def test_neither_record_nor_data(fake):
    fake.recipe.DATA.unlink()
    with pytest.raises(errors.MissingRecord) as error:
        results.get(fake.experiment)
    assert "results/fig9_lines.nc" in str(error.value)
    assert "lil reproduce fig9_lines --record" in str(error.value) and "lil data fetch" in str(error.value)


def test_recorded_without_a_record(fake):
    with pytest.raises(errors.MissingRecord, match="lil reproduce fig9_lines --record"):
        results.get(fake.experiment, mode="recorded")
    assert fake.trainings == []


def _change_settings(fake, monkeypatch):
    fake.edit("experiments/fig9_lines.py", "power: float = 1.0", "power: float = 2.0")


def _change_networks_settings(fake, monkeypatch):
    fake.edit("recipes/lines.py", "width: int = 4", "width: int = 3")


def _change_data(fake, monkeypatch):
    monkeypatch.setenv("FAKE_CHECKSUM", "another")


def _change_code(fake, monkeypatch):
    fake.edit("experiments/fig9_lines.py", "mean(1).log()", "log().mean(1)")


def _change_code_behind_the_networks(fake, monkeypatch):
    fake.edit("arithmetic.py", "a + b", "b + a")


@pytest.mark.parametrize(
    "change, what",
    [
        (_change_settings, ["settings", "code"]),
        (_change_networks_settings, ["settings", "code", "networks"]),
        (_change_data, ["data", "networks"]),
        (_change_code, ["code"]),
        (_change_code_behind_the_networks, ["code", "networks"]),
    ],
)
def test_a_stale_record_is_refused_and_says_what_changed(recorded, monkeypatch, change, what):
    change(recorded, monkeypatch)
    with pytest.raises(errors.StaleRecord, match=f"its {' and '.join(what)} changed") as error:
        results.get(recorded.experiment, mode="recorded")
    assert "lil reproduce fig9_lines --record" in str(error.value)
    assert results.get(recorded.experiment).attrs["mode"] == "live"  # auto
    _cost_of_stale = records.read_evaluation(recorded.experiment)
    assert json.loads(results.get(recorded.experiment, mode="live").attrs["comparison"])["changed"] == what
    assert _cost_of_stale.attrs["code"] == records.read_evaluation(recorded.experiment).attrs["code"]


def test_auto_refuses_a_stale_record_that_it_cannot_replace(recorded):
    recorded.edit("arithmetic.py", "a + b", "b + a")
    recorded.recipe.DATA.unlink()
    with pytest.raises(errors.StaleRecord, match="code and networks changed"):
        results.get(recorded.experiment)


def test_auto_refuses_a_stale_record_that_is_dear(recorded):
    _cost(recorded, 200.0, 1.0)
    recorded.edit("arithmetic.py", "a + b", "b + a")
    with pytest.raises(errors.StaleRecord, match="code and networks changed"):
        results.get(recorded.experiment)


def test_comments_docstrings_and_layout_change_nothing(recorded):
    recorded.edit("arithmetic.py", '"""Sums."""', '"""The sum of two numbers."""   # nothing else')
    recorded.edit("arithmetic.py", "return float(a + b)", "return float(\n        a + b)")
    assert results.get(recorded.experiment, mode="recorded").attrs["mode"] == "recorded"


def test_the_quick_profile_is_computed_and_never_recorded(recorded):
    for mode in ("auto", "live"):
        result = results.get(recorded.experiment, "quick", mode)
        assert result.attrs["mode"] == "live" and result.attrs["profile"] == "quick"
        assert result.sizes["seed"] == 1 and "comparison" not in result.attrs
    with pytest.raises(errors.MissingRecord, match="quick profile is never recorded"):
        results.get(recorded.experiment, "quick", "recorded")


def test_what_the_paper_shows_is_the_whole_where_there_is_nothing_more(recorded):
    shown = results.get(recorded.experiment, "shown", "recorded")
    assert shown.attrs["mode"] == "recorded" and shown.attrs["profile"] == "paper" and recorded.trainings == [6]
    live = results.get(recorded.experiment, "shown", "live")
    assert live.attrs["profile"] == "paper" and "comparison" in live.attrs


def test_what_the_paper_shows_is_computed_and_never_recorded_where_it_is_less(recorded):
    recorded.edit("experiments/fig9_lines.py", "QUICK =", "SHOWN = Config(lines=lines.Config(seeds=(1,)))\nQUICK =")
    for mode in ("auto", "live"):
        shown = results.get(recorded.experiment, "shown", mode)
        assert (
            shown.attrs["profile"] == "shown" and shown.seed.values.tolist() == [1] and "comparison" not in shown.attrs
        )
    with pytest.raises(errors.MissingRecord, match="shown profile is never recorded"):
        results.get(recorded.experiment, "shown", "recorded")
    assert results.get(recorded.experiment, mode="recorded").sizes["seed"] == 3  # the record is as current as before


def test_some_of_the_seeds_are_those_of_the_whole_and_compared_with_nothing(recorded):
    whole = results.get(recorded.experiment, mode="recorded")
    for mode in ("live", "auto"):
        some = results.get(recorded.experiment, mode=mode, seeds=2)
        assert some.attrs["mode"] == "live" and "comparison" not in some.attrs
        assert some.seed.values.tolist() == whole.seed.values[:2].tolist()
        assert np.array_equal(some.level, whole.level.isel(seed=slice(2)))
    assert recorded.trainings == [6, 4, 4]
    all_of_them = results.get(recorded.experiment, mode="live", seeds=3)  # as many as there are: no result of some
    assert all_of_them.sizes["seed"] == whole.sizes["seed"] and "comparison" in all_of_them.attrs


def test_some_of_the_seeds_are_never_recorded_and_none_are_refused(recorded):
    with pytest.raises(errors.MissingRecord, match="changed settings is never recorded"):
        results.get(recorded.experiment, mode="recorded", seeds=1)
    with pytest.raises(errors.UnknownName, match="at least one seed, not 0"):
        results.get(recorded.experiment, mode="live", seeds=0)


@pytest.mark.parametrize(
    "profile, mode, message",
    [
        ("papr", "auto", "no profile 'papr': there are paper, shown, quick"),
        ("paper", "life", "no mode 'life': there are auto, live, recorded"),
    ],
)
def test_unknown_words_list_what_there_is(fake, profile, mode, message):
    with pytest.raises(errors.UnknownName, match=message):
        results.get(fake.experiment, profile, mode)


def test_calls_can_share_networks(fake):
    trained = {}
    first, second = (results.get(fake.experiment, mode="live", trained=trained) for _ in range(2))
    assert fake.trainings == [6]
    assert first.equals(second)


# ------------------------------------------------------------------------------------------------ records


def test_a_change_to_the_evaluation_retrains_nothing(recorded):
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "log().mean(1)")
    results.record(recorded.experiment, "auto")
    assert recorded.trainings == [6]
    assert results.get(recorded.experiment, mode="recorded").attrs["mode"] == "recorded"


def test_a_change_to_the_training_retrains(recorded):
    recorded.edit("arithmetic.py", "a + b", "b + a")
    results.record(recorded.experiment, "auto")
    assert recorded.trainings == [6, 6]


def test_what_is_current_is_kept_or_made_anew_as_asked(recorded):
    before = (recorded.records / "fig9_lines.nc").read_bytes()
    assert results.record(recorded.experiment, "auto").attrs["mode"] == "recorded"
    assert (recorded.records / "fig9_lines.nc").read_bytes() == before and recorded.trainings == [6]
    assert results.record(recorded.experiment, "live").attrs["mode"] == "live"
    assert recorded.trainings == [6, 6]


def test_a_record_tells_where_it_comes_from(recorded):
    attrs = results.get(recorded.experiment, mode="recorded").attrs
    assert json.loads(attrs["config"]) == {"lines": {"betas": [0.0, 1.0], "seeds": [0, 1, 2], "width": 4}, "power": 1.0}
    assert attrs["data"] == "checksum of the data"
    assert set(json.loads(attrs["networks"])) == set(json.loads(attrs["training"])) == {"lines"}
    assert attrs["date"].endswith(" UTC") and "cores" in attrs["machine"] and attrs["device"] == "cpu"
    assert json.loads(attrs["versions"]).keys() >= {"python", "torch", "numpy", "xarray"}
    assert attrs["threads"] == torch.get_num_threads() and attrs["peak_memory_mb"] > 50
    training = json.loads(attrs["training"])["lines"]
    assert training["seconds"] >= 0 and training["peak_memory_mb"] > 50
    for private in (str(recorded.root), "root", "home"):
        assert private not in json.dumps(attrs)


def test_code_that_changes_while_it_runs_is_not_recorded(recorded, monkeypatch):
    before = (recorded.records / "fig9_lines.nc").read_bytes()
    source = recorded.root / "fake" / "experiments" / "fig9_lines.py"
    experiment = recorded.experiment
    evaluate = experiment.evaluate

    def edited_meanwhile(*args, **kwargs):
        source.write_text(source.read_text("utf-8").replace("mean(1).log()", "log().mean(1)"))
        return evaluate(*args, **kwargs)

    monkeypatch.setattr(experiment, "evaluate", edited_meanwhile)
    with pytest.raises(errors.StaleRecord, match="not recorded, because its code changed while"):
        results.record(experiment)
    assert (recorded.records / "fig9_lines.nc").read_bytes() == before


def test_networks_are_kept_though_the_evaluation_fails(fake, monkeypatch):
    monkeypatch.setattr(fake.experiment, "evaluate", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        results.record(fake.experiment)
    assert modes.current_networks(fake.recipe, fake.recipe.PAPER) is not None


HALF = """
def half(partial):
    if partial is None:
        return {}
    if not partial.exists():
        partial.write_text("half")
        raise KeyboardInterrupt
    partial.unlink()
    return {"seconds_before": 1000.0}


"""


def test_a_killed_evaluation_goes_on_and_counts_the_seconds_before(fake):
    begin = "progress=None, partial=None):\n    before = half(partial)"
    fake.edit("experiments/fig9_lines.py", "progress=None):", begin)
    fake.edit("experiments/fig9_lines.py", "coords={", "attrs=before, coords={")
    fake.edit("experiments/fig9_lines.py", "def evaluate", f"{HALF}def evaluate")
    with pytest.raises(KeyboardInterrupt):
        results.record(fake.experiment, "auto")
    assert results.record(fake.experiment, "auto").attrs["seconds"] == pytest.approx(1000, abs=60)
    assert fake.trainings == [6]
    assert "seconds_before" not in results.get(fake.experiment, mode="recorded").attrs
    assert results.get(fake.experiment, mode="live").attrs["seconds"] < 60  # does not leave off half-way
    assert list((records.cache_folder() / "partial").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_refuses_the_state_of_a_computation_is_one_sentence(fake, monkeypatch, number):
    words = os.strerror(number)
    raised = OSError(number, words)

    def refused(*args, **kwargs):
        raise raised

    monkeypatch.setattr(fake.recipe, "train", refused)
    with pytest.raises(errors.NotWritten, match=rf"lines stopped at a file .*\({words}\): make room or give access"):
        results.record(fake.experiment)
    raised = OSError("of another kind")
    with pytest.raises(OSError, match="of another kind"):
        results.record(fake.experiment)


def test_an_evaluation_goes_on_only_with_the_same_weights(fake):
    fake.edit("experiments/fig9_lines.py", "progress=None):", "progress=None, partial=None):\n    partial.touch()")
    results.record(fake.experiment)
    results.record(fake.experiment)
    fake.recipe.DATA.write_text("2.0")  # and the same key
    results.record(fake.experiment)
    assert len(list((records.cache_folder() / "partial").iterdir())) == 2


# ------------------------------------------------------------------------------------------------ networks


def test_networks_come_from_the_record_or_are_trained(fake):
    trained = results.networks(fake.recipe, fake.recipe.PAPER, progress=lambda *_: None)
    assert fake.trainings == [6] and not fake.records.exists()
    results.record(fake.experiment)
    recorded = results.networks(fake.recipe, fake.recipe.PAPER)
    assert fake.trainings == [6, 6]
    assert recorded["weight"].equal(trained["weight"])


def test_stale_networks_are_trained_anew(recorded):
    recorded.edit("arithmetic.py", "a + b", "a + b + 1")
    networks = results.networks(recorded.recipe, recorded.recipe.PAPER)
    assert recorded.trainings == [6, 6]
    assert networks["weight"][0, 0].item() == pytest.approx(np.e)


def test_networks_are_recorded_under_the_name_of_their_settings(fake):
    fake.edit("experiments/fig9_lines.py", "lines.PAPER", "lines.PAPER_PUBLIC")
    results.record(fake.experiment)
    assert [path.name for path in (fake.records / "networks" / "lines").iterdir()] == ["paper-public.safetensors"]


@pytest.mark.parametrize("settings", ["lines.QUICK", "lines.Config(seeds=(7,))"])
def test_networks_without_a_name_are_not_recorded(fake, settings):
    fake.edit("experiments/fig9_lines.py", "lines.PAPER", settings)
    results.record(fake.experiment)
    assert not (fake.records / "networks").exists()
    assert results.get(fake.experiment, mode="recorded").attrs["mode"] == "recorded"


def test_large_networks_lie_in_the_cache(fake, monkeypatch, tmp_path):
    monkeypatch.setattr(records, "COMMITTED_UP_TO", 100)
    results.record(fake.experiment)
    cached = tmp_path / "cache" / "lil" / "networks" / "lines" / "paper.safetensors"
    assert cached.exists() and not (fake.records / "networks").exists()
    results.networks(fake.recipe, fake.recipe.PAPER)
    assert fake.trainings == [6]
    cached.unlink()  # another machine
    assert results.get(fake.experiment, mode="recorded").attrs["mode"] == "recorded"
    results.networks(fake.recipe, fake.recipe.PAPER)
    assert fake.trainings == [6, 6]


def test_networks_that_outgrow_the_repository_leave_it(recorded, monkeypatch, tmp_path):
    committed = recorded.records / "networks" / "lines" / "paper.safetensors"
    cached = tmp_path / "cache" / "lil" / "networks" / "lines" / "paper.safetensors"
    assert committed.exists() and not cached.exists()
    monkeypatch.setattr(records, "COMMITTED_UP_TO", 100)
    results.record(recorded.experiment)
    assert cached.exists() and not committed.exists()
    assert committed.name not in (recorded.records / "SHA256SUMS").read_text("utf-8")


# ------------------------------------------------------------------------------------------------ damage


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def _empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_flip, _truncate, _empty])
def test_a_damaged_record_is_refused_by_name_and_recomputed_on_request(recorded, damage):
    damage(recorded.records / "fig9_lines.nc")
    for mode in ("recorded", "auto"):
        with pytest.raises(errors.CorruptRecord, match="results/fig9_lines.nc is damaged.*lil reproduce"):
            results.get(recorded.experiment, mode=mode)
    live = results.get(recorded.experiment, mode="live")
    assert "comparison" not in live.attrs
    results.record(recorded.experiment, "auto")
    assert recorded.trainings == [6, 6]  # of the live result, not of the record: its networks are whole
    assert results.get(recorded.experiment, mode="recorded").equals(live)


@pytest.mark.parametrize("lacking", ["date", "networks"])
def test_a_record_without_its_origin_is_refused_by_name(recorded, lacking):
    place = records.place_of_evaluation(recorded.experiment)
    record = records.read_evaluation(recorded.experiment)
    del record.attrs[lacking]
    files.write(place.root, place.name, files.dataset_to_bytes(record))
    with pytest.raises(errors.CorruptRecord, match=f"results/fig9_lines.nc lacks its {lacking}: .*lil reproduce"):
        results.get(recorded.experiment, mode="recorded")
    states = {row.name: row.state for row in results.listing("fake.experiments")}
    assert states["fig9_lines"] == "damaged"


@pytest.mark.parametrize("damage", [_flip, _truncate, _empty])
def test_damaged_networks_are_refused_by_name_and_recomputed_on_request(recorded, damage):
    damage(recorded.records / "networks" / "lines" / "paper.safetensors")
    with pytest.raises(errors.CorruptRecord, match="results/networks/lines/paper.safetensors is damaged"):
        results.networks(recorded.recipe, recorded.recipe.PAPER)
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "log().mean(1)")
    results.record(recorded.experiment, "auto")
    assert recorded.trainings == [6, 6]
    assert results.networks(recorded.recipe, recorded.recipe.PAPER)["weight"].shape == (6, 4)


# ------------------------------------------------------------------------------------------------ cost

MEASURE = """
from lil.results import provenance
with provenance.measured() as large:
    block = bytearray(200 * 2**20)
    block[::4096] = b"x" * len(block[::4096])
del block
with provenance.measured() as small:
    sum(range(100_000))
print(large.peak_memory_mb - small.peak_memory_mb, small.seconds)
"""


def test_peak_memory_is_that_of_the_body():
    """In a process of its own: here, freed memory may have been kept for later."""
    run = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    more, seconds = map(float, run.stdout.split())
    assert more > 150 and 0 <= seconds < 60


# ------------------------------------------------------------------------------------------------ other records


def test_networks_that_made_another_current_record_are_not_replaced(recorded):
    recorded.write("experiments/fig8_lines.py", (recorded.root / "fake/experiments/fig9_lines.py").read_text("utf-8"))
    other = recorded.load("experiments.fig8_lines")
    results.record(other, "auto")
    with pytest.raises(errors.NetworksInUse, match="that the records fig8_lines were computed from"):
        results.record(recorded.experiment)
    assert recorded.trainings == [6]
    results.record(recorded.experiment, together=[other])
    assert recorded.trainings == [6, 6]


@pytest.mark.parametrize("change", ["the other record is stale", "the networks are stale", "the networks are gone"])
def test_networks_that_no_current_record_needs_are_replaced(recorded, change):
    recorded.write("experiments/fig8_lines.py", (recorded.root / "fake/experiments/fig9_lines.py").read_text("utf-8"))
    results.record(recorded.load("experiments.fig8_lines"), "auto")
    if change == "the other record is stale":
        recorded.edit("experiments/fig8_lines.py", "mean(1).log()", "log().mean(1)")
    elif change == "the networks are stale":
        recorded.edit("arithmetic.py", "a + b", "b + a")
    else:
        (recorded.records / "networks" / "lines" / "paper.safetensors").unlink()
    results.record(recorded.experiment)
    assert recorded.trainings == [6, 6]


# ------------------------------------------------------------------------------------------------ packages


def test_without_a_package_the_record_is_shown_and_computing_says_so(recorded):
    source = recorded.root / "fake/experiments/fig9_lines.py"
    before = source.read_text("utf-8")
    recorded.edit(
        "experiments/fig9_lines.py", "    recipe = config.lines", "    import absent\n    recipe = config.lines"
    )
    with pytest.raises(errors.PackageMissing, match="fig9_lines computes with the package absent, which is not inst"):
        results.get(recorded.experiment, mode="live")
    with pytest.raises(errors.PackageMissing):
        results.get(recorded.experiment, "quick")
    with pytest.raises(errors.StaleRecord):  # auto never shows one
        results.get(recorded.experiment)
    recorded.write("experiments/fig9_lines.py", before)
    experiment = recorded.experiment
    evaluate = experiment.evaluate
    experiment.evaluate = lambda *_, **__: __import__("absent")
    assert results.get(experiment).attrs["mode"] == "recorded"
    experiment.evaluate = lambda *_, **__: __import__("fake.absent")  # a defect of ours
    with pytest.raises(ModuleNotFoundError) as error:
        results.get(experiment)
    assert not isinstance(error.value, errors.PackageMissing)
    experiment.evaluate = evaluate


def test_provenance_leaves_out_a_package_that_is_not_installed(fake, monkeypatch):
    monkeypatch.setattr("lil.results.provenance.PACKAGES", ("numpy", "absent-package"))
    assert json.loads(results.get(fake.experiment, mode="live").attrs["versions"]).keys() == {"python", "numpy"}


def test_changed_settings_are_computed_and_belong_to_no_record(recorded):
    before = recorded.root / "results" / "fig9_lines.nc"
    content = before.read_bytes()
    changed = results.get(recorded.experiment, betas="[0, 3]", power=2, device="cpu")
    assert changed.beta.values.tolist() == [0, 3] and changed.attrs["mode"] == "live"
    assert json.loads(changed.attrs["changes"]) == {"betas": "[0, 3]", "power": 2}
    assert "comparison" not in changed.attrs and before.read_bytes() == content
    assert "lil rerun fig9_lines betas='[0, 3]' power=2`" in results.footer(changed).text


def test_settings_that_change_nothing_take_the_record(recorded):
    assert results.get(recorded.experiment, mode="recorded", betas=[0.0, 1.0], seeds=None).attrs["mode"] == "recorded"


def test_an_unknown_setting_is_refused(recorded):
    with pytest.raises(errors.SettingRefused, match="There is no setting 'beta': there are betas, seeds, width, power"):
        results.get(recorded.experiment, beta=[1])


def test_a_value_that_only_the_training_refuses_is_one_sentence(recorded, monkeypatch):
    def refuse(*_, **__):
        raise ValueError("β must be a finite number ≥ 0, not that.")

    monkeypatch.setattr("lil.results.computing.train", refuse)
    with pytest.raises(errors.SettingRefused, match="cannot be computed with these settings: β must be"):
        results.get(recorded.experiment, betas=[3.0])
