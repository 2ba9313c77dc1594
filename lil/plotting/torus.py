"""Figure 4: the representations of stacked LILs on a torus, and the torus coloured by their gradients."""

from __future__ import annotations

import itertools

import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from lil.plotting import CLASSES, INK, Panels, plain_log_ticks
from lil.plotting.scenes import add_points, draw_points, side_by_side

HEAT = "YlOrRd"  # saliency, in matplotlib and in plotly: red where it is large, as in the paper
_HOTTEST = 0.95  # of the points of a torus; those beyond have the colour of this quantile


def layouts(result: xr.Dataset) -> Figure:
    """Draw the UMAP layout of every level of every stack, in the colours of that level's classes: a column a seed."""
    figure, panels = _panels(result)
    for (level, seed), ax in panels.items():
        labels, points = result.labels.sel(cut="ring", level=level), result.umap.sel(level=level, seed=seed)
        draw_points(ax, points.values, s=2, c=labels.values, cmap=ListedColormap(CLASSES[:level]))
    return figure


def saliency_panels(result: xr.Dataset) -> Figure:
    """Draw the torus in the colours of :func:`heat`, for every level and seed."""
    figure, panels = _panels(result)
    for (level, seed), ax in panels.items():
        one = result.sel(cut="ring", saliency="norm", level=level, seed=seed)
        draw_points(ax, one.x.values, s=2, c=heat(one.gradient.values), cmap=HEAT)
        ax.view_init(elev=50)  # over the rim, into the hole
    return figure


def heat(gradient: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    """Return gradient norms as shares of their 95 % quantile, at most 1: a few points would take all colour."""
    return np.minimum(gradient / np.quantile(gradient, _HOTTEST), 1).astype(np.float32)


def _panels(result: xr.Dataset) -> tuple[Figure, dict[tuple[int, int], Axes]]:
    """Return a panel in three dimensions for each level and seed, by both."""
    keys = list(itertools.product(result.level.values.tolist(), result.seed.values.tolist()))
    rows, columns = result.sizes["level"], result.sizes["seed"]
    figure = plt.figure(figsize=(2.1 * columns, 2.3 * rows))
    panels = {key: figure.add_subplot(rows, columns, n, projection="3d") for n, key in enumerate(keys, start=1)}
    for (level, seed), ax in panels.items():
        ax.set_title(f"{level} classes, seed {seed}")
    return figure, panels


def saliency_profiles(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the gradient norm along the angle of the cuts: an axis a level, a line a stack, dashed lines at the cuts.

    The points of one angle are a circle around the tube; a line joins their medians.
    """
    for ax, level in zip(axes, result.level.values.tolist(), strict=True):
        one = result.sel(cut="ring", saliency="norm", level=level)
        medians = one.gradient.groupby(one.cut_angle).median()
        step = 360 / medians.sizes["cut_angle"]
        for seed in one.seed.values:
            ax.plot(np.degrees(medians.cut_angle), medians.sel(seed=seed), linewidth=1.2, label=f"seed {seed}")
        for cut in 360 * np.arange(level) / level - step / 2:
            ax.axvline(cut, color=INK, linewidth=0.8, linestyle="--", zorder=0)
        ax.set(title=f"{level} classes", yscale="log", xlim=(-step, 360), xticks=range(0, 361, 90))
        ax.set(xlabel="angle around the hole (°)")
        plain_log_ticks(ax.yaxis)
    axes[0].set_ylabel("norm of the gradient")
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(result.seed))
    return axes


def turning_layouts(result: xr.Dataset) -> go.Figure:
    """Draw the layouts of one stack to turn with the mouse, a panel a level, with a slider for the seed."""
    figure, seeds, levels = go.Figure(), result.seed.values.tolist(), result.level.values.tolist()
    for panel, level in enumerate(levels):
        one = result.sel(cut="ring", level=level)
        scale = [(at, CLASSES[k]) for k in range(level) for at in (k / level, (k + 1) / level)]  # each in one piece
        marker = dict(size=2.2, color=one.labels.values, colorscale=scale, cmin=-0.5, cmax=level - 0.5)
        look = dict(marker=marker, hovertemplate="class %{marker.color}<extra></extra>")
        for seed in seeds:
            add_points(figure, one.umap.sel(seed=seed).values, panel, visible=seed == seeds[0], **look)
    changes = {seed: {"visible": [other == seed for _ in levels for other in seeds]} for seed in seeds}
    return side_by_side(figure, _titles(result), changes, height=0.9)


def turning_saliency(result: xr.Dataset) -> go.Figure:
    """Draw the torus in the colours of :func:`heat` to turn with the mouse, a panel a level, a slider for the seed.

    The page holds the slider's numbers as text. They have three digits: the hover prints no more, no colour shows more.
    """
    figure = go.Figure()
    norms = result.gradient.sel(cut="ring", saliency="norm").transpose("seed", "level", "point")
    changes = {
        seed: {
            "marker.color": [_three_digits(heat(norm)) for norm in norms.sel(seed=seed).values],
            "text": [_three_digits(norm) for norm in norms.sel(seed=seed).values],
        }
        for seed in result.seed.values.tolist()
    }
    first = next(iter(changes.values()))
    for panel, (colours, norm) in enumerate(zip(first["marker.color"], first["text"], strict=True)):
        marker = dict(size=2.2, color=colours, colorscale=HEAT, cmin=0, cmax=1)
        hover = "gradient norm %{text:.3g}<extra></extra>"
        add_points(figure, result.x.sel(cut="ring").values, panel, marker=marker, text=norm, hovertemplate=hover)
    return side_by_side(figure, _titles(result), changes, height=1.9)


def _three_digits(values: Float[np.ndarray, "n"]) -> list[float]:
    """Return numbers of three significant digits: 6 characters each in a page, where single precision has 19."""
    return [float(f"{value:.3g}") for value in values]


def _titles(result: xr.Dataset) -> list[str]:
    return [f"{level} classes" for level in result.level.values.tolist()]
