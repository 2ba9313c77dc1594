"""Table 1 as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from lil.paper.numbers import Row
from lil.paper.tables import NotComparable
from lil.plotting import CROSS_ENTROPY, INK, beta_colours, spread


def accuracy_dots(ax: Axes, sets: Mapping[str, xr.DataArray], printed: Row) -> Axes:
    """Draw accuracy for each β: a dot a seed, side by side for each of the named sets, and the paper's number."""
    places = range(len(printed.betas))
    for (name, accuracy), offset, marker in zip(sets.items(), spread(len(sets), 0.22), "os^v", strict=False):
        for place, beta, colour in zip(places, printed.betas, beta_colours(printed.betas), strict=True):
            if beta in accuracy.beta:
                ours = accuracy.sel(beta=beta).dropna("seed").values
                ax.plot(np.full(len(ours), place + offset), ours, marker, color=colour, markersize=4.5, alpha=0.8)
        ax.plot([], [], marker, color=INK, label=name)
    ax.plot(places, printed.values, "x", color=INK, markersize=9, mew=2, label="the paper, Table 1")
    ax.set_xticks(places, [f"{beta:g}" for beta in printed.betas])
    ax.set(xlabel="β", ylabel="accuracy on the test images")
    ax.legend(loc="lower left")
    return ax


def baseline_dots(ax: Axes, sets: Mapping[str, Sequence[float]], printed: float) -> Axes:
    """Draw accuracies at β = 0 under different readings, a row each, with the paper's as a line.

    Where there are none, the reason stands in their place.
    """
    if isinstance(sets, NotComparable):
        ax.set_axis_off()
        ax.text(0.5, 0.5, sets.reason, ha="center", va="center")
        return ax
    for place, values in enumerate(sets.values()):
        ax.plot(values, np.full(len(values), -place), "o", color=CROSS_ENTROPY, alpha=0.8)
    ax.axvline(printed, color=INK, linewidth=1, linestyle="--", label=f"the paper: {printed}")
    ax.set_yticks(-np.arange(len(sets)), list(sets))
    ax.set(xlabel="accuracy on the test images, β = 0", ylim=(-len(sets) + 0.5, 0.5))
    ax.grid(axis="y", visible=False)
    ax.legend(loc="best")
    return ax
