"""A record survives a change of its code only if a member recomputed by the new code agrees with it."""

import json
import random

import pytest
import xarray as xr

from lil import results
from lil.results import errors
from lil.results.affirmation import _choose

SILENT = dict(progress=lambda *_: None)


@pytest.fixture
def recorded(fake):
    results.record(fake.experiment)
    return fake


def _files(fake):
    return {path.name: path.read_bytes() for path in fake.records.rglob("*") if path.is_file()}


def test_a_refactoring_is_affirmed(recorded):
    before = results.get(recorded.experiment, mode="recorded")
    recorded.edit("arithmetic.py", "a + b", "b + a")
    affirmation = results.affirm(recorded.experiment, choice=random.Random(0), **SILENT)
    assert recorded.trainings == [6, 1]  # one network, no more
    after = results.get(recorded.experiment, mode="recorded")
    assert after.equals(before)
    for kept in ("date", "seconds", "machine", "training"):
        assert after.attrs[kept] == before.attrs[kept]
    assert json.loads(after.attrs["affirmations"]) == [affirmation]
    assert affirmation["member"].keys() == {"beta", "seed"}
    assert affirmation["code_before"] == before.attrs["code"] != after.attrs["code"]
    assert affirmation["differences"]["level"] == affirmation["networks"]["lines"] == 0
    assert results.networks(recorded.recipe, recorded.recipe.PAPER)["weight"].shape == (6, 4)
    assert recorded.trainings == [6, 1]  # the networks are current too


def test_members_may_stand_in_a_row_of_networks(fake):
    fake.edit(
        "experiments/fig9_lines.py",
        '"seed": list(recipe.seeds)},\n    )',
        '"seed": list(recipe.seeds)},\n    ).stack(network=("beta", "seed")).reset_index("network")',
    )
    results.record(fake.experiment)
    fake.edit("arithmetic.py", "a + b", "b + a")
    assert results.affirm(fake.experiment, **SILENT)["differences"]["level"] == 0
    fake.edit("arithmetic.py", "b + a", "b + a + 1")
    with pytest.raises(errors.NotAffirmed, match="level differs by"):
        results.affirm(fake.experiment, **SILENT)


def test_affirmations_add_up(recorded):
    for new in ("b + a", "(b + a) * 1", "1 * (b + a)"):
        recorded.edit("arithmetic.py", f"float({'a + b' if new == 'b + a' else old})", f"float({new})")
        old = new
        results.affirm(recorded.experiment, **SILENT)
    affirmations = json.loads(results.get(recorded.experiment, mode="recorded").attrs["affirmations"])
    assert len(affirmations) == 3 and len({each["code_before"] for each in affirmations}) == 3


def test_every_member_can_be_chosen(recorded):
    chosen = set()
    for n in range(40):
        recorded.edit("arithmetic.py", "return", f"{n}\n    return")
        affirmation = results.affirm(recorded.experiment, choice=random.Random(n), **SILENT)
        chosen.add((affirmation["member"]["beta"], affirmation["member"]["seed"]))
    assert len(chosen) == 6


@pytest.mark.parametrize(
    "file, old, new, what",
    [
        ("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1.01).add(0.1)", "level differs by"),
        ("arithmetic.py", "a + b", "a + b + 0.01", "differs by"),
        ("experiments/fig9_lines.py", '"word": "text"', '"word": "another"', "word differs by inf"),
        ("experiments/fig9_lines.py", '"word": "text", ', "", "word differs by inf"),
        ("experiments/fig9_lines.py", "np.full(2, np.nan)", "np.zeros(2)", "nothing differs by inf"),
    ],
)
def test_a_record_that_its_code_no_longer_computes_is_refused_and_stays(recorded, file, old, new, what):
    before = _files(recorded)
    recorded.edit(file, old, new)
    with pytest.raises(errors.NotAffirmed, match=f"does not hold: recomputed at beta = .* and seed = .*{what}"):
        results.affirm(recorded.experiment, **SILENT)
    assert _files(recorded) == before
    with pytest.raises(errors.StaleRecord):
        results.get(recorded.experiment, mode="recorded")


