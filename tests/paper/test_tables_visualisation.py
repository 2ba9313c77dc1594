"""Numbers of MNIST in two and three units, of a made-up result."""

import numpy as np
import pytest
import xarray as xr

from lil.paper.intervals import over_seeds, over_seeds_and_images
from lil.paper.tables import visualisation as tables


@pytest.fixture
def result():
    """Two widths, two K, three β, two seeds and 40 images. K = 10 with β = 0.1 is most accurate with two units."""
    rng = np.random.default_rng(0)
    network, other = ("units", "scale", "beta", "seed"), ("units", "other", "seed")
    measures = ("trust", "trust_within", "correlation")
    made = xr.Dataset(
        {name: (network, rng.uniform(0, 0.5, size=(2, 2, 3, 2))) for name in ("accuracy", "ratio", *measures)}
        | {f"other_{name}": (other, rng.uniform(0.5, 1, size=(2, 3, 2))) for name in measures}
        | {
            "vote": ((*network, "image"), rng.uniform(size=(2, 2, 3, 2, 40)) < 0.6),
            "other_vote": ((*other, "image"), rng.uniform(size=(2, 3, 2, 40)) < 0.7),
            "x_dist": np.float32(8.5),
        },
        coords={
            "units": [2, 3],
            "scale": [1.0, 10.0],
            "beta": [0.0, 0.1, 10.0],
            "seed": [0, 1],
            "other": ["pca", "umap", "supervised"],
        },
    )
    made.accuracy.loc[dict(units=2, scale=10, beta=0.1)] = 0.9
    made.accuracy.loc[dict(units=3, scale=1, beta=0)] = 0.8
    return made


def test_the_most_accurate_network_is_chosen_by_its_own_classifier(result):
    assert tables.best(result, 2) == (10, 0.1) and tables.best(result, 3) == (1, 0)
    found = tables.numbers(result)
    assert (found["best_scale_2"], found["best_beta_2"]) == ("10", "0.1")
    assert found["best_vote_2"] == pytest.approx(result.vote.sel(units=2, scale=10, beta=0.1).values.mean())


def test_gains_are_paired_by_seed_and_image(result):
    found, at = tables.numbers(result), dict(units=3, scale=1, beta=0)
    vote = result.vote.sel(at, drop=True).astype(float) - result.other_vote.sel(units=3, other="umap", drop=True)
    assert found["vote_over_3_umap"] == f"{over_seeds_and_images(vote):+.3f}"
    correlation = result.correlation.sel(at) - result.other_correlation.sel(units=3, other="pca")
    assert found["correlation_over_3_pca"] == f"{over_seeds(correlation):+.3f}"


def test_a_network_is_ahead_only_if_it_is_in_both(result):
    assert tables.numbers(result)["ahead_2_umap"] == "none"
    for scale, beta in ((10.0, 0.0), (10.0, 0.1), (1.0, 10.0)):
        result.vote.loc[dict(units=2, scale=scale, beta=beta)] = True
        result.correlation.loc[dict(units=2, scale=scale, beta=beta)] = 0.99
    result.other_vote.loc[dict(units=2, other="umap")] = False
    assert tables.ahead(result, 2, "umap") == [(1, 10), (10, 0), (10, 0.1)]
    assert tables.numbers(result)["ahead_2_umap"] == "K = 1 with β = 10; K = 10 with β = 0 or 0.1"
    result.vote.loc[dict(units=2, scale=10, beta=0)] = False
    result.correlation.loc[dict(units=2, scale=1, beta=10)] = 0.01
    assert tables.settings_in_words(tables.ahead(result, 2, "umap")) == "K = 10 with β = 0.1"


def test_the_table_has_a_row_for_each_method_and_network(result):
    table = tables.measure_table(result)
    assert len(table) == 2 * (3 + 6)
    row = table.loc[(3, "K = 10", "β = 0.1")]
    one = result.sel(units=3, scale=10, beta=0.1)
    assert row[tables.MEASURES["trust_within"]] == pytest.approx(one.trust_within.values.mean())
    assert row["K d(Φ)/d(x), median"] == pytest.approx(one.ratio.values.mean())
    umap = table.loc[(2, "UMAP", "")]
    assert umap[tables.MEASURES["vote"]] == pytest.approx(result.other_vote.sel(units=2, other="umap").values.mean())
    assert np.isnan(umap["accuracy of the classifier"])


def test_the_numbers_of_the_page(result):
    found = tables.numbers(result)
    assert (found["seeds"], found["images"], found["x_dist"]) == (2, 40, 8.5)
    assert found["reach_2"] == pytest.approx(2 * 2**0.5) and found["reach_3"] == pytest.approx(12**0.5)
    expected = result.other_correlation.sel(units=3, other="supervised").values.mean()
    assert found["other_correlation_3_supervised"] == pytest.approx(expected)
