"""MNIST in two and three units: layouts beside those of other methods, and their measures."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from lil.paper.tables.visualisation import MEASURES, METHODS, means
from lil.plotting import CLASSES, DATA, INK, Panels, beta_marks, coloured
from lil.plotting.scenes import add_points, side_by_side

DIGITS = (*CLASSES, DATA, "#8b5a2b")  # ten classes: the palette's eight, grey and brown
MARKS = {"pca": "P", "umap": "X", "supervised": "*"}
SCALES = "os^"  # a mark for each K


def trade_off(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the vote's accuracy against the correlation of distances: a panel a number of units, a mark a seed.

    Circles and squares are networks, a mark for each K and a colour for each β; the other methods have no colour.
    """
    one = means(result)
    for ax, units in zip(axes, one.units.values.tolist(), strict=True):
        at = one.sel(units=units)
        for scale, mark in zip(one.scale.values.tolist(), SCALES, strict=False):
            for beta, colour in coloured(one):
                cell = at.sel(scale=scale, beta=beta)
                ax.plot(cell.correlation, cell.vote, mark, color=colour, markersize=6)
        for method, mark in MARKS.items():
            cell = at.sel(other=method)
            ax.plot(cell.other_correlation, cell.other_vote, mark, color=INK, markersize=8)
        ax.set(title=f"{units} units", xlabel=MEASURES["correlation"])
    axes[0].set_ylabel(MEASURES["vote"])
    handles = beta_marks(one.beta.values, marker="o")
    for scale, mark in zip(one.scale.values.tolist(), SCALES, strict=False):
        handles += axes[0].plot([], [], mark, color=DATA, label=f"K = {scale:g}")
    for method, mark in MARKS.items():
        handles += axes[0].plot([], [], mark, color=INK, label=METHODS[method])
    axes[0].figure.legend(handles=handles, loc="outside lower center", ncols=6)
    return axes


def measure_curves(result: xr.Dataset) -> Figure:
    """Draw each measure against β: a row a number of units, a column a measure, a line a seed; flat, other methods."""
    one, looks = means(result), dict(zip(result.scale.values.tolist(), CLASSES[:3], strict=False))
    widths, places = one.units.values.tolist(), np.arange(one.sizes["beta"])
    size = (11.5, 3 * len(widths))
    figure, axes = plt.subplots(len(widths), len(MEASURES), figsize=size, sharex=True, sharey="col", squeeze=False)
    for row, units in zip(axes, widths, strict=True):
        for ax, measure in zip(row, MEASURES, strict=True):
            for scale, colour in looks.items():
                for seed in one.seed.values:
                    ax.plot(places, one[measure].sel(units=units, scale=scale, seed=seed), color=colour, linewidth=1)
            for method, mark in MARKS.items():
                height = float(one[f"other_{measure}"].sel(units=units, other=method).mean("seed"))
                ax.axhline(height, color=INK, linewidth=0.8, linestyle=":")
                ax.plot(places.max() + 0.45, height, mark, color=INK, markersize=6, clip_on=False)
            ax.set_xticks(places, [f"{beta:g}" for beta in one.beta.values])
        row[0].set_ylabel(f"{units} units")
    for ax, words in zip(axes[0], MEASURES.values(), strict=True):
        ax.set_title(words.replace(" of ", "\nof ").replace(" within", "\nwithin"), fontsize=9)
    for ax in axes[-1]:
        ax.set_xlabel("β")
    handles = [plt.Line2D([], [], color=colour, label=f"K = {scale:g}") for scale, colour in looks.items()]
    others = dict(color=INK, linestyle=":")
    handles += [plt.Line2D([], [], marker=mark, label=METHODS[method], **others) for method, mark in MARKS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure


def layout_panels(result: xr.Dataset) -> Figure:
    """Draw the layouts in the plane: a row a K with a column a β, and a last row with the other methods."""
    scales, betas = result.scale.values.tolist(), result.beta.values.tolist()
    columns = max(len(betas), len(METHODS))
    figure, axes = plt.subplots(len(scales) + 1, columns, figsize=(1.95 * columns, 2.1 * (len(scales) + 1)))
    for row, scale in zip(axes, scales, strict=False):
        for ax, beta in zip(row, betas, strict=False):
            _digits(ax, result.plane.sel(scale=scale, beta=beta).values, result.labels.values)
            ax.set_title(f"K = {scale:g}, β = {beta:g}", fontsize=9)
    for ax, (method, name) in zip(axes[-1], METHODS.items(), strict=False):
        _digits(ax, result.other_plane.sel(other=method).values, result.labels.values)
        ax.set_title(name, fontsize=9)
    for ax in axes.flat:
        ax.set_visible(bool(ax.collections))
    handles = [plt.Line2D([], [], marker="o", linestyle="none", color=c, label=str(k)) for k, c in enumerate(DIGITS)]
    figure.legend(handles=handles, loc="lower right", ncols=5, title="digit")
    return figure


def _digits(ax: Axes, points: Float[np.ndarray, "n 2"], labels: np.ndarray) -> None:
    ax.scatter(*points.T, s=2.5, c=labels, cmap=ListedColormap(DIGITS), vmin=-0.5, vmax=9.5, rasterized=True)
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.set_adjustable("datalim")


def turning_layouts(result: xr.Dataset) -> go.Figure:
    """Draw the layouts in space to turn with the mouse: the networks of each K, PCA and UMAP; a slider for β."""
    figure, betas = go.Figure(), result.beta.values.tolist()
    scale = [(at, DIGITS[k]) for k in range(10) for at in (k / 10, (k + 1) / 10)]
    marker = dict(size=2, color=result.labels.values, colorscale=scale, cmin=-0.5, cmax=9.5)
    look = dict(marker=marker, hovertemplate="%{marker.color}<extra></extra>")
    owners: list[float | None] = []
    for panel, k in enumerate(result.scale.values.tolist()):
        for beta in betas:
            points = result.space.sel(scale=k, beta=beta).values
            add_points(figure, points, panel, visible=beta == betas[0], **look)
            owners.append(beta)
    for panel, method in enumerate(("pca", "umap"), start=result.sizes["scale"]):
        add_points(figure, result.other_space.sel(other=method).values, panel, **look)
        owners.append(None)
    titles = [f"K = {k:g}" for k in result.scale.values.tolist()] + ["PCA", "UMAP"]
    changes = {f"{beta:g}": {"visible": [owner in (None, beta) for owner in owners]} for beta in betas}
    side_by_side(figure, titles, changes, height=0.9)
    figure.layout.sliders[0].currentvalue.prefix = "β = "
    return figure
