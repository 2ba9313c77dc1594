from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.manifold import trustworthiness

from lil.experiments import visualisation
from lil.recipes import visualisation as recipe

SMALL = dict(n_train=200, epochs=1, betas=(0.0, 10.0))
TINY = replace(
    visualisation.QUICK,
    **{name: replace(getattr(visualisation.QUICK, name), **SMALL) for name in visualisation.RECIPES},
    n_fitted=120,
)


@pytest.mark.parametrize(("name", "units", "scale"), [("plane", 2, 1), ("space_10", 3, 10)])
def test_a_network_is_measured_with_the_plain_formulas(networks, result, name, units, scale):
    settings = getattr(TINY, name)
    x, labels = recipe.inputs(settings, "test")
    model = recipe.restore(settings, networks[name]).requires_grad_(False)
    k = recipe.members(settings).index((10.0, 1))
    one = result.sel(units=units, scale=scale, beta=10, seed=1)
    z = model.represent(x)[k]
    i, j = torch.triu_indices(len(x), len(x), 1)
    same = labels[i] == labels[j]
    before, after = torch.pdist(x)[same].numpy(), torch.pdist(z)[same].numpy()
    assert one.correlation.item() == pytest.approx(np.corrcoef(before, after)[0, 1], abs=1e-4)
    assert one.ratio.item() == pytest.approx(np.median(scale * after / before), rel=1e-4)
    assert result.x_dist.item() == pytest.approx(np.median(before), rel=1e-5)
    assert one.trust.item() == pytest.approx(trustworthiness(x.numpy(), z.numpy(), n_neighbors=5), abs=1e-6)
    inside = [trustworthiness(x[labels == c].numpy(), z[labels == c].numpy(), n_neighbors=5) for c in range(10)]
    assert one.trust_within.item() == pytest.approx(np.mean(inside), abs=1e-6)
    assert one.accuracy.item() == pytest.approx((model(x)[k].argmax(-1) == labels).float().mean().item())


def test_the_vote_is_that_of_the_nearest_training_images(networks, result):
    """Ties of the vote go to the smaller class: by an explicit loop over the test images."""
    settings = TINY.plane
    (x, labels), (x_fit, labels_fit) = (recipe.inputs(settings, split) for split in ("test", "train"))
    model = recipe.restore(settings, networks["plane"]).requires_grad_(False)
    z, fitted = (model.represent(part)[0] for part in (x, x_fit[:120]))
    right = []
    for point, label in zip(z, labels, strict=True):
        nearest = (fitted - point).norm(dim=-1).argsort()[:10]
        right.append(int(labels_fit[nearest].bincount(minlength=10).argmax()) == int(label))
    assert result.vote.sel(units=2, scale=1, beta=0, seed=0).values.tolist() == right


def test_the_layouts_are_the_last_hidden_layer_of_the_first_seed(networks, result):
    x, labels = recipe.inputs(TINY.space, "test")
    model = recipe.restore(TINY.space, networks["space"])
    expected = model.represent(x)[recipe.members(TINY.space).index((10.0, 0))].detach().numpy()
    np.testing.assert_allclose(result.space.sel(scale=1, beta=10), expected, atol=1e-6)
    assert result.labels.values.tolist() == labels.tolist()


def test_pca_is_the_projection_on_the_largest_directions_of_the_fitted_images(result):
    x, x_fit = (recipe.inputs(TINY.plane, split)[0].double() for split in ("test", "train"))
    x_fit = x_fit[:120]
    _, _, directions = torch.linalg.svd(x_fit - x_fit.mean(0), full_matrices=False)
    expected = (x - x_fit.mean(0)) @ directions[:3].T
    for name, units in (("other_plane", 2), ("other_space", 3)):
        found = torch.from_numpy(result[name].sel(other="pca").values).double()
        for axis in range(units):
            assert abs(torch.dot(found[:, axis], expected[:, axis])) == pytest.approx(
                float(found[:, axis].norm() * expected[:, axis].norm()), rel=1e-4
            )


def test_methods_with_a_seed_differ_by_seed_and_pca_does_not(result):
    for name in visualisation.MEASURES:
        values = result[f"other_{name}"]
        apart = abs(values.sel(seed=0) - values.sel(seed=1))
        assert (apart.sel(other="pca") == 0).all() and (apart.sel(other=["umap", "supervised"]) > 0).all()


def test_supervision_gives_the_fitted_images_their_classes():
    """Neighbours in the supervised layout of the training images are of one class more often than without labels."""
    x, (x_fit, labels) = recipe.inputs(TINY.plane, "test")[0][:20], recipe.inputs(TINY.plane, "train")
    x_fit, labels = x_fit[:120], labels[:120]
    shares = {}
    for method in ("umap", "supervised"):
        _, fitted = visualisation.lay_out(TINY, method, 2, 0, x, x_fit, labels)
        nearest = torch.cdist(fitted, fitted).argsort(-1)[:, 1:6]
        shares[method] = float((labels[nearest] == labels[:, None]).float().mean())
    assert shares["supervised"] > shares["umap"]


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="must share data set, betas and seeds"):
        replace(TINY, space=replace(TINY.space, seeds=(5,)))


def test_records_are_small(result):
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32", "int8", "bool"}
    per_image = sum(values.nbytes for values in result.data_vars.values() if "image" in values.dims) / 200
    assert per_image * 1000 * 4 < 2e6  # at the paper's scale: 5 images to each here, 4.5 times as many networks


def test_run_gives_what_evaluate_gives(result):
    assert visualisation.run(TINY).equals(result)
