"""Differences from the paper: names that exist, values that are the code's, effects that are numbers of records."""

import importlib

import pytest
import xarray as xr
from test_claims import by_hand, nothing

from lil.paper.differences import DIFFERENCES, measured
from lil.results import registry

SETTINGS = [setting for each in DIFFERENCES for part in (each.ours, each.options) for setting in part.items()]
EFFECTS = [each.effect for each in DIFFERENCES if each.effect]


def resolve(name: str):
    """Return the object of a dotted name: the longest module in it, then attributes."""
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


@pytest.mark.parametrize("name, value", SETTINGS, ids=lambda part: part if isinstance(part, str) else "")
def test_a_name_has_the_value_that_the_page_states(name, value):
    assert resolve(name) == value


def test_an_option_is_another_value_of_the_same_setting():
    for each in DIFFERENCES:
        defaults = {name.rpartition(".")[2]: value for name, value in each.ours.items()}
        for name, value in each.options.items():
            assert value != defaults.get(name.rpartition(".")[2]), name


def test_topics_are_complete():
    assert len({each.topic for each in DIFFERENCES}) == len(DIFFERENCES)
    assert all(each.text and each.public and (each.ours or each.note) for each in DIFFERENCES)


def test_effects_are_numbers_of_records_that_experiments_make():
    assert EFFECTS
    for effect in EFFECTS:
        assert set(effect.experiments) <= set(registry.names("lil.experiments"))


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.words.func.__name__)
def test_an_effect_says_its_numbers(effect):
    there = by_hand()
    more = there["table1"].sel(networks=["cifar10_text"])
    there["table1"] = (
        more.isel(networks=[0] * 4)
        .assign_coords(networks=["cifar10_text", "cifar10_deeper", "cifar10_as_published", "cifar10_first"])
        .fillna(0.5)
    )
    there["fig3_mnist"]["clean"] = there["fig3_mnist"].accuracy.isel(objective=0, epsilon=0)
    attacked = there["fig3_cifar10"]
    attacked["compared"] = xr.concat(2 * [attacked.accuracy], "precision").assign_coords(precision=["used", "float32"])
    there["scale_and_depth"] = xr.concat(3 * [there["fig3_mnist"]], "networks").assign_coords(
        networks=["text", "pairs", "scale_10"]
    )
    of_row = there["table1"].sel(networks="cifar10_text", drop=True)
    there["table1_cifar10"] = xr.concat(3 * [of_row], "networks").assign_coords(
        networks=["scale_1", "scale_9", "scale_12"], feature_scale=("networks", [1.0, 9.0, 12.0])
    )
    there["table1_cifar10_trained"] = xr.concat(2 * [of_row], "networks").assign_coords(networks=["vgg13", "cnn"])
    text = measured(effect, there.__getitem__)
    assert any(character.isdigit() for character in text) and "nan" not in text and text.endswith(".")


def test_what_is_missing_or_not_measured_is_said():
    assert measured(None) == "not measured"
    assert {measured(effect, nothing) for effect in EFFECTS} == {"not recorded yet"}


def test_the_effect_of_the_attacks_objective():
    effect = next(each.effect for each in DIFFERENCES if each.topic == "Attack, the loss that it increases")
    result = by_hand()["fig3_mnist"]
    result.accuracy.loc[dict(objective="classification")] = 0.25
    assert measured(effect, lambda name: result) == (
        "At β = 10 MNIST's accuracy under attack, averaged over its sizes, is 0.450 along the gradient of the whole "
        "loss and 0.250 along that of the cross-entropy alone; without the isometry term 0.300."
    )


def test_the_effect_of_the_precision_is_the_mean_difference():
    effect = next(each.effect for each in DIFFERENCES if each.topic == "CIFAR10, the precision")
    exact = xr.DataArray([[0.5, 0.4]], dims=("beta", "epsilon"))
    used = exact + xr.DataArray([[0.01, -0.03]], dims=exact.dims)
    both = xr.Dataset({"compared": xr.concat([used, exact], "precision")})
    text = measured(effect, lambda name: both.assign_coords(precision=["used", "float32"]))
    assert text.endswith("differs from that in single precision by 0.0200 on average.")


def test_the_effect_of_one_choice_is_told_for_the_seeds_that_both_have():
    effect = next(each.effect for each in DIFFERENCES if each.topic == "K, a factor on the output distances")
    one = by_hand()["fig3_mnist"].sel(seed=[0, 1])
    one["clean"] = 0.5 + one.accuracy.isel(objective=0, epsilon=0, drop=True)
    both = xr.concat([one, 0.5 * one.sel(seed=[1])], "networks", join="outer").assign_coords(
        networks=["text", "scale_10"]
    )
    robust = one.accuracy.sel(objective="total", seed=1).mean("epsilon")
    assert measured(effect, lambda name: both) == (
        "By itself, on MNIST from 1 seed: clean accuracy "
        f"{float(one.clean.sel(seed=1).max()):.3f} at the best β; under the paper's attack, averaged over its sizes, "
        f"{float(robust.sel(beta=0)):.3f} at β = 0 and {float(robust.max()):.3f} at the best β; with the other value "
        f"clean accuracy {float(one.clean.sel(seed=1).max() / 2):.3f} at the best β; under the paper's "
        f"attack, averaged over its sizes, {float(robust.sel(beta=0) / 2):.3f} at β = 0 and "
        f"{float(robust.max() / 2):.3f} at the best β."
    )


def test_the_effect_of_training_the_backbone_along():
    effect = next(each.effect for each in DIFFERENCES if each.topic == "CIFAR10, the parameters that are trained")
    accuracy = xr.DataArray(
        [[[0.8], [0.7], [0.2]], [[0.6], [float("nan")], [0.3]]],
        dims=("networks", "beta", "seed"),
        coords={"networks": ["vgg13", "cnn"], "beta": [0.0, 1.0, 10.0]},
    )
    assert measured(effect, lambda name: xr.Dataset({"accuracy": accuracy})) == (
        "Trained along, to keep distances of pixels, accuracy is with a VGG13 0.800 at β = 0 and 0.200 at β = 10 and "
        "with the CNN of commit 7167a91 0.600 at β = 0 and 0.300 at β = 10."
    )


def test_the_effect_of_the_scale_is_that_of_the_largest():
    effect = next(each.effect for each in DIFFERENCES if each.topic == "CIFAR10, the scale of the features")
    accuracy = xr.DataArray(
        [[[0.92], [0.9]], [[0.9], [0.5]], [[0.8], [0.2]]],
        dims=("networks", "beta", "seed"),
        coords={"feature_scale": ("networks", [1.0, 9.0, 12.0]), "beta": [0.0, 10.0]},
    )
    assert measured(effect, lambda name: xr.Dataset({"accuracy": accuracy})) == (
        "Accuracy at β = 0 and β = 10: 0.920 and 0.900 on features as they are, 0.800 and 0.200 on features × 12."
    )
