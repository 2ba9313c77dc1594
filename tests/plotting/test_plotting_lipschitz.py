"""Figures of the theory's numbers, of a made-up result: two data sets, two β, two seeds."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import LineCollection

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


def test_data_sets_keep_their_order_and_their_networks(result):
    assert lipschitz.data_names(result) == ["rings", "MNIST"]
    assert lipschitz.of_data(result, "MNIST").beta.values.tolist() == [0, 0, 10, 10]


def test_each_network_has_its_row_of_constants(result):
    figure = lipschitz.constants(result)
    for ax, name, rows in zip(figure.axes, ("rings", "MNIST"), (2, 4), strict=True):
        networks = lipschitz.of_data(result, name)
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


def test_tables_have_a_row_for_each_network(result):
    constants, sides = lipschitz.constants_table(result), lipschitz.sides_table(result)
    row, position = ("MNIST", 10.0, 0), 4
    one = result.isel(network=position)
    assert len(constants) == len(sides) == 6
    assert constants.loc[row].to_dict() == pytest.approx(
        {
            "within": float(one.lower[0]),
            "between": float(one.lower[1]),
            "forced": float(one.forced),
            "median": float(one.local[0, 1]),
            "largest": float(one.local[0, 2]),
            "product": float(one.upper[0]),
        }
    )
    assert sides.loc[row, ("product", "isometry")] == pytest.approx(float(one.tightness[1, 1, 1]))
    assert sides.loc[row, ("one", "violated")] == pytest.approx(float(one.violated[:, 2].max()))
    alone = lipschitz.constants_table(lipschitz.of_data(result, "MNIST"))
    assert alone.index.names == ["beta", "seed"] and alone.loc[(10.0, 0), "median"] == pytest.approx(
        float(one.local[0, 1])
    )


def test_measures_are_those_of_the_median_point(result):
    bound, representation, logits = lipschitz.measures(result).values()
    assert np.allclose(bound, result.bound[:, 0, 0, 1])
    assert np.allclose(representation, result.local[:, 0, 1]) and np.allclose(logits, result.local[:, 1, 1])


def test_stretches_stand_in_the_column_of_their_direction(result):
    _, axes = plt.subplots(1, 2)
    lipschitz.stretches(axes, result)
    for ax, name in zip(axes, ("rings", "MNIST"), strict=True):
        along = lipschitz.of_data(result, name).along.sel(quantile=0.5)
        for dots, (at, direction) in zip(ax.collections, enumerate(lipschitz.DIRECTIONS), strict=True):
            x, y = np.asarray(dots.get_offsets()).T
            assert (np.abs(x - at) < 0.5).all() and y == pytest.approx(along.sel(direction=direction).values)


def test_both_sides_draw_the_gradient_over_its_bound(result):
    networks = lipschitz.of_data(result, "MNIST")
    _, axes = plt.subplots(2, 3)
    lipschitz.both_sides(axes, networks, ("isometry", "cross_entropy"))
    for row, term in zip(axes, ("isometry", "cross_entropy"), strict=True):
        for ax, constant in zip(row, ("local", "product", "one"), strict=True):
            *dots, diagonal = ax.lines
            for k, line in enumerate(dots):
                assert line.get_xdata() == pytest.approx(networks.right.sel(term=term, constant=constant)[k].values)
                assert line.get_ydata() == pytest.approx(networks.left.sel(term=term)[k].values)
            assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())
    axes[0, 0].figure.canvas.draw()


def test_certificates_are_dotted_below_the_attack(result):
    networks = lipschitz.of_data(result, "MNIST")
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
    networks = lipschitz.of_data(result, "MNIST")
    _, axes = plt.subplots(1, 1, squeeze=False)
    robustness = networks.attacked.mean("epsilon")
    lipschitz.against_robustness(axes[0], networks, {"upper bound": networks.upper.sel(map="logits")}, robustness)
    x, y = np.asarray(axes[0, 0].collections[0].get_offsets()).T
    assert x == pytest.approx(networks.upper.sel(map="logits").values)
    assert y == pytest.approx(robustness.values)
    assert axes[0, 0].get_xlabel() == "upper bound"
