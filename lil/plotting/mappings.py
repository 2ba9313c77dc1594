"""Figure 1A: three kinds of mapping as meshes, and their distance ratios."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from lil.plotting import CLASSES, CROSS_ENTROPY, FAINT, INK, ISOMETRY, Panels, plain_log_ticks

NAMES = {"none": "no isometry (β = 0)", "within-class": "within-class isometry", "all": "global isometry (G = 1)"}
COLOURS = {"none": CROSS_ENTROPY, "within-class": ISOMETRY, "all": "#56b4e9"}
Mesh = Float[np.ndarray, "2 along across 2"]


def mapping_panels(result: xr.Dataset, *, seed: int) -> Figure:
    """The data and where the networks of one seed put them, all on one scale.

    Each picture is turned and shifted (which changes no distance) so that the first class lies as closely as
    it can on its place in the data.
    """
    figure, axes = plt.subplots(1, 1 + result.sizes["mapping"], figsize=(11, 3.5))
    x = result.x.values
    pictures = {"the data\n": x}
    for mapping in result.mapping.values:
        one = result.sel(mapping=mapping, seed=seed)
        pictures[f"{NAMES[mapping]}\naccuracy {float(one.accuracy):.2f}"] = _laid_on(one.z.values, x)
    _draw_meshes(axes, pictures)
    return figure


def every_seed(result: xr.Dataset) -> Figure:
    """What :func:`mapping_panels` shows of one seed, for all: a row a kind of mapping, a column a seed."""
    kinds, seeds = result.mapping.values, result.seed.values
    size = (2.1 * len(seeds), 2.1 * len(kinds))
    figure, axes = plt.subplots(len(kinds), len(seeds), figsize=size, squeeze=False)
    for row, kind in zip(axes, kinds, strict=True):
        meshes = [_laid_on(one, result.x.values) for one in result.z.sel(mapping=kind).values]
        _draw_meshes(row, {f"seed {seed}": mesh for seed, mesh in zip(seeds, meshes, strict=True)})
        row[0].set_ylabel(NAMES[kind].replace(" (", "\n("))
    for ax in axes[1:].flat:
        ax.set_title("")
    return figure


def ratio_ranges(axes: Panels, result: xr.Dataset) -> Panels:
    """The range of d(Φ)/d(x), one bar a network: an axis for pairs within a class, one for those between."""
    low, middle, high = (result.ratio.isel(quantile=k) for k in (0, 1, 2))
    percent = [f"{100 * q:g} %" for q in result["quantile"].values]
    offsets = np.linspace(0.25, -0.25, result.sizes["seed"]) if result.sizes["seed"] > 1 else [0.0]
    for ax, pairs in zip(axes, result.pairs.values, strict=True):
        for row, kind in enumerate(result.mapping.values):
            where = dict(mapping=kind, pairs=pairs)
            y = -row + np.asarray(offsets)
            ax.hlines(y, low.sel(where), high.sel(where), color=COLOURS[kind], linewidth=2.5)
            ax.plot(middle.sel(where), y, "o", color=COLOURS[kind], markersize=5)
        ax.axvline(1, color=INK, linewidth=1, linestyle="--")
        ax.set(xscale="log", title=f"pairs {pairs} {'a class' if pairs == 'within' else 'classes'}")
        plain_log_ticks(ax.xaxis)
        ax.set_xlabel(f"d(Φ) / d(x): {percent[0]} to {percent[2]} of the pairs, dot: {percent[1]}")
        names = [NAMES[kind].replace(" (", "\n(") for kind in result.mapping.values]
        ax.set_yticks(-np.arange(len(names)), names)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", visible=False)
        ax.label_outer()
    return axes


def _laid_on(z: Mesh, x: Mesh) -> Mesh:
    """z after the rotation, reflection and shift that bring its first class closest to that of x (Kabsch)."""
    z_first, x_first = z[0].reshape(-1, 2), x[0].reshape(-1, 2)
    u, _, vt = np.linalg.svd((z_first - z_first.mean(0)).T @ (x_first - x_first.mean(0)))
    return (z - z_first.mean(0)) @ (u @ vt) + x_first.mean(0)


def _draw_meshes(axes: Panels, pictures: dict[str, Mesh]) -> None:
    """One mesh a panel, each centred, all with the same length to the centimetre."""
    half = 0.55 * max(np.ptp(mesh.reshape(-1, 2), axis=0).max() for mesh in pictures.values())
    for ax, (title, mesh) in zip(axes, pictures.items(), strict=True):
        for colour, one in zip(CLASSES, mesh, strict=False):
            lines = [*one, *one.swapaxes(0, 1)]
            ax.add_collection(LineCollection(lines, colors=colour, linewidths=0.9))
            ax.plot(*one.reshape(-1, 2).T, ".", color=colour, markersize=3)
        centre = (mesh.reshape(-1, 2).max(0) + mesh.reshape(-1, 2).min(0)) / 2
        xlim, ylim = ((c - half, c + half) for c in centre)
        ax.set(xlim=xlim, ylim=ylim, aspect="equal", xticks=[], yticks=[], title=title)
        ax.grid(visible=False)
        for spine in ax.spines.values():
            spine.set(visible=True, color=FAINT)
