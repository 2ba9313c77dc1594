"""The parts that every notebook shows: settings with their comments, the data's name, glued numbers."""

import json
from dataclasses import dataclass, field
from types import ModuleType

import pytest
import xarray as xr

from lil.paper import notebook
from lil.results import registry


@dataclass(frozen=True)
class Base:
    width: int = 3  # units of a layer


@dataclass(frozen=True)
class Networks(Base):
    betas: tuple[float, ...] = (0.0, 0.001)  # weights, and no more
    # the paper does not say
    seeds: tuple[int, ...] = ()
    rate: float = field(default=1e-3)  # of Adam
    silent: bool = True


@dataclass(frozen=True)
class Settings:
    ours: Networks = Networks()  # the text's;
    theirs: Networks = Networks(width=4)  # and the public code's,
    limit: int | None = None  # images; None: all


EXPERIMENT = ModuleType("experiment")
PROFILES = {"paper": Settings(), "quick": Settings(limit=7)}


def result_of(profile, changes):
    """Return a result as `results.get` leaves it: a record has no word on changes."""
    return xr.Dataset(attrs={"profile": profile, **({"changes": json.dumps(changes)} if changes else {})})


def rows(markdown):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.data.splitlines()[2:]]


def test_a_field_has_the_comment_beside_it_or_above_it():
    assert notebook.field_comments(Networks) == {
        "width": "units of a layer",
        "betas": "weights, and no more",
        "seeds": "the paper does not say",
        "rate": "of Adam",
        "silent": "",
    }


@pytest.fixture
def settings(monkeypatch):
    monkeypatch.setattr(registry, "settings", lambda experiment, profile: PROFILES[profile])
    return lambda profile, **changes: rows(notebook.settings(EXPERIMENT, result_of(profile, changes)))


def test_settings_are_shown_whole_once_and_then_where_they_differ(settings):
    kind = f"`{__name__}.Networks`"
    assert settings("paper") == [
        ["`ours`", kind, "the text's"],
        ["`ours.width`", "3", "units of a layer"],
        ["`ours.betas`", "0, 0.001", "weights, and no more"],
        ["`ours.seeds`", "none", "the paper does not say"],
        ["`ours.rate`", "0.001", "of Adam"],
        ["`ours.silent`", "True", ""],
        ["`theirs`", "as `ours` but for", "and the public code's"],
        ["`theirs.width`", "4", "units of a layer"],
        ["`limit`", "none", "images; None: all"],
    ]
    assert settings("quick")[-1] == ["`limit`", "7", "images; None: all"]


def test_settings_are_those_that_ran(settings):
    shown = settings("quick", betas=[0, 3], limit="8")
    assert ["`ours.betas`", "0, 3", "weights, and no more"] in shown
    assert shown[-1] == ["`limit`", "8", "images; None: all"]


@pytest.mark.parametrize("name", registry.names("lil.experiments"))
def test_nearly_every_setting_of_every_experiment_says_what_it_is(name):
    told = rows(notebook.settings(registry.load("lil.experiments", name), result_of("paper", {})))
    assert sum(bool(meaning) for _, _, meaning in told) >= 0.7 * len(told)


def titled(dataset):
    return xr.Dataset(attrs={"config": f'{{"mnist": {{"dataset": "{dataset}"}}, "steps": 3}}'})


def test_digits_are_named_where_they_stand_in():
    assert notebook.title(titled("mnist"), "mnist") == "MNIST"
    assert notebook.title(titled("mnist"), "cifar10") == "CIFAR10", "a figure of one of the sets that a result has"
    assert notebook.title(titled("mnist"), "mnist", "cifar10") == "MNIST and CIFAR10"
    assert notebook.title(titled("digits"), "cifar10") == "scikit-learn's digits, in place of CIFAR10"
    assert notebook.computed_on("MNIST").data == "The figures and tables below were computed on MNIST."


def test_numbers_are_glued_with_their_prefix_and_not_shown(monkeypatch):
    glued = []
    monkeypatch.setattr(notebook, "glue", lambda name, value, display: glued.append((name, value, display)))
    notebook.glue_all("fig2", {"kept": 3, "verdict": "holds"})
    assert glued == [("fig2_kept", 3, False), ("fig2_verdict", "holds", False)]
