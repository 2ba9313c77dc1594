"""The isometry loss: theorems, explicit loops, autograd in double precision, degenerate batches."""

import tracemalloc

import pytest
import torch

from lil import isometry
from lil.isometry import euclidean, isometry_loss, manhattan, mismatch, pair_blocks, pair_distances, reduce_pairs


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
    blocks = pair_blocks(labels, kind)
    results = []
    for path in ("closed form", "plain"):
        leaf = z.clone().requires_grad_()
        if path == "plain":
            loss = plain_loss(leaf, x, labels, scale=1.7, reduction=reduction, kind=kind)
        else:
            loss = isometry_loss(leaf, pair_distances(x, blocks), blocks, scale=1.7, reduction=reduction)
        loss.backward()
        results.append((loss.detach(), leaf.grad))
    (loss, gradient), (expected, expected_gradient) = results
    assert torch.allclose(loss, expected, rtol=1e-12, atol=0)
    scale = float(expected_gradient.abs().max()) or 1.0
    assert torch.allclose(gradient, expected_gradient, rtol=1e-10, atol=1e-13 * scale)


def test_single_precision_is_near_double():
    x, z, labels = CASES["large"]
    blocks = pair_blocks(labels)
    single, double = (part.clone().requires_grad_() for part in (z.float(), z))
    loss = isometry_loss(single, pair_distances(x.float(), blocks), blocks)
    expected = isometry_loss(double, pair_distances(x, blocks), blocks)
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
    blocks = pair_blocks(labels)
    assert isometry_loss(z, pair_distances(x, blocks), blocks, scale=0.5).item() == pytest.approx(total / len(x) ** 2)


def test_the_four_steps_joined_are_the_loss():
    x, z, labels = CASES["random"]
    blocks = pair_blocks(labels)
    each = mismatch(pair_distances(z, blocks), pair_distances(x, blocks))
    assert each.shape == (blocks.n_pairs,)
    assert torch.allclose(reduce_pairs(each, blocks), isometry_loss(z, pair_distances(x, blocks), blocks))


def rotation(d):
    return torch.linalg.qr(points(d, d, seed=7))[0]


def test_isometries_cost_nothing_and_change_nothing():
    x, z, labels = points(30, 4), points(30, 4, seed=1), classes(30, 3)
    blocks = pair_blocks(labels)
    x_dist = pair_distances(x, blocks)
    moved = x @ rotation(4) + 3
    assert isometry_loss(moved, x_dist, blocks).item() == pytest.approx(0, abs=1e-24)
    turned = isometry_loss(z @ rotation(4) - 1, x_dist, blocks)
    assert turned.item() == pytest.approx(isometry_loss(z, x_dist, blocks).item(), rel=1e-12)


def test_each_class_may_be_moved_on_its_own():
    x, labels = points(30, 4), classes(30, 3)
    local, everywhere = (pair_blocks(labels, kind) for kind in ("within-class", "all"))
    moved = torch.where(labels[:, None] == 1, x @ rotation(4) + 5, x)
    assert isometry_loss(moved, pair_distances(x, local), local).item() == pytest.approx(0, abs=1e-24)
    assert isometry_loss(moved, pair_distances(x, everywhere), everywhere).item() > 1


def test_scaling_by_c_costs_the_square_of_its_excess():
    x, labels = points(30, 4), classes(30, 3)
    blocks = pair_blocks(labels)
    x_dist = pair_distances(x, blocks)
    mean_square = 2 * x_dist.square().sum().item() / 30**2
    for c in (0.0, 0.5, 3.0):
        assert isometry_loss(c * x, x_dist, blocks).item() == pytest.approx((c - 1) ** 2 * mean_square)
    assert isometry_loss(x / 10, x_dist, blocks, scale=10.0).item() == pytest.approx(0, abs=1e-24)


def test_the_order_of_points_does_not_matter():
    x, z, labels = CASES["random"]
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(3))
    blocks, shuffled = pair_blocks(labels), pair_blocks(labels[order])
    a = isometry_loss(z, pair_distances(x, blocks), blocks)
    b = isometry_loss(z[order], pair_distances(x[order], shuffled), shuffled)
    assert a.item() == pytest.approx(b.item(), rel=1e-12)


def test_without_pairs_the_loss_is_zero_and_has_a_gradient():
    blocks = pair_blocks(torch.arange(4))
    z = points(4, 2).requires_grad_()
    loss = isometry_loss(z, pair_distances(points(4, 2), blocks), blocks, reduction="pairs")
    loss.backward()
    assert loss.item() == 0 and torch.equal(z.grad, torch.zeros_like(z))


def test_reduction_by_pairs_does_not_fall_as_classes_are_added():
    x, labels = points(20, 3), torch.zeros(20, dtype=torch.int64)
    twice, two_classes = torch.cat((x, x)), torch.cat((labels, labels + 1))
    for reduction, factor in (("pairs", 1.0), ("n2", 0.5)):
        one, two = (
            isometry_loss(2 * p, pair_distances(p, pair_blocks(c)), pair_blocks(c), reduction=reduction).item()
            for p, c in ((x, labels), (twice, two_classes))
        )
        assert two == pytest.approx(factor * one)


