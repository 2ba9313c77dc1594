"""The picture of the first page: the linked rings, and every network's representation of them.

``python -m lil.paper.cover`` draws it from the record of Figure 2 and its networks. The layouts are principal
components, because a layout by UMAP, as in Figure 2, may cut a closed curve open.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import torch
import xarray as xr

from lil import plotting, results
from lil.paper.judging import EXPERIMENTS, recorded
from lil.paper.pages import ROOT
from lil.plotting import rings
from lil.results import registry

PICTURE = ROOT / "book" / "assets" / "rings.png"


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


def main() -> None:
    """Draw the picture."""
    plotting.style()
    record = recorded("fig2_rings")
    figure = rings.every_seed(record.assign(components=components(record)), "components")
    figure.savefig(PICTURE, dpi=130, bbox_inches="tight")
    plt.close(figure)


if __name__ == "__main__":
    main()
