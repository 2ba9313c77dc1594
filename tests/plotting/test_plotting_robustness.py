import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color

from lil.plotting import CROSS_ENTROPY, ISOMETRY, beta_colours, beta_mark, beta_name, robustness

BETAS, SEEDS, EPSILONS = [0.0, 0.1, 3.0], [0, 5], [0.01, 0.1, 1.0]


@pytest.fixture
def result():
    """Three β, two seeds, three ε, two images: all that :mod:`lil.plotting.robustness` reads."""
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "clean": (("beta", "seed"), rng.uniform(0.8, 1, (3, 2))),
            "accuracy": (("objective", "beta", "seed", "epsilon"), rng.uniform(0, 0.9, (2, 3, 2, 3))),
            "image": (("example", "channel", "row", "column"), rng.integers(0, 256, (2, 3, 4, 4), np.uint8)),
            "label": ("example", np.array([1, 4], np.int8)),
            "attacked": (
                ("objective", "beta", "pictured", "example", "channel", "row", "column"),
                rng.integers(0, 256, (2, 3, 2, 2, 3, 4, 4), np.uint8),
            ),
            "taken_for": (
                ("objective", "beta", "pictured", "example"),
                rng.integers(3, 5, (2, 3, 2, 2)).astype(np.int8),
            ),
        },
        coords={
            "objective": ["total", "classification"],
            "beta": BETAS,
            "seed": SEEDS,
            "epsilon": EPSILONS,
            "pictured": [0.1, 1.0],
        },
    )


def lines(ax, colour, **looks):
    found = [line for line in ax.lines if same_color(line.get_color(), colour)]
    return [line for line in found if all(plt.getp(line, name) == value for name, value in looks.items())]


def test_every_seed_and_the_mean_have_a_line_of_their_beta(result):
    figure = robustness.attack_panels(result, "MNIST", "mnist")
    assert len(figure.axes) == 2
    assert figure.get_suptitle() == f"MNIST: {result.sizes['seed']} seeds for each β"
    assert (
        robustness.attack_panels(result.isel(seed=[0]), "MNIST", "mnist").get_suptitle() == "MNIST: 1 seed for each β"
    )
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    handles = {handle.get_label(): handle.get_marker() for handle in figure.legends[0].legend_handles}
    assert names[:3] == ["β = 0 (cross-entropy alone)", "β = 0.1", "β = 3"] and "chance" in names
    for ax, objective in zip(figure.axes, ("total", "classification"), strict=True):
        assert ax.get_xscale() == "log" and robustness.OBJECTIVES[objective] == ax.get_title()
        for beta, colour in zip(BETAS, beta_colours(BETAS), strict=True):
            one = result.accuracy.sel(objective=objective, beta=beta)
            (mean,) = lines(ax, colour, linewidth=2)
            assert mean.get_ydata() == pytest.approx(one.mean("seed").values)
            assert mean.get_marker() == handles[beta_name(beta)] == beta_mark(beta)["marker"]
            thin = [line.get_ydata().tolist() for line in lines(ax, colour, linewidth=0.6)]
            assert thin == [one.sel(seed=seed).values.tolist() for seed in SEEDS]
            (clean,) = lines(ax, colour, marker=".")
            assert clean.get_ydata().tolist() == result.clean.sel(beta=beta).values.tolist()


def test_the_papers_numbers_are_drawn_where_it_has_them(result):
    _, ax = plt.subplots()
    robustness.attack_curves(ax, result.sel(objective="total"), "mnist")
    crosses = {
        line.get_color(): line.get_ydata() for line in ax.lines if line.get_marker() == "x" and len(line.get_ydata())
    }
    colours = beta_colours(BETAS)
    assert set(crosses) == {colours[0], colours[1]}  # there is no β = 3 in Table 1
    assert crosses[colours[1]] == pytest.approx(0.9701)


def test_attacked_images_say_what_they_are_taken_for(result):
    classes = robustness.CLASS_NAMES["cifar10"]
    figure = robustness.attacked_images(result, example=1, data="cifar10")
    clean, total, classification = figure.subfigs
    assert [ax.get_title() for ax in clean.axes] == ["deer"] * 3 and len(total.axes) == len(classification.axes) == 6
    for block, objective in ((total, "total"), (classification, "classification")):
        here = result.isel(example=1).sel(objective=objective)
        for ax, (i, k) in zip(block.axes, np.ndindex(3, 2), strict=True):
            taken_for = int(here.taken_for[i, k])
            assert ax.get_title() == classes[taken_for]
            assert same_color(ax.title.get_color(), ISOMETRY if taken_for == 4 else CROSS_ENTROPY)
            assert np.array_equal(ax.images[0].get_array(), np.moveaxis(here.attacked.values[i, k], 0, -1))


def test_grey_images_are_drawn_too(result):
    figure = robustness.attacked_images(result.isel(channel=[0]), example=0, data="mnist")
    image = figure.subfigs[0].axes[0].images[0]
    assert image.get_array().shape == (4, 4) and image.get_clim() == (0, 255)


def test_a_data_set_without_names_or_an_attack_without_epsilons_gets_one_sentence(result):
    with pytest.raises(ValueError, match="no data set 'mnits' here: there are mnist, "):
        robustness.attack_panels(result, "t", "mnits")
    with pytest.raises(ValueError, match="no data set 'torus' here: there are mnist, cifar10"):
        robustness.attacked_images(result, example=0, data="torus")
    with pytest.raises(ValueError, match="the result has no ε"):
        robustness.attack_panels(result.isel(epsilon=[]), "t", "mnist")


@pytest.mark.parametrize("beta", [-1.0, float("nan"), float("inf")])
def test_a_beta_that_is_no_weight_has_no_colour(beta):
    with pytest.raises(ValueError, match=f"β is a weight ≥ 0, not {beta}"):
        beta_colours(iter([0.0, beta]))
