"""The worst case over all attacks: accuracy and gain from the paper's attack to the strongest."""

from __future__ import annotations

from typing import Any

import xarray as xr
from jaxtyping import Shaped
from matplotlib.axes import Axes

from lil.paper.tables import worst_case as tables
from lil.plotting import INK, beta_marks, coloured, dots_and_mean, spread

NAMES = {
    "total": "one step on\nCSE + β · ISO\n(the paper's)",
    "classification": "one step on\nCSE",
    "margin": "one step on\nthe margin",
    "pgd": "PGD on\nCSE",
    "targeted": "multi-\ntargeted\nPGD",
    "worst": "worst case",
}


def rising_attacks(axes: Shaped[Any, "two readings"], result: xr.Dataset) -> Shaped[Any, "two readings"]:
    """Draw accuracy, above, and the gain over β = 0, below, attack by attack: a column of panels for each reading.

    A dot is a seed, a bar the mean over seeds.
    """
    accuracy = tables.answers(result).sel(attack=list(tables.RISING)).mean("image")
    gains = accuracy.drop_sel(beta=0) - accuracy.sel(beta=0, drop=True)
    for column, reading in zip(axes.T, result.reading.values, strict=True):
        for ax, values in zip(column, (accuracy, gains), strict=True):
            _dots(ax, values.sel(reading=reading))
        column[0].set_title(tables.READINGS[reading])
        column[1].axhline(0, color=INK, linewidth=0.8)
        column[1].set_xticks(range(len(NAMES)), list(NAMES.values()), fontsize=8.5)
    axes[0, 0].set(ylabel="accuracy", ylim=(-0.02, 1.02))
    axes[1, 0].set_ylabel("accuracy gained over β = 0")
    axes[0, -1].legend(handles=beta_marks(result.beta.values.tolist()))
    return axes


def _dots(ax: Axes, values: xr.DataArray) -> None:
    """Draw values (attack, beta, seed), the β of an attack side by side."""
    for (beta, colour), offset in zip(coloured(values), spread(values.sizes["beta"], 0.32), strict=True):
        for place, attack in enumerate(values.attack.values):
            one = values.sel(attack=attack, beta=beta)
            dots_and_mean(ax, place + offset, one, colour, half=0.05, marker=".", markersize=5)
    ax.grid(axis="x", visible=False)
