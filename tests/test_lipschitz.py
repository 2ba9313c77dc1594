import inspect
import math

import pytest
import torch

from lil import lipschitz
from lil.models import LIL

SEEDS = (0, 1, 2)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(7)


def randn(*shape, generator):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def linear(matrix):
    """The map x -> A x of each member, for A (m, k, d)."""
    return lambda x: x @ matrix.mT


def rotation(angle):
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[[cos, -sin], [sin, cos]]], dtype=torch.float64)


# Maps whose constant is known


@pytest.mark.parametrize("shape", [(3, 4, 6), (3, 6, 4), (3, 4, 25)], ids=["wide", "tall", "many inputs"])
def test_of_a_linear_map_it_is_the_largest_singular_value(shape, generator):
    matrix = randn(*shape, generator=generator)
    expected = torch.stack([torch.linalg.svdvals(each)[0] for each in matrix])
    found = lipschitz.local_jacobian(linear(matrix), randn(3, 25, shape[-1], generator=generator))
    assert torch.allclose(found, expected[:, None].expand(3, 25), rtol=1e-10)
    assert torch.allclose(lipschitz.upper_product([matrix]), expected, rtol=1e-10)


def test_a_linear_map_stretches_its_singular_vectors_by_its_singular_values(generator):
    matrix = randn(1, 4, 3, generator=generator)
    _, values, vectors = torch.linalg.svd(matrix[0], full_matrices=False)
    x = randn(1, 3, 3, generator=generator)
    found = lipschitz.local_directional(linear(matrix), x, 5 * vectors[None])
    assert torch.allclose(found[0], values, rtol=1e-10)


def test_a_rotation_has_constant_one_however_it_is_estimated(generator):
    x = randn(20, 2, generator=generator)
    turned = linear(rotation(0.7))
    labels = torch.arange(20) % 2
    estimates = [
        *lipschitz.lower_pairs(x, turned(x[None]), labels),
        lipschitz.local_jacobian(turned, x[None]),
        lipschitz.local_directional(turned, x[None], randn(1, 20, 2, generator=generator)),
        lipschitz.upper_product([rotation(0.7), rotation(-0.2)]),
    ]
    for estimate in estimates:
        assert torch.allclose(estimate, torch.ones_like(estimate), rtol=1e-12)


@pytest.mark.parametrize("factor", [0.1, 3.0])
def test_a_scaling_has_its_factor(factor, generator):
    x = randn(20, 3, generator=generator)
    scaled = lambda points: factor * points  # noqa: E731
    pairs = lipschitz.lower_pairs(x, scaled(x[None]), torch.arange(20) % 2)
    estimates = torch.stack((*pairs, lipschitz.upper_product([factor * torch.eye(3, dtype=torch.float64)[None]])))
    assert torch.allclose(estimates, torch.full_like(estimates, factor), rtol=1e-12)
    assert torch.allclose(lipschitz.local_jacobian(scaled, x[None]), torch.tensor(factor, dtype=torch.float64))


def test_of_tanh_on_a_line_it_is_the_slope():
    x = torch.linspace(-3, 3, 31, dtype=torch.float64)[None, :, None]
    slope = 2 * (1 - torch.tanh(2 * x + 0.5) ** 2)
    found = lipschitz.local_jacobian(lambda points: torch.tanh(2 * points + 0.5), x)
    assert torch.allclose(found, slope[..., 0], rtol=1e-12)
    assert (found <= 2).all() and found.max() > 1.9


