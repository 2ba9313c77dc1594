"""Certified accuracy beside an attack, and gradients beside margins, against β."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lil.paper.tables.certificates import METHODS, READINGS, every_image
from lil.plotting import DATA, INK, coloured, plain_log_ticks, spread

MARKS = {"right": "_", "pgd": "o", "crown": "^", "product": "x"}
DRAWN = {
    "cross_entropy": "gradient of the cross-entropy",
    "total": "gradient of the training loss",
    "margin": "margin",
    "reach": "margin / (√2 · local constant)",
}


def accuracies(axes: np.ndarray, result: xr.Dataset) -> np.ndarray:
    """Draw the share of the images that stay right or are certified, against β: a row a reading, a column an ε.

    A mark is a seed, by method; a line joins the means over seeds.
    """
    shares = every_image(result).mean("image")
    for row, (name, reading) in zip(axes, READINGS.items(), strict=True):
        for ax, epsilon in zip(row, result.epsilon.values, strict=True):
            for method, mark in MARKS.items():
                one = shares.sel(networks=name, epsilon=epsilon, kind=method)
                ax.plot(range(one.sizes["beta"]), one.mean("seed"), color=DATA, linewidth=0.8, zorder=1)
                _dots(ax, one, mark)
            ax.set(title=f"{reading}, ε = {epsilon:g}", ylim=(-0.03, 1.03))
        row[0].set_ylabel("share of the images")
    _name_betas(axes, result)
    handles = [
        Line2D([], [], color=DATA, marker=mark, linestyle="none", label=METHODS[method])
        for method, mark in MARKS.items()
    ]
    axes[0, 0].figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return axes


def _dots(ax: Axes, values: xr.DataArray, mark: str) -> None:
    places = spread(values.sizes["seed"], 0.16)
    for at, (beta, colour) in enumerate(coloured(values)):
        one = values.sel(beta=beta)
        ax.plot(at + places, one, mark, color=colour, markersize=4.5, markeredgewidth=1.2, linestyle="none")


def spreads(axes: np.ndarray, result: xr.Dataset) -> np.ndarray:
    """Draw gradients and margins over the images, against β: a row a reading, a column a quantity.

    A bar is a network, from the lowest to the highest quantile over its images, with a dot at the median.
    """
    for row, (name, reading) in zip(axes, READINGS.items(), strict=True):
        for ax, (quantity, words) in zip(row, DRAWN.items(), strict=True):
            values = result.spread.sel(networks=name, quantity=quantity)
            places = spread(values.sizes["seed"], 0.25)
            for at, (beta, colour) in enumerate(coloured(values)):
                one = values.sel(beta=beta).transpose("seed", "quantile")
                ends = one.sel(quantile=[result["quantile"].min(), result["quantile"].max()]).values.T
                ax.vlines(at + places, *ends, color=colour, linewidth=1.6)
                ax.plot(at + places, one.sel(quantile=0.5), "o", color=colour, markersize=3.2)
            if quantity in ("cross_entropy", "total"):
                ax.set_yscale("log")
                plain_log_ticks(ax.yaxis)
            else:
                ax.axhline(0, color=INK, linewidth=0.8)
            ax.set_title(f"{reading}: {words}", fontsize=8.5)
    _name_betas(axes, result)
    return axes


def _name_betas(axes: np.ndarray, result: xr.Dataset) -> None:
    """Write each β below its place on the lowest axes."""
    betas = result.beta.values.tolist()
    for ax in axes.flat:
        ax.set_xticks(range(len(betas)), [f"{beta:g}" for beta in betas])
        ax.grid(axis="x", visible=False)
    for ax in axes[-1]:
        ax.set_xlabel("β")
