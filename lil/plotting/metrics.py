"""Rings and torus with other metrics: the stress in each metric, and distances of pairs before and after."""

from __future__ import annotations

import numpy as np
import xarray as xr

from lil.paper.tables.metrics import NAMES, TERMS
from lil.plotting import CLASSES, CROSS_ENTROPY, INK, ISOMETRY, Panels, dots_and_mean, plain_log_ticks, spread

COLOURS = dict(zip(TERMS, (CROSS_ENTROPY, ISOMETRY, CLASSES[0], CLASSES[1]), strict=True))


def stress_dots(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the stress on held-out points: a panel a data set, a group a metric, a dot a seed, a colour a term.

    The dashed line is the least stress that was found for geodesic distances in a Euclidean space.
    """
    one, metrics = result.sel(points="held-out"), result.metric.values.tolist()
    for ax, data in zip(axes, one.data.values.tolist(), strict=True):
        for (term, colour), offset in zip(COLOURS.items(), spread(len(COLOURS), 0.28), strict=True):
            for place, metric in enumerate(metrics):
                values = one.stress.sel(data=data, term=term, metric=metric)
                dots_and_mean(ax, place + offset, values, colour, half=0.07, marker="o", markersize=4)
            ax.plot([], [], "o", color=colour, label=TERMS[term])
        least = float(one.least_stress.sel(data=data))
        at = metrics.index("geodesic")
        ax.plot([at - 0.42, at + 0.42], [least, least], color=INK, linewidth=1, linestyle="--", label="least found")
        ax.set_xticks(range(len(metrics)), [NAMES[metric] for metric in metrics])
        ax.set(title=data, yscale="log", xlabel="metric in which it is measured")
        plain_log_ticks(ax.yaxis)
        ax.grid(axis="x", visible=False)
    axes[0].set_ylabel("stress")
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return axes


def pair_dots(axes: np.ndarray, result: xr.Dataset) -> np.ndarray:
    """Draw d(Φ) against d(x) of pairs of one class: a row a data set, a column a metric; on the line, an isometry.

    Orange without the isometry term, the term's colour with it; held-out points, networks of the first seed.
    """
    for row, data in zip(axes, result.data.values.tolist(), strict=True):
        for ax, metric in zip(row, result.metric.values.tolist(), strict=True):
            target = result.target.sel(data=data, metric=metric)
            for term in ("none", metric):
                shown = result.shown.sel(data=data, metric=metric, term=term)
                ax.plot(target, shown, ".", color=COLOURS[term], markersize=3, rasterized=True)
            ax.axline((0, 0), slope=1, color=INK, linewidth=0.8, linestyle="--")
            ax.set(title=f"{data}, {NAMES[metric]}", xlabel="d(x)")
        row[0].set_ylabel("d(Φ)")
    return axes
