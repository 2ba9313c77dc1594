"""The compiled attack on pixels: the same numbers as lil.evaluation's, image by image."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

from lil import attacks, evaluation
from lil.evaluation import OBJECTIVES, Fgsm, Sweep
from lil.fast import kernel, robustness, training
from lil.models import LIL
from lil.training import Settings

BETAS, SEEDS, SIDE = (0.0, 0.5, 20.0), (3, 4), 8
FGSM = Fgsm(epsilons=(0.02, 0.1, 0.7), batch_size=20, pictured=(), pictures=0)


def images(n=70):
    generator = torch.Generator().manual_seed(1)
    patterns = torch.rand(4, 1, SIDE, SIDE, generator=generator)
    labels = torch.randint(0, 4, (n,), generator=generator)
    return (patterns[labels] + 0.3 * torch.randn(n, 1, SIDE, SIDE, generator=generator)).clamp(0, 1), labels


@pytest.fixture(scope="module", params=[1.0, 3.0])
def sweep(request):
    (x, labels), seeds = images(400), [seed for _ in BETAS for seed in SEEDS]
    betas = [beta for beta in BETAS for _ in SEEDS]
    model = LIL((SIDE**2, 16, 12, 4), seeds=seeds)
    settings = Settings(epochs=10, batch_size=20, scale=request.param)
    training.train(model, x.flatten(1), labels, settings, betas=betas, seeds=seeds)
    return Sweep(model.requires_grad_(False), attacks.pixels, BETAS, SEEDS, request.param)


@pytest.mark.parametrize("n", [70, 60, 7])  # with a smaller batch at the end, without, and with it alone
def test_it_finds_what_the_plain_attack_finds(sweep, n):
    x, labels = images(n)
    found, expected = (module.robustness(sweep, x, labels, FGSM) for module in (robustness, evaluation))
    assert float(expected.accuracy.min()) < 0.5 < float(expected.clean.mean())
    xr.testing.assert_allclose(found, expected.drop_attrs(), rtol=0, atol=1.01 / n, check_dim_order=True)
    assert float((found.accuracy != expected.accuracy).mean()) < 0.1  # a last digit can turn a sign, and an image
    xr.testing.assert_allclose(found.change, expected.change, atol=1e-6)
    assert all(found[name].dtype == expected[name].dtype for name in expected)
    assert found.attrs == expected.attrs


def test_the_objectives_differ_where_there_is_an_isometry_term(sweep):
    found = robustness.robustness(sweep, *images(), FGSM).accuracy
    differ = abs(found.sel(objective="total") - found.sel(objective="classification")).sum(("seed", "epsilon"))
    assert differ.sel(beta=0) == 0 < differ.sel(beta=20)


def test_the_loss_may_have_the_other_reduction(sweep):
    """It is another β in each batch, as classes have other sizes in each."""
    x, labels = images()
    other = replace(sweep, reduction="pairs")
    expected = evaluation.robustness(other, x, labels, FGSM)
    found, plain = (robustness.robustness(each, x, labels, FGSM) for each in (other, sweep))
    xr.testing.assert_allclose(found, expected.drop_attrs(), rtol=0, atol=1.01 / len(x))
    differ = [
        float((each.accuracy != expected.accuracy).sel(beta=BETAS[-1], objective="total").mean())
        for each in (found, plain)
    ]
    assert differ[0] < 0.1 < 0.3 < differ[1]


@pytest.mark.parametrize("reduction", ["n2", "pairs"])
def test_the_gradients_are_those_of_autograd(sweep, reduction):
    """Compare the gradient of both objectives, by the parts of the kernel: a sign hides the size."""
    x, labels = images(20)
    sweep, betas = replace(sweep, reduction=reduction), np.repeat(BETAS, len(SEEDS))
    networks = training.pack(sweep.model)
    points, chosen = x.flatten(1).numpy(), np.arange(20)[None, None]
    batches = training.prepare(points, labels[None].numpy(), chosen, "within-class", reduction)
    for name in OBJECTIVES:
        loss = kernel.Loss(1.0, betas if name == "total" else 0 * betas, np.float32(sweep.scale))
        each = attacks.gradients(sweep.objective(name, labels, FGSM), sweep.front, x, sweep.model.members)
        for k, expected in enumerate(each):
            right = expected.flatten(1) / (len(x) if name == "classification" else 1)
            found = torch.from_numpy(gradient(networks, batches, loss, k)).T
            torch.testing.assert_close(found, right, rtol=1e-3, atol=1e-5 * float(right.abs().max()))


def gradient(networks, batches, loss, k):
    """Return the gradient of the loss of network k along the inputs, (d, n)."""
    x, labels, layers = batches.x[0, 0], batches.labels[0, 0], networks.layers
    values, *three = kernel._buffers(layers, x.shape[1])
    x_pull, found, terms = np.zeros_like(x), np.empty_like(x), np.zeros((2, 1))
    kernel.forward(layers, networks.parameters[k], x, values)
    pulls = kernel._pulls(layers, batches, loss, k, 0, 0, values, x_pull, terms[1])
    nothing = np.empty(0, np.float32)
    kernel._backward(networks, k, x, values, labels, loss.alpha, pulls, *three, nothing, terms[0], found)
    return found + x_pull


def test_images_without_a_gradient_are_counted(sweep):
    """A network that ignores its input moves nothing; one that saturates neither."""
    x, labels = images(20)
    dead = evaluation.select(sweep.model, range(sweep.model.members))
    with torch.no_grad():
        dead.weights[0].zero_()
    found = robustness.robustness(replace(sweep, model=dead, betas=(0.0, 0.0, 0.0)), x, labels, FGSM)
    assert bool((found.zero_gradient == 1).all()) and not found.change.any()
    sure = evaluation.select(sweep.model, range(sweep.model.members))
    with torch.no_grad():
        sure.weights[-1].mul_(1e6)
    found, expected = (
        module.robustness(replace(sweep, model=sure), x, labels, FGSM).zero_gradient.sel(objective="classification")
        for module in (robustness, evaluation)
    )
    assert float(expected.max()) > 0.5
    assert np.array_equal(found, expected)
    flat = evaluation.select(sweep.model, range(sweep.model.members))
    with torch.no_grad():
        flat.weights[0].mul_(1e6)  # tanh is ±1 and its derivative 0
    found, expected = (
        module.robustness(replace(sweep, model=flat), x, labels, FGSM) for module in (robustness, evaluation)
    )
    assert float(expected.zero_gradient.max()) > 0.5
    assert np.array_equal(found.zero_gradient, expected.zero_gradient)


def test_neither_threads_nor_pieces_nor_other_networks_change_a_bit(sweep, monkeypatch):
    x, labels = images()
    found = []
    for threads, ahead in ((1, 20), (2, 20), (5, 20), (2, 1)):
        torch.set_num_threads(threads)
        monkeypatch.setattr(robustness, "_AHEAD", ahead)
        found.append(robustness.robustness(sweep, x, labels, FGSM))
    assert all(found[0].identical(other) for other in found[1:])
    alone = replace(sweep, model=evaluation.select(sweep.model, [5]), betas=BETAS[2:], seeds=SEEDS[1:])
    xr.testing.assert_identical(
        robustness.robustness(alone, x, labels, FGSM), found[0].sel(beta=list(BETAS[2:]), seed=list(SEEDS[1:]))
    )


def test_progress_is_told_to_the_end(sweep):
    calls, (x, labels) = [], images()
    robustness.robustness(sweep, x, labels, FGSM, progress=lambda *call: calls.append(call))
    assert calls[-1] == ("attacks", 70, 70)
