import inspect
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from lil import attacks, engine, evaluation, stronger_attacks
from lil.datasets import images
from lil.models import LIL

with warnings.catch_warnings():  # foolbox imports a name that scipy will drop
    warnings.simplefilter("ignore", DeprecationWarning)
    import foolbox

N, PIXELS = 6, 6


def flatten(x):
    return x.flatten(-3)


@pytest.fixture(params=[(1, 2, 3), (3, 1, 2)], ids=["one channel", "three channels"])
def batch(request):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(N, *request.param, generator=generator, dtype=torch.float64)
    return x, torch.tensor([0, 1, 0, 2, 1, 0])


@pytest.fixture
def model():
    return LIL((PIXELS, 6, 5, 3), seeds=(0, 1, 2)).double()


def numerical(loss, x, step=1e-6):
    """Central differences, coordinate by coordinate."""
    gradient = torch.empty_like(x)
    for k in range(x.numel()):
        here = torch.zeros(x.numel(), dtype=x.dtype)
        here[k] = step
        here = here.view_as(x)
        gradient.view(-1)[k] = (loss(x + here) - loss(x - here)) / (2 * step)
    return gradient


def looped_total(model, member, front, x, labels, beta, scale, distances="inputs"):
    """Cross-entropy plus β times the isometry loss of one network, by loops over points and pairs."""
    inputs = front(x)
    z = inputs
    for weight, bias in zip(model.weights[:-1], model.biases[:-1], strict=True):
        z = torch.tanh(z @ weight[member].T + bias[member])
    logits = z @ model.weights[-1][member].T + model.biases[-1][member]
    loss = sum(-torch.log_softmax(logits[i], 0)[labels[i]] for i in range(len(x))) / len(x)
    kept = inputs if distances == "inputs" else flatten(x)
    for i in range(len(x)):
        for j in range(len(x)):
            if labels[i] == labels[j] and i != j:
                z_dist, x_dist = (z[i] - z[j]).pow(2).sum().sqrt(), (kept[i] - kept[j]).pow(2).sum().sqrt()
                loss = loss + beta / len(x) ** 2 * (scale * z_dist - x_dist) ** 2
    return loss


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_the_total_objective_differentiates_both_distances(model, batch, scale):
    x, labels = batch
    betas = (0.0, 0.5, 10.0)
    found = attacks.gradients(attacks.total(model, labels, betas, scale=scale), flatten, x, 3)
    for member, (beta, gradient) in enumerate(zip(betas, found, strict=True)):
        expected = numerical(lambda x, k=member, b=beta: looped_total(model, k, flatten, x, labels, b, scale), x)
        assert gradient.numpy() == pytest.approx(expected.detach().numpy(), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("distances", ["inputs", "pixels"])
def test_the_total_objective_behind_a_front_of_its_own(batch, distances):
    """Features instead of pixels, and the distances of either: the front's own slope belongs to the gradient."""
    x, labels = batch
    model = LIL((7, 6, 3), seeds=(0, 1)).double()
    mix = torch.randn(PIXELS, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    calls = []

    def front(x):
        calls.append(len(x))
        return torch.sin(flatten(x) @ mix)

    found = list(attacks.gradients(attacks.total(model, labels, (1.0, 5.0), distances=distances), front, x, 2))
    assert calls == [N]  # the images go through the front once for all networks
    for member, beta in enumerate((1.0, 5.0)):
        expected = numerical(lambda x, k=member, b=beta: looped_total(model, k, front, x, labels, b, 1.0, distances), x)
        assert found[member].numpy() == pytest.approx(expected.detach().numpy(), rel=1e-5, abs=1e-8)


def test_the_total_objective_holds_its_own_batch_together(model, batch):
    """Another image of the same class moves the gradient; of another class, it does not."""
    x, labels = batch
    before, same, other = (x.clone() for _ in range(3))
    same[2] += 0.1  # class 0, like image 0
    other[3] += 0.1  # class 2
    gradient = [
        next(attacks.gradients(attacks.total(model, labels, (5.0,) * 3), flatten, at, 3))[0]
        for at in (before, same, other)
    ]
    assert not torch.allclose(gradient[0], gradient[1]) and torch.allclose(gradient[0], gradient[2])


def test_without_isometry_both_objectives_pull_the_same_way(model, batch):
    x, labels = batch
    total = attacks.gradients(attacks.total(model, labels, (0.0,) * 3), flatten, x, 3)
    for one, other in zip(total, attacks.gradients(attacks.classification(model, labels), flatten, x, 3), strict=True):
        assert (N * one).numpy() == pytest.approx(other.numpy(), rel=1e-9)


def test_the_cross_entropy_gradient_is_the_closed_form(batch):
    """One hidden layer: W₁ᵀ diag(1 − tanh²) W₂ᵀ (softmax − one-hot)."""
    x, labels = batch
    model = LIL((PIXELS, 6, 3), seeds=(4,)).double()
    (w1, w2), (b1, _) = [w[0] for w in model.weights], [b[0] for b in model.biases]
    hidden = torch.tanh(flatten(x) @ w1.T + b1)
    error = torch.softmax(model(flatten(x))[0], -1) - nn.functional.one_hot(labels, 3)
    expected = ((error @ w2) * (1 - hidden**2)) @ w1
    (gradient,) = attacks.gradients(attacks.classification(model, labels), flatten, x, 1)
    assert gradient.flatten(1).numpy() == pytest.approx(expected.detach().numpy(), rel=1e-9)


def linear(weights):
    """An objective that is linear in the images, one row of weights a network."""
    return lambda inputs, images: torch.einsum("mnd,md->mn", inputs, weights)


def test_fgsm_is_exact_for_a_linear_objective(batch):
    """Nothing in the ball does better than w·x + ε‖w‖₁, and the attack does as well."""
    x = 0.5 + 0.2 * (batch[0] - 0.5)  # far from the bounds
    weights = torch.randn(1, PIXELS, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    (gradient,) = attacks.gradients(linear(weights), flatten, x, 1)
    attacked = attacks.fgsm(x, gradient.sign(), 0.05)
    assert (flatten(attacked) @ weights[0]).numpy() == pytest.approx(
        (flatten(x) @ weights[0] + 0.05 * weights.abs().sum()).numpy()
    )


def test_fgsm_takes_all_steps_at_once_and_stays_in_bounds(batch):
    x, sign = batch[0], batch[0].sub(0.5).sign()
    steps = torch.tensor([0.1, 0.7, 1.0], dtype=torch.float64)
    together = attacks.fgsm(x, sign, steps.view(3, 1, 1, 1, 1))
    for step, attacked in zip(steps, together, strict=True):
        assert torch.equal(attacked, attacks.fgsm(x, sign, float(step)))
        assert torch.equal(attacked, torch.clamp(x + step * sign, 0, 1))


@pytest.mark.parametrize("epsilon", [0.01, 0.1, 0.5])
def test_fgsm_agrees_with_foolbox_image_by_image(digits, epsilon):
    model, x, labels = digits

    class Logits(nn.Module):
        def forward(self, x):
            return model(flatten(x))[0]

    reference = foolbox.attacks.LinfFastGradientAttack(random_start=False)
    _, expected, success = reference(
        foolbox.PyTorchModel(Logits().eval(), bounds=(0, 1), device="cpu"), x, labels, epsilons=epsilon
    )
    found = attacks.attack(
        model, flatten, attacks.classification(model, labels), x, labels, epsilon=epsilon, step_size=epsilon, steps=1
    )
    assert torch.allclose(found.x[0], expected, atol=1e-6)
    assert torch.equal(found.success[0], success)
    assert success.float().mean() > 0.02  # and the comparison is not one of nothing with nothing


def test_pgd_with_one_step_is_fgsm(digits):
    model, x, labels = digits
    objective = attacks.classification(model, labels)
    (gradient,) = attacks.gradients(objective, flatten, x, 1)
    one = attacks.attack(model, flatten, objective, x, labels, epsilon=0.1, step_size=0.1, steps=1)
    assert torch.equal(one.x[0], attacks.fgsm(x, gradient.sign(), 0.1).clamp(x - 0.1, x + 0.1))


def test_more_steps_do_more_and_stay_in_the_ball(digits):
    model, x, labels = digits
    objective = attacks.classification(model, labels)
    settings = dict(epsilon=0.1, step_size=0.025)
    one = attacks.attack(model, flatten, objective, x, labels, epsilon=0.1, step_size=0.1, steps=1)
    ten = attacks.attack(model, flatten, objective, x, labels, steps=10, **settings)
    assert objective(flatten(ten.x), ten.x).mean() > objective(flatten(one.x), one.x).mean()
    assert (ten.x - x).abs().max() <= 0.1 + 1e-7 and ten.x.min() >= 0 and ten.x.max() <= 1
    assert torch.equal(ten.success, model(flatten(ten.x)).argmax(-1) != labels)


def test_a_random_start_comes_from_the_generator(digits):
    model, x, labels = digits
    objective = attacks.classification(model, labels)

    def start(seed):
        return attacks.attack(
            model,
            flatten,
            objective,
            x,
            labels,
            epsilon=0.2,
            step_size=1e-9,
            steps=1,
            random_start=True,
            generator=torch.Generator().manual_seed(seed),
        ).x

    assert torch.equal(start(0), start(0)) and not torch.allclose(start(0), start(1))
    change = (start(0) - x)[0][(x > 0.2) & (x < 0.8)]  # where no bound cuts it off
    assert change.abs().max() <= 0.2 + 1e-6
    assert np.quantile(change, [0.25, 0.5, 0.75]) == pytest.approx([-0.1, 0, 0.1], abs=0.02)


def test_each_network_gets_an_attack_of_its_own():
    x, labels = images.load("digits", "test", 20)
    model = LIL((784, 10, 10), seeds=(0, 1))
    both = attacks.attack(
        model, flatten, attacks.classification(model, labels), x, labels, epsilon=0.1, step_size=0.05, steps=3
    )
    for member, seed in enumerate((0, 1)):
        one = LIL((784, 10, 10), seeds=(seed,))
        alone = attacks.attack(
            one, flatten, attacks.classification(one, labels), x, labels, epsilon=0.1, step_size=0.05, steps=3
        )
        assert (both.x[member] - alone.x[0]).abs().mean() < 1e-4  # a sign may turn where the gradient is almost 0
    assert not torch.allclose(both.x[0], both.x[1])


@pytest.mark.parametrize("epsilon", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_an_epsilon_that_is_no_step_is_refused(digits, epsilon):
    model, x, labels = digits
    with pytest.raises(ValueError, match=r"ε \(the paper's γ\) must be > 0 and at most 1"):
        attacks.attack(
            model, flatten, attacks.classification(model, labels), x, labels, epsilon=epsilon, step_size=0.1, steps=1
        )
    with pytest.raises(ValueError, match=r"ε \(the paper's γ\) must be > 0 and at most 1"):
        attacks.fgsm(x, torch.ones_like(x), epsilon)


def test_a_whole_number_that_no_float_holds_is_refused():
    with pytest.raises(ValueError, match="at most 1, the range of a pixel, not 1000"):
        inspect.unwrap(attacks.check_epsilons)((10**400,))


def test_every_epsilon_of_fgsm_is_a_step():
    x, few = torch.full((2, 1, 1, 1), 0.5), torch.tensor([0.1, 0.2]).view(-1, 1, 1, 1)
    assert torch.equal(attacks.fgsm(x, torch.ones_like(x), few), 0.5 + few)
    assert torch.equal(attacks.fgsm(0 * x, torch.ones_like(x), torch.full_like(few, 0.1), (0.0, 0.1)), 0 * x + 0.1)
    with pytest.raises(ValueError, match=r"at most 1, the range of a pixel, not -0\.2"):
        attacks.fgsm(x, torch.ones_like(x), few * torch.tensor([1, -1]).view(-1, 1, 1, 1))


def test_other_bad_settings_are_refused(digits):
    model, x, labels = digits
    objective = attacks.classification(model, labels)
    for steps, size in ((0, 0.1), (1, 0.0), (1, float("nan")), (1, float("inf"))):
        with pytest.raises(ValueError, match=f"at least one step of a finite size > 0, not {steps} of {size}"):
            attacks.attack(model, flatten, objective, x, labels, epsilon=0.1, step_size=size, steps=steps)
    with pytest.raises(ValueError, match="a random start needs the generator"):
        attacks.attack(model, flatten, objective, x, labels, epsilon=0.1, step_size=0.1, steps=1, random_start=True)
    with pytest.raises(ValueError, match=r"distances must be one of \('inputs', 'pixels'\), not 'labels'"):
        attacks.total(model, labels, (1.0,), distances="labels")


@pytest.mark.parametrize("shift", [-0.001, 0.001, float("nan")])
def test_images_outside_the_bounds_are_refused_by_every_attack(digits, shift):
    """Cutting them off would move a pixel further than ε, and count as inside the ball."""
    model, x, labels = digits
    x = x.clone()
    x[0, 0, 0, 0] = shift if shift < 0 else 1 + shift
    sweep = evaluation.Sweep(model, attacks.pixels, (0.0,), (0,), 1.0)
    once = dict(epsilon=0.1, step_size=0.1, steps=1)
    generator = torch.Generator().manual_seed(0)
    few = dict(epsilon=0.1, iterations=1, queries=1, seed=0)
    for attacked in (
        lambda: attacks.fgsm(x, torch.ones_like(x), 0.1),
        lambda: attacks.attack(model, flatten, attacks.classification(model, labels), x, labels, **once),
        lambda: engine.robustness(sweep, x, labels, evaluation.FGSM),
        lambda: stronger_attacks.noise(x, 0.1, generator),
        lambda: stronger_attacks.autoattack(model, flatten, x, labels, **few),
    ):
        with pytest.raises(ValueError, match="pixels go from .* bring the images into the bounds"):
            attacked()


def test_images_in_bounds_of_their_own_are_attacked(digits):
    _, x, _ = digits
    bytes_ = 255 * x
    moved = attacks.fgsm(bytes_, torch.ones_like(x), 25.5, bounds=(0.0, 255.0))
    assert torch.allclose(moved / 255, attacks.fgsm(x, torch.ones_like(x), 0.1), atol=1e-6)
    attacks.check_images(x[:0])
