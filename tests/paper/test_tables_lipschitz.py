"""Numbers and tables of the theory, of a made-up result: two data sets, two β, two seeds."""

import numpy as np
import pytest
import xarray as xr

from lil.paper.tables import lipschitz


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
