import numpy as np
import pytest
import xarray as xr

from lil.paper import numbers as paper
from lil.paper import sensitivity

BETAS, SEEDS = [0.0, 0.01, 0.1, 1.0, 10.0], [0, 1, 2]
NAMES = ["text", "scale_10", "scale_03", "pairs", "deeper", "batch_50"]


@pytest.fixture
def result():
    """Six sets, five β, three seeds of which all but the text's lack the last, two ε."""
    rng = np.random.default_rng(0)
    clean, accuracy = rng.uniform(size=(6, 5, 3)), rng.uniform(size=(6, 2, 5, 3, 2))
    clean[1:, :, 2] = accuracy[1:, :, :, 2] = np.nan
    member = ("beta", "seed")
    return xr.Dataset(
        {
            "clean": (("networks", *member), clean),
            "accuracy": (("networks", "objective", *member, "epsilon"), accuracy),
        },
        coords={
            "networks": NAMES,
            "beta": BETAS,
            "seed": SEEDS,
            "objective": ["total", "classification"],
            "epsilon": [0.1, 1.0],
            "scale": ("networks", [1.0, 10.0, 0.3, 1.0, 1.0, 1.0]),
            "reduction": ("networks", ["n2", "n2", "n2", "pairs", "n2", "n2"]),
            "layers": ("networks", [4, 4, 4, 4, 5, 4]),
            "batch_size": ("networks", [100, 100, 100, 100, 100, 50]),
        },
    )


def test_accuracy_under_attack_is_the_mean_over_its_sizes(result):
    found = sensitivity.measures(result).sel(networks="text", beta=0.1, seed=2)
    one = result.sel(networks="text", beta=0.1, seed=2)
    assert float(found.sel(measure="clean")) == float(one.clean)
    assert float(found.sel(measure="classification")) == pytest.approx(one.accuracy.values[1].mean())


def test_sets_are_compared_over_the_seeds_that_all_have(result):
    found = sensitivity.means(result).sel(networks="text", measure="clean").values
    assert found == pytest.approx(result.clean.values[0, :, :2].mean(-1))
    assert sensitivity.means(result).notnull().all()


def test_a_choice_s_options_are_the_sets_that_differ_in_it_alone(result):
    assert sensitivity.options(result, "scale") == ["scale_03", "text", "scale_10"]
    assert sensitivity.options(result, "reduction") == ["text", "pairs"]
    assert sensitivity.options(result, "layers") == ["text", "deeper"]
    assert sensitivity.options(result, "batch_size") == ["batch_50", "text"]
    both = result.assign_coords(batch_size=("networks", [100, 100, 100, 100, 50, 50]))
    assert sensitivity.options(both, "layers") == ["text"]


def test_spans_are_ranges_over_options_and_over_the_text_s_seeds(result):
    found = sensitivity.spans(result)
    assert found.choice.values.tolist() == [*sensitivity.CHOICES, "seed"] and found.notnull().all()
    clean = result.clean.values
    for k, beta in enumerate(BETAS):
        one = found.sel(beta=beta, measure="clean")
        means = clean[:3, k, :2].mean(-1)
        assert float(one.sel(choice="scale")) == pytest.approx(max(means) - min(means))
        assert float(one.sel(choice="seed")) == pytest.approx(max(clean[0, k]) - min(clean[0, k]))
        depth = abs(clean[4, k, :2].mean() - clean[0, k, :2].mean())
        assert float(one.sel(choice="layers")) == pytest.approx(depth)


def test_a_gain_is_over_beta_0_of_the_same_set(result):
    found = sensitivity.gains(result).sel(networks="pairs", measure="total", beta=10)
    robust = result.accuracy.values[3, 0, :, :2].mean((-1, -2))
    assert float(found) == pytest.approx(robust[4] - robust[0])


def test_the_distance_from_the_paper_is_a_mean_over_beta(result):
    row = paper.Row((*BETAS, 99.0), (0.5,) * 6, "")
    found = sensitivity.from_paper(result, row).sel(networks="deeper")
    assert float(found) == pytest.approx(abs(result.clean.values[4, :, :2].mean(-1) - 0.5).mean())


def test_what_is_the_text_s_at_another_beta_differs_at_the_same_and_not_at_equal_weight(result):
    """Made to lie on the text's curves, shifted: by ten for pairs, by K² for K = 10, nearly by ten for K = 0.3."""
    steps = {"pairs": 1, "scale_10": 2, "scale_03": -1}
    for name, by in steps.items():
        for k, beta in enumerate(BETAS):
            if beta > 0 and 1 <= k + by < len(BETAS):
                for variable in ("clean", "accuracy"):
                    there = result[variable].sel(networks="text", beta=BETAS[k + by], seed=[0, 1]).values
                    result[variable].loc[dict(networks=name, beta=beta, seed=[0, 1])] = there
    found = sensitivity.at_equal_weight(result)
    assert set(found.networks.values) == set(steps)
    assert (found.sel(compared="equal weight") < 1e-12).all()
    for name, by in steps.items():
        ours = sensitivity.means(result).sel(measure="total")
        mine = [k for k in range(1, 5) if 1 <= k + by < 5]
        expected = np.mean([abs(float(ours.sel(networks=name)[k] - ours.sel(networks="text")[k])) for k in mine])
        assert float(found.sel(networks=name, measure="total", compared="same β")) == pytest.approx(expected)


@pytest.mark.parametrize("scale, near", [(0.3, True), (3.0, True), (0.28, False), (2.9, False)])
def test_a_weight_counts_as_a_step_of_beta_within_the_threshold_only(result, scale, near):
    """K² = 9 and 0.09 are within 12 % of a factor of ten; 8.41 and 0.0784 are not."""
    scales = result.scale.values.copy()
    scales[NAMES.index("scale_03")] = scale
    other = result.assign_coords(scale=("networks", scales))
    assert ("scale_03" in sensitivity.at_equal_weight(other).networks.values) == near


def test_weights_are_k_squared_and_one_pair_in_ten(result):
    assert sensitivity.weights(result).values == pytest.approx([1, 100, 0.09, 10, 1, 1])
