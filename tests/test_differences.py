"""What differs from the paper: names that exist, values that are the code's, effects that are numbers of records."""

import importlib

import pytest
from test_claims import by_hand, nothing

from lil.differences import DIFFERENCES, measured
from lil.results import registry

SETTINGS = [setting for each in DIFFERENCES for setting in (*each.ours, *each.options)]
EFFECTS = [each.effect for each in DIFFERENCES if each.effect]


def resolve(name: str):
    """What a dotted name stands for: the longest module in it, then attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            value = getattr(value, attribute)
        return value
    raise AssertionError(f"there is no {name}")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_name_has_the_value_that_the_page_states(setting):
    assert resolve(setting.name) == setting.value


def test_an_option_is_another_value_of_the_same_setting():
    for each in DIFFERENCES:
        defaults = {setting.name.rpartition(".")[2]: setting.value for setting in each.ours}
        for option in each.options:
            assert option.value != defaults.get(option.name.rpartition(".")[2]), option.name


def test_topics_are_complete():
    assert len({each.topic for each in DIFFERENCES}) == len(DIFFERENCES)
    assert all(each.text and each.public and (each.ours or each.note) for each in DIFFERENCES)


def test_effects_are_numbers_of_records_that_experiments_make():
    assert EFFECTS
    for effect in EFFECTS:
        assert set(effect.experiments) <= set(registry.names("lil.experiments"))


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.of.__qualname__)
def test_an_effect_says_its_numbers(effect):
    there = by_hand()
    more = there["table1"].sel(networks=["cifar10_text"])
    there["table1"] = more.isel(networks=[0] * 4).assign_coords(
        networks=["cifar10_text", "cifar10_deeper", "cifar10_as_published", "cifar10_first"]).fillna(0.5)
    there["fig3_mnist"]["clean"] = there["fig3_mnist"].accuracy.isel(objective=0, epsilon=0)
    text = measured(effect, there.__getitem__)
    assert any(character.isdigit() for character in text) and "nan" not in text and text.endswith(".")


def test_what_is_missing_or_not_measured_is_said():
    assert measured(None) == "not measured"
    assert {measured(effect, nothing) for effect in EFFECTS} == {"not recorded yet"}


def test_the_effect_of_the_attacks_objective():
    effect = next(each.effect for each in DIFFERENCES if each.topic == "Attack, the loss that it climbs")
    result = by_hand()["fig3_mnist"]
    result.accuracy.loc[dict(objective="classification")] = 0.25
    assert measured(effect, lambda name: result) == (
        "At β = 10 MNIST's accuracy under attack, averaged over its sizes, is 0.450 along the gradient of the whole "
        "loss and 0.250 along that of the cross-entropy alone; without the isometry term 0.300.")
