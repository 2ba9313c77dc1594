"""Pretraining of the VGG13 behind the CIFAR10 experiments: CIFAR10 from scratch, resumable after a kill.

The paper uses "a pretrained vgg13" and does not say on which data; the public code's was trained on CIFAR10. The
convolutional part of torchvision's ``vgg13_bn`` makes 512 numbers of a 32 × 32 image; here one linear layer
classifies them, as long as pretraining lasts. :mod:`lil.features` uses the trained convolutions.

The recipe aims at few epochs, because an epoch takes minutes on two processor cores. Partial identities as
initial convolutions, flips that alternate between epochs and the triangle of learning rates come from K.
Jordan's "94% on CIFAR-10 in 3.29 seconds" (arXiv:2404.00498); that it starts again, from Loshchilov and Hutter
(arXiv:1608.03983). The weights are the mean of those at the cycles' ends (Izmailov et al., arXiv:1803.05407), that of
cycle t with weight t (Lacoste-Julien, Schmidt and Bach, arXiv:1212.2002): the equal mean of two was no better than the
last.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from lil import checkpoints, features
from lil.datasets import images
from lil.progress import Progress, silent


@dataclass(frozen=True)
class Settings:
    seed: int = 0  # of the initial weights, the order of the images and their augmentation
    cycles: int = 2  # triangles of the learning rate, each with half the peak of the one before
    epochs: int = 12  # passes over the training images in a cycle
    batch_size: int = 256  # images a step; an incomplete last batch is left out
    learning_rate: float = 0.2  # at the first triangle's peak; each starts and ends at zero
    warmup: float = 0.2  # share of a cycle's steps before the peak
    momentum: float = 0.9  # Nesterov's
    weight_decay: float = 5e-4  # of convolutions and the linear layer; batch norms and biases have none
    label_smoothing: float = 0.1
    crop_padding: int = 4  # pixels of reflection around an image, from which 32 × 32 are cropped


class CheckpointMismatch(ValueError):
    """A checkpoint was written with other settings."""


@dataclass
class Epoch:
    """The measures of an epoch."""

    loss: float  # mean training loss
    test_accuracy: float  # share of the test images, from 0 to 1


class Pretraining:
    """A run in its present state: everything that a checkpoint keeps. Made anew from ``settings`` alone.

    Order and augmentation of an epoch are functions of (seed, epoch), so a checkpoint needs no state of a random
    number generator: the count of steps says what comes next.
    """

    def __init__(self, settings: Settings, device: torch.device | str = "cpu"):
        self.settings = settings
        self.network = network(settings.seed).to(device, memory_format=torch.channels_last)
        groups = parameter_groups(self.network, settings)
        self.optimizer = torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum, nesterov=True)
        self.step = 0
        self.seconds = 0.0  # of wall time, without what was lost to kills
        self.loss_sum = 0.0  # over the steps of the present epoch
        self.mean: dict[str, Tensor] = {}  # of the weights at the ends of the cycles so far, empty before the first
        self.history: list[Epoch] = []

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        state, named = self.optimizer.state, self.network.named_parameters()
        tensors |= {f"momentum.{name}": state[weight]["momentum_buffer"] for name, weight in named if weight in state}
        tensors |= {f"mean.{name}": value for name, value in self.mean.items()}
        facts = {"settings": asdict(self.settings), "history": [asdict(epoch) for epoch in self.history]}
        facts |= {"step": self.step, "seconds": self.seconds, "loss_sum": self.loss_sum}
        checkpoints.write(path, tensors, facts)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same settings."""
        tensors, facts = checkpoints.read(path)
        tensors = {name: value.to(next(self.network.parameters()).device) for name, value in tensors.items()}
        if facts["settings"] != asdict(self.settings):
            message = f"The checkpoint {path} was written with other settings: delete it to start anew with these."
            raise CheckpointMismatch(message)
        self.network.load_state_dict(features.strip_prefix(tensors, "network."))
        self.mean = features.strip_prefix(tensors, "mean.")
        for name, parameter in self.network.named_parameters():
            if f"momentum.{name}" in tensors:
                self.optimizer.state[parameter]["momentum_buffer"] = tensors[f"momentum.{name}"]
        self.step, self.seconds, self.loss_sum = facts["step"], facts["seconds"], facts["loss_sum"]
        self.history = [Epoch(**epoch) for epoch in facts["history"]]

    def end_cycle(self, cycle: int) -> None:
        """Take the present weights, those at the end of the ``cycle``-th, into their mean; the t-th counts t times."""
        weights = {name: value.detach() for name, value in self.network.named_parameters()}
        before = self.mean or weights
        self.mean = {name: torch.lerp(before[name], value, 2 / (cycle + 1)) for name, value in weights.items()}


