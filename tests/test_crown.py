"""CROWN: its lines enclose tanh, its bounds lie below every margin, and each planted fault is noticed."""

import inspect
import math
import types

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, minimize_scalar

from lil import attacks, crown, stronger_attacks
from lil.attacks import pixels
from lil.evaluation import select
from lil.models import LIL

UNBOUNDED = (-math.inf, math.inf)


def network(*, gain=1.0, sizes=(5, 8, 6, 7, 4), seeds=(0, 1, 2)):
    model = LIL(sizes, seeds=seeds).double().requires_grad_(False)
    for weight in model.weights:
        weight *= gain
    return model


def points(n=6, d=5, seed=1):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, d, generator=generator, dtype=torch.float64)
    x[0, 0], x[1, 1] = 0.0, 1.0  # at the bounds
    return x, torch.randint(4, (n,), generator=generator)


def margins(model, x, labels):
    """The margins of each member at x (n, d) or (m, n, d); ∞ against the own class."""
    logits = model(x)
    own = labels.expand(logits.shape[:-1])[..., None]
    return (logits.gather(-1, own) - logits).scatter(-1, own, math.inf)


# The lines

ENDS = [0.0, 1e-300, 1e-17, 1e-9, 1e-4, 0.03, 0.4, 0.9, 1.7, 3.0, 6.5, 15.0, 25.0, 400.0, 1e6, 1e12]
ENDS = sorted({sign * end for end in ENDS for sign in (1, -1)})
INTERVALS = [(low, high) for low in ENDS for high in ENDS if low <= high]
INTERVALS += [(x, x + width) for x in (-3.0, -0.2, 0.0, 0.7, 5.0) for width in (1e-15, 1e-12, 1e-7, 1e-3)]


def enclosing(intervals):
    low, high = torch.tensor(intervals, dtype=torch.float64).mT
    return low, high, crown.relax(low, high)


def test_the_lines_enclose_tanh_on_every_interval():
    low, high, lines = enclosing(INTERVALS)
    for part in torch.linspace(0, 1, 2001, dtype=torch.float64):
        x = torch.minimum(torch.maximum(low + part * (high - low), low), high)
        assert (lines.lower_slope * x + lines.lower <= torch.tanh(x)).all()
        assert (torch.tanh(x) <= lines.upper_slope * x + lines.upper).all()


def test_the_lines_enclose_tanh_on_intervals_drawn_at_random():
    generator = torch.Generator().manual_seed(0)
    ends = torch.randn(2, 20000, generator=generator, dtype=torch.float64).mul(1.5).sinh().sort(0).values
    lines = crown.relax(*ends)
    for part in torch.linspace(0, 1, 201, dtype=torch.float64):
        x = torch.minimum(torch.maximum(ends[0] + part * (ends[1] - ends[0]), ends[0]), ends[1])
        assert (lines.lower_slope * x + lines.lower <= torch.tanh(x)).all()
        assert (torch.tanh(x) <= lines.upper_slope * x + lines.upper).all()


@pytest.mark.parametrize("interval", [(-3, 4), (-3, -0.2), (0.1, 2), (-0.5, 5), (-6, 0.4), (-1, 1), (-40, 3), (0, 9)])
def test_no_other_line_leaves_less_area(interval):
    """A line's area follows from its height in the middle; the lowest height above the curve is found by search."""
    low, high = interval
    _, _, lines = enclosing([interval])
    middle, x = (low + high) / 2, np.linspace(low, high, 20001)
    for sign, slope, intercept in ((1, lines.upper_slope, lines.upper), (-1, lines.lower_slope, lines.lower)):
        height = minimize_scalar(
            lambda slope, sign=sign: (sign * np.tanh(x) - slope * (x - middle)).max(),
            bounds=(0 if sign > 0 else -1, 1 if sign > 0 else 0),
            method="bounded",
            options=dict(xatol=1e-10),
        ).fun
        assert sign * float(slope * middle + intercept) == pytest.approx(height, abs=1e-6)


def test_of_a_single_point_the_lines_meet_there():
    x = torch.tensor([-4.0, -0.3, 0.0, 0.3, 4.0], dtype=torch.float64)
    lines = crown.relax(x, x)
    assert torch.allclose(lines.lower_slope * x + lines.lower, torch.tanh(x), rtol=0, atol=1e-12)
    assert torch.allclose(lines.upper_slope * x + lines.upper, torch.tanh(x), rtol=0, atol=1e-12)


