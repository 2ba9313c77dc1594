"""Training on a GPU: the step of :func:`lil.training.train`, captured once as a CUDA graph and replayed.

A step of a small network is a hundred operations of microseconds, and starting one from Python takes longer than the
GPU needs for it. A captured step is started by one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lil import isometry, training
from lil.models import LIL, StackedLIL, cross_entropy
from lil.progress import Progress, silent
from lil.training import History, Labels, Settings

Step = Callable[[Int[Tensor, "*m b"]], Float[Tensor, "2 levels m"]]
"""From the positions of a batch's points to the terms of the loss, before a step along its gradient."""


def train(
    model: LIL | StackedLIL,
    x: Float[Tensor, "n d"],
    labels: Labels,
    settings: Settings,
    *,
    betas: Sequence[float],
    seeds: Sequence[int],
    progress: Progress = silent,
) -> History:
    """Train the members of ``model`` in place, as :func:`lil.training.train` does, whose arguments and errors it has.

    Everything lies on one GPU, for which nothing here waits: ``progress`` counts the steps that were sent to it.
    """
    targets, beta = training.check(model, x, labels, settings, betas, seeds), x.new_tensor(betas)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, capturable=x.is_cuda)

    def step(chosen: Int[Tensor, "*m b"]) -> Float[Tensor, "2 levels m"]:
        entropies, isometries = losses(model, x[chosen], targets[:, chosen], settings)
        isometries = torch.where(beta > 0, isometries, 0)
        optimizer.zero_grad()
        (settings.alpha * entropies + beta * isometries).sum().backward()
        optimizer.step()
        return torch.stack((entropies, isometries)).detach()

    everything, size = torch.arange(len(x), device=x.device), settings.batch_size or len(x)
    orders = (
        training.batch_orders(len(x), settings.epochs, seeds) if settings.batch_size else [everything] * settings.epochs
    )
    replays, done, steps = {}, 0, -(-len(x) // size)
    history = x.new_zeros(2, settings.epochs, len(targets), len(betas))
    for epoch, order in enumerate(orders):
        for chosen in order.to(x.device).split(size, -1):
            if chosen.shape[-1] not in replays:
                replays[chosen.shape[-1]] = captured(step, chosen, model, optimizer)
            history[:, epoch].add_(replays[chosen.shape[-1]](chosen))
            done += 1
            progress("training", done, settings.epochs * steps)
    return History(*(history / steps).cpu())


def losses(
    model: LIL | StackedLIL, x: Float[Tensor, "*m b d"], targets: Int[Tensor, "levels *m b"], settings: Settings
) -> tuple[Float[Tensor, "levels m"], Float[Tensor, "levels m"]]:
    """Return what :func:`lil.training.losses` does, without its search for values that are not finite.

    That search waits for the GPU, which a capture cannot.
    """
    z = model.represent(x)
    logits = model.classify(z)
    if isinstance(model, LIL):
        z, logits = (z,), (logits,)
    x_dist, masks = isometry.euclidean(x, x), isometry.within_class(targets, settings.pairs)
    isometries = [
        isometry.reduce_pairs(
            isometry.mismatch(isometry.euclidean(of_level, of_level), x_dist, settings.scale), mask, settings.reduction
        )
        for of_level, mask in zip(z, masks, strict=True)
    ]
    entropies = [cross_entropy(*level) for level in zip(logits, targets, strict=True)]
    return torch.stack(entropies), torch.stack(isometries)


def captured(step: Step, chosen: Int[Tensor, "*m b"], model: torch.nn.Module, optimizer: torch.optim.Adam) -> Step:
    """Return the step as one call for any batch of this size; where nothing can be captured, the step itself."""
    if not chosen.is_cuda:
        return step
    static, graph, stream = chosen.clone(), torch.cuda.CUDAGraph(), torch.cuda.Stream(chosen.device)
    with torch.no_grad():
        kept = [each.clone() for each in model.parameters()]
        moments = {
            key: {name: value.clone() for name, value in state.items()} for key, state in optimizer.state.items()
        }
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        step(static)  # a rehearsal: libraries set themselves up at a first call, which cannot be captured
    torch.cuda.current_stream().wait_stream(stream)
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), kept, strict=True):
            parameter.copy_(value)
        for key, state in optimizer.state.items():
            for name, value in state.items():
                value.copy_(moments[key][name]) if key in moments else value.zero_()
    with torch.cuda.graph(graph, stream=stream):
        terms = step(static)

    def replay(chosen: Int[Tensor, "*m b"]) -> Float[Tensor, "2 levels m"]:
        static.copy_(chosen)
        graph.replay()
        return terms

    return replay
