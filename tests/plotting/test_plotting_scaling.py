import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from lil.plotting import scaling


@pytest.fixture
def result():
    """Times that grow with the square of the points, or not at all: all that :mod:`lil.plotting.scaling` reads."""
    points = np.array([100, 200, 400, 800])
    square = (points / 100.0) ** 2
    seconds = np.stack([4e-3 * square, 1e-3 * square, np.full(4, 2e-3)])
    return xr.Dataset(
        {
            "seconds": (("pairs", "points"), seconds),
            "memory": (("pairs", "points"), 1e3 * seconds),
            "by_classes": ("classes", np.array([8e-3, 4e-3])),
            "by_members": ("members", np.array([1e-3, 3e-3])),
            "by_threads": ("threads", np.array([9e-3, 5e-3])),
            "cores": 2,
            "loss": 1.0,
            "spread": ("drawn", np.array([0.1, 0.01])),
            "predicted": ("drawn", np.array([0.11, 0.011])),
        },
        coords={
            "pairs": ["all", "within-class", "sampled"],
            "points": points,
            "classes": [1, 2],
            "members": [1, 4],
            "threads": [1, 2],
            "drawn": [100, 10_000],
        },
    )


def test_a_line_a_method(result):
    axes = scaling.by_points(plt.subplots(1, 2)[1], result)
    for ax, values in zip(axes, (1e3 * result.seconds, result.memory), strict=True):
        assert [line.get_ydata().tolist() for line in ax.lines] == values.values.tolist()
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == list(scaling.NAMES.values())


def test_what_would_be_proportional_is_dotted(result):
    axes = scaling.by_the_rest(plt.subplots(1, 3)[1], result)
    dotted = [ax.lines[1].get_ydata().tolist() for ax in axes]
    assert dotted == [[8.0, 4.0], [1.0, 4.0], [9.0, 4.5]]
    assert [ax.lines[0].get_ydata().tolist() for ax in axes] == [[8.0, 4.0], [1.0, 3.0], [9.0, 5.0]]


def test_measured_and_predicted_spread(result):
    predicted, measured = scaling.estimate_spread(plt.subplots()[1], result).lines
    assert measured.get_ydata().tolist() == [0.1, 0.01] and predicted.get_ydata().tolist() == [0.11, 0.011]


def test_what_is_nearly_constant_is_not_magnified():
    ax = plt.subplots()[1]
    ax.plot([1, 10], [1.0, 1.05])
    scaling._logarithmic(ax, "x", "y")
    low, high = ax.get_ylim()
    assert high / low == pytest.approx(4)
