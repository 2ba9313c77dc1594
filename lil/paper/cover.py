"""The layouts in the picture of the first page: principal components of the representations of the rings.

A layout by UMAP, as in Figure 2, may cut a closed curve open. :mod:`lil.plotting.cover` draws the picture.
"""

from __future__ import annotations

import torch
import xarray as xr

from lil import results
from lil.paper.judging import EXPERIMENTS
from lil.results import registry


def components(record: xr.Dataset) -> xr.DataArray:
    """Return the first three principal components of every network's representation of the record's points.

    They lie over (beta, seed, ring, point, axis). Distances are at most those of the representations.
    """
    recipe = registry.load(EXPERIMENTS, "fig2_rings").RECIPES["rings"]
    model = recipe.restore(recipe.PAPER, results.networks(recipe, recipe.PAPER))
    with torch.no_grad():
        z = model.represent(torch.tensor(record.x.values.reshape(-1, 3))).double()
    centred = z - z.mean(1, keepdim=True)
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:, :3]
    return xr.zeros_like(record.umap) + (centred @ directions.mT).reshape(record.umap.shape).numpy()
