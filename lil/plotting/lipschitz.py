"""The theory beside its numbers: constants of every network, both sides of Eq. 6, certificates under attack curves.

Constants of Φ are drawn times K, so that an isometry has 1 in every reading.
"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lil.paper.tables.lipschitz import data_names, measures, of_data, robustness, scales, title
from lil.plotting import DATA, INK, Panels, beta_colours, beta_marks, coloured, plain_log_ticks, spread

TERMS = {"cross_entropy": "cross-entropy", "isometry": "isometry term"}
CONSTANTS = {"local": "local constant", "product": "product of spectral norms", "one": "Λ = 1/K, an isometry's"}
DIRECTIONS = {"neighbour": "nearest of\nits class", "random": "random", "attack": "attack"}


def constants(result: xr.Dataset) -> Figure:
    """Draw every estimate of the constant of Φ, a row a network and an axis a data set, on one logarithmic scale."""
    names = data_names(result)
    counts = [of_data(result, name).sizes["network"] for name in names]
    size, heights = (8.5, 0.17 * sum(counts) + 0.75 * len(names) + 0.6), [count + 2 for count in counts]
    figure, grid = plt.subplots(len(names), 1, figsize=size, sharex=True, height_ratios=heights, squeeze=False)
    axes = grid[:, 0]
    for ax, name in zip(axes, names, strict=True):
        _draw_constants(ax, of_data(result, name))
        ax.set_title(name)
    axes[-1].set(xscale="log", xlabel="K times the stretch of Φ")
    plain_log_ticks(axes[-1].xaxis)
    marks = {
        "pairs within a class": ("|", 9, "none"),
        "pairs between classes": ("x", 5, "none"),
        "local constant: all points, median": ("o", 4, "-"),
        "upper bound: product": ("<", 5, "none"),
    }
    handles = [
        Line2D([], [], marker=marker, markersize=size, linestyle=line, linewidth=2.5, color=DATA, label=label)
        for label, (marker, size, line) in marks.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _draw_constants(ax: Axes, networks: xr.Dataset) -> None:
    y, colours = -np.arange(networks.sizes["network"]), beta_colours(networks.beta.values)
    scale = scales(networks)
    local = scale * networks.local.sel(map="representation")
    ax.hlines(y, local.min("quantile"), local.max("quantile"), color=colours, linewidth=2.5)
    marks = (
        (local.sel(quantile=0.5), "o", 14),
        (scale * networks.lower.sel(pairs="within"), "|", 50),
        (scale * networks.lower.sel(pairs="between"), "x", 18),
        (scale * networks.upper.sel(map="representation"), "<", 18),
    )
    for values, marker, size in marks:
        ax.scatter(values, y, s=size, c=colours, marker=marker, linewidths=1.2, zorder=3)
    ax.axvline(1, color=INK, linewidth=1, linestyle="--")
    rows = zip(networks.beta.values, networks.seed.values, strict=True)
    ax.set_yticks(y, [f"β = {beta:g}, seed {seed}" for beta, seed in rows], fontsize=6.5)
    ax.set_ylim(y[-1] - 0.8, 0.8)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)


def stretches(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the stretch of Φ towards a neighbour, in random directions and in that of the attack.

    An axis a data set, a dot the median over the points of a network.
    """
    for ax, name in zip(axes, data_names(result), strict=True):
        networks = of_data(result, name)
        places, colours = spread(networks.sizes["network"], 0.25), beta_colours(networks.beta.values)
        for at, direction in enumerate(DIRECTIONS):
            stretch = scales(networks) * networks.along.sel(direction=direction, quantile=0.5)
            ax.scatter(at + places, stretch, c=colours, s=14)
        ax.axhline(1, color=INK, linewidth=1, linestyle="--")
        ax.set(yscale="log", title=name.replace(", ", ",\n"))
        ax.set_xticks(range(len(DIRECTIONS)), DIRECTIONS.values(), fontsize=7.5)
        ax.grid(axis="x", visible=False)
        plain_log_ticks(ax.yaxis)
    axes[0].set_ylabel("K · stretch of Φ (median)")
    return axes


