import json

import matplotlib.pyplot as plt
import numpy as np
import plotly.io
import pytest
import xarray as xr
from matplotlib.colors import to_rgba

from lil.paper.pages import ROOT
from lil.paper.sphinx_figures import plotly_html
from lil.plotting import CLASSES, torus


def points(ax):
    (scatter,) = ax.collections
    return np.column_stack([np.asarray(part) for part in scatter._offsets3d])


def titles(figure):
    return [ax.get_title() for ax in figure.axes]


def test_every_level_of_every_stack_has_its_layout(torus_result):
    figure = torus.layouts(torus_result)
    assert titles(figure) == [f"{level} classes, seed {seed}" for level in (2, 4, 8) for seed in (0, 4)]
    assert points(figure.axes[3]) == pytest.approx(torus_result.umap.sel(level=4, seed=4).values)


def test_a_layout_has_the_colours_of_its_levels_classes(torus_result):
    figure = torus.layouts(torus_result)
    figure.canvas.draw()
    for ax, classes in zip(figure.axes[::2], (2, 4, 8), strict=True):
        drawn = {tuple(colour) for colour in ax.collections[0].to_rgba(np.arange(classes))}
        assert drawn == {to_rgba(colour) for colour in CLASSES[:classes]}
        assert (
            ax.collections[0].get_array().tolist() == torus_result.labels.sel(cut="ring", level=classes).values.tolist()
        )


def test_saliency_colours_the_torus_itself(torus_result):
    figure = torus.saliency_panels(torus_result)
    assert len(figure.axes) == 6
    for ax, (level, seed) in zip(figure.axes, [(k, s) for k in (2, 4, 8) for s in (0, 4)], strict=True):
        assert points(ax) == pytest.approx(torus_result.x.sel(cut="ring").values)
        gradient = torus_result.gradient.sel(cut="ring", saliency="norm", level=level, seed=seed).values
        assert np.asarray(ax.collections[0].get_array()) == pytest.approx(
            np.minimum(gradient / np.quantile(gradient, 0.95), 1)
        )


def test_heat_is_at_most_one_and_one_for_the_hottest():
    gradient = np.arange(1.0, 101.0)
    heat = torus.heat(gradient)
    assert heat.max() == 1 and (heat == 1).sum() == 5 and heat[0] == pytest.approx(1 / np.quantile(gradient, 0.95))


def test_the_profiles_join_the_medians_and_mark_the_cuts(torus_result):
    _, axes = plt.subplots(1, 3)
    torus.saliency_profiles(axes, torus_result)
    for ax, level in zip(axes, (2, 4, 8), strict=True):
        lines = [line for line in ax.lines if line.get_label().startswith("seed")]
        assert [line.get_label() for line in lines] == ["seed 0", "seed 4"]
        gradient = torus_result.gradient.sel(cut="ring", saliency="norm", level=level).values
        assert lines[1].get_ydata() == pytest.approx(np.median(gradient[1].reshape(8, 4), axis=1))
        assert lines[1].get_xdata() == pytest.approx(np.arange(0, 360, 45))
        cuts = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"]
        assert cuts == pytest.approx(360 * np.arange(level) / level - 22.5)  # midway between two angles
        assert ax.get_yscale() == "log" and ax.get_title() == f"{level} classes"


def test_the_turning_layouts_show_one_seed_at_a_time(torus_result):
    figure = torus.turning_layouts(torus_result)
    steps = figure.layout.sliders[0].steps
    assert [step.label for step in steps] == ["0", "4"]
    assert [annotation.text for annotation in figure.layout.annotations] == ["2 classes", "4 classes", "8 classes"]
    for position, (step, seed) in enumerate(zip(steps, (0, 4), strict=True)):
        shown = [trace for trace, visible in zip(figure.data, step.args[0]["visible"], strict=True) if visible]
        if position == 0:
            assert [trace for trace in figure.data if trace.visible] == shown
        assert [trace.scene for trace in shown] == ["scene", "scene2", "scene3"]
        for trace, level in zip(shown, (2, 4, 8), strict=True):
            layout = torus_result.umap.sel(level=level, seed=seed).values
            assert np.column_stack((trace.x, trace.y, trace.z)) == pytest.approx(layout, rel=1e-5)


def test_each_class_has_one_colour_in_plotly_too(torus_result):
    for trace, classes in zip(torus.turning_layouts(torus_result).data[::2], (2, 4, 8), strict=True):
        scale = trace.marker.colorscale
        for label in range(classes):
            at = (label - trace.marker.cmin) / (trace.marker.cmax - trace.marker.cmin)  # where plotly looks it up
            (low, first), (high, last) = scale[2 * label], scale[2 * label + 1]
            assert low < at < high and first == last == CLASSES[label]


def test_the_turning_saliency_takes_the_slider_to_each_seed(torus_result):
    figure = torus.turning_saliency(torus_result)
    assert len(figure.data) == 3
    norms = torus_result.gradient.sel(cut="ring", saliency="norm")
    for step, seed in zip(figure.layout.sliders[0].steps, (0, 4), strict=True):
        (change,) = step.args
        for panel, level in enumerate((2, 4, 8)):
            norm = norms.sel(level=level, seed=seed).values
            heat = pytest.approx(torus.heat(norm), abs=0.0005)  # an eighth of a step of 1/256
            assert [f"{value:.3g}" for value in change["text"][panel]] == [f"{value:.3g}" for value in norm]
            assert np.asarray(change["marker.color"][panel]) == heat
            if seed == 0:
                assert np.asarray(figure.data[panel].marker.color) == heat
                assert figure.data[panel].text == tuple(map(str, change["text"][panel]))


def test_the_recorded_figures_to_turn_leave_room_for_the_rest_of_the_page():
    """A page may have 1.5 MB; the text, the tables and the frame of this one have 0.1 MB."""
    result = xr.load_dataset(ROOT / "results" / "fig4_torus.nc")
    figures = (torus.turning_layouts(result), torus.turning_saliency(result))
    assert sum(len(plotly_html(json.loads(plotly.io.to_json(figure)), "")) for figure in figures) < 1e6
