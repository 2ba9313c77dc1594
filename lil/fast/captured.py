"""Training on a GPU: what :func:`lil.training.train` does, with its step recorded once and replayed.

A step of a small network is a hundred operations of microseconds, and starting one from here takes longer than the GPU
needs for it. A recorded step (a CUDA graph) is started by one call. What is recorded cannot follow the pairs of each batch:
all N² of them stand in a matrix, those that do not count with weight 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from lil import isometry, training
from lil.fast.backpropagation import Batch, Objective
from lil.models import LIL, StackedLIL
from lil.progress import Progress, silent
from lil.randomness import derived_seed
from lil.training import History, Settings

_COINCIDING = 1e-13  # squared distance up to which representations, within ±1, differ in float32's last digits alone


def train(
    model: LIL | StackedLIL,
    x: Float[Tensor, "n d"],
    labels: Int[Tensor, "labels"] | tuple[Int[Tensor, "labels"], ...],
    settings: Settings,
    *,
    betas: Sequence[float],
    seeds: Sequence[int],
    progress: Progress = silent,
) -> History:
    """Train the members of ``model`` in place, as :func:`lil.training.train` does, whose arguments and errors it has.

    All of them lie on one GPU, which is never waited for: ``progress`` is told of steps that have been sent there.
    """
    levels = tuple(model.lils) if isinstance(model, StackedLIL) else (model,)
    each_level = labels if isinstance(labels, tuple) else (labels,)
    training.check(levels, x, each_level, betas, seeds, settings)
    targets = torch.stack(each_level)
    isometry.pair_weights(isometry.pair_blocks(targets[:, :1], settings.pairs), settings.reduction)  # for their errors
    objective = MaskedObjective(
        model,
        training.sharing_of(betas, seeds, settings, x.device),
        alpha=settings.alpha,
        betas=x.new_tensor(betas),
        scale=settings.scale,
        reduction=settings.reduction,
    )
    adam = training.fused_adam(objective.parameters, objective.gradients, settings.learning_rate)
    rehearsal = training.fused_adam(
        [each.clone() for each in objective.parameters], objective.gradients, settings.learning_rate
    )
    whole = _batch(x, targets, settings) if settings.batch_size is None else None

    def batch(chosen: Tensor) -> Batch:
        return whole or _batch(x[chosen], targets[:, chosen], settings)

    def step(chosen: Tensor) -> Tensor:
        terms = objective(batch(chosen))
        adam()
        return terms

    generators = [torch.Generator().manual_seed(derived_seed(seed, 0)) for seed in dict.fromkeys(seeds)]
    lead = () if whole or len(generators) == 1 else (len(generators),)
    order = torch.arange(len(x), device=x.device).expand(*lead, -1)
    parts = order.split(settings.batch_size or len(x), -1)
    recorded = {}
    for size, part in {part.shape[-1]: part for part in (parts[0], parts[-1])}.items():
        objective(batch(part))  # what torch sets up at the first call of an operation cannot be recorded
        rehearsal()
        recorded[size] = _Recorded(step, part.clone())
    steps, done = settings.epochs * len(parts), 0
    history = x.new_zeros(2, settings.epochs, len(levels), len(betas))
    for epoch in range(settings.epochs):
        if not whole:
            order = _drawn(len(x), generators).to(x.device, non_blocking=True).view(order.shape)
        for part in order.split(parts[0].shape[-1], -1):
            history[:, epoch].add_(recorded[part.shape[-1]](part))
            done += 1
            if done * training.REPORTS // steps > (done - 1) * training.REPORTS // steps:
                progress("training", done, steps)
    return History(*(history / len(parts)).cpu())


class _Recorded:
    """A step that is recorded once, for the points whose numbers lie in ``chosen``, and replayed for others."""

    def __init__(self, step: Callable[[Tensor], Tensor], chosen: Int[Tensor, "*s b"]):
        self.chosen, self.graph = chosen, torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=_stream(chosen.device)):
            self.terms = step(chosen)

    def __call__(self, chosen: Int[Tensor, "*s b"]) -> Float[Tensor, "2 levels m"]:
        self.chosen.copy_(chosen)
        self.graph.replay()
        return self.terms


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    """Where steps are recorded: torch keeps memory for the products of every stream that has seen one."""
    return torch.cuda.Stream(device)


def _drawn(n: int, generators: Sequence[torch.Generator]) -> Int[Tensor, "s n"]:
    """The order of an epoch's points, of each seed's own, in memory from which a GPU copies without being waited for."""
    order = torch.empty(len(generators), n, dtype=torch.int64, pin_memory=torch.cuda.is_available())
    for row, generator in zip(order, generators, strict=True):
        torch.randperm(n, generator=generator, out=row)
    return order


class MaskedObjective(Objective):
    """With batches as :func:`_batch` makes them: the number of operations does not depend on their classes."""

    def _isometry(self, batch: Batch, z: Tensor, back: Tensor, losses: Tensor) -> None:
        active = self.sharing.active
        losses[:, active], along = isometry_and_gradient(
            z.mT[:, active], batch.x_dist.unsqueeze(-3), batch.blocks.unsqueeze(-3), self.scale
        )
        back[:, active] += (self.betas[..., None, None] * along).mT


def isometry_and_gradient(
    z: Float[Tensor, "*batch n d"],
    x_dist: Float[Tensor, "*#batch n n"],
    weights: Float[Tensor, "*#batch n n"],
    scale: float,
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch n d"]]:
    """What :func:`lil.isometry.isometry_loss` defines, for representations within ±1, and its gradient along them.

    Distances come from products of matrices, and so does the gradient: Σⱼ cᵢⱼ (zᵢ − zⱼ) = (Σⱼ cᵢⱼ) zᵢ − Σⱼ cᵢⱼ zⱼ. The
    products are in double precision, for single precision would leave nothing of the differences of close points.
    """
    distance = F.threshold(_squares(z), _COINCIDING, 0.0).sqrt()
    missing = torch.sub(x_dist, distance, alpha=scale)
    weighted = weights * missing
    pushes = torch.where(distance > 0, weighted / distance, 0.0)
    sums = pushes.double() @ torch.cat((z, torch.ones_like(z[..., :1])), -1).double()
    along = sums[..., :-1] - sums[..., -1:] * z
    return (weighted * missing).sum((-1, -2)), (4 * scale * along).to(z.dtype)


def ordered_weights(
    labels: Int[Tensor, "*batch n"], kind: str, reduction: str, dtype: torch.dtype
) -> Float[Tensor, "*batch n n"]:
    """The weight of every ordered pair: 0 where it does not count, else as in :func:`lil.isometry.pair_weights`."""
    group = torch.zeros_like(labels) if kind == "all" else labels
    counts = (group[..., None] == group[..., None, :]).to(dtype)
    counts.diagonal(dim1=-2, dim2=-1).zero_()
    return counts / (labels.shape[-1] ** 2 if reduction == "n2" else counts.sum((-1, -2), keepdim=True).clamp(min=1))


def _batch(x: Float[Tensor, "*s n d"], labels: Int[Tensor, "levels *s n"], settings: Settings) -> Batch:
    """A batch with all distances for ``x_dist``, and for its blocks the weights of all pairs."""
    weights = ordered_weights(labels, settings.pairs, settings.reduction, x.dtype)
    return Batch(x, labels, weights, _squares(x).clamp(min=0).sqrt())


def _squares(z: Float[Tensor, "*batch n d"]) -> Float[Tensor, "*batch n n"]:
    """All squared distances, |zᵢ|² + |zⱼ|² − 2 zᵢ·zⱼ, as one product, with errors of a few 10⁻¹⁶ of the largest."""
    centred = z.double() - z.double().mean(-2, keepdim=True)
    square = centred.square().sum(-1, keepdim=True)
    one = torch.ones_like(square)
    return (torch.cat((-2 * centred, square, one), -1) @ torch.cat((centred, one, square), -1).mT).to(z.dtype)