def both_sides(axes: np.ndarray, networks: xr.Dataset) -> np.ndarray:
    """Draw Eq. 6 point by point: the norm of the gradient over its bound; a row a term, a column a constant Λ.

    Below the dashed line the inequality is satisfied.
    """
    for row, (term, words) in zip(axes, TERMS.items(), strict=True):
        for ax, constant in zip(row, networks.constant.values, strict=True):
            right, left = networks.right.sel(term=term, constant=constant), networks.left.sel(term=term)
            for x, y, (_, colour) in zip(right.values, left.values, coloured(networks), strict=True):
                ax.plot(x, y, ".", color=colour, markersize=2.5, alpha=0.6, rasterized=True)
            ends = float(right.where(right > 0).min()), float(right.max())
            ax.set(xscale="log", yscale="log")
            ax.plot(ends, ends, color=INK, linewidth=1, linestyle="--")
            plain_log_ticks(ax.xaxis, ax.yaxis)
        row[0].set_ylabel(f"{words}:\nnorm of the gradient")
    for ax, constant in zip(axes[0], networks.constant.values, strict=True):
        ax.set_title(CONSTANTS[constant])
    for ax in axes[-1]:
        ax.set_xlabel("its bound")
    _legend(axes[0, 0], networks)
    return axes


def certificates(axes: np.ndarray, readings: Mapping[str, xr.Dataset]) -> np.ndarray:
    """Draw the accuracy under an attack, and below it the accuracy that margin and bound certify; a line a network.

    A row is a reading. Its first axis is L∞, the second L2, for which there is a certificate only.
    """
    for row, networks in zip(axes, readings.values(), strict=True):
        for ax, norm in zip(row, ("Linf", "L2"), strict=True):
            for k, (_, colour) in enumerate(coloured(networks)):
                one = networks.isel(network=k)
                ax.plot(one.epsilon, one.certified.sel(norm=norm), color=colour, linewidth=0.9, linestyle=":")
                if norm == "Linf":
                    ax.plot(one.epsilon, one.attacked, color=colour, linewidth=0.9, alpha=0.8)
            ax.set(xscale="log", ylim=(-0.02, 1.02), title=title(networks))
            plain_log_ticks(ax.xaxis)
        row[0].set_ylabel("share of the points")
    for ax, words in zip(axes[-1], ("ε in each coordinate", "ε in Euclidean length"), strict=True):
        ax.set_xlabel(words)
    solid = Line2D([], [], color=DATA, label="right under attack")
    _legend(axes[0, 0], networks, solid, Line2D([], [], color=DATA, linestyle=":", label="certified"))
    return axes


def against_robustness(axes: np.ndarray, readings: Mapping[str, xr.Dataset]) -> np.ndarray:
    """Draw robustness against the quantities that the theory ties to it.

    A row is a reading, an axis a measure, a dot a network.
    """
    for row, networks in zip(axes, readings.values(), strict=True):
        robust = robustness(networks)
        for ax, (name, values) in zip(row, measures(networks).items(), strict=True):
            ax.scatter(values, robust, c=beta_colours(networks.beta.values), s=22)
            ax.set_xscale("log")
            ax.set(xlabel=name, title=title(networks))
            plain_log_ticks(ax.xaxis)
            ax.tick_params(axis="x", labelsize=8)
        row[0].set_ylabel(f"share that PGD leaves right,\nε = {float(robust.epsilon):.2g}")
    _legend(axes[0, 0], networks)
    return axes


def _legend(ax: Axes, networks: xr.Dataset, *more: Line2D) -> None:
    handles = [*more, *beta_marks(networks.beta.values, marker="o")]
    ax.figure.legend(handles=handles, loc="outside upper center", ncols=4)
