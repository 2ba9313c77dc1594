"""Numbers and tables of Figures 1, 2 and 4, of made-up results."""

import numpy as np
import pytest
import xarray as xr

from lil.paper.tables import flat, toys

QUANTILES = [0.05, 0.5, 0.95]


def test_each_entry_of_an_array_has_its_number():
    values = xr.DataArray([[1, 2], [3, 4]], dims=("cut", "beta"), coords={"cut": ["ring", "tube"], "beta": [0.0, 0.01]})
    found = flat(kept=values, all=values.sum(), words=xr.DataArray(["yes"], dims="set", coords={"set": ["a"]}))
    expected = {
        "kept_ring_0": 1,
        "kept_ring_0.01": 2,
        "kept_tube_0": 3,
        "kept_tube_0.01": 4,
        "all": 10,
        "words_a": "yes",
    }
    assert found == expected and all(type(value) in (int, str) for value in found.values())


@pytest.fixture
def mappings():
    rng = np.random.default_rng(0)
    ratio = np.sort(rng.uniform(0.95, 1.05, size=(3, 2, 2, 3)), axis=-1)
    ratio[0, 0, 1, 2], ratio[2, :, 0, 0] = 1.2, 0.5
    return xr.Dataset(
        {
            "ratio": (("mapping", "seed", "pairs", "quantile"), ratio),
            "accuracy": (("mapping", "seed"), [[1, 0.9], [1, 1], [0.7, 0.8]]),
            "sizes": ("layer", [2, 20, 2]),
        },
        coords={
            "mapping": ["none", "within-class", "all"],
            "seed": [0, 7],
            "pairs": ["within", "between"],
            "quantile": QUANTILES,
        },
    )


def test_a_mapping_is_kept_where_all_quantiles_are_near_one(mappings):
    numbers = toys.mappings(mappings)
    assert (numbers["kept_none_within"], numbers["kept_none_between"], numbers["kept_all_within"]) == (2, 1, 0)
    middle = mappings.ratio.sel(mapping="all", pairs="between", quantile=0.5).values
    assert (numbers["least_all_between"], numbers["most_all_between"]) == (middle.min(), middle.max())
    assert (numbers["accuracy_none"], numbers["all_low"]) == (0.9, 0.5)
    assert (numbers["seeds"], numbers["sizes"]) == (2, "[2, 20, 2]")


@pytest.fixture
def rings():
    """Three β, of which the page compares the first and the last; two seeds, two rings."""
    rng = np.random.default_rng(0)
    member = ("beta", "seed", "ring")
    return xr.Dataset(
        {
            "accuracy": (member[:2], [[0.5, 0.6], [0.0, 0.0], [0.9, 1.0]]),
            "correlation": (member, [[[0.1, 0.2], [0.3, 0.4]], [[0, 0], [0, 0]], [[0.995, 0.999], [0.98, 0.999]]]),
            "ratio": ((*member, "quantile"), np.sort(rng.uniform(0.1, 2, size=(3, 2, 2, 3)), axis=-1)),
            "loops": (member, [[[0, 1], [2, 1]], [[9, 9], [9, 9]], [[1, 1], [1, 0]]]),
            "misfit": ((*member, "law"), rng.uniform(size=(3, 2, 2, 2))),
            "data_misfit": (("ring", "law"), [[0.1, 0.01], [0.2, 0.02]]),
            "linking_number": -1.0,
        },
        coords={
            "beta": [0.0, 0.5, 1.0],
            "seed": [0, 5],
            "ring": [0, 1],
            "quantile": QUANTILES,
            "law": ["exponential", "chord"],
        },
        attrs={"config": '{"n_neighbors": 15, "min_dist": 0.25}'},
    )


def test_the_rings_numbers_are_those_of_the_first_and_the_last_beta(rings):
    numbers = toys.rings(rings)
    assert (numbers["seeds"], numbers["rings"], numbers["n_neighbors"], numbers["min_dist"]) == (2, 4, 15, 0.25)
    assert (numbers["kept"], numbers["verdict"]) == (1, "does not hold for every seed")
    assert (numbers["least_without"], numbers["most_without"], numbers["least_with"]) == (0.1, 0.4, 0.98)
    assert (numbers["accuracy_without"], numbers["accuracy_with"]) == (0.5, 0.9)
    assert (numbers["one_loop_without"], numbers["one_loop_with"]) == (2, 3)
    assert (numbers["data_misfit"], numbers["linking"]) == (0.02, 1)
    last = rings.sel(beta=1)
    assert numbers["low_with"] == float(last.ratio.sel(quantile=0.05).min())
    assert numbers["high_with"] == float(last.ratio.sel(quantile=0.95).max())
    exponential, chord = last.misfit.values[..., 0], last.misfit.values[..., 1]
    assert numbers["exponential_with"] == (exponential < chord).sum()
    assert numbers["misfit_with"] == pytest.approx(np.median(exponential))
    rings["correlation"][2] = 0.991
    assert toys.rings(rings)["verdict"] == "holds for every seed"