# The bounds, where they are known


@pytest.mark.parametrize("epsilon", [0.01, 0.3])
def test_it_is_exact_for_a_linear_network(epsilon):
    """Units that hardly bend: the margin is linear, and smallest in a corner of the ball cut off at 0 and 1."""
    model = network(gain=1e-3)
    for bias in model.biases:
        bias *= 1e-3
    model.weights[-1].mul_(1e12)
    x, labels = points()
    found = crown.certified_margins(model, x, labels, epsilon)
    low, high = (x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)
    for member in range(3):
        jacobian = model.weights[0][member]
        for weight in list(model.weights)[1:]:
            jacobian = weight[member] @ jacobian
        at = margins(model, x, labels)[member]
        for point, label in enumerate(labels):
            for other in set(range(4)) - {int(label)}:
                slope = jacobian[label] - jacobian[other]
                step = torch.where(slope > 0, low[point], high[point]) - x[point]
                expected = at[point, other] + slope @ step
                assert found[member, point, other].item() == pytest.approx(expected.item(), rel=1e-4)


def line_above(low, high):
    """Slope and intercept of the line above tanh, for one interval, by a root finder."""
    if low < 0:
        touching = brentq(lambda d: (d - low) / math.cosh(d) ** 2 - math.tanh(d) + math.tanh(low), 1e-12, -low)
    else:
        touching = low
    at = max(touching, (low + high) / 2)
    if at >= high:
        slope = (math.tanh(high) - math.tanh(low)) / (high - low)
        return slope, math.tanh(low) - slope * low
    slope = 1 / math.cosh(at) ** 2
    return slope, math.tanh(at) - slope * at


def bound_by_loops(weights, biases, low, high, row, offset, lines):
    """The smallest value of row · h + offset, unit by unit."""
    row = list(row)
    for weight, bias, enclosed in zip(weights[::-1], biases[::-1], lines[::-1], strict=True):
        pulled = [0.0] * weight.shape[1]
        for unit, factor in enumerate(row):
            slope, intercept = enclosed[unit][0] if factor > 0 else enclosed[unit][1]
            offset += factor * (intercept + slope * bias[unit])
            for below in range(weight.shape[1]):
                pulled[below] += factor * slope * weight[unit, below]
        row = pulled
    return offset + sum(factor * (low[k] if factor > 0 else high[k]) for k, factor in enumerate(row))


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_it_is_what_loops_over_units_find(gain):
    model, (x, labels) = network(gain=gain, sizes=(5, 4, 3, 4), seeds=(0, 1)), points(3)
    found = crown.certified_margins(model, x, labels, 0.15)
    for member in range(2):
        weights, biases = ([value[member].numpy() for value in values] for values in (model.weights, model.biases))
        for point, label in enumerate(labels.tolist()):
            low, high = (x[point] - 0.15).clamp(min=0).tolist(), (x[point] + 0.15).clamp(max=1).tolist()
            lines = []
            for depth in range(2):
                enclosed = []
                for unit in range(len(weights[depth])):
                    below = (weights[:depth], biases[:depth], low, high)
                    one, bias = weights[depth][unit], biases[depth][unit]
                    least = bound_by_loops(*below, one, bias, lines)
                    most = -bound_by_loops(*below, -one, -bias, lines)
                    slope, intercept = line_above(-most, -least)
                    enclosed.append(((slope, -intercept), line_above(least, most)))
                lines.append(enclosed)
            for other in set(range(4)) - {label}:
                row, offset = weights[2][label] - weights[2][other], biases[2][label] - biases[2][other]
                expected = bound_by_loops(weights[:2], biases[:2], low, high, row, offset, lines)
                assert found[member, point, other].item() == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_each_member_alone_has_the_same_bounds_and_single_precision_is_taken_as_it_is():
    model, (x, labels) = network(gain=2.0), points(40)  # in several portions
    found = crown.certified_margins(model, x, labels, 0.05)
    assert found.shape == (3, 40, 4) and found.dtype == torch.float64
    for k in range(3):
        assert torch.allclose(crown.certified_margins(select(model, [k]), x, labels, 0.05)[0], found[k], rtol=1e-12)
    single = crown.certified_margins(model.float(), x.float(), labels, 0.05)
    assert single.dtype == torch.float64
    assert torch.equal(single, crown.certified_margins(model.double(), x.float().double(), labels, 0.05))


