"""What the isometry loss costs: seconds and memory against the size of the problem, and the spread of the estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from lil.plotting import CLASSES, DATA, Panels, plain_log_ticks

NAMES = {"all": "all pairs", "within-class": "pairs of one class", "sampled": "pairs drawn at random"}


def by_points(axes: Panels, result: xr.Dataset) -> Panels:
    """Left the milliseconds of a call, right its memory, against the number of points; a line for each kind of pairs."""
    panels = ((1e3 * result.seconds, "milliseconds"), (result.memory, "memory (MiB)"))
    for ax, (values, unit) in zip(axes, panels, strict=True):
        for kind, colour, marker in zip(result.pairs.values, CLASSES, "os^", strict=False):
            look = dict(marker=marker, markersize=4, color=colour, label=NAMES[str(kind)])
            ax.plot(result.points, values.sel(pairs=kind), **look)
        _logarithmic(ax, "points", f"{unit} of one call")
    axes[0].legend()
    return axes


def by_the_rest(axes: Panels, result: xr.Dataset) -> Panels:
    """Milliseconds of a call against the number of classes, networks and threads; dotted, what would be proportional."""
    panels = (("classes", result.by_classes, -1), ("members", result.by_members, 1), ("threads", result.by_threads, -1))
    labels = {"classes": "classes of equal size", "members": "networks trained together", "threads": "threads"}
    for ax, (dim, values, power) in zip(axes, panels, strict=True):
        sizes = values[dim].values
        ax.plot(sizes, 1e3 * values, marker="o", markersize=4, color=CLASSES[1])
        ax.plot(sizes, 1e3 * float(values[0]) * (sizes / sizes[0]) ** power, ":", color=DATA)
        _logarithmic(ax, labels[dim], "milliseconds of one call")
        ax.set_xticks(sizes, [f"{size}" for size in sizes])
    return axes


def spread(ax: Axes, result: xr.Dataset) -> Axes:
    """The standard deviation of the estimate against the pairs drawn: measured (marks), and as estimates say (line)."""
    ax.plot(result.drawn, result.predicted, color=DATA, label="as one estimate says of itself, on average")
    ax.plot(result.drawn, result.spread, "o", color=CLASSES[2], label="measured over many estimates")
    _logarithmic(ax, "pairs drawn", "standard deviation, as a share\nof the loss")
    ax.legend()
    return ax


def table(result: xr.Dataset) -> pd.DataFrame:
    """Milliseconds and MiB of one call, a row a number of points."""
    columns = {
        (name, NAMES[str(kind)]): values.sel(pairs=kind).values
        for name, values in (("milliseconds", 1e3 * result.seconds), ("MiB", result.memory))
        for kind in result.pairs.values
    }
    return pd.DataFrame(columns, index=pd.Index(result.points.values, name="points"))


def answer(result: xr.Dataset) -> dict[str, float | int]:
    """What the words need: at the most points, milliseconds by kind of pairs, and how they grow, as a power.

    ``few`` and ``many`` are the least and the most pairs drawn."""
    last, growth = result.isel(points=-1), {}
    for kind in result.pairs.values:
        tail = result.seconds.sel(pairs=kind).isel(points=slice(-3, None))
        growth[str(kind)] = float(np.polyfit(np.log(tail.points), np.log(tail), 1)[0])
    short = {"all": "all", "within-class": "within", "sampled": "sampled"}
    return (
        {f"ms_{name}": float(1e3 * last.seconds.sel(pairs=kind)) for kind, name in short.items()}
        | {f"power_{name}": growth[kind] for kind, name in short.items()}
        | {f"mib_{name}": float(last.memory.sel(pairs=kind)) for kind, name in short.items()}
        | {
            "points": int(last.points),
            "cores": int(result.cores),
            "threads": int(result.threads[-1]),
            "faster": float(result.by_threads[0] / result.by_threads[-1]),
            "few": int(result.drawn[0]),
            "spread_few": float(result.spread[0]),
            "many": int(result.drawn[-1]),
            "spread_many": float(result.spread[-1]),
            "members": int(result.members[-1]),
            "member_ratio": float(result.by_members[-1] / result.by_members[0]),
        }
    )


def _logarithmic(ax: Axes, x: str, y: str) -> None:
    ax.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    for axis in (ax.xaxis, ax.yaxis):
        plain_log_ticks(axis)
    if ax.get_ylim()[1] / ax.get_ylim()[0] < 3:  # nearly constant: do not magnify noise
        middle = float(np.sqrt(np.prod(ax.get_ylim())))
        ax.set_ylim(middle / 2, middle * 2)
        plain_log_ticks(ax.yaxis)
