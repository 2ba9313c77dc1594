"""Each file's experiment, trained and evaluated once at the settings that the file calls TINY."""

import importlib

import pytest


def _experiment(request):
    """Return the experiment that a test's file is named after."""
    return importlib.import_module(f"lil.experiments.{request.module.__name__.rpartition('test_')[2]}")


@pytest.fixture(scope="module")
def networks(request):
    settings = request.module.TINY
    return {name: recipe.train(getattr(settings, name)) for name, recipe in _experiment(request).RECIPES.items()}


@pytest.fixture(scope="module")
def result(request, networks):
    return _experiment(request).evaluate(request.module.TINY, networks)
