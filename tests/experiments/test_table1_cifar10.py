from dataclasses import replace

import numpy as np
import pytest

from lil.experiments import table1, table1_cifar10
from lil.recipes import cifar10

SMALL = dict(n_train=60, n_test=30, epochs=1, betas=(0.0, 10.0))
TINY = table1_cifar10.Config(
    **{name: replace(getattr(table1_cifar10.QUICK, name), **SMALL) for name in table1_cifar10.RECIPES}, n_distances=20
)


@pytest.fixture(scope="module")
def networks():
    cifar10._kept.cache_clear()
    return {name: recipe.train(getattr(TINY, name)) for name, recipe in table1_cifar10.RECIPES.items()}


@pytest.mark.parametrize("name", ["scale_1", "scale_9", "half_9"])
def test_measures_are_those_of_the_plain_loop(networks, result, name):
    settings, recipe = getattr(TINY, name), table1_cifar10.RECIPES[name]
    x, labels = recipe.inputs(settings, "test")
    model = recipe.restore(settings, networks[name]).requires_grad_(False)
    z, logits = model.represent(x), model(x)
    pairs = [(i, j) for i in range(20) for j in range(i) if labels[i] == labels[j]]
    for member, (beta, seed) in enumerate(recipe.members(settings)):
        one = result.sel(networks=name, beta=beta, seed=seed)
        right = sum(int(logits[member, i].argmax() == labels[i]) for i in range(30))
        assert one.accuracy.item() == pytest.approx(right / 30)
        apart = [float((z[member, i] - z[member, j]).norm()) for i, j in pairs]
        assert one.distance.item() == pytest.approx(np.mean(apart), rel=1e-4)
        assert one.saturated.item() == pytest.approx(np.mean(np.abs(z[member, :20].numpy()) > 0.99), abs=1e-6)
    apart = np.array([float((x[i] - x[j]).norm()) for i, j in pairs])
    assert one.input_distance.item() == pytest.approx(apart.mean(), rel=1e-5)
    assert one.reach.item() == pytest.approx(2 * 40**0.5)
    assert one.beyond.item() == pytest.approx(np.mean(apart > one.reach.item()), abs=1e-6)


def test_the_scale_multiplies_the_distances_of_the_inputs(result):
    distance = result.input_distance
    for name, scale in zip(result.networks.values, result.feature_scale.values, strict=True):
        if name != "half_9":
            assert float(distance.sel(networks=name) / distance.sel(networks="scale_1")) == pytest.approx(
                scale, rel=1e-5
            )
    assert result.feature_scale.values.tolist() == [1, 3, 6, 9, 12, 9]


def test_no_representation_reaches_further_than_tanh_allows(result):
    assert (result.distance <= result.reach).all()
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32"}


def test_the_first_set_is_that_of_table_1():
    assert table1_cifar10.PAPER.scale_1 == table1.PAPER.cifar10_text
    config = table1_cifar10.PAPER
    assert {getattr(config, name).betas for name in table1_cifar10.RECIPES} == {cifar10.PAPER.betas}
    assert {len(getattr(config, name).seeds) for name in table1_cifar10.RECIPES} == {3}


def test_run_gives_what_evaluate_gives(result):
    assert table1_cifar10.run(TINY).equals(result)
