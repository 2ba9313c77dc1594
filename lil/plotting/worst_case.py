"""The worst case over all attacks: accuracy and gain from the paper's attack to the strongest."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from jaxtyping import Shaped
from matplotlib.figure import Figure

from lil.paper.tables import over_baseline
from lil.paper.tables import worst_case as tables
from lil.plotting import FAINT, INK, attack_dots, beta_marks, comparing

NAMES = {
    "total": "one step on\nCSE + β · ISO\n(the paper's)",
    "classification": "one step on\nCSE",
    "margin": "one step on\nthe margin",
    "pgd": "PGD on\nCSE",
    "targeted": "multi-\ntargeted\nPGD",
    "worst": "worst case",
}


@comparing
def gain_dots(result: xr.Dataset, title: str) -> Figure:
    """Draw the accuracy gained over β = 0 of the same seed, attack by attack: a row an ε, a column a reading."""
    figure, axes = _panels(result, over_baseline(_accuracy(result)), title, "accuracy gained over β = 0")
    for ax in axes.flat:
        ax.axhline(0, color=INK, linewidth=0.8)
    return figure


def accuracy_dots(result: xr.Dataset, title: str) -> Figure:
    """Draw the accuracy, attack by attack: a row an ε, a column a reading."""
    figure, axes = _panels(result, _accuracy(result), title, "accuracy")
    axes[0, 0].set_ylim(-0.02, 1.02)
    return figure


def _accuracy(result: xr.Dataset) -> xr.DataArray:
    """Return the accuracy under the attacks from the paper's to the worst case."""
    return tables.answers(result).sel(attack=list(tables.RISING)).mean("image")


def _panels(
    result: xr.Dataset, values: xr.DataArray, title: str, name: str
) -> tuple[Figure, Shaped[np.ndarray, "epsilons readings"]]:
    """Draw a panel for each ε and reading: a dot a seed, a bar the mean over seeds, the β of an attack side by side."""
    readings, epsilons = result.reading.values.tolist(), result.epsilon.values.tolist()
    size = (11, 1.4 + 2.7 * len(epsilons))
    figure, axes = plt.subplots(len(epsilons), len(readings), figsize=size, sharex=True, sharey=True, squeeze=False)
    for row, epsilon in zip(axes, epsilons, strict=True):
        for ax, reading in zip(row, readings, strict=True):
            attack_dots(ax, values.sel(reading=reading, epsilon=epsilon), reach=0.27)
            for place in range(1, values.sizes["attack"]):
                ax.axvline(place - 0.5, color=FAINT, linewidth=0.8)
            ax.set_title(f"{tables.READINGS[reading]}, ε = {epsilon:.2g}")
        row[0].set_ylabel(name)
    for ax in axes[-1]:
        ax.set_xticks(range(len(NAMES)), list(NAMES.values()), fontsize=8 if len(readings) > 1 else 9)
    axes[0, -1].legend(handles=beta_marks(values.beta.values.tolist()))
    figure.suptitle(f"{title}: {result.sizes['image']} images, {result.sizes['seed']} seeds", fontsize=11)
    return figure, axes
