from dataclasses import asdict, replace

import numpy as np
import torch

from lil import corruptions as perturbations
from lil.evaluation import correct
from lil.experiments import corruptions_cifar10, fig3_cifar10
from lil.models import derived_seed
from lil.recipes import cifar10

TINY = replace(
    corruptions_cifar10.QUICK,
    n_images=8,
    cifar10_text=replace(cifar10.QUICK, n_train=100, betas=(0.0, 10.0), epochs=10),
)


def test_pixels_are_corrupted_and_go_through_the_vgg13(networks, result):
    x, labels = (part[:8] for part in cifar10.data(TINY.cifar10_text, "test"))
    model, front = cifar10.restore(TINY.cifar10_text, networks["cifar10_text"]), cifar10.front(TINY.cifar10_text)
    for name in ("gaussian", "occlusion"):
        place, severity = list(perturbations.CORRUPTIONS).index(name), asdict(perturbations.CIFAR10)[name][3]
        generator = torch.Generator().manual_seed(derived_seed(TINY.draw, place))
        corrupted = perturbations.corrupt(name, x, severity, generator)
        expected = correct(model, front(corrupted), labels).float().mean(-1).view(2, 2)
        found = result.accuracy.sel(networks="cifar10_text", corruption=name, level=4).transpose("beta", "seed")
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert result.accuracy.sel(level=5).std() > 0


def test_dimensions_have_names(result):
    assert dict(result.accuracy.sizes) == dict(networks=1, corruption=15, level=5, beta=2, seed=2)
    assert result.picture.sizes["channel"] == 3 and int(result.images) == 8
    assert result.severity.sel(corruption="jpeg").values.tolist() == [20, 35, 42, 50, 60]


def test_the_papers_scale_is_figure_3bs_networks():
    config = corruptions_cifar10.PAPER
    assert config.cifar10_text == fig3_cifar10.PAPER.cifar10 and config.n_images == 2000
    assert config.severities == perturbations.CIFAR10
