"""Accuracy of trained networks on clean and on attacked images, as labelled arrays."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int, Integer, UInt8
from torch import Tensor

from lil import attacks, checkpoints
from lil.checks import check_betas, check_name
from lil.isometry import Reduction
from lil.models import LIL
from lil.progress import Progress, silent

OBJECTIVES = ("total", "classification")
COUNTS = ("clean", "accuracy", "zero_gradient", "change")  # kept while robustness is measured


@dataclass(frozen=True)
class Fgsm:
    """Settings of the attack, and the attacked images that are kept to look at."""

    # γ, "varying logarithmically from 0.01 to 1" ("Experiments"); that there are ten is from the public code
    epsilons: tuple[float, ...] = tuple(np.logspace(-2, 0, 10).tolist())
    batch_size: int = 100  # images whose pairs make the isometry term, as in training
    distances: attacks.Distances = "inputs"  # that this term compares; see lil.attacks.total
    pictured: tuple[int, ...] = (3, 5, 7)  # positions of the epsilons for which attacked images are kept
    pictures: int = 3  # attacked images that are kept for each of them, the set's first

    def __post_init__(self):
        attacks.check_epsilons(self.epsilons)
        check_name("distances", self.distances, attacks.Distances)
        if self.batch_size < 2:
            raise ValueError(f"batch_size must be at least 2, or there is no pair, not {self.batch_size}.")
        if not set(self.pictured) <= set(range(len(self.epsilons))):
            raise ValueError(f"pictured must be positions of the {len(self.epsilons)} epsilons, not {self.pictured}.")
        if not 0 <= self.pictures <= self.batch_size:
            raise ValueError(f"pictures must be 0 to {self.batch_size}, the batch_size, not {self.pictures}.")


FGSM = Fgsm()
"""The paper's attack."""


@dataclass(frozen=True)
class Sweep:
    """The networks for every β and seed, and the settings that they share."""

    model: LIL  # its members are (β, seed), β by β
    front: attacks.Front  # makes the inputs of the networks from images
    betas: tuple[float, ...]
    seeds: tuple[int, ...]
    scale: float  # K, with which they were trained
    reduction: Reduction = "n2"  # of the isometry term with which they were trained

    def __post_init__(self):
        check_betas(self.betas)
        check_name("reduction", self.reduction, Reduction)
        if self.model.members != math.prod(self.grid):
            raise ValueError(f"there are {self.model.members} networks for {self.grid[0]} β and {self.grid[1]} seeds.")

    @property
    def grid(self) -> tuple[int, int]:
        """Number of β and number of seeds."""
        return len(self.betas), len(self.seeds)

    def objective(self, name: str, labels: Integer[Tensor, "n"], fgsm: Fgsm) -> attacks.Objective:
        """Return one of the OBJECTIVES, on a batch with these labels. Raises ValueError for another name."""
        if name not in OBJECTIVES:
            raise ValueError(f"the objective must be one of {', '.join(OBJECTIVES)}, not {name!r}.")
        if name == "classification":
            return attacks.classification(self.model, labels)
        betas = [beta for beta in self.betas for _ in self.seeds]
        return attacks.total(
            self.model, labels, betas, scale=self.scale, reduction=self.reduction, distances=fgsm.distances
        )


@torch.no_grad()
def correct(model: LIL, inputs: Float[Tensor, "n d"], labels: Integer[Tensor, "n"]) -> Bool[Tensor, "m n"]:
    """Return True where a network classifies a point correctly."""
    labels = attacks.check_labels(labels, inputs.shape[-2])
    return model(inputs).argmax(-1) == labels


def accuracy(model: LIL, inputs: Float[Tensor, "n d"], labels: Integer[Tensor, "n"]) -> Float[Tensor, "m"]:
    """Return the share of points that each network classifies correctly."""
    return correct(model, inputs, labels).float().mean(-1)


