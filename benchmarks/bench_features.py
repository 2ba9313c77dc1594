"""The VGG13's features of CIFAR10: ours beside torchvision's own module in eval mode, seconds an image."""

from typing import get_args

import pytest
import torch

from lil.bfloat16 import Bfloat16Features
from lil.features import Precision, VGGFeatures, convolutions, extract

N = 500


@pytest.mark.parametrize("precision", get_args(Precision))
@pytest.mark.parametrize("kind", ("ours", "naive"))
def test_features(timed, kind, precision):
    x = torch.rand(N, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    ours = Bfloat16Features if precision == "bfloat16" else VGGFeatures
    module = ours("random") if kind == "ours" else convolutions("random").requires_grad_(False)
    timed(lambda: extract(module, x), f"VGG13, features in {precision}", "an image", N)
