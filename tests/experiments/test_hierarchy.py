from dataclasses import replace

import numpy as np
import pytest
import torch

from lil.experiments import fig4_torus, hierarchy
from lil.models import StackedLIL
from lil.paper.headlines import headline
from lil.recipes import hierarchy as recipe
from lil.recipes import torus

TINY = replace(
    hierarchy.QUICK, **{name: replace(getattr(hierarchy.QUICK, name), epochs=5) for name in hierarchy.VARIANTS}
)


def test_the_text_s_stacks_and_their_numbers_are_figure_4_s(networks, result):
    assert hierarchy.PAPER.text == fig4_torus.PAPER.ring
    model = torus.restore(TINY.text, networks["text"]).requires_grad_(False)
    theirs = fig4_torus._measures(
        fig4_torus.QUICK, TINY.text, model.requires_grad_(True), torus.data(TINY.text)
    )  # saliency wants gradients
    ours = result.sel(variant="text", points="training")
    for name in ("accuracy", "correlation", "ratio"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variant", ["both", "deep"])
def test_it_measures_held_out_points_with_the_plain_formulas(networks, result, variant):
    points = recipe.held_out(TINY.text)
    model = recipe.restore(getattr(TINY, variant), networks[variant]).requires_grad_(False)
    z, logits, labels = model.represent(points.x)[-1], model(points.x)[-1], points.labels[-1]
    kept = labels >= 0
    i, j = torch.triu_indices(int(kept.sum()), int(kept.sum()), 1)
    same = labels[kept][i] == labels[kept][j]
    before = torch.pdist(points.x[kept])[same].numpy()
    for member, seed in enumerate(TINY.text.seeds):
        one = result.sel(variant=variant, level=8, seed=seed, points="held-out")
        after = torch.pdist(z[member][kept])[same].numpy()
        assert one.correlation.item() == pytest.approx(np.corrcoef(before, after)[0, 1], abs=1e-5)
        assert one.ratio.values == pytest.approx(np.quantile(after / before, [0.05, 0.5, 0.95]), rel=1e-4)
        right = (logits[member].argmax(-1) == labels)[kept].float().mean().item()
        assert one.accuracy.item() == pytest.approx(right)


def test_a_flat_network_s_coarse_accuracy_is_that_of_its_classes_joined(networks, result):
    data = recipe.data(TINY.shallow)
    (logits,) = recipe.restore(TINY.shallow, networks["shallow"])(data.x)
    for level, labels in zip((2, 4, 8), data.labels, strict=True):
        joined = logits.argmax(-1) // (8 // level)
        one = result.accuracy.sel(variant="shallow", level=level, points="training")
        assert one.values == pytest.approx((joined == labels).float().mean(-1).numpy())
    assert result.correlation.sel(variant=list(hierarchy.FLAT), level=[2, 4]).isnull().all()
    assert result.correlation.sel(variant=list(hierarchy.STACKS)).notnull().all()


def test_a_cut_is_the_level_s_own_where_the_coarser_level_has_none(networks, result):
    """By an explicit loop over the neighbours of the grid."""
    grid, x = TINY.text.grid, recipe.data(TINY.text).x
    model = torus.restore(TINY.text, networks["text"]).requires_grad_(False)
    for level, z in zip((2, 4, 8), model.represent(x), strict=True):
        found = {"own": [], "inherited": [], "inside": []}
        for row in range(grid):
            before = (row - 1) % grid
            at_cut, at_old = row % (grid // level) == 0, level > 2 and row % (2 * grid // level) == 0
            kind = "inherited" if at_old else "own" if at_cut else "inside"
            for column in range(grid):
                i, j = grid * row + column, grid * before + column
                found[kind].append((z[1, i] - z[1, j]).norm() / (x[i] - x[j]).norm())
        one = result.tear.sel(variant="text", level=level, seed=1)
        for kind, ratios in found.items():
            expected = np.quantile(ratios, [0.05, 0.5, 0.95]) if ratios else np.full(3, np.nan)
            np.testing.assert_allclose(one.sel(kind=kind), expected, rtol=1e-4)


def test_flat_networks_inherit_no_cuts(result):
    flat = result.tear.sel(variant=list(hierarchy.FLAT))
    assert flat.sel(kind="inherited").isnull().all() and flat.sel(kind=["own", "inside"], level=8).notnull().all()


def test_the_distortion_is_that_of_finite_differences(networks, result):
    surface = recipe.surface(TINY.text)
    model = torus.restore(TINY.text, networks["text"]).double().requires_grad_(False)
    x, step = surface.x.double(), 1e-6
    for row, level in enumerate((2, 4, 8)):
        distance = recipe.distance_to_cut(surface.position, TINY.text.grid, level)
        off = []
        for tangent in (surface.across.double(), surface.along.double()):
            up, down = (model.represent(x + sign * step * tangent)[row] for sign in (1, -1))
            off.append(((up - down).norm(dim=-1) / (2 * step) - 1).abs())
        for name, one in zip(("across", "along"), off, strict=True):
            for at in (0, 0.5, 1.5):
                expected = np.median(one[:, distance == at], axis=-1)
                found = result.distortion.sel(variant="text", level=level, tangent=name, distance=at)
                np.testing.assert_allclose(found, expected, atol=1e-4)
        both = torch.stack(off).amax(0) <= TINY.within
        for region, chosen in (("near", distance <= 1), ("far", distance > 1)):
            found = result.isometric.sel(variant="text", level=level, region=region)
            np.testing.assert_allclose(found, both[:, chosen].double().mean(-1), atol=2e-3)


def test_distances_that_a_level_does_not_have_are_missing(result):
    there = result.distortion.sel(variant="text", tangent="across").notnull().all("seed")
    assert there.sum("distance").values.tolist() == [13, 7, 4]  # up to half the width of a class: 6, 3 and 1.5 steps


def test_the_stop_of_training_stays_as_it_was(networks):
    model = recipe.restore(TINY.pairs, networks["pairs"]).requires_grad_(False)
    hierarchy._stretches(model, recipe.surface(TINY.text), 2)
    assert model.stop_gradient


def test_networks_that_do_nothing_keep_everything():
    """With the identity in place of the stacks, every pair and every tangent keeps its length."""

    class Nothing(StackedLIL):
        def represent(self, x):
            return (x.expand(2, -1, -1),) * 3

        def classify(self, levels):
            return tuple(torch.zeros(*z.shape[:-1], lil.sizes[-1]) for z, lil in zip(levels, self.lils, strict=True))

    model = Nothing(3, (2,), (2, 4, 8), seeds=(0, 1))
    data = (recipe.data(TINY.text), recipe.held_out(TINY.text))
    result = hierarchy._measures(TINY, model, data)
    assert result.correlation.values == pytest.approx(np.ones((3, 2, 2)), abs=1e-6)
    assert result.ratio.values == pytest.approx(np.ones((3, 2, 2, 3)), abs=1e-5)
    assert result.isometric.values == pytest.approx(np.ones((3, 2, 2)))
    assert result.tear.sel(kind="own").values == pytest.approx(np.ones((3, 2, 3)), abs=1e-5)
    assert result.accuracy.sel(points="training").values == pytest.approx(np.repeat([[0.5], [0.25], [0.125]], 2, 1))


def test_records_are_small_and_single_precision(result):
    assert result.nbytes < 1e5
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32"}


def test_the_headline_has_each_variant(result):
    found = headline("hierarchy", result)
    expected = float(result.correlation.sel(variant="both", level=8, points="training").mean())
    assert len(found) == 12 and found["both: correlation of distances, 8 classes"] == (None, pytest.approx(expected))


@pytest.mark.parametrize(
    ("change", "message"),
    [(dict(seeds=(5,)), "must share grid, noise, cut, draw and seeds"), (dict(grid=16), "at least 24")],
)
def test_settings_that_would_mean_nothing_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, text=replace(TINY.text, **change))


def test_run_gives_what_evaluate_gives(result):
    assert hierarchy.run(TINY).equals(result)
