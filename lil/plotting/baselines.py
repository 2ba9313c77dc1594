"""The isometry term beside other methods: figures, tables and words.

``networks`` is what :func:`lil.experiments.baselines.every` makes of a result, ``matched`` what ``matched`` there does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from lil.plotting import CLASSES, CROSS_ENTROPY, ISOMETRY, Panels, plain_log_ticks

NAMES = {
    "plain": "cross-entropy alone",
    "lil": "isometry term",
    "jacobian": "Jacobian regularisation",
    "spectral": "spectral normalisation",
    "decay": "weight decay",
    "fgsm": "FGSM training",
    "pgd": "PGD training",
}
STRENGTHS = {"plain": "β", "lil": "β", "jacobian": "λ", "spectral": "norm", "decay": "λ", "fgsm": "ε", "pgd": "ε"}
LOOKS = dict(
    zip(
        NAMES,
        (  # a method by its colour, and by its mark
            (CROSS_ENTROPY, "o"),
            (ISOMETRY, "o"),
            (CLASSES[0], "s"),
            (CLASSES[1], "D"),
            (CLASSES[2], "v"),
            (CLASSES[3], "^"),
            (CLASSES[7], "X"),
        ),
        strict=True,
    )
)


def auto_epsilons(networks: xr.Dataset) -> list[float]:
    """The ε at which AutoAttack is run."""
    auto = networks.accuracy.isel(images=1).sel(attack="autoattack")
    return networks.epsilon[auto.notnull().all(("setting", "seed"))].values.tolist()


def _pgd(networks: xr.Dataset) -> xr.DataArray:
    return networks.accuracy.isel(images=0).sel(attack="pgd")


def robust_against_clean(axes: Panels, networks: xr.Dataset) -> Panels:
    """Accuracy under PGD against accuracy without attack: a panel an ε, a mark a network, a line a method's means."""
    for ax, epsilon in zip(axes, networks.epsilon.values, strict=True):
        _marks(ax, networks, networks.clean, _pgd(networks).sel(epsilon=epsilon))
        ax.set(ylim=(-0.03, 1.03), title=f"PGD, ε = {epsilon:.2g}", xlabel="accuracy without attack")
    axes[0].set_ylabel("accuracy under PGD")
    return axes


def constants(axes: Panels, networks: xr.Dataset, epsilon: float) -> Panels:
    """Accuracy under PGD at one ε against the median local constant, and against the median reach."""
    robust = _pgd(networks).sel(epsilon=epsilon)
    for ax, name in zip(axes, ("local", "reach"), strict=True):
        _marks(ax, networks, networks[name].sel(quantile=0.5), robust)
        ax.set(ylim=(-0.03, 1.03))
    axes[0].set(
        xscale="log",
        xlabel="local Lipschitz constant of the logits, median",
        ylabel=f"accuracy under PGD, ε = {epsilon:.2g}",
    )
    plain_log_ticks(axes[0].xaxis)
    axes[1].set(xlabel="reach: margin / (√2 · local constant), median")
    return axes


def _marks(ax: Axes, networks: xr.Dataset, x: xr.DataArray, y: xr.DataArray) -> None:
    for method, name in NAMES.items():
        where = np.flatnonzero(networks.method == method)
        colour, mark = LOOKS[method]
        one_x, one_y = x.isel(setting=where), y.isel(setting=where)
        ax.plot(one_x.mean("seed"), one_y.mean("seed"), color=colour, linewidth=1, alpha=0.7)
        ax.plot(one_x.values.ravel(), one_y.values.ravel(), mark, color=colour, markersize=5, label=name)


def matched_dots(ax: Axes, matched: xr.Dataset) -> Axes:
    """The comparison at like clean accuracy, attack by attack: a mark a seed, a bar the mean over seeds."""
    groups = _columns(matched)
    offsets = np.linspace(-0.33, 0.33, matched.sizes["setting"])
    for k, offset in enumerate(offsets):
        colour, mark = LOOKS[str(matched.method.values[k])]
        for place, values in enumerate(groups.values()):
            one = values.isel(setting=k)
            ax.plot(np.full(one.size, place + offset), one, mark, color=colour, markersize=3.5)
            ax.plot(place + offset + np.array([-0.04, 0.04]), [one.mean()] * 2, color=colour, linewidth=2.5)
        ax.plot([], [], mark, color=colour, label=setting_name(matched, k))
    ax.set_xticks(range(len(groups)), [name.replace(", ", "\n") for name in groups])
    ax.set(ylabel="accuracy", ylim=(-0.03, 1.03))
    ax.grid(axis="x", visible=False)
    return ax


