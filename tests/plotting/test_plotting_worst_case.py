import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color

from lil.paper.tables import worst_case as tables
from lil.plotting import beta_colours, beta_name, worst_case

BETAS = [0.0, 0.1, 10.0]
ATTACKS = ["none", "total", "classification", "margin", "noise", "pgd", "targeted", "transfer", "autoattack"]


@pytest.fixture
def result():
    """Two readings, two ε, three β, two seeds, 40 images: all that :mod:`lil.plotting.worst_case` reads."""
    rng = np.random.default_rng(0)
    right = rng.integers(2, size=(2, 2, 9, 3, 2, 40)).astype(np.uint8)
    dims = ("reading", "epsilon", "attack", "beta", "seed", "image")
    coords = dict(reading=["text", "public"], epsilon=[0.05, 0.1], attack=ATTACKS, beta=BETAS, seed=[0, 4])
    return xr.Dataset({"right": (dims, right)}, coords)


@pytest.mark.parametrize(("readings", "epsilons"), [(["text", "public"], [0.05, 0.1]), (["text"], [0.1])])
@pytest.mark.parametrize("kind", ["accuracy", "gain"])
def test_every_network_has_its_dot_and_every_mean_a_bar(result, readings, epsilons, kind):
    result = result.sel(reading=readings, epsilon=epsilons)
    values = tables.answers(result).sel(attack=list(tables.RISING)).mean("image")
    betas, draw = BETAS, worst_case.accuracy_dots
    if kind == "gain":
        values, betas, draw = values - values.sel(beta=0), BETAS[1:], worst_case.gain_dots
    figure = draw(result, "MNIST")
    axes = np.array(figure.axes).reshape(len(epsilons), len(readings))
    for row, epsilon in zip(axes, epsilons, strict=True):
        for ax, reading in zip(row, readings, strict=True):
            for beta, colour in zip(betas, beta_colours(betas), strict=True):
                drawn = [line for line in ax.lines if same_color(line.get_color(), colour)]
                dots, bars = drawn[0::2], drawn[1::2]
                one = values.sel(reading=reading, beta=beta, epsilon=epsilon)
                assert [dot.get_ydata().tolist() for dot in dots] == one.transpose("attack", "seed").values.tolist()
                assert [bar.get_ydata()[0] for bar in bars] == pytest.approx(one.mean("seed").values)
                assert [round(np.mean(bar.get_xdata())) for bar in bars] == list(range(len(tables.RISING)))
            assert ax.get_title() == f"{tables.READINGS[reading]}, ε = {epsilon:g}"
    ticks = [label.get_text() for label in axes[-1, 0].get_xticklabels()]
    assert ticks == list(worst_case.NAMES.values()) and tuple(worst_case.NAMES) == tables.RISING
    legend = [text.get_text() for text in axes[0, -1].get_legend().get_texts()]
    assert figure.get_suptitle() == "MNIST: 40 images, 2 seeds"
    assert legend == [beta_name(beta) for beta in betas]
