import inspect

import pytest
import torch

from lil import gradient_bound, lipschitz
from lil.gradient_bound import gradient_bounds, gradient_norms, softmax_slope
from lil.models import LIL

BETAS = (0.0, 1.0, 10.0)


def networks(*, gain=1.0, sizes=(3, 8, 6, 4)):
    model = LIL(sizes, seeds=(0, 1, 2)).double()
    with torch.no_grad():
        for weight in model.weights:
            weight *= gain
    return model


def points(n=24, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, generator=generator, dtype=torch.float64), torch.randint(4, (n,), generator=generator)


def local(model, x):
    return lipschitz.local_jacobian(model.represent, x.expand(model.members, -1, -1))


def is_satisfied(norms, bounds):
    return all((left <= right * (1 + 1e-12)).all() for left, right in zip(norms, bounds, strict=True))


def test_the_left_sides_are_those_of_the_losses_written_out():
    model, (x, labels) = networks(), points(10)
    found = gradient_norms(model, x, labels, BETAS, scale=3.0)
    for member, beta in enumerate(BETAS):
        at = x.clone().requires_grad_()
        z, logits = model.represent(at)[member], model(at)[member]
        classification = -sum(logits[i].log_softmax(-1)[label] for i, label in enumerate(labels)) / 10
        isometry = 0
        for i in range(10):
            for j in range(10):
                if i != j and labels[i] == labels[j]:
                    isometry = isometry + (3 * (z[i] - z[j]).norm() - (at[i] - at[j]).norm()) ** 2 / 10**2
        for loss, norms in zip((classification, isometry, classification + beta * isometry), found, strict=True):
            (gradient,) = torch.autograd.grad(loss, at, retain_graph=True)
            assert norms[member].numpy() == pytest.approx(gradient.norm(dim=-1).numpy(), rel=1e-10)


@pytest.mark.parametrize("scale", [1.0, 10.0])
@pytest.mark.parametrize("gain", [0.1, 1.0, 5.0])
def test_the_bound_holds_with_the_local_constant_and_with_the_product(gain, scale):
    model, (x, labels) = networks(gain=gain), points()
    norms = gradient_norms(model, x, labels, BETAS, scale=scale)
    upper = lipschitz.upper_product(model.weights[:-1])[:, None]
    assert is_satisfied(norms, gradient_bounds(model, x, labels, BETAS, local(model, x), scale=scale))
    assert is_satisfied(norms, gradient_bounds(model, x, labels, BETAS, upper, scale=scale))


def nearly_linear(*, inward):
    """One unit that hardly bends, x -> inward · x, and a classifier of opposite rows: nothing is lost in the bound."""
    model = LIL((1, 1, 2), seeds=(0,)).double()
    with torch.no_grad():
        model.weights[0].fill_(inward)
        model.weights[1].copy_(torch.tensor([[[3.0], [-3.0]]]))
        for bias in model.biases:
            bias.zero_()
    return model


def test_the_right_sides_are_those_of_the_bound_written_out():
    model, (x, labels), scale = networks(), points(10), 3.0
    constant = torch.tensor([[0.5], [1.0], [2.0]], dtype=torch.float64)
    found = gradient_bounds(model, x, labels, BETAS, constant, scale=scale)
    for member, beta in enumerate(BETAS):
        z, logits, rate = model.represent(x)[member], model(x)[member], float(constant[member])
        largest = torch.linalg.svdvals(list(model.weights)[-1][member])[0]  # of the classifier alone
        for i in range(10):
            slope = (logits[i].softmax(-1) - torch.eye(4, dtype=torch.float64)[labels[i]]).norm()
            partners = [j for j in range(10) if j != i and labels[j] == labels[i]]
            missing = sum(abs(scale * (z[i] - z[j]).norm() - (x[i] - x[j]).norm()) for j in partners)
            classification, isometry = rate * largest * slope / 10, 4 / 10**2 * (1 + scale * rate) * missing
            of_point = torch.stack([term[member, i] for term in found])
            expected = torch.stack([classification, isometry + 0 * slope, classification + beta * isometry])
            assert torch.allclose(of_point, expected, rtol=1e-12, atol=0)


def test_each_term_of_the_bound_is_reached():
    x, labels = torch.tensor([[-0.5], [0.5]], dtype=torch.float64), torch.tensor([1, 1])
    model = nearly_linear(inward=1e-6)
    norms = gradient_norms(model, x, labels, [1.0])
    bounds = gradient_bounds(model, x, labels, [1.0], local(model, x))
    assert torch.allclose(norms.cross_entropy, bounds.cross_entropy, rtol=1e-5)
    assert torch.allclose(norms.isometry, bounds.isometry, rtol=1e-5)


