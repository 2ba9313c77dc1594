"""The arranged VGG13 against the plain one, also where the processor has no instructions for bfloat16, which is slow then."""

import pytest
import torch
import torch.nn.functional as F
from lil.fast.bfloat16 import PIECE, Bfloat16Features, beside, pooled_relu
from torch import nn

from lil.fast import bfloat16
from lil.features import VGGFeatures


def images(*lead: int) -> torch.Tensor:
    return torch.rand(*lead, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def in_hardware(monkeypatch):
    monkeypatch.setattr(bfloat16, "multiplies_bfloat16", lambda: True)


@pytest.mark.parametrize("inputs", ["normalised", "as-published"])
def test_features_and_gradients_are_those_of_the_plain_layers_in_bfloat16(in_hardware, inputs):
    arranged, plain = Bfloat16Features("random", inputs), VGGFeatures("random", inputs)
    layers = plain.layers.bfloat16()
    assert arranged.blocks is not None
    x = images(6).requires_grad_()
    upstream = torch.randn(6, 512, generator=torch.Generator().manual_seed(1))
    found, expected = arranged(x), layers(plain.seen(x).bfloat16()).flatten(1).float()
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02 * float(expected.detach().abs().max()))
    along, expected_along = (torch.autograd.grad(y, x, upstream)[0] for y in (found, expected))
    torch.testing.assert_close(along, expected_along, rtol=0.05, atol=0.05 * float(expected_along.detach().abs().max()))
    with torch.no_grad():  # ReLUs and poolings go another way
        torch.testing.assert_close(arranged(x), found, rtol=0.02, atol=0.02 * float(expected.detach().abs().max()))


def test_it_is_near_single_precision(in_hardware):
    x = images(4)
    with torch.no_grad():
        exact, found = VGGFeatures("random")(x), Bfloat16Features("random")(x)
    assert 0 < float((found - exact).norm() / exact.norm()) < 0.02


def test_leading_dimensions_and_pieces(in_hardware):
    arranged, x = Bfloat16Features("random"), images(2, 3)
    with torch.no_grad():
        assert arranged(x).shape == (2, 3, 512)
        one_by_one = torch.cat([arranged(image[None]) for image in x.flatten(0, 1)]).view(2, 3, -1)
        torch.testing.assert_close(arranged(x), one_by_one, rtol=0.02, atol=1e-2)
        few = arranged(images(1)).expand(PIECE + 1, -1)
        torch.testing.assert_close(arranged(images(1).expand(PIECE + 1, -1, -1, -1)), few, rtol=0.02, atol=1e-2)


def test_without_the_instructions_it_is_the_plain_one_in_single_precision(monkeypatch):
    monkeypatch.setattr(bfloat16, "multiplies_bfloat16", lambda: False)
    x = images(2)
    with torch.no_grad():
        assert torch.equal(Bfloat16Features("random")(x), VGGFeatures("random")(x))


@pytest.mark.parametrize("n", [1, 7, 25, 50, 53])
@pytest.mark.parametrize("size", [(4, 4), (2, 3)])
def test_images_beside_one_another_do_not_see_each_other(n, size):
    generator = torch.Generator().manual_seed(n)
    layer = nn.Conv2d(3, 5, 3, padding=1)
    x = torch.randn(n, 3, *size, generator=generator).to(torch.bfloat16)
    layer = layer.to(torch.bfloat16)
    expected = F.conv2d(x.double(), layer.weight.double(), layer.bias.double(), padding=1)
    torch.testing.assert_close(beside(x, layer).double(), expected, rtol=0.02, atol=0.02)


def test_a_pooled_relu_is_exact():
    x = torch.randn(3, 4, 6, 8, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    x[0, 0, :2, :2] = -torch.tensor([[1.0, 2.0], [0.0, 1e-30]])  # −0 is the largest: a ReLU makes 0 of it
    x[0, 1, :2, :2] = torch.tensor([[float("inf"), 1.0], [-1.0, 3e38]])
    assert torch.equal(pooled_relu(x), F.max_pool2d(F.relu(x), 2))
