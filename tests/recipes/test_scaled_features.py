from dataclasses import asdict, replace

import pytest
import torch

from lil import features
from lil.recipes import cifar10, scaled_features

TINY = replace(scaled_features.quick(scaled_features.PAPER_9), n_train=60, n_test=6, betas=(0.0, 1.0), epochs=1)
VARIANTS = {name: value for name, value in vars(scaled_features).items() if name.startswith("PAPER_")}


@pytest.fixture(autouse=True)
def nothing_kept():
    cifar10._kept.cache_clear()


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_is_the_text_s_on_scaled_features(name):
    of_text = {field: value for field, value in asdict(VARIANTS[name]).items() if field in asdict(cifar10.PAPER)}
    assert of_text == asdict(cifar10.PAPER)
    assert f"_{VARIANTS[name].feature_scale:.0f}" in name


def test_at_scale_1_the_networks_are_the_text_s():
    ours = scaled_features.train(replace(TINY, feature_scale=1.0))
    fields = {name: value for name, value in asdict(TINY).items() if name in asdict(cifar10.PAPER)}
    theirs = cifar10.train(cifar10.Config(**fields))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_the_networks_see_scaled_features_in_training_and_test():
    for split in ("train", "test"):
        z, labels = scaled_features.inputs(TINY, split)
        plain, classes = cifar10.inputs(TINY, split)
        assert torch.allclose(z, 9 * plain) and torch.equal(labels, classes)
    one, other = scaled_features.train(TINY), scaled_features.train(replace(TINY, feature_scale=3.0))
    assert not torch.allclose(one["weights.0"], other["weights.0"], atol=1e-3)


def test_half_gives_the_vgg13_images_between_minus_1_and_1():
    config = replace(TINY, shifted="half", feature_scale=2.0)
    x, labels = cifar10.data(config, "test")
    layers = features.convolutions("random")
    with torch.no_grad():
        expected = 2 * layers((x - 0.5) / 0.5).flatten(1)
    z, classes = scaled_features.inputs(config, "test")
    assert torch.allclose(z, expected, atol=1e-4) and torch.equal(classes, labels)
    assert not torch.allclose(z, scaled_features.inputs(replace(config, shifted=""), "test")[0], atol=1e-2)


def test_scales_that_are_none_are_refused():
    for scale in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="feature_scale must be a finite number"):
            replace(TINY, feature_scale=scale)
    with pytest.raises(ValueError, match="leave those at 'normalised'"):
        replace(TINY, shifted="half", inputs="as-published")
