import matplotlib.pyplot as plt
import pytest
from made_up import baselines_result
from matplotlib.colors import same_color

from lil.paper.tables import baselines as tables
from lil.plotting import baselines


@pytest.fixture
def networks():
    return baselines_result()


@pytest.fixture
def matched(networks):
    near = [False, True, True, True, True, False, True, True]
    one = networks.isel(setting=[0, 2, 4, 5, 6, 7, 8, 9]).assign(near=("setting", near))
    return one.assign_attrs(reading="lil")


def of_method(ax, method):
    """Return the line of a method's means and the marks of its networks."""
    colour, mark = baselines.LOOKS[method]
    lines = [line for line in ax.lines if same_color(line.get_color(), colour)]
    return next(line for line in lines if line.get_linestyle() == "-"), next(
        line for line in lines if line.get_marker() == mark and line.get_linestyle() == "None"
    )


def test_methods_are_told_apart_by_colour_and_mark():
    assert len(set(baselines.LOOKS.values())) == len({colour for colour, _ in baselines.LOOKS.values()}) == 9
    assert tables.NAMES.keys() == baselines.LOOKS.keys() and {*tables.BASELINES} < {*tables.STRENGTHS} < {*tables.NAMES}


def test_every_network_has_its_mark_and_every_method_its_line(networks):
    _, axes = plt.subplots(1, 3)
    baselines.robust_against_clean(axes, networks)
    for ax, epsilon in zip(axes, (0.05, 0.1, 0.3), strict=True):
        pgd = networks.pgd.sel(epsilon=epsilon)
        line, marks = of_method(ax, "lil")
        assert sorted(marks.get_ydata()) == sorted(pgd.values[1:3].ravel())
        assert sorted(marks.get_xdata()) == sorted(networks.clean.values[1:3].ravel())
        assert line.get_ydata() == pytest.approx(pgd.values[1:3].mean(-1))
        assert ax.get_title() == f"PGD, ε = {epsilon:g}"
        assert sum(len(of_method(ax, method)[1].get_xdata()) for method in baselines.NAMES) == 20
    assert list(axes[0].get_legend_handles_labels()[1]) == list(baselines.NAMES.values())


def test_constants_are_medians(networks):
    _, axes = plt.subplots(1, 2)
    baselines.constants(axes, networks, 0.1)
    for ax, name in zip(axes, ("local", "reach"), strict=True):
        _, marks = of_method(ax, "pgd")
        assert marks.get_xdata().tolist() == networks[name].values[9, :, 1].tolist()
        assert marks.get_ydata().tolist() == networks.pgd.values[9, :, 1].tolist()
    assert axes[0].get_xscale() == "log" and axes[1].get_xscale() == "linear" and "0.1" in axes[0].get_ylabel()


def test_the_comparison_has_a_mark_a_seed_and_a_bar_a_mean(matched):
    _, ax = plt.subplots()
    baselines.matched_dots(ax, matched)
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["clean", "PGD\nε = 0.05", "PGD\nε = 0.1", "PGD\nε = 0.3", "PGD and AutoAttack\nε = 0.1"]
    colour, _ = baselines.LOOKS["decay"]
    drawn = [line for line in ax.lines if same_color(line.get_color(), colour) and len(line.get_xdata())]
    expected = [matched.clean, *matched.pgd.transpose("epsilon", ...), matched.strongest]
    assert [line.get_ydata().tolist() for line in drawn[0::2]] == [values[5].values.tolist() for values in expected]
    assert [line.get_ydata()[0] for line in drawn[1::2]] == pytest.approx([float(v[5].mean()) for v in expected])
    assert ax.get_legend_handles_labels()[1][3] == "Jacobian regularisation, λ = 0.01"


def test_the_reference_s_mean_is_dotted_and_far_settings_are_hollow(matched):
    _, ax = plt.subplots()
    baselines.matched_dots(ax, matched)
    assert ax.get_title() == "reference: isometry term, K = 1, β = 10"
    dotted = [line for line in ax.lines if line.get_linestyle() == ":"]
    expected = [matched.clean, *matched.pgd.transpose("epsilon", ...), matched.strongest]
    assert [line.get_ydata()[0] for line in dotted] == pytest.approx([float(v[1].mean()) for v in expected])
    filled = dict(zip(matched.method.values.tolist(), matched.near.values, strict=True))
    for method, near in filled.items():
        colour, mark = baselines.LOOKS[method]
        marks = [line for line in ax.lines if line.get_marker() == mark and same_color(line.get_color(), colour)]
        assert len(marks) == 6 and all((line.get_markerfacecolor() != "none") == near for line in marks)
