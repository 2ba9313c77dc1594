import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import StepPatch

from lil import plotting
from lil.plotting import rings


def points(scatter):
    return np.column_stack([np.asarray(part) for part in scatter._offsets3d])


def test_every_network_has_its_layout_beside_the_data(rings_result):
    figure = rings.every_seed(rings_result)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["the data", *(f"β = {beta}, seed {seed}" for beta in (0, 1) for seed in (0, 1, 5))]
    one = figure.axes[titles.index("β = 1, seed 5")].collections
    for ring, scatter in enumerate(one):
        assert points(scatter) == pytest.approx(rings_result.umap.sel(beta=1, seed=5, ring=ring).values)
        assert tuple(scatter.get_facecolor()[0]) == to_rgba(rings.RINGS[ring])


def test_the_slider_shows_one_seed_at_a_time(rings_result):
    figure = rings.turning(rings_result)
    assert [step.label for step in figure.layout.sliders[0].steps] == ["0", "1", "5"]
    for position, (step, seed) in enumerate(zip(figure.layout.sliders[0].steps, (0, 1, 5), strict=True)):
        shown = [trace for trace, visible in zip(figure.data, step.args[0]["visible"], strict=True) if visible]
        if position == 0:
            assert [trace for trace in figure.data if trace.visible] == shown
        assert [trace.scene for trace in shown] == ["scene", "scene", "scene2", "scene2", "scene3", "scene3"]
        for trace, (beta, ring) in zip(shown[2:], ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
            layout = rings_result.umap.sel(beta=beta, seed=seed, ring=ring).values
            assert np.column_stack((trace.x, trace.y, trace.z)) == pytest.approx(layout, rel=1e-5)


def test_the_turning_scenes_say_what_they_are(rings_result):
    titles = [annotation.text for annotation in rings.turning(rings_result).layout.annotations]
    assert titles == ["the data", "last hidden layer,<br>β = 0 (cross-entropy alone)", "last hidden layer,<br>β = 1"]


def test_the_histograms_have_a_line_for_each_network_and_the_data(rings_result):
    _, axes = plt.subplots(1, 2)
    rings.distance_histograms(axes, rings_result)
    for ring, ax in enumerate(axes):
        steps = [patch.get_data() for patch in ax.patches if isinstance(patch, StepPatch)]
        assert len(steps) == 2 + 2 * 3
        counts = [step.values.tolist() for step in steps]
        assert counts[0] == counts[1] == rings_result.data_count.sel(ring=ring).values.tolist()
        for beta in (0, 1):
            for seed in (0, 1, 5):
                assert rings_result["count"].sel(beta=beta, seed=seed, ring=ring).values.tolist() in counts[2:]
        assert ax.get_yscale() == "log" and ax.get_ylim()[1] > rings_result["count"].max()
    legend = [text.get_text() for text in axes[0].figure.legends[0].get_texts()]
    assert legend == ["the ring itself", "β = 0 (cross-entropy alone), 3 seeds", "β = 1, 3 seeds"]


def test_the_bars_are_the_quantiles(rings_result):
    _, ax = plt.subplots()
    rings.ratio_ranges(ax, rings_result)
    bars = [c for c in ax.collections if isinstance(c, LineCollection)]
    for bar, dots, beta in zip(bars, ax.lines, (0, 1), strict=False):
        ratio = rings_result.ratio.sel(beta=beta)
        ends = np.array([segment[:, 0] for segment in bar.get_segments()])
        assert ends == pytest.approx(ratio.sel(quantile=[0.05, 0.95]).values.reshape(-1, 2))
        assert dots.get_xdata() == pytest.approx(ratio.sel(quantile=0.5).values.ravel())
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == 2 * [f"seed {seed}, ring {ring}" for seed in (0, 1, 5) for ring in (0, 1)]


def test_the_laws_have_a_dot_for_each_ring_of_each_network(rings_result):
    _, ax = plt.subplots()
    rings.shape_of_distances(ax, rings_result)
    dots = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    assert list(dots) == ["β = 0 (cross-entropy alone)", "β = 1", "the rings themselves"]
    green = dots["β = 1"]
    misfit = rings_result.misfit.sel(beta=1)
    assert green.get_xdata() == pytest.approx(misfit.sel(law="exponential").values.ravel())
    assert green.get_ydata() == pytest.approx(misfit.sel(law="chord").values.ravel())
    assert green.get_color() == plotting.beta_colours([1.0])[0]
