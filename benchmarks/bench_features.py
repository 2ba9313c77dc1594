"""The VGG13's features of CIFAR10: ours beside torchvision's own module in eval mode, seconds an image."""

import pytest
import torch

from lil.engine import Features
from lil.features import convolutions, extract

N = 500


@pytest.mark.parametrize("precision", ("float32", "bfloat16"))
@pytest.mark.parametrize("kind", ("ours", "naive"))
def test_features(timed, kind, precision):
    x = torch.rand(N, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    ours = Features("random", "normalised", precision=precision)
    module = ours if kind == "ours" else convolutions("random").requires_grad_(False)
    timed(lambda: extract(module, x), f"VGG13, features in {precision}", "an image", N)
