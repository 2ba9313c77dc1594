"""The networks whose backbone is trained along with the LIL: possible origins of Table 1's second row.

The text optimises the LIL's parameters alone. In the public code the lines that freeze the backbone are commented out
from commit 050ff84 on. Two backbones, by name:

* ``cnn``: the untrained network of two convolutions of commits ecfc79a to 7167a91, the last public one.
* ``vgg13``: the pretrained VGG13 of the text and of the early commits. No commit trains it along, for 050ff84 has
  replaced it: this reading is a mixture of the text's backbone and the late commits' training.

As in 7167a91, images are pixels in [0, 1] whose two axes are swapped, and the distances to keep are those between
pixels. Batch norms stay in eval mode, as in the public code: it puts the VGG13 into that mode and never into another.

A training that was killed goes on from its last epoch: see :func:`train`.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lil import checkpoints, features
from lil.attacks import pixels
from lil.cache import cache_folder
from lil.datasets import images
from lil.isometry import isometry_loss, pair_distances, within_class
from lil.models import LIL, cross_entropy, derived_seed
from lil.progress import Progress, silent
from lil.recipes import cifar10, sweep
from lil.recipes.ensembles import members as members
from lil.training import batch_orders

Backbone = Literal["vgg13", "cnn"]
HISTORY = ("cross_entropy", "isometry", "accuracy")  # means over the steps of each training epoch
CLASSES = 10
SECONDS_BEFORE = "seconds_before"  # beside the weights of a resumed training: the seconds until it was killed
SPACING = 60.0  # seconds of training between checkpoints, at least: shorter trainings need none


@dataclass(frozen=True)
class Config(sweep.Config):
    dataset: Literal["cifar10", "digits"] = "cifar10"  # "digits": embedded, framed to CIFAR10's shape
    n_train: int | None = None  # images, the set's first; None: all
    n_test: int | None = None  # the same, of the test set
    backbone: Backbone = "vgg13"  # the text's; "cnn" is that of commit 7167a91
    weights: features.Source = "cifar10"  # of the VGG13 before it is trained along; "a pretrained vgg13"
    channels: tuple[int, int] = (128, 256)  # of the CNN's two convolutions; 7167a91
    hidden: tuple[int, ...] = (1000, 1000, 1000)  # "Experiments": 3 layers of 1000 neurons each
    betas: tuple[float, ...] = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0)  # Table 1
    seeds: tuple[int, ...] = (0,)  # one network for every β, as in the paper: a training takes long
    learning_rate: float = 1e-4  # of Adam; at the public code's 1e-3 the pretrained weights are lost within 40 steps
    precision: Literal["bfloat16", "float32"] = "bfloat16"  # of products in the backbone; bfloat16 where a CPU has it

    def __post_init__(self):
        super().__post_init__()
        if self.backbone not in get_args(Backbone):
            raise ValueError(f"backbone must be one of {get_args(Backbone)}, not {self.backbone!r}.")


PAPER_VGG13 = Config()
# Commit 7167a91: an input layer and three more, orthogonal, 10 epochs, Adam's default rate.
PAPER_CNN = replace(
    PAPER_VGG13,
    backbone="cnn",
    hidden=(1000,) * 4,
    init="orthogonal",
    betas=(0.0, 10.0),  # the ends of Table 1's row: one network takes over half an hour
    epochs=10,
    learning_rate=1e-3,
)
PAPER_CNN_BETWEEN = replace(PAPER_CNN, betas=(1.0,))

QUICK_SIZES = dict(n_train=60, n_test=20, hidden=(20,) * 3, betas=(0.0, 10.0), batch_size=20, epochs=1)
QUICK_VGG13 = replace(PAPER_VGG13, dataset="digits", weights="random", precision="float32", **QUICK_SIZES)
QUICK_CNN = replace(
    PAPER_CNN, dataset="digits", channels=(4, 8), precision="float32", **QUICK_SIZES | dict(n_train=300, epochs=3)
)
QUICK_CNN_BETWEEN = replace(QUICK_CNN, betas=(1.0,))


def data(config: Config, split: images.Split) -> tuple[Float[Tensor, "n 3 32 32"], Tensor]:
    """Return the images of a split, in [0, 1], and their classes, 0 to 9."""
    return cifar10._images(config.dataset, split, config.n_train if split == "train" else config.n_test)


def data_available(config: Config) -> bool:
    """Return True if the images are on this machine; the weights of the VGG13 come with the project."""
    return images.available(config.dataset)


def data_fingerprint(config: Config) -> str:
    """Return the fingerprint of the images, and of the VGG13's weights where training starts from them."""
    of_images = images.fingerprint(config.dataset)
    return of_images if config.backbone == "cnn" else f"{of_images} {features.fingerprint(config.weights)}"


