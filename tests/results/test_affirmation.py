"""A record survives a change of its code only if the old code and the new compute the same probe."""

import dataclasses
import itertools
import json
import random
import shutil
from pathlib import Path

import pytest
from fake_package import ATTACKED, NETS

from lil import engine, results
from lil.experiments import fig3_mnist_public
from lil.results import affirmation, bands, computing, errors, registry, running

SILENT = dict(progress=lambda *_: None)
PROBES = 'PROBES = {"fig9_lines": {"lines.width": 3}}\n'


@pytest.fixture
def recorded(fake, in_process):
    """A record in a commit with its code."""
    fake.write("experiments/__init__.py", PROBES)
    results.record(fake.experiment)
    fake.commit()
    return fake


def _files(fake):
    return {path.name: path.read_bytes() for path in fake.records.rglob("*") if path.is_file()}


def _affirm(fake, seed=0, **more):
    return results.affirm(fake.experiment, choice=random.Random(seed), **SILENT, **more)


def test_a_refactoring_is_affirmed_by_equal_bits(recorded, in_process):
    before = results.get(recorded.experiment, mode="recorded")
    recorded.edit("arithmetic.py", "a + b", "b + a")
    affirmed = _affirm(recorded)
    assert affirmed["engines"] == {"": {"equal": True}}
    assert [job.moved for _, job, _ in in_process] == [0, 0]  # the old code and the new, and no reruns
    after = results.get(recorded.experiment, mode="recorded")
    assert after.equals(before)
    for kept in ("date", "seconds", "machine", "training"):
        assert after.attrs[kept] == before.attrs[kept]
    assert json.loads(after.attrs["affirmations"]) == [json.loads(json.dumps(affirmed))]
    assert affirmed["code_before"] == before.attrs["code"] != after.attrs["code"]
    assert affirmed["probe"]["lines.width"] == 3 and len(affirmed["probe"]["lines.seeds"]) == 2
    trainings = recorded.trainings
    assert results.networks(recorded.recipe, recorded.recipe.PAPER)["weight"].shape == (6, 4)
    assert recorded.trainings == trainings  # the networks are current too


def test_another_order_of_operations_is_affirmed_within_measured_bands(recorded, in_process):
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1 + 2e-7)")
    found = _affirm(recorded)["engines"][""]
    assert not found["equal"] and 0 < found["differences"]["level"].largest < 1e-5
    assert found["band"]["reruns"] == [words for words, *_ in bands.RERUNS]
    assert 0 < found["band"]["spread"]["level"].largest < 1e-6 and found["band"]["factor"] == bands.FACTOR
    assert 0 < found["band"]["spread"]["weights of lines"].largest < 1e-6
    assert [(job.moved, job.threads) for _, job, _ in in_process[2:]] == [(0, 2), (1, 1), (2, 1), (0, 1)]


@pytest.mark.parametrize("times, beyond", [(2.9, ""), (3.1, "level")])
@pytest.mark.parametrize("measure", [(1, 0), (0, 1)], ids=["largest", "mean"])
def test_a_band_is_three_times_the_spread_of_the_reruns(times, beyond, measure):
    found = bands.Difference(*(times * 1e-3 * each for each in measure))
    assert bands.judge({"level": found}, {"level": bands.Difference(1e-3, 1e-3)}, {}) == (beyond, [])


def test_affirmations_add_up(recorded):
    for old, new in itertools.pairwise(["a + b", "b + a", "(b + a) * 1"]):
        recorded.edit("arithmetic.py", f"float({old})", f"float({new})")
        _affirm(recorded)
        recorded.commit()
    affirmations = json.loads(results.get(recorded.experiment, mode="recorded").attrs["affirmations"])
    assert len(affirmations) == 2 and len({each["against"] for each in affirmations}) == 2


@pytest.mark.parametrize(
    "file, old, new, what",
    [
        ("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1.001)", "level differs"),
        ("arithmetic.py", "a + b", "a + b + 0.001", "weights of lines differs"),
        ("experiments/fig9_lines.py", '"word": "text"', '"word": "another"', "word differs .* by inf"),
        ("experiments/fig9_lines.py", '"word": "text", ', "", "word differs .* by inf"),
        ("experiments/fig9_lines.py", "np.full(2, np.nan)", "np.zeros(2)", "nothing differs .* by inf"),
        ("experiments/fig9_lines.py", "np.full(2, np.nan)", "np.full(3, np.nan)", "nothing differs .* by inf"),
    ],
)
def test_a_record_that_its_code_no_longer_computes_is_refused_and_stays(recorded, file, old, new, what):
    before = _files(recorded)
    recorded.edit(file, old, new)
    with pytest.raises(errors.NotAffirmed, match=rf"does not hold: on a probe with betas .* and seeds .*, {what}"):
        _affirm(recorded)
    assert _files(recorded) == before
    with pytest.raises(errors.StaleRecord):
        results.get(recorded.experiment, mode="recorded")


