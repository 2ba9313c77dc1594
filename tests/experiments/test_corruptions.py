from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from lil import corruptions as perturbations
from lil.attacks import pixels
from lil.experiments import _corruptions, corruptions, fig3_mnist, fig3_mnist_public, worst_case
from lil.models import derived_seed
from lil.paper.headlines import headline
from lil.recipes import mnist

SMALL = dict(betas=(0.0, 0.1, 10.0), seeds=(0, 4))
TINY = replace(
    corruptions.QUICK,
    n_images=40,
    mnist_text=replace(mnist.QUICK, **SMALL),
    mnist_public=replace(mnist.QUICK_PUBLIC, **SMALL),
)


def shares(name, networks, x, labels):
    """The share of images that each network of a reading classifies correctly, one network and image at a time."""
    model = mnist.restore(getattr(TINY, name), networks[name])
    with torch.no_grad():
        logits = torch.stack([model(pixels(image[None]))[:, 0] for image in x])
    right = [
        [int(one.argmax()) == int(label) for one, label in zip(of, labels, strict=True)] for of in logits.unbind(1)
    ]
    return np.reshape(right, (3, 2, -1)).mean(-1)


@pytest.mark.parametrize("name", ["sign", "direction", "rotation", "jpeg"])
def test_accuracies_are_those_of_the_corrupted_images(networks, result, name):
    x, labels = (part[:40] for part in mnist.data(TINY.mnist_text, "test"))
    place, severities = list(perturbations.CORRUPTIONS).index(name), asdict(perturbations.MNIST)[name]
    for level in (1, 3, 5):
        generator = torch.Generator().manual_seed(derived_seed(TINY.draw, place))  # the same at each level
        corrupted = perturbations.corrupt(name, x, severities[level - 1], generator)
        here = dict(corruption=name, level=level)
        assert float(result.severity.sel(here)) == pytest.approx(severities[level - 1])
        distance = [float((one - image).norm()) for one, image in zip(corrupted, x, strict=True)]
        assert float(result.moved.sel(here)) == pytest.approx(np.mean(distance), rel=1e-4)
        for reading in corruptions.RECIPES:
            expected = shares(reading, networks, corrupted, labels)
            found = result.accuracy.sel(networks=reading, **here).transpose("beta", "seed").values
            np.testing.assert_allclose(found, expected, atol=1.01 / 40)  # a last digit may turn an image
            assert (np.abs(found - expected) > 0.01).mean() < 0.4
        if level == 3:
            picture = result.picture.sel(corruption=name).values
            assert np.array_equal(picture, (255 * corrupted[0]).round().byte().numpy())
    assert np.array_equal(result.original.values, (255 * x[0]).round().byte().numpy())


def test_clean_accuracies_are_those_of_the_images_themselves(networks, result):
    x, labels = (part[:40] for part in mnist.data(TINY.mnist_text, "test"))
    for reading in corruptions.RECIPES:
        found = result.clean.sel(networks=reading).transpose("beta", "seed").values
        np.testing.assert_allclose(found, shares(reading, networks, x, labels), atol=1.01 / 40)
    assert result.clean.mean() > 0.6  # the networks know digits, so that something can be lost
    strongest = result.accuracy.sel(level=5).mean(("beta", "seed"))
    assert (
        strongest.sel(corruption=["sign", "uniform", "translation"]) < result.clean.mean(("beta", "seed")) - 0.1
    ).all()


def test_pieces_of_the_images_change_nothing(networks, result, monkeypatch):
    monkeypatch.setattr(_corruptions, "PIECE", 7)
    found = corruptions.evaluate(TINY, networks)
    assert float(abs(found.accuracy - result.accuracy).mean()) < 0.002 and found.moved.equals(result.moved)


def test_a_network_alone_sees_the_same_images(networks, result):
    one = {name: replace(getattr(TINY, name), betas=(10.0,), seeds=(4,)) for name in corruptions.RECIPES}
    weights = {name: {key: value[[5]] for key, value in each.items()} for name, each in networks.items()}
    alone = corruptions.evaluate(replace(TINY, **one), weights)
    assert alone.moved.equals(result.moved) and alone.picture.equals(result.picture)
    np.testing.assert_allclose(alone.accuracy, result.accuracy.sel(beta=[10], seed=[4]), atol=1.01 / 40)


def test_dimensions_have_names_and_the_record_is_small(result):
    assert dict(result.accuracy.sizes) == dict(networks=2, corruption=15, level=5, beta=3, seed=2)
    assert result.corruption.values.tolist() == list(perturbations.CORRUPTIONS) and int(result.images) == 40
    assert result.unit.sel(corruption="rotation").item() == "degrees" and result.level.values.tolist() == [
        1,
        2,
        3,
        4,
        5,
    ]
    floats = [variable for name, variable in result.data_vars.items() if name not in ("picture", "original")]
    assert {str(variable.dtype) for variable in floats} == {"float32"} and result.nbytes < 5e4
    assert result.picture.dtype == np.uint8 and result.picture.sizes["channel"] == 1


def test_the_papers_scale_shares_the_networks_of_figure_3():
    config = corruptions.PAPER
    assert (config.mnist_text, config.mnist_public) == (fig3_mnist.PAPER.mnist, fig3_mnist_public.PAPER.mnist)
    assert config.n_images == 10_000 and len(config.mnist_text.seeds) == 10
    assert config.severities == perturbations.MNIST


def test_the_headline_has_two_kinds_of_noise(result):
    found = headline("corruptions", result)
    assert len(found) == 2 * 2 * 3
    expected = result.accuracy.sel(networks="mnist_public", beta=10, corruption="sign", level=3).mean()
    assert found["mnist_public, β = 10, under sign"] == (None, pytest.approx(float(expected)))


def test_run_gives_what_evaluate_gives(result):
    assert corruptions.run(TINY).equals(result)


@pytest.mark.parametrize("module", [corruptions, worst_case])
def test_readings_that_are_compared_share_their_images(module):
    _, other = module.RECIPES
    with pytest.raises(ValueError, match="networks that are compared must share their n_test, not have .* and 30"):
        replace(module.QUICK, **{other: replace(getattr(module.QUICK, other), n_test=30)})
