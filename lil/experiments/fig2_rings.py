"""Figure 2: two linked rings, with and without the isometry term; pictures, and numbers behind the words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from scipy.stats import expon, ks_1samp

from lil import projection, topology
from lil.datasets import toy
from lil.evaluation import accuracy
from lil.experiments._common import Networks, grid_dataset, make_run
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import rings

RECIPES = {"rings": rings}


@dataclass(frozen=True)
class Config:
    rings: rings.Config = rings.PAPER  # the networks
    n_neighbors: int = 40  # UMAP, caption of Fig. 2
    min_dist: float = 0.25  # UMAP, caption of Fig. 2
    umap_seed: int = 0  # of the layout, the same for every network
    bins: int = 180  # of the distance histograms; the public code has 300
    loop_share: float = 0.1  # a loop counts from this share of the diameter on; ours
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)  # of d(Φ)/d(x) over the pairs of a ring


PAPER = Config()
QUICK = Config(rings=rings.QUICK, n_neighbors=15, bins=60)


@torch.no_grad()
def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return layouts, distances within each ring, loops and accuracy of each network on the test draw.

    Variables over (beta, seed, ring) describe a ring in the last hidden layer; those of the same name with
    ``data_``, over (ring), describe the ring itself. ``correlation`` and ``ratio`` compare the two, pair by pair.
    """
    recipe = config.rings
    _, _, x, labels = rings.data(recipe)
    model = rings.restore(recipe, networks["rings"]).to(device)
    right = accuracy(model, x.to(device), labels.to(device))
    z = model.represent(x.to(device)).cpu()
    settings = dict(n_neighbors=config.n_neighbors, min_dist=config.min_dist, n_components=3, seed=config.umap_seed)
    umap = projection.umaps(z.numpy(), label="UMAP of the rings", progress=progress, **settings)

    by_ring = (2, recipe.n_points)  # classes are contiguous
    x, z, umap = x.unflatten(0, by_ring), z.unflatten(1, by_ring), umap.reshape(len(z), *by_ring, 3)
    mask = within_class(labels[: recipe.n_points])
    x_dist, z_dist = (flat_pairs(pair_distances(points), mask).numpy() for points in (x, z))
    # No two points of (−1, 1)^w, where tanh maps, are further apart than 2 √w.
    edges = np.linspace(0, max(2 * math.sqrt(z.shape[-1]), x_dist.max()), config.bins + 1)
    ratio = np.quantile(z_dist / x_dist, config.quantiles, axis=-1)
    member = ("member", "ring")
    data_shapes = _shapes(x.numpy(), x_dist, ("ring",), edges, config.loop_share)
    values = {
        "x": (("ring", "point", "axis"), x),
        "umap": ((*member, "point", "axis"), umap),
        "linking_number": ((), toy.linking_number(*x)),
        "accuracy": (("member",), right),
        "correlation": (member, _correlations(z_dist, x_dist)),
        "ratio": ((*member, "quantile"), np.moveaxis(ratio, 0, -1).astype(np.float32)),
        **_shapes(z.numpy(), z_dist, member, edges, config.loop_share),
        **{f"data_{name}": value for name, value in data_shapes.items()},
        "edges": (("edge",), edges),
    }
    coords = dict(ring=[0, 1], quantile=list(config.quantiles), law=["exponential", "chord"], rank=[1, 2])
    return grid_dataset(values, dict(beta=recipe.betas, seed=recipe.seeds), coords)


def _shapes(
    points: Float[np.ndarray, "*lead n d"],
    distances: Float[np.ndarray, "*lead p"],
    dims: tuple[str, ...],
    edges: Float[np.ndarray, "e"],
    share: float,
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Return the histogram of each point cloud's distances, their misfits to two laws, and its loops."""
    lead = distances.shape[:-1]
    clouds = list(np.ndindex(lead))
    loops = [topology.loops(points[i], share=share) for i in clouds]
    shapes = {
        "loops": ((), [loop.number for loop in loops], np.int64),
        "count": (("bin",), [np.histogram(distances[i], edges)[0] for i in clouds], np.int32),
        "misfit": (("law",), [law_misfits(distances[i]) for i in clouds], np.float32),
        "bar": (("rank",), [(loop.longest, loop.second) for loop in loops], np.float32),
    }
    return {
        name: ((*dims, *last), np.array(values, dtype).reshape(*lead, *np.shape(values)[1:]))
        for name, (last, values, dtype) in shapes.items()
    }


def _correlations(
    z_dist: Float[np.ndarray, "m ring p"], x_dist: Float[np.ndarray, "ring p"]
) -> Float[np.ndarray, "m ring"]:
    """Return Pearson's correlation of the distances of each member and ring with those of the ring itself."""
    correlations = [[np.corrcoef(z, x)[0, 1] for z, x in zip(member, x_dist, strict=True)] for member in z_dist]
    return np.array(correlations, np.float32)


def law_misfits(distances: Float[np.ndarray, "p"]) -> tuple[float, float]:
    """Return the Kolmogorov-Smirnov statistics of distances against an exponential law and that of a whole ring.

    Each is the largest difference between the distribution function of the distances and that of the law with
    the same mean m: 0 is a perfect fit. The laws have one parameter each: 1 − exp(−d/m), and, for two random
    points of a circle of diameter D = πm/2, whose distance is the chord D sin u with u uniform on [0, π/2],
    (2/π) arcsin(d/D).
    """
    d = distances.astype(np.float64)
    diameter = np.pi * d.mean() / 2
    laws = (expon(scale=d.mean()).cdf, lambda x: 2 / np.pi * np.arcsin(np.minimum(x / diameter, 1)))
    exponential, chord = (float(ks_1samp(d, law, method="asymp").statistic) for law in laws)
    return exponential, chord


run = make_run(RECIPES, evaluate)
