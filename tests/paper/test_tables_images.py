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
        attrs={"config": '{"mnist": {"n_test": null}, "fgsm": {}, "n_compared": 3}'},
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


def test_two_seeds_have_a_spread(accuracy):
    two = images.beside_paper(accuracy.isel(seed=slice(2)), ROW).loc[0.0]
    assert two["n"] == 2 and two.sd > 0 and two.inside is not None


@pytest.mark.parametrize("last, word", [(0.58, "yes"), (0.62, "no")])
def test_distances_fall_where_each_step_of_beta_lowers_them(last, word):
    values = xr.DataArray([[0.7, 0.7], [0.6, 0.6], [last, last]], dims=("beta", "seed"), coords={"beta": [0.0, 1, 10]})
    assert images.distances(xr.Dataset({"wasserstein": values, "correlation": values}))["falls"] == word


def test_the_interval_covers_one_more_run_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for runs in rng.normal(ROW.at(0.0), 0.01, size=(2000, 5)):
        ours = xr.DataArray(runs[None], dims=("beta", "seed"), coords={"beta": [0.0]})
        shifted = paper.Row((0.0,), (float(rng.normal(ROW.at(0.0), 0.01)),), "")
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


def test_one_seed_has_no_column_of_deviations(result):
    rows = images.robust_table(result.sel(seed=[1]))
    assert rows.columns.tolist() == [
        (name, "mean") for name in ("clean", "attacked: total", "attacked: classification")
    ]
    assert rows.loc[1.0, ("clean", "mean")] == pytest.approx(0.7)


def test_the_gain_at_each_epsilon_is_that_of_one_beta_and_paired(result):
    """β = 1 is best over all ε. Its gain at ε = 0.1: 0.2 for both seeds, and −0.1 and 0.1 under the attacker's."""
    result["accuracy"].loc[dict(objective="total", beta=10.0, epsilon=0.1)] = 0.7  # the largest gain, at this ε alone
    result["accuracy"].loc[dict(objective="total", beta=10.0, epsilon=1.0)] = 0.0
    table = images.gain_table(result)
    assert table.index.tolist() == ["0.100", "1.000"] and table["accuracy, β = 0"].tolist() == ["0.400", "0.200"]
    assert table["gain, total"].tolist() == ["+0.200 (+0.200 to +0.200)"] * 2
    reach = t.ppf(0.975, 1) * np.std([-0.1, 0.1], ddof=1) / np.sqrt(2)
    assert table["gain, classification"].iloc[0] == f"+0.000 (−{reach:.3f} to +{reach:.3f})"
    assert images.robustness(result, result)["peak_epsilon"] == "0.1"


def one_curve(accuracy, clean, epsilon):
    """A result of one network under one attack."""
    return xr.Dataset(
        {
            "accuracy": (("objective", "beta", "seed", "epsilon"), np.array(accuracy)[None, None, None]),
            "clean": (("beta", "seed"), [[clean]]),
        },
        coords={"objective": ["total"], "beta": [0.0], "seed": [0], "epsilon": epsilon},
    )


def test_the_epsilon_at_half_accuracy_is_that_of_a_curve_that_is_known():
    """accuracy = 0.3 − 0.2 log10 ε is linear in log ε: it is 0.45 = 0.9 / 2 at 10^−0.75."""
    epsilon = np.logspace(-2, 0, 7)
    found = images.half_epsilon(one_curve(0.3 - 0.2 * np.log10(epsilon), 0.9, epsilon))
    assert found.dims == ("objective", "beta", "seed") and found.item() == pytest.approx(10**-0.75)


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        ([0.9, 0.8, 0.6], np.inf),  # never
        ([0.3, 0.2, 0.1], 0.01),  # at the smallest already
        ([0.5, 0.4, 0.3], 0.1),  # at an ε that is there: 0.4 = 0.8 / 2
        ([0.8, 0.6, 0.4], 1.0),  # at the largest
        ([0.6, 0.2, 0.9], 0.01 * 10**0.5),  # the first time
        ([0.6, 0.6, 0.2], 0.1 * 10**0.5),
    ],
)
def test_the_first_fall_to_half_counts(accuracy, expected):
    assert images.half_epsilon(one_curve(accuracy, 0.8, [0.01, 0.1, 1.0])).item() == pytest.approx(expected)