def test_networks_that_are_others_are_refused_though_the_evaluation_hides_it(recorded):
    recorded.edit("recipes/lines.py", ".contiguous()", ".cumsum(1)")
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).div(2.5).log()")
    with pytest.raises(errors.NotAffirmed, match="lines differs by"):
        results.affirm(recorded.experiment, **SILENT)


def test_the_bands_are_those_of_the_record_not_of_the_new_code(recorded):
    recorded.edit("experiments/fig9_lines.py", '{"level": 1e-3}', '{"level": 10.0}')
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().add(0.1)")
    with pytest.raises(errors.NotAffirmed, match="more than the 1e-03 that the record allows"):
        results.affirm(recorded.experiment, **SILENT)


def test_within_the_band_is_affirmed(recorded):
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1.0005)")
    affirmation = results.affirm(recorded.experiment, choice=random.Random(1), **SILENT)
    assert affirmation["differences"]["level"] == pytest.approx(0.0005, rel=0.01)


def test_just_beyond_the_band_is_refused(recorded):
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1.0015)")
    with pytest.raises(errors.NotAffirmed, match="level differs by 1.5e-03"):
        results.affirm(recorded.experiment, choice=random.Random(1), **SILENT)


def test_what_has_a_band_of_one_is_not_compared(recorded):
    recorded.edit("experiments/fig9_lines.py", '{"level": 1e-3}', '{"level": 1.0}')
    results.record(recorded.experiment, **SILENT)
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(3)")
    affirmation = results.affirm(recorded.experiment, choice=random.Random(1), **SILENT)
    assert affirmation["differences"]["level"] == pytest.approx(2.0)


def test_what_has_a_band_of_one_must_be_there(recorded):
    recorded.edit("experiments/fig9_lines.py", '{"level": 1e-3}', '{"nothing": 1.0}')
    results.record(recorded.experiment, **SILENT)
    recorded.edit("experiments/fig9_lines.py", "np.full(2, np.nan)", "np.zeros(2)")
    with pytest.raises(errors.NotAffirmed, match="nothing differs by inf"):
        results.affirm(recorded.experiment, **SILENT)


def test_only_a_change_of_code_can_be_affirmed(recorded, monkeypatch):
    with pytest.raises(errors.NotAffirmed, match="is current"):
        results.affirm(recorded.experiment)
    monkeypatch.setenv("FAKE_CHECKSUM", "another")
    with pytest.raises(errors.NotAffirmed, match="because its data changed and not its code alone"):
        results.affirm(recorded.experiment)
    recorded.edit("experiments/fig9_lines.py", "power: float = 1.0", "power: float = 2.0")
    with pytest.raises(errors.NotAffirmed, match="because its settings and data changed"):
        results.affirm(recorded.experiment)
    assert recorded.trainings == [6]


def test_without_a_record_there_is_nothing_to_affirm(fake):
    with pytest.raises(errors.MissingRecord, match="lil reproduce fig9_lines --record"):
        results.affirm(fake.experiment)


def test_a_damaged_record_is_not_affirmed(recorded):
    recorded.edit("arithmetic.py", "a + b", "b + a")
    (recorded.records / "networks" / "lines" / "paper.safetensors").write_bytes(b"")
    with pytest.raises(errors.CorruptRecord, match="paper.safetensors"):
        results.affirm(recorded.experiment, **SILENT)


def test_without_its_networks_a_record_is_affirmed_by_what_new_ones_give(recorded):
    """Networks too large for the repository are missing on another machine."""
    (recorded.records / "networks" / "lines" / "paper.safetensors").unlink()
    recorded.edit("arithmetic.py", "a + b", "b + a")
    affirmation = results.affirm(recorded.experiment, **SILENT)
    assert affirmation["networks"] == {} and affirmation["differences"]["level"] == 0
    assert results.get(recorded.experiment, mode="recorded").attrs["mode"] == "recorded"


def test_only_members_that_the_record_shows_are_chosen(fake):
    shown = xr.Dataset(coords={"seed": [2]})
    for n in range(12):
        member = _choose(fake.experiment, fake.experiment.PAPER, shown, random.Random(n))
        assert member["seed"] == 2
