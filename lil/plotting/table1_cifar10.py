"""The candidates for Table 1's second row as pictures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex

from lil.paper.numbers import Row
from lil.paper.tables.table1_cifar10 import TRAINED, accuracies, set_names
from lil.plotting import CLASSES, INK, Panels, beta_name, coloured

_SCALES = LinearSegmentedColormap.from_list("scales", ("#9ecae8", CLASSES[0], "#0b1f3a"))
HALF, LOOKS = CLASSES[1], {"vgg13": (CLASSES[2], "s"), "cnn": (CLASSES[1], "D")}


def row_panels(axes: Panels, scaled: xr.Dataset, trained: xr.Dataset, printed: Row) -> Panels:
    """Draw accuracy against β: frozen features of each scale on the left, trained backbones on the right.

    Lines go through means over seeds, dots are networks, crosses the printed numbers.
    """
    sets, names = accuracies(scaled, trained), set_names(scaled)
    left, right = axes
    plain = [name for name in names if not name.startswith("half")]
    for place, (name, words) in enumerate(names.items()):
        if name in plain:
            look = dict(color=to_hex(_SCALES(plain.index(name) / max(len(plain) - 1, 1))), marker="o")
        else:
            look = dict(color=HALF, marker="^", linestyle="--")
        _accuracy_line(left, sets[words], printed, words, place / max(len(names) - 1, 1) - 0.5, look)
    for (backbone, words), offset in zip(TRAINED.items(), (-0.2, 0.2), strict=True):
        colour, marker = LOOKS[backbone]
        _accuracy_line(right, sets[words], printed, words, offset, dict(color=colour, marker=marker))
    for ax, title in zip(axes, ("frozen VGG13, scaled features", "backbone trained along"), strict=True):
        ax.plot(range(len(printed.betas)), printed.values, "x", color=INK, markersize=9, mew=2, label="the paper")
        ax.set_xticks(range(len(printed.betas)), [f"{beta:g}" for beta in printed.betas])
        ax.set(xlabel="β", ylabel="accuracy on the test images", title=title, ylim=(0, 1))
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
        ax.label_outer()
    return axes


def _accuracy_line(
    ax: Axes, accuracy: xr.DataArray, printed: Row, label: str, offset: float, look: Mapping[str, str]
) -> None:
    """Draw the mean over seeds of each β as a line, and every network as a dot beside it."""
    places = np.array([printed.betas.index(beta) for beta in accuracy.beta.values.tolist()])
    ax.plot(places, accuracy.mean("seed"), markersize=4, label=label, **look)
    for seed in accuracy.seed.values:
        ax.plot(places + 0.12 * offset, accuracy.sel(seed=seed), "o", color=look["color"], markersize=3, alpha=0.5)


def reach(ax: Axes, scaled: xr.Dataset) -> Axes:
    """Draw the mean within-class distance of Φ against that of the inputs: a mark a scale and seed, a line a β.

    The dashed line is the isometry, the horizontal one the largest distance that the tanh units can reach.
    """
    inputs = scaled.input_distance
    order = inputs.sortby(inputs).networks.values
    for beta, colour in coloured(scaled):
        one = scaled.distance.sel(beta=beta, networks=order)
        at = inputs.sel(networks=order)
        ax.plot(at, one.mean("seed"), color=colour, label=beta_name(beta))
        for seed in scaled.seed.values:
            ax.plot(at, one.sel(seed=seed), "o", color=colour, markersize=3, alpha=0.6)
    farthest = float(inputs.max())
    ax.plot([0, farthest], [0, farthest], color=INK, linewidth=1, linestyle="--", label="isometry")
    ax.axhline(float(scaled.reach.max()), color=INK, linewidth=1, label="the largest that tanh can reach")
    ax.set(xlabel="mean distance of inputs of one class", ylabel="mean distance of their representations")
    ax.set_ylim(0, None)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
