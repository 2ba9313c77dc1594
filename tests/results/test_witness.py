"""A record names its engine, is stale after a change of a fast one, and has the plain code's numbers beside its own."""

import json

import pytest

from lil import cli, results
from lil.results import errors, keys, witness

SILENT = dict(progress=lambda *_: None)
ENGINE = """
    import os


    def name():
        return os.environ.get("LIL_ENGINE", "fast")


    def factor():
        if name() == "fast":
            from fake.fast import loops

            return loops.FACTOR
        return 1.0


    def weights():
        from fake.fast import loops

        return loops.WEIGHTS if name() == "fast" else 1.0
"""


@pytest.fixture
def fast(fake, in_process, monkeypatch):
    """The package with an engine, which takes part in training and evaluation."""
    monkeypatch.delenv("LIL_ENGINE", raising=False)
    fake.write("engine.py", ENGINE)
    fake.write("fast/__init__.py", "")
    fake.write("fast/loops.py", "FACTOR = 1.0 + 1e-6\nWEIGHTS = 1.0 + 1e-3\n")
    fake.edit(
        "recipes/lines.py",
        "from fake.arithmetic import add",
        "from fake import engine\nfrom fake.arithmetic import add",
    )
    fake.edit("recipes/lines.py", "* ones}", "* ones * engine.weights()}")
    fake.edit("experiments/fig9_lines.py", "from fake.recipes", "from fake import engine\nfrom fake.recipes")
    fake.edit("experiments/fig9_lines.py", "** config.power", "* engine.factor()")
    return fake


def _changed(fake):
    return {row.name: row.changed for row in results.listing("fake.experiments")}["fig9_lines"]


def _state(fake):
    return {row.name: row.state for row in results.listing("fake.experiments")}["fig9_lines"]


def test_a_record_has_its_engine_and_its_witness(fast):
    record = results.record(fast.experiment, **SILENT)
    engine = keys.engine_of(fast.experiment)
    assert json.loads(record.attrs["engine"]) == engine and engine["name"] == "fast" and len(engine["code"]) == 64
    networks = results.records.read_networks(fast.recipe, fast.recipe.PAPER)
    assert json.loads(networks.attrs["engine"]) == engine
    found = json.loads(record.attrs["witness"])
    assert found["engine"] == engine["code"] and found["networks"] == 2
    assert found["settings"] == {"lines.betas": [0.0, 1.0], "lines.seeds": [0]}
    assert found["weights"] == {"lines": pytest.approx(1e-3, rel=0.01)}
    assert found["evaluation"]["level"] == pytest.approx(1e-6, rel=0.2) and found["whole"]["level"] > 5e-4
    text = str(results.footer(results.get(fast.experiment, mode="recorded")))
    assert (
        "by the fast engine, checked against the plain code on 2 networks: the largest differences, as shares" in text
    )
    assert "are 9.5e-07 in numbers from the same weights; 1.0e-03 in numbers after training by either engine (l" in text
    assert "(level); 1.0e-03 in weights. To compute" in text
    smaller = json.dumps(found | {"settings": found["settings"] | {"lines.n_points": 3}})
    text = results.witness.clause(record.attrs | {"witness": smaller})
    assert "on 2 networks with fewer images or steps: the largest" in text
    assert results.give_witness(fast.experiment, **SILENT) is None  # it has one


def test_the_witness_is_trained_at_the_record_s_settings_and_evaluated_at_those_of_the_package(fast, in_process):
    fast.write("experiments/__init__.py", 'WITNESSED = {"fig9_lines": {"power": 3.0}}\n')
    results.record(fast.experiment, **SILENT)
    assert [(engine, job.moved, job.cut["power"]) for _, job, engine in in_process] == [
        ("fast", 0, 3.0),
        ("plain", 0, 3.0),
    ]
    assert [len(job.evaluated) for _, job, _ in in_process] == [1, 2]


