import math
from dataclasses import replace

import pytest
import torch

from lil.datasets import toy
from lil.paper import numbers as paper
from lil.recipes import torus

TINY = replace(torus.QUICK, grid=8, epochs=5)


def test_it_is_the_papers_run():
    assert torus.PAPER.grid**2 == 1600
    assert torus.PAPER.beta == paper.TORUS_BETA
    assert torus.PAPER.cut == "ring" and replace(torus.PAPER_TUBE, cut="ring") == torus.PAPER


def test_the_cuts_are_of_one_torus():
    ring, tube = torus.data(TINY), torus.data(replace(TINY, cut="tube"))
    assert torch.equal(ring.labels[2], tube.labels[2])  # each sorted by the angle of its cut,
    turned = tube.x.view(8, 8, 3).transpose(0, 1).flatten(0, 1)
    assert torch.allclose(ring.x, turned, atol=0.01)  # the same points but for the noise
    assert torch.equal(torus.data(TINY).x, ring.x)


def test_each_level_has_the_papers_sizes_and_reads_the_one_before():
    model = torus.build(TINY)
    sizes = [lil.sizes for lil in model.lils]
    assert sizes == [(3, 20, 20, 20, 20, 2), (20, 20, 20, 20, 20, 4), (20, 20, 20, 20, 20, 8)]
    assert model.stop_gradient and model.members == 2


def test_training_is_deterministic_and_comes_back_from_its_weights():
    networks = torus.train(TINY)
    again = torus.train(TINY)
    assert all(torch.equal(networks[name], again[name]) for name in networks)
    x = torus.data(TINY).x
    for trained, untrained in zip(torus.restore(TINY, networks)(x), torus.build(TINY)(x), strict=True):
        assert not torch.allclose(trained, untrained)


def test_a_member_is_what_it_would_be_alone():
    together = torus.train(TINY)
    alone = torus.train(replace(TINY, seeds=(1,)))
    where = torus.members(TINY).index(1)
    for name, value in alone.items():
        assert value[0] == pytest.approx(together[name][where], abs=1e-6)  # another batch of products: last digits


def test_each_level_learns_its_own_labels():
    config = replace(torus.QUICK, seeds=(0,), epochs=150, learning_rate=0.01, beta=0.1)
    model, data = torus.restore(config, torus.train(config)), torus.data(config)
    for classes, logits, labels in zip(toy.TORUS_CLASSES, model(data.x), data.labels, strict=True):
        assert torch.nn.functional.cross_entropy(logits[0], labels) < 0.8 * math.log(classes)  # better than no idea
