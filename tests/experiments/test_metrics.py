from dataclasses import replace

import numpy as np
import pytest
import torch

from lil.experiments import metrics
from lil.recipes import metrics as recipe

TINY = replace(
    metrics.QUICK,
    rings=replace(recipe.QUICK_RINGS, size=20, epochs=5, neighbours=6),
    torus=replace(recipe.QUICK_TORUS, epochs=5),
    n_shown=30,
    stress_steps=50,
)


def pairs(x, labels, z, term):
    """The distances of all pairs of one class, by an explicit loop over classes and pairs."""
    norm = 1 if term == "manhattan" else 2
    before, after = [], []
    for k in range(2):
        own, represented = x[labels == k], z[labels == k]
        path = recipe.distances(TINY.rings, term, own)
        for i in range(len(own)):
            for j in range(i + 1, len(own)):
                before.append(float(path[i, j]))
                after.append(float(torch.linalg.vector_norm(represented[i] - represented[j], norm)))
    return np.array(before), np.array(after)


@pytest.mark.parametrize("term", recipe.METRICS)
@pytest.mark.parametrize(("points", "split"), metrics.POINTS.items())
def test_each_network_is_measured_in_each_metric(networks, result, term, points, split):
    x, labels = recipe.data(TINY.rings, split)
    model = recipe.restore(TINY.rings, networks["rings"]).requires_grad_(False)
    k = recipe.members(TINY.rings).index(("manhattan", 1))
    before, after = pairs(x, labels, model.represent(x)[k], term)
    one = result.sel(data="rings", points=points, term="manhattan", seed=1, metric=term)
    assert one.correlation.item() == pytest.approx(np.corrcoef(before, after)[0, 1], abs=1e-4)
    expected = np.sqrt(((after - before) ** 2).sum() / (before**2).sum())
    assert one.stress.item() == pytest.approx(expected, rel=1e-4)
    assert one.accuracy.item() == pytest.approx((model(x)[k].argmax(-1) == labels).float().mean().item())


def test_the_shown_pairs_are_those_of_held_out_points(networks, result):
    x, labels = recipe.data(TINY.rings, "test")
    model = recipe.restore(TINY.rings, networks["rings"]).requires_grad_(False)
    for metric in recipe.METRICS:
        before, after = pairs(x, labels, model.represent(x)[recipe.members(TINY.rings).index(("none", 0))], metric)
        shown = result.sel(data="rings", metric=metric, term="none")
        for target, kept in zip(shown.target.values, shown.shown.values, strict=True):
            where = np.flatnonzero(np.isclose(before, target, rtol=1e-5))
            assert np.isclose(after[where], kept, rtol=1e-3).any()


def stress(target, distance):
    return float(metrics._stress(metrics._upper(target), metrics._upper(distance)[None])[0])


def test_an_embedding_recovers_distances_that_fit():
    x = torch.rand(30, 3, generator=torch.Generator().manual_seed(0))
    found = metrics.embed(torch.cdist(x, x), 3, 20)
    assert torch.allclose(torch.cdist(found, found), torch.cdist(x, x), atol=1e-3)


def test_each_step_lowers_the_stress_and_a_circle_s_arcs_do_not_fit():
    steps = (torch.arange(40)[:, None] - torch.arange(40)).abs()
    arcs = torch.minimum(steps, 40 - steps) * 2 * np.pi / 40
    stresses = []
    for count in (0, 1, 5, 200, 2000):
        found = metrics.embed(arcs, 20, count)
        stresses.append(stress(arcs, torch.cdist(found, found)))
    assert sorted(stresses, reverse=True) == stresses and stresses[3] == pytest.approx(stresses[4], rel=1e-3)
    chords = 2 * torch.sin(arcs / 2)  # on the circle itself
    assert 0.05 < stresses[-1] < stress(arcs, chords)


def test_stress_is_0_for_an_isometry_and_1_for_a_single_point():
    x = np.array([1.0, 2.0, 3.0])
    assert metrics._stress(x, np.stack([x, 0 * x, 2 * x])).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(rings=TINY.torus), "named after"),
        (dict(rings=replace(TINY.rings, seeds=(4,))), "must have the same terms and seeds"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


def test_records_are_small_and_single_precision(result):
    assert result.nbytes < 5e4
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32"}


def test_run_gives_what_evaluate_gives(result):
    assert metrics.run(TINY).equals(result)