def test_every_network_has_the_half_of_its_own(result):
    found = images.half_epsilon(result)
    for name, beta, seed in ((a, b, c) for a in result.objective.values for b in (0.0, 1.0, 10.0) for c in (0, 1)):
        labels = dict(beta=beta, seed=seed)
        one = result.sel(objective=name, **labels)
        alone = images.half_epsilon(one_curve(one.accuracy.values, float(one.clean), [0.1, 1.0]))
        assert float(found.sel(objective=name, **labels)) == pytest.approx(alone.item())


def test_half_accuracies_are_put_in_words(result):
    rows = images.half_table(result)
    assert rows.loc[0.0, ("attacked: total", "median")] == "≤ 0.100"  # 0.4 of 0.9 and of 0.8
    assert rows.loc[1.0, ("attacked: total", "lowest")] == "never"  # 0.6 and 0.4 of 0.7
    result["accuracy"].loc[dict(objective="total", beta=1.0)] = [[0.6, 0.1], [0.6, 0.5]]
    rows = images.half_table(result)
    assert rows.loc[1.0, "attacked: total"].tolist() == ["never", f"{0.1 * 10**0.5:.3f}", "never"]


def test_the_words_have_their_numbers(result):
    numbers = images.robustness(result, rising := result.isel(beta=[0, 1]))
    assert {name: numbers[name] for name in numbers if not name.startswith(("public_", "peak_"))} == pytest.approx(
        {
            "images": "all",
            "seeds": 2,
            "epsilons": 2,
            "base": 0.3,
            "base_half": "≤ 0.100",
            "best_beta": "1",
            "clean_base": 0.85,
            "clean_best": 0.7,
            "paper_best": 0.5,
            "paper_better": 2,
            "paper_rising": "does not rise with every step of β",
            "paper_half": "never",
            "paper_half_better": 2,
            "attacker_best": 0.35,
            "attacker_better": 1,
            "attacker_rising": "does not rise with every step of β",
            "attacker_half": "never",
            "attacker_half_better": 1,
        }
    )
    result.attrs["config"] = '{"cifar10": {"n_test": 40}}'
    assert images.robustness(result, rising)["images"] == "the first 40"
    assert rising.sizes["beta"] == 2 and numbers["public_paper_rising"] == "rises with every step of β"


def test_the_table_beside_the_paper_has_four_digits_and_no_nan(accuracy):
    table = images.beside_table(accuracy, ROW)
    assert table.loc[0.1].tolist()[:5] == ["0.8545", "0.9100", "0.0100", "3", "+0.0555"]
    low, high = images.beside_paper(accuracy, ROW).loc[0.1, ["low", "high"]]
    assert table.loc[0.1, "one more run"] == f"{low:.4f} to {high:.4f}"
    assert table.inside.tolist() == ["yes", "no", "–"]
    assert table.loc[10.0].tolist() == ["0.2542", "0.3000", "–", "1", "+0.0458", "–", "–"]


def test_the_baseline_nearest_to_the_printed_one_is_named():
    """0.8479 is printed: 0.85 is nearer than 0.84, and the smallest is not the nearest."""
    at_zero = {"text": 0.84, "deeper": 0.85, "as_published": 0.9, "public": 0.95, "first": 0.7}
    means = {"mnist_text": 0.97, "mnist_public": 0.96} | {f"cifar10_{name}": mean for name, mean in at_zero.items()}
    values = np.array(list(means.values()))[:, None, None] + np.array([-0.001, 0.0, 0.001]) - np.zeros((6, 1))
    values[list(means).index("cifar10_public"), :, 1:] = np.nan
    coords = {"networks": list(means), "beta": list(paper.BETAS), "seed": [0, 1, 2]}
    more = xr.Dataset({"clean": (("beta", "seed"), np.add.outer(MNIST.values, np.linspace(-0.001, 0.001, 4)))})
    more = more.assign_coords(beta=list(MNIST.betas))
    result = xr.Dataset({"accuracy": (("networks", "beta", "seed"), values)}, coords)
    found = images.table1(result, more + 0.01, more)
    assert (found["mnist_seeds"], found["mnist_more_seeds"]) == (3, 4)
    assert (found["mnist_more_inside_text"], found["mnist_more_inside_public"]) == (0, 6)
    assert (found["printed"], found["nearest"]) == (0.8479, "one hidden layer more")
    assert [found[name] for name in ("nearest_mean", "text", "as_published")] == pytest.approx([0.85, 0.84, 0.9])
    assert found["cifar10_difference"] == pytest.approx(0.84 - 0.2542) and found["mnist_rows"] == 6
    assert (found["seeds_mnist_text"], found["seeds_cifar10_public"]) == (3, 1)


