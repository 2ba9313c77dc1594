"""Attacks that try again, against closed forms, exact radii and bookkeeping by hand."""

import itertools

import pytest
import torch

from lil import attacks, targeted
from lil.attacks import pixels
from lil.evaluation import correct
from lil.models import LIL
from lil.stronger_attacks import margin


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def linear():
    """A network whose tanh is in its straight part, images far from the bounds, and radii in L∞ by class.

    The logit of class c is w_c·(x − 1/2) and overtakes that of y at ε = (w_y − w_c)·(x − 1/2) / ‖w_y − w_c‖₁. The rows
    of w differ in length, so that the most likely class need not be the nearest.
    """
    side, small, classes, n = 16, 1e-2, 6, 40
    model = LIL((side, side, classes), seeds=(0,)).requires_grad_(False)
    w = torch.randn(classes, side, generator=seeded(1)) * torch.linspace(0.3, 2, classes)[:, None]
    model.weights[0].data[0], model.biases[0].data[0] = small * torch.eye(side), torch.zeros(side)
    model.weights[1].data[0], model.biases[1].data[0] = w / small, -w.sum(-1) / 2
    x = 0.5 + 0.2 * (torch.rand(n, 1, 4, 4, generator=seeded(2)) - 0.5)
    logits = (pixels(x) - 0.5) @ w.T
    labels = logits.argmax(-1)
    radii = (logits.amax(-1, keepdim=True) - logits) / (w[labels][:, None] - w).abs().sum(-1).clamp_min(1e-9)
    return model, x, labels, radii.scatter(1, labels[:, None], torch.inf)


def test_the_margin_is_the_largest_targeted_margin():
    model = LIL((6, 5, 4), seeds=(3, 4)).double().requires_grad_(False)
    x, labels = torch.rand(5, 1, 2, 3, generator=seeded(), dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0])
    inputs, images = pixels(x).expand(2, -1, -1), x.expand(2, -1, -1, -1, -1)
    each = torch.stack([targeted.targeted_margin(model, labels, (labels + k) % 4)(inputs, images) for k in range(1, 4)])
    assert torch.equal(each.amax(0), margin(model, labels)(inputs, images))
    logits = model(pixels(x))
    assert float(each[0, 1, 2]) == pytest.approx(float(logits[1, 2, 3] - logits[1, 2, 2]))


def test_targets_are_all_other_classes_the_most_likely_first():
    model = LIL((6, 5, 4), seeds=(3,)).requires_grad_(False)
    x, labels = torch.rand(7, 6, generator=seeded()), torch.tensor([0, 1, 2, 3, 0, 1, 2])
    for logits, own, targets in zip(model(x)[0], labels, targeted.likely_targets(model, x, labels), strict=True):
        others = sorted((c for c in range(4) if c != own), key=lambda c: -float(logits[c]))
        assert targets.tolist() == others


def test_each_attempt_meets_what_the_ones_before_left_in_batches(digits):
    model, x, labels = digits
    right, met = correct(model, pixels(x), labels)[0], []
    wrong = x[~right][:1]  # an image that the network takes for another class

    def attempt(beaten):
        def attack(at):
            met.append(at.tolist())
            moved = x[at].clone()
            hit = torch.isin(at, torch.tensor(beaten))
            moved[hit] = wrong
            return moved

        return attack

    there = right.nonzero().squeeze(-1).tolist()
    label_of_wrong = int(model(pixels(wrong))[0].argmax())
    first = [k for k in there if int(labels[k]) != label_of_wrong][:2]
    found = targeted.survivors(model, pixels, x, labels, [attempt(first), attempt([]), attempt(there)], batch_size=30)
    second = [k for k in there if k not in first]
    assert list(itertools.chain(*met)) == there + second + second
    assert max(map(len, met)) == 30
    expected = [k for k in second if int(labels[k]) == label_of_wrong]
    assert found.right.nonzero().squeeze(-1).tolist() == expected
    assert found.change == pytest.approx(max(float((wrong - x[k]).abs().max()) for k in there), abs=1e-6)


