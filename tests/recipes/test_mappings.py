from dataclasses import replace

import pytest
import torch

from lil.recipes import mappings

TINY = replace(mappings.QUICK, mesh=(6, 2), seeds=(0, 1), epochs=5)


def test_the_three_kinds_start_from_the_same_weights():
    model = mappings.build(TINY)
    assert tuple(model.sizes) == (2, 20, 20, 20, 2, 2)
    for weight in model.weights:
        assert torch.equal(weight[:2], weight[2:4]) and torch.equal(weight[:2], weight[4:])


def test_the_three_kinds_are_trained_apart():
    networks = mappings.train(TINY)
    x, _ = mappings.data(TINY)
    z = mappings.restore(TINY, networks).represent(x).unflatten(0, (3, 2))
    assert not torch.allclose(z[0], z[1]) and not torch.allclose(z[1], z[2])


def test_beta_zero_makes_the_kinds_one():
    networks = mappings.train(replace(TINY, beta=0.0))
    for value in networks.values():
        none, within, everything = value.chunk(3)
        assert none == pytest.approx(within, abs=1e-6) and none == pytest.approx(everything, abs=1e-6)