def test_a_step_outside_the_bounds_is_refused():
    with pytest.raises(ValueError, match="ε"):
        crown.certified_margins(network(), *points(), 0.0)


@pytest.mark.parametrize("raw", [torch.float64, torch.uint8])
def test_raw_pixels_get_no_certificate(raw):
    x, labels = points()
    with pytest.raises(ValueError, match="bring the images into the bounds|images are torch.uint8"):
        inspect.unwrap(crown.certified_margins)(network(), (255 * x).to(raw), labels, 0.1)


def test_labels_of_eight_bits_are_positions_and_not_a_mask():
    model, (x, labels) = network(), points()
    found = crown.certified_margins(model, x, labels.to(torch.uint8), 0.1)
    assert torch.equal(found, crown.certified_margins(model, x, labels, 0.1))


# The bounds are sound


def lowest_found(model, x, labels, epsilon, bounds=(0.0, 1.0)):
    """The smallest margins in the ball that corners, random points and gradient descent on each margin find."""
    low, high = (x - epsilon).clamp(*bounds), (x + epsilon).clamp(*bounds)
    generator, found = torch.Generator().manual_seed(5), margins(model, x, labels)
    for _ in range(60):
        part = torch.rand(x.shape, generator=generator, dtype=x.dtype)
        for at in (low + part * (high - low), torch.where(part < 0.5, low, high)):
            found = torch.minimum(found, margins(model, at, labels))
    for other in range(4):
        at = x.expand(model.members, -1, -1)
        for _ in range(30):
            at = at.detach().requires_grad_()
            logits = model(at)
            margin = logits.gather(-1, labels.expand(logits.shape[:-1])[..., None])[..., 0] - logits[..., other]
            (slope,) = torch.autograd.grad(margin.sum(), at)
            at = (at.detach() - epsilon / 5 * slope.sign()).clamp(low, high)
            found = torch.minimum(found, margins(model, at, labels).detach())
    return found


CASES = [(gain, epsilon) for gain in (0.5, 2.0, 4.0, 8.0) for epsilon in (1e-6, 0.01, 0.1, 0.4)]


@pytest.mark.parametrize("gain, epsilon", CASES)
def test_no_margin_in_the_ball_is_below_its_bound(gain, epsilon):
    model, (x, labels) = network(gain=gain), points()
    assert (crown.certified_margins(model, x, labels, epsilon) <= lowest_found(model, x, labels, epsilon)).all()


def test_without_bounds_of_the_pixels_the_whole_ball_counts():
    model, (x, labels) = network(gain=2.0), points()
    found = crown.certified_margins(model, x, labels, 0.3, UNBOUNDED)
    assert (found <= lowest_found(model, x, labels, 0.3, UNBOUNDED)).all()
    assert (found <= crown.certified_margins(model, x, labels, 0.3)).all()


# A part of the code, and what a mistake would have there.
FAULTS = {
    "lines swapped": ("rows.clamp(min=0), rows.clamp(max=0)", "rows.clamp(max=0), rows.clamp(min=0)"),
    "no split by sign": ("_dot(lowered, lines.upper)", "_dot(lowered, lines.lower)"),
    "no split of slopes": ("lowered * lines.upper_slope", "lowered * lines.lower_slope"),
    "tangent too early": ("torch.maximum(_point_of_tangency(low), (low + high) / 2)", "(low + high) / 2"),
    "chord everywhere": ("(touching >= high) & (high > low)", "high > low"),
    "half of the ball": ("- _dot(rows.abs_(), self.reach)", "- _dot(rows.abs_(), self.reach) / 2"),
    "half of the first layer": ("wide = self.reach", "wide = self.reach / 2"),
    "no biases": ("bias[:, None] if layer else self.first)", "0 * bias[:, None] if layer else self.first)"),
    "upper ends mistaken": ("torch.minimum(-above, size)", "torch.minimum(below + (-above - below) / 2, size)"),
}


