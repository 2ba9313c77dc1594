import warnings

import pytest
import torch
from torch import nn

from lil import attacks, stronger_attacks
from lil.attacks import pixels as flatten
from lil.models import LIL
from lil.stronger_attacks import Attempt, autoattack, converged, escalating_pgd, margin, noise, schedule

with warnings.catch_warnings():  # foolbox imports a name that scipy will drop
    warnings.simplefilter("ignore", DeprecationWarning)
    import foolbox

QUICK_AUTO = dict(iterations=20, queries=100, seed=0)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def digits(digits):
    """The network, with fewer images."""
    model, x, labels = digits
    return model, x[:60], labels[:60]


def clean(model, x, labels):
    return model(flatten(x))[0].argmax(-1) == labels


def almost_linear(classes, n=40, side=4):
    """A network whose tanh is in its straight part, images far from the bounds, and their exact radii in L∞.

    The logit of class c overtakes that of y at ε = (w_y − w_c)·x / ‖w_y − w_c‖₁.
    """
    pixels, small = side * side, 1e-2
    model = LIL((pixels, pixels, classes), seeds=(0,)).requires_grad_(False)
    w = torch.randn(classes, pixels, generator=seeded(1))
    model.weights[0].data[0], model.biases[0].data[0] = small * torch.eye(pixels), torch.zeros(pixels)
    model.weights[1].data[0], model.biases[1].data[0] = w / small, torch.zeros(classes)
    x = 0.5 + 0.2 * (torch.rand(n, 1, side, side, generator=seeded(2)) - 0.5)
    labels = (flatten(x) @ w.T).argmax(-1)
    apart = w[labels][:, None] - w
    radius = torch.einsum("ncd,nd->nc", apart, flatten(x)) / apart.abs().sum(-1).clamp_min(1e-9)
    return model, x, labels, radius.scatter(1, labels[:, None], torch.inf).amin(-1)


def test_margin_and_its_gradient_are_the_closed_form():
    """One hidden layer: (w_c − w_y)ᵀ diag(1 − tanh²) W₁, c being the strongest of the other classes."""
    model = LIL((6, 5, 4), seeds=(3, 4)).double().requires_grad_(False)
    x, labels = torch.rand(5, 1, 2, 3, generator=seeded(), dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0])
    values = margin(model, labels)(flatten(x).expand(2, -1, -1), x.expand(2, -1, -1, -1, -1))
    found = attacks.gradients(margin(model, labels), flatten, x, 2)
    for k, gradient in enumerate(found):
        (w1, w2), b1 = [w[k] for w in model.weights], model.biases[0][k]
        for i, own in enumerate(labels.tolist()):
            logits = model(flatten(x))[k, i]
            other = max((c for c in range(4) if c != own), key=lambda c: float(logits[c]))
            assert float(values[k, i]) == pytest.approx(float(logits[other] - logits[own]))
            slope = 1 - torch.tanh(flatten(x)[i] @ w1.T + b1) ** 2
            expected = ((w2[other] - w2[own]) * slope) @ w1
            assert gradient[i].flatten().tolist() == pytest.approx(expected.tolist(), rel=1e-9)


def test_the_margin_is_positive_where_the_answer_is_wrong(digits):
    model, x, labels = digits
    wrong = margin(model, labels)(flatten(x)[None], x[None])[0] > 0
    assert torch.equal(wrong, ~clean(model, x, labels)) and wrong.any()


def test_pgd_agrees_with_foolbox_image_by_image(digits):
    model, x, labels = digits

    class Logits(nn.Module):
        def forward(self, x):
            return model(flatten(x))[0]

    reference = foolbox.attacks.LinfProjectedGradientDescentAttack(abs_stepsize=0.03, steps=8, random_start=False)
    _, expected, success = reference(
        foolbox.PyTorchModel(Logits().eval(), bounds=(0, 1), device="cpu"), x, labels, epsilons=0.1
    )
    found = attacks.attack(
        model, flatten, attacks.classification(model, labels), x, labels, epsilon=0.1, step_size=0.03, steps=8
    )
    assert torch.allclose(found.x[0], expected, atol=1e-6) and torch.equal(found.success[0], success)
    assert 0.2 < success.float().mean() < 1
    left = escalating_pgd(model, flatten, x, labels, epsilon=0.1, steps=10, doublings=4, generator=seeded()).right
    assert not (left & success).any()  # what foolbox beats, many steps from random starts beat too


