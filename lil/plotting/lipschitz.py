"""The theory beside its numbers: constants of every network, both sides of Eq. 6, certificates under attack curves."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lil.plotting import DATA, INK, beta_colours, beta_name, plain_log_ticks

TERMS = {"cross_entropy": "cross-entropy", "isometry": "isometry term", "total": "whole loss"}
CONSTANTS = {"local": "local constant", "product": "product of spectral norms", "one": "Λ = 1, an isometry"}
DIRECTIONS = {"neighbour": "nearest of\nits class", "random": "random", "attack": "attack"}


def of_data(result: xr.Dataset, data: str) -> xr.Dataset:
    """The networks of one data set."""
    return result.isel(network=np.flatnonzero(result.data.values == data))


def data_names(result: xr.Dataset) -> list[str]:
    """The data sets, in their order."""
    return list(dict.fromkeys(result.data.values.tolist()))


def index(result: xr.Dataset) -> pd.MultiIndex:
    """The rows of a table with a row a network: its β and seed, and its data set where there are several."""
    keys = ("data", "beta", "seed") if len(data_names(result)) > 1 else ("beta", "seed")
    return pd.MultiIndex.from_arrays([result[key].values for key in keys], names=keys)


def constants_table(result: xr.Dataset) -> pd.DataFrame:
    """Every estimate of the constant of Φ, a row a network; all but the last column are lower bounds."""
    local, upper = result.local.sel(map="representation"), result.upper.sel(map="representation")
    return pd.DataFrame(
        {
            "within": result.lower.sel(pairs="within"),
            "between": result.lower.sel(pairs="between"),
            "forced": result.forced,
            "median": local.sel(quantile=0.5),
            "largest": local.sel(quantile=1),
            "product": upper,
        },
        index=index(result),
        dtype=float,
    )


def sides_table(result: xr.Dataset) -> pd.DataFrame:
    """Eq. 6: the gradient over its bound, median over the points, and the largest share of points that violate it."""
    columns = {}
    for constant in result.constant.values:
        for term in ("cross_entropy", "isometry"):
            columns[constant, term] = result.tightness.sel(constant=constant, term=term, quantile=0.5)
        columns[constant, "violated"] = result.violated.sel(constant=constant).max("term")
    return pd.DataFrame({key: values.values for key, values in columns.items()}, index=index(result))


def measures(networks: xr.Dataset) -> dict[str, xr.DataArray]:
    """What the theory suggests to go with robustness, at the median point of each network."""
    return {
        "bound on the gradient": networks.bound.sel(term="cross_entropy", constant="local", quantile=0.5),
        "local constant of Φ": networks.local.sel(map="representation", quantile=0.5),
        "local constant of the logits": networks.local.sel(map="logits", quantile=0.5),
    }


def constants(result: xr.Dataset) -> Figure:
    """Every estimate of the constant of Φ, a row a network and an axis a data set, on one logarithmic scale."""
    names = data_names(result)
    counts = [of_data(result, name).sizes["network"] for name in names]
    figure, axes = plt.subplots(
        len(names),
        1,
        figsize=(8.5, 0.17 * sum(counts) + 0.75 * len(names) + 0.6),
        sharex=True,
        height_ratios=[count + 2 for count in counts],
        squeeze=False,
    )
    axes = axes[:, 0]
    for ax, name in zip(axes, names, strict=True):
        _draw_constants(ax, of_data(result, name))
        ax.set_title(name)
    axes[-1].set(xscale="log", xlabel="how much Φ stretches")
    plain_log_ticks(axes[-1].xaxis)
    marks = dict(color=DATA, linestyle="none")
    handles = [
        Line2D([], [], marker="|", markersize=9, label="pairs within a class", **marks),
        Line2D([], [], marker="x", markersize=5, label="pairs between classes", **marks),
        Line2D(
            [],
            [],
            marker="o",
            markersize=4,
            linestyle="-",
            color=DATA,
            linewidth=2.5,
            label="local constant: all points, median",
        ),
        Line2D([], [], marker="<", markersize=5, label="upper bound: product", **marks),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _draw_constants(ax: Axes, networks: xr.Dataset) -> None:
    y = -np.arange(networks.sizes["network"])
    colours = beta_colours(networks.beta.values)
    local = networks.local.sel(map="representation")
    ax.hlines(y, local.min("quantile"), local.max("quantile"), color=colours, linewidth=2.5)
    marks = (
        (local.sel(quantile=0.5), "o", 14),
        (networks.lower.sel(pairs="within"), "|", 50),
        (networks.lower.sel(pairs="between"), "x", 18),
        (networks.upper.sel(map="representation"), "<", 18),
    )
    for values, marker, size in marks:
        ax.scatter(values, y, s=size, c=colours, marker=marker, linewidths=1.2, zorder=3)
    ax.axvline(1, color=INK, linewidth=1, linestyle="--")
    rows = zip(networks.beta.values, networks.seed.values, strict=True)
    ax.set_yticks(y, [f"β = {beta:g}, seed {seed}" for beta, seed in rows], fontsize=6.5)
    ax.set_ylim(y[-1] - 0.8, 0.8)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)


def stretches(axes: np.ndarray, result: xr.Dataset) -> np.ndarray:
    """How much Φ stretches towards a neighbour, in random directions and in that of the attack.

    An axis a data set, a dot the median over the points of a network.
    """
    for ax, name in zip(axes, data_names(result), strict=True):
        networks = of_data(result, name)
        places = np.linspace(-0.25, 0.25, networks.sizes["network"])
        colours = beta_colours(networks.beta.values)
        for at, direction in enumerate(DIRECTIONS):
            ax.scatter(at + places, networks.along.sel(direction=direction, quantile=0.5), c=colours, s=14)
        ax.axhline(1, color=INK, linewidth=1, linestyle="--")
        ax.set(yscale="log", title=name)
        ax.set_xticks(range(len(DIRECTIONS)), DIRECTIONS.values(), fontsize=8)
        ax.grid(axis="x", visible=False)
        plain_log_ticks(ax.yaxis)
    axes[0].set_ylabel("stretch of Φ, median over the points")
    return axes


def both_sides(axes: np.ndarray, networks: xr.Dataset, terms: Sequence[str]) -> np.ndarray:
    """Eq. 6 point by point: the norm of the gradient over its bound; a row a term, a column a constant Λ.

    Below the dashed line the inequality is satisfied.
    """
    colours = beta_colours(networks.beta.values)
    for row, term in zip(axes, terms, strict=True):
        for ax, constant in zip(row, networks.constant.values, strict=True):
            right, left = networks.right.sel(term=term, constant=constant), networks.left.sel(term=term)
            for k, colour in enumerate(colours):
                ax.plot(right[k], left[k], ".", color=colour, markersize=2.5, alpha=0.6)
            ax.set(xscale="log", yscale="log")
            ends = float(right.where(right > 0).min()), float(right.max())
            ax.plot(ends, ends, color=INK, linewidth=1, linestyle="--")
            plain_log_ticks(ax.xaxis)
            plain_log_ticks(ax.yaxis)
        row[0].set_ylabel(f"{TERMS[term]}:\nnorm of the gradient")
    for ax, constant in zip(axes[0], networks.constant.values, strict=True):
        ax.set_title(CONSTANTS[constant])
    for ax in axes[-1]:
        ax.set_xlabel("its bound")
    axes[0, 0].figure.legend(handles=_betas(networks), loc="outside upper center", ncols=4)
    return axes


def certificates(axes: np.ndarray, networks: xr.Dataset) -> np.ndarray:
    """Accuracy that an attack leaves, and below it the accuracy that margin and bound certify; a line a network.

    The first axis is L∞, the second L2, for which there is a certificate only.
    """
    epsilon = networks.epsilon.values
    for ax, norm, title in zip(axes, ("Linf", "L2"), ("ε in each coordinate", "ε in Euclidean length"), strict=True):
        for k, colour in enumerate(beta_colours(networks.beta.values)):
            one = networks.isel(network=k)
            ax.plot(epsilon, one.certified.sel(norm=norm), color=colour, linewidth=0.9, linestyle=":")
            if norm == "Linf":
                ax.plot(epsilon, one.attacked, color=colour, linewidth=0.9, alpha=0.8)
        ax.set(xscale="log", ylim=(-0.02, 1.02), xlabel=title)
        plain_log_ticks(ax.xaxis)
    axes[0].set_ylabel("share of the points")
    lines = [
        Line2D([], [], color=DATA, label="right under attack"),
        Line2D([], [], color=DATA, linestyle=":", label="certified"),
    ]
    axes[0].figure.legend(handles=[*lines, *_betas(networks)], loc="outside upper center", ncols=4)
    return axes


def against_robustness(
    axes: np.ndarray, networks: xr.Dataset, measures: dict[str, xr.DataArray], robustness: xr.DataArray
) -> np.ndarray:
    """Do smaller constants or bounds go with more robustness? An axis a measure, a dot a network."""
    for ax, (name, values) in zip(axes, measures.items(), strict=True):
        ax.scatter(values, robustness, c=beta_colours(networks.beta.values), s=22)
        ax.set_xlabel(name)
    axes[0].set_ylabel("what stays right under attack")
    axes[0].figure.legend(handles=_betas(networks), loc="outside upper center", ncols=4)
    return axes


def _betas(networks: xr.Dataset) -> list[Line2D]:
    betas = np.unique(networks.beta.values)
    return [
        Line2D([], [], marker="o", markersize=5, linestyle="none", color=colour, label=beta_name(beta))
        for beta, colour in zip(betas, beta_colours(betas), strict=True)
    ]
