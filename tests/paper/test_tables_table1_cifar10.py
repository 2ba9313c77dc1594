"""Numbers of the page on Table 1's second row, of made-up results."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import t

from lil.paper.numbers import BETAS, TABLE_1
from lil.paper.tables import table1_cifar10 as tables

ROW = TABLE_1["cifar10"]
SPREAD = np.array([-0.01, 0.0, 0.01])


def made(rows):
    """Accuracies over three seeds around a mean for each set and β."""
    return np.array([[[value + move for move in SPREAD] for value in row] for row in rows])


@pytest.fixture
def scaled():
    printed = list(ROW.values)
    accuracy = made([[0.92] * 6, [value + 0.015 for value in printed[:5]] + [0.46], [0.8, 0.8, 0.8, 0.8, 0.8, 0.3]])
    shared = {"input_distance": [6.0, 54.0, 55.0], "beyond": [0.0, 0.25, 0.2], "reach": [63.2] * 3}
    of_network = {"accuracy": accuracy, "distance": 10 + accuracy, "saturated": accuracy / 2}
    return xr.Dataset(
        {name: (("networks", "beta", "seed"), each) for name, each in of_network.items()}
        | {name: ("networks", each) for name, each in shared.items()},
        {
            "networks": ["scale_1", "scale_9", "half_9"],
            "feature_scale": ("networks", [1.0, 9.0, 9.0]),
            "beta": list(BETAS),
            "seed": [0, 1, 2],
        },
    )


NAMES = ["features × 1", "features × 9", "features × 9, images (x − 0.5)/0.5"]


@pytest.fixture
def sets(scaled):
    return tables.accuracies(scaled, tables.set_names(scaled))


def test_every_set_has_its_gap_from_each_printed_number(sets):
    gaps = tables.gaps(sets)
    assert list(gaps.index) == NAMES and list(gaps.columns) == list(BETAS)
    assert gaps.loc["features × 1"].tolist() == pytest.approx([0.92 - value for value in ROW.values])


def test_betas_that_the_paper_has_not_have_no_gap(scaled):
    more = scaled.reindex(beta=[*BETAS, 20.0], fill_value=0.5)
    assert list(tables.gaps(tables.accuracies(more, tables.set_names(more))).columns) == list(BETAS)


def test_the_row_stands_beside_the_papers_with_three_digits(scaled):
    table = tables.row_table(scaled, tables.set_names(scaled))
    assert table.loc["the paper"].tolist() == ["0.848", "0.859", "0.868", "0.855", "0.793", "0.254", "1", "–"]
    apart = np.sqrt(np.mean((0.92 - np.array(ROW.values)) ** 2))
    assert table.loc["features × 1"].tolist() == ["0.920"] * 6 + ["3", f"{apart:.3f}"]


def test_what_is_given_lies_within_two_hundredths(sets):
    gaps = tables.gaps(sets)
    assert tables.given(gaps.loc["features × 9"]) == "5 of 6 (β = 0, 0.001, 0.01, 0.1, 1)"
    assert tables.given(gaps.loc["features × 1"]) == "0 of 6"
    assert tables.given(pd.Series({0.0: -0.019, 0.1: np.nan, 10.0: -0.021})) == "1 of 2 (β = 0)"


def test_the_sentence_on_all_six(sets):
    gaps = tables.gaps(sets)
    assert tables.all_six(gaps) == (
        "No set of networks of this page gives all 6 printed numbers to within 0.02; the most, 5, come from "
        "features × 9."
    )
    gaps.loc["features × 1"] = -0.019
    assert tables.all_six(gaps) == "All 6 printed numbers are given to within 0.02 by features × 1."
    gaps.loc[NAMES[2]] = 0.0
    assert tables.all_six(gaps).endswith(f"are given to within 0.02 by features × 1 and {NAMES[2]}.")
    assert "the most, 0, come from a and b." in tables.all_six(pd.DataFrame(0.1, ["a", "b"], [0.0, 1.0]))


def test_sets_whose_accuracy_falls(sets):
    """0.46 is more than half of 0.863."""
    assert tables.falling(sets) == NAMES[2]
    assert tables.falling({"features × 9": sets["features × 9"]}) == "none"


def test_lists():
    assert [tables.listed(list("abc")[:k]) for k in range(4)] == ["none", "a", "a and b", "a; b; and c"]


def test_reach_stands_beside_distances(scaled):
    table = tables.reach_table(scaled)
    assert table.loc["features × 9", ["inputs", "reach", "beyond"]].tolist() == ["54.0", "63.2", "0.250"]
    assert table.loc["features × 1", ["Φ, β = 0", "saturated, β = 10"]].tolist() == ["10.9", "0.460"]


def test_the_words_have_their_numbers(scaled):
    numbers = tables.numbers(scaled)
    nearest = np.sqrt((5 * 0.015**2 + (0.46 - 0.2542) ** 2) / 6)
    other = np.sqrt(np.mean((np.array([0.8] * 5 + [0.3]) - ROW.values) ** 2))
    assert other < nearest and numbers["nearest"] == NAMES[2] and numbers["nearest_by"] == pytest.approx(other)
    assert numbers["nearest_given"] == "1 of 6 (β = 1)" and numbers["text_given"] == "0 of 6"
    assert numbers["text_by"] == pytest.approx(np.sqrt(np.mean((0.92 - np.array(ROW.values)) ** 2)))
    assert numbers["printed"] == "0.848, 0.859, 0.868, 0.855, 0.793, 0.254"
    assert (numbers["text_first"], numbers["text_last"]) == pytest.approx((0.92, 0.92))
    assert (numbers["largest"], numbers["printed_drop"]) == ("10", pytest.approx(0.8479 - 0.2542))
    assert numbers["nearest_last"] == pytest.approx(0.3)
    assert numbers["nearest_drop"] == "0.500 (0.500 to 0.500)"  # the seeds move both ends alike
    assert numbers["text_drop"] == "0.000 (0.000 to 0.000)"
    assert numbers["all_six"].endswith("the most, 5, come from features × 9.") and numbers["falling"] == NAMES[2]
    assert (numbers["input_distance"], numbers["seeds"], numbers["within"]) == (6.0, 3, "0.02")


def test_a_drop_is_paired_seed_by_seed(scaled):
    accuracy = scaled.accuracy.copy()
    accuracy.loc[dict(networks="half_9", beta=10.0)] = 0.3
    half = t.ppf(0.975, 2) * 0.01 / np.sqrt(3)
    words = f"0.500 ({0.5 - half:.3f} to {0.5 + half:.3f})"
    assert tables.numbers(scaled.assign(accuracy=accuracy))["nearest_drop"] == words


@pytest.mark.parametrize("missing", [0.0, 10.0])
def test_without_an_end_of_the_row_nothing_is_compared(scaled, missing):
    numbers = tables.numbers(scaled.drop_sel(beta=missing))
    assert numbers.reason == f"Without β = {missing:g} there is nothing to compare with."