def network(seed: int) -> nn.Sequential:
    """Return ``vgg13_bn``'s convolutional part, then one linear layer from its 512 features to 10 classes.

    All convolutions but the first pass each of their input channels on to one of their outputs at the start:
    gradients then reach all ten layers from the first step.
    """
    generator = _generator(seed, 0)
    layers = features.initial_layers(generator)
    for layer in layers:
        if isinstance(layer, nn.Conv2d) and layer.in_channels > 3:
            nn.init.dirac_(layer.weight.data[: layer.in_channels])
    head = nn.Linear(512, 10)
    nn.init.normal_(head.weight, std=0.01, generator=generator)
    nn.init.zeros_(head.bias)
    return nn.Sequential(layers, nn.Flatten(), head)


def parameter_groups(model: nn.Module, settings: Settings) -> list[dict]:
    """Return the weights, which decay, and the biases and batch norms' parameters, which do not."""
    return [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]


def learning_rate(step: int, steps: int, settings: Settings) -> float:
    """Return the rate at a step, on triangles of ``steps``: up to the peak in the share ``warmup``, then to zero."""
    cycle, step = divmod(step, steps)
    peak = settings.warmup * steps
    return settings.learning_rate / 2**cycle * min((step + 1) / peak, (steps - step) / (steps - peak))


