"""Figures: the only part of lil that imports matplotlib and plotly. It sees arrays, never networks.

Functions take an Axes or a Figure and data, draw, and return it. The parts that all figures share stand here.

Page, ink and grid have colours of their own, and :mod:`lil.paper.vector` exchanges them in the picture for a dark page.
The colours of data are the same on both pages: those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people
with any kind of colour vision can tell apart. Violet stands for their black, which a dark page would hide. Each β has
one colour and one marker in all figures. Clouds of points are pixels, because thousands of marks would be heavy.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import plotly.io
import xarray as xr
from cycler import cycler
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lil.paper.tables import lacking
from lil.paper.vector import FAINT as FAINT
from lil.paper.vector import INK as INK
from lil.paper.vector import PAGE as PAGE

DATA = "#6b6f76"  # the data themselves, before any network
CROSS_ENTROPY = "#d55e00"  # β = 0: orange, as in Figure 2 of the paper
ISOMETRY = "#009e73"  # β > 0: green, as there
CLASSES = ("#0072b2", "#cc79a7", "#e69f00", "#56b4e9", "#009e73", "#d55e00", "#f0e442", "#962dff")

Panels = Shaped[np.ndarray, "panels"]
"""A row of matplotlib Axes, as ``plt.subplots`` makes it."""

_MARKERS = "v<s>^hDpPX*"  # of β > 0, two a decade from 0.001 up: the greens alone are near one another
_BETAS = LinearSegmentedColormap.from_list("betas", ("#93d6bd", ISOMETRY, "#00261c"))
_INKED = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
_LOOK = """
figure.dpi: 130
figure.constrained_layout.use: True
font.family: sans-serif
font.size: 10
axes.titlesize: 10.5
axes.titleweight: bold
axes.spines.top: False
axes.spines.right: False
axes.grid: True
axes.axisbelow: True
grid.linewidth: 0.6
legend.frameon: False
legend.fontsize: 9
lines.linewidth: 1.6
svg.hashsalt: lil
"""


def style() -> None:
    """Set matplotlib's and plotly's defaults; a notebook calls it once, after its imports.

    In a notebook figures are shown where they are drawn, whatever backend ``MPLBACKEND`` names.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None  # only the book needs IPython
    if hasattr(shell, "kernel") and not os.environ.get("MPLBACKEND", "module://").startswith("module://"):
        shell.run_line_magic("matplotlib", "inline")
    mpl.rcParams.update(dict(line.split(": ") for line in _LOOK.strip().splitlines()))
    mpl.rcParams.update({f"{part}.facecolor": PAGE for part in ("figure", "axes", "savefig")})
    mpl.rcParams.update(dict.fromkeys(_INKED, INK) | {"grid.color": FAINT, "axes.prop_cycle": cycler(color=CLASSES)})
    mpl.rcParams.update({f"axes3d.{axis}axis.panecolor": to_rgba(FAINT, 0.3) for axis in "xyz"})
    axis = dict(gridcolor=FAINT, linecolor=INK, zerolinecolor=FAINT, ticks="outside")
    wall = dict(backgroundcolor=PAGE, gridcolor=FAINT, zerolinecolor=FAINT)
    layout = dict(paper_bgcolor=PAGE, plot_bgcolor=PAGE, font=dict(color=INK, size=13), colorway=CLASSES)
    layout |= dict(xaxis=axis, yaxis=axis, scene=dict(xaxis=wall, yaxis=wall, zaxis=wall))
    layout |= dict(margin=dict(l=60, r=20, t=60, b=50))
    plotly.io.templates["lil"] = go.layout.Template(layout=layout)
    plotly.io.templates.default = "lil"


def comparing(function: Callable[..., Figure]) -> Callable[..., Figure]:
    """Make a function draw a reason in place of a figure that compares with β = 0, where its result lacks that."""

    @wraps(function)
    def checked(result: xr.Dataset, *args: Any) -> Figure:
        if not (reason := lacking(result, 0.0)):
            return function(result, *args)
        figure = plt.figure(figsize=(8, 0.8))
        figure.text(0.5, 0.5, reason, ha="center", va="center")
        return figure

    return checked


def beta_colours(betas: Iterable[float]) -> list[str]:
    """Return orange for β = 0; for β > 0 a green that darkens with log β, the same in every figure."""
    betas = list(betas)
    if refused := [beta for beta in betas if not 0 <= beta < math.inf]:
        raise ValueError(f"β is a weight ≥ 0, not {refused[0]}.")
    return [CROSS_ENTROPY if beta == 0 else to_hex(_BETAS((math.log10(beta) + 3) / 5)) for beta in betas]