def test_pgd_is_exact_for_a_linear_classifier():
    model, x, labels, radius = almost_linear(classes=2)
    for epsilon in radius.quantile(torch.tensor([0.1, 0.5, 0.9])).tolist():
        sure = (radius / epsilon - 1).abs() > 0.02
        left = escalating_pgd(
            model, flatten, x, labels, epsilon=epsilon, steps=10, doublings=2, generator=seeded()
        ).right
        assert torch.equal(left[sure], radius[sure] > epsilon) and sure.float().mean() > 0.8


def test_autoattack_is_exact_for_a_linear_classifier():
    model, x, labels, radius = almost_linear(classes=10)
    epsilon = float(radius.median())
    sure = (radius / epsilon - 1).abs() > 0.05
    found = autoattack(model, flatten, x, labels, epsilon=epsilon, iterations=50, queries=10, seed=0)
    assert torch.equal(found.right[-1][sure], radius[sure] > epsilon) and sure.float().mean() > 0.8


def test_the_schedule_doubles_steps_and_starts_in_turn():
    assert list(schedule(10, 5)) == [
        Attempt(10, 1),
        Attempt(20, 1),
        Attempt(20, 2),
        Attempt(40, 2),
        Attempt(40, 4),
        Attempt(80, 4),
    ]
    assert list(schedule(3, 0)) == [Attempt(3, 1)]


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ([9], False),
        ([9, 9], False),
        ([9, 9, 9], True),
        ([9, 8, 8], False),
        ([9, 9, 8], False),
        ([9, 8, 8, 8], True),
        ([0], True),
        ([9, 0], True),
    ],
)
def test_it_stops_when_both_doublings_change_nothing(trace, expected):
    assert converged(trace) is expected


def test_escalating_stops_where_nothing_is_left_to_change(digits, monkeypatch):
    model, x, labels = digits
    common = dict(steps=2, doublings=5, generator=seeded())
    tried = []

    def one_image(beats):
        def attack(model, front, objective, x, labels, *, steps, **settings):
            tried.append((len(x), steps, round(settings["step_size"] * steps / settings["epsilon"], 6)))
            success = torch.zeros(1, len(x), dtype=torch.bool)
            success[0, 0] = beats(len(tried))
            return attacks.Attacked(x[None], success)

        return attack

    n = int(clean(model, x, labels).sum())
    monkeypatch.setattr(stronger_attacks.attacks, "attack", one_image(lambda count: count == 2))
    assert escalating_pgd(model, flatten, x, labels, epsilon=0.1, **common).trace == [n, n - 1, n - 1, n - 1]
    assert [size for size, _, _ in tried] == [n, n, n - 1, n - 1, n - 1, n - 1]  # 1, 1, 2, 2 starts
    assert [steps for _, steps, _ in tried] == [2, 4, 4, 4, 8, 8] and {across for _, _, across in tried} == {2.5}
    tried.clear()
    monkeypatch.setattr(stronger_attacks.attacks, "attack", one_image(lambda count: True))
    never = escalating_pgd(model, flatten, x, labels, epsilon=0.1, **common)
    assert never.trace == [n - 1, n - 2, n - 4, n - 6, n - 10, n - 14] and not converged(never.trace)
    assert int(never.right.sum()) == n - 14


def test_escalating_stays_in_the_ball_and_follows_its_generator(digits):
    model, x, labels = digits
    settings = dict(epsilon=0.05, steps=4, doublings=2)
    first, again = (escalating_pgd(model, flatten, x, labels, generator=seeded(1), **settings) for _ in range(2))
    assert torch.equal(first.right, again.right) and first.trace == again.trace and first.change == again.change
    assert 0.049 < first.change <= 0.05 + 1e-7
    assert first.trace[-1] == int(first.right.sum()) < int(clean(model, x, labels).sum())


