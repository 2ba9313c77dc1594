from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

from lil.experiments import fig3_cifar10, fig3_cifar10_public
from lil.features import VGGFeatures
from lil.isometry import isometry_loss, pair_distances, within_class
from lil.paper import numbers as paper
from lil.paper.headlines import headline
from lil.recipes import cifar10

TINY = replace(
    fig3_cifar10.QUICK,
    cifar10=replace(cifar10.QUICK, betas=(0.0, 10.0), seeds=(0,), n_test=20),
    fgsm=replace(fig3_cifar10.QUICK.fgsm, epsilons=(0.01, 0.1), pictured=(1,)),
    n_compared=4,
)
PIXELS = replace(TINY, fgsm=replace(TINY.fgsm, distances="pixels"))


@pytest.mark.parametrize("config", [TINY, PIXELS], ids=["distances of features", "of pixels"])
def test_attacked_images_follow_the_gradient_through_the_whole_network(config, networks, result):
    """VGG13, LIL and loss as one function of the images, differentiated by autograd at once."""
    x, labels = cifar10.data(config.cifar10, "test")
    vgg13 = VGGFeatures("random", "normalised")
    model = cifar10.restore(config.cifar10, networks["cifar10"])
    at = x.clone().requires_grad_()
    features = vgg13(at)
    z = model.represent(features)[1]  # β = 10
    logits = model(features)[1]
    kept = features if config.fgsm.distances == "inputs" else at.flatten(1)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    (loss + 10 * isometry_loss(z, pair_distances(kept), within_class(labels))).backward()
    expected = (x + 0.1 * at.grad.sign()).clamp(0, 1)[:3]
    attacked = (result if config is TINY else fig3_cifar10.evaluate(config, networks)).attacked
    found = attacked.sel(objective="total", beta=10, pictured=0.1)
    same = torch.from_numpy(found.values).int().sub((255 * expected).round().int()).abs() <= 1
    assert same.float().mean() > 0.99  # where the gradient is nearly 0, a last digit turns its sign


def test_the_networks_have_learnt_and_the_attack_undoes_it(result):
    assert float(result.clean.mean()) > 0.3
    strong = result.accuracy.sel(epsilon=0.1, objective="classification")
    assert float(strong.mean()) < float(result.clean.mean()) - 0.2


def test_the_headline_is_table_1s_row(result):
    printed, ours = headline("fig3_cifar10", result)["β = 10, clean accuracy"]
    assert printed == paper.TABLE_1["cifar10"].at(10.0) and ours == pytest.approx(
        float(result.clean.sel(beta=10).mean())
    )


def test_what_the_paper_shows_is_one_seed_attacked_along_the_trainings_loss(networks, result):
    shown = fig3_cifar10.SHOWN
    assert replace(shown, cifar10=cifar10.PAPER, objectives=("total", "classification"), n_compared=200) == (
        fig3_cifar10.PAPER
    )
    assert replace(shown.cifar10, seeds=(0, 1, 2)) == cifar10.PAPER
    found = fig3_cifar10.evaluate(replace(TINY, objectives=shown.objectives), networks)
    xr.testing.assert_equal(found, result.sel(objective=["total"]))
    assert headline("fig3_cifar10", found) == headline("fig3_cifar10", result)


def test_an_evaluation_that_was_cut_off_goes_on(networks, result, tmp_path):
    class Cut(Exception):
        pass

    def cut(label, done, total):
        if total == 2:  # batches of all images, not of those that are compared
            raise Cut

    config = replace(TINY, fgsm=replace(TINY.fgsm, batch_size=10))
    partial = tmp_path / "counts.checkpoint"
    with pytest.raises(Cut):
        fig3_cifar10.evaluate(config, networks, progress=cut, partial=partial)
    resumed = fig3_cifar10.evaluate(config, networks, partial=partial)
    assert resumed.attrs["seconds_before"] > 0 and not partial.exists()
    assert resumed.clean.equals(result.clean)


def test_the_public_codes_reading_is_the_same_experiment_with_its_settings():
    assert fig3_cifar10.PAPER.cifar10 == cifar10.PAPER
    assert fig3_cifar10_public.PAPER.cifar10 == cifar10.PAPER_PUBLIC
    assert (fig3_cifar10.PAPER.fgsm.distances, fig3_cifar10_public.PAPER.fgsm.distances) == ("inputs", "pixels")
    assert fig3_cifar10_public.evaluate is fig3_cifar10.evaluate


def test_the_precision_is_that_of_the_attack_and_compared_with_float32(networks, result, monkeypatch):
    asked, front = [], cifar10.front

    def asking(*rest, precision, **more):
        asked.append(precision)
        return front(*rest, precision=precision, **more)

    monkeypatch.setattr(cifar10, "front", asking)
    found = fig3_cifar10.evaluate(replace(TINY, precision="bfloat16", n_compared=5), networks)
    assert asked == ["bfloat16", "float32", "bfloat16"]
    five = fig3_cifar10.evaluate(replace(TINY, cifar10=replace(TINY.cifar10, n_test=5)), networks)
    assert np.array_equal(found.compared.sel(precision="float32"), five.accuracy)
    assert float(abs(found.accuracy - result.accuracy).max()) <= 0.2  # of 20 images
