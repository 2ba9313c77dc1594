"""Figures of the theory's numbers, of a made-up result."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from made_up import lipschitz_result
from matplotlib.collections import LineCollection

from lil.paper.tables import lipschitz as tables
from lil.plotting import beta_colours, lipschitz


@pytest.fixture
def result():
    return lipschitz_result()


DATA = ("rings", "torus, 8 classes", "MNIST", "MNIST, K = 10")


def test_each_network_has_its_row_of_constants(result):
    figure = lipschitz.constants(result)
    for ax, name, rows, scale in zip(figure.axes, DATA, (4, 2, 4, 4), (1, 1, 1, 10), strict=True):
        networks = tables.of_data(result, name)
        assert ax.get_title() == name and len(ax.get_yticklabels()) == rows
        lines, median, within, between, upper = ax.collections[:5]
        assert isinstance(lines, LineCollection)
        local = scale * networks.local.sel(map="representation")
        ends = np.array([segment[:, 0] for segment in lines.get_segments()])
        assert np.allclose(ends, local.sel(quantile=[0, 1]))
        for marks, values in (
            (median, local.sel(quantile=0.5)),
            (within, scale * networks.lower.sel(pairs="within")),
            (between, scale * networks.lower.sel(pairs="between")),
            (upper, scale * networks.upper.sel(map="representation")),
        ):
            assert np.allclose(marks.get_offsets()[:, 0], values)
    figure.canvas.draw()


def test_stretches_stand_in_the_column_of_their_direction(result):
    _, axes = plt.subplots(1, 4)
    lipschitz.stretches(axes, result)
    for ax, name, scale in zip(axes, DATA, (1, 1, 1, 10), strict=True):
        along = scale * tables.of_data(result, name).along.sel(quantile=0.5)
        for dots, (at, direction) in zip(ax.collections, enumerate(lipschitz.DIRECTIONS), strict=True):
            x, y = np.asarray(dots.get_offsets()).T
            assert (np.abs(x - at) < 0.5).all() and y == pytest.approx(along.sel(direction=direction).values)


def test_both_sides_draw_the_gradient_over_its_bound(result):
    networks = tables.of_data(result, "MNIST")
    _, axes = plt.subplots(2, 3)
    lipschitz.both_sides(axes, networks)
    for row, term in zip(axes, ("cross_entropy", "isometry"), strict=True):
        for ax, constant in zip(row, ("local", "product", "one"), strict=True):
            *dots, diagonal = ax.lines
            for k, line in enumerate(dots):
                assert line.get_xdata() == pytest.approx(networks.right.sel(term=term, constant=constant)[k].values)
                assert line.get_ydata() == pytest.approx(networks.left.sel(term=term)[k].values)
            assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())
    axes[0, 0].figure.canvas.draw()


def test_certificates_are_dotted_below_the_attack(result):
    readings = tables.readings(result)
    _, axes = plt.subplots(2, 2)
    lipschitz.certificates(axes, readings)
    assert [len(ax.lines) for ax in axes.flat] == [8, 4, 8, 4]
    for row, (short, networks) in zip(axes, readings.items(), strict=True):
        assert row[0].get_title() == {"images": "MNIST", "public": "MNIST, K = 10"}[short]
        for k in range(4):
            certified, attacked = row[0].lines[2 * k : 2 * k + 2]
            assert certified.get_linestyle() == ":" and attacked.get_linestyle() == "-"
            assert certified.get_ydata() == pytest.approx(networks.certified.sel(norm="Linf")[k].values)
            assert attacked.get_ydata() == pytest.approx(networks.attacked[k].values)
            assert row[1].lines[k].get_ydata() == pytest.approx(networks.certified.sel(norm="L2")[k].values)
            assert attacked.get_color() == beta_colours(networks.beta.values)[k]


def test_each_measure_has_its_axis_against_robustness(result):
    readings = tables.readings(result)
    figure, axes = plt.subplots(2, 3)
    lipschitz.against_robustness(axes, readings)
    for row, networks in zip(axes, readings.values(), strict=True):
        for ax, (name, values) in zip(row, tables.measures(networks).items(), strict=True):
            x, y = np.asarray(ax.collections[0].get_offsets()).T
            assert x == pytest.approx(values.values) and y == pytest.approx(tables.robustness(networks).values)
            assert ax.get_xlabel() == name
    figure.canvas.draw()
