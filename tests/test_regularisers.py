import pytest
import torch
from torch import nn

from lil import attacks
from lil.models import LIL, cross_entropy
from lil.regularisers import Adversarial, Jacobian, Regulariser, SpectralNorm, WeightDecay, squared_projections

SEEDS = (0, 0, 3)  # two members of one seed and one of another


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3, 6, 5, generator=generator, dtype=torch.float64)
    return x, torch.randint(4, (3, 6), generator=generator)


def network(seeds=SEEDS):
    return LIL((5, 8, 7, 4), seeds=seeds).double()


def frobenius(model, k, x):
    """‖J‖²_F of member k at each point, by torch's own Jacobian."""

    def logits(point):
        return model(point.expand(model.members, 1, -1))[k, 0]

    return torch.stack([torch.autograd.functional.jacobian(logits, point).square().sum() for point in x])


def test_projections_on_a_basis_make_the_jacobian_exactly(batch):
    model, (x, _) = network(), batch
    x = x.requires_grad_()
    logits = model(x)
    basis = torch.eye(4, dtype=x.dtype)[:, None, None].expand(4, 3, 6, 4)
    found = sum(squared_projections(logits, x, directions) for directions in basis)
    for k in range(3):
        assert found[k].detach() == pytest.approx(frobenius(model, k, x[k].detach()), rel=1e-9)


def test_the_jacobian_s_penalty_is_its_squared_norm_on_average(batch):
    model, (x, labels) = network(), batch
    strengths = (0.5, 2.0, 1.0)
    regulariser = Jacobian(model, strengths, SEEDS)
    plain = cross_entropy(model(x), labels)
    many = torch.stack([(regulariser.loss(x, labels) - plain).detach() for _ in range(800)])
    for k, strength in enumerate(strengths):
        expected = strength / 2 * frobenius(model, k, x[k]).mean()
        assert float(many[:, k].mean()) == pytest.approx(float(expected), abs=4 * float(many[:, k].std()) / 800**0.5)
        assert float(many[:, k].std()) / 800**0.5 < 0.03 * float(expected)


def test_the_jacobian_s_penalty_reaches_the_weights(batch):
    """Its derivative is that of a difference quotient, through both backward passes."""
    model, (x, labels) = network(), batch
    weight = model.weights[1]

    def loss():
        return Jacobian(model, (3.0, 3.0, 3.0), SEEDS).loss(x, labels).sum()  # drawn anew, and so the same

    (gradient,) = torch.autograd.grad(loss(), weight)
    with torch.no_grad():
        before, step = weight[2, 1, 4].item(), 1e-5
        weight[2, 1, 4] = before + step
    above = loss().item()
    with torch.no_grad():
        weight[2, 1, 4] = before - step
    assert float(gradient[2, 1, 4]) == pytest.approx((above - loss().item()) / (2 * step), rel=1e-5)


def test_spectral_normalisation_is_torch_s(batch):
    """The same logits and gradients as torch's parametrisation of one layer after another, both past convergence."""
    model, (x, labels) = network((3,)), batch
    regulariser = SpectralNorm(model, (1.0,), (3,))
    for _ in range(50):
        regulariser.normalise()
    regulariser.loss(x[2:], labels[2:]).sum().backward()
    layers = []
    for weight, bias in zip(model.weights, model.biases, strict=True):
        layer = nn.Linear(*weight.shape[:0:-1]).double()
        layer.weight.data, layer.bias.data = weight[0].detach().clone(), bias[0].detach().clone()
        layers += [nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=50), nn.Tanh()]
    nn.functional.cross_entropy(nn.Sequential(*layers[:-1])(x[2]), labels[2]).backward()
    for weight, layer in zip(model.weights, layers[::2], strict=True):
        expected = layer.parametrizations.weight.original.grad
        assert weight.grad[0].flatten() == pytest.approx(expected.flatten(), rel=1e-5, abs=1e-8)


def test_spectral_normalisation_ends_with_the_norms_asked_for():
    model, norms = network(), (0.5, 1.0, 3.0)
    regulariser = SpectralNorm(model, norms, SEEDS)
    worked_with = regulariser.normalise()
    regulariser.finish()
    for layer, weight in enumerate(model.weights):
        singular = torch.linalg.svdvals(weight.detach())[:, 0]
        assert singular == pytest.approx(torch.tensor(norms, dtype=singular.dtype), rel=1e-9)
        assert weight.detach().flatten() == pytest.approx(worked_with[f"weights.{layer}"].detach().flatten(), rel=1e-6)


def test_the_power_iteration_follows_weights_that_change():
    model = network()
    regulariser = SpectralNorm(model, (1.0, 1.0, 1.0), SEEDS)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.weights:
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=weight.dtype))
    norms = [torch.linalg.matrix_norm(regulariser.normalise()["weights.0"], ord=2).detach() for _ in range(200)]
    assert (norms[0] > 1.001).any() and norms[-1] == pytest.approx(torch.ones(3, dtype=torch.float64), rel=1e-6)


