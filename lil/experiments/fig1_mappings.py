"""Figure 1: three kinds of mapping, obtained and measured, and the architecture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from lil.datasets import toy
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import mappings

RECIPES = {"mappings": mappings}
BANDS = {"z": 0.05, "ratio": 0.05, "accuracy": 0.01}  # rounding errors grow over 10 000 epochs: see the recipe


@dataclass(frozen=True)
class Config:
    mappings: mappings.Config = mappings.PAPER  # the networks
    mesh: tuple[int, int] = (33, 4)  # drawn and measured; shares no point with the training
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)  # of d(Φ)/d(x) over the pairs


PAPER = Config()
QUICK = Config(mappings=mappings.QUICK, mesh=(15, 4))


@torch.no_grad()
def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """Where each network puts the mesh, the quantiles of d(Φ)/d(x), and the accuracy.

    ``z`` (mapping, seed, class, along, across, axis) is the last hidden layer at the points ``x``; ``ratio``
    has the pairs "within" a class and "between" the two; ``sizes`` are the network's own, for its drawing.
    """
    recipe = config.mappings
    model = mappings.restore(recipe, networks["mappings"]).to(device)
    x, labels = (p.to(device) for p in toy.crescents(*config.mesh, radius=recipe.radius, width=recipe.width))
    z = model.represent(x)
    accuracy = (model.classify(z).argmax(-1) == labels).float().mean(-1)
    quantiles = torch.tensor(config.quantiles, device=device)
    stretch, same = pair_distances(z) / pair_distances(x), within_class(labels)
    ratios = (flat_pairs(stretch, same), flat_pairs(stretch, ~same))
    ratio = torch.stack([torch.quantile(each, quantiles, dim=-1).T for each in ratios], dim=1)
    kinds, seeds = len(mappings.MAPPINGS), len(recipe.seeds)
    mesh = ("class", "along", "across", "axis")

    def by_member(values: Tensor) -> np.ndarray:
        return values.unflatten(0, (kinds, seeds)).numpy(force=True)

    return xr.Dataset(
        {
            "x": (mesh, x.unflatten(0, (2, *config.mesh)).numpy(force=True)),
            "z": (("mapping", "seed", *mesh), by_member(z.unflatten(1, (2, *config.mesh)))),
            "ratio": (("mapping", "seed", "pairs", "quantile"), by_member(ratio)),
            "accuracy": (("mapping", "seed"), by_member(accuracy)),
            "sizes": ("layer", np.array(model.sizes)),
        },
        coords={
            "mapping": list(mappings.MAPPINGS),
            "seed": list(recipe.seeds),
            "class": [0, 1],
            "pairs": ["within", "between"],
            "quantile": list(config.quantiles),
        },
    )


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {"mappings": mappings.train(config.mappings, device=device, progress=progress)}
    return evaluate(config, networks, device=device, progress=progress)
