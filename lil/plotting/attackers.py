"""An attacker's view of Figure 3: what is left of each gain under stronger attacks, as figures, tables and words."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.paper.checklist import Item
from lil.plotting import INK, Panels, beta_colours, beta_name, plain_log_ticks

NAMES = {
    "total": "one step on\nCSE + β · ISO\n(the paper's)",
    "classification": "one step on\nCSE",
    "margin": "one step on\nthe margin",
    "pgd": "PGD on CSE",
    "autoattack": "AutoAttack",
    "transfer": "made for\nβ = 0",
    "noise": "random noise",
}
OVER_PAPERS = ("total", "classification", "margin", "pgd")  # run at all of the paper's ε
OVER_AUTOS = ("total", "classification", "pgd", "autoattack")  # compared where AutoAttack is


def every_accuracy(result: xr.Dataset) -> xr.DataArray:
    """Accuracy under each attack, that on transferred images among them."""
    transfer = result.transferred.expand_dims(attack=["transfer"])
    return xr.concat([result.accuracy, transfer], "attack", join="exact").sel(attack=list(NAMES))


def gains(result: xr.Dataset) -> dict[str, xr.DataArray]:
    """By how much each β > 0 is more accurate than β = 0 under the same attack: (attack, beta, seed), means over ε.

    ``paper``: over the ε of Figure 3 and all images. ``auto``: over those of AutoAttack, and its few images.
    """
    every, few = result.accuracy
    papers = every.sel(attack=list(OVER_PAPERS), epsilon=result.epsilon[result.in_paper]).mean("epsilon")
    autos = few.sel(attack=list(OVER_AUTOS), epsilon=auto_epsilons(result)).mean("epsilon")
    means = {"paper": papers, "auto": autos}
    return {name: mean.drop_sel(beta=0) - mean.sel(beta=0, drop=True) for name, mean in means.items()}


def auto_epsilons(result: xr.Dataset) -> list[float]:
    """The ε at which AutoAttack is run."""
    return result.epsilon[result.after_stage.notnull().all(("stage", "beta", "seed"))].values.tolist()


def _listed(epsilons: list[float]) -> str:
    return ", ".join(f"{epsilon:.2g}" for epsilon in epsilons)


def gain_dots(axes: Panels, result: xr.Dataset) -> Panels:
    """The gains attack by attack: a dot a seed, a bar the mean over seeds, side by side for each β > 0."""
    every, few = result.images.values
    titles = {
        "paper": f"mean over the {int(result.in_paper.sum())} ε of Figure 3; {every} images",
        "auto": f"mean over ε = {_listed(auto_epsilons(result))}; {few} images",
    }
    for ax, (name, gain) in zip(axes, gains(result).items(), strict=True):
        offsets = np.linspace(-0.3, 0.3, gain.sizes["beta"])
        for beta, colour, offset in zip(gain.beta.values, beta_colours(gain.beta.values), offsets, strict=True):
            for place, attack in enumerate(gain.attack.values):
                one = gain.sel(attack=attack, beta=beta)
                ax.plot(np.full(one.size, place + offset), one, ".", color=colour, markersize=5)
                ax.plot(place + offset + np.array([-0.05, 0.05]), [one.mean()] * 2, color=colour, linewidth=2.5)
            ax.plot([], [], color=colour, linewidth=2.5, label=beta_name(beta))
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.set_xticks(range(gain.sizes["attack"]), [NAMES[attack] for attack in gain.attack.values], fontsize=8.5)
        ax.grid(axis="x", visible=False)
        ax.set_title(titles[name])
    axes[0].set_ylabel("accuracy gained over β = 0")
    axes[0].legend()
    return axes


def attack_curves(result: xr.Dataset, title: str) -> Figure:
    """Accuracy against ε, a panel an attack and a colour a β: means over seeds, and each seed as a thin line."""
    figure, axes = plt.subplots(2, 4, figsize=(11, 5.6), sharex=True, sharey=True)
    every, few = result.images.values
    accuracy = every_accuracy(result)
    for ax, attack in zip(axes.flat, NAMES, strict=False):
        name = NAMES[attack].replace("\n", " ")
        if attack == "autoattack":
            _curves(ax, accuracy.sel(images=few, attack=attack), marker="o")
            name += f", {few} images"
        else:
            _curves(ax, accuracy.sel(images=every, attack=attack), marker=None)
        ax.set_title(name, fontsize=9)
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


def _curves(ax: Axes, accuracy: xr.DataArray, marker: str | None) -> None:
    """NaN, where an attack is not run, is left out."""
    for beta, colour in zip(accuracy.beta.values, beta_colours(accuracy.beta.values), strict=True):
        one = accuracy.sel(beta=beta).dropna("epsilon")
        for seed in one.seed.values:
            ax.plot(one.epsilon, one.sel(seed=seed), color=colour, linewidth=0.6, alpha=0.6)
        look = dict(color=colour, linewidth=2, marker=marker, markersize=4)
        ax.plot(one.epsilon, one.mean("seed"), label=beta_name(beta), **look)


def doubling_curves(ax: Axes, result: xr.Dataset) -> Axes:
    """What more steps and starts of PGD still took, attempt by attempt: the ε where that is most, each β and seed."""
    rungs = np.arange(result.sizes["rung"])
    still = (result.trace - result.trace.isel(rung=-1)).max("epsilon")
    for beta, colour in zip(result.beta.values, beta_colours(result.beta.values), strict=True):
        one = still.sel(beta=beta)
        for seed in one.seed.values:
            ax.plot(rungs, one.sel(seed=seed), color=colour, linewidth=0.6, alpha=0.6)
        ax.plot(rungs, one.mean("seed"), color=colour, linewidth=2, label=beta_name(beta))
    labels = [f"{steps} × {starts}" for steps, starts in zip(result.steps.values, result.starts.values, strict=True)]
    ax.set_xticks(rungs, labels)
    ax.set(
        xlabel="steps × random starts of the attempt",
        ylabel="accuracy that later attempts took",
        ylim=(-0.001, 1.05 * max(float(still.max()), 0.01)),
    )
    ax.legend()
    return ax


def accuracy_table(result: xr.Dataset) -> pd.DataFrame:
    """Accuracy under each attack, a column a β, means over seeds: over the paper's ε, and at each ε of AutoAttack."""
    every, few = every_accuracy(result).mean("seed")
    everywhere = every.sel(attack=every.attack != "autoattack", epsilon=result.epsilon[result.in_paper])
    papers = everywhere.mean("epsilon", skipna=False)  # transfer has nothing to say on β = 0
    parts = {"the paper's ε": papers} | {f"ε = {e:.2g}": few.sel(epsilon=e) for e in auto_epsilons(result)}
    return pd.concat({name: one.to_pandas() for name, one in parts.items()}, names=["", "attack"]).astype(float)