def beta_name(beta: float) -> str:
    """Return "β = 0 (cross-entropy alone)" or "β = 0.01"."""
    return "β = 0 (cross-entropy alone)" if beta == 0 else f"β = {beta:g}"


def coloured(values: xr.DataArray | xr.Dataset) -> list[tuple[float, str]]:
    """Return each β of some values with its colour."""
    betas = values.beta.values.tolist()
    return list(zip(betas, beta_colours(betas), strict=True))


def beta_mark(beta: float) -> dict[str, Any]:
    """Return the look of a β's marker: a dot for β = 0, else a shape by log β, the same in every figure."""
    shape = "o" if beta == 0 else _MARKERS[round(2 * math.log10(beta) + 6) % len(_MARKERS)]
    return dict(marker=shape, markersize=5, markeredgecolor=PAGE, markeredgewidth=0.4)


def beta_marks(betas: Iterable[float], **mark: Any) -> list[Line2D]:
    """Return the handles of a legend of β: their markers with their names; ``mark`` is another look of the markers."""
    betas = sorted(set(betas))
    return [
        Line2D([], [], color=colour, label=beta_name(beta), linestyle="none", **(beta_mark(beta) | mark))
        for beta, colour in zip(betas, beta_colours(betas), strict=True)
    ]


def spread(count: int, reach: float) -> np.ndarray:
    """Return offsets that place ``count`` marks side by side, from −reach to reach; one mark stands in the middle."""
    return np.linspace(-reach, reach, count) if count > 1 else np.zeros(count)


def beta_curve(ax: Axes, x: Any, values: xr.DataArray, beta: float) -> None:
    """Draw the values at one β in its colour: a thin line for each seed, and a thick one with marks for their mean."""
    (colour,) = beta_colours([beta])
    for seed in values.seed.values:
        ax.plot(x, values.sel(seed=seed), color=colour, linewidth=0.6, alpha=0.6)
    ax.plot(x, values.mean("seed"), color=colour, linewidth=2, label=beta_name(beta), **beta_mark(beta))


def dots_and_mean(ax: Axes, at: float, values: xr.DataArray, colour: str, *, half: float, **dots: Any) -> None:
    """Draw a dot for each seed at one place, and a bar of half a width at their mean."""
    ax.plot(np.full(values.size, at), values, color=colour, linestyle="none", **dots)
    ax.plot([at - half, at + half], [values.mean()] * 2, color=colour, linewidth=2.5)


def attack_dots(ax: Axes, values: xr.DataArray, *, reach: float) -> None:
    """Draw values (attack, beta, seed): a group an attack, in it the β side by side; a dot a seed, a bar the mean."""
    for (beta, colour), offset in zip(coloured(values), spread(values.sizes["beta"], reach), strict=True):
        for place, attack in enumerate(values.attack.values):
            one = values.sel(attack=attack, beta=beta)
            dots_and_mean(ax, place + offset, one, colour, half=0.05, **(beta_mark(beta) | dict(markersize=4)))
    ax.grid(axis="x", visible=False)


def plain_log_ticks(*axes: Axis) -> None:
    """Write plain numbers on logarithmic axes: each power of ten, and 2 and 5 where an axis spans few."""
    for axis in axes:
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(subs=(1,) if np.log10(high / low) > 2 else (1, 2, 5)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def ratio_axis(ax: Axes, quantiles: xr.DataArray) -> None:
    """Label the logarithmic axis of d(Φ)/d(x), under bars between quantiles, and draw the isometry's line at 1."""
    low, middle, high = (f"{100 * q:g} %" for q in quantiles.values)
    ax.axvline(1, color=INK, linewidth=1, linestyle="--")
    ax.set(xscale="log", xlabel=f"d(Φ) / d(x): {low} to {high} of the pairs, dot: {middle}")
    plain_log_ticks(ax.xaxis)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)


def ratio_bars(ax: Axes, y: np.ndarray, ratio: xr.DataArray, colour: str) -> None:
    """Draw horizontal bars from the lowest to the highest quantile of each ratio (…, quantile), with a dot between."""
    low, middle, high = ratio.values.reshape(-1, ratio.sizes["quantile"]).T
    ax.hlines(y, low, high, color=colour, linewidth=2.5)
    ax.plot(middle, y, "o", color=colour, markersize=4.5)


def data_stairs(ax: Axes, counts: xr.DataArray, edges: np.ndarray, label: str | None = None) -> None:
    """Draw the histogram of the data's own distances, in grey."""
    ax.stairs(counts, edges, fill=True, color=FAINT)
    ax.stairs(counts, edges, color=DATA, linewidth=1.2, label=label)
