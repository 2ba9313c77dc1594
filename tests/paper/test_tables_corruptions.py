"""Numbers, tables and sentences on random noise and corruptions, of a made-up result."""

import numpy as np
import pytest
import xarray as xr

from lil.corruptions import CORRUPTIONS
from lil.paper.intervals import over_seeds
from lil.paper.tables import corruptions as tables
from lil.paper.tables import over_baseline

BETAS, SEEDS, LEVELS = [0.0, 0.1, 10.0], [0, 1, 5], [1, 2, 3, 4, 5]


@pytest.fixture
def result():
    """Two readings, three β, three seeds and all corruptions, whose gains are 0 but for noise between seeds."""
    rng = np.random.default_rng(0)
    names = list(CORRUPTIONS)
    wobble = np.array([-0.01, 0.0, 0.01])
    accuracy = np.full((2, 15, 5, 3, 3), 0.5) + rng.uniform(-1, 1, (2, 15, 5, 1, 3)) / 10
    accuracy = accuracy + np.stack([0 * wobble, wobble, -wobble])
    return xr.Dataset(
        {
            "clean": (("networks", "beta", "seed"), 0.9 + np.zeros((2, 3, 3)) + [[0.0], [0.0], [-0.05]]),
            "accuracy": (("networks", "corruption", "level", "beta", "seed"), accuracy),
            "severity": (("corruption", "level"), np.tile(np.arange(1, 6) / 10, (15, 1))),
            "moved": (("corruption", "level"), np.tile(np.arange(1.0, 6), (15, 1))),
        },
        coords={
            "networks": ["mnist_text", "mnist_public"],
            "corruption": names,
            "level": LEVELS,
            "beta": BETAS,
            "seed": SEEDS,
            "unit": ("corruption", [each.unit for each in CORRUPTIONS.values()]),
            "images": 50,
        },
    )


def shift(result, by, **where):
    result["accuracy"].loc[where] = result.accuracy.sel(where) + by


def test_gains_are_paired_by_seed_and_the_clean_images_stand_first(result):
    accuracy = tables.at_level(result, 2)
    assert accuracy.corruption.values.tolist() == [tables.NONE, *CORRUPTIONS]
    found = over_baseline(accuracy)
    assert found.beta.values.tolist() == BETAS[1:]
    for seed in SEEDS:
        one = result.accuracy.sel(networks="mnist_public", corruption="blur", level=2, seed=seed)
        expected = float(one.sel(beta=10) - one.sel(beta=0))
        here = dict(networks="mnist_public", corruption="blur", beta=10, seed=seed)
        assert float(found.sel(here)) == pytest.approx(expected)
    assert found.sel(corruption=tables.NONE, beta=10).values == pytest.approx(-0.05)


def test_a_gain_whose_interval_includes_0_is_undecided(result):
    shift(result, 0.1, corruption="sign", beta=10, networks="mnist_text", level=3)
    shift(result, -0.1, corruption="jpeg", beta=10, networks="mnist_text", level=3)
    found = tables.verdicts(result, "mnist_text", 10.0, 3)
    assert list(found) == list(CORRUPTIONS)
    assert (found.pop("sign"), found.pop("jpeg")) == ("helped", "harmed") and set(found.values()) == {"undecided"}
    assert set(tables.verdicts(result, "mnist_public", 10.0, 3).values()) == {"undecided"}
    assert set(tables.verdicts(result, "mnist_text", 10.0, 2).values()) == {"undecided"}
    gain = over_baseline(tables.at_level(result, 3)).sel(networks="mnist_text", beta=10, corruption="sign")
    assert tables.verdict(over_seeds(gain.sel(seed=[0]))) == "undecided"  # one seed has no interval


def test_the_table_of_verdicts_counts_them_at_each_level(result):
    shift(result, 0.1, corruption=["sign", "blur"], beta=10, networks="mnist_text", level=3)
    shift(result, -0.1, corruption="jpeg", beta=0.1, networks="mnist_public", level=[1, 2])
    found = tables.verdict_table(result)
    assert found.index.tolist() == [
        (tables.READINGS[name], beta) for name in ("mnist_text", "mnist_public") for beta in BETAS[1:]
    ]
    assert found.columns.tolist() == [(level, word) for level in LEVELS for word in ("higher", "lower")]
    assert found.loc[("K = 1 (the text)", 10), (3, "higher")] == 2
    assert found.loc[("K = 10 (the public code)", 0.1), (1, "lower")] == 1
    assert found.to_numpy().sum() == 2 + 2