# A side of Eq. 6, and a factor of its bound as it stands in the code and as a wrong derivation would have it.
FAULTS = {
    "the Lipschitz constant": ("cross_entropy", "lipschitz * classifier", "lipschitz / 2 * classifier"),
    "the classifier": ("cross_entropy", "ord=2)[:, None]", "ord=2)[:, None] / 2"),
    "the softmax": ("cross_entropy", "labels).norm(dim=-1)", "labels).norm(dim=-1) / 2"),
    "the pair's second place in the sum": (
        "isometry",
        "4 / len(x) ** 2",
        "2 / len(x) ** 2",
    ),  # the factor for ordered pairs
    "the input's own distance": ("isometry", "(1 + scale * lipschitz)", "(scale * lipschitz)"),
}


def faulty(right, wrong):
    """The code of the bound with one factor replaced."""
    code = inspect.getsource(gradient_bound.gradient_bounds)
    assert code.count(right) == 1
    there = dict(vars(gradient_bound))
    exec(f"from __future__ import annotations\n{code.replace(right, wrong)}", there)
    return there["gradient_bounds"]


@pytest.mark.parametrize("fault", FAULTS)
def test_without_any_of_its_terms_it_is_no_bound(fault):
    """The same two points: the inequality is tight there, so that it fails without any one factor."""
    x, labels = torch.tensor([[-0.5], [0.5]], dtype=torch.float64), torch.tensor([1, 1])
    model = nearly_linear(inward=1e-6)
    part, right, wrong = FAULTS[fault]
    constant, norms = local(model, x), gradient_norms(model, x, labels, [1.0])
    assert is_satisfied(norms, gradient_bounds(model, x, labels, [1.0], constant))
    assert is_satisfied(norms, faulty(right, right)(model, x, labels, [1.0], constant))
    assert (getattr(norms, part) > getattr(faulty(right, wrong)(model, x, labels, [1.0], constant), part)).any()


@pytest.mark.parametrize("factor, ordered", [(2, True), (4, False)])
def test_two_is_the_factor_of_ordered_pairs_and_four_that_of_partners(factor, ordered):
    """The derivative of the isometry term, summed pair by pair: as in the paper, and as in the book."""
    model, (x, labels) = networks(), points(10)
    jacobian = lipschitz.jacobians(model.represent, x.expand(3, -1, -1)).detach()
    z = model.represent(x).detach()
    found = gradient_norms(model, x, labels, BETAS, scale=3.0).isometry
    for member in range(3):
        for i in range(10):
            gradient = torch.zeros(3, dtype=torch.float64)
            pairs = [(i, j) for j in range(10)] + ([(j, i) for j in range(10)] if ordered else [])
            for a, b in pairs:
                if a != b and labels[a] == labels[b]:
                    j = b if a == i else a
                    step, pulled = x[i] - x[j], z[member, i] - z[member, j]
                    missing = step.norm() - 3 * pulled.norm()
                    inner = step / step.norm() - 3 * jacobian[member, i].mT @ (pulled / pulled.norm())
                    gradient += factor / 10**2 * missing * inner
            assert gradient.norm().item() == pytest.approx(found[member, i].item(), rel=1e-9)


def test_the_constant_of_an_isometry_is_one_over_the_scale():
    """Φ = x / K as nearly as a hyperbolic tangent can: Eq. 6 holds with Λ = 1/K, and its first bound is reached."""
    x, labels = torch.tensor([[-0.5], [0.5]], dtype=torch.float64), torch.tensor([1, 1])
    model, scale = nearly_linear(inward=1e-6), 1e6
    norms = gradient_norms(model, x, labels, [1.0], scale=scale)
    bounds = gradient_bounds(model, x, labels, [1.0], torch.full((1, 1), 1 / scale, dtype=torch.float64), scale=scale)
    assert is_satisfied(norms, bounds) and norms.isometry.max() < 1e-9
    assert torch.allclose(norms.cross_entropy, bounds.cross_entropy, rtol=1e-5)
    half = gradient_bounds(model, x, labels, [1.0], torch.full((1, 1), 0.5 / scale, dtype=torch.float64), scale=scale)
    assert not is_satisfied(norms, half)


def test_a_constant_that_is_too_small_is_found_out():
    """A network that is no isometry, taken for one (Λ = 1): the gradient exceeds the bound."""
    model, (x, labels) = networks(gain=5.0), points()
    assert not is_satisfied(
        gradient_norms(model, x, labels, BETAS), gradient_bounds(model, x, labels, BETAS, torch.ones(3, 1).double())
    )


def test_the_softmax_has_a_slope_of_its_own():
    generator = torch.Generator().manual_seed(0)
    logits = (4 * torch.randn(2, 50, 6, generator=generator, dtype=torch.float64)).requires_grad_()
    labels = torch.arange(50) % 6
    loss = -logits.log_softmax(-1)[:, torch.arange(50), labels]
    (expected,) = torch.autograd.grad(loss.sum(), logits)
    found = softmax_slope(logits, labels)
    assert torch.allclose(found, expected)
    probability = logits.softmax(-1)[:, torch.arange(50), labels]
    assert (found.norm(dim=-1) <= 2**0.5 * (1 - probability) + 1e-12).all()
