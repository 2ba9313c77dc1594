"""Networks: what they compute, that members are themselves, and where gradients stop."""

import inspect

import pytest
import torch
from torch import nn

from lil.models import LIL, StackedLIL, cross_entropies, cross_entropy, derived_seed

SIZES = (3, 6, 5, 4)


def inputs(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def as_modules(lil, k):
    """Member k as torch's own modules."""
    layers = []
    for weight, bias in zip(lil.weights, lil.biases, strict=True):
        linear = nn.Linear(weight.shape[2], weight.shape[1])
        linear.load_state_dict({"weight": weight[k].detach(), "bias": bias[k].detach()})
        layers += [linear, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def test_each_member_is_a_plain_tanh_network():
    lil, x = LIL(SIZES, seeds=[0, 1, 2]), inputs(7, 3)
    own = inputs(3, 7, 3, seed=1)
    for k in range(3):
        plain = as_modules(lil, k)
        assert torch.allclose(lil(x)[k], plain(x), atol=1e-6)
        assert torch.allclose(lil(own)[k], plain(own[k]), atol=1e-6)
        assert torch.allclose(lil.represent(x)[k], plain[:-1](x), atol=1e-6)
        assert torch.allclose(lil.hidden(x)[0][k], plain[:2](x), atol=1e-6)
    assert torch.equal(lil.classify(lil.represent(x)), lil(x))


def test_a_seed_makes_its_member_wherever_it_stands():
    together, alone = LIL(SIZES, seeds=[4, 7]), LIL(SIZES, seeds=[7])
    for both, one in zip(together.parameters(), alone.parameters(), strict=True):
        assert torch.equal(both[1], one[0]) and not torch.equal(both[0], both[1])


def test_nothing_is_drawn_from_the_global_generator():
    before = torch.get_rng_state()
    LIL(SIZES, seeds=[0], init="orthogonal")
    assert torch.equal(torch.get_rng_state(), before)


def test_default_weights_are_spread_like_those_of_linear_layers():
    lil = LIL((50, 400, 4), seeds=[0])
    plain = nn.Linear(50, 400)
    for ours, theirs in ((lil.weights[0], plain.weight), (lil.biases[0], plain.bias)):
        assert ours.abs().max() <= 50**-0.5
        assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.1)


def test_orthogonal_weights_are_orthogonal_but_for_the_first_and_the_classifier():
    lil = LIL((8, 6, 6, 6, 3), seeds=[0, 1], init="orthogonal")
    orthogonal = [torch.allclose(w @ w.mT, torch.eye(len(w[0])), atol=1e-5) for w in lil.weights]
    assert orthogonal == [False, True, True, False]
    assert torch.equal(lil.weights[0], LIL((8, 6, 6, 6, 3), seeds=[0, 1]).weights[0])


def gradients(stack, level):
    """Return True for each LIL that a gradient of the loss of one level reaches."""
    stack.zero_grad()
    stack(inputs(5, 3))[level].square().sum().backward()
    return [any(p.grad is not None and bool(p.grad.any()) for p in lil.parameters()) for lil in stack.lils]


@pytest.mark.parametrize("level", range(3))
def test_gradients_stop_at_the_input_of_each_lil(level):
    stack = StackedLIL(3, (6, 6), (2, 4, 8), seeds=[0, 1])
    assert gradients(stack, level) == [k == level for k in range(3)]


@pytest.mark.parametrize("level", range(3))
def test_stop_gradient_can_be_relaxed(level):
    stack = StackedLIL(3, (6, 6), (2, 4, 8), seeds=[0, 1], stop_gradient=False)
    assert gradients(stack, level) == [k <= level for k in range(3)]


def test_each_level_sees_the_representation_of_the_one_before():
    stack, x = StackedLIL(3, (6, 5), (2, 4, 8), seeds=[0, 1]), inputs(7, 3)
    first = stack.lils[0].represent(x)
    second = stack.lils[1].represent(first)
    assert torch.equal(stack.represent(x)[1], second)
    assert torch.equal(stack(x)[2], stack.lils[2](second))
    assert [lil.sizes for lil in stack.lils] == [(3, 6, 5, 2), (5, 6, 5, 4), (5, 6, 5, 8)]
    assert stack.members == 2


def test_levels_of_one_seed_start_apart_and_stacks_of_one_seed_alike():
    stack = StackedLIL(5, (5, 5), (2, 2), seeds=[0, 1])
    assert not torch.equal(stack.lils[0].weights[0], stack.lils[1].weights[0])
    assert torch.equal(StackedLIL(5, (5, 5), (2, 2), seeds=[1]).lils[1].weights[0][0], stack.lils[1].weights[0][1])


def test_the_cross_entropy_of_each_member_is_the_mean_of_minus_the_logarithm_of_the_labels_share():
    logits, labels = inputs(2, 5, 3), torch.tensor([[0, 1, 2, 0, 1], [2, 2, 0, 1, 1]])
    shares = logits.exp() / logits.exp().sum(-1, keepdim=True)
    for own in (labels, labels[0].expand(2, -1)):
        by_hand = [-sum(shares[k, n, own[k, n]].log().item() for n in range(5)) / 5 for k in range(2)]
        assert cross_entropy(logits, own).tolist() == pytest.approx(by_hand, rel=1e-5)
    assert torch.equal(cross_entropy(logits, labels[0]), cross_entropy(logits, labels[0].expand(2, -1)))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: LIL((3, 2), seeds=[0]), "sizes must be inputs, at least one hidden layer"),
        (lambda: LIL((3, 0, 2), seeds=[0]), "all ≥ 1"),
        (lambda: LIL(SIZES, seeds=[]), "seeds are empty"),
        (lambda: LIL(SIZES, seeds=[0], init="zeros"), "init must be one of"),
        (lambda: LIL(SIZES, seeds=[0])(inputs(5, 4)), r"must be \(n, 3\)"),
        (lambda: LIL(SIZES, seeds=[0])(inputs(2, 5, 3)), r"x has shape \(2, 5, 3\)"),
        (lambda: StackedLIL(3, (4,), (), seeds=[0]), "classes or hidden are empty"),
        (lambda: StackedLIL(3, (), (2, 4), seeds=[0]), "classes or hidden are empty"),
        (lambda: StackedLIL(3, (4,), (2,), seeds=[-1]), "seeds must be ≥ 0"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


HIDDEN, CLASSIFY = inspect.unwrap(LIL.hidden), inspect.unwrap(LIL.classify)  # without the tests' own check of types


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64, torch.bool, torch.float64, torch.float16])
def test_another_type_than_that_of_the_weights_gets_one_sentence(kind):
    lil = LIL(SIZES, seeds=[0, 1])
    for call, x, name in ((HIDDEN, torch.ones(5, 3), "x"), (CLASSIFY, torch.ones(2, 5, 5), "z")):
        call(lil, x)
        with pytest.raises(ValueError, match=f"^{name} is {kind} and the weights are torch.float32: convert one of"):
            call(lil, x.to(kind))
    with pytest.raises(ValueError, match=r"z has shape \(2, 5, 6\): it must be \(n, 5\)"):
        CLASSIFY(lil, torch.ones(2, 5, 6))


