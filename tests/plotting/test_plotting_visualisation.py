import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from lil.plotting import beta_colours, visualisation

BETAS = [0.0, 0.1, 10.0]
METHODS = ["pca", "umap", "supervised"]


@pytest.fixture
def result():
    """Two widths, two K, three β, two seeds, 12 images."""
    rng = np.random.default_rng(0)
    network, other = ("units", "scale", "beta", "seed"), ("units", "other", "seed")
    measures = ("trust", "trust_within", "correlation")
    return xr.Dataset(
        {name: (network, rng.uniform(size=(2, 2, 3, 2))) for name in ("accuracy", "ratio", *measures)}
        | {f"other_{name}": (other, rng.uniform(size=(2, 3, 2))) for name in measures}
        | {
            "vote": ((*network, "image"), rng.uniform(size=(2, 2, 3, 2, 12)) < 0.6),
            "other_vote": ((*other, "image"), rng.uniform(size=(2, 3, 2, 12)) < 0.7),
            "plane": (("scale", "beta", "image", "plane_axis"), rng.normal(size=(2, 3, 12, 2))),
            "space": (("scale", "beta", "image", "space_axis"), rng.normal(size=(2, 3, 12, 3))),
            "other_plane": (("other", "image", "plane_axis"), rng.normal(size=(3, 12, 2))),
            "other_space": (("other", "image", "space_axis"), rng.normal(size=(3, 12, 3))),
            "labels": ("image", np.arange(12) % 10),
        },
        coords={"units": [2, 3], "scale": [1.0, 10.0], "beta": BETAS, "seed": [0, 1], "other": METHODS},
    )


def test_each_network_and_method_has_its_place(result):
    figure, axes = plt.subplots(1, 2)
    visualisation.trade_off(axes, result)
    for ax, units in zip(axes, (2, 3), strict=True):
        marks = [line for line in ax.lines if len(line.get_xdata()) == 2]
        assert len(marks) == 2 * 3 + 3
        for k, (scale, beta) in enumerate((scale, beta) for scale in (1.0, 10.0) for beta in BETAS):
            one = result.sel(units=units, scale=scale, beta=beta)
            assert marks[k].get_xdata() == pytest.approx(one.correlation.values)
            assert marks[k].get_ydata() == pytest.approx(one.vote.mean("image").values)
            assert marks[k].get_color() == dict(zip(BETAS, beta_colours(BETAS), strict=True))[beta]
            assert marks[k].get_marker() == {1.0: "o", 10.0: "s"}[scale]
        for mark, method in zip(marks[6:], METHODS, strict=True):
            assert mark.get_xdata() == pytest.approx(result.other_correlation.sel(units=units, other=method).values)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(names) == 3 + 2 + 3 and names[-3:] == ["PCA", "UMAP", "supervised UMAP"]


def test_the_curves_have_a_line_for_each_seed_and_a_level_for_each_method(result):
    figure = visualisation.measure_curves(result)
    assert len(figure.axes) == 8
    ax = figure.axes[4 + 1]  # three units, the second measure: the correlation
    curves = [line for line in ax.lines if len(line.get_xdata()) == 3]
    assert len(curves) == 4
    assert curves[3].get_ydata() == pytest.approx(result.correlation.sel(units=3, scale=10, seed=1).values)
    levels = [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == ":"]
    assert levels == pytest.approx(result.other_correlation.sel(units=3).mean("seed").values)
    assert [each.get_title() != "" for each in figure.axes] == [True] * 4 + [False] * 4
    assert [each.get_xlabel() for each in figure.axes] == [""] * 4 + ["β"] * 4


def test_the_panels_show_each_layout_in_the_colours_of_the_digits(result):
    figure = visualisation.layout_panels(result)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[:3] == ["K = 1, β = 0", "K = 1, β = 0.1", "K = 1, β = 10"]
    assert titles[6:] == ["PCA", "UMAP", "supervised UMAP"]
    for ax, points in ((figure.axes[4], result.plane.sel(scale=10, beta=0.1)), (figure.axes[8], result.other_plane[2])):
        assert np.asarray(ax.collections[0].get_offsets()) == pytest.approx(points.values)
        assert ax.collections[0].get_array().tolist() == result.labels.values.tolist()
    assert len(visualisation.DIGITS) == len(set(visualisation.DIGITS)) == 10


def test_the_slider_chooses_beta_and_leaves_the_methods(result):
    figure = visualisation.turning_layouts(result)
    slider = figure.layout.sliders[0]
    assert [step.label for step in slider.steps] == ["0", "0.1", "10"] and slider.currentvalue.prefix == "β = "
    assert [annotation.text for annotation in figure.layout.annotations] == ["K = 1", "K = 10", "PCA", "UMAP"]
    for step, beta in zip(slider.steps, BETAS, strict=True):
        shown = [trace for trace, seen in zip(figure.data, step.args[0]["visible"], strict=True) if seen]
        assert [trace.scene for trace in shown] == ["scene", "scene2", "scene3", "scene4"]
        for trace, points in zip(
            shown,
            [result.space.sel(scale=1, beta=beta), result.space.sel(scale=10, beta=beta), *result.other_space[:2]],
            strict=True,
        ):
            assert np.column_stack((trace.x, trace.y, trace.z)) == pytest.approx(points.values, rel=1e-5)
    first = [trace for trace in figure.data if trace.visible in (None, True)]
    assert len(first) == 4
