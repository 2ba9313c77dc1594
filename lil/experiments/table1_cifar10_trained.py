"""Beyond the paper: Table 1's second row, and Figure 3B, with a backbone that is trained along.

The second of the two backbones is that of commit 7167a91, the last of the public code. Everything here is evaluated in
float32, in whatever precision the backbones were trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from lil import engine, evaluation
from lil.attacks import pixels
from lil.evaluation import Fgsm, Sweep
from lil.experiments._common import Networks, make_run
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import trained_along

RECIPES = {"vgg13": trained_along, "cnn": trained_along}
SATURATED = 0.99  # a unit of Φ beyond it, or below minus it, counts as saturated
_PIECE = 500  # images that a network sees at once


ATTACK = Fgsm(distances="pixels", pictured=(), pictures=0)


@dataclass(frozen=True)
class Measures:
    fgsm: Fgsm = ATTACK  # the paper's, with the distances of 7167a91: between pixels, as in training
    n_attacked: int = 1000  # test images, the first, that are attacked,
    n_distances: int = 1000  # and whose distances are taken


@dataclass(frozen=True)
class Config(Measures):
    vgg13: trained_along.Config = trained_along.PAPER_VGG13  # the networks: on a VGG13,
    cnn: trained_along.Config = trained_along.PAPER_CNN  # and on the CNN of commit 7167a91


PAPER = Config()
QUICK_ATTACK = Fgsm(epsilons=(0.01, 0.1, 1.0), batch_size=10, distances="pixels", pictured=(), pictures=0)
QUICK_NETWORKS = dict(vgg13=trained_along.QUICK_VGG13, cnn=trained_along.QUICK_CNN)
QUICK = Config(**QUICK_NETWORKS, fgsm=QUICK_ATTACK, n_attacked=10, n_distances=20)


def evaluate(config: Measures, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return ``accuracy`` (networks, beta, seed) on all test images, and measures on the first of them.

    ``attacked`` (networks, objective, beta, seed, epsilon) is the accuracy under FGSM and ``attacked_clean`` the
    accuracy on the same images without attack: see :func:`lil.evaluation.robustness`, as for ``zero_gradient`` and
    ``change``. ``distance`` and ``saturated`` are those of :mod:`lil.experiments.table1_cifar10`; ``input_distance``
    and ``beyond`` are of pixels, whose distances the LIL is to keep. ``history`` (…, term, epoch) has the means over
    the steps of each training epoch. NaN stands where a set of networks lacks a β, a seed or an epoch.
    """
    parts = []
    for name, weights in networks.items():
        settings = getattr(config, name)
        ensemble = trained_along.restore(settings, weights).to(device).requires_grad_(False)
        x, labels = (part.to(device) for part in trained_along.data(settings, "test"))
        for network, (beta, seed) in zip(ensemble, trained_along.members(settings), strict=True):
            network.halved = False
            measured = _measures(config, settings, network, x, labels, beta, seed, progress)
            parts.append(measured.expand_dims(networks=[settings.backbone]))
    # Each part has one place of its own: the others' are NaN there.
    return xr.merge(parts, join="outer", compat="no_conflicts").astype(np.float32)


def _measures(
    config: Measures,
    settings: trained_along.Config,
    network: trained_along.Network,
    x: Tensor,
    labels: Tensor,
    beta: float,
    seed: int,
    progress: Progress,
) -> xr.Dataset:
    """Return the measures of one network."""
    few, classes = x[: config.n_attacked], labels[: config.n_attacked]
    sweep = Sweep(network.lil, network, (beta,), (seed,), settings.scale)
    attacked = engine.robustness(sweep, few, classes, config.fgsm, progress=progress).drop_attrs()
    with torch.no_grad():
        right = [
            evaluation.correct(network.lil, network(points), some)
            for points, some in zip(x.split(_PIECE), labels.split(_PIECE), strict=True)
        ]
        few, mask = x[: config.n_distances], within_class(labels[: config.n_distances])
        z, apart = network.lil.represent(network(few))[0], flat_pairs(pair_distances(pixels(few)), mask)
        reach = 2 * settings.hidden[-1] ** 0.5
        of_network = {
            "accuracy": float(torch.cat(right, -1).float().mean()),
            "distance": float(flat_pairs(pair_distances(z), mask).mean()),
            "saturated": float((z.abs() > SATURATED).float().mean()),
        }
    history = network.history[..., None, None].numpy(force=True)
    terms = dict(term=list(trained_along.HISTORY), epoch=np.arange(1, settings.epochs + 1))
    own = {name: (("beta", "seed"), np.full((1, 1), value)) for name, value in of_network.items()}
    shared = {"input_distance": float(apart.mean()), "beyond": float((apart > reach).float().mean()), "reach": reach}
    measured = xr.Dataset(
        own | {"history": (("term", "epoch", "beta", "seed"), history)} | shared, terms | dict(beta=[beta], seed=[seed])
    )
    return measured.merge(attacked.rename(clean="attacked_clean", accuracy="attacked"))


run = make_run(RECIPES, evaluate)
