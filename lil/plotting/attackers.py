"""An attacker's view of Figure 3: the gains and accuracies under stronger attacks."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.paper.tables import attackers, listed
from lil.plotting import INK, Panels, beta_name, coloured, dots_and_mean, plain_log_ticks, seeds_and_mean, spread

NAMES = {
    "total": "one step on\nCSE + β · ISO\n(the paper's)",
    "classification": "one step on\nCSE",
    "margin": "one step on\nthe margin",
    "pgd": "PGD on CSE",
    "autoattack": "AutoAttack",
    "transfer": "made for\nβ = 0",
    "noise": "random noise",
}


def gain_dots(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the gains attack by attack: a dot a seed, a bar the mean over seeds, side by side for each β > 0."""
    every, few = result.images.values
    titles = {
        "paper": f"mean over the {int(result.in_paper.sum())} ε of Figure 3; {every} images",
        "auto": f"mean over ε = {listed(attackers.auto_epsilons(result))}; {few} images",
    }
    for ax, (name, gain) in zip(axes, attackers.gains(result).items(), strict=True):
        for (beta, colour), offset in zip(coloured(gain), spread(gain.sizes["beta"], 0.3), strict=True):
            for place, attack in enumerate(gain.attack.values):
                one = gain.sel(attack=attack, beta=beta)
                dots_and_mean(ax, place + offset, one, colour, half=0.05, marker=".", markersize=5)
            ax.plot([], [], color=colour, linewidth=2.5, label=beta_name(beta))
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.set_xticks(range(gain.sizes["attack"]), [NAMES[attack] for attack in gain.attack.values], fontsize=8.5)
        ax.grid(axis="x", visible=False)
        ax.set_title(titles[name])
    axes[0].set_ylabel("accuracy gained over β = 0")
    axes[0].legend()
    return axes


def attack_curves(result: xr.Dataset, title: str) -> Figure:
    """Draw accuracy against ε, a panel an attack and a colour a β: means over seeds, and each seed as a thin line."""
    figure, axes = plt.subplots(2, 4, figsize=(11, 5.6), sharex=True, sharey=True)
    every, few = result.images.values
    accuracy = attackers.every_accuracy(result)
    for ax, (attack, words) in zip(axes.flat, NAMES.items(), strict=False):
        auto = attack == "autoattack"
        for beta, colour in coloured(accuracy):
            one = accuracy.sel(images=few if auto else every, attack=attack, beta=beta)
            one = one.dropna("epsilon")  # an attack is not run everywhere
            seeds_and_mean(
                ax, one.epsilon, one, colour, label=beta_name(beta), marker="o" if auto else None, markersize=4
            )
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
    for beta, colour in coloured(result):
        seeds_and_mean(ax, attempts, still.sel(beta=beta), colour, label=beta_name(beta))
    pairs = zip(result.steps.values, result.starts.values, strict=True)
    ax.set_xticks(attempts, [f"{steps} × {starts}" for steps, starts in pairs])
    ax.set(xlabel="steps × random starts of the attempt", ylabel="accuracy that later attempts took")
    ax.set_ylim(-0.001, 1.05 * max(float(still.max()), 0.01))
    ax.legend()
    return ax
