"""Figure 2: two linked rings, with and without the isometry term; pictures, and numbers behind the words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from scipy.stats import expon, ks_1samp
from torch import Tensor

from lil import projection, topology
from lil.datasets import toy
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import rings

RECIPES = {"rings": rings}

# Rounding errors grow over 10 000 epochs: see the recipe. UMAP's layout follows the last digit, and is not compared.
BANDS = {"umap": np.inf, "count": 0.5, "misfit": 0.1, "ratio": 0.05, "bar": 0.05, "correlation": 0.01, "accuracy": 0.01}


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
def evaluate(
    config: Config, networks: dict[str, dict[str, Tensor]], *, device: str = "cpu", progress: Progress = silent
) -> xr.Dataset:
    """What each network makes of the test draw: layouts, distances within each ring, loops, accuracy.

    Variables over (beta, seed, ring) describe a ring in the last hidden layer; of the same name with
    ``data_``, over (ring), the ring itself. ``correlation`` and ``ratio`` compare the two, pair by pair.
    """
    recipe = config.rings
    _, _, x, labels = rings.data(recipe)
    model = rings.restore(recipe, networks["rings"]).to(device)
    z = model.represent(x.to(device))
    accuracy = (model.classify(z).argmax(-1).cpu() == labels).float().mean(-1)

    # Classes are contiguous: (…, 2n, d) falls into (…, ring, n, d).
    by_member = (len(recipe.betas), len(recipe.seeds))
    x = x.unflatten(0, (2, recipe.n_points))
    z = z.cpu().unflatten(1, (2, recipe.n_points)).unflatten(0, by_member)
    mask = within_class(labels[: recipe.n_points])
    x_dist, z_dist = (flat_pairs(pair_distances(each), mask).numpy() for each in (x, z))
    # No two points of (−1, 1)^w, where tanh maps, are further apart than 2 √w.
    edges = np.linspace(0, max(2 * math.sqrt(z.shape[-1]), x_dist.max()), config.bins + 1)

    ratio = np.quantile(z_dist / x_dist, config.quantiles, axis=-1)
    of_data = _shapes(x.numpy(), x_dist, ("ring",), edges, config.loop_share)
    member = ("beta", "seed")
    return xr.Dataset(
        {
            "x": (("ring", "point", "axis"), x.numpy()),
            "umap": ((*member, "ring", "point", "axis"), _layouts(z.numpy(), config, progress)),
            "linking_number": toy.linking_number(*x),
            "accuracy": (member, accuracy.unflatten(0, by_member).numpy()),
            "correlation": ((*member, "ring"), _correlations(z_dist, x_dist)),
            "ratio": ((*member, "ring", "quantile"), np.moveaxis(ratio, 0, -1).astype(np.float32)),
            **_shapes(z.numpy(), z_dist, (*member, "ring"), edges, config.loop_share),
            **{f"data_{name}": value for name, value in of_data.items()},
            "edges": ("edge", edges),
        },
        coords={
            "beta": list(recipe.betas),
            "seed": list(recipe.seeds),
            "ring": [0, 1],
            "quantile": list(config.quantiles),
            "law": ["exponential", "chord"],
            "rank": [1, 2],
        },
    )


def _layouts(
    z: Float[np.ndarray, "b s ring n d"], config: Config, progress: Progress
) -> Float[np.ndarray, "b s ring n 3"]:
    """UMAP of both rings together, of each member."""
    clouds = list(z.reshape(-1, math.prod(z.shape[2:4]), z.shape[-1]))
    found = projection.umaps(
        clouds,
        processes=torch.get_num_threads(),
        n_neighbors=config.n_neighbors,
        min_dist=config.min_dist,
        n_components=3,
        seed=config.umap_seed,
    )
    layouts = np.empty((*z.shape[:-1], 3), dtype=np.float32)
    for done, (layout, member) in enumerate(zip(found, np.ndindex(z.shape[:2]), strict=True), start=1):
        layouts[member] = layout.reshape(layouts[member].shape)
        progress("UMAP of the rings", done, len(clouds))
    return layouts


def _shapes(
    points: Float[np.ndarray, "*lead n d"],
    distances: Float[np.ndarray, "*lead p"],
    dims: tuple[str, ...],
    edges: Float[np.ndarray, "e"],
    share: float,
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Of each point cloud: the histogram of its distances, their misfit to two laws, its loops."""
    lead = distances.shape[:-1]
    each = list(np.ndindex(lead))
    loops = [topology.loops(points[i], share=share) for i in each]
    found = {
        "count": ("bin", [np.histogram(distances[i], edges)[0] for i in each], np.int32),
        "misfit": ("law", [law_misfits(distances[i]) for i in each], np.float32),
        "bar": ("rank", [(loop.longest, loop.second) for loop in loops], np.float32),
    }
    shapes: dict = {"loops": (dims, np.array([loop.count for loop in loops]).reshape(lead))}
    for name, (last, values, dtype) in found.items():
        shapes[name] = ((*dims, last), np.array(values, dtype).reshape(*lead, -1))
    return shapes


def _correlations(
    z_dist: Float[np.ndarray, "*lead ring p"], x_dist: Float[np.ndarray, "ring p"]
) -> Float[np.ndarray, "*lead ring"]:
    """Return Pearson's correlation of the distances of each member and ring with those of the ring itself."""
    lead = list(np.ndindex(z_dist.shape[:-1]))
    found = [np.corrcoef(z_dist[each], x_dist[each[-1]])[0, 1] for each in lead]
    return np.array(found, np.float32).reshape(z_dist.shape[:-1])


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
    return tuple(float(ks_1samp(d, law, method="asymp").statistic) for law in laws)


def run(config: Config, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Train the networks, then evaluate them."""
    networks = {"rings": rings.train(config.rings, device=device, progress=progress)}
    return evaluate(config, networks, device=device, progress=progress)
