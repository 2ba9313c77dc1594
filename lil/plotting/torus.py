"""Figure 4: what stacked LILs make of a torus, and where their classes are most sensitive to it."""

from __future__ import annotations

import itertools

import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import xarray as xr
from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from lil.plotting import CLASSES, INK, Panels, plain_log_ticks
from lil.plotting.scenes import add_points, side_by_side

HEAT = "YlOrRd"  # saliency, in matplotlib and in plotly: red where it is large, as in the paper
_HOTTEST = 0.95  # of the points of a torus; those beyond have the colour of this quantile


def layouts(result: xr.Dataset) -> Figure:
    """The UMAP layout of every level of every stack, in the colours of that level's classes: a column a seed."""
    figure, panels = _panels(result)
    for (level, seed), ax in panels.items():
        labels = result.labels.sel(cut="ring", level=level).values
        _draw_points(ax, result.umap.sel(level=level, seed=seed).values, labels, cmap=ListedColormap(CLASSES[:level]))
    return figure


def saliency_panels(result: xr.Dataset) -> Figure:
    """The torus in the colours of :func:`heat`, for every level and seed."""
    figure, panels = _panels(result)
    for (level, seed), ax in panels.items():
        one = result.sel(cut="ring", saliency="norm", level=level, seed=seed)
        _draw_points(ax, one.x.values, heat(one.gradient.values), cmap=HEAT)
        ax.view_init(elev=50)  # over the rim, into the hole
    return figure


def heat(gradient: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    """Gradient norms as shares of their 95 % quantile, at most 1: a few points would leave no colour to the others."""
    return np.minimum(gradient / np.quantile(gradient, _HOTTEST), 1).astype(np.float32)


def _panels(result: xr.Dataset) -> tuple[Figure, dict[tuple[int, int], Axes]]:
    """A panel in three dimensions for each level and seed, by both."""
    levels, seeds = _levels(result), result.seed.values.tolist()
    figure, axes = plt.subplots(
        len(levels),
        len(seeds),
        figsize=(2.1 * len(seeds), 2.3 * len(levels)),
        subplot_kw=dict(projection="3d"),
        squeeze=False,
    )
    panels = dict(zip(itertools.product(levels, seeds), axes.flat, strict=True))
    for (level, seed), ax in panels.items():
        ax.set_title(f"{level} classes, seed {seed}")
    return figure, panels


def _draw_points(ax: Axes, points: Float[np.ndarray, "n 3"], values: Shaped[np.ndarray, "n"], *, cmap) -> None:
    ax.scatter(*points.T, s=2, c=values, cmap=cmap, depthshade=False)
    ax.set(xticks=[], yticks=[], zticks=[], box_aspect=np.ptp(points, axis=0))


def saliency_profiles(axes: Panels, result: xr.Dataset) -> Panels:
    """The gradient norm along the angle of the cuts: an axis a level, a line a stack, dashed lines at the cuts.

    The points of one angle are a circle around the tube; a line joins their medians.
    """
    for ax, level in zip(axes, _levels(result), strict=True):
        one = result.sel(cut="ring", saliency="norm", level=level)
        angles, circle = np.unique(one.cut_angle.values, return_inverse=True)
        for seed in one.seed.values:
            norms = one.gradient.sel(seed=seed).values
            medians = [np.median(norms[circle == k]) for k in range(len(angles))]
            ax.plot(np.degrees(angles), medians, linewidth=1.2, label=f"seed {seed}")
        step = 360 / len(angles)
        for cut in 360 * np.arange(level) / level - step / 2:
            ax.axvline(cut, color=INK, linewidth=0.8, linestyle="--", zorder=0)
        ax.set(title=f"{level} classes", yscale="log", xlim=(-step, 360), xticks=range(0, 361, 90))
        ax.set(xlabel="angle around the hole (°)")
        plain_log_ticks(ax.yaxis)
    axes[0].set_ylabel("norm of the gradient")
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(result.seed))
    return axes


def turning_layouts(result: xr.Dataset) -> go.Figure:
    """The layouts of one stack to turn with the mouse, a panel a level, with a slider for the seed."""
    figure = go.Figure()
    seeds = result.seed.values
    for panel, level in enumerate(_levels(result)):
        one = result.sel(cut="ring", level=level)
        for seed in seeds:
            add_points(
                figure,
                one.umap.sel(seed=seed).values,
                panel,
                visible=bool(seed == seeds[0]),
                marker=dict(size=2.2, color=one.labels.values, **_classes_of(level)),
                text=one.labels.values,
                hovertemplate="class %{text}<extra></extra>",
            )
    steps = []
    for seed in seeds:
        shown = [bool(other == seed) for _ in _levels(result) for other in seeds]
        steps.append(dict(label=str(seed), method="restyle", args=["visible", shown]))
    return side_by_side(figure, _titles(result), steps, height=0.9)


def turning_saliency(result: xr.Dataset) -> go.Figure:
    """The torus in the colours of :func:`heat` to turn with the mouse, a panel a level, with a slider for the seed."""
    figure = go.Figure()
    norms = result.gradient.sel(cut="ring", saliency="norm").transpose("seed", "level", "point").values
    for panel, norm in enumerate(norms[0]):
        add_points(
            figure,
            result.x.sel(cut="ring").values,
            panel,
            marker=dict(size=2.2, color=heat(norm), colorscale=HEAT, cmin=0, cmax=1),
            text=norm,
            hovertemplate="gradient norm %{text:.3g}<extra></extra>",
        )
    steps = []
    for seed, levels in zip(result.seed.values, norms, strict=True):
        change = {"marker.color": [heat(norm) for norm in levels], "text": list(levels)}
        steps.append(dict(label=str(seed), method="restyle", args=[change]))
    return side_by_side(figure, _titles(result), steps, height=1.9)


def _classes_of(level: int) -> dict:
    """plotly's colours of the classes 0 to level − 1, each in one piece."""
    steps = [(k / level, (k + 1) / level, CLASSES[k]) for k in range(level)]
    scale = [(at, colour) for low, high, colour in steps for at in (low, high)]
    return dict(colorscale=scale, cmin=-0.5, cmax=level - 0.5)


def _levels(result: xr.Dataset) -> list[int]:
    """The numbers of classes, coarse to fine."""
    return result.level.values.tolist()


def _titles(result: xr.Dataset) -> list[str]:
    return [f"{level} classes" for level in _levels(result)]
