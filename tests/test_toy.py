import math

import numpy as np
import pytest
import scipy.optimize
import torch

from lil.datasets import toy


def polygon(n, *, centre=(0.0, 0.0, 0.0), axes=(0, 1), turns=1):
    angle = 2 * math.pi * turns * torch.arange(n, dtype=torch.float64) / n
    points = torch.tensor(centre, dtype=torch.float64).repeat(n, 1)
    points[:, axes[0]] += torch.cos(angle)
    points[:, axes[1]] += torch.sin(angle)
    return points


def gauss_integral(a, b, steps):
    """The double sum that the integral is the limit of, over edges cut into ``steps`` pieces."""

    def fine(p):
        t = (torch.arange(steps) + 0.5) / steps
        edge = torch.roll(p, -1, 0) - p
        points = (p[:, None] + t[:, None] * edge[:, None]).flatten(0, 1)
        return points, (edge / steps).repeat_interleave(steps, 0)

    (a, da), (b, db) = fine(a), fine(b)
    r = a[:, None] - b
    cross = torch.cross(da[:, None].expand_as(r), db.expand_as(r), dim=-1)
    return float(((r * cross).sum(-1) / r.norm(dim=-1) ** 3).sum() / (4 * math.pi))


@pytest.mark.parametrize("seed", range(5))
def test_rings_are_linked_once(seed):
    x, labels = toy.rings(50, seed=seed)
    assert abs(toy.linking_number(x[labels == 0], x[labels == 1])) == pytest.approx(1, abs=1e-9)


def test_noisy_rings_stay_linked():
    x, labels = toy.rings(200, seed=0, noise=0.03)
    assert abs(toy.linking_number(x[labels == 0], x[labels == 1])) == pytest.approx(1, abs=1e-9)


def test_rings_are_circles_through_each_others_centre():
    x, labels = toy.rings(100, seed=3, radius=2.0)
    assert x.shape == (200, 3) and x.dtype == torch.float32 and labels.dtype == torch.int64
    assert labels.tolist() == [0] * 100 + [1] * 100
    for ring, centre in ((0, (-1.0, 0.0, 0.0)), (1, (1.0, 0.0, 0.0))):
        assert torch.allclose((x[labels == ring] - torch.tensor(centre)).norm(dim=1), torch.tensor(2.0))
    assert not x[:100, 2].any() and not x[100:, 1].any()


def test_a_seed_fixes_the_draw_and_another_changes_it():
    assert torch.equal(toy.rings(20, seed=1, noise=0.1)[0], toy.rings(20, seed=1, noise=0.1)[0])
    assert not torch.equal(toy.rings(20, seed=1)[0], toy.rings(20, seed=2)[0])
    assert not torch.equal(toy.torus(seed=1).x, toy.torus(seed=2).x)


@pytest.mark.parametrize(
    "a, b, expected",
    [
        (polygon(30), polygon(30, centre=(5.0, 0.0, 0.0), axes=(0, 2)), 0),  # far apart
        (polygon(30), polygon(30, centre=(0.0, 0.0, 0.5)), 0),  # parallel, close
        (polygon(30), polygon(31, centre=(1.0, 0.0, 0.0), axes=(2, 0)), 1),  # da × db points from b to a
        (polygon(30), polygon(31, centre=(1.0, 0.0, 0.0), axes=(0, 2)), -1),  # reversed
        (polygon(60, turns=2), polygon(31, centre=(1.0, 0.0, 0.0), axes=(2, 0)), 2),
    ],
)
def test_linking_number_of_known_curves(a, b, expected):
    assert toy.linking_number(a, b) == pytest.approx(expected, abs=1e-9)
    assert toy.linking_number(b, a) == pytest.approx(expected, abs=1e-9)


def test_linking_number_is_gauss_integral_also_in_sign():
    a, b = polygon(8), polygon(9, centre=(1.0, 0.1, 0.0), axes=(2, 0))
    assert gauss_integral(a, b, steps=60) == pytest.approx(toy.linking_number(a, b), abs=1e-3)