def test_a_change_of_the_engine_makes_records_stale_until_they_are_affirmed(fast):
    record = results.record(fast.experiment, **SILENT)
    fast.commit()
    key = keys.of_evaluation(fast.experiment, fast.experiment.PAPER).key
    fast.edit("fast/loops.py", "FACTOR = 1.0 + 1e-6", "FACTOR = 1.0 + 1e-6 + 0")
    assert keys.of_evaluation(fast.experiment, fast.experiment.PAPER).key == key
    assert _changed(fast) == ("engine",)
    with pytest.raises(errors.StaleRecord, match="its engine changed"):
        results.get(fast.experiment, mode="recorded")
    found = results.affirm(fast.experiment, **SILENT)
    assert found["engines"] == {"fast": {"equal": True}, "plain": {"equal": True}}
    assert _changed(fast) == ()
    after = results.get(fast.experiment, mode="recorded").attrs
    before, carried = (json.loads(attrs["witness"]) for attrs in (record.attrs, after))
    assert carried.pop("carried") == found["date"] and carried["engine"] == keys.engine_of(fast.experiment)["code"]
    assert carried != before and carried | {"engine": before["engine"]} == before
    assert _state(fast) == "current" and results.give_witness(fast.experiment, **SILENT) is None


@pytest.mark.parametrize("file", ["fast/loops.py", "engine.py", "arithmetic.py"])
def test_a_witness_does_not_outlive_a_change_that_moves_a_last_digit_of_either_engine(fast, file):
    changes = {
        "fast/loops.py": ("WEIGHTS = 1.0 + 1e-3", "WEIGHTS = 1.0 + 1e-3 + 3e-7"),
        "engine.py": ("else 1.0", "else 1.0 + 3e-7"),
        "arithmetic.py": ("a + b", "(a + b) * (1 + 1e-7)"),
    }
    results.record(fast.experiment, **SILENT)
    fast.commit()
    fast.edit(file, *changes[file])
    found = results.affirm(fast.experiment, **SILENT)
    assert not all(each["equal"] for each in found["engines"].values())
    assert _changed(fast) == () and _state(fast) == "unwitnessed"
    text = str(results.footer(results.get(fast.experiment, mode="recorded")))
    assert "checked against the plain code on 2 networks before its code changed: the largest" in text
    fast.commit()
    fast.edit("fast/loops.py", "FACTOR = ", "UNUSED = 0\nFACTOR = ")
    found = results.affirm(fast.experiment, **SILENT)
    assert all(each["equal"] for each in found["engines"].values())
    assert _state(fast) == "unwitnessed"  # equal bits carry over no witness that was outdated before
    assert results.give_witness(fast.experiment, **SILENT)["networks"] == 2
    assert _state(fast) == "current" and results.give_witness(fast.experiment, **SILENT) is None


def test_one_engine_s_equal_bits_on_another_device_carry_no_witness(fast):
    before = results.record(fast.experiment, **SILENT).attrs
    after = before | {"code": "new"}
    equal = {"fast": {"equal": True}, "plain": {"equal": True}}
    affirmation = {"date": "today", "device": "cpu", "engines": equal}
    assert not witness.is_missing(after | witness.carried(before, after, affirmation))
    for change in ({"device": "NVIDIA H200"}, {"engines": {"plain": {"equal": True}}}):
        assert witness.is_missing(after | witness.carried(before, after, affirmation | change))


def test_a_record_of_no_networks_needs_no_witness(fast):
    fast.edit("experiments/fig9_lines.py", 'RECIPES = {"lines": lines}', "RECIPES = {}")
    fast.edit("experiments/fig9_lines.py", 'networks["lines"]["weight"].mean(1).log().numpy()', "np.arange(6.0)")
    record = results.record(fast.experiment, **SILENT)
    assert "witness" not in record.attrs and json.loads(record.attrs["engine"])["name"] == "fast"
    assert _state(fast) == "current" and results.give_witness(fast.experiment, **SILENT) is None
    assert "by the fast engine. To compute" in str(results.footer(results.get(fast.experiment, mode="recorded")))


