"""Figures: the only part of lil that imports matplotlib and plotly. It sees arrays, never networks.

Functions take an Axes or a Figure and data, draw, and return it. What all figures share stands here. A figure
brings its own light page, so that it reads the same on a light and on a dark one. The colours are those of
Okabe and Ito (https://jfly.uni-koeln.de/color/), which people with any kind of colour vision can tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
import plotly.io
from cycler import cycler
from jaxtyping import Shaped
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

PAGE = "#fcfcfa"  # behind every figure
INK = "#1f2328"  # text and axes
FAINT = "#d5d7da"  # grids, and what is only context
DATA = "#6b6f76"  # the data themselves, before any network
CROSS_ENTROPY = "#d55e00"  # β = 0: orange, as in Figure 2 of the paper
ISOMETRY = "#009e73"  # β > 0: green, as there
CLASSES = ("#0072b2", "#cc79a7", "#e69f00", "#56b4e9", "#009e73", "#d55e00", "#f0e442", "#000000")

Panels = Shaped[np.ndarray, "panels"]
"""A row of matplotlib Axes, as ``plt.subplots`` makes it."""

_BETAS = LinearSegmentedColormap.from_list("betas", ("#93d6bd", ISOMETRY, "#00261c"))


def style() -> None:
    """Set matplotlib's and plotly's defaults; a notebook calls it once, after its imports."""
    mpl.rcParams.update(
        {
            "figure.facecolor": PAGE,
            "axes.facecolor": PAGE,
            "savefig.facecolor": PAGE,
            "figure.dpi": 130,
            "figure.constrained_layout.use": True,
            "font.family": "sans-serif",
            "font.size": 10,
            "axes.titlesize": 10.5,
            "axes.titleweight": "bold",
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": FAINT,
            "grid.linewidth": 0.6,
            "axes.axisbelow": True,
            "axes.prop_cycle": cycler(color=CLASSES),
            "legend.frameon": False,
            "legend.fontsize": 9,
            "lines.linewidth": 1.6,
        }
    )
    axis = dict(gridcolor=FAINT, linecolor=INK, zerolinecolor=FAINT, ticks="outside")
    wall = dict(backgroundcolor=PAGE, gridcolor=FAINT, zerolinecolor=FAINT)
    scene = dict(xaxis=wall, yaxis=wall, zaxis=wall)
    plotly.io.templates["lil"] = go.layout.Template(
        layout=go.Layout(
            paper_bgcolor=PAGE,
            plot_bgcolor=PAGE,
            font=dict(color=INK, size=13),
            colorway=CLASSES,
            xaxis=axis,
            yaxis=axis,
            scene=scene,
            margin=dict(l=60, r=20, t=60, b=50),
        )
    )
    plotly.io.templates.default = "lil"


def beta_colours(betas: Iterable[float]) -> list[str]:
    """Orange for β = 0; for β > 0 a green that darkens with log β, the same in every figure."""
    return [CROSS_ENTROPY if beta == 0 else to_hex(_BETAS((math.log10(beta) + 3) / 5)) for beta in betas]


def beta_name(beta: float) -> str:
    """ "β = 0 (cross-entropy alone)", "β = 0.01"."""
    return "β = 0 (cross-entropy alone)" if beta == 0 else f"β = {beta:g}"


def plain_log_ticks(axis: Axis) -> None:
    """Plain numbers on a logarithmic axis: each power of ten, and 2 and 5 where it spans few."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1,) if np.log10(high / low) > 2 else (1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