def faulty(fault):
    right, wrong = FAULTS[fault]
    source = inspect.getsource(crown)
    assert source.count(right) == 1
    module = types.ModuleType("faulty_crown")
    exec(compile(source.replace(right, wrong), "faulty_crown", "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(fault):
    """At one of the cases above, a margin is found below the bound of the faulty code."""
    module, (x, labels) = faulty(fault), points()
    for gain, epsilon in CASES:
        model = network(gain=gain)
        if (module.certified_margins(model, x, labels, epsilon) > lowest_found(model, x, labels, epsilon)).any():
            return
    pytest.fail(f"{fault}: no bound was exceeded")


def exact_margins(model, x, labels):
    """The margins at each point, in extended precision."""
    found = []
    for member in range(model.members):
        layer = x.numpy().astype(np.longdouble)
        for depth, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
            layer = layer @ weight[member].numpy().astype(np.longdouble).T + bias[member].numpy()
            layer = np.tanh(layer) if depth < len(model.weights) - 1 else layer
        margin = layer[np.arange(len(x)), labels][:, None] - layer
        margin[np.arange(len(x)), labels] = np.inf
        found.append(margin)
    return np.stack(found)


@pytest.mark.skipif(np.finfo(np.longdouble).eps >= 2**-52, reason="no precision beyond float64 to compare with")
def test_rounding_is_accounted_for(monkeypatch):
    """In a ball of almost no size, bound and margin differ by rounding alone: the bound has to stay below."""
    model, (x, labels) = network(gain=3.0), points(40)
    exact = exact_margins(model, x, labels)
    found = crown.certified_margins(model, x, labels, 1e-300).numpy()
    assert (found <= exact).all() and (found > exact - 1e-9)[np.isfinite(exact)].all()
    monkeypatch.setattr(crown, "_ROUNDING", 0.0)
    monkeypatch.setattr(crown, "_LINE", 0.0)
    assert (crown.certified_margins(model, x, labels, 1e-300).numpy() > exact).any()


@pytest.mark.skipif(np.finfo(np.longdouble).eps >= 2**-52, reason="no precision beyond float64 to compare with")
def test_rounding_of_large_sums_that_cancel_is_accounted_for():
    """They are wrong by far more than the lines are moved: the bounds have to be moved too."""
    model, (x, labels) = network(sizes=(40, 8, 4), seeds=range(20)), (part[2:3] for part in points(3, 40))
    model.weights[0].mul_(1e6)
    model.biases[0].sub_(model.weights[0] @ x[0])
    found, exact = crown.certified_margins(model, x, labels, 1e-300).numpy(), exact_margins(model, x, labels)
    assert (found <= exact).all() and (found > exact - 1e-4)[np.isfinite(exact)].all()


# A network that knows digits

EPSILONS = (0.002, 0.01, 0.03, 0.06)


@pytest.fixture(scope="module")
def bounds_of_digits(digits):
    model, x, labels = digits
    return torch.stack([crown.certified_margins(model, pixels(x), labels, epsilon) for epsilon in EPSILONS])


def test_a_larger_ball_certifies_less(digits, bounds_of_digits):
    model, x, labels = digits
    assert (bounds_of_digits.diff(dim=0) <= 0)[bounds_of_digits[1:].isfinite()].all()
    right = model(pixels(x)).argmax(-1) == labels
    shares = [(found.amin(-1) > 0).double().mean().item() for found in bounds_of_digits]
    assert right.double().mean() >= shares[0] > shares[1] > shares[2] > shares[3] > 0
    assert torch.equal(crown.certified(model, pixels(x), labels, EPSILONS[1]), bounds_of_digits[1].amin(-1) > 0)


@pytest.mark.parametrize("at", range(len(EPSILONS)))
def test_no_attack_breaks_a_certified_image(digits, bounds_of_digits, at):
    model, x, labels = digits
    sure, epsilon = bounds_of_digits[at].amin(-1)[0] > 0, EPSILONS[at]
    size = dict(epsilon=epsilon, steps=10, doublings=4, generator=torch.Generator().manual_seed(0))
    pgd = stronger_attacks.escalating_pgd(model, pixels, x, labels, **size)
    assert pgd.right[sure].all()
    margin = stronger_attacks.margin(model, labels)
    step = dict(epsilon=epsilon, step_size=epsilon / 5, steps=20)
    assert not attacks.attack(model, pixels, margin, x, labels, **step).success[0][sure].any()
    few = slice(40)
    auto = stronger_attacks.autoattack(
        model, pixels, x[few], labels[few], epsilon=epsilon, iterations=10, queries=50, seed=0
    )
    assert auto.right[-1][sure[few]].all()
    if at == 3:
        assert not pgd.right.all() and not auto.right[-1].all()  # the attacks can break images
