"""Settings changed by name: which are meant, which kinds fit, and one sentence for each that does not."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

import pytest

from lil.experiments import fig2_rings, fig3_cifar10, fig3_mnist, table1, table1_cifar10_trained
from lil.paper import pages, rerun
from lil.results import changes, registry
from lil.results.errors import SettingRefused, UnknownName


@dataclass(frozen=True)
class Inner:
    betas: tuple[float, ...] = (0.0, 1.0)
    draws: tuple[int, int] = (1, 2)
    n_train: int | None = None
    cut: Literal["ring", "tube"] = "ring"

    def __post_init__(self):
        if min(self.betas) < 0:
            raise ValueError(f"β must be ≥ 0, not {min(self.betas)}.")


@dataclass(frozen=True)
class Outer:
    text: Inner = Inner()
    public: Inner = Inner(cut="tube")
    bins: int = 10
    share: float = 0.1
    word: str = "a"
    plain: bool = False


def test_a_name_changes_each_setting_of_that_name():
    changed = changes.apply(Outer(), {"betas": [0, 3]})
    assert changed.text.betas == changed.public.betas == (0.0, 3.0)
    assert all(type(beta) is float for beta in changed.text.betas) and changed.public.cut == "tube"


def test_a_dotted_name_changes_one():
    changed = changes.apply(Outer(), {"public.betas": (2.0,), "bins": 3})
    assert (changed.text, changed.public, changed.bins) == (Inner(), Inner(betas=(2.0,), cut="tube"), 3)


def test_text_is_read_as_json_where_the_setting_is_no_word():
    changed = changes.apply(
        Outer(), {"betas": "[0, 3]", "bins": "7", "word": "[0, 3]", "cut": "tube", "n_train": "null"}
    )
    assert changed.text.betas == (0.0, 3.0) and changed.bins == 7 and changed.word == "[0, 3]"
    assert changed.text.cut == "tube" and changed.text.n_train is None


def test_none_changes_nothing():
    assert changes.apply(Outer(), {"betas": None, "bins": None}) == Outer()


def test_names_are_listed_once():
    assert changes.names(Outer()) == ["betas", "draws", "n_train", "cut", "bins", "share", "word", "plain"]


@pytest.mark.parametrize(
    "given, words",
    [
        ({"beta": [0]}, "There is no setting 'beta': there are betas, draws"),
        ({"text.bins": 3}, "There is no setting 'text.bins'"),
        ({"betas": 3.0}, "betas must be a list, each entry a number, not 3.0"),
        ({"betas": []}, "betas is empty: give at least one value"),
        ({"betas": "[]"}, "betas is empty"),
        ({"betas": ["0"]}, "betas must be a list"),
        ({"betas": [float("nan")]}, "betas must be a list"),
        ({"betas": [0, float("inf")]}, "betas must be a list"),
        ({"betas": [-1.0]}, "betas must be 0 or more, not -1.0"),
        ({"bins": 2.5}, "bins must be a whole number, not 2.5"),
        ({"bins": True}, "bins must be a whole number, not True"),
        ({"bins": "many"}, "bins must be a whole number, not 'many'"),
        ({"share": float("nan")}, "share must be a number, not nan"),
        ({"draws": [1]}, "draws must be a list of 2, a whole number, a whole number"),
        ({"cut": "square"}, "cut must be 'ring' or 'tube', not 'square'"),
        ({"n_train": "all"}, "n_train must be a whole number or null, not 'all'"),
        ({"plain": 1}, "plain must be true or false, not 1"),
        ({"share": 10**400}, "share must be a number, not 1000"),
        ({"bins": 2**63}, "bins must have whole numbers of 64 bits, 9223372036854775807 at most"),
        ({"bins": "1" * 5000}, "bins must be a whole number, not '111"),  # more digits than Python reads
        ({"betas": "[" * 5000}, "betas must be a list"),  # deeper than Python reads
    ],
)
def test_what_does_not_fit_gets_one_sentence(given, words):
    with pytest.raises(SettingRefused) as error:
        changes.apply(Outer(), given)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_experiments_take_changes_of_their_networks_and_attacks():
    rings = changes.apply(fig2_rings.QUICK, {"betas": [0, 3], "epochs": 20, "n_neighbors": 5})
    assert rings.rings.betas == (0.0, 3.0) and rings.rings.epochs == 20 and rings.n_neighbors == 5
    epsilons = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert changes.apply(fig3_mnist.PAPER, {"epsilons": epsilons}).fgsm.epsilons == tuple(epsilons)
    both = changes.apply(table1.PAPER, {"seeds": [7]})
    assert both.mnist_public.seeds == both.cifar10_text.seeds == (7,)


def test_seeds_may_be_a_number_of_the_first_of_each_set():
    changed = changes.apply(table1.PAPER, {"seeds": "4"})
    assert changed.mnist_text.seeds == (0, 1, 2, 3) and changed.cifar10_text.seeds == (0, 1, 2)
    assert changes.apply(table1.PAPER, {"seeds": 1}).mnist_text.seeds == (0,)
    with pytest.raises(UnknownName, match="at least one seed, not 0"):
        changes.apply(table1.PAPER, {"seeds": 0})


def test_more_seeds_than_there_are_must_be_named():
    assert changes.apply(table1.PAPER, {"seeds": 5}).mnist_text.seeds == (0, 1, 2, 3, 4)
    with pytest.raises(SettingRefused, match=r"^seeds is 6, and there are 5: name others, as in \[7, 8\]\.$"):
        changes.apply(table1.PAPER, {"seeds": 6})


@pytest.mark.parametrize(
    "given, pictured",
    [
        ({"epsilons": [0.02, 0.1]}, [0.1]),  # one that the profile pictures is still there
        ({"epsilons": [0.02, 0.05, 0.3]}, [0.05, 0.3]),  # none is: as many, the last
        ({"epsilons": [0.3]}, [0.3]),
        ({"epsilons": [0.02, 0.1], "pictured": [0.02]}, [0.02]),
        ({"epsilons": "[0.02, 0.123456]", "pictured": "[0.1235]"}, [0.123456]),  # as a page prints it
        ({"pictured": [0.01, 1]}, [0.01, 1.0]),  # 1 is an ε, and no position
        ({"betas": [0]}, [0.1, 1.0]),
    ],
)
def test_pictures_are_of_values(given, pictured):
    fgsm = changes.apply(fig3_cifar10.QUICK, given).fgsm
    assert [fgsm.epsilons[position] for position in fgsm.pictured] == pictured


def test_where_nothing_is_pictured_nothing_will_be():
    assert changes.apply(table1_cifar10_trained.QUICK, {"epsilons": [0.1]}).fgsm.pictured == ()


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(SettingRefused, match=r"^pictured must be among the ε 0.1, 0.2, not 3\.$"):
        changes.apply(fig3_mnist.PAPER, {"epsilons": [0.1, 0.2], "pictured": [3]})


def test_the_settings_own_checks_are_asked():
    with pytest.raises(SettingRefused, match="batch_size must be at least 2"):
        changes.apply(fig3_mnist.PAPER, {"fgsm.batch_size": 1})


WRONG = {  # by parameter; each notebook that has it refuses each value, in one sentence that names the parameter
    "betas": ["three", ["x"], [float("nan")], float("nan"), [], [-1.0], [1.0, 0.0], [1.0, 1.0], 3],
    "beta": ["x", float("nan"), -1.0, [1.0]],
    "seeds": ["x", float("nan"), [], 0, -1, [-1], [0, 0], 2.5, True],
    "epochs": ["x", float("nan"), 0, -3, 2.5, [5]],
    "epsilons": ["x", [float("nan")], [], [2.0], [-0.1], [0.0], [0.1, 0.1], [0.2, 0.1]],
    "strongest_epsilon": ["x", float("nan"), 2.0, -0.1, 0.123, [0.1]],
    "pictured": [[-1], ["x"], [], [1.0, 1.0]],
    "grid": [0, -1, "x"],
    "n_points": [0, -1, "x"],
    "n_images": [0, -1, "x"],
    "n_train": [0, -1, "x"],
    "n_test": [0, -1, "x"],
}


@pytest.mark.parametrize("source", pages.find_sources(), ids=lambda source: source.stem)
def test_each_notebook_refuses_what_is_impossible(source):
    experiment = registry.load("lil.experiments", source.stem)
    names = [name for name in rerun.parameters(source) if name not in rerun.GIVEN]
    assert names and set(names) <= set(WRONG)
    for name in names:
        for profile in ("paper", "quick"):
            settings = registry.settings(experiment, profile)
            for value in WRONG[name]:
                with pytest.raises((SettingRefused, UnknownName)) as error:
                    changes.apply(settings, {name: value})
                assert "\n" not in str(error.value) and ("seed" if name == "seeds" else name) in str(error.value)
    with pytest.raises(SettingRefused, match="There is no setting 'nosuch': there are "):
        changes.apply(settings, {"nosuch": 1})


@pytest.mark.parametrize("name", registry.names("lil.experiments"))
def test_what_is_refused_is_no_value_of_an_experiment(name):
    experiment = registry.load("lil.experiments", name)
    for profile in registry.PROFILES:
        config = registry.settings(experiment, profile)
        for path in changes.paths(config):
            value = attrgetter(path)(config)
            changes._check_values(path.rpartition(".")[2], value)
