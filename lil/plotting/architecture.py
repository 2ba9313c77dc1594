"""Architectures drawn from layer sizes: one LIL (Figure 1B), and LILs on top of one another (Figure 4A)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from lil.plotting import INK, PAGE

LAYERS = {"input": "#2e9e5b", "hidden": "#8e6bbf", "classifier": "#d9731a"}  # the paper's colours
MOST_NODES = 20  # of a layer, drawn one by one


def architecture(ax: Axes, sizes: Sequence[int]) -> Axes:
    """Draw a LIL as a graph: input, hidden layers and classifier with ``sizes`` units, and where the two losses act.

    A layer of more than 20 units shows its ends and dots between them.
    """
    last = len(sizes) - 1
    kinds = ["input", *["hidden"] * (last - 1), "classifier"]
    _draw_layers(ax, sizes, kinds)
    titles = (0, "input", "input x"), (last / 2, "hidden", "hidden, tanh"), (last, "classifier", "classifier")
    for at, kind, text in titles:
        ax.text(at, 1.12, text, ha="center", va="bottom", color=LAYERS[kind], fontweight="bold")
    for at, text in ((last - 1, "Φ(x)\nisometry loss,\nweight β"), (last, "cross-entropy,\nweight α")):
        line = dict(arrowstyle="-", color=INK)
        ax.annotate(text, (at, -1.28), (at, -1.5), ha="center", va="top", arrowprops=line)
    ax.set(xlim=(-1, last + 0.7), ylim=(-2.15, 1.35))
    return ax


def stack(ax: Axes, sizes: Sequence[Sequence[int]]) -> Axes:
    """Draw LILs in a row, each with ``sizes`` units; a LIL's classifier is a pentagon above it, as in the paper.

    Each reads the last hidden layer of the one before. A dashed line stands where gradients stop.
    """
    units, ends = [sizes[0][0]], []
    for lil in sizes:
        units += lil[1:-1]
        ends.append(len(units) - 1)
    _draw_layers(ax, units, ["input", *["hidden"] * ends[-1]])
    ax.text(0, 1.12, "input x", ha="center", va="bottom", color=LAYERS["input"], fontweight="bold")
    for number, (lil, end) in enumerate(zip(sizes, ends, strict=True), start=1):
        middle = end - (len(lil) - 3) / 2
        ax.text(middle, 1.12, f"LIL {number}", ha="center", va="bottom", color=LAYERS["hidden"], fontweight="bold")
        ax.plot([end, end], [1, 1.75], color=LAYERS["classifier"])
        ax.scatter(end, 1.75, marker="p", s=900, color=LAYERS["classifier"], zorder=3)
        ax.text(end, 1.73, f"{lil[-1]}", ha="center", va="center", color=PAGE, fontweight="bold", zorder=4)
    for end in ends[:-1]:
        ax.plot([end + 0.5] * 2, [-1.45, 1.9], color=INK, linestyle="--", linewidth=1)
        ax.text(end + 0.5, -1.5, "gradient stops", ha="center", va="top")
    ax.set(xlim=(-1.2, ends[-1] + 0.8), ylim=(-1.75, 2.15))
    return ax


def _draw_layers(ax: Axes, sizes: Sequence[int], kinds: Sequence[str]) -> None:
    """Draw a column of units for each layer, all joined to all of the next, and its size below."""
    columns = [np.column_stack((np.full(len(h), float(k)), h)) for k, h in enumerate(map(_heights, sizes))]
    for left, right in pairwise(columns):
        lines = np.array([(a, b, (np.nan, np.nan)) for a in left for b in right])
        ax.plot(*lines.reshape(-1, 2).T, color=INK, linewidth=0.25, alpha=0.35)  # one path, for many are heavy
    for column, size, kind in zip(columns, sizes, kinds, strict=True):
        ax.scatter(*column.T, s=42, color=LAYERS[kind], edgecolors=PAGE, linewidths=0.6, zorder=3)
        ax.text(column[0, 0], -1.13, f"{size}", ha="center", va="top", fontsize=10)
        if size > MOST_NODES:
            ax.text(column[0, 0], 0, "⋮", ha="center", va="center", fontsize=16, zorder=4)
    ax.text(-0.45, -1.13, "units:", ha="right", va="top", fontsize=10)
    ax.axis("off")


def _heights(size: int) -> Float[np.ndarray, "k"]:
    """Return the heights of a layer's units, between −1 and 1: all of them, or 8 at each end."""
    if size <= MOST_NODES:
        return np.linspace(1, -1, size) * (size - 1) / (MOST_NODES - 1)
    every = np.linspace(1, -1, MOST_NODES)
    return np.concatenate((every[:8], every[-8:]))
