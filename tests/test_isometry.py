"""The isometry loss: theorems, explicit loops, autograd in double precision, degenerate batches."""

import doctest
import inspect

import numpy as np
import pytest
import torch

from lil import isometry
from lil.isometry import (
    IsometryLoss,
    euclidean,
    flat_pairs,
    isometry_loss,
    manhattan,
    mismatch,
    pair_distances,
    reduce_pairs,
    within_class,
)


def points(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def classes(n, c, seed=0):
    return torch.randint(0, c, (n,), generator=torch.Generator().manual_seed(seed))


def plain_loss(z, x, labels, *, scale=1.0, reduction="n2", kind="within-class"):
    """Eq. 1 as it is written: full distance matrices, G, autograd. The square root's slope at 0 is set to 0."""

    def distance_matrix(p):
        square = (p[..., :, None, :] - p[..., None, :, :]).square().sum(-1)
        return torch.where(square > 0, square.clamp(min=1e-300).sqrt(), 0.0)

    g = labels[:, None] == labels if kind == "within-class" else torch.ones(len(labels), len(labels), dtype=torch.bool)
    each = g * (scale * distance_matrix(z) - distance_matrix(x)) ** 2
    count = len(labels) ** 2 if reduction == "n2" else max(1, int(g.sum()) - len(labels))
    return each.sum((-2, -1)) / count


CASES = {
    "random": (points(40, 3), points(40, 5, seed=1), classes(40, 4)),
    "many coordinates": (points(30, 3), points(30, 23, seed=1), classes(30, 3)),
    "one coordinate": (points(12, 3), points(12, 1, seed=1), classes(12, 2)),
    "duplicates": (points(6, 3).repeat(3, 1), points(6, 4, seed=1).repeat(3, 1), classes(18, 2)),
    "collapsed": (points(10, 3), torch.zeros(10, 4, dtype=torch.float64), classes(10, 2)),
    "single class": (points(15, 2), points(15, 2, seed=1), torch.zeros(15, dtype=torch.int64)),
    "one point a class": (points(5, 2), points(5, 2, seed=1), torch.arange(5)),
    "one class of one point": (points(7, 2), points(7, 2, seed=1), torch.tensor([0, 0, 0, 5, 2, 2, 2])),
    "large": (points(700, 3), points(700, 20, seed=1), classes(700, 2)),
    "far apart": (1e6 * points(20, 3), 1e6 * points(20, 6, seed=1), classes(20, 2)),
    "close together": (1e-6 * points(20, 3), 1e-6 * points(20, 6, seed=1), classes(20, 2)),
}


@pytest.mark.parametrize("reduction", ["n2", "pairs"])
@pytest.mark.parametrize("kind", ["within-class", "all"])
@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradient_are_those_of_the_plain_formula(case, kind, reduction):
    x, z, labels = CASES[case]
    mask = within_class(labels, kind)
    results = []
    for path in ("ours", "plain"):
        leaf = z.clone().requires_grad_()
        if path == "plain":
            loss = plain_loss(leaf, x, labels, scale=1.7, reduction=reduction, kind=kind)
        else:
            loss = isometry_loss(leaf, pair_distances(x), mask, scale=1.7, reduction=reduction)
        loss.backward()
        results.append((loss.detach(), leaf.grad))
    (loss, gradient), (expected, expected_gradient) = results
    assert torch.allclose(loss, expected, rtol=1e-12, atol=0)
    scale = float(expected_gradient.abs().max()) or 1.0
    assert torch.allclose(gradient, expected_gradient, rtol=1e-10, atol=1e-13 * scale)


def test_single_precision_is_near_double():
    x, z, labels = CASES["large"]
    mask = within_class(labels)
    single, double = (part.clone().requires_grad_() for part in (z.float(), z))
    loss = isometry_loss(single, pair_distances(x.float()), mask)
    expected = isometry_loss(double, pair_distances(x), mask)
    (loss + expected).backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(single.grad.double(), double.grad, atol=1e-5 * float(double.grad.abs().max()))


def test_explicit_loop():
    x, z, labels = CASES["random"]
    total = 0.0
    for i in range(len(x)):
        for j in range(len(x)):
            if labels[i] == labels[j]:
                total += (0.5 * (z[i] - z[j]).norm() - (x[i] - x[j]).norm()).item() ** 2
    mask = within_class(labels)
    assert isometry_loss(z, pair_distances(x), mask, scale=0.5).item() == pytest.approx(total / len(x) ** 2)


def test_the_four_steps_joined_are_the_loss():
    x, z, labels = CASES["random"]
    mask = within_class(labels)
    each = mismatch(pair_distances(z), pair_distances(x))
    assert each.shape == mask.shape
    assert torch.allclose(reduce_pairs(each, mask), isometry_loss(z, pair_distances(x), mask))


def rotation(d):
    return torch.linalg.qr(points(d, d, seed=7))[0]


def test_isometries_cost_nothing_and_change_nothing():
    x, z, labels = points(30, 4), points(30, 4, seed=1), classes(30, 3)
    mask = within_class(labels)
    x_dist = pair_distances(x)
    moved = x @ rotation(4) + 3
    assert isometry_loss(moved, x_dist, mask).item() == pytest.approx(0, abs=1e-24)
    turned = isometry_loss(z @ rotation(4) - 1, x_dist, mask)
    assert turned.item() == pytest.approx(isometry_loss(z, x_dist, mask).item(), rel=1e-12)


def test_each_class_may_be_moved_on_its_own():
    x, labels = points(30, 4), classes(30, 3)
    local, everywhere = (within_class(labels, kind) for kind in ("within-class", "all"))
    moved = torch.where(labels[:, None] == 1, x @ rotation(4) + 5, x)
    assert isometry_loss(moved, pair_distances(x), local).item() == pytest.approx(0, abs=1e-24)
    assert isometry_loss(moved, pair_distances(x), everywhere).item() > 1


def test_scaling_by_c_costs_the_square_of_its_excess():
    x, labels = points(30, 4), classes(30, 3)
    mask = within_class(labels)
    x_dist = pair_distances(x)
    mean_square = x_dist[mask].square().sum().item() / 30**2
    for c in (0.0, 0.5, 3.0):
        assert isometry_loss(c * x, x_dist, mask).item() == pytest.approx((c - 1) ** 2 * mean_square)
    assert isometry_loss(x / 10, x_dist, mask, scale=10.0).item() == pytest.approx(0, abs=1e-24)


def test_the_order_of_points_does_not_matter():
    x, z, labels = CASES["random"]
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(3))
    mask, shuffled = within_class(labels), within_class(labels[order])
    a = isometry_loss(z, pair_distances(x), mask)
    b = isometry_loss(z[order], pair_distances(x[order]), shuffled)
    assert a.item() == pytest.approx(b.item(), rel=1e-12)


