"""Random perturbations and corruptions of images, each of a severity.

Severity 0 changes nothing, but for JPEG, which rounds even at its best quality.

"Organisms seem particularly robust to random input perturbations" (Introduction). Five perturbations are noise. The
others are in the manner of MNIST-C (Mu and Gilmer) and CIFAR10-C (Hendrycks and Dietterich), built on torchvision.
Nobody looks for the weak points of a network here: every draw is the generator's, and each image has draws of its own.

The functions of the table CORRUPTIONS take images, a severity and a generator. They may leave the range of a pixel;
:func:`corrupt` cuts the result off at the bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import astuple, dataclass
from io import BytesIO
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from PIL import Image
from torch import Generator, Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from lil import attacks

Images = Float[Tensor, "n c h w"]

GREY = 0.5  # of a patch that hides a part of an image
SMOOTHING = 4.0  # pixels: standard deviation of the Gaussian that smooths an elastic displacement


# Noise


def sign(x: Images, epsilon: float, generator: Generator) -> Images:
    """Return the images with every pixel moved by ``epsilon`` (L∞), up or down at random."""
    return x + epsilon * (2 * torch.randint(2, x.shape, generator=generator) - 1)


def uniform(x: Images, epsilon: float, generator: Generator) -> Images:
    """Return the images with every pixel moved by up to ``epsilon``, uniformly."""
    return x + epsilon * (2 * torch.rand(x.shape, generator=generator) - 1)


def gaussian(x: Images, sigma: float, generator: Generator) -> Images:
    """Return the images with Gaussian noise of standard deviation ``sigma`` on every pixel."""
    return x + sigma * torch.randn(x.shape, generator=generator)


def direction(x: Images, length: float, generator: Generator) -> Images:
    """Return the images moved by the Euclidean ``length`` in a direction drawn uniformly."""
    drawn = torch.randn(x.shape, generator=generator)
    return x + length * F.normalize(drawn.flatten(1)).view_as(x)


def salt_and_pepper(x: Images, share: float, generator: Generator) -> Images:
    """Return the images with a ``share`` of the pixels set to 0 or 1, either as often; channels are drawn apart."""
    drawn = torch.rand(x.shape, generator=generator)
    return torch.where(drawn < share, (drawn < share / 2).to(x.dtype), x)


# Corruptions


def blur(x: Images, sigma: float, generator: Generator) -> Images:
    """Return the images blurred by a Gaussian of standard deviation ``sigma``, in pixels."""
    return vision.gaussian_blur(x, 2 * math.ceil(3 * sigma) + 1, [sigma or 1.0])  # a kernel of one pixel, at 0


def darkening(x: Images, share: float, generator: Generator) -> Images:
    """Return the images without a ``share`` of their brightness."""
    return vision.adjust_brightness(x, 1 - share)


def contrast(x: Images, share: float, generator: Generator) -> Images:
    """Return the images with every pixel moved to the image's mean grey by a ``share`` of the way."""
    return vision.adjust_contrast(x, 1 - share)


def rotation(x: Images, degrees: float, generator: Generator) -> Images:
    """Return the images turned by ``degrees``, either way at random; the corners are filled with black."""
    bilinear = dict(interpolation=InterpolationMode.BILINEAR)
    return _either_way(x, generator, lambda part, way: vision.rotate(part, way * degrees, **bilinear))


def shear(x: Images, degrees: float, generator: Generator) -> Images:
    """Return the images sheared along their rows by ``degrees``, either way at random."""
    return _either_way(x, generator, lambda part, way: _affine(part, shear=way * degrees))


def translation(x: Images, pixels: float, generator: Generator) -> Images:
    """Return the images moved by ``pixels`` along their rows and their columns, either way at random."""
    x = _either_way(x, generator, lambda part, way: _affine(part, across=way * pixels))
    return _either_way(x, generator, lambda part, way: _affine(part, down=way * pixels))


def shrinking(x: Images, share: float, generator: Generator) -> Images:
    """Return the images without a ``share`` of their width and height; the rim is filled with black."""
    return _affine(x, scale=1 - share)


