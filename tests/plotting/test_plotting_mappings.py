import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection

from lil.plotting import mappings


def test_a_mesh_is_turned_back_on_the_data(mapping_result):
    """The maps of this result are a turn and a shift, so all four pictures are the data's."""
    figure = mappings.mapping_panels(mapping_result, seed=7)
    assert len(figure.axes) == 4
    drawn = [[line.get_xydata() for line in ax.lines] for ax in figure.axes]
    for panel in drawn[1:]:
        for mesh, data in zip(panel, drawn[0], strict=True):
            assert mesh == pytest.approx(data)
    assert drawn[0][1] == pytest.approx(mapping_result.x.values[1].reshape(-1, 2))


def test_a_panel_has_the_mesh_lines_of_both_classes_and_its_accuracy(mapping_result):
    figure = mappings.mapping_panels(mapping_result, seed=0)
    for ax in figure.axes:
        meshes = [c for c in ax.collections if isinstance(c, LineCollection)]
        assert [len(mesh.get_segments()) for mesh in meshes] == [4 + 3, 4 + 3]
    accuracy = float(mapping_result.accuracy.sel(mapping="all", seed=0))
    assert figure.axes[3].get_title() == f"global isometry (G = 1)\naccuracy {accuracy:.2f}"


def test_the_panels_have_one_scale(mapping_result):
    mapping_result["z"] = mapping_result.z * mapping_result.mapping.copy(data=[0.1, 1.0, 5.0])
    widths = {round(float(np.ptp(ax.get_xlim())), 6) for ax in mappings.mapping_panels(mapping_result, seed=0).axes}
    assert len(widths) == 1
    extent = np.ptp(mapping_result.z.sel(mapping="all").values.reshape(-1, 2), axis=0)
    assert widths.pop() > extent.min()


def test_every_seed_has_a_panel_of_each_kind(mapping_result):
    figure = mappings.every_seed(mapping_result)
    assert len(figure.axes) == 3 * 2
    assert [ax.get_title() for ax in figure.axes] == ["seed 0", "seed 7", "", "", "", ""]
    assert [ax.get_ylabel().split("\n")[0] for ax in figure.axes[::2]] == [
        "no isometry",
        "within-class isometry",
        "global isometry",
    ]


def test_the_bars_are_the_quantiles(mapping_result):
    _, axes = plt.subplots(1, 2)
    mappings.ratio_ranges(axes, mapping_result)
    for ax, pairs in zip(axes, ("within", "between"), strict=True):
        bars = [c for c in ax.collections if isinstance(c, LineCollection)]
        for bar, dots, kind in zip(bars, ax.lines, mapping_result.mapping.values, strict=False):
            ratio = mapping_result.ratio.sel(mapping=kind, pairs=pairs)
            ends = np.array([segment[:, 0] for segment in bar.get_segments()])
            assert ends == pytest.approx(ratio.sel(quantile=[0.05, 0.95]).values)
            assert dots.get_xdata() == pytest.approx(ratio.sel(quantile=0.5).values)
        assert "5 % to 95 %" in ax.get_xlabel() and ax.get_xscale() == "log"