def test_a_record_without_a_witness_says_so_and_fails_the_check(fast, monkeypatch, capsys):
    record = results.record(fast.experiment, **SILENT)
    del record.attrs["witness"], record.attrs["mode"], record.attrs["profile"]
    results.records.write_evaluation(fast.experiment, fast.experiment.PAPER, record)
    assert _state(fast) == "unwitnessed"
    text = str(results.footer(results.get(fast.experiment, mode="recorded")))
    assert "by the fast engine, not checked against the plain code. To compute" in text
    monkeypatch.setattr(cli, "EXPERIMENTS", "fake.experiments")
    assert cli.main(["results", "--check"]) == 1
    out, err = capsys.readouterr()
    assert "fig9_lines            unwitnessed" in out and err == (
        "lil: without a witness of the present code: fig9_lines; `lil results witness` makes it.\n"
    )
    assert cli.main(["results", "witness"]) == cli.main(["results", "--check"]) == 0
    assert "(level); 1.0e-03 in weights (2 networks, " in capsys.readouterr().out


def test_weights_that_differ_much_are_not_compared(fast):
    fast.edit("fast/loops.py", "WEIGHTS = 1.0 + 1e-3", "WEIGHTS = 1.0 + 0.06")
    found = json.loads(results.record(fast.experiment, **SILENT).attrs["witness"])
    assert witness.differences(found).endswith("; weights not compared, because training amplifies rounding errors")


def test_a_mistake_in_the_engine_is_not_affirmed(fast):
    results.record(fast.experiment, **SILENT)
    fast.commit()
    fast.edit("fast/loops.py", "FACTOR = 1.0 + 1e-6", "FACTOR = 1.0 + 1e-4")
    with pytest.raises(errors.NotAffirmed, match=r"level differs between the old code and the new \(engine fast\)"):
        results.affirm(fast.experiment, **SILENT)


def test_a_mistake_in_the_plain_code_is_not_affirmed_though_the_fast_engine_made_the_record(fast):
    results.record(fast.experiment, **SILENT)
    fast.commit()
    fast.edit("arithmetic.py", "a + b", "b + a")
    fast.edit("engine.py", "return 1.0", "return 1.001")
    with pytest.raises(errors.NotAffirmed, match=r"level differs .* \(engine plain\)"):
        results.affirm(fast.experiment, **SILENT)


def test_an_engine_that_evaluates_otherwise_is_wrong_and_nothing_is_recorded(fast):
    results.record(fast.experiment, **SILENT)
    before = (fast.records / "fig9_lines.nc").read_bytes()
    fast.edit("fast/loops.py", "FACTOR = 1.0 + 1e-6", "FACTOR = 1.0 + 1e-3")
    with pytest.raises(errors.WrongEngine, match="The fast engine is wrong: of fig9_lines, it evaluates level"):
        results.record(fast.experiment, **SILENT)
    assert (fast.records / "fig9_lines.nc").read_bytes() == before


def test_the_plain_engine_compares_no_engine_and_needs_no_witness(fast, monkeypatch, in_process):
    results.record(fast.experiment, **SILENT)
    fast.edit("fast/loops.py", "FACTOR = 1.0 + 1e-6", "FACTOR = 1.0 + 1e-6 + 0")
    assert _changed(fast) == ("engine",)
    monkeypatch.setenv("LIL_ENGINE", "plain")
    assert _changed(fast) == ()
    in_process.clear()
    record = results.record(fast.experiment, **SILENT)
    assert "witness" not in record.attrs and json.loads(record.attrs["engine"]) == {"name": "plain", "code": ""}
    assert "by the plain code. To compute" in str(results.footer(results.get(fast.experiment, mode="recorded")))
    assert results.give_witness(fast.experiment, **SILENT) is None and in_process == []
    monkeypatch.delenv("LIL_ENGINE")
    assert _changed(fast) == ()  # the plain code's numbers hold, whichever engine is here
