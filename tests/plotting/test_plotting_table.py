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


def test_the_baselines_have_a_row_each():
    _, ax = plt.subplots()
    table.baseline_dots(ax, {"the text": [0.93, 0.94], "other inputs": [0.85]}, 0.8479)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["the text", "other inputs"]
    assert [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.lines[:2]] == [
        ([0.93, 0.94], [0, 0]),
        ([0.85], [-1]),
    ]
    assert ax.lines[2].get_xdata() == pytest.approx([0.8479, 0.8479])
