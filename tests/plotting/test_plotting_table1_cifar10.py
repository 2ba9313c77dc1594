import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from lil.paper.numbers import BETAS, TABLE_1
from lil.plotting import table1_cifar10

ROW = TABLE_1["cifar10"]


@pytest.fixture
def scaled():
    rng = np.random.default_rng(0)
    values = {name: (("networks", "beta", "seed"), rng.uniform(size=(3, 6, 2))) for name in ("accuracy", "distance")}
    coords = {"networks": ["scale_1", "scale_9", "half_9"], "feature_scale": ("networks", [1.0, 9.0, 9.0])}
    inputs = {"input_distance": ("networks", [6.0, 54.0, 50.0]), "reach": ("networks", [63.0] * 3)}
    return xr.Dataset(values | inputs, coords | {"beta": list(BETAS), "seed": [0, 1]})


@pytest.fixture
def trained():
    accuracy = np.full((2, 6, 1), np.nan)
    accuracy[:, [0, 4, 5], 0] = [[0.8, 0.7, 0.2], [0.6, 0.5, 0.3]]
    coords = {"networks": ["vgg13", "cnn"], "beta": list(BETAS), "seed": [0]}
    return xr.Dataset({"accuracy": (("networks", "beta", "seed"), accuracy)}, coords)


def test_every_set_is_a_line_and_the_paper_crosses(scaled, trained):
    _, axes = plt.subplots(1, 2)
    table1_cifar10.row_panels(axes, scaled, trained, ROW)
    named = [{line.get_label(): line for line in ax.lines if line.get_label()[0] != "_"} for ax in axes]
    assert [len(each) for each in named] == [4, 3]
    for each in named:
        assert each["the paper"].get_ydata().tolist() == list(ROW.values)
    assert named[0]["features × 9"].get_ydata() == pytest.approx(
        scaled.accuracy.sel(networks="scale_9").mean("seed").values
    )
    line = named[1]["VGG13 trained along"]
    assert line.get_xdata().tolist() == [0, 4, 5] and line.get_ydata().tolist() == [0.8, 0.7, 0.2]
    colours = {line.get_color() for line in named[0].values()}
    assert len(colours) == 4


def test_every_network_has_a_dot(scaled, trained):
    _, axes = plt.subplots(1, 2)
    table1_cifar10.row_panels(axes, scaled, trained, ROW)
    dots = [
        [line.get_ydata() for line in ax.lines if line.get_linestyle() == "None" and line.get_marker() == "o"]
        for ax in axes
    ]
    assert sorted(np.concatenate(dots[0])) == pytest.approx(sorted(scaled.accuracy.values.ravel()))
    assert sorted(np.concatenate(dots[1])) == pytest.approx([0.2, 0.3, 0.5, 0.6, 0.7, 0.8])


def test_distances_stand_against_those_of_the_inputs(scaled):
    _, ax = plt.subplots()
    table1_cifar10.reach(ax, scaled)
    named = {line.get_label(): line for line in ax.lines}
    line = named["β = 10"]
    assert line.get_xdata().tolist() == [6.0, 50.0, 54.0]
    means = scaled.distance.sel(beta=10.0, networks=["scale_1", "half_9", "scale_9"]).mean("seed")
    assert line.get_ydata() == pytest.approx(means.values)
    assert [list(values) for values in named["isometry"].get_data()] == [[0, 54.0]] * 2
    assert set(named["the largest that tanh can reach"].get_ydata()) == {63.0}
