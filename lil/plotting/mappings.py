"""Figure 1A: three kinds of mapping as meshes, and their distance ratios."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.linalg import orthogonal_procrustes

from lil.plotting import CLASSES, CROSS_ENTROPY, FAINT, ISOMETRY, Panels, ratio_axis, ratio_bars, spread

NAMES = {"none": "no isometry (β = 0)", "within-class": "within-class isometry", "all": "global isometry (G = 1)"}
COLOURS = {"none": CROSS_ENTROPY, "within-class": ISOMETRY, "all": "#56b4e9"}
Mesh = Float[np.ndarray, "2 along across 2"]


def mapping_panels(result: xr.Dataset, *, seed: int) -> Figure:
    """Draw the data and the representations of one seed's networks, all on one scale.

    Each picture is turned and shifted (which changes no distance) so that the first class lies as closely as
    it can on its place in the data.
    """
    figure, axes = plt.subplots(1, 1 + result.sizes["mapping"], figsize=(11, 3.5))
    pictures = {"the data\n": result.x.values}
    for mapping in result.mapping.values:
        one = result.sel(mapping=mapping, seed=seed)
        pictures[f"{NAMES[mapping]}\naccuracy {float(one.accuracy):.2f}"] = _laid_on(one.z.values, result.x.values)
    _draw_meshes(axes, pictures)
    return figure


def every_seed(result: xr.Dataset) -> Figure:
    """Draw the same for all seeds: a row a kind of mapping, a column a seed."""
    kinds, seeds = result.mapping.values, result.seed.values
    size = (2.1 * len(seeds), 2.1 * len(kinds))
    figure, axes = plt.subplots(len(kinds), len(seeds), figsize=size, squeeze=False)
    for row, kind in zip(axes, kinds, strict=True):
        meshes = result.z.sel(mapping=kind)
        pictures = {f"seed {seed}": _laid_on(meshes.sel(seed=seed).values, result.x.values) for seed in seeds}
        _draw_meshes(row, pictures)
        row[0].set_ylabel(NAMES[kind].replace(" (", "\n("))
    for ax in axes[1:].flat:
        ax.set_title("")
    return figure


def ratio_ranges(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the range of d(Φ)/d(x), one bar a network: an axis for pairs within a class, one for those between."""
    names = [NAMES[kind].replace(" (", "\n(") for kind in result.mapping.values]
    for ax, pairs in zip(axes, result.pairs.values, strict=True):
        for row, kind in enumerate(result.mapping.values):
            ratio = result.ratio.sel(mapping=kind, pairs=pairs).transpose("seed", "quantile")
            ratio_bars(ax, -row - spread(result.sizes["seed"], 0.25), ratio, COLOURS[kind])
        ratio_axis(ax, result["quantile"])
        ax.set_title(f"pairs {pairs} {'a class' if pairs == 'within' else 'classes'}")
        ax.set_yticks(-np.arange(len(names)), names)
        ax.label_outer()
    return axes


def _laid_on(z: Mesh, x: Mesh) -> Mesh:
    """Return z after the rotation, reflection and shift that bring its first class closest to that of x."""
    z_first, x_first = z[0].reshape(-1, 2), x[0].reshape(-1, 2)
    turn, _ = orthogonal_procrustes(z_first - z_first.mean(0), x_first - x_first.mean(0))
    return (z - z_first.mean(0)) @ turn + x_first.mean(0)


def _draw_meshes(axes: Panels, pictures: dict[str, Mesh]) -> None:
    """Draw one mesh a panel, each centred, all with the same length to the centimetre."""
    half = 0.55 * max(np.ptp(mesh.reshape(-1, 2), axis=0).max() for mesh in pictures.values())
    for ax, (title, mesh) in zip(axes, pictures.items(), strict=True):
        for colour, one in zip(CLASSES, mesh, strict=False):
            ax.add_collection(LineCollection([*one, *one.swapaxes(0, 1)], colors=colour, linewidths=0.9))
            ax.plot(*one.reshape(-1, 2).T, ".", color=colour, markersize=3, rasterized=True)
        centre = (mesh.reshape(-1, 2).max(0) + mesh.reshape(-1, 2).min(0)) / 2
        xlim, ylim = ((c - half, c + half) for c in centre)
        ax.set(xlim=xlim, ylim=ylim, aspect="equal", xticks=[], yticks=[], title=title)
        ax.grid(visible=False)
        ax.spines[:].set(visible=True, color=FAINT)
