"""The numbers of each experiment that a reader compares first, for the table of ``lil reproduce``.

A headline is ``{label: (the paper's number, or None; the result's)}``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import xarray as xr

from lil.paper import sensitivity
from lil.paper.numbers import TABLE_1

Headline = dict[str, tuple[float | None, float]]


def headline(name: str, result: xr.Dataset) -> Headline:
    """Return the headline of a result of the experiment ``name``; empty where nothing is compared."""
    return HEADLINES[name](result) if name in HEADLINES else {}


def _mappings(result: xr.Dataset) -> Headline:
    """Return the median d(Φ)/d(x) of the pairs by mapping, over seeds; the paper measures nothing."""
    medians = result.ratio.sel(quantile=0.5).mean("seed")
    return {
        f"{mapping}, d(Φ)/d(x) {pairs}": (None, float(medians.sel(mapping=mapping, pairs=pairs)))
        for mapping in result.mapping.values
        for pairs in result.pairs.values
    }


def _rings(result: xr.Dataset) -> Headline:
    """Return the smallest correlation of all seeds and rings; the paper gives no numbers."""
    least = result.correlation.min(["seed", "ring"])
    return {
        f"β = {beta:g}, correlation of distances": (None, float(least.sel(beta=beta))) for beta in result.beta.values
    }


def _robustness(dataset: str, result: xr.Dataset) -> Headline:
    """Return means over the seeds by β of the accuracy without attack, a row of Table 1, and under the paper's attack.

    The attack is shown at the γ at which its accuracy varies most with β. The paper draws it without numbers.
    """
    row, means = TABLE_1[dataset], result.mean("seed")
    curves = means.accuracy.sel(objective="total")
    at = (curves.max("beta") - curves.min("beta")).idxmax("epsilon")
    clean = {
        f"β = {beta:g}, accuracy without attack": (row.at(beta), float(means.clean.sel(beta=beta)))
        for beta in result.beta.values
    }
    return clean | {
        f"β = {beta:g}, accuracy at γ = {float(at):.2g}": (None, float(curves.sel(beta=beta, epsilon=at)))
        for beta in result.beta.values
    }


def _torus(result: xr.Dataset) -> Headline:
    """Return the smallest accuracy of all seeds by level, cut as in the text; the paper gives no numbers."""
    least = result.accuracy.sel(cut="ring").min("seed")
    return {f"{level} classes, accuracy": (None, float(least.sel(level=level))) for level in result.level.values}


def _table1(result: xr.Dataset) -> Headline:
    """Return the paper's twelve numbers, each with the mean over our seeds."""
    means = result.accuracy.mean("seed")
    return {
        f"{name.upper()}, β = {beta:g}": (row.at(beta), float(means.sel(networks=f"{name}_text", beta=beta)))
        for name, row in TABLE_1.items()
        for beta in row.betas
        if beta in result.beta
    }


def _choices(result: xr.Dataset) -> Headline:
    """Return the spread of the clean accuracies over the options of each choice, and over seeds: means over β."""
    apart = sensitivity.spans(result).sel(measure="clean").mean("beta")
    return {f"{name}: accuracies lie apart by": (None, float(apart.sel(choice=name))) for name in apart.choice.values}


HEADLINES: dict[str, Callable[[xr.Dataset], Headline]] = {
    "fig1_mappings": _mappings,
    "fig2_rings": _rings,
    "fig3_mnist": partial(_robustness, "mnist"),
    "fig3_mnist_public": partial(_robustness, "mnist"),
    "fig3_cifar10": partial(_robustness, "cifar10"),
    "fig3_cifar10_public": partial(_robustness, "cifar10"),
    "fig4_torus": _torus,
    "table1": _table1,
    "scale_and_depth": _choices,
}
