"""The cost of the isometry loss: seconds and memory against the size of the problem, and the spread of the estimate."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from lil.paper.tables.scaling import NAMES
from lil.plotting import CLASSES, DATA, Panels, plain_log_ticks


def by_points(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the milliseconds of a call and its memory against the number of points; a line for each kind of pairs."""
    panels = ((1e3 * result.seconds, "milliseconds"), (result.memory, "memory (MiB)"))
    for ax, (values, unit) in zip(axes, panels, strict=True):
        for kind, colour, marker in zip(result.pairs.values.tolist(), CLASSES, "os^", strict=False):
            look = dict(marker=marker, markersize=4, color=colour, label=NAMES[kind])
            ax.plot(result.points, values.sel(pairs=kind), **look)
        _logarithmic(ax, "points", f"{unit} of one call")
    axes[0].legend()
    return axes


def by_the_rest(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the milliseconds of a call against classes, networks and threads; dotted, a proportional cost."""
    panels = {"classes": "classes of equal size", "members": "networks trained together", "threads": "threads"}
    for ax, (dim, label) in zip(axes, panels.items(), strict=True):
        values, sizes = 1e3 * result[f"by_{dim}"], result[dim].values
        ax.plot(sizes, values, marker="o", markersize=4, color=CLASSES[1])
        ax.plot(sizes, float(values[0]) * (sizes / sizes[0]) ** (1 if dim == "members" else -1), ":", color=DATA)
        _logarithmic(ax, label, "milliseconds of one call")
        ax.set_xticks(sizes, [f"{size}" for size in sizes])
    return axes


def estimate_spread(ax: Axes, result: xr.Dataset) -> Axes:
    """Draw the standard deviation of the estimate against the pairs drawn: measured, and as estimates predict it."""
    ax.plot(result.drawn, result.predicted, color=DATA, label="as one estimate says of itself, on average")
    ax.plot(result.drawn, result.spread, "o", color=CLASSES[2], label="measured over many estimates")
    _logarithmic(ax, "pairs drawn", "standard deviation, as a share\nof the loss")
    ax.legend()
    return ax


def _logarithmic(ax: Axes, x: str, y: str) -> None:
    ax.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    low, high = ax.get_ylim()
    if high / low < 3:  # nearly constant: do not magnify noise
        middle = float(np.sqrt(low * high))
        ax.set_ylim(middle / 2, middle * 2)
    plain_log_ticks(ax.xaxis, ax.yaxis)
