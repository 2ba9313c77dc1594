"""The contract of the store with the experiments and recipes of this package."""

import dataclasses

import pytest

from lil.experiments import PROBES, SEPARATE, WITNESSED
from lil.results import computing, keys, records, registry, running

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
        sets = computing.recipes(experiment, registry.settings(experiment, profile))
        for name, (recipe, settings) in sets.items():
            assert bool(records.places_of_networks(recipe, settings)) == recorded, name


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=_name)
def test_its_quick_profile_needs_no_download(experiment):
    for recipe, settings in computing.recipes(experiment, registry.settings(experiment, "quick")).values():
        assert not hasattr(recipe, "data_available") or recipe.data_available(settings)


@pytest.mark.parametrize("recipe, settings", list(_pairs()))
def test_a_recipe_s_members_are_the_networks_that_it_builds(recipe, settings):
    assert recipe.build(settings).members == len(recipe.members(settings))
    assert len(set(recipe.members(settings))) == len(recipe.members(settings))


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=_name)
def test_each_has_a_probe_that_costs_less(experiment):
    config = registry.settings(experiment, "paper")
    probe = running.cut(config, PROBES[_name(experiment)], experiment.RECIPES)
    assert probe != config
    for name, (_, settings) in computing.recipes(experiment, probe).items():
        assert settings != getattr(config, name)  # each recipe's training is shorter


@pytest.mark.parametrize("name", WITNESSED)
def test_a_witness_is_trained_as_its_record_but_for_fewer_images_and_epochs(name):
    experiment = registry.load("lil.experiments", name)
    config = registry.settings(experiment, "paper")
    cut = running.cut(config, WITNESSED[name], experiment.RECIPES)
    for name, (_, settings) in computing.recipes(experiment, cut).items():
        whole = getattr(config, name)
        for field in dataclasses.fields(whole):
            own, full = getattr(settings, field.name), getattr(whole, field.name)
            fewer = field.name in ("n_train", "n_test", "epochs") and (full is None or own < full)
            assert own == full or fewer, field.name


def test_what_is_said_to_be_separate_are_axes_of_experiments_that_there_are():
    assert set(SEPARATE) <= {_name(experiment) for experiment in EXPERIMENTS}
    assert all(set(axes) <= set(computing.AXES) for axes in SEPARATE.values())


def test_no_key_reads_the_tables_of_the_experiments_package():
    """They are literals, so that another probe makes no record stale."""
    folder = keys.folder_above(EXPERIMENTS[0])
    assert keys._Code(folder, "lil")._text("lil.experiments", constants=False) == "[]"
