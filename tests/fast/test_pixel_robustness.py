"""The compiled attack on pixels: the same numbers as the general one, image by image."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import xarray as xr

from lil import evaluation
from lil.attacks import gradients
from lil.evaluation import OBJECTIVES, Fgsm, Sweep
from lil.experiments.scale_and_depth import Reduced
from lil.fast import dense_kernel, minibatches, pixel_robustness
from lil.models import LIL
from lil.recipes import mnist
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
    minibatches.train(
        model, x.flatten(1), labels, Settings(epochs=10, batch_size=20, scale=request.param), betas=betas, seeds=seeds
    )
    return Sweep(model.requires_grad_(False), mnist.flatten, BETAS, SEEDS, request.param)


@pytest.mark.parametrize("n", [70, 60, 7])  # with a smaller batch at the end, without, and with it alone
def test_it_finds_what_the_general_attack_finds(sweep, n):
    x, labels = images(n)
    found, expected = (module.robustness(sweep, x, labels, FGSM) for module in (pixel_robustness, evaluation))
    assert float(expected.accuracy.min()) < 0.5 < float(expected.clean.mean())
    xr.testing.assert_allclose(found, expected.drop_attrs(), rtol=0, atol=1.01 / n, check_dim_order=True)
    assert float((found.accuracy != expected.accuracy).mean()) < 0.1  # a last digit can turn a sign, and an image
    xr.testing.assert_allclose(found.change, expected.change, atol=1e-6)
    assert all(found[name].dtype == expected[name].dtype for name in expected)
    assert found.attrs == expected.attrs


def test_the_loss_may_have_the_other_reduction(sweep):
    """Which is another β in each batch, as classes have other sizes in each."""
    x, labels = images()
    other = Reduced(*(getattr(sweep, each.name) for each in fields(Sweep)), "pairs")
    expected = evaluation.robustness(other, x, labels, FGSM)
    found, plain = (pixel_robustness.robustness(other, x, labels, FGSM, reduction=name) for name in ("pairs", "n2"))
    xr.testing.assert_allclose(found, expected.drop_attrs(), rtol=0, atol=1.01 / len(x))
    differ = [
        float((each.accuracy != expected.accuracy).sel(beta=BETAS[-1], objective="total").mean())
        for each in (found, plain)
    ]
    assert differ[0] < 0.1 < 0.3 < differ[1]


def test_the_gradients_are_those_of_automatic_differentiation(sweep):
    """Of both objectives, by the kernel's parts: nothing is hidden by a sign."""
    x, labels = images(20)
    networks, batches = (
        minibatches.pack(sweep.model),
        minibatches.prepare(x.flatten(1)[None, None], labels[None, None], "within-class", "n2"),
    )
    sizes, betas = networks.sizes, np.repeat(BETAS, len(SEEDS))
    for which, name in enumerate(OBJECTIVES):
        each = gradients(sweep.objective(name, labels, FGSM), sweep.front, x, sweep.model.members)
        for k, expected in enumerate(each):
            along_inputs = kernel_gradient(networks, batches, k, 0.0 if which else betas[k], sweep.scale, sizes)
            right = expected.flatten(1) / (len(x) if name == "classification" else 1)
            torch.testing.assert_close(
                torch.from_numpy(along_inputs), right, rtol=1e-3, atol=1e-5 * float(right.abs().max())
            )


def kernel_gradient(networks, batches, k, beta, scale, sizes):
    n, width, classes = batches.x.shape[2], sizes[-2], sizes[-1]
    units = sizes[1:].sum()
    values, gradient = np.empty(units * n, np.float32), np.empty((n, sizes[0]), np.float32)
    along, other = dense_kernel._buffers(sizes, n)
    z, pull = (np.empty((n, width), np.float32) for _ in range(2))
    mismatches = np.empty(n * n, np.float32)
    parameters, x, labels = networks.parameters[k], batches.x[0, 0], batches.labels[0, 0]
    dense_kernel.forward(sizes, parameters, x, values)
    logits, along_logits = (dense_kernel._rows(*of, classes, n) for of in ((values, units - classes), (along, 0)))
    dense_kernel.cross_entropy(logits, 0, 0, n, labels, np.float32(1 / n), along_logits)
    strength = np.float32(4 * beta * batches.weights[0])
    dense_kernel._points(values, units - classes - width, z)
    dense_kernel.isometry(z, batches, 0, np.float32(scale), pull, mismatches)
    dense_kernel._along_inputs(sizes, parameters, values, along, other, np.float32(scale) * strength, pull, gradient)
    if beta:
        dense_kernel._pull_inputs(x, batches, 0, mismatches, strength, gradient)
    return gradient


def test_images_without_a_gradient_are_counted(sweep):
    """A network that ignores its input moves nothing; one that saturates neither."""
    x, labels = images(20)
    dead = evaluation.select(sweep.model, range(sweep.model.members))
    with torch.no_grad():
        dead.weights[0].zero_()
    found = pixel_robustness.robustness(replace(sweep, model=dead, betas=(0.0, 0.0, 0.0)), x, labels, FGSM)
    assert bool((found.zero_gradient == 1).all()) and not found.change.any()
    sure = evaluation.select(sweep.model, range(sweep.model.members))
    with torch.no_grad():
        sure.weights[-1].mul_(1e6)
    found, expected = (
        module.robustness(replace(sweep, model=sure), x, labels, FGSM).zero_gradient.sel(objective="classification")
        for module in (pixel_robustness, evaluation)
    )
    assert float(expected.max()) > 0.5
    assert np.array_equal(found, expected)


def test_the_number_of_threads_changes_nothing(sweep):
    x, labels = images()
    before, found = torch.get_num_threads(), []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        found.append(pixel_robustness.robustness(sweep, x, labels, FGSM))
    torch.set_num_threads(before)
    assert all(found[0].identical(other) for other in found[1:])


def test_progress_is_told_to_the_end(sweep):
    calls, (x, labels) = [], images()
    pixel_robustness.robustness(sweep, x, labels, FGSM, progress=lambda *call: calls.append(call))
    assert calls[-1] == ("attacks", 70, 70)


def test_double_precision_is_left_to_the_general_attack(sweep, monkeypatch):
    its = xr.Dataset()
    monkeypatch.setattr(evaluation, "robustness", lambda *arguments, **more: its)
    x, labels = images(20)
    assert pixel_robustness.robustness(sweep, x.double(), labels, FGSM) is its