def test_two_classes_sent_apart_are_an_isometry_within_and_none_between():
    x = torch.tensor([[0.0], [1.0], [1.1], [2.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 1, 1])
    within, between = lipschitz.lower_pairs(x, (x + 5 * labels[:, None])[None], labels)
    assert within.item() == pytest.approx(1)
    assert between.item() == pytest.approx(5.1 / 0.1)  # 1.0 and 1.1 go to 1.0 and 6.1


# Networks, where only an independent computation knows


@pytest.mark.parametrize("name", ["represent", "forward"])
def test_the_jacobian_is_torchs_own_at_each_point_of_each_member(name, generator):
    model = LIL((3, 7, 5, 2), seeds=SEEDS).double()
    x = randn(3, 12, 3, generator=generator)
    of = getattr(model, name)
    found = lipschitz.local_jacobian(of, x)
    for member in range(3):
        for point in range(12):

            def alone(at, member=member):
                return of(at.expand(3, 1, 3))[member, 0]

            jacobian = torch.autograd.functional.jacobian(alone, x[member, point])
            assert found[member, point].item() == pytest.approx(torch.linalg.svdvals(jacobian)[0].item(), rel=1e-10)


def test_a_network_respects_the_order_of_its_bounds(generator):
    """Lower ≤ local ≤ upper. Points are on one line, and the local constant is taken along all of it."""
    model = LIL((3, 20, 20, 2), seeds=SEEDS).double()
    with torch.no_grad():
        for weight in model.weights:
            weight *= 3
    line = torch.linspace(-1, 1, 401, dtype=torch.float64)[:, None] * randn(3, generator=generator)
    labels = torch.arange(401) % 2
    within, between = lipschitz.lower_pairs(line, model.represent(line).detach(), labels)
    each = line.expand(3, -1, -1)
    local = lipschitz.local_jacobian(model.represent, each)
    along = lipschitz.local_directional(model.represent, each, line[-1].expand(3, 401, 3))
    upper = lipschitz.upper_product(model.weights[:-1])
    assert (along <= local * (1 + 1e-9)).all()
    assert (torch.maximum(within, between) <= along.amax(-1) * (1 + 1e-3)).all()  # the line is searched in steps
    assert (local.amax(-1) <= upper).all()
    assert (upper < 1e3 * local.amax(-1)).all() and (along < 0.99 * local).any()  # and they are not all one


def test_pairs_agree_with_a_loop_and_equal_points_do_not_count(generator):
    x = randn(9, 3, generator=generator)
    x[4] = x[2]
    z = randn(2, 9, 5, generator=generator)
    z[:, 4] = z[:, 2]
    labels = torch.tensor([0, 1, 2, 0, 2, 1, 0, 0, 1])
    found = lipschitz.lower_pairs(x, z, labels)
    for member in range(2):
        ratios = {True: [0.0], False: [0.0]}
        for i in range(9):
            for j in range(i):
                if {i, j} != {2, 4}:
                    ratio = (z[member, i] - z[member, j]).norm() / (x[i] - x[j]).norm()
                    ratios[bool(labels[i] == labels[j])].append(ratio.item())
        assert found.within[member].item() == pytest.approx(max(ratios[True]))
        assert found.between[member].item() == pytest.approx(max(ratios[False]))


def test_without_a_pair_the_lower_bound_is_zero():
    within, between = lipschitz.lower_pairs(torch.zeros(1, 2), torch.zeros(3, 1, 4), torch.tensor([0]))
    assert within.tolist() == between.tolist() == [0, 0, 0]


def test_margins_force_no_more_than_the_pairs_show(generator):
    model = LIL((3, 10, 6, 4), seeds=SEEDS).double()
    x = randn(30, 3, generator=generator)
    labels = torch.arange(30) % 4
    logits, classifier = model(x).detach(), model.weights[-1].detach()
    found = lipschitz.lower_margins(x, logits, labels, classifier)
    assert (found > 0).all() and (found <= lipschitz.lower_pairs(x, model.represent(x).detach(), labels).between).all()
    for member in range(3):
        forced = []
        for i in range(30):
            for j in range(30):
                s, t = labels[i], labels[j]
                if s != t:
                    margins = logits[member, i, s] - logits[member, i, t] + logits[member, j, t] - logits[member, j, s]
                    rows = classifier[member, s] - classifier[member, t]
                    forced.append(margins / rows.norm() / (x[i] - x[j]).norm())
        assert found[member].item() == pytest.approx(max(forced).item())


def test_margins_along_the_line_between_two_classes_are_all_there_is():
    """Opposite rows along the only coordinate: Cauchy and Schwarz lose nothing, and the bound is the ratio itself."""
    x = torch.tensor([[-1.0], [0.5]])
    z = 3 * x[None]
    classifier = torch.tensor([[[-2.0], [2.0]]])
    labels = torch.tensor([0, 1])
    found = lipschitz.lower_margins(x, z @ classifier.mT, labels, classifier)
    assert found.item() == pytest.approx(3) == pytest.approx(lipschitz.lower_pairs(x, z, labels).between.item())


def test_without_the_classifiers_rows_margins_bound_nothing(generator):
    """The proposition without the factor that W is: a network with large weights breaks it."""
    source = inspect.getsource(lipschitz.lower_margins)
    right, wrong = "margins / (rows * _distances(x))", "margins / _distances(x)"
    assert source.count(right) == 1
    there = dict(vars(lipschitz))
    exec(f"from __future__ import annotations\n{source.replace(right, wrong)}", there)
    model = LIL((3, 10, 6, 4), seeds=SEEDS).double().requires_grad_(False)
    model.weights[-1].mul_(50)
    x, labels = randn(30, 3, generator=generator), torch.arange(30) % 4
    given = (x, model(x), labels, model.weights[-1])
    between = lipschitz.lower_pairs(x, model.represent(x), labels).between
    assert (lipschitz.lower_margins(*given) <= between).all() and (there["lower_margins"](*given) > between).all()


def test_classifying_forbids_no_constant_but_bounds_its_product_with_the_weights(generator):
    """Φ / c and c W classify alike, for any c: the constant that margins force falls as 1/c, its product does not."""
    x, z, labels = randn(20, 3, generator=generator), randn(1, 20, 5, generator=generator), torch.arange(20) % 2
    rows = randn(1, 2, 5, generator=generator)
    distance = (rows[0, 0] - rows[0, 1]).norm()
    forced = lipschitz.lower_margins(x, z @ rows.mT, labels, rows)
    for c in (10.0, 1e6):
        logits = (z / c) @ (c * rows).mT
        assert torch.allclose(logits, z @ rows.mT)
        small = lipschitz.lower_margins(x, logits, labels, c * rows)
        assert torch.allclose(small, forced / c) and torch.allclose(small * c * distance, forced * distance)


def test_two_half_planes_touch_and_an_isometry_separates_them():
    """The identity keeps all distances and classifies both; only margins that stay large force a jump."""
    rows = torch.tensor([[[-1.0, 0.0], [1.0, 0.0]]], dtype=torch.float64)
    for gap in (0.1, 1e-3, 1e-6):
        side = torch.tensor([-gap, gap], dtype=torch.float64)
        x = torch.stack((side.repeat(4), torch.arange(4).repeat_interleave(2).double()), -1)
        labels = (x[:, 0] > 0).long()
        logits = x[None] @ rows.mT
        assert (logits.argmax(-1) == labels).all()
        within, between = lipschitz.lower_pairs(x, x[None], labels)
        assert within.item() == pytest.approx(1) and between.item() == pytest.approx(1)
        assert lipschitz.lower_margins(x, logits, labels, rows).item() == pytest.approx(1)
        jumping = torch.stack((side.sign().repeat(4), x[:, 1]), -1)[None]
        assert lipschitz.lower_margins(x, jumping @ rows.mT, labels, rows).item() == pytest.approx(1 / gap)
        assert lipschitz.lower_pairs(x, jumping, labels).within.item() == pytest.approx(1)


@pytest.mark.parametrize("gain", [0.3, 1.0, 4.0])
def test_a_network_maps_no_segment_isometrically_and_an_affine_map_may(gain, generator):
    """An isometry maps the middle of a segment to the middle of its image, whatever its factor K is."""
    model = LIL((3, 20, 20, 2), seeds=SEEDS).double().requires_grad_(False)
    for weight in model.weights:
        weight *= gain
    start, direction = randn(50, 3, generator=generator), randn(50, 3, generator=generator)
    for length in (0.1, 1.0, 10.0):
        ends = [start, start + length / 2 * direction, start + length * direction]
        first, middle, last = map(model.represent, ends)
        assert ((first + last - 2 * middle).norm(dim=-1) > 1e-9).all()
        flat = [end @ model.weights[0].mT + model.biases[0][:, None] for end in ends]
        assert ((flat[0] + flat[2] - 2 * flat[1]).norm(dim=-1) < 1e-12).all()
    far = model.represent(start + 1e6 * direction) - model.represent(start)
    assert (far.norm(dim=-1) < 2 * 20**0.5).all()  # the reach of 20 units, which no line stays within


def test_no_direction_is_no_stretch():
    found = lipschitz.local_directional(lambda x: 3 * x, torch.ones(1, 2, 2), torch.tensor([[[0.0, 0.0], [0.0, 1.0]]]))
    assert found.tolist() == [[0, 3]]


# Certificates


def linear_classifier(generator):
    """A linear classifier on the inputs themselves: Λ = 1, and the distance to the boundary is known."""
    return randn(2, 4, 3, generator=generator), randn(15, 3, generator=generator)


def test_the_radius_of_a_linear_classifier_is_the_distance_to_the_nearest_boundary(generator):
    rows, x = linear_classifier(generator)
    logits = x @ rows.mT
    labels = torch.randint(4, (15,), generator=generator)
    found = lipschitz.certified_radius(logits, labels, rows, torch.ones(2, dtype=torch.float64))
    assert (found > 0).any() and (found == 0).any()
    for member in range(2):
        for point, label in enumerate(labels.tolist()):
            distances = []
            for other in set(range(4)) - {label}:
                normal = rows[member, label] - rows[member, other]
                distances.append(max(0.0, (normal @ x[point] / normal.norm()).item()))
            assert found[member, point].item() == pytest.approx(min(distances))


def test_the_radius_is_divided_by_the_constant_of_each_member(generator):
    """Points stretched by 3 before the first classifier and by 0.5 before the second are as far from a boundary."""
    rows, x = linear_classifier(generator)
    stretch = torch.tensor([3.0, 0.5], dtype=torch.float64)
    logits, labels = stretch[:, None, None] * (x @ rows.mT), torch.randint(4, (15,), generator=generator)
    unstretched = lipschitz.certified_radius(x @ rows.mT, labels, rows, torch.ones(2, dtype=torch.float64))
    found = lipschitz.certified_radius(logits, labels, rows, stretch)
    assert torch.allclose(found, unstretched) and (found[0] > 0).any() and (found[1] > 0).any()


def test_a_step_to_the_radius_keeps_the_class_and_a_longer_one_loses_it(generator):
    rows, x = linear_classifier(generator)
    labels = (x @ rows[0].mT).argmax(-1)  # those of the first member, which is always right
    radius = lipschitz.certified_radius(x @ rows.mT, labels, rows, torch.ones(2, dtype=torch.float64))[0]
    margins = (x @ rows[0].mT).gather(-1, labels[:, None]) - x @ rows[0].mT
    normals = rows[0][labels][:, None] - rows[0]
    distance = (margins / normals.norm(dim=-1)).scatter(-1, labels[:, None], math.inf)
    nearest = distance.argmin(-1)
    towards = -normals[torch.arange(15), nearest]
    towards = towards / towards.norm(dim=-1, keepdim=True)
    for factor, same in ((0.999, True), (1.001, False)):
        moved = x + factor * radius[:, None] * towards
        assert (((moved @ rows[0].mT).argmax(-1) == labels) == same).all()


def test_no_random_step_within_the_radius_changes_a_networks_class(generator):
    model = LIL((3, 10, 10, 4), seeds=SEEDS).double()
    x = randn(40, 3, generator=generator)
    labels = model(x)[0].argmax(-1)
    upper = lipschitz.upper_product(model.weights[:-1]).detach()
    radius = lipschitz.certified_radius(model(x), labels, model.weights[-1], upper).detach()
    assert (radius[0] > 0).all() and (radius[1] == 0).any()
    for _ in range(50):
        step = randn(3, 40, 3, generator=generator)
        moved = x + step / step.norm(dim=-1, keepdim=True) * 0.999 * radius[..., None]
        assert (model(moved).argmax(-1) == labels)[radius > 0].all()


def test_classes_that_the_classifier_cannot_tell_apart_by_position_are_never_confused():
    logits = torch.tensor([[[2.0, 1.0]]])  # equal rows: the margin is the bias's, whatever the point
    radius = lipschitz.certified_radius(logits, torch.tensor([0]), torch.ones(1, 2, 3), torch.ones(1))
    assert radius.item() == math.inf