class Network(nn.Module):
    """A backbone and the LIL on its output. The network itself is the LIL's front, from images to its inputs."""

    history: Float[Tensor, "terms epochs"]

    def __init__(self, config: Config, seed: int):
        super().__init__()
        self.backbone = _backbone(config, seed).to(memory_format=torch.channels_last).eval()
        width = features_of(config)
        self.lil = LIL((width, *config.hidden, CLASSES), seeds=[seed], init=config.init)
        self.register_buffer("history", torch.zeros(len(HISTORY), config.epochs))
        self.halved = config.precision == "bfloat16" and features.multiplies_bfloat16()

    def train(self, mode: bool = True) -> Network:
        """Stay in eval mode, in training too: the statistics of the batch norms do not change."""
        return super().train(False)

    def forward(self, x: Float[Tensor, "*lead 3 32 32"]) -> Float[Tensor, "*lead d"]:
        """Return the inputs of the LIL, in float32, of images in [0, 1]."""
        parts = []
        for piece in x.flatten(0, -4).split(features.PIECE):
            with torch.autocast("cpu", torch.bfloat16, enabled=self.halved):
                z = self.backbone(piece.mT.contiguous(memory_format=torch.channels_last))
            parts.append(z.float().flatten(1))
        return torch.cat(parts).unflatten(0, x.shape[:-3])


def features_of(config: Config) -> int:
    """Return the number of inputs of the LIL: the VGG13's 512 features, or the CNN's channels at 8 × 8 places."""
    return cifar10.FEATURES if config.backbone == "vgg13" else config.channels[-1] * 8 * 8


def _backbone(config: Config, seed: int) -> nn.Sequential:
    """Return an untrained CNN drawn from ``seed`` as PyTorch draws convolutions, or the pretrained VGG13."""
    if config.backbone == "vgg13":
        return features.convolutions(config.weights)
    generator, layers = torch.Generator().manual_seed(derived_seed(seed, 1)), []
    for inputs, outputs in zip((3, config.channels[0]), config.channels, strict=True):
        convolution = nn.utils.skip_init(nn.Conv2d, inputs, outputs, kernel_size=3, padding=1)
        bound = 1 / math.sqrt(9 * inputs)
        for parameter in convolution.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        layers += [convolution, nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers)


class Ensemble(nn.ModuleList):
    """The networks of every β and seed, each with a backbone of its own."""

    @property
    def members(self) -> int:
        """Number of networks, m."""
        return len(self)


def build(config: Config) -> Ensemble:
    """Return the untrained networks, one member each (β, seed). A seed's networks start alike."""
    return Ensemble(Network(config, seed) for _, seed in members(config))


def restore(config: Config, networks: dict[str, Tensor]) -> Ensemble:
    """Return the networks with the weights that ``train`` returned."""
    ensemble = build(config)
    ensemble.load_state_dict({name: value for name, value in networks.items() if name != SECONDS_BEFORE})
    return ensemble


