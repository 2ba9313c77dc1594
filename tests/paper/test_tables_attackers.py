"""Numbers and tables of an attacker's view, of a made-up result."""

import numpy as np
import pytest
import xarray as xr
from made_up import attackers_result

from lil.paper.checklist import Item
from lil.paper.intervals import over_seeds
from lil.paper.tables import attackers

BETAS, SEEDS, EPSILONS = [0.0, 0.1, 10.0], [0, 4], [0.01, 0.1, 0.3, 1.0]
ITEMS = [Item("a", "of a", 0.005, 0.01), Item("b", "of b", 0.5, 0.01), Item("c", "of c", np.nan, 0.0)]


@pytest.fixture
def result():
    return attackers_result()


def test_gains_are_differences_from_beta_0_under_the_same_attack_at_one_epsilon(result):
    auto, every = attackers.gains(result), attackers.every_gain(result)
    assert auto.epsilon.values.tolist() == [0.1] and every.epsilon.values.tolist() == EPSILONS
    for j, seed in enumerate(SEEDS):
        all_images = result.accuracy.sel(images=50, attack="pgd", epsilon=0.3).values
        found = float(every.sel(attack="pgd", beta=10, seed=seed, epsilon=0.3))
        assert found == pytest.approx(all_images[2, j] - all_images[0, j])
        few = result.accuracy.sel(images=10, attack="autoattack", epsilon=0.1).values
        found = float(auto.sel(attack="autoattack", beta=0.1, seed=seed, epsilon=0.1))
        assert found == pytest.approx(few[1, j] - few[0, j])
    for gain in (auto, every):
        assert gain.notnull().all() and gain.beta.values.tolist() == BETAS[1:]


def test_the_table_has_means_over_seeds_at_autoattacks_epsilons(result):
    table = attackers.accuracy_table(result)
    assert table.columns.tolist() == BETAS
    assert table.index.tolist() == [("ε = 0.1", attack) for attack in attackers.ATTACKS]
    few = result.accuracy.sel(images=10, attack="autoattack", beta=10, epsilon=0.1).mean()
    assert table.loc[("ε = 0.1", "autoattack"), 10] == pytest.approx(float(few))
    assert table.xs("transfer", level="attack")[0].isna().all() and table.drop(columns=0).notna().all().all()


def test_the_gains_have_intervals_over_seeds_epsilon_by_epsilon(result):
    table = attackers.gain_table(result, 10.0)
    assert table.index.tolist() == ["0.01", "0.1", "0.3", "1"] and table.columns.tolist() == list(attackers.OVER_EVERY)
    one = attackers.every_gain(result).sel(attack="margin", beta=10, epsilon=0.3)
    assert table.loc["0.3", "margin"] == format(over_seeds(one), "+.3f")
    auto = attackers.auto_table(result)
    assert auto.index.tolist() == [("0.1", 0.1), ("0.1", 10.0)] and auto.columns.tolist() == list(attackers.OVER_AUTOS)
    one = attackers.gains(result).sel(attack="autoattack", beta=0.1, epsilon=0.1)
    assert auto.loc[("0.1", 0.1), "autoattack"] == format(over_seeds(one), "+.3f")


def test_epsilons_that_agree_in_two_digits_keep_their_rows(result):
    near = result.assign_coords(epsilon=[0.01, 0.1, 0.101, 1.0])
    near["accuracy"].loc[dict(images=10, attack="autoattack", epsilon=0.101)] = 0.5
    near["after_stage"].loc[dict(epsilon=0.101)] = 0.5
    assert attackers.gain_table(near, 10.0).index.tolist() == ["0.01", "0.1", "0.101", "1"]
    assert attackers.auto_table(near).index.unique("ε").tolist() == ["0.1", "0.101"]
    assert attackers.accuracy_table(near).index.unique(0).tolist() == ["ε = 0.1", "ε = 0.101"]
    assert attackers.numbers(near, ITEMS)["auto_epsilons"] == "0.1, 0.101"


