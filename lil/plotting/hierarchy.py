"""Variants of Figure 4's stacks: accuracy and distances by level, distortion around the cuts, and tears."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from lil.paper.tables.hierarchy import NAMES
from lil.plotting import CLASSES, CROSS_ENTROPY, DATA, INK, ISOMETRY, Panels, plain_log_ticks, spread

STACK, FLAT = ISOMETRY, CLASSES[0]
COLOURS = {"text": CROSS_ENTROPY, "both": ISOMETRY, "shallow_both": CLASSES[0]}
TORN = {"text": CROSS_ENTROPY, "both": ISOMETRY, "connected": CLASSES[1]}
TANGENTS = {"across": "-", "along": ":"}
KINDS = {"own": "own cuts", "inherited": "inherited", "inside": "no cut"}


def level_dots(axes: Panels, result: xr.Dataset, measure: str, label: str) -> Panels:
    """Draw a measure of each variant: a panel a level, a row a variant, a dot a seed, hollow on held-out points."""
    variants = result.variant.values.tolist()
    for ax, level in zip(axes, result.level.values.tolist(), strict=True):
        for row, variant in enumerate(variants):
            colour = FLAT if variant.startswith(("deep", "shallow")) else STACK
            for points, offset in zip(("training", "held-out"), (0.17, -0.17), strict=True):
                values = result[measure].sel(level=level, variant=variant, points=points).values
                look = dict(color=colour, markerfacecolor=colour if points == "training" else "none", markersize=4.5)
                ax.plot(values, np.full(values.size, -row + offset), "o", **look)
        ax.set(title=f"{level} classes", xlabel=label)
        ax.set_yticks(-np.arange(len(variants)), [NAMES[variant] for variant in variants])
        ax.axhline(0.5 - sum(not name.startswith(("deep", "shallow")) for name in variants), color=INK, linewidth=0.8)
    return axes


def distortion_curves(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the median distortion against the distance to the nearest cut: a panel a level, a line a seed.

    Solid lines are across the cuts, dotted ones along them. Below the dashed line a point counts as isometric.
    """
    for ax, level in zip(axes, result.level.values.tolist(), strict=True):
        for variant, colour in COLOURS.items():
            for tangent, line in TANGENTS.items():
                one = result.distortion.sel(level=level, variant=variant, tangent=tangent).dropna("distance", how="all")
                for seed in one.seed.values if one.size else ():
                    ax.plot(one.distance, one.sel(seed=seed), line, color=colour, linewidth=1.1)
        ax.axhline(float(result.within), color=INK, linewidth=0.8, linestyle="--")
        ax.set(title=f"{level} classes", yscale="log", xlabel="distance to the nearest cut (steps of the grid)")
        plain_log_ticks(ax.yaxis)
    axes[0].set_ylabel("distance of the stretch from 1")
    for variant, colour in COLOURS.items():
        axes[0].plot([], [], color=colour, label=NAMES[variant])
    for tangent, line in TANGENTS.items():
        axes[0].plot([], [], line, color=DATA, label=f"{tangent} the cuts")
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return axes


def tear_dots(ax: Axes, result: xr.Dataset) -> Axes:
    """Draw d(Φ)/d(x) of neighbours at own cuts, inherited cuts and none: a dot a seed, the median of its pairs."""
    tear, levels = result.tear.sel(quantile=0.5), result.level.values.tolist()
    places = [(level, kind) for level in levels for kind in KINDS if (level, kind) != (min(levels), "inherited")]
    for (variant, colour), offset in zip(TORN.items(), spread(len(TORN), 0.22), strict=True):
        for place, (level, kind) in enumerate(places):
            values = tear.sel(variant=variant, level=level, kind=kind).values
            ax.plot(np.full(values.size, place + offset), values, "o", color=colour, markersize=4.5)
        ax.plot([], [], "o", color=colour, label=NAMES[variant])
    ax.axhline(1, color=INK, linewidth=0.8, linestyle="--")
    ax.set_xticks(range(len(places)), [f"{KINDS[kind]}\n{level} classes" for level, kind in places])
    ax.set(yscale="log", ylabel="d(Φ) / d(x) of neighbours")
    plain_log_ticks(ax.yaxis)
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