def test_without_pairs_the_loss_is_zero_and_has_a_gradient():
    mask = within_class(torch.arange(4))
    z = points(4, 2).requires_grad_()
    loss = isometry_loss(z, pair_distances(points(4, 2)), mask, reduction="pairs")
    loss.backward()
    assert loss.item() == 0 and torch.equal(z.grad, torch.zeros_like(z))


def test_a_single_ordered_pair_is_one_pair():
    mask = torch.tensor([[False, True], [False, False]])
    values = torch.tensor([[0.0, 3.0], [5.0, 0.0]])
    assert reduce_pairs(values, mask, "pairs").item() == 3 and reduce_pairs(values, mask, "n2").item() == 3 / 4


def test_a_vector_is_no_set_of_representations():
    loss = inspect.unwrap(isometry_loss)  # without the tests' own check of shapes
    with pytest.raises(ValueError, match=r"z has shape \(4,\).*give one row of z"):
        loss(torch.zeros(4), torch.zeros(4, 4), torch.zeros(4, 4, dtype=torch.bool))


@pytest.mark.parametrize("reduction", ["n2", "pairs"])
def test_without_points_the_loss_is_zero(reduction):
    none, mask = torch.zeros(0, 2, dtype=torch.float64), torch.zeros(0, 0, dtype=torch.bool)
    assert isometry_loss(none, pair_distances(none), mask, reduction=reduction).item() == 0


def test_reduction_by_pairs_does_not_fall_as_classes_are_added():
    x, labels = points(20, 3), torch.zeros(20, dtype=torch.int64)
    twice, two_classes = torch.cat((x, x)), torch.cat((labels, labels + 1))
    for reduction, factor in (("pairs", 1.0), ("n2", 0.5)):
        one, two = (
            isometry_loss(2 * p, pair_distances(p), within_class(c), reduction=reduction).item()
            for p, c in ((x, labels), (twice, two_classes))
        )
        assert two == pytest.approx(factor * one)


