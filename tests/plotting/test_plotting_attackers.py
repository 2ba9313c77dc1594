import matplotlib.pyplot as plt
import numpy as np
import pytest
from made_up import attackers_result
from matplotlib.colors import same_color

from lil.paper.tables import attackers as tables
from lil.plotting import attackers, beta_colours

BETAS = [0.0, 0.1, 10.0]


@pytest.fixture
def result():
    return attackers_result()


def test_every_gain_has_its_dot_and_its_mean_a_bar(result):
    """A panel for each ε of AutoAttack: here a second one."""
    result["accuracy"].loc[dict(images=10, attack="autoattack", epsilon=0.3)] = 0.5
    result["after_stage"].loc[dict(epsilon=0.3)] = 0.5
    figure, gains = attackers.gain_dots(result), tables.gains(result)
    assert [ax.get_title() for ax in figure.axes] == ["ε = 0.1; 10 images", "ε = 0.3; 10 images"]
    names = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert names == [attackers.NAMES[attack] for attack in gains.attack.values]
    for ax, epsilon in zip(figure.axes, (0.1, 0.3), strict=True):
        for beta, colour in zip(BETAS[1:], beta_colours(BETAS[1:]), strict=True):
            drawn = [line for line in ax.lines if same_color(line.get_color(), colour) and len(line.get_xdata())]
            dots, bars = drawn[0::2], drawn[1::2]
            one = gains.sel(beta=beta, epsilon=epsilon)
            assert [dot.get_ydata().tolist() for dot in dots] == one.transpose("attack", "seed").values.tolist()
            assert [bar.get_ydata()[0] for bar in bars] == pytest.approx(one.mean("seed").values)
            assert [round(np.mean(bar.get_xdata())) for bar in bars] == list(range(gains.sizes["attack"]))


def test_every_attack_has_a_panel_and_what_was_not_run_no_point(result):
    figure = attackers.attack_curves(result, "MNIST")
    panels = {ax.get_title().split(",")[0]: ax for ax in figure.axes[:7]}
    assert list(panels) == [name.replace("\n", " ") for name in attackers.NAMES.values()]
    noise = [line.get_ydata().tolist() for line in panels["random noise"].lines if line.get_linewidth() == 2]
    assert noise == result.accuracy.sel(images=50, attack="noise").mean("seed").values.tolist()
    assert [len(line.get_xdata()) for line in panels["AutoAttack"].lines if line.get_linewidth() == 2] == [1, 1, 1]
    auto = [float(line.get_ydata()[0]) for line in panels["AutoAttack"].lines if line.get_linewidth() == 2]
    assert auto == pytest.approx(result.accuracy.sel(images=10, attack="autoattack", epsilon=0.1).mean("seed").values)
    transfer = [len(line.get_xdata()) for line in panels["made for β = 0"].lines if line.get_linewidth() == 2]
    assert transfer == [0, 4, 4]
    assert figure.get_suptitle() == "MNIST" and figure.axes[7].get_legend() is not None


def test_doubling_shows_the_worst_epsilon_and_ends_at_0(result):
    _, ax = plt.subplots()
    attackers.doubling_curves(ax, result)
    thin = [line.get_ydata() for line in ax.lines if line.get_linewidth() < 1]
    expected = (result.trace - result.trace.isel(rung=-1)).max("epsilon").values
    assert np.array(thin) == pytest.approx(expected.reshape(6, 5)) and (np.array(thin)[:, -1] == 0).all()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["10 × 1", "20 × 1", "20 × 2", "40 × 2", "40 × 4"]
    assert ax.get_ylim()[1] > expected.max()
