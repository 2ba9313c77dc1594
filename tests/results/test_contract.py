"""What the store asks of the experiments and recipes of this package, whichever there are."""

import dataclasses

import pytest
import xarray as xr

from lil.experiments import SEPARATE
from lil.results import affirmation, computing, records, registry

EXPERIMENTS = [registry.load("lil.experiments", name) for name in registry.names("lil.experiments")]


def _name(module):
    return registry.stem(module)


def _pairs():
    """Each recipe with each of the settings that experiments give it, once."""
    seen = set()
    for experiment in EXPERIMENTS:
        for profile in registry.PROFILES:
            config = registry.settings(experiment, profile)
            for field, (recipe, settings) in computing.recipes(experiment, config).items():
                if (recipe, settings) not in seen:
                    seen.add((recipe, settings))
                    yield pytest.param(recipe, settings, id=f"{_name(experiment)}-{profile}-{field}")


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=_name)
def test_an_experiment_has_frozen_settings_and_a_field_for_each_recipe(experiment):
    for profile in registry.PROFILES:
        config = registry.settings(experiment, profile)
        assert isinstance(config, experiment.Config)
        with pytest.raises(dataclasses.FrozenInstanceError):
            config.another = 1
        for recipe, settings in computing.recipes(experiment, config).values():
            assert isinstance(settings, recipe.Config)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=_name)
def test_its_networks_are_recorded_at_the_paper_s_scale_and_not_at_the_quick_one(experiment):
    for profile, recorded in (("paper", True), ("quick", False)):
        for recipe, settings in computing.recipes(experiment, registry.settings(experiment, profile)).values():
            assert bool(records.places_of_networks(recipe, settings)) == recorded


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=_name)
def test_its_quick_profile_needs_no_download(experiment):
    for recipe, settings in computing.recipes(experiment, registry.settings(experiment, "quick")).values():
        assert not hasattr(recipe, "data_available") or recipe.data_available(settings)


@pytest.mark.parametrize("recipe, settings", list(_pairs()))
def test_a_recipe_s_members_are_the_networks_that_it_builds(recipe, settings):
    assert recipe.build(settings).members == len(recipe.members(settings))
    assert len(set(recipe.members(settings))) == len(recipe.members(settings))


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=_name)
def test_one_member_is_some_of_all_members(experiment):
    config = registry.settings(experiment, "paper")
    member = affirmation._choose(experiment, config, xr.Dataset(), affirmation.random.Random(0))
    assert ("seed" in member) == bool(experiment.RECIPES)  # without networks there is nothing to choose
    for recipe, settings in computing.recipes(experiment, config).values():
        one = recipe.members(computing.only(settings, member))
        assert 0 < len(one) < len(recipe.members(settings)) and set(one) < set(recipe.members(settings))


def test_what_is_said_to_be_separate_are_axes_of_experiments_that_there_are():
    assert set(SEPARATE) <= {_name(experiment) for experiment in EXPERIMENTS}
    assert all(set(axes) <= set(computing.AXES) for axes in SEPARATE.values())
