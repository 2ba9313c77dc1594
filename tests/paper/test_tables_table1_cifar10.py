"""Numbers of the page on Table 1's second row, of made-up results."""

import json

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


@pytest.fixture
def trained():
    """One seed; the VGG13 at three β and two epochs, the CNN at two β and three epochs."""
    accuracy = np.full((2, 6, 1), np.nan)
    accuracy[0, [0, 4, 5], 0] = [0.85, 0.70, 0.25]
    accuracy[1, [0, 5], 0] = [0.70, 0.26]
    history = np.full((2, 6, 1, 3, 3), np.nan)
    history[0, [0, 4, 5], 0, 2, :2] = [[0.5, 0.8], [0.4, 0.5], [0.2, 0.15]]
    history[1, [0, 5], 0, 2] = [[0.4, 0.6, 0.7], [0.1, 0.2, 0.2]]
    attacked = np.full((2, 2, 6, 1, 2), np.nan)
    attacked[1, :, 0, 0] = [[0.3, 0.1]] * 2
    attacked[1, 0, 5, 0] = [0.35, 0.25]
    attacked[1, 1, 5, 0] = [0.2, 0.05]
    attacked[0, :, [0, 4, 5], 0] = 0.1
    return xr.Dataset(
        {
            "accuracy": (("networks", "beta", "seed"), accuracy),
            "attacked_clean": (("networks", "beta", "seed"), accuracy - 0.01),
            "history": (("networks", "beta", "seed", "term", "epoch"), history),
            "attacked": (("networks", "objective", "beta", "seed", "epsilon"), attacked),
            "input_distance": ("networks", [18.0, 18.0]),
        },
        {
            "networks": ["vgg13", "cnn"],
            "objective": ["total", "classification"],
            "beta": list(BETAS),
            "seed": [0],
            "epsilon": [0.01, 0.1],
            "term": ["cross_entropy", "isometry", "accuracy"],
            "epoch": [1, 2, 3],
        },
        {"config": json.dumps({"n_attacked": 1000})},
    )


NAMES = [
    "features × 1",
    "features × 9",
    "features × 9, images (x − 0.5)/0.5",
    "VGG13 trained along",
    "CNN of 7167a91, trained along",
]


def test_every_set_has_its_gap_from_each_printed_number(scaled, trained):
    gaps = tables.gaps(scaled, trained)
    assert list(gaps.index) == NAMES and list(gaps.columns) == list(BETAS)
    assert gaps.loc["features × 1"].tolist() == pytest.approx([0.92 - value for value in ROW.values])
    assert gaps.loc["VGG13 trained along", 10.0] == pytest.approx(0.25 - 0.2542)
    assert gaps.loc["CNN of 7167a91, trained along"].isna().tolist() == [False, True, True, True, True, False]


def test_the_row_stands_beside_the_papers_with_three_digits(scaled, trained):
    table = tables.row_table(scaled, trained)
    assert table.loc["the paper"].tolist()[:6] == ["0.848", "0.859", "0.868", "0.855", "0.793", "0.254"]
    assert table.loc["features × 1"].tolist()[:7] == ["0.920"] * 6 + ["3"]
    assert table.loc["CNN of 7167a91, trained along"].tolist()[:7] == ["0.700", *["not trained"] * 4, "0.260", "1"]
    apart = np.sqrt(((0.85 - 0.8479) ** 2 + (0.70 - 0.7928) ** 2 + (0.25 - 0.2542) ** 2) / 3)
    assert table.loc["VGG13 trained along", "apart"] == f"{apart:.3f}"
    assert not table.map(lambda cell: "nan" in cell.lower()).to_numpy().any()


def test_what_is_given_lies_within_two_hundredths(scaled, trained):
    found = tables.given(scaled, trained)
    assert found.loc["features × 9"].tolist() == [True] * 5 + [False]
    assert found.loc["VGG13 trained along"].tolist() == [True, False, False, False, False, True]
    assert not found.loc["features × 1"].any()


def test_the_sentence_on_all_six(scaled, trained):
    found = tables.given(scaled, trained)
    assert tables.all_six(found) == (
        "No set of networks gives all 6 printed numbers to within 0.02; the most, 5, come from features × 9."
    )
    assert tables.all_six(found | (found.index == "features × 1")[:, None]) == (
        "All 6 printed numbers are given to within 0.02 by features × 1."
    )
    assert "the most, 0, come from a and b." in tables.all_six(pd.DataFrame(False, ["a", "b"], [0.0, 1.0]))


def test_sets_whose_accuracy_falls(scaled, trained):
    """0.46 is more than half of 0.863, and 0.26 is less than half of 0.7."""
    assert tables.falling(scaled, trained) == "; ".join(NAMES[2:4]) + f"; and {NAMES[4]}"
    assert tables.falling(scaled.sel(networks=["scale_1"]), trained.drop_sel(beta=10.0)) == "none"


