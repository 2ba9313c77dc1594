"""Features of a 32 × 32 image, 512 numbers: the convolutional part of torchvision's ``vgg13_bn``, frozen, in eval mode.

The paper puts its CIFAR10 networks on "a pretrained vgg13 … with the final classification layer removed". Three
sources of weights, by name:

* ``cifar10``: pretrained on CIFAR10 by :mod:`lil.recipes.pretraining`, committed with this project;
* ``imagenet``: torchvision's published weights, downloaded by torchvision;
* ``random``: seeded, for tests.

Two forms of input, by name: ``normalised``, each channel with the mean and standard deviation of the images
that the weights were trained on, and ``as-published``, as in the public code, whose weights were trained otherwise:
pixels in [0, 1] as they are, with the two image axes swapped.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Literal, get_args

import torch
from jaxtyping import Float
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lil.progress import Progress, silent

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

Source = Literal["cifar10", "imagenet", "random"]
Inputs = Literal["normalised", "as-published"]

# Mean and standard deviation of each channel, as torchvision states them for its ImageNet weights.
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# Of each channel over CIFAR10's training images, pixels in [0, 1].
CIFAR10 = ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
# Pretrained by lil.recipes.pretraining and committed; the card beside them is the .json.
WEIGHTS = Path(__file__).parent / "weights" / "vgg13_cifar10.safetensors"
PIECE = 250  # images that go through the VGG13 at once: more take more memory and no less time


class WeightsNotFound(FileNotFoundError):
    """There is no file with these weights and none could be downloaded."""


class WeightsInvalid(ValueError):
    """The file of weights is damaged or holds another architecture."""


class VGGFeatures(nn.Module):
    """(…, 3, 32, 32) in [0, 1] to (…, 512); differentiable in its input, its own weights need no gradient.

    Batch norms are folded into the convolutions before them and the channels lie last in memory: the same
    function, faster.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, source: str = "cifar10", inputs: str = "normalised", *, seed: int = 0):
        """``seed`` draws the weights of the source "random". Raises WeightsNotFound or WeightsInvalid."""
        super().__init__()
        if source not in get_args(Source):
            raise ValueError(f"the source of weights must be one of {get_args(Source)}, not {source!r}.")
        if inputs not in get_args(Inputs):
            raise ValueError(f"inputs must be one of {get_args(Inputs)}, not {inputs!r}.")
        self.transposed = inputs == "as-published"
        mean, std = IMAGENET if source == "imagenet" else CIFAR10
        if inputs == "as-published":
            mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1))
        self.layers = fold_batch_norms(convolutions(source, seed=seed)).to(memory_format=torch.channels_last)
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> VGGFeatures:
        """Stay in eval mode, whatever the network around is in."""
        return super().train(False)

    def forward(self, x: Float[Tensor, "*lead 3 32 32"]) -> Float[Tensor, "*lead 512"]:
        features = [self.layers(self.normalise(piece)).flatten(1) for piece in x.flatten(0, -4).split(PIECE)]
        return torch.cat(features).unflatten(0, x.shape[:-3])

    def normalise(self, x: Float[Tensor, "n 3 32 32"]) -> Float[Tensor, "n 3 32 32"]:
        """Return the images in the form of ``inputs``, channels last in memory."""
        x = (x.mT if self.transposed else x) - self.mean
        return (x / self.std).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def extract(
    module: nn.Module, x: Float[Tensor, "n 3 32 32"], *, batch_size: int = PIECE, progress: Progress = silent
) -> Float[Tensor, "n features"]:
    """Return the output of ``module`` for all images, a batch at a time, without gradients."""
    parts = []
    for part in x.split(batch_size):
        parts.append(module(part))
        progress("features", min(batch_size * len(parts), len(x)), len(x))
    return torch.cat(parts)


