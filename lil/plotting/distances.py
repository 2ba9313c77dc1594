"""Appendix Figure 1: distances within the classes, before and after the networks."""

from __future__ import annotations

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.plotting import DATA, FAINT, beta_colours, beta_name, plain_log_ticks


def histograms(result: xr.Dataset, title: str, *, scale: float) -> Figure:
    """A panel for each β: how often each distance occurs in the inputs (grey) and, times K, in the representations."""
    betas, edges = result.beta.values, result.edges.values
    figure, axes = plt.subplots(2, -(-len(betas) // 2), figsize=(10.5, 5), sharex=True, sharey=True, squeeze=False)
    filled = (result["count"].sum(("beta", "seed")) + result.data_count).values > 0
    for ax, beta, colour in zip(axes.flat, betas, beta_colours(betas), strict=False):
        one = result.sel(beta=beta)
        ax.stairs(result.data_count, edges, fill=True, color=FAINT)
        ax.stairs(result.data_count, edges, color=DATA, linewidth=1)
        for seed in one.seed.values:
            ax.stairs(one["count"].sel(seed=seed), edges, color=colour, linewidth=0.9, alpha=0.7)
        ax.set(title=beta_name(beta), yscale="log", ylim=(0.7, None), xlim=(0, edges[1:][filled].max()))
        times = "" if scale == 1 else f"{scale:g} × "
        ax.set(xlabel=f"{times}distance of two test images of one class", ylabel="pairs")
        plain_log_ticks(ax.yaxis)
        ax.label_outer()
    for ax in axes.flat[len(betas) :]:
        ax.set_visible(False)
    figure.suptitle(title, fontsize=11)
    return figure


def nearness(ax: Axes, results: dict[str, xr.Dataset]) -> Axes:
    """The Wasserstein distance from the inputs' distances, for each β and seed, of each named set of networks."""
    for (name, result), marker in zip(results.items(), "os^v", strict=False):
        betas = result.beta.values
        places = range(len(betas))
        ax.plot(places, result.wasserstein.mean("seed"), color=DATA, linewidth=0.8, marker=marker, label=name, zorder=1)
        for place, beta, colour in zip(places, betas, beta_colours(betas), strict=True):
            values = result.wasserstein.sel(beta=beta).dropna("seed")
            ax.plot([place] * len(values), values, marker, color=colour, markersize=5)
        ax.set_xticks(places, [f"{beta:g}" for beta in betas])
    ax.set(xlabel="β", ylabel="Wasserstein distance, in units of\nthe inputs' mean distance", yscale="log")
    plain_log_ticks(ax.yaxis)
    ax.legend()
    return ax
