import io

import matplotlib.pyplot as plt
import plotly.graph_objects as go
import pytest
from matplotlib.colors import to_rgb

from lil import plotting


def svg():
    _, ax = plt.subplots()
    ax.plot([0, 1], "o-")
    text = io.StringIO()
    ax.figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def test_a_figure_is_the_same_svg_each_time():
    assert svg() == svg()


def lightness(colour):
    return sum(weight * part for weight, part in zip((0.299, 0.587, 0.114), to_rgb(colour), strict=True))


def test_the_style_reaches_both_libraries():
    assert plt.figure().get_facecolor()[:3] == pytest.approx(to_rgb(plotting.PAGE))
    template = go.Figure().layout.template.layout
    assert template.paper_bgcolor == plotting.PAGE and template.font.color == plotting.INK


def test_cross_entropy_is_orange_and_green_darkens_with_beta():
    colours = plotting.beta_colours([0.0, 0.001, 0.01, 0.1, 1.0, 10.0])
    assert colours[0] == plotting.CROSS_ENTROPY
    shades = [lightness(colour) for colour in colours[1:]]
    assert shades == sorted(shades, reverse=True) and len(set(shades)) == 5
    assert all(max(to_rgb(colour)) == to_rgb(colour)[1] for colour in colours[1:])


def test_a_beta_has_one_colour_in_every_figure():
    assert plotting.beta_colours([0.1]) == plotting.beta_colours([0.0, 0.1, 10.0])[1:2]


def test_a_beta_has_one_marker_in_every_figure_and_in_legends():
    betas = [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]
    shapes = [plotting.beta_mark(beta)["marker"] for beta in betas]
    assert len(set(shapes)) == len(betas) and shapes[0] == "o"
    handles = plotting.beta_marks(reversed(betas))
    assert [handle.get_marker() for handle in handles] == shapes
    assert [handle.get_color() for handle in handles] == plotting.beta_colours(betas)
    assert {handle.get_marker() for handle in plotting.beta_marks(betas, marker="x")} == {"x"}


def test_the_classes_have_colours_of_their_own():
    assert len(set(plotting.CLASSES)) == 8


def test_names_say_beta_as_people_write_it():
    assert plotting.beta_name(0.0) == "β = 0 (cross-entropy alone)"
    assert [plotting.beta_name(beta) for beta in (0.001, 1.0)] == ["β = 0.001", "β = 1"]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [((0.1, 5), ["0.1", "0.2", "0.5", "1", "2", "5"]), ((0.001, 10), ["0.001", "0.01", "0.1", "1", "10"])],
)
def test_logarithmic_axes_have_plain_numbers(limits, expected):
    _, ax = plt.subplots()
    ax.set(yscale="log", ylim=limits)
    plotting.plain_log_ticks(ax.yaxis)
    shown = [ax.yaxis.get_major_formatter()(tick) for tick in ax.get_yticks() if limits[0] <= tick <= limits[1]]
    assert shown == expected
