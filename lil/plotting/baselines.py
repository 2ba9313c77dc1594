"""The isometry term beside other methods. For ``networks`` and ``matched`` see :mod:`lil.paper.tables.baselines`."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from lil.paper.tables.baselines import NAMES, accuracies, setting_names
from lil.plotting import CLASSES, CROSS_ENTROPY, ISOMETRY, Panels, dots_and_mean, plain_log_ticks, spread

_COLOURS = (CROSS_ENTROPY, ISOMETRY, "#8f3e00", "#00573f", *CLASSES[:4], CLASSES[7])
LOOKS = dict(zip(NAMES, zip(_COLOURS, "ooPPsDv^X", strict=True), strict=True))  # a method by its colour and its mark


def robust_against_clean(axes: Panels | Axes, networks: xr.Dataset) -> Panels:
    """Draw accuracy under PGD against clean accuracy: a panel an ε, a mark a network, a line the means."""
    axes = np.atleast_1d(axes)  # plt.subplots makes no row of one
    for ax, epsilon in zip(axes, networks.epsilon.values, strict=True):
        _marks(ax, networks, networks.clean, networks.pgd.sel(epsilon=epsilon))
        ax.set(ylim=(-0.03, 1.03), title=f"PGD, ε = {epsilon:.2g}", xlabel="clean accuracy")
    axes[0].set_ylabel("accuracy under PGD")
    return axes


def constants(axes: Panels, networks: xr.Dataset, epsilon: float) -> Panels:
    """Draw accuracy under PGD at one ε against the median local constant, and against the median reach."""
    names = {
        "local": "local Lipschitz constant of the logits, median",
        "reach": "reach: margin / (√2 · local constant), median",
    }
    for ax, (name, words) in zip(axes, names.items(), strict=True):
        _marks(ax, networks, networks[name].sel(quantile=0.5), networks.pgd.sel(epsilon=epsilon))
        ax.set(ylim=(-0.03, 1.03), xlabel=words)
    axes[0].set(xscale="log", ylabel=f"accuracy under PGD, ε = {epsilon:.2g}")
    plain_log_ticks(axes[0].xaxis)
    return axes


def legend(axes: Panels | Axes) -> None:
    """Draw the legend of the methods below the panels."""
    first = np.atleast_1d(axes)[0]
    first.figure.legend(*first.get_legend_handles_labels(), loc="outside lower center", ncols=5)


def _marks(ax: Axes, networks: xr.Dataset, x: xr.DataArray, y: xr.DataArray) -> None:
    for method, name in NAMES.items():
        where, (colour, mark) = np.flatnonzero(networks.method == method), LOOKS[method]
        one_x, one_y = x.isel(setting=where), y.isel(setting=where)
        ax.plot(one_x.mean("seed"), one_y.mean("seed"), color=colour, linewidth=1, alpha=0.7)
        ax.plot(one_x.values.ravel(), one_y.values.ravel(), mark, color=colour, markersize=5, label=name)


def matched_dots(ax: Axes, matched: xr.Dataset) -> Axes:
    """Draw one comparison, attack by attack: a mark a seed, a bar the mean over seeds; the reference's is dotted on.

    Hollow marks are settings whose clean accuracy is not near the reference's.
    """
    groups, reference = accuracies(matched), matched.method == matched.attrs["reading"]
    rows = zip(matched.method.values.tolist(), matched.near.values, setting_names(matched), strict=True)
    for k, (offset, (method, near, name)) in enumerate(zip(spread(matched.sizes["setting"], 0.36), rows, strict=True)):
        colour, mark = LOOKS[method]
        look = dict(marker=mark, markersize=4, markerfacecolor=colour if near else "none")
        for place, values in enumerate(groups.values()):
            dots_and_mean(ax, place + offset, values.isel(setting=k), colour, half=0.045, **look)
        ax.plot([], [], mark, color=colour, markerfacecolor=look["markerfacecolor"], label=name)
    for place, values in enumerate(groups.values()):
        mean = values.mean("seed").values[reference].item()
        ax.plot([place - 0.42, place + 0.42], [mean, mean], ":", color=LOOKS[matched.attrs["reading"]][0], linewidth=1)
    ax.set_xticks(range(len(groups)), [name.replace(", ", "\n") for name in groups])
    (title,) = setting_names(matched.isel(setting=np.flatnonzero(reference)))
    ax.set(ylabel="accuracy", ylim=(-0.03, 1.03), title=f"reference: {title}")
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