def test_autocast_converts_short_floats_and_nothing_else():
    stack = StackedLIL(3, (6, 5), (2, 4), seeds=[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert stack(inputs(7, 3))[1].dtype == stack(inputs(7, 3).bfloat16())[1].dtype == torch.bfloat16
        with pytest.raises(ValueError, match="convert one of them"):
            HIDDEN(stack.lils[0], torch.ones(5, 3, dtype=torch.uint8))


@pytest.mark.filterwarnings("ignore:Guards may run slower:RuntimeWarning")  # on Python 3.13.0, says torch
def test_the_check_of_inputs_is_compiled_whole():
    lil, check = LIL(SIZES, seeds=[0, 1]), inspect.unwrap(LIL.check)
    step = torch.compile(lambda x: check(lil, x) or x.tanh(), backend="eager", fullgraph=True)
    assert torch.equal(step(inputs(7, 3)), inputs(7, 3).tanh())


@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.int32, torch.uint16])
def test_labels_of_any_integer_type_have_a_cross_entropy(kind):
    logits, labels = inputs(2, 5, 3), torch.tensor([0, 1, 2, 0, 1])
    assert torch.equal(cross_entropy(logits, labels.to(kind)), cross_entropy(logits, labels))
    with pytest.raises(ValueError, match="labels are torch.float32"):
        inspect.unwrap(cross_entropies)(logits, labels.float())


def test_derived_seeds_are_those_of_the_records():
    assert (derived_seed(0), derived_seed(3, 1)) == (7896617691693857887, 5712964121383671236)
    with pytest.raises(ValueError, match="seeds must be ≥ 0"):
        derived_seed(-1)