def test_networks_that_are_others_are_refused_though_the_evaluation_hides_it(recorded):
    recorded.edit("recipes/lines.py", "[:, None] * ones", "[:, None] * ones.cumsum(0)")
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log()")
    with pytest.raises(errors.NotAffirmed, match="weights of lines differs"):
        _affirm(recorded)


@pytest.mark.slow
def test_code_that_fails_is_not_affirmed(fake):
    """In a process of its own, as an affirmation is made."""
    results.record(fake.experiment)
    fake.commit()
    fake.edit("experiments/fig9_lines.py", "recipe = config.lines", "recipe = config.lynes")
    with pytest.raises(errors.NotAffirmed, match="could not be computed .*no attribute 'lynes'.*: mend it first"):
        _affirm(fake)
    fake.edit("experiments/fig9_lines.py", "recipe = config.lynes", "recipe = config.lines")
    fake.edit("arithmetic.py", "a + b", "b + a")
    assert _affirm(fake)["engines"] == {"": {"equal": True}}


def test_only_a_change_of_code_can_be_affirmed(recorded, monkeypatch):
    with pytest.raises(errors.NotAffirmed, match="is current"):
        _affirm(recorded)
    monkeypatch.setenv("FAKE_CHECKSUM", "another")
    with pytest.raises(errors.NotAffirmed, match="because its data changed and not its code alone"):
        _affirm(recorded)
    recorded.edit("experiments/fig9_lines.py", "power: float = 1.0", "power: float = 2.0")
    with pytest.raises(errors.NotAffirmed, match="because its settings and data changed"):
        _affirm(recorded)
    assert recorded.trainings == [6]


def test_without_a_record_there_is_nothing_to_affirm(fake):
    with pytest.raises(errors.MissingRecord, match="lil reproduce fig9_lines --record"):
        _affirm(fake)


def test_a_damaged_record_is_not_affirmed(recorded):
    recorded.edit("arithmetic.py", "a + b", "b + a")
    (recorded.records / "networks" / "lines" / "paper.safetensors").write_bytes(b"")
    with pytest.raises(errors.CorruptRecord, match="paper.safetensors"):
        _affirm(recorded)


def test_a_record_without_its_networks_is_affirmed(recorded):
    """Networks too large for the repository are missing on another machine."""
    (recorded.records / "networks" / "lines" / "paper.safetensors").unlink()
    recorded.edit("arithmetic.py", "a + b", "b + a")
    _affirm(recorded)
    assert results.get(recorded.experiment, mode="recorded").attrs["mode"] == "recorded"


# ------------------------------------------------------------------------------------------------ the old code


def test_the_old_code_is_that_of_the_record_s_last_commit_or_of_the_named_one(recorded):
    first = recorded.commit() if (recorded.root / "note").write_text("another commit") else ""
    recorded.edit("arithmetic.py", "a + b", "b + a")
    later = recorded.commit()
    with pytest.raises(errors.NotAffirmed, match=f"commit {later[:10]} is not the code that the record"):
        _affirm(recorded, against="HEAD")
    assert _affirm(recorded, against=first)["against"] == first
    recorded.commit()
    recorded.edit("arithmetic.py", "b + a", "(b + a)")
    results.get(recorded.experiment, mode="recorded")  # a pair of brackets changes nothing


@pytest.mark.parametrize("against", ["nowhere", "--all", "HEAD~9"])
def test_a_commit_that_does_not_exist_is_told(recorded, against):
    recorded.edit("arithmetic.py", "a + b", "b + a")
    with pytest.raises(errors.NotAffirmed, match="cannot be had from git"):
        _affirm(recorded, against=against)


def test_a_record_in_no_commit_or_no_repository_is_not_affirmed(fake, in_process):
    results.record(fake.experiment)
    fake.edit("arithmetic.py", "a + b", "b + a")
    with pytest.raises(errors.NotAffirmed, match="git"):
        _affirm(fake)
    fake.records.rename(fake.root / "aside")
    fake.commit()
    (fake.root / "aside").rename(fake.records)
    with pytest.raises(errors.NotAffirmed, match="is in no commit: name that of its code"):
        _affirm(fake)


