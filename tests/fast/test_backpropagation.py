"""The gradient that is written out, against automatic differentiation of the loss as it is defined."""

import pytest
import torch
from lil.fast.backpropagation import Batch, Objective, Sharing

from lil.isometry import isometry_loss, pair_blocks, pair_distances
from lil.models import LIL, StackedLIL, cross_entropy

ALPHA, SCALE = 0.7, 1.5
N, D = 12, 3


def generator():
    return torch.Generator().manual_seed(0)


def single():
    return LIL((D, 5, 4, 2), seeds=[1, 2, 3, 4])


def stack(stop_gradient):
    return StackedLIL(D, (5, 4), (2, 3), seeds=[1, 2, 3, 4], stop_gradient=stop_gradient)


MODELS = {"one": single, "stack": lambda: stack(True), "connected stack": lambda: stack(False)}
BETAS = torch.tensor([0.0, 0.5, 2.0, 2.0])
SHARED = Sharing(None, slice(1, 4))
OF_SEEDS = Sharing(torch.tensor([0, 1, 0, 1]), torch.tensor([[2], [3]]))  # two seeds; of each one member has β > 0


def batch(model, batches):
    levels = len(model.lils) if isinstance(model, StackedLIL) else 1
    x = torch.randn(*batches, N, D, generator=generator())
    labels = torch.randint(2, (levels, *batches, N), generator=generator())
    blocks = pair_blocks(labels)
    return Batch(x, labels, blocks, pair_distances(x.expand(levels, *x.shape), blocks))


def defined(model, of, sharing, betas, reduction):
    """Terms and gradients by autograd: every level and member from the isometry loss and torch's cross-entropy."""
    x = of.x if sharing.of_member is None else of.x[sharing.of_member]
    z = model.represent(x)
    logits = model.classify(z)
    z, logits = ((z,), (logits,)) if isinstance(model, LIL) else (z, logits)
    terms = torch.zeros(2, len(z), model.members)
    objective = 0.0
    for level in range(len(z)):
        for member in range(model.members):
            seed = None if sharing.of_member is None else int(sharing.of_member[member])
            labels = of.labels[level] if seed is None else of.labels[level, seed]
            points = of.x if seed is None else of.x[seed]
            blocks = pair_blocks(labels)
            crosses = cross_entropy(logits[level][member][None], labels)[0]
            isometry = isometry_loss(
                z[level][member], pair_distances(points, blocks), blocks, scale=SCALE, reduction=reduction
            )
            if betas[member] > 0:
                terms[1, level, member] = isometry.detach()
                objective = objective + betas[member] * isometry
            terms[0, level, member] = crosses.detach()
            objective = objective + ALPHA * crosses
    return terms, torch.autograd.grad(objective, list(model.parameters()))


@pytest.mark.parametrize("reduction", ["n2", "pairs"])
@pytest.mark.parametrize(
    "sharing, betas, batches",
    [
        (SHARED, BETAS, ()),
        (OF_SEEDS, torch.tensor([0.0, 0.0, 3.0, 3.0]), (2,)),
        (Sharing(None, None), torch.zeros(4), ()),
    ],
    ids=["shared", "of seeds", "without isometry"],
)
@pytest.mark.parametrize("kind", MODELS)
def test_it_is_what_autograd_gives(kind, sharing, betas, batches, reduction):
    model = MODELS[kind]()
    of = batch(model, batches)
    objective = Objective(model, sharing, alpha=ALPHA, betas=betas, scale=SCALE, reduction=reduction)
    terms, gradients = defined(model, of, sharing, betas, reduction)
    assert torch.allclose(objective(of), terms, atol=1e-6)
    for found, right in zip(objective.gradients, gradients, strict=True):
        assert torch.allclose(found, right, atol=1e-6), kind


def test_without_connection_a_level_gets_nothing_from_those_above():
    """Else the comparison above would hold for both kinds of stack alike."""
    gradients = {}
    for stop in (True, False):
        model = stack(stop)
        objective = Objective(model, SHARED, alpha=ALPHA, betas=BETAS, scale=SCALE, reduction="n2")
        objective(batch(model, ()))
        gradients[stop] = objective.gradients[0]
    assert not torch.allclose(*gradients.values(), atol=1e-4)


def test_calls_do_not_add_up_and_batches_may_differ_in_size():
    model = single()
    objective = Objective(model, SHARED, alpha=ALPHA, betas=BETAS, scale=SCALE, reduction="n2")
    of = batch(model, ())
    few = Batch(of.x[:6], of.labels[:, :6], pair_blocks(of.labels[:, :6]), None)
    few = few._replace(x_dist=pair_distances(few.x[None], few.blocks))
    objective(of)
    first = [gradient.clone() for gradient in objective.gradients]
    objective(few)
    objective(of)
    assert all(map(torch.equal, objective.gradients, first))


def test_it_reads_the_parameters_as_they_are():
    """They are changed in place by the optimiser."""
    model = single()
    objective = Objective(model, SHARED, alpha=ALPHA, betas=BETAS, scale=SCALE, reduction="n2")
    of = batch(model, ())
    before = objective(of)
    with torch.no_grad():
        for parameter in objective.parameters:
            parameter.mul_(0.5)
    terms, _ = defined(model, of, SHARED, BETAS, "n2")
    assert torch.allclose(objective(of), terms, atol=1e-6) and not torch.allclose(before, terms, atol=1e-3)
