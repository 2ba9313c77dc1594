import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.patches import StepPatch

from lil.plotting import distances


@pytest.fixture
def result():
    """Three β, two seeds, four bins: all that :mod:`lil.plotting.distances` reads."""
    rng = np.random.default_rng(0)
    count = rng.integers(1, 50, (3, 2, 4)).astype(np.float32)
    count[..., 3] = 0
    return xr.Dataset(
        {
            "count": (("beta", "seed", "bin"), count),
            "data_count": ("bin", np.array([3, 9, 1, 0], np.float32)),
            "edges": ("edge", np.array([0, 1, 2, 3, 4], np.float32)),
            "wasserstein": (("beta", "seed"), np.array([[0.9, 1.1], [0.5, 0.3], [0.1, np.nan]])),
        },
        coords={"beta": [0.0, 0.1, 10.0], "seed": [0, 3]},
    )


def test_each_beta_has_its_histograms_over_that_of_the_inputs(result):
    figure = distances.histograms(result, "MNIST", scale=10.0)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == ["β = 0 (cross-entropy alone)", "β = 0.1", "β = 10"]
    for ax, beta in zip(shown, result.beta.values, strict=True):
        counts = [patch.get_data().values.tolist() for patch in ax.patches if isinstance(patch, StepPatch)]
        assert counts[:2] == [result.data_count.values.tolist()] * 2
        assert counts[2:] == [result["count"].sel(beta=beta, seed=seed).values.tolist() for seed in (0, 3)]
        assert ax.get_xlim()[1] == 3  # where the last bin is empty, nothing is shown
    assert shown[-1].get_xlabel().startswith("10 × distance") and figure.get_suptitle() == "MNIST"


def test_without_a_factor_none_is_named(result):
    axes = distances.histograms(result, "MNIST", scale=1.0).axes
    assert any(ax.get_xlabel().startswith("distance of two") for ax in axes)


def test_each_network_has_its_distance_from_the_inputs(result):
    _, ax = plt.subplots()
    distances.nearness(ax, {"text": result, "public": result})
    means = [line for line in ax.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 3]
    assert [line.get_label() for line in means] == ["text", "public"]
    assert means[0].get_ydata() == pytest.approx([1.0, 0.4, 0.1])
    dots = [line.get_ydata().tolist() for line in ax.lines if line not in means]
    assert dots[:3] == [[0.9, 1.1], [0.5, 0.3], [0.1]]