def test_leading_dimensions_are_batches_and_members():
    x, labels = points(3, 20, 4), torch.stack([classes(20, 3, seed=k) for k in range(3)])
    z = points(3, 2, 20, 5, seed=1).requires_grad_()
    blocks = pair_blocks(labels)
    loss = isometry_loss(z, pair_distances(x, blocks), blocks)
    assert loss.shape == (3, 2)
    loss.square().sum().backward()
    for s in range(3):
        one = pair_blocks(labels[s])
        for k in range(2):
            leaf = z[s, k].detach().requires_grad_()
            alone = isometry_loss(leaf, pair_distances(x[s], one), one)
            alone.square().backward()
            assert loss[s, k].item() == pytest.approx(alone.item(), rel=1e-12)
            assert torch.allclose(z.grad[s, k], leaf.grad, rtol=1e-10)


def test_members_that_share_a_batch():
    x, z, labels = points(20, 4), points(3, 20, 5, seed=1), classes(20, 3)
    blocks = pair_blocks(labels)
    x_dist = pair_distances(x, blocks)
    together = isometry_loss(z, x_dist, blocks)
    assert together.tolist() == pytest.approx([isometry_loss(one, x_dist, blocks).item() for one in z])


def test_both_distances_can_be_differentiated():
    """What an attack does (Eq. 6): the gradient with respect to x through x_dist and through Φ."""
    weight, labels = points(3, 4, seed=5), classes(12, 2)
    blocks = pair_blocks(labels)

    def loss(x):
        return isometry_loss(torch.tanh(x @ weight), pair_distances(x, blocks), blocks)

    assert torch.autograd.gradcheck(loss, points(12, 3).requires_grad_())


@pytest.mark.parametrize("batches", [1, 3])
def test_the_compiled_distances_are_those_of_the_metric(batches):
    x, labels = points(batches, 25, 7), torch.stack([classes(25, 4, seed=k) for k in range(batches)])
    blocks = pair_blocks(labels)
    compiled = pair_distances(x, blocks)
    assert torch.allclose(compiled, pair_distances(x, blocks, lambda a, b: euclidean(a, b)), rtol=1e-12)


def test_another_metric():
    x, z, labels = CASES["random"]
    blocks = pair_blocks(labels)
    loss = isometry_loss(z.requires_grad_(), pair_distances(x, blocks, manhattan), blocks, metric=manhattan)
    total = sum(
        ((z[i] - z[j]).abs().sum() - (x[i] - x[j]).abs().sum()).item() ** 2
        for i in range(40)
        for j in range(40)
        if labels[i] == labels[j]
    )
    assert loss.item() == pytest.approx(total / 40**2)
    assert torch.autograd.grad(loss, z)[0].abs().max() > 0
    z.requires_grad_(False)


def test_memory_follows_the_pairs_that_count():
    """1500 points of 50 classes: the blocks hold 2 % of the pairs, and nothing of the size of all is made."""
    x, labels = points(1500, 3, dtype=torch.float32), torch.arange(1500) % 50
    blocks = pair_blocks(labels)
    assert blocks.n_pairs == 50 * 30 * 29 // 2
    z = points(1500, 8, seed=1, dtype=torch.float32).requires_grad_()
    isometry_loss(z, pair_distances(x, blocks), blocks).backward()  # compiled now
    with torch.profiler.profile(profile_memory=True) as profile:  # torch's allocations, one by one
        isometry_loss(z, pair_distances(x, blocks), blocks).backward()
    tracemalloc.start()  # numpy's, at their peak
    isometry_loss(z, pair_distances(x, blocks), blocks).backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    largest = max(event.cpu_memory_usage for event in profile.events())
    assert 0 < largest and 0 < peak and max(peak, largest) < 1500**2 * 4 / 10


def test_threads_do_not_change_a_bit():
    x, z, labels = CASES["large"]
    blocks = pair_blocks(labels)
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        leaf = z.clone().requires_grad_()
        loss = isometry_loss(leaf, pair_distances(x, blocks), blocks)
        loss.backward()
        found.append((loss.detach(), leaf.grad))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: pair_blocks(torch.arange(3), "some"), "pairs must be one of"),
        (lambda: pair_blocks(torch.zeros(0, dtype=torch.int64)), "labels are empty"),
        (lambda: pair_distances(points(4, 2), pair_blocks(torch.zeros(5, dtype=torch.int64))), "one label a point"),
        (lambda: pair_distances(points(4, 2) / 0, pair_blocks(torch.zeros(4, dtype=torch.int64))), "NaN or infinite"),
        (
            lambda: isometry_loss(points(4, 2), points(3), pair_blocks(torch.zeros(4, dtype=torch.int64))),
            "x_dist has 3 pairs",
        ),
        (
            lambda: isometry.pair_weights(pair_blocks(torch.zeros(4, dtype=torch.int64)), "sum"),
            "reduction must be one of",
        ),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()