def test_lists():
    assert [tables.listed(list("abc")[:k]) for k in range(4)] == ["none", "a", "a and b", "a; b; and c"]


def test_how_much_the_last_epoch_added(trained):
    assert tables.rising(trained, "vgg13") == (
        "In the last of 2 epochs it still changed by +0.300 at β = 0; +0.100 at β = 1; and −0.050 at β = 10."
    )
    assert tables.rising(trained, "cnn").startswith("In the last of 3 epochs it still changed by +0.100 at β = 0 and")
    assert tables.rising(trained.sel(epoch=[1]), "vgg13") == "One epoch alone was trained."


def test_the_history_has_a_column_for_each_trained_network(trained):
    table = tables.history_table(trained)
    assert list(table.columns) == [("vgg13", 0.0), ("vgg13", 1.0), ("vgg13", 10.0), ("cnn", 0.0), ("cnn", 10.0)]
    assert table["vgg13", 1.0].tolist() == ["0.400", "0.500", "–"] and table["cnn", 10.0].tolist()[1] == "0.200"


def test_reach_stands_beside_distances(scaled):
    table = tables.reach_table(scaled)
    assert table.loc["features × 9", ["inputs", "reach", "beyond"]].tolist() == ["54.0", "63.2", "0.250"]
    assert table.loc["features × 1", ["Φ, β = 0", "saturated, β = 10"]].tolist() == ["10.9", "0.460"]


def test_the_attack_on_the_networks_of_the_last_commit(trained):
    table = tables.attack_table(trained, "cnn")
    assert table["total", 10.0].tolist() == [0.35, 0.25] and table["classification", 0.0].tolist() == [0.3, 0.1]
    assert table.columns.get_level_values("beta").unique().tolist() == [0.0, 10.0]
    drawn = tables.robust(trained, "cnn")
    assert drawn.beta.values.tolist() == [0.0, 10.0] and set(drawn.data_vars) == {"accuracy", "clean"}
    assert drawn.clean.sel(beta=10.0).item() == pytest.approx(0.25)


def test_the_words_have_their_numbers(scaled, trained):
    numbers = tables.numbers(scaled, trained)
    nearest = np.sqrt((5 * 0.015**2 + (0.46 - 0.2542) ** 2) / 6)
    other = np.sqrt(np.mean((np.array([0.8] * 5 + [0.3]) - ROW.values) ** 2))
    assert other < nearest and numbers["nearest"] == NAMES[2] and numbers["nearest_by"] == pytest.approx(other)
    assert numbers["nearest_given"] == "1 of 6 (β = 1)" and numbers["text_given"] == "0 of 6"
    assert numbers["printed"] == "0.848, 0.859, 0.868, 0.855, 0.793, 0.254"
    assert (numbers["text_first"], numbers["text_last"]) == pytest.approx((0.92, 0.92))
    assert numbers["printed_drop"] == pytest.approx(0.8479 - 0.2542)
    assert numbers["nearest_drop"] == "0.500 (0.500 to 0.500)"  # the seeds move both ends alike
    assert (numbers["vgg13_given"], numbers["cnn_given"]) == ("2 of 3 (β = 0, 10)", "1 of 2 (β = 10)")
    assert (numbers["vgg13_drop"], numbers["vgg13_betas"], numbers["vgg13_seeds"]) == ("0.600", "0, 1, 10", 1)
    assert (numbers["reach"], numbers["input_distance"], numbers["cnn_input_distance"]) == (63.2, 6.0, 18.0)
    assert numbers["sampling"] == pytest.approx(1.96 * np.sqrt(0.5 / 1000))
    # Under the paper's attack β = 10 gains 0.05 at the smaller ε and 0.15 at the larger one.
    assert (numbers["cnn_epsilon"], numbers["cnn_paper_gain"]) == ("0.1", pytest.approx(0.15))
    assert (numbers["cnn_attacker_gain"], numbers["cnn_attacker_base"]) == pytest.approx((-0.05, 0.1))
    assert not [name for name, value in numbers.items() if "nan" in str(value).lower()]


def test_a_drop_is_paired_seed_by_seed(scaled, trained):
    accuracy = scaled.accuracy.copy()
    accuracy.loc[dict(networks="half_9", beta=10.0)] = 0.3
    numbers = tables.numbers(scaled.assign(accuracy=accuracy), trained)
    half = t.ppf(0.975, 2) * 0.01 / np.sqrt(3)
    assert numbers["nearest_drop"] == f"0.500 ({0.5 - half:.3f} to {0.5 + half:.3f})"