def train(config: Config, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Train the networks one after another and return their weights, on the CPU.

    After an epoch, and once :data:`SPACING` seconds have passed since the last checkpoint, a network's weights and
    its optimiser's state are written to the cache folder. A call that was killed goes on from there, and returns the
    seconds until those checkpoints as :data:`SECONDS_BEFORE`, beside the weights. The checkpoints are removed in the
    end. Raises CheckpointDamaged where a byte of one has changed.
    """
    x, labels = (part.to(device) for part in data(config, "train"))
    ensemble = build(config).to(device)
    places = [_checkpoint(config, beta, seed, device) for beta, seed in members(config)]
    before = 0.0
    total = len(ensemble) * config.epochs * -(-len(x) // config.batch_size)
    for k, (network, (beta, seed)) in enumerate(zip(ensemble, members(config), strict=True)):
        first, label = k * total // len(ensemble), f"training: {config.backbone}, β = {beta:g}"

        def tell(step: int, first: int = first, label: str = label) -> None:
            progress(label, first + step, total)

        before += _train(network, x, labels, beta, seed, config, places[k], tell)  # type: ignore[arg-type]
    weights = {name: value.cpu().contiguous() for name, value in ensemble.state_dict().items()}
    for place in places:
        checkpoints.remove(place)
    return weights | {SECONDS_BEFORE: torch.tensor(before)} if before else weights


def _train(
    network: Network, x: Tensor, labels: Tensor, beta: float, seed: int, config: Config, checkpoint: Path, tell
) -> float:
    """Train one network in place with Adam on {eq}`weighted-loss`; D_M are the distances between pixels.

    Return the seconds that earlier calls trained it.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
    done, before = _load(checkpoint, network, optimizer)
    steps, started = -(-len(x) // config.batch_size), time.perf_counter()
    saved = started
    for epoch, order in enumerate(batch_orders(len(x), config.epochs, [seed])):
        if epoch < done:
            continue
        for step, chosen in enumerate(order[0].to(x.device).split(config.batch_size), start=1):
            batch, classes = x[chosen], labels[chosen]
            z = network.lil.represent(network(batch))
            logits = network.lil.classify(z)
            loss = entropy = cross_entropy(logits, classes)
            isometry = torch.zeros_like(entropy)
            if beta:
                distances, mask = pair_distances(pixels(batch)), within_class(classes)
                isometry = isometry_loss(z, distances, mask, scale=config.scale)
                loss = entropy + beta * isometry
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
            right = (logits.argmax(-1) == classes).float().mean(-1)
            network.history[:, epoch] += torch.cat((entropy, isometry, right)).detach() / steps
            tell(epoch * steps + step)
        if time.perf_counter() - saved > SPACING:
            saved = time.perf_counter()
            _save(checkpoint, network, optimizer, epoch + 1, before + saved - started)
    return before


# Checkpoints


def _checkpoint(config: Config, beta: float, seed: int, device: str) -> Path:
    """Return the file for the state of one network's training: another for other settings, data, device or module."""
    alone = asdict(replace(config, betas=(beta,), seeds=(seed,), n_test=None))
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    identity = json.dumps([alone, data_fingerprint(config), code, device])
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return cache_folder() / "partial" / f"{config.backbone}-{name}{checkpoints.SUFFIX}"


def _save(path: Path, network: Network, optimizer: torch.optim.Optimizer, epochs: int, seconds: float) -> None:
    """Write the state after some epochs, which took some seconds."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for at, parameter in enumerate(network.parameters()):
        tensors |= {f"adam.{at}.{name}": value for name, value in optimizer.state[parameter].items()}
    checkpoints.write(path, tensors, {"epochs": epochs, "seconds": seconds})


def _load(path: Path, network: Network, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
    """Restore a network and its optimiser from a checkpoint; return the epochs that it holds and their seconds.

    Without a checkpoint training starts anew: (0, 0.0).
    """
    if not path.exists():
        return 0, 0.0
    tensors, facts = checkpoints.read(path)
    network.load_state_dict(features.strip_prefix(tensors, "network."))
    for at, parameter in enumerate(network.parameters()):
        for name, value in features.strip_prefix(tensors, f"adam.{at}.").items():
            # The fused step reads parameters and moments side by side: they must lie in memory in one order.
            like = torch.empty_like(parameter) if value.ndim else torch.empty_like(value, device=parameter.device)
            optimizer.state[parameter][name] = like.detach().copy_(value)
    return facts["epochs"], facts["seconds"]
