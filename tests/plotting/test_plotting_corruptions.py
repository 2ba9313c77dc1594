import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color

from lil.corruptions import CORRUPTIONS
from lil.paper.intervals import over_seeds
from lil.paper.tables import corruptions as tables
from lil.paper.tables import over_baseline
from lil.plotting import beta_colours, beta_mark, corruptions

BETAS, SEEDS = [0.0, 0.1, 10.0], [0, 1, 5]


def made_up(readings, channels=1):
    """Three β, three seeds, all corruptions, pictures of 6 × 5 pixels."""
    rng = np.random.default_rng(0)
    n, pixel = len(readings), ("channel", "row", "column")
    shape = (channels, 6, 5)
    return xr.Dataset(
        {
            "clean": (("networks", "beta", "seed"), rng.uniform(0.8, 1, (n, 3, 3))),
            "accuracy": (("networks", "corruption", "level", "beta", "seed"), rng.uniform(size=(n, 15, 5, 3, 3))),
            "severity": (("corruption", "level"), np.sort(rng.uniform(0.1, 1, (15, 5)))),
            "original": (pixel, rng.integers(0, 256, shape, np.uint8)),
            "picture": (("corruption", *pixel), rng.integers(0, 256, (15, *shape), np.uint8)),
        },
        coords={
            "networks": readings,
            "corruption": list(CORRUPTIONS),
            "level": [1, 2, 3, 4, 5],
            "beta": BETAS,
            "seed": SEEDS,
            "unit": ("corruption", [each.unit for each in CORRUPTIONS.values()]),
            "images": 50,
        },
    )


@pytest.fixture(params=[["mnist_text", "mnist_public"], ["cifar10_text"]], ids=len)
def result(request):
    return made_up(request.param)


def test_every_gain_has_its_dots_its_mean_and_its_interval(result):
    figure = corruptions.gain_rows(result, "MNIST")
    gain = over_baseline(tables.at_level(result, 3))
    assert figure.get_suptitle() == "MNIST: 3 seeds, 50 test images"
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == [tables.label(result, name, 3) for name in gain.corruption.values]
    for ax, reading in zip(figure.axes, result.networks.values, strict=True):
        assert ax.get_title() == tables.READINGS[reading]
        for beta, colour in zip(BETAS[1:], beta_colours(BETAS[1:]), strict=True):
            drawn = [line for line in ax.lines if same_color(line.get_color(), colour)]
            dots = [line for line in drawn if line.get_marker() == beta_mark(beta)["marker"]]
            means = [line for line in drawn if line.get_marker() == "|"]
            one = gain.sel(networks=reading, beta=beta).transpose("corruption", "seed")
            assert [dot.get_xdata().tolist() for dot in dots] == one.values.tolist()
            found = [over_seeds(each) for each in one]
            assert [float(mean.get_xdata()[0]) for mean in means] == pytest.approx([each.value for each in found])
            bars = [
                bar.get_segments()[0][:, 0].tolist() for bar in ax.collections if same_color(bar.get_color(), colour)
            ]
            assert np.array(bars) == pytest.approx(np.array([each[1:3] for each in found]))
            rows = [round(float(np.mean(dot.get_ydata()))) for dot in dots]
            assert rows == [-place for place in range(16)]
        assert ax.get_xlim()[0] >= -1 and ax.get_xlim()[1] <= 1


def test_curves_begin_with_the_images_as_they_are(result):
    figure = corruptions.severity_curves(result, "MNIST")
    panels = [(noise, reading) for noise in tables.CURVES for reading in result.networks.values]
    for ax, (noise, reading) in zip(figure.axes, panels, strict=True):
        for beta, colour in zip(BETAS, beta_colours(BETAS), strict=True):
            lines = [line for line in ax.lines if same_color(line.get_color(), colour)]
            here = dict(networks=reading, beta=beta)
            expected = np.concatenate(
                [result.clean.sel(here).values[None], result.accuracy.sel(corruption=noise, **here).values]
            )
            assert np.array([line.get_ydata() for line in lines[:3]]) == pytest.approx(expected.T)
            assert lines[3].get_ydata() == pytest.approx(expected.mean(1))
            assert lines[3].get_xdata() == pytest.approx([0, *result.severity.sel(corruption=noise).values])
    words = [ax.get_title() for ax in figure.axes]
    assert "sign noise" in words[0] and "Gaussian noise" in words[-1]
    assert [ax.get_xlabel() for ax in figure.axes][:: len(result.networks)] == ["severity, ε", "severity, σ"]


@pytest.mark.parametrize("channels", [1, 3])
def test_every_perturbation_has_its_picture(channels):
    result = made_up(["mnist_text"], channels)
    figure = corruptions.pictures(result)
    shown = [ax for ax in figure.axes if ax.images]
    assert len(shown) == 16 and shown[0].get_title() == "no perturbation"
    found = np.asarray(shown[1].images[0].get_array()).reshape(6, 5, channels)
    assert np.array_equal(found, np.moveaxis(result.picture.sel(corruption="sign").values, 0, -1))
    assert shown[1].images[0].get_clim() == (0, 255)
