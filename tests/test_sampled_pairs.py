"""The estimate is right on average, its gradient too, and its variance says how far one draw lies from the truth."""

import math

import pytest
import torch

from lil.isometry import isometry_loss, pair_distances, within_class
from lil.sampled_pairs import draw_pairs, sampled_isometry_loss

LABELS = torch.tensor([0, 1, 1, 0, 2, 1, 0, 0, 1, 3])  # classes of 4, 4, 1 and 1 points
SETTINGS = [dict(), dict(pairs="all"), dict(scale=3.0), dict(reduction="pairs")]


def points(seed=0, members=()):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(len(LABELS), 5, generator=generator)
    return x, torch.randn(*members, len(LABELS), 3, generator=generator)


def exact(z, x, *, pairs="within-class", **settings):
    return isometry_loss(z, pair_distances(x), within_class(LABELS, pairs), **settings)


def test_every_ordered_pair_of_a_class_is_as_likely_as_any_other():
    draws = 240_000
    i, j = draw_pairs(LABELS, draws, torch.Generator().manual_seed(1))
    assert (LABELS[i] == LABELS[j]).all() and (i != j).all()
    counts = torch.bincount(i * len(LABELS) + j, minlength=len(LABELS) ** 2)
    drawn = counts[counts > 0]
    assert len(drawn) == 24  # 4 · 3 of each of two classes
    assert ((drawn - draws / 24) ** 2 / (draws / 24)).sum() < 49.7  # χ², 23 degrees: one in a thousand


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_is_right_on_average_and_so_is_its_gradient(settings):
    x, z = points()
    z.requires_grad_()
    truth = exact(z, x, **settings)
    (slope,) = torch.autograd.grad(truth, z)
    generator, losses, slopes = torch.Generator().manual_seed(2), [], []
    for _ in range(3000):
        loss = sampled_isometry_loss(z, x, LABELS, 4, generator=generator, **settings).loss
        losses.append(loss.detach())
        slopes.append(torch.autograd.grad(loss, z)[0])
    for found, expected in ((torch.stack(losses), truth.detach()), (torch.stack(slopes), slope)):
        error = found.std(0) / math.sqrt(len(found))
        assert ((found.mean(0) - expected).abs() <= 4.5 * error + 1e-7).all()


def test_its_variance_is_that_of_many_draws_and_falls_with_the_pairs():
    x, z = points()
    generator, variances = torch.Generator().manual_seed(3), {}
    for n in (8, 32):
        draws = [sampled_isometry_loss(z, x, LABELS, n, generator=generator) for _ in range(4000)]
        measured = torch.stack([draw.loss for draw in draws]).var()
        variances[n] = torch.stack([draw.variance for draw in draws]).mean()
        assert variances[n] == pytest.approx(float(measured), rel=0.1)
    assert variances[8] / variances[32] == pytest.approx(4, rel=0.1)


def test_where_all_pairs_are_alike_one_draw_is_exact():
    x = torch.eye(len(LABELS))  # all points √2 apart
    z = 3 * torch.eye(len(LABELS))
    estimate = sampled_isometry_loss(z, x, LABELS, 2, generator=torch.Generator().manual_seed(0))
    assert float(estimate.loss) == pytest.approx(float(exact(z, x)), rel=1e-6) and float(estimate.variance) < 1e-10


def test_members_share_the_pairs():
    x, z = points(members=(2, 3))
    together = sampled_isometry_loss(z, x, LABELS, 6, generator=torch.Generator().manual_seed(4))
    assert together.loss.shape == together.variance.shape == (2, 3)
    alone = sampled_isometry_loss(z[1, 2], x, LABELS, 6, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(together.loss[1, 2], alone.loss)


def test_points_that_coincide_have_a_gradient_of_zero():
    x, _ = points()
    z = torch.zeros(len(LABELS), 3, requires_grad=True)
    sampled_isometry_loss(z, x, LABELS, 6, generator=torch.Generator()).loss.backward()
    assert (z.grad == 0).all()


@pytest.mark.parametrize(
    "labels, n_pairs, message",
    [
        (LABELS, 1, "n_pairs must be at least 2, not 1"),
        (torch.arange(10), 4, "no two points share a class"),
        (LABELS[:-1], 4, "as many points: they have 10, 10 and 9"),
    ],
)
def test_what_cannot_be_estimated_is_refused(labels, n_pairs, message):
    x, z = points()
    with pytest.raises(ValueError, match=message):
        sampled_isometry_loss(z, x, labels, n_pairs, generator=torch.Generator())


def test_values_that_are_not_finite_and_unknown_names_are_refused():
    x, z = points()
    for change, words in [
        ({"x": x * math.inf}, "NaN or infinite"),
        ({"pairs": "some"}, "pairs must be one of"),
        ({"reduction": "sum"}, "reduction must be one of"),
    ]:
        with pytest.raises(ValueError, match=words):
            sampled_isometry_loss(
                **({"z": z, "x": x, "labels": LABELS, "n_pairs": 4} | change), generator=torch.Generator()
            )


def test_of_images_the_pixels_are_compared():
    x, z = points()
    images = x.view(len(LABELS), 1, 5, 1).expand(-1, 2, -1, -1)
    found, expected = (
        sampled_isometry_loss(z, given, LABELS, 50, generator=torch.Generator().manual_seed(5)).loss
        for given in (images, images.flatten(1))
    )
    assert found.shape == () and torch.equal(found, expected)
