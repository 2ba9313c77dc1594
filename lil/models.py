"""Locally isometric layers: architecture only. Networks of one shape are held together, with a leading member axis.

"Experiments" of the paper writes a network as [D, 20, 20, 20, 20, C]: D inputs, four hidden layers of hyperbolic
tangents, C outputs of a linear classifier. Its representation Φ is the last hidden layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer, Shaped
from torch import Tensor, nn

Init = Literal["default", "orthogonal"]


class LIL(nn.Module):
    """m networks of equal sizes, one for each seed; member k is the network that its seed makes alone.

    ``weights[l]`` is (m, out, in) and ``biases[l]`` (m, out), the classifier's being the last. They are trained
    into locally isometric layers by :func:`lil.training.train`.
    """

    def __init__(self, sizes: Sequence[int], *, seeds: Sequence[int], init: str = "default"):
        """``sizes``: inputs, hidden layers, classes; at least one hidden layer.

        ``init`` "default" draws every layer as ``torch.nn.Linear`` does, uniformly within ±1/√inputs; "orthogonal"
        makes the weights of all hidden layers but the first orthogonal, as the public code does for MNIST.
        """
        super().__init__()
        self.sizes = tuple(int(size) for size in sizes)
        if len(self.sizes) < 3 or min(self.sizes) < 1:
            raise ValueError(f"sizes must be inputs, at least one hidden layer and classes, all ≥ 1, not {self.sizes}.")
        if not (seeds := list(seeds)):
            raise ValueError("seeds are empty: an ensemble needs at least one member.")
        if init not in get_args(Init):
            raise ValueError(f"init must be one of {get_args(Init)}, not {init!r}.")
        weights, biases = zip(*(_draw(self.sizes, seed, init) for seed in seeds), strict=True)  # of each member
        self.weights = nn.ParameterList(map(torch.stack, zip(*weights, strict=True)))
        self.biases = nn.ParameterList(map(torch.stack, zip(*biases, strict=True)))

    @property
    def members(self) -> int:
        """Number of networks, m."""
        return len(self.weights[0])

    def represent(self, x: Float[Tensor, "*m n d"]) -> Float[Tensor, "m n width"]:
        """Return Φ(x), the last hidden layer of every member. x is (n, D), shared, or (m, n, D), each its own."""
        return self.hidden(x)[-1]

    def hidden(self, x: Float[Tensor, "*m n d"]) -> list[Float[Tensor, "m n width"]]:
        """Return all hidden layers in order, F¹(x) to Φ(x)."""
        self.check(x)
        layers = []
        for layer in range(len(self.sizes) - 2):
            x = torch.tanh(_affine(x, self.weights[layer], self.biases[layer]))
            layers.append(x)
        return layers

    def classify(self, z: Float[Tensor, "m n width"]) -> Float[Tensor, "m n classes"]:
        """Return the logits that the linear classifier reads off the representation."""
        self.check(z, "z")
        return _affine(z, self.weights[-1], self.biases[-1])

    def forward(self, x: Float[Tensor, "*m n d"]) -> Float[Tensor, "m n classes"]:
        """Return the logits of x."""
        return self.classify(self.represent(x))

    def check(self, x: Shaped[Tensor, "..."], name: str = "x") -> None:
        """Raise ValueError for inputs x, or representations z, that have not the shape and type of the weights."""
        if not isinstance(x, Tensor):
            raise TypeError(f"{name} must be a tensor: torch.as_tensor makes one of arrays and lists.")
        weight, autocast = self.weights[0 if name == "x" else -1], (torch.float32, torch.bfloat16, torch.float16)
        if x.ndim not in (2, 3) or x.shape[-1] != weight.shape[-1] or (x.ndim == 3 and len(x) != len(weight)):
            raise ValueError(
                f"{name} has shape {tuple(x.shape)}: it must be (n, {weight.shape[-1]}), shared by all members, or "
                f"({len(weight)}, n, {weight.shape[-1]}), each member's own."
            )
        if x.dtype != weight.dtype and not (x.dtype in autocast and torch.is_autocast_enabled(x.device.type)):
            raise ValueError(f"{name} is {x.dtype} and the weights are {weight.dtype}: convert one of them.")


class StackedLIL(nn.Module):
    """LILs on top of one another, each with its own classification layer and its own labels, coarse to fine.

    "Locally isometric layers and hierarchical representations": gradients of a LIL stop at its input, the
    representation of the LIL before it. ``stop_gradient=False`` lets them through to all earlier ones, the relaxation
    that the paper allows.
    """

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        classes: Sequence[int],
        *,
        seeds: Sequence[int],
        stop_gradient: bool = True,
    ):
        """``classes``: of each level, coarse to fine. All have the ``hidden`` sizes and a stream of the seed."""
        super().__init__()
        if not classes or not hidden:
            raise ValueError("classes or hidden are empty: a stack needs at least one LIL, and that a hidden layer.")
        below = [inputs, *[hidden[-1]] * (len(classes) - 1)]
        self.lils = nn.ModuleList(
            LIL((size, *hidden, count), seeds=[derived_seed(seed, level) for seed in seeds])
            for level, (size, count) in enumerate(zip(below, classes, strict=True))
        )
        self.stop_gradient = stop_gradient

    @property
    def members(self) -> int:
        """Number of stacks, m."""
        return self.lils[0].members  # type: ignore[return-value]

    def represent(self, x: Float[Tensor, "*m n d"]) -> tuple[Float[Tensor, "m n width"], ...]:
        """Return the representation of each level, of every member."""
        levels = []
        for lil in self.lils:
            z = lil.represent(x)  # type: ignore[operator]
            levels.append(z)
            x = z.detach() if self.stop_gradient else z
        return tuple(levels)

    def classify(self, levels: tuple[Float[Tensor, "m n width"], ...]) -> tuple[Float[Tensor, "m n classes"], ...]:
        """Return the logits of each level."""
        return tuple(lil.classify(z) for lil, z in zip(self.lils, levels, strict=True))  # type: ignore[operator]

    def forward(self, x: Float[Tensor, "*m n d"]) -> tuple[Float[Tensor, "m n classes"], ...]:
        """Return the logits of each level of x."""
        return self.classify(self.represent(x))


def cross_entropy(logits: Float[Tensor, "m n c"], labels: Integer[Tensor, "*m n"]) -> Float[Tensor, "m"]:
    """Return L_CSE of each member: the mean of the cross-entropies of its points. Labels are shared, or (m, n)."""
    return cross_entropies(logits, labels).mean(-1)


def cross_entropies(logits: Float[Tensor, "m n c"], labels: Integer[Tensor, "*m n"]) -> Float[Tensor, "m n"]:
    """Return the softmax's cross-entropy of each point. Raises ValueError for labels that are no integers."""
    if not torch.can_cast(labels.dtype, torch.int64):
        raise ValueError(f"labels are {labels.dtype}: number the classes by integers.")
    return F.cross_entropy(logits.mT, labels.long().expand(logits.shape[:-1]), reduction="none")


