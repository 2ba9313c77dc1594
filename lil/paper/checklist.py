"""Is an attack strong enough to be believed? What Carlini et al. ask of an evaluation, as items with a verdict.

It reads what :func:`lil.experiments._attackers.attacked` returns. An item compares its worst case, over networks and ε,
with a limit that stands here; nothing is averaged unless its words say so, which a page shows in at most 50 characters.
"""

from __future__ import annotations

from typing import NamedTuple

import xarray as xr

POINT = 0.01  # a percentage point of accuracy: less is no difference between attacks
ROUNDING = 1e-6  # of single precision


class Item(NamedTuple):
    """One question: what was computed for it, how large it may be, and whether it is."""

    question: str
    computed: str
    value: float
    limit: float

    @property
    def passed(self) -> bool:
        """NaN, where nothing could be computed, is no pass."""
        return self.value <= self.limit + ROUNDING


def checklist(result: xr.Dataset) -> list[Item]:
    """All items, in the order in which a reader doubts."""
    every = result.accuracy.sel(images=result.images[0])
    few = result.accuracy.sel(images=result.images[1])
    pgd, one_step = every.sel(attack="pgd"), every.sel(attack=["total", "classification", "margin"])
    by_steps, by_starts = _last_doublings(result)
    stage = result.after_stage
    hidden = every.sel(attack="total") - every.sel(attack="classification")
    return [
        Item(
            "no perturbation exceeds ε",
            "largest change of a pixel, less ε",
            _worst(result.change - result.epsilon),
            0.0,
        ),
        Item(
            "no gradient vanishes",
            "share of images whose gradient is exactly 0",
            _worst(result.zero_gradient.sel(precision="float32")),
            POINT,
        ),
        Item(
            "no gradient is lost to rounding",
            "share of the gradient's signs that float64 turns",
            _worst(result.turned),
            POINT,
        ),
        Item(
            "many steps are as strong as one, same objective",
            "accuracy under PGD, less under one step on CSE",
            _worst(pgd - one_step.sel(attack="classification")),
            POINT,
        ),
        Item(
            "many steps are as strong as one, any objective",
            "accuracy under PGD, less under any single step",
            _worst(pgd - one_step.min("attack")),
            POINT,
        ),
        Item("doubling the steps changes nothing", "accuracy that the last doubling still took", by_steps, 0.0),
        Item(
            "doubling the random starts changes nothing", "accuracy that the last doubling still took", by_starts, 0.0
        ),
        Item(
            "a larger ε is a stronger attack",
            "accuracy under PGD, less at the next smaller ε",
            _worst(pgd.diff("epsilon")),
            POINT,
        ),
        Item(
            "at the largest ε nothing withstands",
            f"accuracy under PGD at ε = {float(result.epsilon[-1]):g}",
            _worst(pgd.isel(epsilon=-1)),
            POINT,
        ),
        Item(
            "random noise is weaker than a gradient",
            "accuracy under PGD, less under noise",
            _worst(pgd - every.sel(attack="noise")),
            POINT,
        ),
        Item(
            "a black box is weaker: transfer",
            "accuracy under PGD, less under transfer",
            _worst(pgd - result.transferred.sel(images=result.images[0])),
            POINT,
        ),
        Item(
            "a black box is weaker: queries",
            "accuracy that Square took after the gradients",
            _worst(stage.sel(stage="fab-t") - stage.sel(stage="square")),
            POINT,
        ),
        Item(
            "AutoAttack is as strong as our PGD",
            "accuracy under AutoAttack, less under PGD",
            _worst(few.sel(attack="autoattack") - few.sel(attack="pgd")),
            POINT,
        ),
        Item(
            "our PGD is as strong as AutoAttack",
            "accuracy under PGD, less under AutoAttack",
            _worst(few.sel(attack="pgd") - few.sel(attack="autoattack")),
            POINT,
        ),
        Item(
            "the paper's attack follows what decides the answer",
            "accuracy under it, less under CSE's step; means",
            _worst(hidden.sel(epsilon=result.epsilon[result.in_paper]).mean(("epsilon", "seed"))),
            POINT,
        ),
    ]


def _worst(values: xr.DataArray) -> float:
    """The largest; NaN, where an attack was not run, left out."""
    return float(values.max())


def _last_doublings(result: xr.Dataset) -> tuple[float, float]:
    """What PGD's last doubling of steps, and its last of starts, still changed; from where it settled on, nothing."""
    change = abs(result.trace.diff("rung"))  # it never rises
    doubled_steps = result.steps.diff("rung") > 0
    return _worst(change[..., doubled_steps.values][..., -1]), _worst(change[..., ~doubled_steps.values][..., -1])
