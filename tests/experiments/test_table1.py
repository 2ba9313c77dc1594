from dataclasses import replace

import numpy as np
import pytest

from lil.experiments import table1
from lil.paper import numbers as paper
from lil.paper.headlines import headline
from lil.recipes import cifar10, mnist

SMALL = dict(n_train=60, n_test=30, epochs=1)
TINY = table1.Config(**{name: replace(getattr(table1.QUICK, name), **SMALL) for name in table1.RECIPES})


def test_accuracies_are_those_of_the_plain_loop(networks, result):
    for name, recipe in table1.RECIPES.items():
        settings = getattr(TINY, name)
        x, labels = recipe.inputs(settings, "test")
        logits = recipe.restore(settings, networks[name])(x)
        for member, (beta, seed) in enumerate(recipe.members(settings)):
            right = sum(int(logits[member, i].argmax() == labels[i]) for i in range(30))
            assert result.accuracy.sel(networks=name, beta=beta, seed=seed).item() == pytest.approx(right / 30)


def test_what_was_not_trained_has_no_accuracy(result):
    there = result.accuracy.notnull().sum(("beta", "seed"))
    expected = {name: len(getattr(TINY, name).betas) * len(getattr(TINY, name).seeds) for name in table1.RECIPES}
    assert dict(zip(there.networks.values, there.values, strict=True)) == expected


def test_all_readings_are_there_at_full_scale():
    config = table1.PAPER
    assert (config.mnist_text, config.mnist_public) == (mnist.FIVE, mnist.FIVE_PUBLIC)
    assert (config.cifar10_text, config.cifar10_public) == (cifar10.PAPER, cifar10.PAPER_PUBLIC)
    assert len(config.mnist_text.seeds) >= 5 and len(config.cifar10_text.seeds) >= 3


def test_the_headline_holds_the_papers_numbers_beside_the_means(result):
    found = headline("table1", result)
    assert set(found) == {f"{name}, β = {beta}" for name in ("MNIST", "CIFAR10") for beta in ("0", "0.1", "10")}
    printed, ours = found["CIFAR10, β = 10"]
    assert printed == paper.TABLE_1["cifar10"].at(10.0)
    assert ours == pytest.approx(np.nanmean(result.accuracy.sel(networks="cifar10_text", beta=10.0)))


def test_run_gives_what_evaluate_gives(result):
    assert table1.run(TINY).equals(result)
