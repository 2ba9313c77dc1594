import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from lil.plotting import metrics

KINDS = ["euclidean", "manhattan", "geodesic"]


@pytest.fixture
def result():
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "stress": (("data", "points", "term", "seed", "metric"), rng.uniform(0.01, 1, size=(2, 2, 4, 3, 3))),
            "least_stress": (("data", "points"), [[0.3, 0.12], [0.3, 0.06]]),
            "target": (("data", "metric", "pair"), rng.uniform(size=(2, 3, 9))),
            "shown": (("data", "metric", "term", "pair"), rng.uniform(size=(2, 3, 4, 9))),
        },
        coords={
            "data": ["rings", "torus"],
            "points": ["training", "held-out"],
            "term": ["none", *KINDS],
            "seed": [0, 1, 5],
            "metric": KINDS,
        },
    )


def test_the_stress_has_a_group_for_each_metric_and_a_dot_for_each_seed(result):
    figure, axes = plt.subplots(1, 2)
    metrics.stress_dots(axes, result)
    for ax, data in zip(axes, ("rings", "torus"), strict=True):
        dots = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 3]
        assert len(dots) == 12 and ax.get_yscale() == "log"
        for k, (term, metric) in enumerate((t, m) for t in metrics.COLOURS for m in range(3)):
            expected = result.stress.sel(data=data, points="held-out", term=term, metric=KINDS[metric])
            assert dots[k].get_ydata() == pytest.approx(expected.values)
            assert dots[k].get_color() == metrics.COLOURS[term] and round(dots[k].get_xdata()[0]) == metric
        (least,) = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert least.get_ydata()[0] == float(result.least_stress.sel(data=data, points="held-out"))
        assert np.mean(least.get_xdata()) == pytest.approx(2)  # under the geodesic group alone
    assert len(figure.legends[0].get_texts()) == 5


def test_pairs_are_drawn_without_a_term_and_with_the_metric_s_own(result):
    _, axes = plt.subplots(2, 3)
    metrics.pair_dots(axes, result)
    for row, data in zip(axes, ("rings", "torus"), strict=True):
        for ax, metric in zip(row, KINDS, strict=True):
            none, own, _ = ax.lines
            for line, term in ((none, "none"), (own, metric)):
                assert line.get_color() == metrics.COLOURS[term]
                assert line.get_xdata() == pytest.approx(result.target.sel(data=data, metric=metric).values)
                assert line.get_ydata() == pytest.approx(result.shown.sel(data=data, metric=metric, term=term).values)