def setting_name(networks: xr.Dataset, k: int) -> str:
    """ "cross-entropy alone", "Jacobian regularisation, λ = 0.1"."""
    method = str(networks.method.values[k])
    strength = f", {STRENGTHS[method]} = {networks.strength.values[k]:g}"
    return NAMES[method] + ("" if method == "plain" else strength)


def _columns(networks: xr.Dataset) -> dict[str, xr.DataArray]:
    """Accuracy (setting, seed) without attack and under each attack at each ε at which it is run."""
    pgd = {f"PGD, ε = {epsilon:.2g}": _pgd(networks).sel(epsilon=epsilon) for epsilon in networks.epsilon.values}
    few = networks.accuracy.isel(images=1).sel(attack="autoattack")
    auto = {f"AutoAttack, ε = {epsilon:.2g}": few.sel(epsilon=epsilon) for epsilon in auto_epsilons(networks)}
    return {"no attack": networks.clean} | pgd | auto


def table(networks: xr.Dataset) -> pd.DataFrame:
    """Every setting with its accuracies and the medians of its constants, means over seeds."""
    medians = {"local constant": networks.local.sel(quantile=0.5), "reach": networks.reach.sel(quantile=0.5)}
    index = pd.Index([setting_name(networks, k) for k in range(networks.sizes["setting"])], name="networks")
    columns = _columns(networks) | medians
    return pd.DataFrame({name: values.mean("seed").values for name, values in columns.items()}, index).astype(float)


def matched_table(matched: xr.Dataset) -> pd.DataFrame:
    """The table of the comparison at like clean accuracy; how far a method is above the reference, and whether near."""
    found = table(matched)
    found.insert(1, "above the reference", matched.gap.values.astype(float))
    found.insert(2, "near", np.where(matched.near, "yes", "NO"))
    return found


def answer(matched: xr.Dataset) -> dict[str, float | int | str]:
    """What the words about the comparison need, as means over seeds.

    A method's ``clean``, ``pgd`` (mean over ε), ``auto`` (mean over AutoAttack's), ``local`` and ``reach`` have its
    name before them. ``far`` lists the methods that have no strength near the reference's clean accuracy. ``place`` is
    the isometry term's under PGD among all methods, and ``better`` lists those above it.
    """
    few = matched.accuracy.isel(images=1).sel(attack="autoattack", epsilon=auto_epsilons(matched))
    measures = {
        "clean": matched.clean,
        "pgd": _pgd(matched).mean("epsilon"),
        "auto": few.mean("epsilon"),
        "local": matched.local.sel(quantile=0.5),
        "reach": matched.reach.sel(quantile=0.5),
    }
    methods = matched.method.values.tolist()
    means = {
        name: dict(zip(methods, values.mean("seed").values.tolist(), strict=True)) for name, values in measures.items()
    }
    far = [NAMES[method] for method, near in zip(methods, matched.near.values, strict=True) if not near]
    better = [method for method in methods if means["pgd"][method] > means["pgd"]["lil"]]
    better.sort(key=lambda method: -means["pgd"][method])
    return {f"{method}_{name}": value for name, each in means.items() for method, value in each.items()} | {
        "beta": f"{float(matched.strength[methods.index('lil')]):g}",
        "seeds": matched.sizes["seed"],
        "every": int(matched.images[0]),
        "few": int(matched.images[1]),
        "methods": len(methods),
        "epsilons": _listed(matched.epsilon.values),
        "auto_epsilons": _listed(auto_epsilons(matched)),
        "far": ", ".join(far) or "none",
        "place": len(better) + 1,
        "better": ", ".join(NAMES[method] for method in better) or "none",
    }


def health(networks: xr.Dataset) -> dict[str, float]:
    """The worst cases of the attacks: ``excess``, by how much AutoAttack's accuracy exceeds PGD's on the same images at
    most, and by how much the largest change of a pixel exceeds ε."""
    few = networks.accuracy.isel(images=1)
    excess = few.sel(attack="autoattack") - few.sel(attack="pgd")
    return {"excess": float(excess.max()), "beyond": float((networks.change - networks.epsilon).max())}


def _listed(epsilons) -> str:
    return ", ".join(f"{epsilon:.2g}" for epsilon in epsilons)