def test_the_checklist_says_its_verdicts_in_words():
    table = attackers.checklist_table(ITEMS)
    assert table.verdict.tolist() == ["pass", "FAIL", "FAIL"] and table.index.tolist() == ["a", "b", "c"]
    assert table.value.tolist()[:2] == [0.005, 0.5] and table["at most"].tolist() == [0.01, 0.01, 0.0]


def test_the_words_speak_of_the_largest_gain_under_the_papers_attack(result):
    """At one of the paper's ε: 0.3 is none of them."""
    result["accuracy"].loc[dict(attack="total", beta=0)] = 0.5
    result["accuracy"].loc[dict(attack="total", beta=0.1, epsilon=1.0)] = [0.98, 0.99]
    result["accuracy"].loc[dict(attack="total", beta=10, epsilon=0.3)] = 1.0
    numbers, gain = attackers.numbers(result, ITEMS), attackers.every_gain(result).sel(beta=0.1, epsilon=1.0)
    assert (numbers["beta"], numbers["epsilon"], numbers["seeds"]) == ("0.1", "1", 2)
    assert (numbers["every"], numbers["few"], numbers["few_image"]) == (50, 10, 0.1)
    for attack in attackers.OVER_EVERY:
        assert numbers[f"gain_{attack}"] == format(over_seeds(gain.sel(attack=attack)), "+.3f")
    assert numbers["gain_total"].startswith("+0.485")
    assert numbers["remains"] == attackers.remains(result, 0.1)
    assert numbers["clean_base"] == pytest.approx(float(result.clean[0, 0].mean()))
    assert numbers["auto_epsilons"] == "0.1" and numbers["image"] == 0.02
    assert (numbers["passed"], numbers["items"], numbers["failed"]) == (1, 3, "b; c")
    assert numbers["later"] == pytest.approx(
        max(first - last for first, *_, last in result.trace.values.reshape(-1, result.sizes["rung"]))
    )
    left = result.accuracy.sel(images=10, epsilon=0.1).max(("beta", "seed"))
    assert (numbers["left_pgd"], numbers["left_autoattack"]) == tuple(left.sel(attack=["pgd", "autoattack"]).values)


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        ((0.2, 0.21), "a gain remains"),
        ((-0.2, -0.21), "it is a loss"),
        ((0.2, -0.2), "neither a gain nor a loss is shown"),
        ((0.2, np.nan), "one seed has no interval"),
    ],
)
def test_a_gain_under_autoattack_is_said_in_its_words(result, gain, words):
    auto = dict(images=10, attack="autoattack", epsilon=0.1)
    result["accuracy"].loc[dict(beta=0, **auto)] = 0.4
    result["accuracy"].loc[dict(beta=10, **auto)] = 0.4 + np.array(gain)
    said = attackers.remains(result, 10.0)
    assert said.startswith(f"at ε = 0.1 {over_seeds(xr.DataArray(list(gain), dims='seed')):+.3f}, ")
    assert said.endswith(words) and said.count("ε") == 1


def test_a_stronger_attack_than_pgd_is_named_with_its_cases(result):
    result["accuracy"].loc[dict(attack="pgd")] = 0.3
    result["accuracy"].loc[dict(attack="autoattack", images=10, epsilon=0.1)] = 0.3
    result["transferred"][:, 1:] = 0.3
    assert attackers.stronger_than_pgd(result).startswith("No network keeps more under our PGD than under AutoAttack")
    result["accuracy"].loc[dict(attack="autoattack", images=10, epsilon=0.1, beta=10, seed=0)] = 0.25
    auto = "AutoAttack leaves less in 1 of 6 (by at most 0.050)"
    start = "Our PGD is not the strongest attack here: of all networks and ε, "
    assert attackers.stronger_than_pgd(result) == start + auto
    result["transferred"].loc[dict(images=50, beta=0.1, epsilon=[0.01, 1.0])] = 0.1
    transfer = "images made for β = 0 leave less in 4 of 16 (by at most 0.200)"
    assert attackers.stronger_than_pgd(result) == f"{start}{auto} and {transfer}"
    result["accuracy"].loc[dict(attack="autoattack", images=10, epsilon=0.1)] = 0.3
    assert attackers.stronger_than_pgd(result) == start + transfer