def test_nothing_is_tried_on_a_network_that_is_always_wrong(digits):
    model, x, _ = digits

    def refuse(at):
        raise AssertionError("no image is left")

    answers = model(pixels(x))[0].argmax(-1)
    found = targeted.survivors(model, pixels, x, (answers + 1) % 10, [refuse], batch_size=30)
    assert not found.right.any() and found.change == 0


def test_multi_targeted_pgd_is_exact_for_a_linear_classifier(linear):
    model, x, labels, radii = linear
    radius = radii.amin(-1)
    for epsilon in radius.quantile(torch.tensor([0.2, 0.5, 0.8])).tolist():
        sure = (radius / epsilon - 1).abs() > 0.02
        found = targeted.multi_targeted(model, pixels, pixels, x, labels, epsilon=epsilon, steps=10, batch_size=16)
        assert torch.equal(found.right[sure], radius[sure] > epsilon) and sure.float().mean() > 0.8
        assert found.change == pytest.approx(epsilon, abs=1e-6)


def test_later_targets_are_tried(linear):
    """The nearest boundary of an image may not be that of its most likely class: the first target alone misses it."""
    model, x, labels, radii = linear
    first = targeted.likely_targets(model, pixels(x), labels)[:, :1]
    apart = radii.gather(1, first).squeeze(1) / radii.amin(-1)
    at = apart.argmax(keepdim=True)
    epsilon = float(radii.amin(-1)[at] * apart[at].sqrt())
    objective = targeted.targeted_margin(model, labels[at], first[at, 0])
    settings = targeted.step_settings(epsilon, 10)
    assert not attacks.attack(model, pixels, objective, x[at], labels[at], **settings).success.any()
    found = targeted.multi_targeted(model, pixels, pixels, x[at], labels[at], epsilon=epsilon, steps=10, batch_size=1)
    assert not found.right.any() and float(apart[at]) > 1.1


def test_pgd_starts_anew_from_random_points_for_each_of_its_starts(digits, monkeypatch):
    model, x, labels = digits
    there, tried = int(correct(model, pixels(x), labels).sum()), []
    real = attacks.attack

    def attack(network, front, objective, x, labels, **settings):
        tried.append((len(x), settings["random_start"], settings["steps"], settings["step_size"]))
        loss = objective(pixels(x)[None], x[None])
        assert torch.equal(loss, attacks.classification(model, labels)(pixels(x)[None], x[None]))
        return real(network, front, objective, x, labels, **settings)

    monkeypatch.setattr(targeted.attacks, "attack", attack)
    settings = dict(epsilon=0.02, steps=4, batch_size=100)
    one, three = (
        targeted.pgd(model, pixels, pixels, x, labels, starts=starts, generator=seeded(), **settings)
        for starts in (1, 3)
    )
    assert [count for count, *_ in tried[:2]] == [there, there] and there > tried[2][0] >= tried[3][0]
    assert len(tried) == 4 and {each[1:] for each in tried} == {(True, 4, 0.0125)}
    assert not (three.right & ~one.right).any() and 0.019 < three.change <= 0.02 + 1e-6


def test_the_judge_gives_the_answers_and_the_front_the_gradients(digits):
    """The front sees nothing, so that no image moves; the judge turns the images over."""
    model, x, labels = digits

    def blind(images):
        return 0 * pixels(images)

    def turned(images):
        return pixels(images.flip(-1))

    settings = dict(epsilon=0.3, steps=3, batch_size=100)
    for judge in (pixels, turned):
        many = targeted.multi_targeted(model, blind, judge, x, labels, **settings)
        assert torch.equal(many.right, correct(model, judge(x), labels)[0]) and many.change == 0
    seen = targeted.multi_targeted(model, turned, turned, x, labels, **settings)
    blind_start = targeted.pgd(model, turned, turned, x, labels, starts=1, generator=seeded(), **settings)
    assert not (seen.right & ~correct(model, turned(x), labels)[0]).any() and blind_start.change > 0.29