def test_leading_dimensions_are_batches_and_members():
    x, labels = points(3, 20, 4), torch.stack([classes(20, 3, seed=k) for k in range(3)])
    z = points(2, 3, 20, 5, seed=1).requires_grad_()
    loss = isometry_loss(z, pair_distances(x), within_class(labels))
    assert loss.shape == (2, 3)
    loss.square().sum().backward()
    for k in range(2):
        for s in range(3):
            leaf = z[k, s].detach().requires_grad_()
            alone = isometry_loss(leaf, pair_distances(x[s]), within_class(labels[s]))
            alone.square().backward()
            assert loss[k, s].item() == pytest.approx(alone.item(), rel=1e-12)
            assert torch.allclose(z.grad[k, s], leaf.grad, rtol=1e-10)


def test_members_that_share_a_batch():
    x, z, labels = points(20, 4), points(3, 20, 5, seed=1), classes(20, 3)
    mask = within_class(labels)
    x_dist = pair_distances(x)
    together = isometry_loss(z, x_dist, mask)
    assert together.tolist() == pytest.approx([isometry_loss(one, x_dist, mask).item() for one in z])


def test_both_distances_can_be_differentiated():
    """An attack needs it (Eq. 6): the gradient with respect to x through x_dist and through Φ."""
    weight, labels = points(3, 4, seed=5), classes(12, 2)
    mask = within_class(labels)

    def loss(x):
        return isometry_loss(torch.tanh(x @ weight), pair_distances(x), mask)

    assert torch.autograd.gradcheck(loss, points(12, 3).requires_grad_())


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
def test_first_and_second_derivatives_are_those_of_finite_differences(check):
    """The second is that of a gradient penalty."""
    x_dist, mask = pair_distances(points(6, 3)), within_class(classes(6, 2))
    assert check(lambda z: isometry_loss(z, x_dist, mask, scale=1.3), points(6, 2, seed=2).requires_grad_())


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.bfloat16, torch.float16])
def test_integers_and_short_floats_are_taken_as_float32(dtype):
    x = (points(9, 4).abs() * 60).to(dtype)
    found = pair_distances(x)
    assert found.dtype == torch.float32 and torch.equal(found, pair_distances(x.float()))


def test_flat_pairs_are_the_unordered_pairs_that_count_row_by_row():
    mask = within_class(torch.tensor([0, 1, 0, 0]))
    values = torch.arange(16).view(4, 4)
    assert flat_pairs(values, mask).tolist() == [2, 3, 11]
    assert flat_pairs(torch.stack((values, -values)), mask).tolist() == [[2, 3, 11], [-2, -3, -11]]


def test_labels_are_any_integers():
    labels = torch.tensor([-3, 70000, -3, 5], dtype=torch.int64)
    assert within_class(labels).nonzero().tolist() == [[0, 2], [2, 0]]
    assert within_class(labels.short()).shape == (4, 4)


def test_another_metric():
    x, z, labels = CASES["random"]
    mask = within_class(labels)
    loss = isometry_loss(z.requires_grad_(), pair_distances(x, manhattan), mask, metric=manhattan)
    total = sum(
        ((z[i] - z[j]).abs().sum() - (x[i] - x[j]).abs().sum()).item() ** 2
        for i in range(40)
        for j in range(40)
        if labels[i] == labels[j]
    )
    assert loss.item() == pytest.approx(total / 40**2)
    assert torch.autograd.grad(loss, z)[0].abs().max() > 0
    z.requires_grad_(False)


