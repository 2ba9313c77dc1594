import io
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from scipy.stats import norm
from torchvision.transforms.v2 import functional as vision

from lil import corruptions, stronger_attacks
from lil.corruptions import CIFAR10, CORRUPTIONS, MNIST, corrupt
from lil.datasets import images

NAMES = list(CORRUPTIONS)
WITHOUT_DRAWS = {"blur", "darkening", "contrast", "shrinking", "jpeg"}
TABLES = {"mnist": MNIST, "cifar10": CIFAR10}


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def sets():
    """Ten images in the shape of MNIST, and in that of CIFAR10 with three different channels."""
    grey = images.load("digits", "test", 10)[0]
    colour = F.pad(grey, (2, 2, 2, 2)).expand(-1, 3, -1, -1) * torch.tensor([1.0, 0.8, 0.6]).view(3, 1, 1)
    return {"mnist": grey, "cifar10": colour.contiguous()}


@pytest.fixture(scope="module")
def grey(sets):
    return sets["mnist"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", TABLES)
def test_severity_0_changes_nothing(sets, name, shape):
    x = sets[shape]
    apart = (corrupt(name, x, 0.0, drawn()) - x).abs()
    if name == "jpeg":  # whole greys, and colours in coarser blocks
        assert apart.mean() < 0.01
    else:
        assert apart.max() < 1e-5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", TABLES)
def test_every_severity_of_the_tables_gives_images_and_moves_them_further(sets, name, shape):
    x, before = sets[shape], 0.0
    for severity in asdict(TABLES[shape])[name]:
        found = corrupt(name, x, severity, drawn())
        assert found.shape == x.shape and found.dtype == x.dtype
        assert found.min() >= 0 and found.max() <= 1
        far = float((found - x).flatten(1).norm(dim=1).mean())
        assert far > before
        # A shape that is turned away far from itself cannot come much further.
        before = far * (0.8 if name in ("rotation", "shear", "translation") else 1)


@pytest.mark.parametrize("name", NAMES)
def test_all_draws_are_the_generators(grey, name):
    state, severity = torch.get_rng_state(), asdict(MNIST)[name][2]
    first, again, other = (corrupt(name, grey, severity, drawn(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, other) == (name in WITHOUT_DRAWS)


@pytest.mark.parametrize("name", sorted(set(NAMES) - WITHOUT_DRAWS))
def test_equal_images_have_draws_of_their_own(grey, name):
    found = corrupt(name, grey[:1].expand(20, -1, -1, -1).contiguous(), asdict(MNIST)[name][2], drawn())
    assert len(found.unique(dim=0)) > 1


# Noise


def test_sign_noise_is_that_of_the_attackers_view(grey):
    assert torch.equal(corrupt("sign", grey, 0.3, drawn(7)), stronger_attacks.noise(grey, 0.3, drawn(7)))


def test_uniform_noise_fills_its_interval_evenly():
    change = corruptions.uniform(torch.full((50, 1, 28, 28), 0.5), 0.2, drawn()) - 0.5
    assert change.abs().max() <= 0.2 and change.abs().max() > 0.199
    assert float(change.square().mean()) == pytest.approx(0.04 / 3, rel=0.02)
    for below, share in ((-0.1, 0.25), (0.0, 0.5), (0.1, 0.75)):
        assert float((change < below).float().mean()) == pytest.approx(share, abs=0.01)


def test_gaussian_noise_has_its_standard_deviation():
    change = corruptions.gaussian(torch.full((50, 1, 28, 28), 0.5), 0.2, drawn()) - 0.5
    assert float(change.std()) == pytest.approx(0.2, rel=0.02) and float(change.mean()) == pytest.approx(0, abs=0.005)
    assert float((change.abs() < 0.2).float().mean()) == pytest.approx(0.683, abs=0.01)


def test_a_random_direction_has_its_length_before_it_is_cut_off(grey):
    change = (corruptions.direction(grey, 3.0, drawn()) - grey).flatten(1)
    assert change.norm(dim=1).numpy() == pytest.approx(np.full(10, 3.0), rel=1e-5)
    turned = F.normalize(change) @ F.normalize(change).T - torch.eye(10)
    assert turned.abs().max() < 0.2  # almost orthogonal to each other, as directions in 784 dimensions are
    assert ((corrupt("direction", grey, 3.0, drawn()) - grey).flatten(1).norm(dim=1) < 3).all()


def test_salt_is_as_frequent_as_pepper():
    found = corrupt("salt_and_pepper", torch.full((50, 3, 32, 32), 0.5), 0.1, drawn())
    shares = [float((found == value).float().mean()) for value in (0, 1, 0.5)]
    assert shares == pytest.approx([0.05, 0.05, 0.9], abs=0.003) and sum(shares) == pytest.approx(1)


# Corruptions


def test_blur_makes_a_point_a_gaussian():
    point = torch.zeros(1, 1, 29, 29)
    point[..., 14, 14] = 1
    along = norm.pdf(np.arange(29) - 14, scale=1.5)
    along[np.abs(np.arange(29) - 14) > 5] = 0  # the kernel ends after 3 σ
    found = corrupt("blur", point, 1.5, drawn())[0, 0].numpy()
    assert found == pytest.approx(np.outer(along, along) / along.sum() ** 2, abs=1e-6)


def test_darkening_and_contrast_have_a_closed_form(grey):
    assert torch.allclose(corrupt("darkening", grey, 0.3, drawn()), 0.7 * grey, atol=1e-6)
    for image, found in zip(grey, corrupt("contrast", grey, 0.3, drawn()), strict=True):
        assert torch.allclose(found, 0.7 * image + 0.3 * image.mean(), atol=1e-6)


def either_way(x, name, severity, alone):
    """Assert that each image is one of its two versions by ``alone``, and that both ways occur."""
    found, ways = corrupt(name, x, severity, drawn()), []
    for image, one in zip(x, found, strict=True):
        versions = [alone(image[None], way)[0].clamp(0, 1) for way in (1, -1)]
        assert not torch.allclose(*versions, atol=1e-3)
        ways.append([torch.allclose(one, version, atol=1e-5) for version in versions])
    assert all(sum(way) == 1 for way in ways) and len({tuple(way) for way in ways}) == 2


def test_an_image_is_turned_either_way(grey):
    mode = corruptions.InterpolationMode.BILINEAR
    either_way(grey, "rotation", 30.0, lambda one, way: vision.rotate(one, 30 * way, interpolation=mode))
    assert torch.equal(corrupt("rotation", grey, 180.0, drawn()), grey.flip(-1, -2))


def test_an_image_is_sheared_either_way(grey):
    """Along its rows: a row moves by the tangent of the angle times its distance from the middle."""
    settings = dict(translate=[0, 0], scale=1.0, interpolation=corruptions.InterpolationMode.BILINEAR)
    either_way(grey, "shear", 20.0, lambda one, way: vision.affine(one, angle=0, shear=[20.0 * way, 0.0], **settings))
    column = torch.zeros(8, 1, 28, 28)
    column[..., 14] = 1
    found = corrupt("shear", column, 20.0, drawn())
    centre = (found * torch.arange(28)).sum(-1) / found.sum(-1)
    slope = centre[:, 0, 1:] - centre[:, 0, :-1]
    assert slope.abs().mean(-1).numpy() == pytest.approx(np.full(8, np.tan(np.deg2rad(20))), rel=0.02)


def test_an_image_moves_by_whole_pixels_in_four_ways():
    x, far = torch.rand((40, 1, 28, 28), generator=drawn(3)), 4
    framed, seen = F.pad(x, (far, far, far, far)), set()
    for k, found in enumerate(corrupt("translation", x, float(far), drawn())):
        for down in (0, 2 * far):
            for right in (0, 2 * far):
                if torch.allclose(found, framed[k, :, down : down + 28, right : right + 28], atol=1e-4):
                    seen.add((down, right))
                    break
            else:
                continue
            break
        else:
            raise AssertionError(f"image {k} lies nowhere")
    assert len(seen) == 4


def test_shrinking_takes_a_share_of_width_and_height():
    found = corrupt("shrinking", torch.ones(1, 3, 32, 32), 0.25, drawn())[0]
    assert torch.allclose(found[:, 5:27, 5:27], torch.ones(3, 22, 22))  # 24 of 32 pixels are left, less the edges
    assert float(found.mean()) == pytest.approx(0.75**2, rel=0.01) and (found[:, :3] == 0).all()


def test_an_elastic_displacement_is_smooth_and_as_long_as_it_says(monkeypatch):
    """Ramps show it: a bilinear image of a ramp differs from it by the displacement, in pixels."""
    ramp, given, elastic = torch.arange(32) / 32, [], vision.elastic

    def noted(image, displacement):
        given.append(displacement * 16)  # the grid of 32 pixels is 2 wide
        return elastic(image, displacement)

    monkeypatch.setattr(corruptions.vision, "elastic", noted)
    x = torch.stack([ramp.expand(32, 32), ramp[:, None].expand(32, 32)]).expand(20, -1, -1, -1).contiguous()
    moved = 32 * (corruptions.elastic(x, 1.5, drawn()) - x)
    pixels = torch.cat(given).movedim(-1, 1)
    inside = (..., slice(6, -6), slice(6, -6))  # beyond the border is black
    assert torch.allclose(moved[inside], pixels[inside], atol=1e-3)
    assert pixels.square().sum(1).mean((1, 2)).sqrt().numpy() == pytest.approx(np.full(20, 1.5), rel=1e-5)
    steps = (pixels[..., 1:] - pixels[..., :-1]).square().mean() / pixels.square().mean()
    assert float(steps) == pytest.approx(1 / (2 * corruptions.SMOOTHING**2), rel=0.3)  # noise alone would have 2


@pytest.mark.parametrize(("side", "shape"), [(8, (1, 28, 28)), (28, (1, 28, 28)), (20, (3, 32, 32))])
def test_a_square_is_hidden_inside_the_image(side, shape):
    found = corrupt("occlusion", torch.zeros(30, *shape), float(side), drawn()) == corruptions.GREY
    places = set()
    for image in found:
        rows, columns = (image[0].any(axis).nonzero().flatten().tolist() for axis in (1, 0))
        assert rows == [*range(rows[0], rows[0] + side)] and columns == [*range(columns[0], columns[0] + side)]
        assert int(image.sum()) == len(image) * side**2
        places.add((rows[0], columns[0]))
    assert (len(places) > 10) == (side < min(shape[1:]))


def test_jpeg_is_pillows_image_by_image(sets):
    for x in sets.values():
        found = corrupt("jpeg", x, 60.0, drawn())
        for image, one in zip(x, found, strict=True):
            array, file = (255 * image).round().byte().permute(1, 2, 0).numpy(), io.BytesIO()
            Image.fromarray(array.squeeze()).save(file, "JPEG", quality=40)
            expected = np.atleast_3d(np.asarray(Image.open(file)))
            assert np.array_equal((255 * one).round().permute(1, 2, 0).numpy(), expected)
    grey = torch.full((1, 1, 28, 28), 128 / 255)
    assert torch.allclose(corrupt("jpeg", grey, 60.0, drawn()), grey, atol=1e-6)


# Tables


def test_the_tables_name_every_corruption_in_order():
    for table in TABLES.values():
        assert list(asdict(table)) == NAMES and {len(values) for values in asdict(table).values()} == {5}
    assert (MNIST.sign[2], MNIST.gaussian[2]) == (0.3, 0.2)


def test_cifar10_c_has_these_severities():
    """make_cifar_c.py of github.com/hendrycks/robustness, in its units."""
    assert CIFAR10.gaussian == (0.04, 0.06, 0.08, 0.09, 0.10) and CIFAR10.salt_and_pepper == (
        0.01,
        0.02,
        0.03,
        0.05,
        0.07,
    )
    assert CIFAR10.blur == (0.4, 0.6, 0.7, 0.8, 1)
    assert [1 - taken for taken in CIFAR10.contrast] == pytest.approx([0.75, 0.5, 0.4, 0.3, 0.15])
    assert [100 - loss for loss in CIFAR10.jpeg] == [80, 65, 58, 50, 40]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(blur=(1.0, 0.5, 2.0, 3.0, 4.0)), "severities of blur must be > 0, rise and be at most 9, which"),
        (dict(sign=(0.0, 0.1, 0.2, 0.3, 0.4)), "severities of sign must be > 0, rise, which"),
        (dict(contrast=(0.1, 0.2, 0.3, 0.4, 1.5)), "severities of contrast must be > 0, rise and be at most 1, which"),
        (dict(jpeg=(20.0,)), "each corruption needs the same number of severities"),
    ],
)
def test_severities_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(MNIST, **change)


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("fog", 0.1, "there is no corruption 'fog': there are sign, uniform"),
        ("sign", -0.1, "the severity of sign is -0.1: give 0 or more, in its unit, ε"),
        ("sign", float("nan"), "the severity of sign is nan"),
        ("elastic", float("inf"), "the severity of elastic is inf: give 0 or more, in its unit, pixels"),
        ("contrast", 2.0, "the severity of contrast is 2: give 0 to 1, in its unit, share of the contrast"),
    ],
)
def test_a_severity_without_a_meaning_is_refused(grey, name, severity, words):
    with pytest.raises(ValueError, match=words):
        corrupt(name, grey, severity, drawn())


def test_images_outside_their_bounds_are_refused(grey):
    with pytest.raises(ValueError, match="pixels go from 0 to 2"):
        corrupt("sign", 2 * grey / grey.max(), 0.1, drawn())