MNIST = paper.TABLE_1["mnist"]


def around(means):
    """Return made-up accuracies of three seeds around a mean for each β."""
    coords = {"beta": list(MNIST.betas), "seed": [0, 1, 2]}
    return xr.DataArray(np.add.outer(means, [-0.002, 0.0, 0.002]), coords, ("beta", "seed"))


def test_the_likelihood_of_the_printed_row_is_that_of_one_more_run():
    found = images.readings_of_mnist(around(MNIST.values), around(np.array(MNIST.values) + 0.01))
    width = 0.002 * np.sqrt(4 / 3)
    expected = 6 * (t.logpdf(0.01 / width, 2) - t.logpdf(0, 2))
    assert np.log(found["ratio"]) == pytest.approx(expected)
    assert np.log(found["without"]) == pytest.approx(expected * 5 / 6)
    assert (found["inside_text"], found["inside_public"]) == (6, 0 if t.ppf(0.975, 2) * width < 0.01 else 6)


def test_the_likelihood_integrates_to_one():
    accuracy = around(MNIST.values)
    grid = np.linspace(-0.5, 0.5, 20001)
    density = [
        np.exp(images.log_likelihoods(accuracy, paper.Row((0.0,), (MNIST.at(0.0) + shift,), "")).item())
        for shift in grid[::20]
    ]
    assert np.trapezoid(density, grid[::20]) == pytest.approx(1, abs=0.01)


def test_the_sentence_on_both_readings_and_the_most_telling_column():
    far = np.array(MNIST.values)
    far[5] += 0.05
    sentence = images.readings_of_mnist(around(far), around(MNIST.values))["readings"]
    assert sentence.startswith("The printed row lies inside the spread of the public code's reading in 6 of 6 columns")
    assert "inside that of the text's reading in 5." in sentence
    assert "and 1 times without the most telling column, β = 10. So it fits both readings." in sentence
    other = images.readings_of_mnist(around(MNIST.values), around(far))
    assert other["ratio"] < 1 and "and 1 times without the most telling column, β = 10." in other["readings"]


@pytest.mark.parametrize(
    ("public", "text", "words"),
    [
        (6, 3, "So it fits the reading with K = 10, and not that with K = 1."),
        (4, 5, "So it fits the reading with K = 1, and not that with K = 10."),
        (5, 6, "So it fits both readings."),
        (0, 4, "So it fits neither reading."),
    ],
)
def test_the_readings_that_fit(public, text, words):
    assert images.fitting(public, text, 6) == words


def test_readings_without_spread_are_counted_and_not_weighed():
    found = images.readings_of_mnist(*[around(MNIST.values).sel(seed=[0])] * 2)
    assert np.isnan(found["ratio"])
    assert found["readings"] == "One network for each β has no spread, so neither reading is judged by the printed row."
    same = around(MNIST.values)
    same.loc[dict(beta=0.0)] = 0.9
    assert "likely" not in images.readings_of_mnist(same, around(MNIST.values))["readings"]


@pytest.mark.parametrize(
    ("ratio", "words"), [(2.11e5, "2.1·10⁵"), (1000, "1.0·10³"), (97.2, "97.2"), (0.25, "0.25"), (3.2e-12, "3.2·10⁻¹²")]
)
def test_ratios_in_words(ratio, words):
    assert images.times(np.log(ratio)) == words
