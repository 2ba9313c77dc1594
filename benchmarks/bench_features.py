"""The VGG13's features of CIFAR10: ours beside torchvision's own module in eval mode, seconds an image."""

import pytest
import torch

from lil.features import VGGFeatures, convolutions, extract

N = 500


@pytest.mark.parametrize("kind", ("ours", "naive"))
def test_features(benchmark, kind):
    x = torch.rand(N, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    module = VGGFeatures("random") if kind == "ours" else convolutions("random").requires_grad_(False)
    benchmark.pedantic(extract, args=(module, x), rounds=3, warmup_rounds=1)
    benchmark.extra_info |= {"what": "VGG13, features", "unit": "an image", "repeats": N}