LOSS = inspect.unwrap(isometry_loss)  # the checks of shapes in tests come first otherwise


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: within_class(torch.arange(3), "some"), "pairs must be one of"),
        (lambda: within_class(torch.zeros(0, dtype=torch.int64)), "labels are empty"),
        (lambda: inspect.unwrap(pair_distances)(points(4)), "a row for each point"),
        (lambda: pair_distances(points(4, 2) / 0), "NaN or infinite"),
        (lambda: LOSS(points(4, 2), points(3, 3), within_class(torch.zeros(4).long())), "one row of z, one label"),
        (lambda: LOSS(points(4, 2), points(4, 4), within_class(torch.zeros(5).long())), "one row of z, one label"),
        (lambda: reduce_pairs(points(4, 4), within_class(torch.zeros(4).long()), "sum"), "reduction must be one of"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ------------------------------------------------------------------------------------------------ as a module


@pytest.mark.parametrize("reduction", ["n2", "pairs"])
@pytest.mark.parametrize("kind", ["within-class", "all"])
def test_the_module_is_the_plain_formula(kind, reduction):
    x, z, labels = CASES["random"]
    found = IsometryLoss(pairs=kind, scale=1.7, reduction=reduction)(z, x, labels)
    assert found == pytest.approx(float(plain_loss(z, x, labels, scale=1.7, reduction=reduction, kind=kind)), rel=1e-12)


def test_the_modules_gradient_is_that_of_finite_differences():
    z, x = points(6, 3).requires_grad_(), points(6, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(IsometryLoss(scale=2.0), (z, x, torch.tensor([-3, 7, 7, -3, 7, 2])))


def test_ignored_points_are_as_if_they_were_not_there():
    x, z, labels = CASES["random"]
    ignored = labels.clone()
    ignored[::3] = -1
    kept = torch.arange(len(labels)) % 3 != 0
    found = IsometryLoss(ignore_index=-1)(z, x, ignored)
    assert found == IsometryLoss()(z[kept], x[kept], labels[kept]) and found != IsometryLoss()(z, x, labels)


@pytest.mark.parametrize("labels", [[-100, -100, -100], [1, 2, 3]], ids=["all ignored", "single points"])
def test_without_pairs_the_module_gives_zero_and_a_gradient(labels):
    z = points(3, 2).requires_grad_()
    loss = IsometryLoss()(z, points(3, 2, seed=1), torch.tensor(labels))
    loss.backward()
    assert loss == 0 and loss.dtype == z.dtype and (z.grad == 0).all()


def test_an_ensemble_whose_points_are_all_ignored_has_a_loss_of_zero_for_each_member():
    z = torch.stack([points(3, 2), points(3, 2, seed=2)]).requires_grad_()
    loss = IsometryLoss()(z, points(3, 2, seed=1), torch.tensor([-100] * 3))
    loss.sum().backward()
    assert loss.tolist() == [0, 0] and (z.grad == 0).all()


@pytest.mark.parametrize("kind", [torch.int32, torch.uint8, torch.int8])
def test_images_and_labels_of_any_integer_type(kind):
    images = torch.randint(0, 256, (8, 3, 4, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    z, labels = points(8, 5), torch.tensor([3, 3, 9, 9, 9, 100, 100, 100])
    found = IsometryLoss()(z, images, labels.to(kind))
    assert found == pytest.approx(float(plain_loss(z, images.flatten(1).double(), labels)), rel=1e-6)


def test_short_floats_and_autocast_are_computed_in_float32():
    x, z, labels = (part.float() if part.is_floating_point() else part for part in CASES["random"])
    short = z.bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        found = IsometryLoss()(short, x, labels)
    assert found.dtype == torch.float32 and found == IsometryLoss()(short.float(), x, labels)
    found.backward()
    assert short.grad.dtype == torch.bfloat16 and short.grad.abs().sum() > 0


def test_inputs_need_not_lie_in_one_piece_and_leading_dimensions_are_members():
    x, z, labels = CASES["random"]
    found = IsometryLoss()(torch.stack((z, 2 * z)).mT.contiguous().mT, x.T.contiguous().T, labels)
    assert torch.equal(found, torch.stack((IsometryLoss()(z, x, labels), IsometryLoss()(2 * z, x, labels))))


FORWARD = inspect.unwrap(IsometryLoss.forward)  # without the tests' own check of shapes
SHAPES = [((3, 2), (4, 2), 3), ((3, 2), (3, 2), 4), ((3,), (3, 2), 3), ((3, 2), (3,), 3), ((3, 2), (), 3)]


@pytest.mark.parametrize("shapes", [*SHAPES, ((3, 2), (3, 2), (3, 1)), ((3, 2), (3, 2), (3, 4)), ((3, 2), (3, 2), ())])
def test_the_module_says_which_shapes_it_wants(shapes):
    z, x, n = shapes
    with pytest.raises(ValueError, match="n points have"):
        FORWARD(IsometryLoss(), torch.zeros(z), torch.zeros(x), torch.zeros(n, dtype=torch.int64))


@pytest.mark.parametrize("other", [[[0.0], [1.0]], np.zeros((2, 1)), None], ids=["list", "array", "none"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_module_asks_for_tensors(other, place):
    parts = [torch.zeros(2, 1), torch.zeros(2, 1), torch.zeros(2, dtype=torch.int64)]
    parts[place] = other
    with pytest.raises(TypeError, match="must be tensors"):
        FORWARD(IsometryLoss(), *parts)


UNSIGNED = (torch.uint8, torch.uint16, torch.uint32, torch.uint64)
INTEGERS = (torch.int8, torch.int16, torch.int32, torch.int64, *UNSIGNED)


@pytest.mark.parametrize("ignored", [-100, -1, 300, 65836])
@pytest.mark.parametrize("kind", INTEGERS)
def test_no_label_of_another_value_is_ignored(kind, ignored):
    """``ignored`` modulo the size of the type is a class of its own, not the points to leave out."""
    size = torch.iinfo(kind).max - torch.iinfo(kind).min + 1
    wrapped = (ignored - torch.iinfo(kind).min) % size + torch.iinfo(kind).min
    x, z = points(6, 3), points(6, 2, seed=1)
    labels = torch.tensor([min(wrapped, 2**63 - 1)] * 3 + [7] * 3).to(kind)
    found, kept = IsometryLoss(ignore_index=ignored)(z, x, labels), IsometryLoss(ignore_index=-7)(z, x, labels)
    assert kept == pytest.approx(float(plain_loss(z, x, torch.tensor([1, 1, 1, 0, 0, 0]))))
    assert found == (IsometryLoss()(z[3:], x[3:], labels[3:]) if wrapped == ignored else kept)  # the type holds it


@pytest.mark.parametrize("labels", [torch.tensor([2**63, 1], dtype=torch.uint64), torch.tensor([0.0, 1.0])])
def test_labels_are_integers_below_2_to_63(labels):
    with pytest.raises(ValueError, match="number the classes by integers below"):
        FORWARD(IsometryLoss(), points(2, 2), points(2, 3), labels)


def test_values_that_are_not_finite_are_of_the_tensor_that_has_them():
    z, x, labels = points(4, 2), points(4, 3), torch.zeros(4, dtype=torch.int64)
    for bad, name in (((z.half() * 1e9, x), "z"), ((z, x / 0), "x")):
        with pytest.raises(ValueError, match=f"^{name} has values that are NaN or infinite"):
            IsometryLoss()(*bad, labels)


@pytest.mark.parametrize("at", [0, 1])
def test_complex_values_are_refused_and_floats_of_8_bits_computed(at):
    given, labels = [points(4, 2).float(), points(4, 3).float()], torch.zeros(4, dtype=torch.int64)
    for kind in (torch.float8_e4m3fn, torch.float8_e5m2):
        short = [x.to(kind) if k == at else x for k, x in enumerate(given)]
        assert FORWARD(IsometryLoss(), *short, labels) == IsometryLoss()(*(x.float() for x in short), labels)
    given[at] = given[at].to(torch.complex64)
    with pytest.raises(ValueError, match="values are complex"):
        LOSS(given[0], pair_distances(given[1]), within_class(labels))


@pytest.mark.parametrize("metric", [euclidean, manhattan])
def test_a_metric_takes_points_of_any_real_types(metric):
    a = (points(5, 3).abs() * 60).to(torch.uint8)
    expected = metric(a.double(), a.double().flip(0))
    assert torch.allclose(metric(a, a.flip(0)).double(), expected) and metric(a, a).dtype == torch.float32
    assert torch.equal(metric(a.float(), a.double().flip(0)), expected)


def test_a_loss_takes_distances_and_masks_of_any_real_type():
    z, labels = points(4, 2), torch.tensor([0, 0, 1, 1])
    mask = within_class(labels)
    assert LOSS(z, mask, mask.float()) == isometry_loss(z, mask.double(), mask)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(pairs="some"), "pairs must be one of"),
        (dict(reduction="mean"), "reduction must be one of"),
        (dict(metric="manhattan"), "metric must be a function"),
        (dict(scale=float("nan")), "scale finite"),
        (dict(ignore_index=None), "ignore_index an integer"),
    ],
)
def test_the_module_refuses_arguments_where_it_is_made(arguments, words):
    with pytest.raises(ValueError, match=words):
        inspect.unwrap(IsometryLoss.__init__)(IsometryLoss(), **arguments)


def test_the_module_prints_its_arguments_and_its_example_holds():
    assert repr(IsometryLoss(metric=manhattan, scale=2.0)) == (
        "IsometryLoss(pairs='within-class', metric=manhattan, scale=2.0, reduction='n2', ignore_index=-100)"
    )
    assert doctest.testmod(isometry) == (0, 2)
