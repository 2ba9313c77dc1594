"""An attacker's view of Figure 3: the gains and accuracies under stronger attacks."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.paper.tables import attackers
from lil.plotting import INK, attack_dots, beta_curve, beta_marks, comparing, plain_log_ticks

NAMES = {
    "total": "one step on\nCSE + β · ISO\n(the paper's)",
    "classification": "one step on\nCSE",
    "margin": "one step on\nthe margin",
    "pgd": "PGD on CSE",
    "autoattack": "AutoAttack",
    "transfer": "made for\nβ = 0",
    "noise": "random noise",
}


@comparing
def gain_dots(result: xr.Dataset) -> Figure:
    """Draw the gains attack by attack, a panel for each ε of AutoAttack: a dot a seed, a bar the mean over seeds.

    The β > 0 stand side by side.
    """
    gains, few = attackers.gains(result), int(result.images.min())
    count = gains.sizes["epsilon"]
    figure, axes = plt.subplots(count, 1, figsize=(9, 1 + 2.4 * count), sharex=True, squeeze=False)
    for ax, epsilon in zip(axes.flat, gains.epsilon.values.tolist(), strict=True):
        attack_dots(ax, gains.sel(epsilon=epsilon), reach=0.3)
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.set(title=f"ε = {epsilon:.2g}; {few} images", ylabel="gain over β = 0")
    names = [NAMES[attack] for attack in gains.attack.values]
    axes[-1, 0].set_xticks(range(len(names)), names, fontsize=8.5)
    axes[0, 0].legend(handles=beta_marks(gains.beta.values.tolist()), ncols=2)
    return figure


def attack_curves(result: xr.Dataset, title: str) -> Figure:
    """Draw accuracy against ε, a panel an attack and a colour a β: means over seeds, and each seed as a thin line."""
    figure, axes = plt.subplots(2, 4, figsize=(11, 5.6), sharex=True, sharey=True)
    every, few = result.images.values
    accuracy = attackers.every_accuracy(result)
    for ax, (attack, words) in zip(axes.flat, NAMES.items(), strict=False):
        auto = attack == "autoattack"
        for beta in accuracy.beta.values.tolist():
            one = accuracy.sel(images=few if auto else every, attack=attack, beta=beta)
            one = one.dropna("epsilon")  # an attack is not run everywhere
            beta_curve(ax, one.epsilon, one, beta)
        ax.set_title(words.replace("\n", " ") + (f", {few} images" if auto else ""), fontsize=9)
    legend = axes.flat[-1]
    legend.legend(*axes.flat[0].get_legend_handles_labels(), loc="center")
    legend.set_axis_off()
    axes[0, 0].set(xscale="log", ylim=(-0.02, 1.02))
    plain_log_ticks(axes[0, 0].xaxis)
    for ax in (*axes[1, :3], axes[0, 3]):
        ax.set_xlabel("ε (the paper's γ)")
    axes[0, 3].tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy")
    figure.suptitle(title, fontsize=11)
    return figure


def doubling_curves(ax: Axes, result: xr.Dataset) -> Axes:
    """Draw the accuracy that later attempts of PGD took, attempt by attempt, at the ε where that is most."""
    attempts = np.arange(result.sizes["rung"])
    still = (result.trace - result.trace.isel(rung=-1)).max("epsilon")
    for beta in result.beta.values.tolist():
        beta_curve(ax, attempts, still.sel(beta=beta), beta)
    pairs = zip(result.steps.values, result.starts.values, strict=True)
    ax.set_xticks(attempts, [f"{steps} × {starts}" for steps, starts in pairs])
    ax.set(xlabel="steps × random starts of the attempt", ylabel="accuracy that later attempts took")
    ax.set_ylim(-0.001, 1.05 * max(float(still.max()), 0.01))
    ax.legend()
    return ax