def test_images_that_are_wrong_already_are_left_alone(digits):
    model, x, _ = digits
    wrong = (model(flatten(x))[0].argmax(-1) + 1) % 10
    found = escalating_pgd(model, flatten, x, wrong, epsilon=0.1, steps=2, doublings=2, generator=seeded())
    assert not found.right.any() and (found.trace, found.change) == ([0], 0.0)
    all_stages = autoattack(model, flatten, x, wrong, epsilon=0.1, **QUICK_AUTO)
    assert not all_stages.right.any() and all_stages.change == 0.0


def test_almost_no_perturbation_leaves_what_was_right(digits):
    model, x, labels = digits
    before = clean(model, x, labels)
    many = escalating_pgd(model, flatten, x, labels, epsilon=1e-7, steps=2, doublings=2, generator=seeded()).right
    assert torch.equal(many, before)
    few = autoattack(model, flatten, x, labels, epsilon=1e-7, iterations=2, queries=2, seed=0).right
    assert torch.equal(few, before.expand(4, -1)) and not before.all()


def test_autoattack_is_no_weaker_than_pgd_and_says_what_each_stage_left(digits):
    model, x, labels = digits
    state = torch.random.get_rng_state()
    found, again = (autoattack(model, flatten, x, labels, epsilon=0.08, **QUICK_AUTO) for _ in range(2))
    assert torch.equal(found.right, again.right) and torch.equal(state, torch.random.get_rng_state())
    pgd = escalating_pgd(model, flatten, x, labels, epsilon=0.08, steps=10, doublings=4, generator=seeded()).right
    assert found.right[-1].float().mean() <= pgd.float().mean() + 0.01
    assert (found.right[1:] <= found.right[:-1]).all() and 0 < found.right[-1].float().mean() < 0.9
    assert 0.079 < found.change <= 0.08 + 1e-6


def test_autoattack_believes_the_network_and_nobody_else(digits, monkeypatch):
    model, x, labels = digits
    monkeypatch.setattr(
        stronger_attacks.AutoAttack, "run_standard_evaluation", lambda self, x, y, **_: (x + 1e-5, (y + 1) % 10)
    )
    found = autoattack(model, flatten, x, labels, epsilon=0.08, **QUICK_AUTO)
    assert torch.equal(found.right[-1], clean(model, x, labels)) and found.change == pytest.approx(1e-5, rel=0.1)


def test_autoattack_has_the_standard_versions_settings(digits, monkeypatch):
    seen = {}

    def run(self, x, y, **_):
        seen[self.attacks_to_run[0]] = (
            self.apgd.n_iter,
            self.apgd.n_restarts,
            self.apgd_targeted.n_target_classes,
            self.fab.n_target_classes,
            self.fab.n_iter,
            self.fab.n_restarts,
            self.square.n_queries,
            self.norm,
            self.epsilon,
        )
        return x, y

    monkeypatch.setattr(stronger_attacks.AutoAttack, "run_standard_evaluation", run)
    model, x, labels = digits
    autoattack(model, flatten, x, labels, epsilon=0.08, iterations=100, queries=5000, seed=0)
    assert tuple(seen) == stronger_attacks.STAGES
    assert set(seen.values()) == {(100, 1, 9, 9, 100, 1, 5000, "Linf", 0.08)}


def test_noise_moves_every_pixel_by_epsilon_and_stays_in_bounds():
    x = torch.rand(50, 1, 8, 8, generator=seeded())
    moved = noise(x, 0.1, seeded(1))
    assert torch.equal(moved, noise(x, 0.1, seeded(1))) and not torch.equal(moved, noise(x, 0.1, seeded(2)))
    inside = (x > 0.1) & (x < 0.9)
    assert (moved - x).abs()[inside].numpy() == pytest.approx(0.1, abs=1e-6)
    assert abs(float((moved > x)[inside].float().mean()) - 0.5) < 0.05
    assert moved.min() >= 0 and moved.max() <= 1
