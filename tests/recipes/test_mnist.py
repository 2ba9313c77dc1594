from dataclasses import replace

import pytest
import torch

from lil.datasets import images
from lil.recipes import mnist

TINY = replace(mnist.QUICK, n_train=60, n_test=20, betas=(0.0, 1.0), batch_size=20, epochs=1)


def test_the_two_readings():
    text, public = mnist.PAPER, mnist.PAPER_PUBLIC
    assert mnist.build(replace(text, seeds=(0,))).sizes == (784, 100, 100, 100, 100, 10)
    assert mnist.build(replace(public, seeds=(0,))).sizes == (784, 100, 100, 100, 100, 100, 10)
    assert (text.scale, public.scale) == (1, 10) and (text.init, public.init) == ("default", "orthogonal")
    assert replace(public, hidden=text.hidden, scale=1.0, init="default") == text


def test_the_networks_see_the_pixels_row_by_row():
    x, labels = mnist.data(TINY, "test")
    assert x.shape == (20, 1, 28, 28) and len(mnist.data(TINY, "train")[0]) == 60
    inputs, classes = mnist.inputs(TINY, "test")
    assert torch.equal(inputs, x.reshape(20, 784)) and torch.equal(classes, labels)
    assert torch.equal(mnist.front(TINY)(x.expand(3, 20, 1, 28, 28))[1], inputs)


def test_training_is_deterministic_and_comes_back_from_its_weights():
    networks, again = mnist.train(TINY), mnist.train(TINY)
    assert all(torch.equal(networks[name], again[name]) for name in networks)
    inputs, _ = mnist.inputs(TINY, "test")
    logits, untrained = mnist.restore(TINY, networks)(inputs), mnist.build(TINY)(inputs)
    assert not torch.allclose(logits, untrained, atol=1e-2)
    assert not torch.allclose(logits[0], logits[2])  # β tells them apart, the seed being the same


def test_a_member_is_what_it_would_be_alone():
    together = mnist.train(TINY)
    alone = mnist.train(replace(TINY, betas=(1.0,), seeds=(1,)))
    for name, value in alone.items():
        assert value[0] == pytest.approx(together[name][3], abs=1e-4)  # another batch of products: last digits


def test_the_fingerprint_reads_no_data_and_tells_the_sets_apart(monkeypatch, tmp_path):
    monkeypatch.setenv("LIL_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert mnist.data_fingerprint(mnist.PAPER) == images.fingerprint("mnist") != mnist.data_fingerprint(TINY)
    assert mnist.data_available(TINY) and not mnist.data_available(mnist.PAPER)