def test_the_ratio_table_has_a_row_for_each_ring(rings):
    row = toys.ratio_table(rings).loc[1.0, 5, 0]
    assert row["correlation"] == 0.98 and row["quantile 0.95"] == float(rings.ratio[2, 1, 0, 2])


def test_the_longest_bar_is_that_of_the_first_rank(rings):
    bars = xr.DataArray(np.linspace(0.9, 0.1, 24).reshape(3, 2, 2, 2)[..., ::-1], dims=("beta", "seed", "ring", "rank"))
    row = toys.loop_table(rings.assign(bar=bars).assign_coords(rank=[2, 1])).loc[1.0, 5, 1]
    assert row["longest"] == float(bars[2, 1, 1].max()) and row["loops"] == 0


@pytest.fixture
def torus():
    """Three levels on 8 points: the coarsest has its cut at points 0 and 1, each level adds two points."""
    levels, points = [2, 4, 8], np.arange(8)
    at_cut = np.broadcast_to(points < 2 * np.arange(1, 4)[:, None], (2, 3, 8))
    gradient = np.ones((2, 2, 3, 2, 8))
    gradient[:, 0, :, 0, 1], gradient[:, 0, 1, :, 3], gradient[:, 0, 2, 1, 7] = 6, 4, 9
    member = ("cut", "level", "seed")
    accuracy = np.full((2, 3, 2), 0.995)
    accuracy[0, 2, 1], accuracy[1, 0] = 0.99, 0.5
    return xr.Dataset(
        {
            "accuracy": (member, accuracy),
            "correlation": (member, accuracy),
            "ratio": ((*member, "quantile"), np.full((2, 3, 2, 3), QUANTILES)),
            "contrast": (("cut", "saliency", *member[1:]), np.arange(24.0).reshape(2, 2, 3, 2)),
            "at_cut": (("cut", "level", "point"), at_cut),
            "gradient": (("cut", "saliency", *member[1:], "point"), gradient),
        },
        coords={
            "cut": ["ring", "tube"],
            "level": levels,
            "seed": [0, 1],
            "quantile": QUANTILES,
            "saliency": ["norm", "largest"],
        },
    )


def test_a_cut_is_new_where_the_level_below_has_none(torus):
    found = toys.contrasts(torus)
    assert found.level.values.tolist() == [4, 8]
    assert found.new.sel(level=4).values.tolist() == [2.5, 2.5]  # points 2 and 3: 1 and 4
    assert found.inherited.sel(level=4).values.tolist() == [3.5, 1.0]  # points 0 and 1: 1 and 6, 1 and 1
    assert found.inherited.sel(level=8).values.tolist() == [1.0, 0.2]  # elsewhere points 6 and 7: 1 and 9


def test_the_torus_numbers(torus):
    numbers = toys.torus(torus)
    assert (numbers["high_ring_8"], numbers["high_tube_2"], numbers["high_tube_4"]) == (1, 0, 2)  # 0.99 is not above it
    assert (numbers["all_levels_ring"], numbers["verdict_ring"]) == (1, "does not hold for every seed")
    assert (numbers["kept_ring_8"], numbers["lowest_ring_8"], numbers["correlation_tube_2"]) == (2, 0.99, 0.5)
    assert (numbers["low_ratio_ring_2"], numbers["high_ratio_ring_2"]) == (0.05, 0.95)
    contrast = torus.contrast.sel(cut="tube", saliency="norm", level=4).values
    assert (numbers["contrast_tube_4"], numbers["most_tube_4"]) == (contrast.min(), contrast.max())
    assert [numbers[f"hottest_{level}"] for level in (2, 4, 8)] == [
        2,
        2,
        1,
    ]  # seed 1: of equals the first point, a cut's
    assert (numbers["new_least_4"], numbers["inherited_most_4"]) == (2.5, 3.5)
    finest = torus.accuracy.sel(level=8)
    assert numbers["apart"] == numbers["correlation_apart"] == float(abs(finest.diff("seed")).max()) > 0
