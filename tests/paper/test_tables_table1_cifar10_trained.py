"""Numbers of the page on Table 1's second row with trained backbones, of made-up results."""

import json

import numpy as np
import pytest
import xarray as xr

from lil.paper.numbers import BETAS, TABLE_1
from lil.paper.tables import table1_cifar10_trained as tables
from lil.paper.tables.table1_cifar10 import accuracies, gaps, row_table

VGG13, CNN = tables.TRAINED.values()


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


def test_a_later_result_fills_the_gaps_of_the_first_and_changes_nothing_else(trained):
    later = (trained.sel(networks=["cnn"], beta=[0.0, 10.0], epoch=[1]) + 0.1).assign_attrs(config="later")
    later = later.assign_coords(beta=[1.0, 10.0])  # both have the second
    joined = tables.joined(trained, later)
    assert joined.attrs == trained.attrs and tables.joined(trained).identical(trained)
    at = dict(networks="cnn", beta=1.0, seed=0)
    assert joined.accuracy.sel(**at).item() == later.accuracy.sel(**at).item() and np.isnan(trained.accuracy.sel(**at))
    assert joined.history.sel(**at, term="accuracy").isnull().values.tolist() == [False, True, True]
    rest = joined.copy(deep=True)
    for name in ("accuracy", "attacked_clean", "history", "attacked"):
        rest[name].loc[at] = np.nan
    assert rest.reindex_like(trained).equals(trained)


def test_a_beta_that_was_not_trained_has_no_gap(trained):
    apart = gaps(accuracies(trained, tables.TRAINED))
    assert apart.loc[VGG13, 10.0] == pytest.approx(0.25 - 0.2542)
    assert apart.loc[CNN].isna().tolist() == [False, True, False]
    assert list(apart.columns) == [0.0, 1.0, 10.0]


def test_the_row_stands_beside_the_papers(trained):
    table = row_table(trained, tables.TRAINED)
    assert table.loc["the paper"].tolist() == ["0.848", "0.793", "0.254", "1", "–"]
    assert table.loc[CNN].tolist()[:4] == ["0.700", "not trained", "0.260", "1"]
    apart = np.sqrt(((0.85 - 0.8479) ** 2 + (0.70 - 0.7928) ** 2 + (0.25 - 0.2542) ** 2) / 3)
    assert table.loc[VGG13].tolist() == ["0.850", "0.700", "0.250", "1", f"{apart:.3f}"]


def test_every_printed_number_has_its_nearest_origin(trained):
    """Of three scales, × 9 comes nearest to the row, and features as they are stand beside it."""
    means = np.array([[0.92] * 6, [0.80, 0.86, 0.87, 0.85, 0.79, 0.46], [0.5] * 6])
    scaled = xr.Dataset(
        {"accuracy": (("networks", "beta", "seed"), means[..., None])},
        {"networks": ["scale_1", "scale_9", "scale_12"], "beta": list(BETAS), "seed": [0]},
    ).assign_coords(feature_scale=("networks", [1.0, 9.0, 12.0]))
    table = tables.origins_table(trained, scaled)
    assert table.columns.tolist() == ["the paper", "features × 1", "features × 9", VGG13, CNN, "nearest", "off by"]
    assert table.nearest.tolist() == [VGG13, *["features × 9"] * 4, VGG13]
    assert table.loc[10.0].tolist() == ["0.254", "0.920", "0.460", "0.250", "0.260", VGG13, "0.004"]
    assert table.loc[0.1, CNN] == "–"


def test_how_much_the_last_epoch_added(trained):
    assert tables.rising(trained, "vgg13") == (
        "In the last of 2 epochs accuracy changed by +0.300 at β = 0; +0.100 at β = 1; and −0.050 at β = 10."
    )
    assert "3 epochs accuracy changed by +0.100 at β = 0 and" in tables.rising(trained, "cnn")
    assert tables.rising(trained.sel(epoch=[1]), "vgg13") == "One epoch alone was trained."


def test_the_history_has_a_column_for_each_trained_network(trained):
    table = tables.history_table(trained)
    assert list(table.columns) == [("vgg13", 0.0), ("vgg13", 1.0), ("vgg13", 10.0), ("cnn", 0.0), ("cnn", 10.0)]
    assert table["vgg13", 1.0].tolist() == ["0.400", "0.500", "–"] and table["cnn", 10.0].tolist()[1] == "0.200"


def test_the_attack_on_the_networks_of_the_last_commit(trained):
    table = tables.attack_table(trained, "cnn")
    assert table["total", 10.0].tolist() == [0.35, 0.25] and table["classification", 0.0].tolist() == [0.3, 0.1]
    assert table.columns.get_level_values("beta").unique().tolist() == [0.0, 10.0]
    drawn = tables.robust(trained, "cnn")
    assert drawn.beta.values.tolist() == [0.0, 10.0] and set(drawn.data_vars) == {"accuracy", "clean"}
    assert drawn.clean.sel(beta=10.0).item() == pytest.approx(0.25)


def test_the_words_have_their_numbers(trained):
    numbers = tables.numbers(trained)
    assert (numbers["vgg13_given"], numbers["cnn_given"]) == ("2 of 3 (β = 0, 10)", "1 of 2 (β = 10)")
    squares = [(value - TABLE_1["cifar10"].at(beta)) ** 2 for beta, value in ((0.0, 0.70), (10.0, 0.26))]
    assert numbers["cnn_by"] == pytest.approx((sum(squares) / 2) ** 0.5)
    assert (numbers["vgg13_last"], numbers["cnn_last"]) == pytest.approx((0.25, 0.26))
    assert (numbers["vgg13_drop"], numbers["vgg13_betas"], numbers["vgg13_seeds"]) == ("0.600", "0, 1, 10", 1)
    assert (numbers["cnn_drop"], numbers["cnn_betas"], numbers["falling"]) == ("0.440", "0, 10", f"{VGG13} and {CNN}")
    assert numbers["vgg13_rising"] == tables.rising(trained, "vgg13")
    assert (numbers["attacked"], numbers["sampling"]) == (1000, pytest.approx(1.96 * np.sqrt(0.5 / 1000)))
    # Under the paper's attack β = 10 gains 0.05 at the smaller ε and 0.15 at the larger one.
    assert (numbers["cnn_epsilon"], numbers["cnn_paper_gain"]) == ("0.1", pytest.approx(0.15))
    assert (numbers["cnn_attacker_gain"], numbers["cnn_base"]) == pytest.approx((-0.05, 0.1))
    assert not [name for name, value in numbers.items() if "nan" in str(value).lower()]
