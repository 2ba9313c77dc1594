"""Random noise and corruptions: the corrupted images, the gains over β = 0, and accuracy against severity."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.paper.intervals import over_seeds
from lil.paper.tables import corruptions as tables
from lil.paper.tables import over_baseline
from lil.plotting import FAINT, INK, beta_curve, beta_mark, beta_marks, coloured, comparing, spread

COLUMNS = 8  # of the pictures


def pictures(result: xr.Dataset) -> Figure:
    """Draw the first image as it is, and under each corruption at the middle level."""
    level = tables.middle(result)
    shown = {tables.NONE: result.original}
    shown |= {name: result.picture.sel(corruption=name) for name in result.corruption.values}
    rows = -(-len(shown) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(11, 1.75 * rows))
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (name, image) in zip(axes.flat, shown.items(), strict=False):
        ax.imshow(image.transpose("row", "column", "channel").values.squeeze(), cmap="gray", vmin=0, vmax=255)
        ax.set_title(tables.label(result, name, level).replace(", ", "\n"), fontsize=7.5, fontweight="normal")
    return figure


@comparing
def gain_rows(result: xr.Dataset, title: str) -> Figure:
    """Draw the gains over β = 0 at the middle level: a row a perturbation, a panel a reading, a colour a β.

    A dot is a seed, a bar the interval over the seeds, a stroke their mean.
    """
    level = tables.middle(result)
    gain = over_baseline(tables.at_level(result, level))
    names, readings = gain.corruption.values.tolist(), gain.networks.values.tolist()
    height = 1.6 + 0.09 * len(names) * (gain.sizes["beta"] + 1)
    size = (5.5 + 2.75 * len(readings), height)
    figure, axes = plt.subplots(1, len(readings), figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax, reading in zip(axes.flat, readings, strict=True):
        for place, name in enumerate(names):
            if place % 2 == 0:
                ax.axhspan(-place - 0.5, -place + 0.5, color=FAINT, alpha=0.35, linewidth=0)
            for (beta, colour), offset in zip(coloured(gain), spread(gain.sizes["beta"], 0.36), strict=True):
                _interval(ax, -place - offset, gain.sel(networks=reading, corruption=name, beta=beta), beta, colour)
        ax.axvline(0, color=INK, linewidth=0.8)
        ax.set(title=tables.READINGS[reading], xlabel="accuracy gained over β = 0", ylim=(0.5 - len(names), 0.5))
        ax.set_yticks(-np.arange(len(names)), [tables.label(result, name, level) for name in names])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", visible=False)
        for boundary in (0.5, 0.5 + len(tables.NOISES)):  # before the noises, and after them
            ax.axhline(-boundary, color=INK, linewidth=0.6, linestyle=":")
    low, high = axes.flat[0].get_xlim()
    axes.flat[0].set_xlim(max(low, -1), min(high, 1))  # intervals of few seeds can be wider than any accuracy
    figure.legend(handles=beta_marks(gain.beta.values), loc="outside lower center", ncols=gain.sizes["beta"])
    seeds, images = result.sizes["seed"], int(result.images)
    figure.suptitle(f"{title}: {seeds} seeds, {images} test images", fontsize=11)
    return figure


def _interval(ax: Axes, y: float, values: xr.DataArray, beta: float, colour: str) -> None:
    """Draw a dot for each seed, and the mean with its interval, at one height."""
    found = over_seeds(values)
    ax.hlines(y, found.low, found.high, color=colour, linewidth=1.4)
    ax.plot([found.value], [y], "|", color=colour, markersize=7, markeredgewidth=1.8)
    dots = beta_mark(beta) | dict(color=colour, markersize=3.6, linestyle="none")
    ax.plot(values, np.full(values.size, y), **dots)


def severity_curves(result: xr.Dataset, title: str) -> Figure:
    """Draw accuracy against the severity of two noises, from 0: a row a noise, a panel a reading, a colour a β."""
    readings, noises = result.networks.values.tolist(), tables.CURVES
    size = (5.5 * len(readings), 5.6) if len(readings) > 1 else (9, 3.4)
    shape = (len(noises), len(readings)) if len(readings) > 1 else (1, len(noises))
    figure, axes = plt.subplots(*shape, figsize=size, sharey=True, squeeze=False)
    panels = [(noise, reading) for noise in noises for reading in readings]
    for ax, (noise, reading) in zip(axes.flat, panels, strict=True):
        severity = np.concatenate([[0], result.severity.sel(corruption=noise)])
        levels = [result.clean.expand_dims(level=[0]), result.accuracy.sel(corruption=noise, drop=True)]
        accuracy = xr.concat(levels, "level", join="exact").sel(networks=reading)
        for beta in accuracy.beta.values.tolist():
            beta_curve(ax, severity, accuracy.sel(beta=beta).transpose("level", "seed"), beta)
        words, _, unit = tables.LABELS[noise].partition(", ")
        ax.set(title=f"{words}; {tables.READINGS[reading]}", xlabel=f"severity, {unit.split()[0]}", ylim=(0, 1.02))
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy")
    axes[0, 0].legend(loc="lower left", fontsize=8)
    figure.suptitle(f"{title}: {result.sizes['seed']} seeds, {int(result.images)} test images", fontsize=11)
    return figure
