"""Numbers and tables of the isometry loss's cost, of a made-up result."""

import numpy as np
import pytest
import xarray as xr

from lil.paper.tables import scaling


@pytest.fixture
def result():
    """Times that grow with the square of the points, or not at all: all that :mod:`lil.paper.tables.scaling` reads."""
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


def test_the_words(result):
    words = scaling.numbers(result)
    assert words["power_all"] == pytest.approx(2) and words["power_sampled"] == pytest.approx(0)
    assert words["ms_within-class"] == pytest.approx(64) and words["points"] == 800 and words["cores"] == 2
    assert (words["few"], words["spread_few"], words["many"], words["spread_many"]) == (100, 0.1, 10_000, 0.01)
    assert words["faster"] == pytest.approx(1.8) and words["member_ratio"] == pytest.approx(3)


def test_the_table_has_a_row_a_size(result):
    table = scaling.table(result)
    assert table.index.tolist() == [100, 200, 400, 800]
    assert table["milliseconds", "all pairs"].tolist() == pytest.approx([4, 16, 64, 256])