@pytest.mark.parametrize("cut", ["ring", "tube"])
def test_torus_lies_on_its_surface_and_fills_the_unit_interval(cut):
    torus = toy.torus(cut=cut, noise=0.0, seed=0)
    assert torus.x.shape == (1600, 3) and torus.x.dtype == torch.float32
    assert torus.x.min() == 0 and torus.x.max() == 1
    x = 2 * torus.x - 1  # one scale for all coordinates: R + r = 1 spans [−1, 1]
    radius = (x[:, 0] ** 2 + x[:, 1] ** 2).sqrt()
    assert torch.allclose((radius - 0.67) ** 2 + x[:, 2] ** 2, torch.tensor(0.33**2), atol=1e-5)
    assert torch.allclose(x[:, 1], radius * torch.sin(torus.ring_angle), atol=1e-5)
    assert torch.allclose(x[:, 2], 0.33 * torch.sin(torus.tube_angle), atol=1e-5)


def test_torus_noise_is_a_standard_deviation_before_the_scaling():
    quiet, noisy = toy.torus(noise=0.0, seed=0).x, toy.torus(noise=1e-3, seed=0).x
    assert (2 * (noisy - quiet)).std().item() == pytest.approx(1e-3, rel=0.2)


@pytest.mark.parametrize("cut", ["ring", "tube"])
def test_torus_classes_are_equal_contiguous_nested_arcs_of_the_cut_angle(cut):
    torus = toy.torus(cut=cut, seed=0)
    angle = torus.ring_angle if cut == "ring" else torus.tube_angle
    for classes, labels in zip((2, 4, 8), torus.labels, strict=True):
        assert labels.dtype == torch.int64
        assert torch.bincount(labels).tolist() == [1600 // classes] * classes
        assert bool((labels.diff() >= 0).all())
        assert torch.equal(labels, torch.floor(angle * classes / (2 * math.pi) + 1e-4).long())
    for coarse, fine in zip(torus.labels, torus.labels[1:], strict=False):
        assert torch.equal(fine // 2, coarse)


def test_torus_has_no_point_twice():
    x = toy.torus(seed=0, noise=0.0).x
    assert (torch.cdist(x, x) + torch.eye(1600)).min() > 1e-2


def test_crescents_interlock_but_do_not_touch():
    x, labels = toy.crescents(20, 4)
    assert x.shape == (160, 2) and x.dtype == torch.float32 and torch.bincount(labels).tolist() == [80, 80]
    assert torch.cdist(x[labels == 0], x[labels == 1]).min() > 0.1
    signed = np.where(labels == 0, 1.0, -1.0)[:, None]
    # A line with every point on its own side:
    constraints = -signed * np.hstack((x.numpy(), np.ones((len(x), 1))))
    line = scipy.optimize.linprog(np.zeros(3), A_ub=constraints, b_ub=-np.ones(len(x)), bounds=(None, None))
    assert line.status == 2, "a straight line separates the crescents"


def test_points_of_a_crescent_sit_at_the_centres_of_the_meshs_cells():
    x, _ = toy.crescents(5, 3, radius=0.5, width=0.3)
    upper = x[:15].view(5, 3, 2) + torch.tensor([0.25, 0.125])  # its arc's centre is the origin
    angle, arc = torch.atan2(upper[..., 1], upper[..., 0]), upper.norm(dim=-1)
    assert angle.numpy() == pytest.approx(np.broadcast_to(np.pi * np.array([[1], [3], [5], [7], [9]]) / 10, (5, 3)))
    assert arc.numpy() == pytest.approx(np.broadcast_to([0.4, 0.5, 0.6], (5, 3)))
    assert torch.equal(x[15:], -x[:15])


def test_crescents_of_different_meshes_share_no_point():
    a, b = toy.crescents(20, 4)[0], toy.crescents(24, 5)[0]
    assert torch.cdist(a, b).min() > 1e-4


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: toy.rings(2, seed=0), "at least 3 points"),
        (lambda: toy.rings(10, seed=0, radius=0.0), "radius of the rings must be positive"),
        (lambda: toy.rings(10, seed=0, noise=-1.0), "cannot be negative"),
        (lambda: toy.torus(grid=20, seed=0), "multiple of 8"),
        (lambda: toy.torus(major=0.3, minor=0.4, seed=0), "0 < minor < major"),
        (lambda: toy.torus(noise=-1.0, seed=0), "cannot be negative"),
        (lambda: toy.linking_number(torch.zeros(2, 3), torch.zeros(5, 3)), "at least 3 vertices"),
        (lambda: toy.crescents(1, 4), "2 × 2 mesh"),
        (lambda: toy.crescents(10, 4, width=0.6), "0 < width < radius"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert str(error.value).count(". ") == 0 and "\n" not in str(error.value)
