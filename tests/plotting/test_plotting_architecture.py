import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba

from lil.plotting import architecture as draw


def units(ax):
    """(x, how many units, colour) of each column, from left to right."""
    columns = [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_paths()[0]) > 6]
    found = [(c.get_offsets()[0][0], len(c.get_offsets()), tuple(c.get_facecolor()[0])) for c in columns]
    return sorted(found)


def joins(ax):
    """Return the number of lines between neighbouring columns; they are one path, with a gap after each line."""
    paths = [line.get_xydata() for line in ax.lines if line.get_linewidth() == 0.25]
    assert all(np.isnan(path[2::3]).all() and np.isfinite(np.delete(path, np.s_[2::3], 0)).all() for path in paths)
    return [len(path) // 3 for path in paths]


def words(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("sizes", [(3, 20, 20, 20, 20, 2), (2, 5, 4), (5, 3, 7, 10)])
def test_the_picture_follows_the_sizes(sizes):
    _, ax = plt.subplots()
    draw.architecture(ax, sizes)
    assert [n for _, n, _ in units(ax)] == list(sizes)
    assert joins(ax) == [a * b for a, b in itertools.pairwise(sizes)]
    assert [word for word in words(ax) if word.isdigit()] == [str(size) for size in sizes]
    kinds = ["input", *["hidden"] * (len(sizes) - 2), "classifier"]
    assert [colour for _, _, colour in units(ax)] == [to_rgba(draw.LAYERS[kind]) for kind in kinds]


def test_a_wide_layer_is_drawn_by_its_ends_and_says_its_size():
    _, ax = plt.subplots()
    draw.architecture(ax, (784, 100, 10))
    assert [n for _, n, _ in units(ax)] == [16, 16, 10]
    assert words(ax).count("⋮") == 2 and {"784", "100", "10"} <= set(words(ax))


def test_the_losses_stand_at_their_layers():
    _, ax = plt.subplots()
    draw.architecture(ax, (3, 6, 6, 2))
    place = {text.get_text().split("\n")[-1]: text.xy[0] for text in ax.texts if hasattr(text, "xy")}
    assert place == {"weight β": 2, "weight α": 3}


def test_a_stack_reads_the_last_hidden_layer_of_the_one_before():
    _, ax = plt.subplots()
    draw.stack(ax, [(3, 6, 5, 2), (5, 4, 6, 4), (6, 7, 8, 8)])
    assert [n for _, n, _ in units(ax)] == [3, 6, 5, 4, 6, 7, 8]
    assert joins(ax) == [18, 30, 20, 24, 42, 56]
    assert [word for word in words(ax) if word.startswith("LIL")] == ["LIL 1", "LIL 2", "LIL 3"]
    assert words(ax).count("gradient stops") == 2


def test_a_stacks_classifiers_stand_above_its_representations():
    _, ax = plt.subplots()
    draw.stack(ax, [(3, 6, 5, 2), (5, 4, 6, 9)])
    pentagons = [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_paths()[0]) == 6]
    assert [float(c.get_offsets()[0][0]) for c in pentagons] == [2, 4]
    above = [(text.get_position()[0], text.get_text()) for text in ax.texts if text.get_position()[1] > 1.5]
    assert above == [(2, "2"), (4, "9")]
