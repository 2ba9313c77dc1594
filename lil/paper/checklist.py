"""The checklist of Carlini et al. for an attack, computed: items with a verdict.

It reads the result of :func:`lil.experiments._attackers.attack_by_all`. An item compares its worst case, over networks
and ε, with a limit that stands here; nothing is averaged unless its words say so. Question and words have at most 50
characters, for the page.
"""

from __future__ import annotations

from typing import NamedTuple

import xarray as xr

POINT = 0.01  # a percentage point of accuracy: less is no difference between attacks
ROUNDING = 1e-6  # of single precision
EXACT = (  # questions whose limit is 0 instead
    "no perturbation exceeds ε",
    "doubling the steps changes nothing",
    "doubling the random starts changes nothing",
)


class Item(NamedTuple):
    """One question with the number computed for it and the largest number that passes."""

    question: str
    computed: str
    value: float
    limit: float

    @property
    def passed(self) -> bool:
        """Return True if the number is within its limit; NaN, where nothing could be computed, is not."""
        return self.value <= self.limit + ROUNDING


def checklist(result: xr.Dataset) -> list[Item]:
    """Return all items, in the order in which a reader doubts."""
    every, few = (result.accuracy.sel(images=images) for images in (result.images.max(), result.images.min()))
    pgd, few_pgd, cse = every.sel(attack="pgd"), few.sel(attack="pgd"), every.sel(attack="classification")
    total, noise = every.sel(attack="total"), every.sel(attack="noise")
    strongest_step = every.sel(attack=["total", "classification", "margin"]).min("attack")
    hidden = (total - cse).sel(epsilon=result.epsilon[result.in_paper]).mean(("epsilon", "seed"))
    transferred, auto = result.transferred.sel(images=result.images.max()), few.sel(attack="autoattack")
    square = result.after_stage.sel(stage="fab-t") - result.after_stage.sel(stage="square")
    at_most = pgd.sel(epsilon=result.epsilon.max())
    lost = result.zero_gradient.sel(precision="float32")
    change = abs(result.trace.diff("rung"))  # of PGD's accuracy by each attempt; it never rises
    by_steps, by_starts = (
        change.where(doubled, drop=True).isel(rung=-1)  # the last doubling
        for doubled in (result.steps.diff("rung") > 0, result.starts.diff("rung") > 0)
    )
    same = "many steps are as strong as one, same objective"
    any_other = "many steps are as strong as one, any objective"
    follows = "the paper's attack follows what decides the answer"
    rows = [
        ("no perturbation exceeds ε", "largest change of a pixel, less ε", result.change - result.epsilon),
        ("no gradient vanishes", "share of images whose gradient is exactly 0", lost),
        ("no gradient is lost to rounding", "share of the gradient's signs that float64 turns", result.turned),
        (same, "accuracy under PGD, less under one step on CSE", pgd - cse),
        (any_other, "accuracy under PGD, less under any single step", pgd - strongest_step),
        ("doubling the steps changes nothing", "accuracy that the last doubling still took", by_steps),
        ("doubling the random starts changes nothing", "accuracy that the last doubling still took", by_starts),
        ("a larger ε is a stronger attack", "accuracy under PGD, less at the next smaller ε", pgd.diff("epsilon")),
        ("at the largest ε nothing withstands", f"accuracy under PGD at ε = {at_most.epsilon.item():g}", at_most),
        ("random noise is weaker than a gradient", "accuracy under PGD, less under noise", pgd - noise),
        ("a black box is weaker: transfer", "accuracy under PGD, less under transfer", pgd - transferred),
        ("a black box is weaker: queries", "accuracy that Square took after the gradients", square),
        ("AutoAttack is as strong as our PGD", "accuracy under AutoAttack, less under PGD", auto - few_pgd),
        ("our PGD is as strong as AutoAttack", "accuracy under PGD, less under AutoAttack", few_pgd - auto),
        (follows, "accuracy under it, less under CSE's step; means", hidden),
        ("the paper's attack is stronger than transfer", "accuracy under it, less under transfer", total - transferred),
    ]
    # The largest value; NaN, where an attack was not run, is left out.
    return [Item(asked, words, float(values.max()), 0.0 if asked in EXACT else POINT) for asked, words, values in rows]
