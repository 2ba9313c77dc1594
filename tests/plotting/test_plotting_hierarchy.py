import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from lil.paper.tables.hierarchy import NAMES
from lil.plotting import hierarchy

LEVELS = [2, 4, 8]


@pytest.fixture
def result():
    """Twelve variants, two seeds; flat networks have no measures of distances at the coarser levels."""
    rng = np.random.default_rng(0)
    member, size = ("variant", "level", "seed"), (12, 3, 2)
    made = xr.Dataset(
        {
            "correlation": ((*member, "points"), rng.uniform(size=(*size, 2))),
            "tear": ((*member, "kind", "quantile"), rng.uniform(1, 100, size=(*size, 3, 1))),
            "distortion": ((*member, "tangent", "distance"), rng.uniform(0.01, 9, size=(*size, 2, 4))),
            "within": 0.1,
        },
        coords={
            "variant": list(NAMES),
            "level": LEVELS,
            "seed": [0, 3],
            "points": ["training", "held-out"],
            "kind": ["own", "inherited", "inside"],
            "quantile": [0.5],
            "tangent": ["across", "along"],
            "distance": [0.0, 0.5, 1.0, 1.5],
        },
    )
    made.distortion.loc[dict(variant="shallow_both", level=[2, 4])] = np.nan
    made.distortion.loc[dict(level=8, distance=1.5)] = np.nan
    made.tear.loc[dict(level=2, kind="inherited")] = np.nan
    return made


def test_each_variant_has_a_row_with_full_and_hollow_dots(result):
    _, axes = plt.subplots(1, 3)
    hierarchy.level_dots(axes, result, "correlation", "correlation")
    for ax, level in zip(axes, LEVELS, strict=True):
        dots = [line for line in ax.lines if line.get_marker() == "o"]
        assert len(dots) == 24 and ax.get_title() == f"{level} classes"
        for row, variant in enumerate(NAMES):
            one = result.correlation.sel(variant=variant, level=level)
            for line, points in zip(dots[2 * row : 2 * row + 2], ("training", "held-out"), strict=True):
                assert line.get_xdata() == pytest.approx(one.sel(points=points).values)
                assert (line.get_markerfacecolor() == "none") == (points == "held-out")
                assert line.get_color() == (hierarchy.STACK if row < 6 else hierarchy.FLAT)
                assert abs(line.get_ydata() + row).max() < 0.5
        assert [label.get_text() for label in ax.get_yticklabels()] == list(NAMES.values())
        (border,) = [line for line in ax.lines if line.get_marker() != "o"]
        assert border.get_ydata()[0] == -5.5  # between stacks and flat networks


def test_the_distortion_has_a_line_for_each_seed_and_tangent(result):
    figure, axes = plt.subplots(1, 3)
    hierarchy.distortion_curves(axes, result)
    lines = [[line for line in ax.lines if len(line.get_xdata()) > 2] for ax in axes]
    assert [len(each) for each in lines] == [8, 8, 12]  # two variants or three, two tangents, two seeds
    across = lines[2][0]
    expected = result.distortion.sel(variant="text", level=8, tangent="across", seed=0).values[:3]
    assert across.get_ydata() == pytest.approx(expected) and across.get_xdata().tolist() == [0, 0.5, 1]
    assert {line.get_linestyle() for line in lines[0]} == {"-", ":"}
    for ax in axes:
        assert [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "--"] == [0.1]
    assert len(figure.legends[0].get_texts()) == 5


def test_tears_are_grouped_by_level_and_kind(result):
    _, ax = plt.subplots()
    hierarchy.tear_dots(ax, result)
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert len(labels) == 8 and labels[0] == "own cuts\n2 classes" and labels[-1] == "no cut\n8 classes"
    dots = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert len(dots) == 3 * 8
    inherited = result.tear.sel(variant="text", level=4, kind="inherited", quantile=0.5).values
    assert dots[3].get_ydata() == pytest.approx(inherited) and labels[3].startswith("inherited")
    assert all(abs(line.get_xdata() - round(line.get_xdata()[0])).max() < 0.5 for line in dots)