def checklist_table(items: list[Item]) -> pd.DataFrame:
    """The items with their verdicts in words."""
    columns = ("computed: the worst case", "value", "at most", "verdict")
    rows = [(item.computed, item.value, item.limit, "pass" if item.passed else "FAIL") for item in items]
    index = pd.Index([item.question for item in items], name="question")
    return pd.DataFrame(rows, columns=columns, index=index)


def answer(result: xr.Dataset) -> dict[str, float | int | str]:
    """What the words about the gains need: of the β > 0 that gains most under the paper's attack, means over seeds.

    A gain is named by where it is taken and by the attack (``paper_total``, ``auto_autoattack``), with ``low_`` and
    ``high_`` before it for the extremes over seeds. ``kept`` shares out the gain under the paper's attack, in words,
    because there may be none. ``left_pgd`` and ``left_autoattack`` are the most accuracy that these leave of any network,
    at AutoAttack's ε and on its images.
    """
    found = gains(result)
    best = float(found["paper"].sel(attack="total").mean("seed").idxmax("beta"))
    numbers: dict[str, float | int | str] = {
        "beta": f"{best:g}",
        "seeds": result.sizes["seed"],
        "every": int(result.images[0]),
        "few": int(result.images[1]),
        "auto_epsilons": _listed(auto_epsilons(result)),
        "clean_base": float(result.clean[0].sel(beta=0).mean()),
        "clean_best": float(result.clean[0].sel(beta=best).mean()),
    }
    for where, gain in found.items():
        for attack in gain.attack.values:
            one = gain.sel(attack=attack, beta=best)
            numbers |= {
                f"{where}_{attack}": float(one.mean()),
                f"low_{where}_{attack}": float(one.min()),
                f"high_{where}_{attack}": float(one.max()),
            }
    few = result.accuracy.sel(images=result.images[1], epsilon=auto_epsilons(result))
    numbers |= {f"left_{attack}": float(few.sel(attack=attack).max()) for attack in ("pgd", "autoattack")}
    numbers["kept"] = _kept(*(numbers[f"paper_{attack}"] for attack in ("total", "classification", "pgd")))
    return numbers


def _kept(total: float, classification: float, pgd: float) -> str:
    """The paper's gain, shared out between the objective, the single step and the network."""
    if total <= 0:
        return "there is no gain under the paper's attack that could be shared out"
    if classification <= 0:
        return (
            "all of the gain belongs to the attack's objective: a single step along the cross-entropy leaves none of it"
        )
    objective, single_step, network = (total - classification, classification - pgd, pgd)
    if network <= 0:
        return (
            f"{objective / total:.0%} of the gain belong to the attack's objective, the rest to its taking a single step, "
            "and nothing to the network"
        )
    return (
        f"{objective / total:.0%} of the gain belong to the attack's objective, {single_step / total:.0%} to its "
        f"taking a single step, and {network / total:.0%} to the network"
    )
