"""Figures of the certificates, of a made-up result."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from made_up import certificates_result

from lil.plotting import beta_colours, certificates


@pytest.fixture
def result():
    return certificates_result()


def test_each_seed_has_its_mark_and_each_method_its_line(result):
    figure, axes = plt.subplots(2, 2)
    certificates.accuracies(axes, result)
    for row, name in zip(axes, result.networks.values, strict=True):
        for ax, epsilon in zip(row, result.epsilon.values, strict=True):
            shares = result.crown.sel(networks=name, epsilon=epsilon).mean("image")
            lines, dots = (
                [line for line in ax.lines if (line.get_marker() == "None") is kind] for kind in (True, False)
            )
            assert len(lines) == 4 and len(dots) == 12
            assert any(np.allclose(line.get_ydata(), shares.mean("seed")) for line in lines)
            triangles = [line for line in dots if line.get_marker() == "^"]
            for line, beta, colour in zip(triangles, result.beta.values, beta_colours(result.beta.values), strict=True):
                assert line.get_ydata() == pytest.approx(shares.sel(beta=beta).values) and line.get_color() == colour
    assert axes[1, 0].get_title() == "K = 10, ε = 0.003"
    figure.canvas.draw()


def test_each_network_has_its_bar_and_its_median(result):
    figure, axes = plt.subplots(2, 4)
    certificates.spreads(axes, result)
    for row, name in zip(axes, result.networks.values, strict=True):
        for ax, quantity in zip(row, certificates.DRAWN, strict=True):
            values = result.spread.sel(networks=name, quantity=quantity)
            bars = [segment[:, 1] for lines in ax.collections for segment in lines.get_segments()]
            expected = values.sel(quantile=[0.05, 0.95]).values.reshape(-1, 2)
            assert np.allclose(bars, expected)
            dots = [line.get_ydata() for line in ax.lines if line.get_marker() == "o"]
            assert np.allclose(dots, values.sel(quantile=0.5))
            assert (ax.get_yscale() == "log") == (quantity in ("cross_entropy", "total"))
    assert [label.get_text() for label in axes[1, 0].get_xticklabels()] == ["0", "0.1", "10"]
    figure.canvas.draw()
