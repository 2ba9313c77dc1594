import matplotlib.pyplot as plt
import numpy as np
import pytest
from made_up import choices_result
from matplotlib.colors import same_color

from lil.paper import numbers as paper
from lil.paper import sensitivity
from lil.plotting import ISOMETRY, beta_colours, beta_mark, choices

BETAS = [0.0, 0.1, 1.0, 10.0]
PRINTED = paper.TABLE_1["mnist"]


@pytest.fixture
def result():
    return choices_result()


def test_every_span_has_its_dot_and_its_mean_a_bar(result):
    _, axes = plt.subplots(1, 3)
    choices.span_dots(axes, result)
    apart = sensitivity.spans(result)
    for ax, measure in zip(axes, choices.MEASURES, strict=True):
        assert [label.get_text() for label in ax.get_yticklabels()] == list(choices.CHOICES.values())
        dots = [line for line in ax.lines if line.get_marker() not in ("", "None", None)]
        bars = [line for line in ax.lines if line.get_linewidth() == 2.5]
        here = apart.sel(measure=measure).transpose("choice", "beta")
        assert [float(dot.get_xdata()[0]) for dot in dots] == here.values.ravel().tolist()
        assert [round(-float(dot.get_ydata()[0])) for dot in dots] == np.repeat(range(5), 4).tolist()
        assert all(
            same_color(dot.get_color(), colour) for dot, colour in zip(dots, beta_colours(BETAS) * 5, strict=True)
        )
        assert [dot.get_marker() for dot in dots] == [beta_mark(beta)["marker"] for beta in BETAS] * 5
        assert [float(bar.get_xdata()[0]) for bar in bars] == pytest.approx(here.mean("beta").values)
        (dashed,) = (line for line in ax.lines if line.get_linestyle() == "--")
        assert dashed.get_xdata()[0] == pytest.approx(float(here.sel(choice="seed").mean()))


def test_every_seed_of_every_option_is_marked_and_the_paper_crosses_table_1(result):
    figure = choices.choice_panels(result, "MNIST", PRINTED)
    panels = np.array(figure.axes).reshape(4, 3)
    every, average = sensitivity.measures(result), sensitivity.means(result)
    for row, choice in zip(panels, choices.OPTIONS, strict=True):
        for ax, measure in zip(row, choices.MEASURES, strict=True):
            loose = [line for line in ax.lines if line.get_linestyle() == "None"]
            marks = np.array([line.get_ydata() for line in loose if line.get_marker() != "x"])
            lines = np.array([line.get_ydata() for line in ax.lines if line.get_linestyle() == "-"])
            options = sensitivity.options(result, choice)
            expected = every.sel(networks=options, measure=measure).transpose("networks", "seed", "beta").values
            assert np.array_equal(marks, expected.reshape(-1, 4), equal_nan=True)
            assert lines == pytest.approx(average.sel(networks=options, measure=measure).values)
            crosses = [line.get_ydata().tolist() for line in ax.lines if line.get_marker() == "x"]
            assert crosses == ([[PRINTED.at(beta) for beta in BETAS]] if measure == "clean" else [])
    assert [text.get_text() for text in panels[0, 2].get_legend().get_texts()] == ["K = 0.3", "K = 1", "the paper"]
    assert "3 seeds for the text's settings, 2 for the others" in figure.get_suptitle()


def test_the_text_is_black_and_no_two_options_look_alike():
    looks = choices._looks(["a", "b", "text", "c", "d", "e"])
    assert list(looks) == ["a", "b", "text", "c", "d", "e"] and looks["text"] == (choices.INK, "o")
    for part in zip(*looks.values(), strict=True):
        assert len(set(part)) == 6


def test_curves_lie_at_their_weights(result):
    _, axes = plt.subplots(1, 3)
    choices.weight_curves(axes, result)
    average = sensitivity.means(result)
    for ax, measure in zip(axes, choices.MEASURES, strict=True):
        by_name = {line.get_label(): line for line in ax.lines}
        for name, weight in (("text", 1), ("scale_03", 0.09), ("pairs", 10)):
            label = choices.set_name(result, name)
            assert by_name[label].get_xdata() == pytest.approx(np.array(BETAS[1:]) * weight)
            assert by_name[label].get_ydata() == pytest.approx(average.sel(networks=name, measure=measure).values[1:])
        assert same_color(by_name["reduction pairs"].get_color(), ISOMETRY)
        (dotted,) = (line for line in ax.lines if line.get_linestyle() == ":")
        base = average.sel(networks="text", measure=measure, beta=0)
        assert dotted.get_ydata()[0] == pytest.approx(float(base))