def elastic(x: Images, pixels: float, generator: Generator) -> Images:
    """Return the images distorted by a smooth random displacement, whose root mean square is ``pixels``."""
    n, _, height, width = x.shape
    size = 2 * math.ceil(3 * SMOOTHING) + 1
    drawn = vision.gaussian_blur(torch.randn((n, 2, height, width), generator=generator), size, [SMOOTHING])
    square = drawn.square().sum(1, keepdim=True).mean((2, 3), keepdim=True)
    moved = (pixels * drawn / square.sqrt()).movedim(1, -1) * torch.tensor([2 / width, 2 / height])
    return torch.stack([vision.elastic(image, one[None]) for image, one in zip(x, moved, strict=True)])


def occlusion(x: Images, side: float, generator: Generator) -> Images:
    """Return the images behind a grey square of that ``side``, in whole pixels, at a random place inside the image."""
    n, _, height, width = x.shape
    rows, columns = (
        (torch.arange(length) - torch.randint(length - round(side) + 1, (n, 1), generator=generator))
        for length in (height, width)
    )
    hidden = [(place >= 0) & (place < round(side)) for place in (rows, columns)]
    return torch.where(hidden[0][:, None, :, None] & hidden[1][:, None, None, :], GREY, x)


def jpeg(x: Images, loss: float, generator: Generator) -> Images:
    """Return the images after JPEG of quality 100 − ``loss``, in 256 greys a channel, by Pillow as in CIFAR10-C."""
    found = []
    for image in (255 * x).round().byte():
        file = BytesIO()
        vision.to_pil_image(image).save(file, "JPEG", quality=round(100 - loss))
        found.append(vision.pil_to_tensor(Image.open(file)))
    return torch.stack(found).to(x.dtype) / 255


def _affine(part: Tensor, *, across: float = 0.0, down: float = 0.0, scale: float = 1.0, shear: float = 0.0) -> Tensor:
    settings = dict(angle=0.0, translate=[across, down], scale=scale, shear=[shear, 0.0])
    return vision.affine(part, **settings, interpolation=InterpolationMode.BILINEAR)


def _either_way(x: Images, generator: Generator, move: Callable[[Tensor, int], Tensor]) -> Images:
    """Return the images moved one way or the other, 1 or −1, at random image by image."""
    ways, result = 2 * torch.randint(2, (len(x),), generator=generator) - 1, torch.empty_like(x)
    for way in ways.unique().tolist():
        result[ways == way] = move(x[ways == way], way)
    return result


class Corruption(NamedTuple):
    """A function of images, the unit of its severity, and the largest severity that has a meaning."""

    function: Callable[[Images, float, Generator], Images]
    unit: str
    largest: float = math.inf


CORRUPTIONS = {
    "sign": Corruption(sign, "ε"),
    "uniform": Corruption(uniform, "ε"),
    "gaussian": Corruption(gaussian, "σ"),
    "direction": Corruption(direction, "L2 length"),
    "salt_and_pepper": Corruption(salt_and_pepper, "share of the pixels", 1.0),
    "blur": Corruption(blur, "σ in pixels", 9.0),  # whose kernel still fits into 28 pixels
    "darkening": Corruption(darkening, "share of the brightness", 1.0),
    "contrast": Corruption(contrast, "share of the contrast", 1.0),
    "rotation": Corruption(rotation, "degrees", 180.0),
    "shear": Corruption(shear, "degrees", 89.0),
    "translation": Corruption(translation, "pixels"),
    "shrinking": Corruption(shrinking, "share of the size", 0.99),
    "elastic": Corruption(elastic, "pixels"),
    "occlusion": Corruption(occlusion, "pixels", 28.0),
    "jpeg": Corruption(jpeg, "100 − quality", 99.0),
}


