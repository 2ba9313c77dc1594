import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color

from lil.paper.tables import worst_case as tables
from lil.plotting import beta_colours, worst_case

BETAS = [0.0, 0.1, 10.0]
ATTACKS = ["none", "total", "classification", "margin", "noise", "pgd", "targeted", "transfer", "autoattack"]


@pytest.fixture
def result():
    rng = np.random.default_rng(0)
    right = rng.integers(2, size=(2, 9, 3, 2, 40)).astype(np.uint8)
    dims = ("reading", "attack", "beta", "seed", "image")
    coords = dict(reading=["text", "public"], attack=ATTACKS, beta=BETAS, seed=[0, 4])
    return xr.Dataset({"right": (dims, right)}, coords=coords)


@pytest.mark.parametrize("readings", [["text", "public"], ["text"]])
def test_every_network_has_its_dot_and_every_mean_a_bar(result, readings):
    result = result.sel(reading=readings)
    _, axes = plt.subplots(2, len(readings), squeeze=False)
    worst_case.rising_attacks(axes, result)
    accuracy = tables.answers(result).sel(attack=list(tables.RISING)).mean("image")
    gain = accuracy - accuracy.sel(beta=0)
    for row, values, betas in ((0, accuracy, BETAS), (1, gain, BETAS[1:])):
        for ax, reading in zip(axes[row], readings, strict=True):
            assert [label.get_text() for label in ax.get_xticklabels()] in (
                [],
                list(worst_case.NAMES.values()),
            ) or row == 0
            for beta, colour in zip(betas, beta_colours(betas), strict=True):
                drawn = [line for line in ax.lines if same_color(line.get_color(), colour)]
                one = values.sel(reading=reading, beta=beta)
                assert [dot.get_ydata().tolist() for dot in drawn[0::2]] == one.transpose(
                    "attack", "seed"
                ).values.tolist()
                assert [bar.get_ydata()[0] for bar in drawn[1::2]] == pytest.approx(one.mean("seed").values)
                assert [round(np.mean(bar.get_xdata())) for bar in drawn[1::2]] == list(range(len(tables.RISING)))
    assert [ax.get_title() for ax in axes[0]] == [tables.READINGS[name] for name in readings]
    assert tuple(worst_case.NAMES) == tables.RISING
    legend = [text.get_text() for text in axes[0, -1].get_legend().get_texts()]
    assert legend == ["β = 0 (cross-entropy alone)", "β = 0.1", "β = 10"]
