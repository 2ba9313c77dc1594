import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from lil.paper import numbers as paper
from lil.plotting import table

ROW = paper.TABLE_1["cifar10"]


@pytest.fixture
def accuracy():
    values = [[0.84, 0.86, 0.85], [0.90, 0.91, 0.92], [0.3, np.nan, np.nan], [0.5, 0.5, 0.5]]
    return xr.DataArray(values, dims=("beta", "seed"), coords={"beta": [0.0, 0.1, 10.0, 99.0], "seed": [0, 1, 2]})


def test_every_network_has_a_dot_and_the_paper_crosses(accuracy):
    _, ax = plt.subplots()
    table.accuracy_dots(ax, {"one": accuracy, "other": accuracy.isel(seed=[0])}, ROW)
    dots = {
        marker: np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == marker])
        for marker in "osx"
    }
    assert sorted(dots["o"]) == pytest.approx([0.3, 0.84, 0.85, 0.86, 0.9, 0.91, 0.92])
    assert dots["s"].tolist() == [0.84, 0.9, 0.3] and dots["x"].tolist() == list(ROW.values)


def test_dots_stand_at_the_label_of_their_beta_and_sets_side_by_side(accuracy):
    _, ax = plt.subplots()
    table.accuracy_dots(ax, {"one": accuracy, "other": accuracy.isel(seed=[0])}, ROW)
    labels = dict(zip(ax.get_xticks(), (label.get_text() for label in ax.get_xticklabels()), strict=True))
    drawn = {
        marker: [(line.get_xdata(), line.get_ydata()) for line in ax.lines if line.get_marker() == marker]
        for marker in "osx"
    }
    for marker, seeds in (("o", [0, 1, 2]), ("s", [0])):
        for x, y in filter(lambda line: len(line[0]), drawn[marker]):
            beta = float(labels[round(x[0])])
            assert y.tolist() == accuracy.sel(beta=beta, seed=seeds).dropna("seed").values.tolist()
    assert all(x[0] < round(x[0]) for x, _ in drawn["o"] if len(x)) and all(
        x[0] > round(x[0]) for x, _ in drawn["s"] if len(x)
    )
    ((x, y),) = (line for line in drawn["x"])
    assert [ROW.at(float(labels[place])) for place in x] == y.tolist()


def test_the_baselines_have_a_row_each():
    _, ax = plt.subplots()
    table.baseline_dots(ax, {"the text": [0.93, 0.94], "other inputs": [0.85]}, 0.8479)
    labels = {text.get_text(): at for at, text in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}
    assert labels == {"the text": 0, "other inputs": -1}
    assert [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.lines[:2]] == [
        ([0.93, 0.94], [0, 0]),
        ([0.85], [-1]),
    ]
    assert ax.lines[2].get_xdata() == pytest.approx([0.8479, 0.8479])