def test_weight_decay_is_adamw_s(batch):
    x, labels = batch
    ours, theirs = network(), [network((seed,)) for seed in SEEDS]
    strengths, rate = (0.0, 0.5, 20.0), 1e-2
    regulariser = WeightDecay(ours, strengths, SEEDS)
    adam = torch.optim.Adam(ours.parameters(), lr=rate)
    for _ in range(5):
        adam.zero_grad()
        regulariser.loss(x, labels).sum().backward()
        regulariser.before_step(rate)
        adam.step()
    for k, (model, strength) in enumerate(zip(theirs, strengths, strict=True)):
        adamw = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=strength)
        for _ in range(5):
            adamw.zero_grad()
            cross_entropy(model(x[k : k + 1]), labels[k : k + 1]).sum().backward()
            adamw.step()
        for mine, other in zip(ours.parameters(), model.parameters(), strict=True):
            assert mine[k].detach().flatten() == pytest.approx(other[0].detach().flatten(), rel=1e-9, abs=1e-12)


def test_attacked_images_stay_in_their_ball_and_in_the_bounds_of_a_pixel(batch):
    model, (x, labels) = network(), batch
    epsilons = torch.tensor([0.0, 0.1, 0.6], dtype=x.dtype)
    for steps, reach in ((1, 1.25), (5, 2.5)):
        moved = Adversarial(model, epsilons.tolist(), SEEDS, steps=steps, reach=reach).attack(x, labels)
        change = (moved - x).abs().flatten(1).amax(1)
        assert (change <= epsilons + 1e-12).all() and change[1] == pytest.approx(0.1)
        assert moved.min() == 0 and moved.max() == 1  # 0.6 reaches both
        assert torch.equal(moved[0], x[0])


def test_attacked_images_are_worse_than_where_they_started_and_more_steps_worse_than_one(batch):
    model, (x, labels) = network(), batch
    strengths = (0.2, 0.2, 0.2)

    def left(**how):
        moved = Adversarial(model, strengths, SEEDS, **how).attack(x, labels)
        return cross_entropy(model(moved), labels).detach()

    start, one, many = left(steps=0, reach=0.0), left(steps=1, reach=1.25), left(steps=20, reach=2.5)
    assert (start < one).all() and (one <= many + 1e-9).all()


def test_the_attack_starts_at_random_in_its_ball(batch):
    model, (x, labels) = network(), batch
    epsilon = torch.tensor([0.0, 0.1, 0.6], dtype=x.dtype).view(-1, 1, 1)
    drawn = Regulariser(network(), (0.0, 0.1, 0.6), SEEDS).draw(torch.rand, *x.shape[1:])
    start = Adversarial(model, (0.0, 0.1, 0.6), SEEDS, steps=0, reach=0.0).attack(x, labels)
    assert torch.allclose(start, (x + epsilon * (2 * drawn - 1)).clamp(0, 1), rtol=0, atol=1e-12)
    assert (start[1:] > x[1:]).any() and (start[1:] < x[1:]).any()


def test_many_steps_are_the_attacks_own_from_the_same_start(batch):
    model, (x, labels) = network((3,)), batch
    moved = Adversarial(model, (0.2,), (3,), steps=20, reach=2.5).attack(x[2:], labels[2:])[0]
    network_alone = model.requires_grad_(False)
    images = x[2][:, None, None]
    found = attacks.attack(
        network_alone,
        lambda one: one.flatten(-3),
        attacks.classification(network_alone, labels[2]),
        images,
        labels[2],
        epsilon=0.2,
        step_size=0.2 / 8,
        steps=200,
    )
    worst = cross_entropy(model(found.x[0].flatten(1)), labels[2])
    assert cross_entropy(model(moved), labels[2]) == pytest.approx(worst, rel=0.02)


@pytest.mark.parametrize("make", [Jacobian, WeightDecay, lambda *members: Adversarial(*members, steps=3, reach=2.5)])
def test_without_strength_it_is_the_cross_entropy(batch, make):
    model, (x, labels) = network(), batch
    regulariser = make(model, (0.0, 0.0, 0.0), SEEDS)
    plain = Regulariser(model, (0.0, 0.0, 0.0), SEEDS).loss(x, labels)
    assert torch.equal(regulariser.loss(x, labels), plain)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    regulariser.before_step(0.1)
    regulariser.finish()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_what_is_drawn_is_shared_by_a_seed_s_members_and_the_same_alone():
    regulariser = Regulariser(network(), (1.0, 2.0, 3.0), SEEDS)
    together = regulariser.draw(torch.rand, 4, 2)
    alone = Regulariser(network((3,)), (1.0,), (3,)).draw(torch.rand, 4, 2)
    assert torch.equal(together[0], together[1]) and not torch.equal(together[0], together[2])
    assert torch.equal(together[2], alone[0])
    assert not torch.equal(regulariser.draw(torch.rand, 4, 2), together)