def test_a_record_whose_code_was_never_committed_is_not_affirmed(recorded):
    recorded.edit("arithmetic.py", "a + b", "b + a")
    _affirm(recorded)
    recorded.edit("arithmetic.py", "b + a", "b + a + 0")
    with pytest.raises(errors.NotAffirmed, match="is not the code that the record results/fig9_lines.nc names"):
        _affirm(recorded)


# ------------------------------------------------------------------------------------------------ what is drawn


def _draws(experiment, config, n=60):
    return [affirmation.draw(experiment, config, random.Random(k)) for k in range(n)]


def test_every_probe_has_two_seeds_the_largest_beta_and_one_more(fake):
    fake.write("recipes/nets.py", NETS)
    fake.write("experiments/fig8_nets.py", ATTACKED)
    experiment = fake.load("experiments.fig8_nets")
    draws = _draws(experiment, experiment.PAPER)
    assert {tuple(each["nets.betas"]) for each in draws} == {(0, beta, 10) for beta in (0.01, 1)}
    assert {tuple(each["nets.seeds"]) for each in draws} == {(0, 1), (0, 2), (1, 2)}


@pytest.mark.parametrize("name", registry.names("lil.experiments"))
def test_every_probe_of_every_experiment_is_some_of_its_networks(name):
    experiment = registry.load("lil.experiments", name)
    config = registry.settings(experiment, "paper")
    for cut in _draws(experiment, config, 20):
        probe = running.cut(config, cut, experiment.RECIPES)
        for recipe, settings in computing.recipes(experiment, probe).values():
            whole = getattr(config, _field(experiment, probe, settings))
            few, every = recipe.members(settings), recipe.members(whole)
            assert len(few) >= min(2, len(every)) and set(few) <= set(every)


def _field(experiment, config, settings):
    return next(name for name, (_, each) in computing.recipes(experiment, config).items() if each is settings)


# ------------------------------------------------------------------------------------------------ planted mistakes

MISTAKES = {
    "swapped objectives": [
        ("experiments/fig8_nets.py", '"total": nets.total', '"total": nets.classification'),
        ("experiments/fig8_nets.py", '"classification": nets.classification', '"classification": nets.total'),
    ],
    "β dropped": [("recipes/nets.py", "+ beta * mismatch", "+ mismatch")],
    "β = 0": [("recipes/nets.py", "+ beta * mismatch", "+ 0 * mismatch")],
    "another K": [("recipes/nets.py", "scale * distances", "1.0 * distances")],
    "another seed": [("recipes/nets.py", "manual_seed(seed)", "manual_seed(seed + 1)")],
    "seeds and β in another order": [
        (
            "recipes/nets.py",
            "for beta in config.betas for seed in config.seeds",
            "for seed in config.seeds for beta in config.betas",
        )
    ],
}
HARMLESS = [
    (("scale * distances(torch.tanh(x @ weight))", "distances(torch.tanh(x @ weight)) * scale"), True),
    ((".add(1e-6).sqrt()", ".mul(3).add(3e-6).sqrt().div(3**0.5)"), False),
]


class _These(random.Random):
    """A choice of these values, in place of random ones."""

    def __new__(cls, *wanted):
        return super().__new__(cls)

    def __init__(self, *wanted):
        super().__init__()
        self.wanted = [value for values in wanted for value in values]

    def sample(self, values, k):
        return sorted(values, key=lambda value: value not in self.wanted)


@pytest.fixture
def nets(fake, in_process, monkeypatch):
    """Two trees with the same experiment; ``fake.edit`` changes the new one."""
    fake.write("recipes/nets.py", NETS)
    fake.write("experiments/fig8_nets.py", ATTACKED)
    shutil.copytree(fake.root / "fake", fake.root / "old" / "fake")
    monkeypatch.setattr(bands, "RERUNS", bands.RERUNS[2:])  # this process has its instructions for good
    return fake


def _compared(fake, choice):
    experiment = fake.load("experiments.fig8_nets")
    job = running.Job(experiment.__name__, affirmation.draw(experiment, experiment.PAPER, choice), 1)
    return affirmation.compare(job, fake.root / "old", fake.root)[""]


def _all_draws():
    for beta, seeds in itertools.product((0.01, 1.0), itertools.combinations(range(3), 2)):
        yield _These([beta], seeds)


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_refused_in_every_draw(nets, mistake):
    for edit in MISTAKES[mistake]:
        nets.edit(*edit)
    for choice in _all_draws():
        with pytest.raises(errors.NotAffirmed, match="does not hold"):
            _compared(nets, choice)


@pytest.mark.parametrize("change, equal", HARMLESS)
def test_a_harmless_change_is_affirmed_in_every_draw(nets, change, equal):
    nets.edit("recipes/nets.py", *change)
    assert {_compared(nets, choice)["equal"] for choice in _all_draws()} == {equal}


