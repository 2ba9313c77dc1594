"""The numbers of each experiment that a reader compares first, for the table of ``lil reproduce``.

A headline is ``{label: (the paper's number, or None; the result's)}``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import xarray as xr

from lil.paper import sensitivity
from lil.paper.numbers import TABLE_1
from lil.paper.tables import corruptions, labelled, worst_case

Headline = dict[str, tuple[float | None, float]]


def headline(name: str, result: xr.Dataset) -> Headline:
    """Return the headline of a result of the experiment ``name``; empty where nothing is compared."""
    return HEADLINES[name](result) if name in HEADLINES else {}


def _unprinted(template: str, values: xr.DataArray) -> Headline:
    """Return numbers that the paper does not print: one for each entry of an array."""
    return {template.format(**labels): (None, float(value)) for labels, value in labelled(values)}


def _robustness(data: str, result: xr.Dataset) -> Headline:
    """Return means over the seeds, by β: of the clean accuracy, as in Table 1, and of that under the paper's attack.

    The attack is shown at the γ at which its accuracy varies most with β. The paper draws it without numbers.
    """
    means = result.mean("seed")
    curves = means.accuracy.sel(objective="total")
    at = (curves.max("beta") - curves.min("beta")).idxmax("epsilon")
    clean: Headline = {
        f"β = {beta:g}, clean accuracy": (TABLE_1[data].at(beta), float(means.clean.sel(beta=beta)))
        for beta in result.beta.values.tolist()
    }
    return clean | _unprinted(f"β = {{beta:g}}, accuracy at γ = {float(at):.2g}", curves.sel(epsilon=at))


def _noise(result: xr.Dataset) -> Headline:
    """Return the accuracy under two kinds of noise, by reading and β, at the middle severity."""
    found = result.accuracy.sel(level=corruptions.middle(result), corruption=list(corruptions.CURVES)).mean("seed")
    return _unprinted("{networks}, β = {beta:g}, under {corruption}", found.transpose("corruption", "networks", "beta"))


def _table1(result: xr.Dataset) -> Headline:
    """Return the paper's twelve numbers, each with the mean over our seeds."""
    means = result.accuracy.mean("seed")
    return {
        f"{name.upper()}, β = {beta:g}": (row.at(beta), float(means.sel(networks=f"{name}_text", beta=beta)))
        for name, row in TABLE_1.items()
        for beta in row.betas
        if beta in result.beta
    }


def _worst_case(result: xr.Dataset) -> Headline:
    """Return the accuracy that the worst case over all attacks leaves: a mean over seeds for each reading and β."""
    worst = worst_case.answers(result).sel(attack="worst").mean(worst_case.IMAGES)
    return _unprinted("{reading}, ε = {epsilon:.2g}, β = {beta:g}, worst case", worst)


HEADLINES: dict[str, Callable[[xr.Dataset], Headline]] = {
    "certificates": lambda result: _unprinted(
        "{networks}, β = {beta:g}: certified at ε = 0.01",
        result.crown.sel(epsilon=0.01, drop=True).astype(float).mean(["seed", "image"]),
    ),
    "fig1_mappings": lambda result: _unprinted(
        "{mapping}, d(Φ)/d(x) {pairs}", result.ratio.sel(quantile=0.5).mean("seed").transpose("mapping", "pairs")
    ),
    "fig2_rings": lambda result: _unprinted(
        "β = {beta:g}, correlation of distances", result.correlation.min(["seed", "ring"])
    ),
    "fig3_mnist": partial(_robustness, "mnist"),
    "fig3_mnist_public": partial(_robustness, "mnist"),
    "fig3_cifar10": partial(_robustness, "cifar10"),
    "fig3_cifar10_public": partial(_robustness, "cifar10"),
    "fig4_torus": lambda result: _unprinted("{level} classes, accuracy", result.accuracy.sel(cut="ring").min("seed")),
    "table1": _table1,
    "corruptions": _noise,
    "corruptions_cifar10": _noise,
    "worst_case": _worst_case,
    "worst_case_cifar10": _worst_case,
    "hierarchy": lambda result: _unprinted(
        "{variant}: correlation of distances, 8 classes",
        result.correlation.sel(level=8, points="training").mean("seed"),
    ),
    "scale_and_depth": lambda result: _unprinted(
        "{choice}: accuracies lie apart by", sensitivity.spans(result).sel(measure="clean").mean("beta")
    ),
}
