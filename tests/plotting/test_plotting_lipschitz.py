"""Figures of the theory's numbers, of a made-up result: two data sets, two β, two seeds."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import LineCollection

from lil.paper.tables import lipschitz as tables
from lil.plotting import beta_colours, lipschitz


@pytest.fixture
def result():
    rng = np.random.default_rng(0)
    sizes = {
        "network": 6,
        "pairs": 2,
        "map": 2,
        "quantile": 3,
        "direction": 3,
        "term": 2,
        "constant": 3,
        "point": 4,
        "norm": 2,
        "epsilon": 5,
    }
    dims = {
        "lower": ("pairs",),
        "local": ("map", "quantile"),
        "along": ("direction", "quantile"),
        "upper": ("map",),
        "left": ("term", "point"),
        "right": ("term", "constant", "point"),
        "certified": ("norm", "epsilon"),
        "attacked": ("epsilon",),
        "forced": (),
        "tightness": ("term", "constant", "quantile"),
        "bound": ("term", "constant", "quantile"),
        "violated": ("term", "constant"),
    }
    values = {
        name: (("network", *rest), np.sort(rng.uniform(0.1, 1, size=(6, *(sizes[dim] for dim in rest))), axis=-1))
        for name, rest in dims.items()
    }
    values["forced"] = ("network", rng.uniform(size=6))
    return xr.Dataset(
        values,
        coords={
            "data": ("network", ["rings"] * 2 + ["MNIST"] * 4),
            "beta": ("network", [0.0, 1, 0, 0, 10, 10]),
            "seed": ("network", [0, 0, 0, 1, 0, 1]),
            "pairs": ["within", "between"],
            "map": ["representation", "logits"],
            "quantile": [0.0, 0.5, 1.0],
            "direction": ["random", "neighbour", "attack"],
            "term": ["cross_entropy", "isometry"],
            "constant": ["local", "product", "one"],
            "norm": ["L2", "Linf"],
            "epsilon": np.logspace(-4, 0, 5),
        },
    )


def test_each_network_has_its_row_of_constants(result):
    figure = lipschitz.constants(result)
    for ax, name, rows in zip(figure.axes, ("rings", "MNIST"), (2, 4), strict=True):
        networks = tables.of_data(result, name)
        assert ax.get_title() == name and len(ax.get_yticklabels()) == rows
        lines, median, within, between, upper = ax.collections[:5]
        assert isinstance(lines, LineCollection)
        local = networks.local.sel(map="representation")
        ends = np.array([segment[:, 0] for segment in lines.get_segments()])
        assert np.allclose(ends, local.sel(quantile=[0, 1]))
        for marks, values in (
            (median, local.sel(quantile=0.5)),
            (within, networks.lower.sel(pairs="within")),
            (between, networks.lower.sel(pairs="between")),
            (upper, networks.upper.sel(map="representation")),
        ):
            assert np.allclose(marks.get_offsets()[:, 0], values)
    figure.canvas.draw()


def test_stretches_stand_in_the_column_of_their_direction(result):
    _, axes = plt.subplots(1, 2)
    lipschitz.stretches(axes, result)
    for ax, name in zip(axes, ("rings", "MNIST"), strict=True):
        along = tables.of_data(result, name).along.sel(quantile=0.5)
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
    networks = tables.of_data(result, "MNIST")
    _, axes = plt.subplots(1, 2)
    lipschitz.certificates(axes, networks)
    assert [len(ax.lines) for ax in axes] == [8, 4]
    for k in range(4):
        certified, attacked = axes[0].lines[2 * k : 2 * k + 2]
        assert certified.get_linestyle() == ":" and attacked.get_linestyle() == "-"
        assert certified.get_ydata() == pytest.approx(networks.certified.sel(norm="Linf")[k].values)
        assert attacked.get_ydata() == pytest.approx(networks.attacked[k].values)
        assert axes[1].lines[k].get_ydata() == pytest.approx(networks.certified.sel(norm="L2")[k].values)
        assert attacked.get_color() == beta_colours(networks.beta.values)[k]


def test_each_measure_has_its_axis_against_robustness(result):
    networks = tables.of_data(result, "MNIST")
    _, axes = plt.subplots(1, 3)
    robustness = networks.attacked.mean("epsilon")
    lipschitz.against_robustness(axes, networks, robustness)
    for ax, (name, values) in zip(axes, tables.measures(networks).items(), strict=True):
        x, y = np.asarray(ax.collections[0].get_offsets()).T
        assert x == pytest.approx(values.values) and y == pytest.approx(robustness.values)
        assert ax.get_xlabel() == name