# ---------------------------------------------------------------------------------------- planted in the real code


def _trained_with(change):
    """Return a mistake: the networks are trained with other arguments."""

    def plant(patch):
        train = engine.train

        def planted(model, x, labels, settings, *, betas, **more):
            settings, betas = change(settings, betas)
            return train(model, x, labels, settings, betas=betas, **more)

        patch.setattr(engine, "train", planted)

    return plant


def _swap_objectives(patch):
    """Give the accuracies under each objective the other's name."""
    robustness = engine.robustness

    def planted(*given, **more):
        right = robustness(*given, **more)
        return right.isel(objective=slice(None, None, -1)).assign_coords(objective=right.objective.values)

    patch.setattr(engine, "robustness", planted)


REAL_MISTAKES = {
    "swapped objectives": _swap_objectives,
    "K dropped": _trained_with(lambda settings, betas: (dataclasses.replace(settings, scale=1.0), betas)),
    "another K": _trained_with(lambda settings, betas: (dataclasses.replace(settings, scale=9.0), betas)),
    "β dropped": _trained_with(lambda settings, betas: (settings, [float(beta > 0) for beta in betas])),
}


@pytest.fixture
def figure3(monkeypatch):
    """Return a function that affirms the probe of Figure 3A, K = 10, with one mistake in the new code.

    Both codes run in this process; what the old code computes is kept, for all mistakes of one draw are judged by it.
    """
    if not fig3_mnist_public.RECIPES["mnist"].data_available(fig3_mnist_public.PAPER.mnist):
        pytest.skip("MNIST is not on this machine: `lil data fetch mnist` first")
    kept = {}

    def compared(mistake, choice, folder):
        def run(tree, job, engine="", environment=None, timeout=None):
            place, result = Path(job.trained), next(iter(job.evaluated.values()))
            key = (json.dumps(job.cut), job.moved)
            if tree == folder / "old" and key in kept:
                shutil.copytree(kept[key], place)
                shutil.copy(kept[key].with_suffix(".nc"), result)
                return
            with pytest.MonkeyPatch.context() as patch:
                if tree == folder / "new":
                    mistake(patch)
                running.work(job)
            if tree == folder / "old":
                kept[key] = folder / f"kept {len(kept)}"
                shutil.copytree(place, kept[key])
                shutil.copy(result, kept[key].with_suffix(".nc"))

        monkeypatch.setattr(running, "run", run)
        probe = registry.entry(fig3_mnist_public, "PROBES")
        fewer = {name: images // 3 for name, images in probe.items()}  # a third of the time
        cut = fewer | affirmation.draw(fig3_mnist_public, fig3_mnist_public.PAPER, choice)
        job = running.Job(fig3_mnist_public.__name__, cut, 1)
        return affirmation.compare(job, folder / "old", folder / "new")[""]

    monkeypatch.setattr(bands, "RERUNS", bands.RERUNS[1:3])  # moved by rounding; this process keeps its instructions
    return compared


@pytest.mark.slow
@pytest.mark.parametrize("beta", fig3_mnist_public.PAPER.mnist.betas[1:-1])
def test_a_mistake_in_figure_3_is_refused_whichever_beta_is_drawn(figure3, beta, tmp_path):
    seeds = random.Random(beta).sample(fig3_mnist_public.PAPER.mnist.seeds, 2)
    assert figure3(lambda patch: None, _These([beta], seeds), tmp_path) == {"equal": True}
    for mistake in REAL_MISTAKES.values():
        with pytest.raises(errors.NotAffirmed, match="does not hold"):
            figure3(mistake, _These([beta], seeds), tmp_path)


def test_a_probe_whose_reruns_differ_too_much_is_refused(nets):
    for tree in ("fake", "old/fake"):
        nets.edit(f"../{tree}/recipes/nets.py", "weights.append(weight)", "weights.append(torch.sin(1e7 * weight))")
    nets.edit("recipes/nets.py", *HARMLESS[1][0])
    with pytest.raises(errors.NotAffirmed, match=r"reruns of its probe differ by more than 5% .*choose a smaller one"):
        _compared(nets, _These([1.0], [0, 1]))


def test_reruns_that_all_fail_measure_no_band(recorded, monkeypatch):
    run = running.run

    def fails(tree, job, *more, timeout=None, **others):
        if timeout is not None:
            raise errors.NotAffirmed("took too long")
        run(tree, job, *more, **others)

    monkeypatch.setattr(running, "run", fails)
    recorded.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1 + 2e-7)")
    with pytest.raises(errors.NotAffirmed, match="No band could be measured"):
        _affirm(recorded)
