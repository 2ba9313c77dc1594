"""Pictures with fewer bytes and for a dark page: the same marks at the same places, data in the same colours."""

import io
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from lil import plotting
from lil.paper import vector

mpl.use("Agg")
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
ORANGE, DARKEST = plotting.beta_colours([0.0, 10.0])


@pytest.fixture
def svg():
    import matplotlib.pyplot as plt

    plotting.style()
    figure, ax = plt.subplots(figsize=(4, 3))
    for colour, height in ((ORANGE, 0), (DARKEST, 1)):
        ax.plot(np.arange(5) / 3, np.full(5, height), marker="s", color=colour)
    ax.scatter([0, 1], [0.3, 0.7], rasterized=True)
    file = io.StringIO()
    figure.savefig(file, format="svg")
    plt.close(figure)
    return file.getvalue()


def marks(svg):
    """Return the shape, place and style of each mark; the style may be that of its group."""
    root = ET.fromstring(svg)
    above = {child: parent for parent in root.iter() for child in parent}
    uses = [use for use in root.iter(f"{SVG}use") if "x" in use.attrib]
    places = np.array([[float(use.get("x")), float(use.get("y"))] for use in uses])
    return [(use.get(XLINK), use.get("style") or above[use].get("style")) for use in uses], places


def test_fewer_bytes_draw_the_same_marks(svg):
    small = vector.compact(svg)
    assert len(small) < 0.9 * len(svg) and "metadata" not in small and "<!--" not in small
    (looks, places), (small_looks, small_places) = marks(svg), marks(small)
    assert small_looks == looks and len(looks) > 10
    assert np.abs(small_places - places).max() < 0.01
    assert small.count(f"stroke: {ORANGE}") == 3  # the line, the shape of its marks, and all five at once
    before, after = (ET.fromstring(each).find(f".//{SVG}image").get(XLINK) for each in (svg, small))
    assert after == before.replace(" ", "")  # a reader of XML has made spaces of newlines


def test_glyphs_keep_their_scale(svg):
    assert vector.compact(svg).count("scale(0.015625)") == svg.count("scale(0.015625)") > 0


def test_a_dark_page_changes_page_ink_and_grid_and_no_colour_of_data(svg):
    small = vector.compact(svg)
    dark = vector.dark(small)
    for light, other in vector.DARK.items():
        assert small.count(light) > 0 == dark.count(light)
        assert dark.count(other) >= small.count(light)
    assert dark.count(f"stroke: {ORANGE}") == small.count(f"stroke: {ORANGE}")
    assert marks(dark)[1].tolist() == marks(small)[1].tolist()


def test_only_data_that_a_dark_page_would_hide_are_outlined(svg):
    dark = vector.dark(vector.compact(svg))
    assert f'[style*="{DARKEST}"] {{filter: drop-shadow(0 0 0.6px {vector.DARK[vector.INK]})}}</style>' in dark
    assert f'[style*="{ORANGE}"]' not in dark
    without = vector.compact(svg).replace(DARKEST, ORANGE)
    assert "drop-shadow" not in vector.dark(without)


def test_the_size_is_that_of_the_figure_in_pixels_of_a_page(svg):
    assert vector.size(vector.compact(svg)) == (4 * 96, 3 * 96)


def test_contrast_is_that_of_the_guidelines():
    assert vector.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert (
        vector.contrast("#777777", "#ffffff") == vector.contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.005)
    )


def test_ink_and_classes_are_seen_on_both_pages():
    assert vector.contrast(vector.INK, vector.PAGE) > 7
    assert vector.contrast(vector.DARK[vector.INK], vector.DARK[vector.PAGE]) > 7
    for colour in (*plotting.CLASSES, plotting.DATA, plotting.CROSS_ENTROPY, plotting.ISOMETRY):
        assert vector.contrast(colour, vector.DARK[vector.PAGE]) >= vector.CONTRAST, colour
