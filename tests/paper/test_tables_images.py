"""Numbers and tables of Figure 3, Table 1 and Appendix Figure 1, of made-up results."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import t

from lil.paper import numbers as paper
from lil.paper.tables import images

ROW = paper.TABLE_1["cifar10"]


@pytest.fixture
def accuracy():
    values = [[0.84, 0.86, 0.85], [0.90, 0.91, 0.92], [0.3, np.nan, np.nan], [0.5, 0.5, 0.5]]
    return xr.DataArray(values, dims=("beta", "seed"), coords={"beta": [0.0, 0.1, 10.0, 99.0], "seed": [0, 1, 2]})


@pytest.fixture
def result():
    """Under the paper's attack β = 1 does best; under the attacker's, worse than β = 0 for one seed of two."""
    total = [[[0.4, 0.2]] * 2, [[0.6, 0.4]] * 2, [[0.5, 0.4]] * 2]
    classification = [[[0.4, 0.2]] * 2, [[0.3, 0.2], [0.5, 0.4]], [[0.1, 0.0]] * 2]
    return xr.Dataset(
        {
            "accuracy": (("objective", "beta", "seed", "epsilon"), np.array([total, classification])),
            "clean": (("beta", "seed"), np.array([[0.9, 0.8], [0.7, 0.7], [0.6, 0.2]])),
        },
        coords={
            "objective": ["total", "classification"],
            "beta": [0.0, 1.0, 10.0],
            "seed": [0, 1],
            "epsilon": [0.1, 1.0],
        },
    )


def test_the_papers_numbers_stand_beside_ours(accuracy):
    rows = images.beside_paper(accuracy, ROW)
    assert list(rows.index) == [0.0, 0.1, 10.0]  # 99 is not in the paper
    first = rows.loc[0.0]
    assert (first.paper, first["n"]) == (0.8479, 3) and first["mean"] == pytest.approx(0.85)
    assert first.sd == pytest.approx(0.01) and first.difference == pytest.approx(0.85 - 0.8479)
    reach = t.ppf(0.975, 2) * 0.01 * np.sqrt(4 / 3)
    assert (first.low, first.high) == pytest.approx((0.85 - reach, 0.85 + reach))
    assert first.inside is True and rows.loc[0.1].inside is False


def test_one_seed_has_no_spread(accuracy):
    one = images.beside_paper(accuracy, ROW).loc[10.0]
    assert one["n"] == 1 and np.isnan(one.sd) and one.inside is None


def test_the_interval_covers_one_more_run_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for runs in rng.normal(ROW.at(0.0), 0.01, size=(2000, 5)):
        ours = xr.DataArray(runs[None], dims=("beta", "seed"), coords={"beta": [0.0]})
        shifted = paper.Row((0.0,), (float(rng.normal(ROW.at(0.0), 0.01)),), "", "")
        inside += images.beside_paper(ours, shifted).inside.iloc[0]
    assert inside / 2000 == pytest.approx(0.95, abs=0.015)


def test_what_precision_changes_stands_beside_what_the_seed_does(result):
    exact = result.accuracy
    used = exact + xr.DataArray([0.01, -0.03], dims="seed", coords={"seed": [0, 1]})
    result["compared"] = xr.concat([used, exact], "precision").assign_coords(precision=["used", "float32"])
    result.attrs["config"] = '{"n_compared": 70}'
    found = images.precision(result)
    of_seeds = np.sqrt(exact.values.var(axis=2, ddof=1).mean())
    assert found == pytest.approx({"images": 70, "mean": 0.02, "bias": -0.01, "seeds": of_seeds})


def test_robust_accuracy_is_the_mean_over_epsilon(result):
    rows = images.robust_table(result)
    assert rows.loc[1.0, ("attacked: total", "mean")] == pytest.approx(0.5)
    assert rows.loc[1.0, ("attacked: classification", "mean")] == pytest.approx(0.35)
    assert rows.loc[1.0, ("attacked: classification", "sd")] == pytest.approx(np.std([0.25, 0.45], ddof=1))
    assert rows.loc[10.0, ("clean", "mean")] == pytest.approx(0.4)


def test_the_words_have_their_numbers(result):
    numbers = images.robustness(result, rising := result.isel(beta=[0, 1]))
    assert {name: numbers[name] for name in numbers if not name.startswith("public_")} == pytest.approx(
        {
            "seeds": 2,
            "base": 0.3,
            "best_beta": "1",
            "clean_base": 0.85,
            "clean_best": 0.7,
            "paper_best": 0.5,
            "paper_better": 2,
            "paper_rising": "does not rise with every step of β",
            "attacker_best": 0.35,
            "attacker_better": 1,
            "attacker_rising": "does not rise with every step of β",
        }
    )
    assert rising.sizes["beta"] == 2 and numbers["public_paper_rising"] == "rises with every step of β"