def normalise(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Return images in [0, 1] with mean 0 and standard deviation 1 of each channel over the training images."""
    mean, std = (torch.tensor(values, dtype=x.dtype, device=x.device).view(3, 1, 1) for values in features.CIFAR10)
    return (x - mean) / std


def augment(
    x: Float[Tensor, "n 3 h w"], flip: Bool[Tensor, "n"], shift: Int[Tensor, "n 2"], padding: int
) -> Float[Tensor, "n 3 h w"]:
    """Return crops of the images, framed by ``padding`` reflected pixels, mirrored left to right where ``flip`` is set.

    ``shift`` has row and column of a crop's first pixel in the framed image, 0 to 2 ``padding``.
    """
    n, _, height, width = x.shape
    framed = F.pad(x, (padding,) * 4, mode="reflect")
    rows = shift[:, :1] + torch.arange(height, device=x.device)
    columns = shift[:, 1:] + torch.arange(width, device=x.device)
    columns = torch.where(flip[:, None], columns.flip(1), columns)
    image = torch.arange(n, device=x.device)[:, None, None]
    # Advanced indices around a slice put the channels last: the memory format that the convolutions want.
    return framed[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def draws(n: int, epoch: int, settings: Settings) -> tuple[Int[Tensor, "n"], Bool[Tensor, "n"], Int[Tensor, "n 2"]]:
    """Return order, flips and shifts of an epoch's ``n`` images, a function of the seed and the epoch.

    A fair coin flips an image in the first epoch or not; from then on it alternates, so that two epochs show both.
    """
    generator = _generator(settings.seed, epoch + 2)
    order = torch.randperm(n, generator=generator)
    shift = torch.randint(0, 2 * settings.crop_padding + 1, (n, 2), generator=generator)
    flip = (torch.rand(n, generator=_generator(settings.seed, 1)) < 0.5) ^ bool(epoch % 2)
    return order, flip, shift


def pretrain(
    x: Float[Tensor, "n 3 h w"],
    labels: Int[Tensor, "n"],
    x_test: Float[Tensor, "t 3 h w"],
    labels_test: Int[Tensor, "t"],
    settings: Settings,
    *,
    checkpoint: Path,
    checkpoint_every: int = 50,
    device: torch.device | str = "cpu",
    progress: Progress = silent,
) -> Pretraining:
    """Train to the end of the recipe, from ``checkpoint`` if that file is there, else from the start.

    Images have pixels in [0, 1]. The checkpoint is rewritten every ``checkpoint_every`` steps and at each epoch's
    end, and stays when all is done. Raises CheckpointDamaged for a damaged checkpoint and
    CheckpointMismatch for one of other settings.
    """
    steps_per_epoch = len(x) // settings.batch_size
    cycle = settings.epochs * steps_per_epoch
    steps = settings.cycles * cycle
    if not steps:
        raise ValueError(f"pretraining needs at least one epoch and one batch: {settings} with {len(x)} images.")
    run = Pretraining(settings, device)
    if checkpoint.exists():
        run.load(checkpoint)
    x, labels, x_test, labels_test = (part.to(device) for part in (x, labels, x_test, labels_test))
    started = time.perf_counter() - run.seconds
    drawn = None
    while run.step < steps:
        epoch, batch = divmod(run.step, steps_per_epoch)
        if drawn is None or batch == 0:
            order, flip, shift = drawn = tuple(part.to(device) for part in draws(len(x), epoch, settings))
        chosen = order[batch * settings.batch_size : (batch + 1) * settings.batch_size]
        inputs = augment(normalise(x[chosen]), flip[chosen], shift[chosen], settings.crop_padding)
        run.loss_sum += train_step(run, inputs, labels[chosen], learning_rate(run.step, cycle, settings))
        run.step += 1
        run.seconds = time.perf_counter() - started
        last = batch + 1 == steps_per_epoch
        if last:
            run.history.append(Epoch(run.loss_sum / steps_per_epoch, accuracy(run.network, x_test, labels_test)))
            run.loss_sum = 0.0
        if run.step % cycle == 0:
            run.end_cycle(run.step // cycle)
        if last or run.step % checkpoint_every == 0:
            run.save(checkpoint)
        tested = f", test accuracy {run.history[-1].test_accuracy:.4f}" if run.history else ""
        progress(f"epoch {epoch + 1}{tested}", run.step, steps)
    return run


def average(run: Pretraining, x: Float[Tensor, "n 3 h w"]) -> None:
    """Give the network the mean weights of the cycles' ends, and its batch norms the statistics of one more epoch.

    Their statistics were those of other weights (Izmailov et al., section 3.2).
    """
    with torch.no_grad():
        for name, parameter in run.network.named_parameters():
            parameter.copy_(run.mean[name])
    order, flip, shift = (part.to(x.device) for part in draws(len(x), len(run.history), run.settings))
    padding, chosen = run.settings.crop_padding, order.split(run.settings.batch_size)
    update_bn((augment(normalise(x[at]), flip[at], shift[at], padding) for at in chosen), run.network)


def train_step(run: Pretraining, inputs: Tensor, labels: Tensor, rate: float) -> float:
    """Take one step of gradient descent on a batch of normalised images, and return its loss."""
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    run.network.train()
    with autocast(inputs.device):
        logits = run.network(inputs)
    loss = F.cross_entropy(logits.float(), labels, label_smoothing=run.settings.label_smoothing)
    run.optimizer.zero_grad()
    loss.backward()
    run.optimizer.step()
    return loss.item()


@torch.no_grad()
def accuracy(model: nn.Module, x: Float[Tensor, "n 3 h w"], labels: Int[Tensor, "n"]) -> float:
    """Return the share of images, pixels in [0, 1], that the network classifies correctly, in eval mode."""
    model.eval()
    right = 0
    for pixels, truth in zip(x.split(500), labels.split(500), strict=True):
        with autocast(x.device):
            logits = model(normalise(pixels).contiguous(memory_format=torch.channels_last))
        right += int((logits.argmax(1) == truth).sum())
    return right / len(x)


def autocast(device: torch.device) -> torch.autocast:
    """Return the context in which convolutions run in bfloat16 where the hardware multiplies it, else in float32."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = features.multiplies_bfloat16()
    return torch.autocast(device.type, torch.bfloat16, enabled=native)


def vgg13(settings: Settings = Settings(), *, device: torch.device | str = "cpu", progress: Progress = silent) -> Path:
    """Pretrain on CIFAR10, resuming from the cache folder; write :data:`lil.features.WEIGHTS` and return that path."""
    (x, labels), (x_test, labels_test) = (images.load("cifar10", split) for split in ("train", "test"))
    checkpoint = images.cache_folder() / "pretraining" / "vgg13-cifar10" / f"checkpoint{checkpoints.SUFFIX}"
    run = pretrain(x, labels, x_test, labels_test, settings, checkpoint=checkpoint, device=device, progress=progress)
    average(run, x.to(device))
    tensors = halve(run.network.state_dict())
    run.network.load_state_dict({name: value.float() for name, value in tensors.items()})
    write(features.WEIGHTS, tensors, card(run, accuracy(run.network, x_test.to(device), labels_test.to(device))))
    return features.WEIGHTS


def halve(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights rounded to float16. Statistics and biases, which are few, keep theirs; counters are left out."""
    floating = {name: value.cpu() for name, value in state.items() if value.is_floating_point()}
    return {name: (value.half() if value.ndim > 1 else value).contiguous() for name, value in floating.items()}


def card(run: Pretraining, test_accuracy: float) -> dict[str, Any]:
    """Return the card of the weights: recipe, data, accuracy of the rounded weights, cost, machine, versions."""
    device = next(run.network.parameters()).device
    machine = torch.cpu.get_capabilities()["cpu_name"] if device.type == "cpu" else torch.cuda.get_device_name(device)
    return {
        "architecture": "torchvision vgg13_bn.features, then one linear layer from 512 to 10",
        "data": {"name": "cifar10", "fingerprint": images.fingerprint("cifar10")},
        "settings": asdict(run.settings),
        "test_accuracy": test_accuracy,
        "history": [asdict(epoch) for epoch in run.history],
        "seconds": round(run.seconds),
        "machine": machine,
        "threads": torch.get_num_threads(),
        "precision": "bfloat16 autocast" if autocast(device)._enabled else "float32",
        "versions": {package: version(package) for package in ("torch", "torchvision")},
    }


def write(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write the weights and, beside them, their card with the weights' SHA-256; each file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    save_file(tensors, part)
    facts = {"sha256": hashlib.sha256(part.read_bytes()).hexdigest(), **facts}
    part.replace(path)
    part.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    part.replace(path.with_suffix(".json"))


def _generator(seed: int, stream: int) -> torch.Generator:
    """Return independent streams of random numbers for each pair (seed, stream)."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence((seed, stream)).generate_state(1)[0]))
