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


def named(ax):
    return {line.get_label(): line for line in ax.lines if line.get_label()[0] != "_"}


def dots(ax):
    shown = [line.get_ydata() for line in ax.lines if line.get_linestyle() == "None" and line.get_marker() == "o"]
    return sorted(np.concatenate(shown))


def test_every_scale_is_a_line_every_network_a_dot_and_the_paper_crosses(scaled):
    _, ax = plt.subplots()
    lines = named(table1_cifar10.scales(ax, scaled, ROW))
    assert list(lines) == ["features × 1", "features × 9", "features × 9, images (x − 0.5)/0.5", "the paper"]
    assert lines["the paper"].get_ydata().tolist() == list(ROW.values)
    assert lines["features × 9"].get_ydata() == pytest.approx(
        scaled.accuracy.sel(networks="scale_9").mean("seed").values
    )
    assert len({line.get_color() for line in lines.values()}) == 4
    assert dots(ax) == pytest.approx(sorted(scaled.accuracy.values.ravel()))


def test_every_backbone_is_a_line_at_the_betas_that_were_trained(trained):
    _, ax = plt.subplots()
    lines = named(table1_cifar10.backbones(ax, trained, ROW))
    assert list(lines) == ["VGG13 trained along", "CNN of 7167a91, trained along", "the paper"]
    line = lines["VGG13 trained along"]
    assert line.get_xdata().tolist() == [0, 4, 5] and line.get_ydata().tolist() == [0.8, 0.7, 0.2]
    assert lines["the paper"].get_ydata().tolist() == list(ROW.values)
    assert dots(ax) == pytest.approx([0.2, 0.3, 0.5, 0.6, 0.7, 0.8])


def test_distances_stand_against_those_of_the_inputs(scaled):
    _, ax = plt.subplots()
    table1_cifar10.reach(ax, scaled)
    lines = named(ax)
    line = lines["β = 10"]
    assert line.get_xdata().tolist() == [6.0, 50.0, 54.0]
    means = scaled.distance.sel(beta=10.0, networks=["scale_1", "half_9", "scale_9"]).mean("seed")
    assert line.get_ydata() == pytest.approx(means.values)
    assert [list(values) for values in lines["isometry"].get_data()] == [[0, 54.0]] * 2
    assert set(lines["the largest that tanh can reach"].get_ydata()) == {63.0}
