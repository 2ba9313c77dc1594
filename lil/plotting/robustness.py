"""Figure 3: accuracy against the size of the attack, and attacked images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lil.paper.numbers import TABLE_1
from lil.plotting import CROSS_ENTROPY, INK, ISOMETRY, beta_curve, coloured

OBJECTIVES = {
    "total": "gradient of cross-entropy + β · isometry\n(the paper's attack)",
    "classification": "gradient of the cross-entropy alone\n(an attacker's)",
}
CHANCE = 0.1  # ten classes
CLASS_NAMES = {
    "mnist": tuple("0123456789"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}


def attack_panels(result: xr.Dataset, title: str, data: str) -> Figure:
    """Draw accuracy against ε, a panel for each objective of the attack; ``data`` names a row of Table 1."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.7), sharex=True, sharey=True)
    for ax, (objective, name) in zip(axes, OBJECTIVES.items(), strict=True):
        attack_curves(ax, result.sel(objective=objective), data)
        ax.set_title(name)
        ax.label_outer()
    seeds = result.sizes["seed"]
    figure.suptitle(f"{title}: {seeds} seed{'s' if seeds > 1 else ''} for each β", fontsize=11)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def attack_curves(ax: Axes, result: xr.Dataset, data: str) -> Axes:
    """Draw accuracy under one attack against ε, β by β: the mean over seeds with markers, and each seed as a thin line.

    On the left, where nothing is attacked, the clean accuracies, and crosses for those that the paper prints.
    """
    epsilons, printed = result.epsilon.values, _of(data, TABLE_1)
    if len(epsilons) == 0:
        raise ValueError("the result has no ε: there is no curve to draw.")
    step = epsilons[1] / epsilons[0] if len(epsilons) > 1 else 2
    clean = epsilons[0] / step  # one step of the axis to the left
    for beta, colour in coloured(result):
        one = result.sel(beta=beta)
        beta_curve(ax, epsilons, one.accuracy, beta)
        ax.plot(np.full(one.sizes["seed"], clean), one.clean, ".", color=colour, markersize=5)
        if beta in printed.betas:
            ax.plot(clean, printed.at(beta), "x", color=colour, markersize=7, mew=1.6)
    ax.plot([], [], "x", color=INK, label="the paper's clean accuracy, Table 1")
    ax.axhline(CHANCE, color=INK, linewidth=0.8, linestyle="--", label="chance")
    ax.set(xscale="log", ylim=(-0.02, 1.02), xlabel="ε (the paper's γ)", ylabel="accuracy on the test images")
    ax.xaxis.set_major_locator(FixedLocator([clean, 0.01, 0.03, 0.1, 0.3, 1.0]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: "clean" if value == clean else f"{value:g}"))
    return ax


def attacked_images(result: xr.Dataset, *, example: int, data: str) -> Figure:
    """Draw one test image and its attacked versions: rows are β, columns ε, a block for each objective.

    Above each stands the predicted class, green where it is right and orange where it is not.
    """
    one, classes = result.isel(example=example), _of(data, CLASS_NAMES)
    betas, pictured, right = one.beta.values, one.pictured.values, int(one.label)
    figure = plt.figure(figsize=(8.6, 1.15 * len(betas) + 0.7))
    clean, *blocks = figure.subfigures(1, 3, width_ratios=[1.25, len(pictured), len(pictured)])
    clean.suptitle("the image\n", fontsize=9)
    for ax, beta in zip(clean.subplots(len(betas), 1, squeeze=False)[:, 0], betas, strict=True):
        _draw_image(ax, one.image.values, classes[right], INK)
        ax.set_ylabel(f"β = {beta:g}", fontsize=9)
    clean.axes[-1].set_xlabel("ε = 0", fontsize=8)
    for block, (objective, name) in zip(blocks, OBJECTIVES.items(), strict=True):
        block.suptitle(name, fontsize=9)
        axes = block.subplots(len(betas), len(pictured), squeeze=False)
        for row, beta in zip(axes, betas, strict=True):
            for ax, epsilon in zip(row, pictured, strict=True):
                here = one.sel(objective=objective, beta=beta, pictured=epsilon)
                predicted = int(here.taken_for)
                colour = ISOMETRY if predicted == right else CROSS_ENTROPY
                _draw_image(ax, here.attacked.values, classes[predicted], colour)
        for ax, epsilon in zip(axes[-1], pictured, strict=True):
            ax.set_xlabel(f"ε = {epsilon:.2f}", fontsize=8)
    return figure


def _of(data: str, table: Mapping[str, Any]) -> Any:
    if data not in table:
        raise ValueError(f"there is no data set {data!r} here: there are {', '.join(table)}.")
    return table[data]


def _draw_image(ax: Axes, pixels: UInt8[np.ndarray, "channels height width"], name: str, colour: str) -> None:
    ax.imshow(np.moveaxis(pixels, 0, -1).squeeze(), cmap="gray", vmin=0, vmax=255)
    ax.set_title(name, fontsize=8, fontweight="normal", color=colour, pad=2)
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
