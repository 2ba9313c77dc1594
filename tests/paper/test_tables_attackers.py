"""Numbers and tables of an attacker's view, of a made-up result."""

import numpy as np
import pytest
import xarray as xr

from lil.paper.checklist import Item
from lil.paper.tables import attackers

BETAS, SEEDS, EPSILONS = [0.0, 0.1, 10.0], [0, 4], [0.01, 0.1, 0.3, 1.0]
ITEMS = [Item("a", "of a", 0.005, 0.01), Item("b", "of b", 0.5, 0.01), Item("c", "of c", np.nan, 0.0)]
ATTACKS = ["total", "classification", "margin", "pgd", "autoattack", "noise"]


@pytest.fixture
def result():
    """Three β, two seeds, four ε, at one of them AutoAttack: all that :mod:`lil.paper.tables.attackers` reads."""
    rng = np.random.default_rng(0)
    epsilon = ("beta", "seed", "epsilon")
    accuracy = rng.uniform(size=(2, 6, 3, 2, 4))
    transferred = rng.uniform(size=(2, 3, 2, 4))
    accuracy[0, 4], accuracy[1, 4][..., [0, 2, 3]], transferred[:, 0] = np.nan, np.nan, np.nan
    trace = np.sort(rng.uniform(size=(3, 2, 4, 5)), axis=-1)[..., ::-1]
    return xr.Dataset(
        {
            "clean": (("images", "beta", "seed"), rng.uniform(0.8, 1, (2, 3, 2))),
            "accuracy": (("images", "attack", *epsilon), accuracy),
            "transferred": (("images", *epsilon), transferred),
            "after_stage": (("stage", *epsilon), np.broadcast_to(accuracy[1, 4], (4, 3, 2, 4))),
            "trace": ((*epsilon, "rung"), trace),
        },
        coords={
            "images": [50, 10],
            "attack": ATTACKS,
            "beta": BETAS,
            "seed": SEEDS,
            "epsilon": EPSILONS,
            "in_paper": ("epsilon", [True, True, False, True]),
            "steps": ("rung", [10, 20, 20, 40, 40]),
            "starts": ("rung", [1, 1, 2, 2, 4]),
        },
    )


def test_gains_are_differences_from_beta_0_under_the_same_attack(result):
    found = attackers.gains(result)
    for j, seed in enumerate(SEEDS):
        every = result.accuracy.sel(images=50, attack="pgd", epsilon=[0.01, 0.1, 1.0]).values.mean(-1)
        assert float(found["paper"].sel(attack="pgd", beta=10, seed=seed)) == pytest.approx(every[2, j] - every[0, j])
        few = result.accuracy.sel(images=10, attack="autoattack", epsilon=0.1).values
        auto = float(found["auto"].sel(attack="autoattack", beta=0.1, seed=seed))
        assert auto == pytest.approx(few[1, j] - few[0, j])
    assert all(gain.notnull().all() and gain.beta.values.tolist() == BETAS[1:] for gain in found.values())


def test_the_table_has_means_over_seeds(result):
    table = attackers.accuracy_table(result)
    assert table.columns.tolist() == BETAS
    assert table.index.get_level_values(0).unique().tolist() == ["the paper's ε", "ε = 0.1"]
    papers = result.accuracy.sel(images=50, attack="margin", beta=0.1, epsilon=[0.01, 0.1, 1.0]).mean()
    assert table.loc[("the paper's ε", "margin"), 0.1] == pytest.approx(float(papers))
    few = result.accuracy.sel(images=10, attack="autoattack", beta=10, epsilon=0.1).mean()
    assert table.loc[("ε = 0.1", "autoattack"), 10] == pytest.approx(float(few))
    assert ("the paper's ε", "autoattack") not in table.index
    assert table.xs("transfer", level="attack")[0].isna().all() and table.drop(columns=0).notna().all().all()


def test_the_checklist_says_its_verdicts_in_words():
    table = attackers.checklist_table(ITEMS)
    assert table.verdict.tolist() == ["pass", "FAIL", "FAIL"] and table.index.tolist() == ["a", "b", "c"]
    assert table.value.tolist()[:2] == [0.005, 0.5] and table["at most"].tolist() == [0.01, 0.01, 0.0]


def test_the_words_speak_of_the_beta_that_gains_most_under_the_papers_attack(result):
    result["accuracy"].loc[dict(attack="total", beta=10)] = 0.99
    numbers, gain = attackers.numbers(result, ITEMS), attackers.gains(result)
    assert (numbers["beta"], numbers["seeds"], numbers["every"], numbers["few"]) == ("10", 2, 50, 10)
    one = gain["paper"].sel(attack="total", beta=10)
    assert numbers["paper_total"] == pytest.approx(float(one.mean()))
    assert (numbers["low_paper_total"], numbers["high_paper_total"]) == (float(one.min()), float(one.max()))
    assert numbers["auto_autoattack"] == pytest.approx(float(gain["auto"].sel(attack="autoattack", beta=10).mean()))
    assert numbers["clean_base"] == pytest.approx(float(result.clean[0, 0].mean()))
    assert numbers["auto_epsilons"] == "0.1" and numbers["image"] == 0.02
    assert (numbers["passed"], numbers["items"], numbers["failed"]) == (1, 3, "b; c")
    left = result.accuracy.sel(images=10, epsilon=0.1).max(("beta", "seed"))
    assert (numbers["left_pgd"], numbers["left_autoattack"]) == tuple(left.sel(attack=["pgd", "autoattack"]).values)


def test_a_gain_is_shared_out_and_no_gain_is_not():
    assert attackers.split_gain(0.2, 0.05, 0.01) == (
        "75% of the gain belong to the attack's objective, 20% to its taking a single step, and 5% to the network"
    )
    assert attackers.split_gain(0.2, 0.05, -0.01) == (
        "75% of the gain belong to the attack's objective, the rest to its taking a single step, and nothing to the "
        "network"
    )
    assert attackers.split_gain(0.2, -0.05, 0.01).startswith("all of the gain belongs to the attack's objective")
    assert "no gain" in attackers.split_gain(-0.1, 0.1, 0.1) and "no gain" in attackers.split_gain(0.0, 0.1, 0.1)
