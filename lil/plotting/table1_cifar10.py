"""The candidates for Table 1's second row as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex

from lil.paper.numbers import Row
from lil.paper.tables.table1_cifar10 import Sets, accuracies, set_names
from lil.paper.tables.table1_cifar10_trained import TRAINED
from lil.plotting import CLASSES, INK, beta_mark, beta_name, coloured, spread

_SCALES = LinearSegmentedColormap.from_list("scales", ("#9ecae8", CLASSES[0], "#0b1f3a"))
HALF, BACKBONES = CLASSES[1], (dict(color=CLASSES[2], marker="s"), dict(color=CLASSES[1], marker="D"))


def scales(ax: Axes, scaled: xr.Dataset, printed: Row) -> Axes:
    """Draw accuracy against β on frozen features of each scale, from light to dark blue, beside the printed row."""
    names = set_names(scaled)
    plain = [name for name in names if not name.startswith("half")]
    looks = [
        dict(color=to_hex(_SCALES(plain.index(name) / max(len(plain) - 1, 1))), marker="o")
        if name in plain
        else dict(color=HALF, marker="^", linestyle="--")
        for name in names
    ]
    return _row(ax, accuracies(scaled, names), looks, printed)


def backbones(ax: Axes, trained: xr.Dataset, printed: Row) -> Axes:
    """Draw accuracy against β with each backbone that is trained along, beside the printed row."""
    return _row(ax, accuracies(trained, TRAINED), BACKBONES, printed)


def _row(ax: Axes, sets: Sets, looks: Sequence[Mapping[str, str]], printed: Row) -> Axes:
    """Draw a line through each set's means over seeds, a dot for every network, and crosses for the printed row."""
    for (words, accuracy), look, offset in zip(sets.items(), looks, spread(len(sets), 0.06), strict=True):
        places = np.array([printed.betas.index(beta) for beta in accuracy.beta.values.tolist()])
        ax.plot(places, accuracy.mean("seed"), markersize=4, label=words, **look)
        for seed in accuracy.seed.values:
            ax.plot(places + offset, accuracy.sel(seed=seed), "o", color=look["color"], markersize=3, alpha=0.5)
    ax.plot(range(len(printed.betas)), printed.values, "x", color=INK, markersize=9, mew=2, label="the paper")
    ax.set_xticks(range(len(printed.betas)), [f"{beta:g}" for beta in printed.betas])
    ax.set(xlabel="β", ylabel="accuracy on the test images", ylim=(0, 1))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def reach(ax: Axes, scaled: xr.Dataset) -> Axes:
    """Draw the mean within-class distance of Φ against that of the inputs: a mark a scale and seed, a line a β.

    The dashed line is the isometry, the horizontal one the largest distance that the tanh units can reach.
    """
    inputs = scaled.input_distance
    order = inputs.sortby(inputs).networks.values
    for beta, colour in coloured(scaled):
        one = scaled.distance.sel(beta=beta, networks=order)
        at = inputs.sel(networks=order)
        ax.plot(at, one.mean("seed"), color=colour, label=beta_name(beta), **beta_mark(beta))
        for seed in scaled.seed.values:
            ax.plot(at, one.sel(seed=seed), ".", color=colour, markersize=4, alpha=0.6)
    farthest = float(inputs.max())
    ax.plot([0, farthest], [0, farthest], color=INK, linewidth=1, linestyle="--", label="isometry")
    ax.axhline(float(scaled.reach.max()), color=INK, linewidth=1, label="the largest that tanh can reach")
    ax.set(xlabel="mean distance of inputs of one class", ylabel="mean distance of their representations")
    ax.set_ylim(0, None)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
