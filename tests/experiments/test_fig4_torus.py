import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from lil.experiments import fig4_torus
from lil.models import StackedLIL
from lil.recipes import torus

RING, TUBE = (replace(each, epochs=5) for each in (torus.QUICK, torus.QUICK_TUBE))
TINY = replace(fig4_torus.QUICK, ring=RING, tube=TUBE, n_neighbors=5)


@pytest.mark.parametrize("recipe", [RING, TUBE], ids=lambda recipe: recipe.cut)
def test_it_measures_each_level_with_the_plain_formulas(networks, result, recipe):
    data = torus.data(recipe)
    model = torus.restore(recipe, networks[recipe.cut])
    by_cut = result.sel(cut=recipe.cut)
    assert np.array_equal(by_cut.x.values, data.x.numpy())
    levels = zip(result.level.values, model.represent(data.x), model(data.x), data.labels, strict=True)
    for level, z, logits, labels in levels:
        i, j = torch.triu_indices(len(labels), len(labels), 1)
        same = labels[i] == labels[j]
        before = torch.pdist(data.x)[same].numpy()
        for member, seed in enumerate(recipe.seeds):
            one = by_cut.sel(level=level, seed=seed)
            after = torch.pdist(z[member].detach())[same].numpy()
            right = (logits[member].argmax(-1) == labels).float().mean().item()
            assert one.accuracy.item() == pytest.approx(right)
            assert one.correlation.item() == pytest.approx(np.corrcoef(before, after)[0, 1], abs=1e-5)
            assert one.ratio.values == pytest.approx(np.quantile(after / before, [0.05, 0.5, 0.95]), rel=1e-4)


def test_the_points_at_a_cut_are_within_one_step_of_it(result):
    step = 2 * math.pi / RING.grid
    for cut in ("ring", "tube"):
        for level in (2, 4, 8):
            one = result.sel(cut=cut, level=level)
            cuts = 2 * math.pi * np.arange(level) / level - step / 2  # between two points of the grid
            away = np.abs((one.cut_angle.values[:, None] - cuts + math.pi) % (2 * math.pi) - math.pi).min(1)
            assert np.array_equal(one.at_cut.values, away < step)


def test_saliency_is_the_derivative_of_the_own_logit_through_all_levels(networks):
    model = torus.restore(RING, networks["ring"]).double()
    data = torus.data(RING)
    x, h = data.x[::97].double(), 1e-6
    labels = tuple(level[::97] for level in data.labels)
    norm, largest = fig4_torus.saliency(model, x, labels)
    for level in range(3):
        difference = []
        for axis in torch.eye(3, dtype=torch.float64):
            up, down = (model(x + sign * h * axis)[level] for sign in (1, -1))
            own = labels[level].expand(2, -1)[..., None]
            difference.append(((up - down) / (2 * h)).gather(-1, own)[..., 0].detach())
        gradient = torch.stack(difference, -1).numpy()
        assert norm[level] == pytest.approx(np.linalg.norm(gradient, axis=-1), rel=1e-5)
        assert largest[level] == pytest.approx(np.abs(gradient).max(-1), rel=1e-5)


def test_saliency_leaves_the_stop_of_training_as_it_was(networks):
    model = torus.restore(RING, networks["ring"])
    fig4_torus.saliency(model, torus.data(RING).x, torus.data(RING).labels)
    assert model.stop_gradient


def test_contrast_is_a_ratio_of_medians():
    gradient = np.array([[[1.0, 2.0, 9.0, 10.0, 40.0]], [[4.0, 4.0, 4.0, 1.0, 3.0]]])  # (levels, m, n)
    at_cut = np.array([[False, False, True, True, True], [True, False, False, False, True]])
    assert fig4_torus.contrast(gradient, at_cut).tolist() == [[10 / 1.5], [3.5 / 4]]


def test_networks_that_do_nothing_keep_everything():
    """With the identity in place of the stacks, every pair keeps its distance."""

    class Nothing(StackedLIL):
        def represent(self, x):
            return (x.expand(2, -1, -1),) * 3

        def classify(self, levels):
            return tuple(z.repeat(1, 1, 3) for z in levels)

    model = Nothing(3, (2,), (2, 4, 8), seeds=(0, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torus, "restore", lambda config, networks: model)
        result = fig4_torus.evaluate(TINY, {"ring": {}, "tube": {}})
    assert result.correlation.values == pytest.approx(np.ones((2, 3, 2)))
    assert result.ratio.values == pytest.approx(np.ones((2, 3, 2, 3)), abs=1e-5)
    assert result.gradient.values == pytest.approx(np.ones(result.gradient.shape))  # of one coordinate
    assert result.contrast.values == pytest.approx(np.ones((2, 2, 3, 2)))


def test_the_sizes_are_the_networks_own(result):
    assert result["sizes"].values.tolist() == [[3, 20, 20, 20, 20, 2], [20] * 5 + [4], [20] * 5 + [8]]


@pytest.mark.parametrize(
    "ring, tube, message", [(TUBE, RING, "cut by their names"), (replace(RING, grid=16), TUBE, "at least 24")]
)
def test_settings_that_would_mean_nothing_are_refused(ring, tube, message):
    with pytest.raises(ValueError, match=message):
        fig4_torus.Config(ring=ring, tube=tube)


def test_records_are_small_and_single_precision(result):
    assert result.nbytes < 2e5
    assert "float64" not in {str(values.dtype) for values in result.data_vars.values()}


def test_run_gives_what_evaluate_gives(result):
    assert fig4_torus.run(TINY).equals(result)
