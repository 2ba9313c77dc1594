"""Figure 2: the rings and what networks make of them, and the distances within each ring."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.plotting import CLASSES, DATA, FAINT, INK, Panels, beta_colours, beta_name, plain_log_ticks
from lil.plotting.scenes import add_points, side_by_side

RINGS = CLASSES[:2]


def every_seed(result: xr.Dataset) -> Figure:
    """The data, and the UMAP layout of every network: a row for each β, a column for each seed."""
    betas, seeds = result.beta.values, result.seed.values
    figure = plt.figure(figsize=(2.0 * (len(seeds) + 1.2), 2.3 * len(betas)))
    grid = figure.add_gridspec(len(betas), len(seeds) + 1, width_ratios=[1.2] + [1] * len(seeds))
    _draw_rings(figure.add_subplot(grid[:, 0], projection="3d"), result.x.values, "the data")
    for row, beta in enumerate(betas):
        for column, seed in enumerate(seeds):
            ax = figure.add_subplot(grid[row, column + 1], projection="3d")
            _draw_rings(ax, result.umap.sel(beta=beta, seed=seed).values, f"β = {beta:g}, seed {seed}")
    return figure


def _draw_rings(ax: Axes, rings: Float[np.ndarray, "2 n 3"], title: str) -> None:
    for colour, ring in zip(RINGS, rings, strict=True):
        ax.scatter(*ring.T, s=1.5, color=colour, depthshade=False)
    ax.set(title=title, box_aspect=np.ptp(rings.reshape(-1, 3), axis=0))
    ax.set(xticks=[], yticks=[], zticks=[])  # UMAP's coordinates have no unit


def turning(result: xr.Dataset) -> go.Figure:
    """The same to turn with the mouse: the data beside a seed's layouts, with a slider for the seed."""
    betas, seeds = result.beta.values, result.seed.values
    figure = go.Figure()
    _add_rings(figure, result.x.values, panel=0, shown=True)
    for seed in seeds:
        for panel, beta in enumerate(betas, start=1):
            layout = result.umap.sel(beta=beta, seed=seed).values
            _add_rings(figure, layout, panel, shown=bool(seed == seeds[0]))
    steps = []
    for seed in seeds:
        shown = [True, True, *(bool(other == seed) for other in seeds for _ in range(2 * len(betas)))]
        steps.append(dict(label=str(seed), method="restyle", args=["visible", shown]))
    titles = ["the data", *(f"last hidden layer,<br>{beta_name(beta)}" for beta in betas)]
    return side_by_side(figure, titles, steps, height=0.9)


def _add_rings(figure: go.Figure, rings: Float[np.ndarray, "2 n 3"], panel: int, *, shown: bool) -> None:
    for number, (colour, ring) in enumerate(zip(RINGS, rings, strict=True)):
        label = f"ring {number}"
        add_points(
            figure,
            ring,
            panel,
            marker=dict(size=1.8, color=colour),
            visible=shown,
            name=label,
            hovertemplate=f"{label}<extra></extra>",
        )


def distance_histograms(axes: Panels, result: xr.Dataset) -> Panels:
    """How often each distance occurs between two points of a ring; an axis a ring, a line a network."""
    edges = result.edges.values
    filled = result["count"].any(("beta", "seed", "ring")) | result.data_count.any("ring")
    furthest, most = edges[1:][filled].max(), max(int(result["count"].max()), int(result.data_count.max()))
    for ax, ring in zip(axes, result.ring.values, strict=True):
        one = result.sel(ring=ring)
        ax.stairs(one.data_count, edges, fill=True, color=FAINT)
        ax.stairs(one.data_count, edges, color=DATA, linewidth=1.2, label="the ring itself")
        for beta, colour in zip(one.beta.values, beta_colours(one.beta.values), strict=True):
            for k, seed in enumerate(one.seed.values):
                label = f"{beta_name(beta)}, {one.sizes['seed']} seeds" if k == 0 else None
                count = one["count"].sel(beta=beta, seed=seed)
                ax.stairs(count, edges, color=colour, alpha=0.75, linewidth=1, label=label)
        ax.set(yscale="log", ylim=(0.7, 2 * most), xlim=(0, 1.05 * furthest), title=f"ring {ring}")
        ax.set(xlabel="distance between two points of the ring", ylabel="pairs of points")
        plain_log_ticks(ax.yaxis)
        ax.label_outer()
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return axes


def ratio_ranges(ax: Axes, result: xr.Dataset) -> Axes:
    """The range of d(Φ)/d(x) over the pairs of a ring: a bar each network and ring, a dot at the median."""
    low, middle, high = (result.ratio.isel(quantile=k) for k in (0, 1, 2))
    rows = [(seed, ring) for seed in result.seed.values for ring in result.ring.values]
    ticks = []
    betas = result.beta.values
    for k, (beta, colour) in enumerate(zip(betas, beta_colours(betas), strict=True)):
        y = -np.arange(len(rows)) - k * (len(rows) + 1.5)
        ends = [part.sel(beta=beta).transpose("seed", "ring").values.ravel() for part in (low, middle, high)]
        ax.hlines(y, ends[0], ends[2], color=colour, linewidth=2.5)
        ax.plot(ends[1], y, "o", color=colour, markersize=4)
        place = dict(transform=ax.get_yaxis_transform(), color=colour, weight="bold")
        ax.text(0.01, y[0] + 0.6, beta_name(beta), **place)
        ticks.extend(y)
    ax.axvline(1, color=INK, linewidth=1, linestyle="--")
    percent = [f"{100 * q:g} %" for q in result["quantile"].values]
    ax.set(xscale="log", xlabel=f"d(Φ) / d(x): {percent[0]} to {percent[2]} of the pairs, dot: {percent[1]}")
    plain_log_ticks(ax.xaxis)
    names = [f"seed {seed}, ring {ring}" for seed, ring in rows]
    ax.set_yticks(ticks, names * len(betas), fontsize=8)
    ax.set_ylim(ticks[-1] - 0.7, 1.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    return ax


def shape_of_distances(ax: Axes, result: xr.Dataset) -> Axes:
    """Do the distances follow an exponential law or that of a whole ring? One misfit against the other."""
    exponential, chord = (result.misfit.sel(law=law) for law in ("exponential", "chord"))
    for beta, colour in zip(result.beta.values, beta_colours(result.beta.values), strict=True):
        x, y = (misfit.sel(beta=beta).values.ravel() for misfit in (exponential, chord))
        ax.plot(x, y, "o", color=colour, alpha=0.8, label=beta_name(beta))
    data = result.data_misfit
    x, y = data.sel(law="exponential"), data.sel(law="chord")
    ax.plot(x, y, "x", color=DATA, markersize=9, mew=2, label="the rings themselves")
    top = 1.35 * max(float(result.misfit.max()), float(data.max()))
    ax.plot([0, top], [0, top], color=INK, linewidth=0.8, linestyle="--")
    ax.text(0.04, 0.96, "more like an\nexponential law", transform=ax.transAxes, va="top")
    ax.text(0.96, 0.04, "more like\na whole ring", transform=ax.transAxes, ha="right")
    ax.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    ax.set(xlabel="misfit to the exponential law", ylabel="misfit to the law of a whole ring")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