@dataclass(frozen=True)
class Severities:
    """The severities of each of the CORRUPTIONS, rising, equally many; MNIST's stand here."""

    sign: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5)  # ε: every pixel moves by ε
    uniform: tuple[float, ...] = (0.1, 0.2, 0.4, 0.6, 0.8)  # ε: every pixel moves by up to ε
    gaussian: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3, 0.4)  # σ: standard deviation of a pixel's change
    direction: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 12.0)  # Euclidean length of the change
    salt_and_pepper: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.4)  # share of the pixels
    blur: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0, 3.0)  # σ of the Gaussian, in pixels
    darkening: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 0.9)  # share of the brightness that is taken away
    contrast: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 0.9)  # share of the contrast that is taken away
    rotation: tuple[float, ...] = (10.0, 20.0, 30.0, 40.0, 50.0)  # degrees, either way
    shear: tuple[float, ...] = (10.0, 20.0, 30.0, 40.0, 50.0)  # degrees, either way
    translation: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0)  # pixels along both axes, either way
    shrinking: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5)  # share of width and height that is taken away
    elastic: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0, 2.5)  # pixels: root mean square of the displacement
    occlusion: tuple[float, ...] = (4.0, 6.0, 8.0, 10.0, 12.0)  # pixels: side of the grey square
    jpeg: tuple[float, ...] = (20.0, 40.0, 60.0, 80.0, 90.0)  # 100 minus the quality of the JPEG

    def __post_init__(self):
        for (name, corruption), values in zip(CORRUPTIONS.items(), astuple(self), strict=True):
            if list(values) != sorted({*values}) or not 0 < values[0] <= values[-1] <= corruption.largest:
                most = f" and be at most {corruption.largest:g}" if math.isfinite(corruption.largest) else ""
                raise ValueError(f"severities of {name} must be > 0, rise{most}, which {values} do not.")
        if len(set(map(len, astuple(self)))) != 1:
            raise ValueError("each corruption needs the same number of severities: give the shorter ones more.")


MNIST = Severities()

# Those of Gaussian noise, salt and pepper, blur, contrast and JPEG are CIFAR10-C's, from its authors' code.
CIFAR10 = Severities(
    sign=(4 / 255, 8 / 255, 16 / 255, 32 / 255, 64 / 255),
    uniform=(0.05, 0.1, 0.15, 0.2, 0.3),
    gaussian=(0.04, 0.06, 0.08, 0.09, 0.1),
    direction=(1.0, 2.0, 4.0, 6.0, 8.0),
    salt_and_pepper=(0.01, 0.02, 0.03, 0.05, 0.07),
    blur=(0.4, 0.6, 0.7, 0.8, 1.0),
    contrast=(0.25, 0.5, 0.6, 0.7, 0.85),
    rotation=(5.0, 10.0, 15.0, 20.0, 30.0),
    shear=(5.0, 10.0, 15.0, 20.0, 30.0),
    translation=(1.0, 2.0, 4.0, 6.0, 8.0),
    occlusion=(4.0, 8.0, 12.0, 16.0, 20.0),
    jpeg=(20.0, 35.0, 42.0, 50.0, 60.0),
)


def corrupt(name: str, x: Images, severity: float, generator: Generator) -> Images:
    """Return the images after one of the CORRUPTIONS, cut off at the bounds of a pixel, [0, 1].

    The images are on the processor, as the generator is. Raises ValueError for another name, for a severity that is
    negative or too large, and for images that are not in [0, 1].
    """
    if name not in CORRUPTIONS:
        raise ValueError(f"there is no corruption {name!r}: there are {', '.join(CORRUPTIONS)}.")
    corruption = CORRUPTIONS[name]
    if not 0 <= severity <= corruption.largest or math.isinf(severity):
        most = f" to {corruption.largest:g}" if math.isfinite(corruption.largest) else " or more"
        raise ValueError(f"the severity of {name} is {severity:g}: give 0{most}, in its unit, {corruption.unit}.")
    attacks.check_images(x)
    if x.ndim != 4 or (name in ("darkening", "contrast", "jpeg") and x.shape[1] not in (1, 3)):
        raise ValueError(f"images have the shape {tuple(x.shape)}: give (n, c, h, w), of {name} with 1 or 3 channels.")
    if len(x) == 0:
        return x
    reach = {
        "blur": math.ceil(3 * min(severity, 9)),
        "occlusion": round(severity) - 1,
        "elastic": math.ceil(3 * SMOOTHING),
    }
    if reach.get(name, 0) >= min(x.shape[2:]):
        raise ValueError(f"{name} of severity {severity:g} reaches beyond images of {x.shape[2]} × {x.shape[3]}.")
    return corruption.function(x, severity, generator).clamp(*attacks.BOUNDS)
