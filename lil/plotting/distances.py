"""Appendix Figure 1: distances within the classes, before and after the networks."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.plotting import DATA, beta_name, coloured, data_stairs, plain_log_ticks


def histograms(result: xr.Dataset, title: str, *, scale: float = 1.0) -> Figure:
    """Draw the counts of each distance in the inputs (grey) and, times K, in the representations: a panel a β."""
    edges, columns = result.edges.values, -(-result.sizes["beta"] // 2)
    figure, axes = plt.subplots(2, columns, figsize=(10.5, 5), sharex=True, sharey=True, squeeze=False)
    filled = (result["count"].sum(("beta", "seed")) + result.data_count).values > 0
    times = "" if scale == 1 else f"{scale:g} × "
    for ax, (beta, colour) in zip(axes.flat, coloured(result), strict=False):
        counts = result["count"].sel(beta=beta)
        data_stairs(ax, result.data_count, edges)
        for seed in counts.seed.values:
            ax.stairs(counts.sel(seed=seed), edges, color=colour, linewidth=0.9, alpha=0.7)
        ax.set(title=beta_name(beta), yscale="log", ylim=(0.7, None), xlim=(0, edges[1:][filled].max()))
        ax.set(xlabel=f"{times}distance of two test images of one class", ylabel="pairs")
        plain_log_ticks(ax.yaxis)
        ax.label_outer()
    for ax in axes.flat[result.sizes["beta"] :]:
        ax.set_visible(False)
    figure.suptitle(title, fontsize=11)
    return figure


def nearness(ax: Axes, results: Mapping[str, xr.Dataset]) -> Axes:
    """Draw the Wasserstein distance from the inputs' distances, for each β and seed, of each named set of networks."""
    for (name, result), marker in zip(results.items(), "os^v", strict=False):
        places, means = range(result.sizes["beta"]), result.wasserstein.mean("seed")
        ax.plot(places, means, color=DATA, linewidth=0.8, marker=marker, label=name, zorder=1)
        for place, (beta, colour) in zip(places, coloured(result), strict=True):
            values = result.wasserstein.sel(beta=beta).dropna("seed")
            ax.plot(np.full(len(values), place), values, marker, color=colour, markersize=5)
        ax.set_xticks(places, [f"{beta:g}" for beta in result.beta.values])
    ax.set(xlabel="β", ylabel="Wasserstein distance, in units of\nthe inputs' mean distance", yscale="log")
    plain_log_ticks(ax.yaxis)
    ax.legend()
    return ax
