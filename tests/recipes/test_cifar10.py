from dataclasses import replace

import pytest
import torch

from lil import features
from lil.datasets import images
from lil.recipes import cifar10

TINY = replace(cifar10.QUICK, n_train=60, n_test=6, betas=(0.0, 1.0), epochs=1)


@pytest.fixture(autouse=True)
def nothing_kept():
    cifar10._kept.cache_clear()


def test_the_readings_and_what_lies_between_them():
    text, public = cifar10.PAPER, cifar10.PAPER_PUBLIC
    assert (text.hidden, text.inputs, text.seeds) == ((1000,) * 3, "normalised", (0, 1, 2))
    assert replace(public, hidden=text.hidden, inputs=text.inputs, seeds=text.seeds) == text
    assert (public.hidden, public.inputs) == ((1000,) * 4, "as-published")
    for one in (cifar10.PAPER_DEEPER, cifar10.PAPER_AS_PUBLISHED):
        differing = [
            name
            for name in ("hidden", "inputs", "batch_size", "epochs", "weights")
            if getattr(one, name) != getattr(text, name)
        ]
        assert len(differing) == 1 and getattr(one, differing[0]) == getattr(public, differing[0])
        assert one.betas == (0.0,) and one.seeds == text.seeds


def test_digits_stand_in_with_the_shape_of_cifar10():
    x, labels = cifar10.data(TINY, "test")
    digits, classes = images.load("digits", "test", 6)
    assert x.shape == (6, 3, 32, 32) and torch.equal(labels, classes)
    assert torch.equal(x[:, 1, 2:30, 2:30], digits[:, 0]) and x.sum() == pytest.approx(3 * digits.sum().item())


def test_the_networks_see_features():
    x, labels = cifar10.data(TINY, "test")
    expected = features.VGGFeatures("random", "normalised")(x)
    inputs, classes = cifar10.inputs(TINY, "test")
    assert torch.allclose(inputs, expected, atol=1e-6) and torch.equal(classes, labels)
    front = cifar10.front(TINY)
    assert torch.allclose(front(torch.stack((x, x)))[1], inputs, atol=1e-6)
    other, _ = cifar10.inputs(replace(TINY, inputs="as-published"), "test")
    assert not torch.allclose(other, inputs, atol=1e-3)


def test_features_are_made_once_for_several_sets_of_networks(monkeypatch):
    made = []
    plain = features.extract
    monkeypatch.setattr(features, "extract", lambda *a, **k: made.append(len(a[1])) or plain(*a, **k))
    first = cifar10.train(TINY)
    deeper = replace(TINY, hidden=(40,) * 4)
    cifar10.train(deeper, progress=lambda *_: None)  # each experiment shows bars of its own
    assert made == [60]
    cifar10.train(replace(TINY, inputs="as-published"))
    assert made == [60, 60]
    cifar10._kept.cache_clear()
    again = cifar10.train(TINY)
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_training_leaves_the_vgg13_alone():
    networks = cifar10.train(TINY)
    assert {name.split(".")[0] for name in networks} == {"weights", "biases"}
    assert networks["weights.0"].shape == (4, 40, 512)
    inputs, _ = cifar10.inputs(TINY, "test")
    model = cifar10.restore(TINY, networks)
    assert not torch.allclose(model(inputs), cifar10.build(TINY)(inputs), atol=1e-4)


def test_the_fingerprint_names_images_and_weights():
    assert cifar10.data_fingerprint(TINY) == f"{images.fingerprint('digits')} random 0"
    assert cifar10.data_available(TINY)
