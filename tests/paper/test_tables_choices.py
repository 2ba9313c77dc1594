"""Numbers and tables of the choices that the text leaves open, of a made-up result."""

import numpy as np
import pytest
from made_up import choices_result

from lil.paper import numbers as paper
from lil.paper import sensitivity
from lil.paper.tables import choices

BETAS = [0.0, 0.1, 1.0, 10.0]
PRINTED = paper.TABLE_1["mnist"]


@pytest.fixture
def result():
    return choices_result()


def test_sets_are_called_by_what_they_have_otherwise(result):
    names = [choices.set_name(result, name) for name in result.networks.values]
    assert names == ["the text", "K = 0.3", "reduction pairs", "5 hidden layers", "batches of 50"]


def test_the_accuracies_are_means_over_the_shared_seeds(result):
    table = choices.accuracy_table(result)
    assert table.shape == (15, 4) and table.columns.tolist() == BETAS
    clean = result.clean.sel(networks="text", beta=1.0, seed=[0, 1])
    assert table.loc[("clean (Table 1)", "the text"), 1.0] == pytest.approx(float(clean.mean()))
    attacked = result.accuracy.sel(networks="deeper", objective="total", beta=10.0, seed=[0, 1])
    assert table.loc[("the paper's attack", "5 hidden layers"), 10.0] == pytest.approx(float(attacked.mean()))


def test_the_span_table_counts_where_a_choice_is_beyond_the_seeds(result):
    table = choices.span_table(result)
    apart = sensitivity.spans(result).sel(measure="total")
    row = table.loc["the depth", "the paper's attack"]
    depth, seed = apart.sel(choice="layers").values, apart.sel(choice="seed").values
    assert row["apart by"] == pytest.approx(depth.mean()) and row["β beyond the seeds"] == (depth > seed).sum()
    assert (table.xs("β beyond the seeds", axis=1, level=1).loc["the seed"] == 0).all()


def test_the_outcomes_are_the_best_beta_s(result):
    table = choices.outcome_table(result, PRINTED)
    clean = result.clean.sel(networks="pairs").values[:, :2].mean(-1)
    row = table.loc["reduction pairs", "clean"]
    assert row["β = 0"] == pytest.approx(clean[0]) and row["β = 10"] == pytest.approx(clean[-1])
    assert row["best"] == pytest.approx(clean.max()) and row["at β"] == BETAS[clean.argmax()]
    assert row["from the paper"] == pytest.approx(
        np.mean([abs(one - PRINTED.at(beta)) for one, beta in zip(clean, BETAS, strict=True)])
    )
    robust = result.accuracy.sel(networks="pairs", objective="classification").values[:, :2].mean((-1, -2))
    gain = table.loc["reduction pairs", "gain, the attacker's"]
    assert gain["best"] == pytest.approx(max(robust[1:]) - robust[0]) and gain["at β"] == BETAS[1:][robust[1:].argmax()]


def test_the_weight_table_has_both_comparisons(result):
    table = choices.weight_table(result)
    apart = sensitivity.at_equal_weight(result)
    assert set(table.index) == {"K = 0.3", "reduction pairs"}
    for compared in ("same β", "equal weight"):
        expected = apart.sel(networks="pairs", measure="total", compared=compared)
        assert table.loc["reduction pairs", ("the paper's attack", compared)] == pytest.approx(float(expected))


def test_the_public_codes_factor_stands_beside_the_seeds(result):
    """K = 0.3 plays the public code's K: the number is that of K = 10 alone, and NaN where no set has it."""
    assert np.isnan(choices.numbers(result, PRINTED)["code"])
    result["scale"] = ("networks", [1.0, 10.0, 1.0, 1.0, 1.0])
    numbers = choices.numbers(result, PRINTED)
    text, other = (result.clean.sel(networks=name, seed=[0, 1]).values.mean(-1) for name in ("text", "scale_03"))
    seeds = np.ptp(result.clean.sel(networks="text").values, axis=-1)
    assert numbers["code"] == pytest.approx(abs(other - text).mean() / seeds.mean())


def test_the_words_have_their_numbers(result):
    result["clean"].loc[dict(networks="deeper", seed=[0, 1])] = 0.1
    result["clean"].loc[dict(networks="batch_50", seed=[0, 1])] = result.clean.sel(networks="text", seed=[0, 1]).values
    numbers = choices.numbers(result, PRINTED)
    assert (numbers["seeds"], numbers["text_seeds"], numbers["betas"], numbers["sets"]) == (2, 3, 4, 5)
    assert (numbers["units"], numbers["farthest"]) == (36, 12)
    assert [numbers[f"options_{choice}"] for choice in sensitivity.CHOICES] == [2, 2, 2, 2]
    plain = result.sel(networks="text", beta=0)
    assert numbers["base_clean"] == pytest.approx(plain.clean.values[:2].mean())
    assert numbers["base_text_clean"] == pytest.approx(plain.clean.values.mean())
    attacked = plain.accuracy.sel(objective="classification").values
    assert numbers["base_classification"] == pytest.approx(attacked[:2].mean())
    assert numbers["base_text_classification"] == pytest.approx(attacked.mean())
    assert numbers["largest_clean"] == "the depth" and "the depth" in numbers["more_clean"]
    assert "the batch size" not in numbers["more_clean"]
    apart = sensitivity.spans(result).mean("beta").sel(measure="clean")
    assert numbers["times_clean"] == pytest.approx(float(apart.sel(choice="layers") / apart.sel(choice="seed")))
    best = sensitivity.gains(result).sel(measure="total").max("beta")
    assert numbers["gain_low_total"] == pytest.approx(float(best.min()))
    assert numbers["gain_high_of_total"] == choices.set_name(result, best.networks.values[best.values.argmax()])
    nearest = sensitivity.from_paper(result, PRINTED)
    assert numbers["nearest_by"] == pytest.approx(float(nearest.min())) and numbers["nearest"] != "5 hidden layers"
    at_zero = sensitivity.means(result).sel(networks=["text", "scale_03", "pairs"], beta=0).values
    assert numbers["zero"] == pytest.approx((at_zero.max(-1) - at_zero.min(-1)).max())
    equal = sensitivity.at_equal_weight(result).sel(networks="scale_03", compared="equal weight", measure="clean")
    assert numbers["scale_equal_clean"] == pytest.approx(float(equal))


def test_no_choice_beyond_the_seeds_is_said_in_words(result):
    for variable in ("clean", "accuracy"):
        result[variable].loc[dict(seed=[0, 1])] = result[variable].sel(networks=["text"], seed=[0, 1]).values
    numbers = choices.numbers(result, PRINTED)
    assert {numbers[f"more_{measure}"] for measure in choices.MEASURES} == {"none of the four"}


def test_seeds_that_the_text_lacks_are_not_its_seeds(result):
    more = result.pad(seed=(0, 4)).assign_coords(seed=range(7))
    assert choices.numbers(more, PRINTED)["text_seeds"] == 3