def multiplies_bfloat16() -> bool:
    """Return True if this processor has instructions for products of bfloat16: AVX512-BF16 or AMX."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def fingerprint(source: str, *, seed: int = 0) -> str:
    """Return the checksum of these weights, or the seed that draws them; no weights are read."""
    if source == "cifar10":
        return _digest_on_card()
    if source == "imagenet":
        return _imagenet().url.rpartition("/")[2]  # the name ends with the start of the file's SHA-256
    return f"random {seed}"


def convolutions(source: str, *, seed: int = 0) -> nn.Sequential:
    """Return ``vgg13_bn.features`` with the weights of ``source``, not folded, in eval mode."""
    from torchvision.models import vgg13_bn

    if source == "random":
        return initial_layers(torch.Generator().manual_seed(seed)).eval()
    state, path = _cifar10_state() if source == "cifar10" else _imagenet_state()
    with torch.device("meta"):  # initial weights would cost seconds
        layers = vgg13_bn().features.eval()
    # The classifier is dropped, float16 becomes float32, and the counters of batches, which eval mode does not read
    # and our file leaves out, start anew.
    state = {name: value.float() for name, value in state.items() if not name.endswith("num_batches_tracked")}
    state |= {name: torch.tensor(0) for name in layers.state_dict() if name.endswith("num_batches_tracked")}
    try:
        layers.load_state_dict(state, assign=True)
    except RuntimeError as reason:
        raise WeightsInvalid(
            f"{path} holds the weights of another network than vgg13_bn: replace it by the right file."
        ) from reason
    return layers


def initial_layers(generator: torch.Generator) -> nn.Sequential:
    """Return ``vgg13_bn.features`` with initial weights as torchvision draws them, from ``generator``."""
    from torchvision.models import vgg13_bn

    with torch.device("meta"):  # the classifier, thirteen times as large, would cost seconds to draw
        layers = vgg13_bn().features
    layers.to_empty(device="cpu")
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
    return layers


def fold_batch_norms(layers: nn.Sequential) -> nn.Sequential:
    """Return the same function in eval mode: each batch norm is folded into the convolution before it."""
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            kept[-1] = fuse_conv_bn_eval(kept[-1], layer)  # type: ignore[type-var]
        else:
            kept.append(layer)
    return nn.Sequential(*kept)


def strip_prefix(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with ``prefix``, under the rest of their names."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _digest_on_card() -> str:
    path = WEIGHTS.with_suffix(".json")
    if not path.exists():
        raise WeightsNotFound(
            f"{path} is missing: take it and the weights beside it from the repository, or run `lil pretrain vgg13`."
        )
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["sha256"])
    except (ValueError, LookupError, TypeError) as reason:
        raise WeightsInvalid(f"{path} is truncated or changed: take it from the repository.") from reason


def _cifar10_state() -> tuple[dict[str, Tensor], Path]:
    path, digest = WEIGHTS, _digest_on_card()
    if not path.exists():
        raise WeightsNotFound(f"{path} is missing: take it from the repository, or run `lil pretrain vgg13`.")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise WeightsInvalid(
            f"{path} is truncated or changed (its SHA-256 is not the one on its card): take it from the repository."
        )
    return strip_prefix(load_safetensors(content), "0."), path


def _imagenet() -> WeightsEnum:
    from torchvision.models import VGG13_BN_Weights

    return VGG13_BN_Weights.IMAGENET1K_V1


def _imagenet_state() -> tuple[dict[str, Tensor], Path]:
    path = Path(torch.hub.get_dir()) / "checkpoints" / fingerprint("imagenet")
    try:
        state = _imagenet().get_state_dict(progress=False, check_hash=True, weights_only=True, map_location="cpu")
    except (RuntimeError, EOFError, UnpicklingError) as reason:
        raise WeightsInvalid(
            f"{path} is truncated or changed: delete it, so that torchvision downloads it anew."
        ) from reason
    except OSError as reason:
        raise WeightsNotFound(
            f"torchvision's ImageNet weights are not on this machine and cannot be downloaded into it ({reason}): copy "
            f"{_imagenet().url} to {path}, or ask for the source cifar10."
        ) from reason
    return strip_prefix(state, "features."), path
