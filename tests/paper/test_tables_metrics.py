"""Numbers of rings and torus with other metrics, of a made-up result."""

import numpy as np
import pytest
import xarray as xr

from lil.paper.intervals import over_seeds
from lil.paper.tables import metrics as tables


@pytest.fixture
def result():
    """Each metric is kept best by its own term, in all cases but one seed of the torus's geodesic distances."""
    rng = np.random.default_rng(0)
    terms, kinds = ["none", "euclidean", "manhattan", "geodesic"], ["euclidean", "manhattan", "geodesic"]
    stress = rng.uniform(0.3, 1, size=(2, 2, 4, 3, 3))
    for k in range(3):
        stress[:, :, k + 1, :, k] = rng.uniform(0.01, 0.2, size=(2, 2, 3))
    stress[1, 1, 3, 2, 2] = 1.5
    member = ("data", "points", "term", "seed")
    return xr.Dataset(
        {
            "accuracy": (member, rng.uniform(0.5, 1, size=(2, 2, 4, 3))),
            "correlation": ((*member, "metric"), rng.uniform(size=(2, 2, 4, 3, 3))),
            "stress": ((*member, "metric"), stress),
            "least_stress": (("data", "points"), [[0.11, 0.12], [0.05, 0.06]]),
            "best_correlation": (("data", "points"), [[0.97, 0.98], [0.95, 0.96]]),
            "target": (("data", "metric", "pair"), rng.uniform(size=(2, 3, 7))),
        },
        coords={
            "data": ["rings", "torus"],
            "points": ["training", "held-out"],
            "term": terms,
            "seed": [0, 1, 5],
            "metric": kinds,
        },
    )


def test_the_table_has_the_least_stress_of_geodesic_distances_alone(result):
    table = tables.stress_table(result)
    assert table.columns.tolist() == [*tables.TERMS.values(), "least found"]
    expected = result.stress.sel(data="torus", points="held-out", term="manhattan", metric="geodesic").values.mean()
    assert table.loc[("torus", "geodesic"), "Manhattan term"] == pytest.approx(expected)
    assert table["least found"].tolist() == [0, 0, 0.12, 0, 0, 0.06]


def test_own_takes_the_term_of_each_metric(result):
    found = tables.own(result, "stress").sel(data="rings", metric="manhattan", points="training")
    expected = result.stress.sel(data="rings", term="manhattan", metric="manhattan", points="training")
    assert np.array_equal(found, expected)


def test_a_metric_is_kept_best_only_if_every_seed_says_so(result):
    found = tables.numbers(result)
    assert (found["own"], found["cells"], found["seeds"], found["pairs"]) == (5, 6, 3, 7)
    result.stress.loc[dict(data="torus", points="held-out", term="geodesic", metric="geodesic", seed=5)] = 0.1
    assert tables.numbers(result)["own"] == 6


def test_the_numbers_are_of_held_out_points(result):
    found, one = tables.numbers(result), result.sel(points="held-out", data="rings")
    assert found["accuracy"] == float(result.accuracy.sel(points="held-out").min())
    assert found["stress_rings_none_manhattan"] == pytest.approx(
        one.stress.sel(term="none", metric="manhattan").values.mean()
    )
    own = one.stress.sel(term="manhattan", metric="manhattan")
    assert found["most_own_rings_manhattan"] == own.values.max()
    saved = one.stress.sel(term="euclidean", metric="manhattan", drop=True) - own.drop_vars("term")
    assert found["saved_rings_manhattan"] == f"{over_seeds(saved):.3f}"
    geodesic = result.stress.sel(data="rings", term="geodesic", metric="geodesic")
    assert found["above_least_rings"] == pytest.approx(geodesic.sel(points="held-out").values.mean() / 0.12)
    assert found["above_least_training_rings"] == pytest.approx(geodesic.sel(points="training").values.mean() / 0.11)
    assert (found["least_torus"], found["best_correlation_torus"]) == (0.06, 0.96)
    correlation = one.correlation.sel(term="geodesic", metric="geodesic").values
    assert found["least_own_correlation_rings_geodesic"] == correlation.min()
