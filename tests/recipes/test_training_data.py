"""The data that a recipe trains on: the training data alone, and all of it."""

from dataclasses import replace

import pytest
import torch

from lil import engine
from lil.datasets import images
from lil.recipes import cifar10, mnist, rings, scaled_features, torus

SMALL = dict(n_train=40, n_test=10, betas=(0.0,), epochs=1)


@pytest.fixture
def seen(monkeypatch):
    """The points and labels that the engine is asked to train on."""
    calls = []
    monkeypatch.setattr(engine, "train", lambda model, x, labels, settings, **_: calls.append((x, labels)))
    return calls


@pytest.mark.parametrize(
    ("recipe", "config"),
    [
        (mnist, mnist.QUICK),
        (cifar10, cifar10.QUICK),
        (scaled_features, scaled_features.quick(scaled_features.PAPER_3)),
        (scaled_features, scaled_features.quick(scaled_features.PAPER_HALF_9)),
    ],
    ids=["mnist", "cifar10", "scaled features", "images scaled and shifted"],
)
def test_classifiers_of_images_are_trained_on_the_training_images(recipe, config, seen):
    config = replace(config, **SMALL)
    recipe.train(config)
    ((x, labels),) = seen
    expected, classes = recipe.inputs(config, "train")
    assert torch.equal(x, expected) and torch.equal(labels, classes)
    assert torch.equal(labels, images.load("digits", "train", 40)[1])


def test_classifiers_of_the_rings_are_trained_on_the_training_draw(seen):
    rings.train(rings.QUICK)
    ((x, labels),), data = seen, rings.data(rings.QUICK)
    assert torch.equal(x, data.x) and torch.equal(labels, data.labels)


def test_stacks_are_trained_on_the_torus_and_all_of_its_labels(seen):
    torus.train(torus.QUICK)
    ((x, labels),), data = seen, torus.data(torus.QUICK)
    assert torch.equal(x, data.x) and all(map(torch.equal, labels, data.labels))
