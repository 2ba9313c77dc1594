"""Numbers of the isometry term beside other methods.

``networks`` is the result of :func:`lil.experiments.baselines.combine`, ``matched`` that of ``match`` there.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from lil.paper.tables import Numbers, flat, listed

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


def auto_epsilons(networks: xr.Dataset) -> list[float]:
    """Return the ε at which AutoAttack is run."""
    return networks.epsilon[_few(networks, "autoattack").notnull().all(("setting", "seed"))].values.tolist()


def under_pgd(networks: xr.Dataset) -> xr.DataArray:
    """Return the accuracy under PGD on all images: (setting, seed, epsilon)."""
    return networks.accuracy.sel(images=networks.images.max(), attack="pgd")


def _few(networks: xr.Dataset, attack: str) -> xr.DataArray:
    return networks.accuracy.sel(images=networks.images.min(), attack=attack)


def setting_names(networks: xr.Dataset) -> list[str]:
    """Return "cross-entropy alone", "Jacobian regularisation, λ = 0.1", …, in the order of the settings."""
    pairs = zip(networks.method.values.tolist(), networks.strength.values.tolist(), strict=True)
    return [NAMES[name] + ("" if name == "plain" else f", {STRENGTHS[name]} = {by:g}") for name, by in pairs]


def accuracies(networks: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the accuracy (setting, seed) without attack and under each attack, at each ε at which it is run."""
    pgd = {f"PGD, ε = {epsilon:.2g}": under_pgd(networks).sel(epsilon=epsilon) for epsilon in networks.epsilon.values}
    few = _few(networks, "autoattack")
    auto = {f"AutoAttack, ε = {epsilon:.2g}": few.sel(epsilon=epsilon) for epsilon in auto_epsilons(networks)}
    return {"no attack": networks.clean} | pgd | auto


def table(networks: xr.Dataset) -> pd.DataFrame:
    """Return every setting with its accuracies and the medians of its constants, as means over seeds."""
    medians = {"local constant": networks.local.sel(quantile=0.5), "reach": networks.reach.sel(quantile=0.5)}
    columns = {name: values.mean("seed").values for name, values in (accuracies(networks) | medians).items()}
    return pd.DataFrame(columns, pd.Index(setting_names(networks), name="networks")).astype(float)


def matched_table(matched: xr.Dataset) -> pd.DataFrame:
    """Return one setting of each method, with its clean accuracy above the reference's and whether the two are near."""
    found = table(matched)
    found.insert(1, "above the reference", matched.gap.values.astype(float))
    found.insert(2, "near", np.where(matched.near, "yes", "NO"))
    return found


def numbers(networks: xr.Dataset, matched: xr.Dataset) -> Numbers:
    """Return the numbers of the page, as means over seeds.

    ``clean``, ``pgd`` (mean over ε), ``auto`` (mean over AutoAttack's), ``local`` and ``reach`` end in the method.
    ``far`` lists the methods without a strength near the reference's clean accuracy. ``place`` is the isometry term's
    under PGD among all methods, and ``better`` lists those above it. ``excess`` is the largest accuracy that AutoAttack
    leaves beyond PGD on the same images, ``beyond`` the largest change of a pixel minus ε.
    """
    by_method = matched.swap_dims(setting="method")
    few = _few(by_method, "autoattack").sel(epsilon=auto_epsilons(matched))
    pgd = under_pgd(by_method).mean(("epsilon", "seed"))
    better = pgd.where(pgd > pgd.sel({"method": "lil"}), drop=True).sortby(pgd, ascending=False).method.values.tolist()
    far = by_method.method[~by_method.near].values.tolist()
    excess = _few(networks, "autoattack") - _few(networks, "pgd")
    return {
        "beta": f"{float(by_method.strength.sel({'method': 'lil'})):g}",
        "seeds": matched.sizes["seed"],
        "every": int(matched.images.max()),
        "few": int(matched.images.min()),
        "methods": matched.sizes["setting"],
        "epsilons": listed(matched.epsilon.values),
        "auto_epsilons": listed(auto_epsilons(matched)),
        "far": ", ".join(NAMES[method] for method in far) or "none",
        "place": len(better) + 1,
        "better": ", ".join(NAMES[method] for method in better) or "none",
        "excess": float(excess.max()),
        "beyond": float((networks.change - networks.epsilon).max()),
    } | flat(
        clean=by_method.clean.mean("seed"),
        pgd=pgd,
        auto=few.mean(("epsilon", "seed")),
        local=by_method.local.sel(quantile=0.5).mean("seed"),
        reach=by_method.reach.sel(quantile=0.5).mean("seed"),
    )
