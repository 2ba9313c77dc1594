"""Certificates beside an attack, gradients beside margins: Figure 3A's classifiers with K = 1 and with K = 10."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lil import attacks, crown, gradient_bound, lipschitz, stronger_attacks
from lil.evaluation import correct, select
from lil.experiments._common import Networks, check_shared, grid_dataset, make_run
from lil.models import LIL, derived_seed
from lil.progress import Progress, silent
from lil.recipes import mnist

RECIPES = {"mnist_text": mnist, "mnist_public": mnist}
QUANTITIES = (*gradient_bound.Terms._fields, "margin", "local", "reach")


@dataclass(frozen=True)
class Config:
    mnist_text: mnist.Config = mnist.FIVE  # the networks: Figure 3A's, the first five seeds,
    mnist_public: mnist.Config = mnist.FIVE_PUBLIC  # and those of K = 10, as in the public code
    n_images: int = 300  # test images, the set's first
    batch_size: int = 100  # images whose pairs make the isometry term, as in training
    # The largest change of a pixel that is certified and attacked: small, because certificates reach no further
    epsilons: tuple[float, ...] = (0.003, 0.01, 0.02)
    steps: int = 20  # of PGD, to begin with, from one random start
    doublings: int = 4  # of the steps and the starts in turn, at most
    draw: int = 600  # seed of all random starts
    quantiles: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)  # of what is measured at each image

    def __post_init__(self):
        attacks.check_epsilons(self.epsilons)
        check_shared((self.mnist_text, self.mnist_public), "dataset", "n_test", "betas", "seeds")


PAPER = Config()
QUICK_SIZES = dict(n_images=40, batch_size=20, steps=5, doublings=2)
QUICK = Config(mnist_text=mnist.QUICK, mnist_public=mnist.QUICK_PUBLIC, **QUICK_SIZES)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return certificates, attacks, gradients and margins of each network, over (networks, beta, seed), in float64.

    Image by image, True or False: ``right``, the network's own class is the label; ``pgd`` (epsilon), it stays so
    under :func:`lil.stronger_attacks.escalating_pgd`; ``crown`` (epsilon), :func:`lil.crown.certified` proves that it
    does, at this ε or at a larger one. ``product`` is the radius, as largest change of a pixel, that the product of
    spectral norms certifies (:func:`lil.lipschitz.certified_radius` over √D). ``settled`` (epsilon) is True where PGD
    has converged.

    ``spread`` (quantity, quantile) has quantiles over the images. ``cross_entropy`` is the norm of the gradient of an
    image's own cross-entropy; ``isometry`` and ``total``, L_CSE + β L_ISO, are taken on the same scale: the gradient of
    the batch's loss by the image, times the size of the batch. ``margin`` is an image's own logit less the largest
    other one, ``local`` the largest singular value of the logits' Jacobian, ``reach`` the margin over √2 of that value:
    to first order, the image has to move so far for another answer.
    """
    parts = [_measures(config, name, recipe, networks[name], device, progress) for name, recipe in RECIPES.items()]
    return xr.concat(parts, "networks", join="exact").assign_coords(networks=list(RECIPES))


def _measures(
    config: Config, name: str, recipe: ModuleType, networks: dict[str, Tensor], device: str, progress: Progress
) -> xr.Dataset:
    """Return the measures of one reading's networks."""
    settings = getattr(config, name)
    model = recipe.restore(settings, networks).to(device).double().requires_grad_(False)
    images, labels = (part[: config.n_images].to(device) for part in recipe.data(settings, "test"))
    images = images.double()
    x = attacks.pixels(images)
    proven, left, settled = [], [], []
    for k, (_, seed) in enumerate(recipe.members(settings)):
        network = select(model, [k]).requires_grad_(False)
        proven.append(_certify(network, x, labels, config.epsilons))
        attempts = [_attack(config, network, images, labels, seed, at) for at in range(len(config.epsilons))]
        left.append(torch.stack([found.right for found in attempts]))
        settled.append([stronger_attacks.converged(found.trace) for found in attempts])
        progress(f"certificates and PGD: {name}", k + 1, model.members)
    upper = lipschitz.upper_product(model.weights[:-1])
    radius = lipschitz.certified_radius(model(x), labels, model.weights[-1], upper) / x.shape[-1] ** 0.5
    values = {
        "right": (("member", "image"), correct(model, x, labels)),
        "pgd": (("member", "epsilon", "image"), torch.stack(left)),
        "crown": (("member", "epsilon", "image"), torch.stack(proven)),
        "product": (("member", "image"), radius.float()),
        "settled": (("member", "epsilon"), settled),
        "spread": (("member", "quantity", "quantile"), _spreads(config, settings, model, x, labels)),
    }
    coords = dict(epsilon=list(config.epsilons), quantity=list(QUANTITIES), quantile=list(config.quantiles))
    return grid_dataset(values, dict(beta=settings.betas, seed=settings.seeds), coords)


def _certify(
    network: LIL, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"], epsilons: tuple[float, ...]
) -> Bool[Tensor, "epsilons n"]:
    """Return True where a network's class is proven at each ε. A proof in a larger ball is one in the smaller ones."""
    proven = torch.zeros(len(epsilons), len(x), dtype=torch.bool, device=x.device)
    rest = torch.arange(len(x), device=x.device)
    for at in sorted(range(len(epsilons)), key=lambda at: -epsilons[at]):
        found = crown.certified(network, x[rest], labels[rest], epsilons[at])[0] if len(rest) else rest.bool()
        proven[at], proven[at, rest] = True, found
        rest = rest[~found]
    return proven


def _attack(
    config: Config, network: LIL, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"], seed: int, at: int
) -> stronger_attacks.Escalated:
    """Attack a network by PGD at the ε at one position. All networks of a seed meet the same random starts."""
    generator = torch.Generator(images.device).manual_seed(derived_seed(config.draw, seed, at))
    size = dict(epsilon=config.epsilons[at], steps=config.steps, doublings=config.doublings)
    return stronger_attacks.escalating_pgd(network, attacks.pixels, images, labels, **size, generator=generator)


def _spreads(
    config: Config, settings: Any, model: LIL, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"]
) -> Float[np.ndarray, "m quantities q"]:
    """Return quantiles over the images of each of the QUANTITIES."""
    betas = [beta for beta, _ in mnist.members(settings)]
    norms = []
    for points, classes in zip(x.split(config.batch_size), labels.split(config.batch_size), strict=True):
        terms = gradient_bound.gradient_norms(model, points, classes, betas, scale=settings.scale)
        norms.append(len(points) * torch.stack(terms, 1))
    points = x.expand(model.members, -1, -1)
    margin = -stronger_attacks.margin(model, labels)(points, points[..., None, None])
    local = lipschitz.local_jacobian(model, points)
    each = torch.cat((torch.cat(norms, -1), torch.stack((margin, local, margin / (2**0.5 * local)), 1)), 1)
    quantiles = torch.quantile(each, each.new_tensor(config.quantiles), dim=-1).movedim(0, -1)
    return quantiles.numpy(force=True).astype(np.float32)


run = make_run(RECIPES, evaluate)
