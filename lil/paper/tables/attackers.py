"""Numbers of an attacker's view of Figure 3: the gains that remain under stronger attacks, one ε at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import xarray as xr

from lil.paper.checklist import ROUNDING, Item
from lil.paper.intervals import Interval, over_seeds
from lil.paper.tables import Numbers, comparing, flat, frame, listed, over_baseline, prefixed, printed

ATTACKS = ("total", "classification", "margin", "pgd", "autoattack", "transfer", "noise")
OVER_EVERY = ("total", "classification", "margin", "pgd")  # run at every ε, on every image
OVER_AUTOS = (*OVER_EVERY, "autoattack")  # compared where AutoAttack is


def every_accuracy(result: xr.Dataset) -> xr.DataArray:
    """Return the accuracy under each attack, that on transferred images among them."""
    transfer = result.transferred.expand_dims(attack=["transfer"])
    return xr.concat([result.accuracy, transfer], "attack", join="exact").sel(attack=list(ATTACKS))


def gains(result: xr.Dataset) -> xr.DataArray:
    """Return the gains over β = 0 at AutoAttack's ε, on its few images: (attack, beta, seed, epsilon)."""
    few = result.accuracy.sel(images=result.images.min(), drop=True)
    return over_baseline(few.sel(attack=list(OVER_AUTOS), epsilon=auto_epsilons(result)))


def every_gain(result: xr.Dataset) -> xr.DataArray:
    """Return the gains over β = 0 at every ε, on all images, without AutoAttack: (attack, beta, seed, epsilon)."""
    every = result.accuracy.sel(images=result.images.max(), drop=True)
    return over_baseline(every.sel(attack=list(OVER_EVERY)))


def auto_epsilons(result: xr.Dataset) -> list[float]:
    """Return the ε at which AutoAttack is run."""
    return result.epsilon[result.after_stage.notnull().all(("stage", "beta", "seed"))].values.tolist()


def accuracy_table(result: xr.Dataset) -> pd.DataFrame:
    """Return accuracies at each ε of AutoAttack on its few images: a row an attack, a column a β, means over seeds."""
    few = every_accuracy(result).sel(images=result.images.min(), drop=True).mean("seed", skipna=False)
    parts = {
        f"ε = {name}": few.sel(epsilon=e, drop=True).to_pandas() for e, name in printed(auto_epsilons(result)).items()
    }
    return pd.concat(parts, names=["", "attack"]).astype(float)


@comparing(0.0)
def gain_table(result: xr.Dataset, beta: float) -> pd.DataFrame:
    """Return the gains of one β at every ε, on all images, with their intervals over seeds: a row an ε."""
    gain = every_gain(result).sel(beta=beta)
    rows = {name: _in_words(gain.sel(epsilon=epsilon)) for epsilon, name in printed(gain.epsilon.values).items()}
    return frame(rows, "ε")


@comparing(0.0)
def auto_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the gains of each β > 0 at each ε of AutoAttack, on its few images, with their intervals over seeds."""
    gain = gains(result)
    rows = {
        (name, beta): _in_words(gain.sel(beta=beta, epsilon=epsilon))
        for epsilon, name in printed(gain.epsilon.values).items()
        for beta in gain.beta.values.tolist()
    }
    return frame(rows, ["ε", "β"])


def _in_words(gain: xr.DataArray) -> dict[str, str]:
    """Return the gain under each attack with its interval over seeds."""
    return {attack: f"{over_seeds(gain.sel(attack=attack)):+.3f}" for attack in gain.attack.values.tolist()}


def checklist_table(items: Sequence[Item]) -> pd.DataFrame:
    """Return the items with their verdicts in words."""
    columns = ("computed: the worst case", "value", "at most", "verdict")
    rows = [(item.computed, item.value, item.limit, "pass" if item.passed else "FAIL") for item in items]
    return pd.DataFrame(rows, columns=columns, index=pd.Index([item.question for item in items], name="question"))


def verdict(gain: Interval) -> str:
    """Return a gain in words: a gain, a loss, or neither."""
    if math.isnan(gain.low):
        return "one seed has no interval"
    return gain.side("a gain remains", "it is a loss", "neither a gain nor a loss is shown")


def remains(result: xr.Dataset, beta: float) -> str:
    """Return the gains of one β under AutoAttack as a clause: one ε after the other, with intervals over seeds."""
    gain = gains(result).sel(attack="autoattack", beta=beta)
    found = {epsilon: over_seeds(gain.sel(epsilon=epsilon)) for epsilon in gain.epsilon.values.tolist()}
    return "; ".join(f"at ε = {epsilon:.2g} {each:+.3f}, {verdict(each)}" for epsilon, each in found.items())


def stronger_than_pgd(result: xr.Dataset) -> str:
    """Return a sentence on the networks and ε at which AutoAttack or transferred images leave less than our PGD."""
    every, few = every_accuracy(result)
    more = {
        "AutoAttack leaves": (few.sel(attack="pgd") - few.sel(attack="autoattack")).sel(epsilon=auto_epsilons(result)),
        "images made for β = 0 leave": every.sel(attack="pgd") - every.sel(attack="transfer"),
    }
    clauses = []
    for name, excess in more.items():
        count, cases = int((excess > ROUNDING).sum()), int(excess.notnull().sum())
        if count:
            clauses.append(f"{name} less in {count} of {cases} (by at most {float(excess.max()):.3f})")
    if not clauses:
        return "No network keeps more under our PGD than under AutoAttack or on images made for β = 0, at any ε"
    return f"Our PGD is not the strongest attack here: of all networks and ε, {' and '.join(clauses)}"


@comparing(0.0)
def numbers(result: xr.Dataset, items: Sequence[Item]) -> Numbers:
    """Return the numbers of a page on attackers, at the β > 0 and the ε that gain most under the paper's attack.

    That ε is one of the paper's. A gain there is named by its attack (``gain_total``), in words with its interval over
    seeds. ``remains`` are the gains of the same β under AutoAttack, ε by ε. ``left_pgd`` and ``left_autoattack`` are
    the highest accuracy of any network at AutoAttack's ε, on its images. ``later`` is the most accuracy of a network
    that the attempts of PGD after the first have taken.
    """
    gain = every_gain(result)
    shown = gain.sel(attack="total", epsilon=result.epsilon[result.in_paper]).mean("seed")
    largest = shown.where(shown == shown.max(), drop=True)
    beta, epsilon = float(largest.beta.max()), float(largest.epsilon.max())
    every, few = result.images.values.tolist()
    clean = result.clean.sel(images=every).mean("seed")
    attacked = result.accuracy.sel(images=few, epsilon=auto_epsilons(result), attack=["pgd", "autoattack"])
    failed = [item.question for item in items if not item.passed]
    return {
        "beta": f"{beta:g}",
        "epsilon": f"{epsilon:.2g}",
        "seeds": result.sizes["seed"],
        "every": every,
        "few": few,
        "image": 1 / every,
        "later": float((result.trace.isel(rung=0) - result.trace.isel(rung=-1)).max()),
        "few_image": 1 / few,
        "auto_epsilons": listed(auto_epsilons(result)),
        "clean_base": float(clean.sel(beta=0)),
        "clean_best": float(clean.sel(beta=beta)),
        "remains": remains(result, beta),
        "stronger": stronger_than_pgd(result),
        "passed": len(items) - len(failed),
        "items": len(items),
        "failed": "; ".join(failed) or "none",
        **prefixed("gain", _in_words(gain.sel(beta=beta, epsilon=epsilon))),
        **flat(left=attacked.max(("epsilon", "beta", "seed"))),
    }
