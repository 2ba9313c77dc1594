"""Figure 2: the rings and their representations, and the distances within each ring."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.plotting import (
    CLASSES,
    DATA,
    INK,
    Panels,
    beta_name,
    coloured,
    data_stairs,
    plain_log_ticks,
    ratio_axis,
    ratio_bars,
)
from lil.plotting.scenes import add_points, draw_points, side_by_side

RINGS = CLASSES[:2]


def every_seed(result: xr.Dataset, layouts: str = "umap") -> Figure:
    """Draw the data, and the layout of every network: a row for each β, a column for each seed."""
    betas, seeds = result.beta.values, result.seed.values
    figure = plt.figure(figsize=(2.0 * (len(seeds) + 1.2), 2.3 * len(betas)))
    grid = figure.add_gridspec(len(betas), len(seeds) + 1, width_ratios=[1.2] + [1] * len(seeds))
    _draw_rings(figure.add_subplot(grid[:, 0], projection="3d"), result.x.values, "the data")
    for row, beta in enumerate(betas):
        for column, seed in enumerate(seeds, start=1):
            layout = result[layouts].sel(beta=beta, seed=seed).values
            ax = figure.add_subplot(grid[row, column], projection="3d")
            _draw_rings(ax, layout, f"β = {beta:g}, seed {seed}")
    return figure


def _draw_rings(ax: Axes, rings: Float[np.ndarray, "2 n 3"], title: str) -> None:
    for colour, ring in zip(RINGS, rings, strict=True):
        draw_points(ax, ring, s=1.5, color=colour)
    ax.set(title=title, box_aspect=np.ptp(rings.reshape(-1, 3), axis=0))


def turning(result: xr.Dataset) -> go.Figure:
    """Draw the same to turn with the mouse: the data beside a seed's layouts, with a slider for the seed."""
    betas, seeds = result.beta.values, result.seed.values.tolist()
    figure, owners = go.Figure(), []
    for owner in ("all", *seeds):
        clouds = [result.x] if owner == "all" else [result.umap.sel(beta=beta, seed=owner) for beta in betas]
        for panel, cloud in enumerate(clouds, start=int(owner != "all")):
            for number, (colour, ring) in enumerate(zip(RINGS, cloud.values, strict=True)):
                look = dict(marker=dict(size=1.8, color=colour), hovertemplate=f"ring {number}<extra></extra>")
                add_points(figure, ring, panel, visible=owner in ("all", seeds[0]), name=f"ring {number}", **look)
                owners.append(owner)
    steps = [{"visible": [owner in ("all", seed) for owner in owners]} for seed in seeds]
    titles = ["the data", *(f"last hidden layer,<br>{beta_name(beta)}" for beta in betas)]
    return side_by_side(figure, titles, dict(zip(seeds, steps, strict=True)), height=0.9)


def distance_histograms(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the counts of each distance between two points of a ring; an axis a ring, a line a network."""
    edges = result.edges.values
    filled = result["count"].any(("beta", "seed", "ring")) | result.data_count.any("ring")
    furthest, most = edges[1:][filled].max(), max(int(result["count"].max()), int(result.data_count.max()))
    for ax, ring in zip(axes, result.ring.values, strict=True):
        one = result.sel(ring=ring)
        data_stairs(ax, one.data_count, edges, label="the ring itself")
        for beta, colour in coloured(one):
            for seed in one.seed.values:
                ax.stairs(one["count"].sel(beta=beta, seed=seed), edges, color=colour, alpha=0.75, linewidth=1)
            ax.plot([], [], color=colour, label=f"{beta_name(beta)}, {one.sizes['seed']} seeds")
        ax.set(yscale="log", ylim=(0.7, 2 * most), xlim=(0, 1.05 * furthest), title=f"ring {ring}")
        ax.set(xlabel="distance between two points of the ring", ylabel="pairs of points")
        plain_log_ticks(ax.yaxis)
        ax.label_outer()
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return axes


def ratio_ranges(ax: Axes, result: xr.Dataset) -> Axes:
    """Draw the range of d(Φ)/d(x) over the pairs of a ring: a bar each network and ring, a dot at the median."""
    rows = [f"seed {seed}, ring {ring}" for seed in result.seed.values for ring in result.ring.values]
    ticks = []
    for k, (beta, colour) in enumerate(coloured(result)):
        y = -np.arange(len(rows)) - k * (len(rows) + 1.5)
        ratio_bars(ax, y, result.ratio.sel(beta=beta).transpose("seed", "ring", "quantile"), colour)
        place = dict(transform=ax.get_yaxis_transform(), color=colour, weight="bold")
        ax.text(0.01, y[0] + 0.6, beta_name(beta), **place)
        ticks.extend(y)
    ratio_axis(ax, result["quantile"])
    ax.set_yticks(ticks, rows * result.sizes["beta"], fontsize=8)
    ax.set_ylim(ticks[-1] - 0.7, 1.6)
    return ax


def shape_of_distances(ax: Axes, result: xr.Dataset) -> Axes:
    """Draw the misfit of the distances to the law of a whole ring against that to an exponential law."""
    for beta, colour in coloured(result):
        x, y = (result.misfit.sel(law=law, beta=beta).values.ravel() for law in ("exponential", "chord"))
        ax.plot(x, y, "o", color=colour, alpha=0.8, label=beta_name(beta))
    x, y = (result.data_misfit.sel(law=law) for law in ("exponential", "chord"))
    ax.plot(x, y, "x", color=DATA, markersize=9, mew=2, label="the rings themselves")
    top = 1.35 * max(float(result.misfit.max()), float(result.data_misfit.max()))
    ax.plot([0, top], [0, top], color=INK, linewidth=0.8, linestyle="--")
    ax.text(0.04, 0.96, "more like an\nexponential law", transform=ax.transAxes, va="top")
    ax.text(0.96, 0.04, "more like\na whole ring", transform=ax.transAxes, ha="right")
    ax.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    ax.set(xlabel="misfit to the exponential law", ylabel="misfit to the law of a whole ring")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