def _affine(
    x: Float[Tensor, "*m n d"], weight: Float[Tensor, "m out d"], bias: Float[Tensor, "m out"]
) -> Float[Tensor, "m n out"]:
    """Return x Wᵀ + b for each member, computed as (W xᵀ + b)ᵀ: it keeps points next to one another in memory."""
    if x.ndim == 2:  # baddbmm would copy x for each member
        return torch.bmm(weight, x.mT.expand(len(weight), -1, -1)).add_(bias[..., None]).mT
    return torch.baddbmm(bias[..., None], weight, x.mT).mT


def derived_seed(seed: int, *stream: int) -> int:
    """Return a seed for one of the streams of ``seed`` (≥ 0); different streams are independent of each other.

    numpy's SeedSequence mixes the numbers, so that neither neighbouring seeds nor neighbouring streams are alike.
    """
    if seed < 0:
        raise ValueError(f"seeds must be ≥ 0, not {seed}.")
    return int(np.random.SeedSequence((seed, *stream)).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _draw(sizes: tuple[int, ...], seed: int, init: str) -> tuple[list[Tensor], list[Tensor]]:
    """Draw the initial weights and biases of one network."""
    generator = torch.Generator().manual_seed(seed)
    weights, biases = [], []
    last = len(sizes) - 2
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        bound = 1 / math.sqrt(inputs)
        weight = torch.empty(outputs, inputs).uniform_(-bound, bound, generator=generator)
        if init == "orthogonal" and 0 < layer < last:
            nn.init.orthogonal_(weight, generator=generator)
        weights.append(weight)
        biases.append(torch.empty(outputs).uniform_(-bound, bound, generator=generator))
    return weights, biases
