"""lil.features: the frozen VGG13 against torchvision's layers in float64, its inputs and its sources."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lil import features
from lil.features import VGGFeatures, WeightsInvalid, WeightsNotFound
from lil.recipes import pretraining


def images(n: int) -> Tensor:
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def trained() -> nn.Sequential:
    """Torchvision's layers with batch norms that do something: their statistics as if trained."""
    layers = features.convolutions("random")
    torch.manual_seed(0)
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.1)
            layer.running_mean.normal_(std=0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return layers


@pytest.mark.parametrize("inputs", ["normalised", "as-published"])
def test_function_and_gradient_are_those_of_torchvisions_layers(
    trained: nn.Sequential, inputs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "convolutions", lambda source, seed: copy.deepcopy(trained))
    vgg13 = VGGFeatures("random", inputs)
    x = images(3).double().requires_grad_()
    seen = x.transpose(2, 3) if inputs == "as-published" else pretraining.normalise(x)
    right = trained.double().requires_grad_(False)(seen).flatten(1)
    gradient = torch.randn(right.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (right_dx,) = torch.autograd.grad(right, x, gradient)
    x_float = x.detach().float().requires_grad_()
    found = vgg13(x_float)
    (dx,) = torch.autograd.grad(found, x_float, gradient.float())
    # 2e-6 and 7e-6 were measured
    assert (found - right).detach().abs().max() < 2e-5 * right.detach().abs().max()
    assert (dx - right_dx).abs().max() < 5e-5 * right_dx.abs().max()


def test_weights_are_frozen_and_stay_in_eval_mode() -> None:
    vgg13 = VGGFeatures("random")
    assert not any(parameter.requires_grad for parameter in vgg13.parameters())
    assert not any(module.training for module in vgg13.train().modules())


def test_random_weights_are_a_function_of_the_seed() -> None:
    x = images(2)
    first, again, other = (VGGFeatures("random", seed=seed)(x) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert features.fingerprint("random", seed=1) == "random 1"


def test_extraction_is_the_module_a_batch_at_a_time_and_tells_its_progress() -> None:
    told = []
    x = images(5)
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4))
    found = features.extract(module, x, batch_size=2, progress=lambda *facts: told.append(facts))
    torch.testing.assert_close(found, module(x).detach())
    assert not found.requires_grad and told == [("features", done, 5) for done in (2, 4, 5)]


@pytest.mark.parametrize("arguments", [("cifar100",), ("random", "raw")])
def test_unknown_sources_and_inputs_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        VGGFeatures(*arguments)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights as pretraining would have written them."""
    path = tmp_path / "vgg.safetensors"
    monkeypatch.setattr(features, "WEIGHTS", path)
    run = pretraining.Pretraining(pretraining.Settings(seed=3))
    pretraining.write(path, pretraining.halve(run.network.state_dict()), pretraining.card(run, 0.5))
    return path


def test_pretrained_weights_are_read_and_known_by_their_checksum(weights: Path) -> None:
    assert features.fingerprint("cifar10") == hashlib.sha256(weights.read_bytes()).hexdigest()
    right = pretraining.network(3)[0].state_dict()
    for name, value in features.convolutions("cifar10").state_dict().items():
        torch.testing.assert_close(value, right[name], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("card", [b"{", b"[]", b'{"sha": ""}', b"\xff", b"3"])
def test_a_damaged_card_is_refused_by_its_name(weights: Path, card: bytes) -> None:
    weights.with_suffix(".json").write_bytes(card)
    with pytest.raises(WeightsInvalid, match=r"vgg\.json is truncated or changed"):
        features.fingerprint("cifar10")


def test_changed_missing_and_foreign_weights_are_refused(weights: Path) -> None:
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(WeightsInvalid, match="SHA-256"):
        VGGFeatures("cifar10")
    weights.unlink()
    with pytest.raises(WeightsNotFound, match="missing"):
        VGGFeatures("cifar10")
    pretraining.write(weights, {"0.weight": torch.ones(1)}, {})
    with pytest.raises(WeightsInvalid, match="another network"):
        VGGFeatures("cifar10")
    weights.with_suffix(".json").unlink()
    with pytest.raises(WeightsNotFound, match="missing"):
        features.fingerprint("cifar10")


def test_imagenet_weights_that_cannot_be_had_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def offline(*arguments, **keywords):
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    with pytest.raises(WeightsNotFound, match="no network"):
        VGGFeatures("imagenet")
    assert features.fingerprint("imagenet").startswith("vgg13_bn-")
