import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from lil import training
from lil.isometry import euclidean, isometry_loss, manhattan, pair_distances, within_class
from lil.models import LIL
from lil.recipes import hierarchy, metrics, rings, torus
from lil.training import Settings

TINY = replace(metrics.QUICK_RINGS, size=20, seeds=(0, 3), epochs=6, neighbours=6)
TORUS = replace(metrics.QUICK_TORUS, seeds=(0,), epochs=2)


def test_networks_and_steps_are_figure_2_s_and_4_s():
    for ours, theirs in ((metrics.PAPER_RINGS, rings.PAPER), (metrics.PAPER_TORUS, torus.PAPER)):
        for name in ("hidden", "epochs", "learning_rate"):
            assert getattr(ours, name) == getattr(theirs, name)
    assert metrics.PAPER_RINGS.beta in rings.PAPER.betas and metrics.PAPER_TORUS.beta == torus.PAPER.beta


def test_the_points_are_the_rings_draws_and_the_torus_s_two_classes():
    x, labels = metrics.data(TINY, "train")
    x_test, _ = metrics.data(TINY, "test")
    expected = rings.data(rings.Config(n_points=20))
    assert (
        torch.equal(x, expected.x) and torch.equal(x_test, expected.x_test) and labels.bincount().tolist() == [20, 20]
    )
    x, labels = metrics.data(TORUS, "train")
    assert torch.equal(x, torus.data(torus.Config(grid=16)).x) and labels.bincount().tolist() == [128, 128]
    x, labels = metrics.data(TORUS, "test")
    held = hierarchy.held_out(torus.Config(grid=16))
    assert torch.equal(x, held.x[held.labels[0] >= 0]) and labels.bincount().tolist() == [112, 112]


def test_distances_within_blocks_are_equation_1_s():
    """The loss that leaves out pairs of different classes equals the one that masks them."""
    generator = torch.Generator().manual_seed(0)
    z, x = torch.rand(3, 12, 4, generator=generator), torch.rand(12, 5, generator=generator)
    labels = torch.arange(3).repeat_interleave(4)
    for metric in (euclidean, manhattan):
        x_dist = pair_distances(x, metric)
        blocks = torch.stack([x_dist[k : k + 4, k : k + 4] for k in (0, 4, 8)])
        expected = isometry_loss(z, x_dist, within_class(labels), metric=metric)
        assert torch.allclose(metrics.within_blocks(z, blocks, metric), expected)


@pytest.mark.parametrize(("term", "beta"), [("none", 0.0), ("euclidean", 1.0)])
def test_the_loop_trains_as_lil_training_does(term, beta):
    config = replace(TINY, terms=(term,))
    x, labels = metrics.data(config, "train")
    model = LIL((3, 20, 20, 20, 20, 2), seeds=(0, 3))
    training.train(model, x, labels, Settings(epochs=6), betas=[beta] * 2, seeds=[0, 3])
    found = metrics.train(config)
    for name, value in model.state_dict().items():
        apart = (found[name] - value).abs()  # near 0 rounding turns signs of Adam's first steps
        assert apart.max() < 2e-3 and (apart > 2e-5).float().mean() < 0.01


@pytest.mark.parametrize("term", ["manhattan", "geodesic"])
def test_a_step_lowers_the_loss_of_the_metric_that_is_asked_for(term):
    config = replace(TINY, terms=(term,), beta=100.0, epochs=40)
    x, labels = metrics.data(config, "train")
    blocks = torch.stack([metrics.distances(config, term, x[labels == k]) for k in range(2)])
    before, after = metrics.build(config), metrics.restore(config, metrics.train(config))
    losses = [metrics.within_blocks(model.represent(x), blocks, metrics.OUTPUT[term]) for model in (before, after)]
    assert (losses[1] < 0.5 * losses[0]).all()


def test_terms_train_other_networks_and_a_member_is_what_it_would_be_alone():
    networks = metrics.train(TINY)
    assert metrics.members(TINY) == [(term, seed) for term in metrics.TERMS for seed in (0, 3)]
    value = networks["weights.0"]
    apart = (value[:, None] - value).abs().amax((2, 3))
    assert (apart + torch.eye(8) > 1e-5).all()
    alone = metrics.train(replace(TINY, terms=("geodesic",), seeds=(3,)))
    for name, one in alone.items():
        assert one[0] == pytest.approx(networks[name][7], abs=1e-4)


def test_geodesic_distances_of_a_ring_are_lengths_along_it():
    angle = 2 * np.pi * torch.arange(60) / 60
    ring = torch.stack((torch.cos(angle), torch.sin(angle), 0 * angle), -1)
    found = metrics.distances(replace(TINY, neighbours=2), "geodesic", ring)
    steps = (torch.arange(60)[:, None] - torch.arange(60)).abs()
    chord = 2 * np.sin(np.pi / 60)
    assert torch.allclose(found, torch.minimum(steps, 60 - steps) * chord, atol=1e-4)
    assert torch.allclose(metrics.distances(TINY, "manhattan", ring), torch.cdist(ring, ring, p=1), atol=1e-5)


def test_a_graph_in_pieces_is_refused():
    apart = torch.cat((torch.rand(8, 3), torch.rand(8, 3) + 10))
    with pytest.raises(
        ValueError, match="the graph of 6 neighbours leaves 16 points of one class unconnected: take more"
    ):
        metrics.distances(TINY, "geodesic", apart)


def test_the_graphs_of_the_paper_s_scale_close_the_rings():
    """Half the circumference is the longest way; an open ring has a way twice as long."""
    for split in ("train", "test"):
        x, labels = metrics.data(metrics.PAPER_RINGS, split)
        for ring in (0, 1):
            longest = metrics.distances(metrics.PAPER_RINGS, "geodesic", x[labels == ring]).max()
            assert longest == pytest.approx(np.pi, rel=0.01)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            dict(terms=("euclid",)),
            "terms must be some of ('none', 'euclidean', 'manhattan', 'geodesic'), not ('euclid',).",
        ),
        (dict(terms=()), "terms must be some of"),
        (dict(seeds=()), "seeds must be different from each other"),
    ],
)
def test_bad_settings_are_refused(change, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        replace(TINY, **change)
