from dataclasses import replace

import pytest
import torch

from lil.recipes import rings

TINY = replace(rings.QUICK, n_points=12, epochs=5)


def test_the_two_draws_are_the_same_rings_at_other_points():
    data = rings.data(TINY)
    assert data.x.shape == data.x_test.shape == (24, 3)
    assert torch.equal(data.labels, data.labels_test)
    assert not torch.isclose(data.x, data.x_test).all(1).any()
    assert torch.equal(data.x, rings.data(TINY).x)


def test_members_are_each_beta_with_each_seed_from_the_same_weights():
    assert rings.members(TINY) == [(0.0, 0), (0.0, 1), (1.0, 0), (1.0, 1)]
    model = rings.build(TINY)
    assert tuple(model.sizes) == (3, 20, 20, 20, 20, 2)
    for weight in model.weights:
        assert torch.equal(weight[0], weight[2]) and torch.equal(weight[1], weight[3])
        assert not torch.equal(weight[0], weight[1])


def test_training_is_deterministic_and_comes_back_from_its_weights():
    networks = rings.train(TINY)
    again = rings.train(TINY)
    assert all(torch.equal(networks[name], again[name]) for name in networks)
    x = rings.data(TINY).x
    model, untrained = rings.restore(TINY, networks), rings.build(TINY)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in networks.items())
    assert not torch.equal(model(x), untrained(x))
    assert not torch.equal(model(x)[0], model(x)[2])  # β tells them apart, the seed being the same


def test_a_member_is_what_it_would_be_alone():
    together = rings.train(TINY)
    alone = rings.train(replace(TINY, betas=(1.0,), seeds=(1,)))
    for name, value in alone.items():
        assert value[0] == pytest.approx(together[name][3], abs=1e-6)  # another batch of products: last digits