def select(model: LIL, members: Sequence[int]) -> LIL:
    """Return a model of some of the networks alone, in that order."""
    chosen = LIL(model.sizes, seeds=[0] * len(members)).to(model.weights[0])
    chosen.load_state_dict({name: value[list(members)] for name, value in model.state_dict().items()})
    return chosen


def robustness(
    sweep: Sweep,
    x: Float[Tensor, "n c h w"],
    labels: Integer[Tensor, "n"],
    fgsm: Fgsm,
    *,
    objectives: Sequence[str] = OBJECTIVES,
    progress: Progress = silent,
    partial: Path | None = None,
) -> xr.Dataset:
    """Return the accuracy of the networks, clean and under FGSM with each of the ``objectives`` at every ε.

    ``clean`` (beta, seed) and ``accuracy`` (objective, beta, seed, epsilon) are shares of the images. Two measures of
    the attack's health stand beside them: ``zero_gradient``, the share of images whose gradient is exactly 0, so that
    nothing moves them, and ``change``, the largest change of a pixel: at most ε, but for rounding. The gradient is
    computed once for each image, network and objective. At β = 0 both objectives are equal and attacked once.

    ``partial`` is a checkpoint of the counts after each batch, from which a call that was cut off goes on. It is
    removed in the end; the seconds that earlier calls took are the attribute ``seconds_before``. Raises
    CheckpointDamaged where a byte of it has changed.
    """
    labels = attacks.check_labels(labels, len(x), sweep.model.sizes[-1])
    tally = _tally(sweep, fgsm, objectives)
    if partial is not None and partial.exists():
        tensors, facts = checkpoints.read(partial)
        tally = tally.assign(facts | {name: (tally[name].dims, tensors[name].numpy()) for name in COUNTS})
    counts = {name: tally[name].values for name in COUNTS}
    before, started = float(tally.seconds), time.perf_counter()
    steps = x.new_tensor(fgsm.epsilons).view(-1, 1, 1, 1, 1)
    networks = [select(sweep.model, [k]) for k in range(sweep.model.members)]
    shared = 0 in sweep.betas and {"total", "classification"} <= set(objectives)  # the attack at β = 0
    batches = list(zip(x.split(fgsm.batch_size), labels.split(fgsm.batch_size), strict=True))
    for images, classes in batches[int(tally.batches) :]:
        right = correct(sweep.model, sweep.front(images), classes)
        counts["clean"] += right.sum(-1).numpy(force=True).reshape(sweep.grid)
        for at, name in enumerate(objectives):
            for k, gradient in enumerate(_gradients(sweep, name, images, classes, fgsm)):
                i, j = divmod(k, len(sweep.seeds))
                if shared and name == "total" and sweep.betas[i] == 0:
                    continue
                attacked = attacks.fgsm(images, gradient.sign(), steps)
                right = predict(networks[k], sweep.front, attacked) == classes
                change = (attacked - images).abs().flatten(1).amax(1).numpy(force=True)
                counts["accuracy"][at, i, j] += right.sum(-1).numpy(force=True)
                counts["zero_gradient"][at, i, j] += int((gradient == 0).flatten(1).all(1).sum())
                np.maximum(counts["change"][at, i, j], change, out=counts["change"][at, i, j])
        tally = tally.assign(batches=tally.batches + 1, seconds=before + time.perf_counter() - started)
        if partial is not None:
            facts = {"batches": int(tally.batches), "seconds": float(tally.seconds)}
            checkpoints.write(partial, {name: torch.from_numpy(values) for name, values in counts.items()}, facts)
        progress("attacks", int(tally.batches), len(batches))
    if shared:
        for name in ("accuracy", "zero_gradient", "change"):
            tally[name].loc[dict(objective="total", beta=0)] = tally[name].sel(objective="classification", beta=0)
    if partial is not None:
        checkpoints.remove(partial)
    shares = {name: (tally[name] / len(x)).astype(np.float32) for name in ("clean", "accuracy", "zero_gradient")}
    return tally.drop_vars(["batches", "seconds"]).assign(shares).assign_attrs(seconds_before=before)


