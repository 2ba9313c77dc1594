"""Figure 1: three kinds of mapping, obtained and measured, and the architecture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from lil.datasets import toy
from lil.experiments._common import Networks, grid_dataset, make_run
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import mappings

RECIPES = {"mappings": mappings}


@dataclass(frozen=True)
class Config:
    mappings: mappings.Config = mappings.PAPER  # the networks
    mesh: tuple[int, int] = (33, 4)  # drawn and measured; shares no point with the training
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)  # of d(Φ)/d(x) over the pairs


PAPER = Config()
QUICK = Config(mappings=mappings.QUICK, mesh=(15, 4))


@torch.no_grad()
def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return each network's image of the mesh, the quantiles of d(Φ)/d(x), and the accuracy.

    ``z`` (mapping, seed, class, along, across, axis) is the last hidden layer at the points ``x``; ``ratio``
    has the pairs "within" a class and "between" the two; ``sizes`` are the network's own, for its drawing.
    """
    recipe, mesh, shape = config.mappings, ("class", "along", "across", "axis"), (2, *config.mesh)
    model = mappings.restore(recipe, networks["mappings"]).to(device)
    x, labels = (p.to(device) for p in toy.crescents(*config.mesh, radius=recipe.radius, width=recipe.width))
    z = model.represent(x)
    stretch, same = pair_distances(z) / pair_distances(x), within_class(labels)
    quantiles = torch.tensor(config.quantiles, device=device)
    ratios = (torch.quantile(flat_pairs(stretch, mask), quantiles, dim=-1).T for mask in (same, ~same))
    values = {
        "x": (mesh, x.unflatten(0, shape)),
        "z": (("member", *mesh), z.unflatten(1, shape)),
        "ratio": (("member", "pairs", "quantile"), torch.stack(tuple(ratios), dim=1)),
        "accuracy": (("member",), (model.classify(z).argmax(-1) == labels).float().mean(-1)),
        "sizes": (("layer",), np.array(model.sizes)),
    }
    coords = {"class": [0, 1], "pairs": ["within", "between"], "quantile": list(config.quantiles)}
    return grid_dataset(values, dict(mapping=mappings.MAPPINGS, seed=recipe.seeds), coords)


run = make_run(RECIPES, evaluate)
