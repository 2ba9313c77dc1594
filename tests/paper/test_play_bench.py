"""The scripts of the page "Play": all are loaded from the book, and one holds the networks of the record."""

import base64
import re
from itertools import pairwise

import numpy as np
import pytest
import torch
import xarray as xr

from lil.datasets import images
from lil.evaluation import accuracy
from lil.models import LIL
from lil.paper import play
from lil.paper.pages import ROOT
from lil.recipes import mnist


def test_every_script_is_loaded_once_and_none_from_elsewhere():
    page, scripts = (ROOT / "book" / "play.md").read_text(), list(play.SCRIPT.parent.iterdir())
    loaded = re.findall(r'<script[^>]* src="([^"]*)"', page)
    assert sorted(loaded) == sorted(f"_static/play/{path.name}" for path in scripts)
    for text in (page, *(path.read_text() for path in scripts)):
        assert not re.search(r"https?:|['\"`(]//|\bimport\b|fetch\(|XMLHttpRequest", text)


@pytest.fixture(scope="module")
def content():
    return play.read()


@pytest.fixture(scope="module")
def record():
    return xr.load_dataset(ROOT / "results" / "fig3_mnist.nc")


def restored(content: dict) -> LIL:
    """Return the networks that the page has."""
    sizes = content["sizes"]
    model = LIL(sizes, seeds=[0] * len(content["betas"]))
    whole, real = (
        np.frombuffer(base64.b64decode(content[name]), kind) for name, kind in (("weights", "i1"), ("floats", "<f4"))
    )
    with torch.no_grad():
        for member in range(model.members):
            for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
                rows, whole = whole[: inputs * outputs].reshape(outputs, inputs), whole[inputs * outputs :]
                factors, biases, real = np.split(real, (outputs, 2 * outputs))
                model.weights[layer][member] = torch.tensor(rows * factors[:, None])
                model.biases[layer][member] = torch.tensor(biases)
    assert len(whole) == len(real) == 0
    return model


def test_the_script_is_whole_and_small(content):
    assert content["sha256"] == play.checksum(content)
    assert play.SCRIPT.read_text(encoding="utf-8") == play.script(content)
    assert play.SCRIPT.stat().st_size < 1e6


def test_its_pictures_are_those_of_the_record_and_two_digits_of_each_class(content, record):
    pixels = np.frombuffer(base64.b64decode(content["images"]), np.uint8).reshape(-1, 28, 28)
    assert content["recorded"] == len(record.image) and content["betas"] == record.beta.values.tolist()
    np.testing.assert_array_equal(pixels[: len(record.image)], record.image[:, 0])
    assert content["labels"] == [*record.label.values.tolist(), *np.repeat(range(10), play.DIGITS).tolist()]
    digits, labels = mnist.data(mnist.QUICK, "train")
    known = {
        (bytes(image), label)
        for image, label in zip((255 * digits).round().byte().numpy(), labels.tolist(), strict=True)
    }
    assert {(bytes(image), label) for image, label in zip(pixels[3:], content["labels"][3:], strict=True)} <= known


@pytest.mark.skipif(not images.available("mnist"), reason="MNIST is not on this machine: set LIL_DATA.")
def test_rounding_costs_the_networks_of_the_record_no_accuracy(content, record):
    x, labels = mnist.inputs(mnist.PAPER, "test")
    right = accuracy(restored(content), x, labels)
    np.testing.assert_allclose(right.detach(), record.clean.isel(seed=0), atol=0.001)


def test_a_weight_is_rounded_by_half_a_unit_at_most():
    model = LIL((6, 5, 4), seeds=[0, 1]).requires_grad_(False)
    content = play.bench(model.state_dict(), (0.0, 1.0), model.sizes, np.zeros((3, 6)), [7, 2, 1], 3)
    for rounded, exact in zip(restored(content).weights, model.weights, strict=True):
        unit = exact.abs().amax(-1, keepdim=True) / 127
        assert (rounded - exact).abs().le(0.51 * unit).all() and not torch.equal(rounded, exact)
    assert all(map(torch.equal, restored(content).biases, model.biases))


def test_the_digits_are_those_that_most_networks_recognise():
    labels = torch.arange(10).repeat(3)
    answers = torch.stack((labels, labels)).clone()
    answers[0, :10] = -1  # the first of each class is recognised once, the others twice
    assert play.recognised(answers, labels) == [k for label in range(10) for k in (10 + label, 20 + label)]