def pictures(
    sweep: Sweep,
    x: Float[Tensor, "n c h w"],
    labels: Integer[Tensor, "n"],
    fgsm: Fgsm,
    objectives: Sequence[str] = OBJECTIVES,
) -> xr.Dataset:
    """Return the first images, ``image``, and their attacked copies for the first seed's networks, ``attacked``.

    The copies are those of :func:`robustness`. Pixels are 0 to 255; ``taken_for`` is the predicted class of a copy.
    """
    images, classes = x[: fgsm.batch_size], labels[: fgsm.batch_size]
    steps = x.new_tensor([fgsm.epsilons[k] for k in fgsm.pictured]).view(-1, 1, 1, 1, 1)
    attacked, taken_for = [], []
    for name in objectives:
        for k, gradient in enumerate(_gradients(sweep, name, images, classes, fgsm)):
            if k % len(sweep.seeds) == 0:
                seen = attacks.fgsm(images, gradient.sign(), steps)[:, : fgsm.pictures]
                attacked.append(seen)
                taken_for.append(predict(select(sweep.model, [k]), sweep.front, seen))
    lead, pixel = (len(objectives), len(sweep.betas)), ("channel", "row", "column")
    shown, kept = ("objective", "beta", "pictured", "example"), slice(fgsm.pictures)
    values = {
        "image": (("example", *pixel), _bytes(images[kept])),
        "label": ("example", classes[kept].numpy(force=True).astype(np.int8)),
        "attacked": ((*shown, *pixel), _bytes(torch.stack(attacked).unflatten(0, lead))),
        "taken_for": (shown, torch.stack(taken_for).unflatten(0, lead).numpy(force=True).astype(np.int8)),
    }
    pictured = [fgsm.epsilons[k] for k in fgsm.pictured]
    return xr.Dataset(values, dict(objective=list(objectives), beta=list(sweep.betas), pictured=pictured))


def predict(network: LIL, front: attacks.Front, x: Float[Tensor, "e n c h w"]) -> Int[Tensor, "e n"]:
    """Return the class that one network alone gives each image."""
    with torch.no_grad():
        return network(front(x).flatten(0, 1)).argmax(-1).view(x.shape[:2])


def _gradients(
    sweep: Sweep, name: str, images: Float[Tensor, "n c h w"], labels: Integer[Tensor, "n"], fgsm: Fgsm
) -> Iterator[Float[Tensor, "n c h w"]]:
    """Yield the gradient of an objective on one batch, network by network."""
    return attacks.gradients(sweep.objective(name, labels, fgsm), sweep.front, images, sweep.model.members)


def _bytes(x: Float[Tensor, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Return pixels in [0, 1] as 0 to 255."""
    return (255 * x).round().numpy(force=True).astype(np.uint8)


def _tally(sweep: Sweep, fgsm: Fgsm, objectives: Sequence[str]) -> xr.Dataset:
    """Return the counts and largest changes before the first batch."""
    dims, attack = ("objective", "beta", "seed"), (len(objectives), *sweep.grid)
    by_epsilon = (*attack, len(fgsm.epsilons))
    values = {
        "clean": (dims[1:], np.zeros(sweep.grid, np.int64)),
        "accuracy": ((*dims, "epsilon"), np.zeros(by_epsilon, np.int64)),
        "zero_gradient": (dims, np.zeros(attack, np.int64)),
        "change": ((*dims, "epsilon"), np.zeros(by_epsilon, np.float32)),
        "batches": ((), 0),
        "seconds": ((), 0.0),
    }
    coords = dict(objective=objectives, beta=sweep.betas, seed=sweep.seeds, epsilon=fgsm.epsilons)
    return xr.Dataset(values, {name: list(axis) for name, axis in coords.items()})
