"""Numbers of an attacker's view of Figure 3: the gains that remain under stronger attacks."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from lil.paper.checklist import Item
from lil.paper.tables import Numbers, flat, listed, prefixed

ATTACKS = ("total", "classification", "margin", "pgd", "autoattack", "transfer", "noise")
OVER_PAPERS = ("total", "classification", "margin", "pgd")  # run at all of the paper's ε
OVER_AUTOS = ("total", "classification", "pgd", "autoattack")  # compared where AutoAttack is


def every_accuracy(result: xr.Dataset) -> xr.DataArray:
    """Return the accuracy under each attack, that on transferred images among them."""
    transfer = result.transferred.expand_dims(attack=["transfer"])
    return xr.concat([result.accuracy, transfer], "attack", join="exact").sel(attack=list(ATTACKS))


def gains(result: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the accuracy at each β > 0 minus that at β = 0 under the same attack: (attack, beta, seed), means over ε.

    ``paper``: over the ε of Figure 3 and all images. ``auto``: over those of AutoAttack, and its few images.
    """
    every, few = result.accuracy
    means = {
        "paper": every.sel(attack=list(OVER_PAPERS), epsilon=result.epsilon[result.in_paper]).mean("epsilon"),
        "auto": few.sel(attack=list(OVER_AUTOS), epsilon=auto_epsilons(result)).mean("epsilon"),
    }
    return {name: mean.drop_sel(beta=0) - mean.sel(beta=0, drop=True) for name, mean in means.items()}


def auto_epsilons(result: xr.Dataset) -> list[float]:
    """Return the ε at which AutoAttack is run."""
    return result.epsilon[result.after_stage.notnull().all(("stage", "beta", "seed"))].values.tolist()


def accuracy_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the accuracy under each attack, a column a β: means over seeds, over the paper's ε and at AutoAttack's."""
    every, few = every_accuracy(result).mean("seed")
    everywhere = every.sel(attack=every.attack != "autoattack", epsilon=result.epsilon[result.in_paper])
    papers = everywhere.mean("epsilon", skipna=False)  # transfer is not defined at β = 0
    parts = {"the paper's ε": papers} | {f"ε = {e:.2g}": few.sel(epsilon=e) for e in auto_epsilons(result)}
    return pd.concat({name: one.to_pandas() for name, one in parts.items()}, names=["", "attack"]).astype(float)


def checklist_table(items: Sequence[Item]) -> pd.DataFrame:
    """Return the items with their verdicts in words."""
    columns = ("computed: the worst case", "value", "at most", "verdict")
    rows = [(item.computed, item.value, item.limit, "pass" if item.passed else "FAIL") for item in items]
    return pd.DataFrame(rows, columns=columns, index=pd.Index([item.question for item in items], name="question"))


def numbers(result: xr.Dataset, items: Sequence[Item]) -> Numbers:
    """Return the numbers of a page on attackers, at the β > 0 that gains most under the paper's attack.

    A gain is named by its ε and its attack (``paper_total``, ``auto_autoattack``), as a mean over seeds, with ``low_``
    and ``high_`` before it for the extremes. ``kept`` splits the gain under the paper's attack, in words, because there
    may be none. ``left_pgd`` and ``left_autoattack`` are the highest accuracy of any network, at AutoAttack's ε and on
    its images.
    """
    found = gains(result)
    best = float(found["paper"].sel(attack="total").mean("seed").idxmax("beta"))
    every, few = result.images.values.tolist()
    clean = result.clean.sel(images=every).mean("seed")
    attacked = result.accuracy.sel(images=few, epsilon=auto_epsilons(result), attack=["pgd", "autoattack"])
    failed = [item.question for item in items if not item.passed]
    numbers: Numbers = {
        "beta": f"{best:g}",
        "seeds": result.sizes["seed"],
        "every": every,
        "few": few,
        "image": 1 / every,
        "auto_epsilons": listed(auto_epsilons(result)),
        "clean_base": float(clean.sel(beta=0)),
        "clean_best": float(clean.sel(beta=best)),
        "passed": len(items) - len(failed),
        "items": len(items),
        "failed": "; ".join(failed) or "none",
    }
    for where, gain in found.items():
        one = gain.sel(beta=best)
        numbers |= flat(**{where: one.mean("seed")})
        numbers |= prefixed("low", flat(**{where: one.min("seed")})) | prefixed(
            "high", flat(**{where: one.max("seed")})
        )
    numbers |= flat(left=attacked.max(("epsilon", "beta", "seed")))
    gained = (float(numbers[f"paper_{attack}"]) for attack in ("total", "classification", "pgd"))
    return numbers | {"kept": split_gain(*gained)}


def split_gain(total: float, classification: float, pgd: float) -> str:
    """Return the paper's gain split between the objective, the single step and the network, in words."""
    if total <= 0:
        return "there is no gain under the paper's attack that could be shared out"
    if classification <= 0:
        return (
            "all of the gain belongs to the attack's objective: a single step along the cross-entropy leaves none of it"
        )
    objective = f"{(total - classification) / total:.0%} of the gain belong to the attack's objective"
    if pgd <= 0:
        return f"{objective}, the rest to its taking a single step, and nothing to the network"
    step = (classification - pgd) / total
    return f"{objective}, {step:.0%} to its taking a single step, and {pgd / total:.0%} to the network"
