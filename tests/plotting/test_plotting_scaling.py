import matplotlib.pyplot as plt
import pytest
from made_up import scaling_result

from lil.plotting import scaling


@pytest.fixture
def result():
    return scaling_result()


def test_a_line_a_method(result):
    axes = scaling.by_points(plt.subplots(1, 2)[1], result)
    for ax, values in zip(axes, (1e3 * result.seconds, result.memory), strict=True):
        assert [line.get_ydata().tolist() for line in ax.lines] == values.values.tolist()
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == list(scaling.NAMES.values())


def test_what_would_be_proportional_is_dotted(result):
    axes = scaling.by_the_rest(plt.subplots(1, 3)[1], result)
    dotted = [ax.lines[1].get_ydata().tolist() for ax in axes]
    assert dotted == [[8.0, 4.0], [1.0, 4.0], [9.0, 4.5]]
    assert [ax.lines[0].get_ydata().tolist() for ax in axes] == [[8.0, 4.0], [1.0, 3.0], [9.0, 5.0]]


def test_measured_and_predicted_spread(result):
    predicted, measured = scaling.estimate_spread(plt.subplots()[1], result).lines
    assert measured.get_ydata().tolist() == [0.1, 0.01] and predicted.get_ydata().tolist() == [0.11, 0.011]


def test_what_is_nearly_constant_is_not_magnified():
    ax = plt.subplots()[1]
    ax.plot([1, 10], [1.0, 1.05])
    scaling._logarithmic(ax, "x", "y")
    low, high = ax.get_ylim()
    assert high / low == pytest.approx(4)