@pytest.mark.parametrize(
    ("by", "words"), [(0.1, "a gain of +0.100 ("), (-0.1, "a loss: −0.100 ("), (0, "no difference that can be told")]
)
def test_a_sentence_states_both_readings_and_what_became_of_each(result, by, words):
    shift(result, by, corruption="sign", beta=10, networks="mnist_public", level=3)
    text = tables.sentence(result, "sign", 10.0)
    assert text.startswith("Sign noise, ε = 0.3: with K = 1 (the text), accuracy is ") and text.endswith(").")
    first, second = text.split("; ")
    assert "no difference that can be told from 0: " in first and words in second
    one = result.accuracy.sel(corruption="sign", networks="mnist_public", level=3).mean("seed")
    assert f"is {float(one.sel(beta=0)):.3f} at β = 0 and {float(one.sel(beta=10)):.3f} at β = 10" in second


def test_a_sentence_can_speak_of_the_images_as_they_are(result):
    text = tables.sentence(result, tables.NONE, 10.0)
    assert text.startswith(
        "No perturbation: with K = 1 (the text), accuracy is 0.900 at β = 0 and 0.850 at β = 10, a loss"
    )


def test_the_tally_counts_noises_and_corruptions_apart(result):
    shift(result, 0.1, corruption=["sign", "gaussian"], beta=10, networks="mnist_text", level=3)
    shift(result, -0.1, corruption=["direction", "blur", "jpeg", "shear"], beta=10, networks="mnist_text", level=3)
    first, second, *_ = tables.tally(result, 10.0, 3).split(" With ")
    assert first == (
        "With K = 1 (the text), β = 10 raises accuracy under 2 of 5 kinds of noise and lowers it under 1; of 10 "
        "corruptions it raises accuracy under 0 and lowers it under 3."
    )
    assert second.startswith("K = 10 (the public code), β = 10 raises accuracy under 0 of 5")
    assert set(tables.NOISES) < set(CORRUPTIONS)


def test_every_number_of_a_page(result):
    shift(result, -0.1, corruption="sign", beta=10, level=1)
    found = tables.numbers(result)
    assert (found["seeds"], found["images"], found["corruptions"], found["levels"]) == (3, 50, 15, 5)
    assert (found["intervals"], found["by_chance"]) == (60, 3)
    assert found["gaussian"] == tables.sentence(result, "gaussian", 0.1)
    assert found["tally_small"] == tables.tally(result, 0.1, 3) and found["tally_large"] == tables.tally(
        result, 10.0, 3
    )
    assert "lowers it under 1" in found["mild"] and "lowers it under 1" not in found["tally_large"]


def test_the_table_of_gains_states_mean_and_interval(result):
    found = tables.gain_table(result, "mnist_public")
    assert found.index.tolist() == [tables.label(result, name, 3) for name in [tables.NONE, *CORRUPTIONS]]
    assert found.columns.tolist() == ["accuracy, β = 0", "β = 0.1", "β = 10"]
    gain = over_baseline(tables.at_level(result, 3)).sel(networks="mnist_public", corruption="shear", beta=0.1)
    assert found.loc["shear by 0.3°", "β = 0.1"] == f"{over_seeds(gain):+.3f}"
    assert found.loc["no perturbation", "accuracy, β = 0"] == "0.900"


def test_the_table_of_accuracies_has_every_severity(result):
    found = tables.accuracy_table(result)
    assert found.shape == (1 + 15 * 5, 6)
    expected = result.accuracy.sel(networks="mnist_text", corruption="contrast", level=4, beta=10).mean()
    assert found.loc["contrast less 40%", ("K = 1 (the text)", 10)] == pytest.approx(float(expected))
    assert found.loc["no perturbation", ("K = 10 (the public code)", 10)] == pytest.approx(0.85)


def test_the_table_of_severities_has_their_units_and_distances(result):
    found = tables.severity_table(result)
    assert found.loc["rotation"].tolist() == ["degrees", "0.1, 0.2, 0.3, 0.4, 0.5", 0.3, 3.0]
    assert found.index.tolist() == list(CORRUPTIONS) and set(tables.LABELS) == {tables.NONE, *CORRUPTIONS}


def test_two_tables_round_one_mean_alike(result):
    """Means of single precision lie halfway between two numbers of three digits, and would be rounded either way."""
    shares = np.random.default_rng(0).integers(1000, 2000, result.accuracy.shape) / 2000
    result["accuracy"] = result.accuracy.dims, shares.astype(np.float32)
    for networks, reading in tables.READINGS.items():
        if networks in result.networks:
            one = tables.gain_table(result, networks)["accuracy, β = 0"]
            other = tables.accuracy_table(result)[reading, 0.0].round(3).map("{:.3f}".format)
            assert other[one.index].tolist() == one.tolist()
