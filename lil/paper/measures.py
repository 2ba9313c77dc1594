"""Measures of a recorded result for each claim: pure functions from a dataset to numbers with conditions.

Thresholds were fixed before the numbers were looked at; the ledger gives the reason for each.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from lil.paper.numbers import TORUS_ACCURACY
from lil.paper.verdicts import Number

SEPARATED = 0.99  # accuracy from which two toy classes count as taken apart
KEPT = 0.99  # correlation from which distances count as kept
WITHIN = 0.1  # how far from 1 a ratio of distances may lie
POOR_FIT = 0.1  # Kolmogorov-Smirnov statistic from which a law does not describe the distances
ROUNDING = 1e-5  # records are kept in single precision
EXCEPTIONS = 0.05  # share of points that "almost everywhere" leaves out
STARK = 0.05  # accuracy, averaged over the sizes of the attack
TREND = 0.8  # rank correlation with β from which something grows with β
AROUND = 0.01  # accuracy within which two networks are equally good
SMALL_BETAS = (0.001, 0.01, 0.1)
FOLLOWS = 0.1  # Wasserstein distance, as a share of the mean distance
STANDS_OUT = 2.0  # gradient at the cuts, times that elsewhere
PUBLISHED = 0.893  # accuracy that Madry et al. (2017, Table 1) report for MNIST under their strongest attack,
PUBLISHED_AT = 0.3  # at this ε: PGD with 100 steps and 20 restarts
SHRUNK, BELOW_PUBLISHED = 1 - WITHIN, PUBLISHED - STARK

OBJECTIVES = {"total": "the paper's objective", "classification": "the attacker's objective"}
NETWORKS = {
    "mnist_text": "MNIST",
    "mnist_public": "MNIST, public code",
    "cifar10_text": "CIFAR10",
    "cifar10_public": "CIFAR10, public code",
}
CUT_NAMES = {"ring": "the text's cut", "tube": "the public code's cut"}


def _by_seed(values: xr.DataArray) -> tuple[float, ...]:
    """Return one number a seed, as Python's own; seeds that were not trained are left out."""
    # Six decimals: in single precision 0.99 is more than 0.99.
    return tuple(round(float(value), 6) for value in values.dropna("seed").values)


def _ranks_with_beta(values: xr.DataArray) -> tuple[float, ...]:
    """Return Spearman's correlation of β with the values (beta, seed), for each seed."""
    there = values.dropna("seed").transpose("seed", "beta")
    return tuple(float(spearmanr(there.beta, one).statistic) for one in there.values)


def rings_with_isometry(result: xr.Dataset) -> list[Number]:
    """Measure Figure 2 at the largest β: classes apart, distances and loops kept."""
    one, quantiles = result.sel(beta=result.beta.max()), result["quantile"]
    low = one.ratio.sel(quantile=quantiles.min()).min("ring")
    high = one.ratio.sel(quantile=quantiles.max()).max("ring")
    return [
        Number("accuracy on the test draw", _by_seed(one.accuracy), "≥", SEPARATED),
        Number("correlation of distances, worse ring", _by_seed(one.correlation.min("ring")), "≥", KEPT),
        Number("d(Φ)/d(x), lowest 5 % quantile of the rings", _by_seed(low), "≥", 1 - WITHIN),
        Number("d(Φ)/d(x), highest 95 % quantile of the rings", _by_seed(high), "≤", 1 + WITHIN),
        Number("rings with exactly one loop, of two", _by_seed((one.loops == 1).sum("ring")), "≥", 2),
    ]


def rings_without(result: xr.Dataset) -> list[Number]:
    """Measure Figure 2 at β = 0: distances shrunk, not kept, near an exponential law; loops lost."""
    one = result.sel(beta=0)
    exponential, chord = one.misfit.sel(law="exponential"), one.misfit.sel(law="chord")
    nearer = (exponential < chord).sum("ring")
    return [
        Number("median of d(Φ)/d(x), larger ring", _by_seed(one.ratio.sel(quantile=0.5).max("ring")), "<", SHRUNK),
        Number("correlation of distances, better ring", _by_seed(one.correlation.max("ring")), "<", KEPT),
        Number("rings with exactly one loop, of two", _by_seed((one.loops == 1).sum("ring")), "<", 2),
        Number("rings nearer to an exponential law than to a ring's, of two", _by_seed(nearer), "≥", 2),
        Number("misfit to the exponential law, worse ring", _by_seed(exponential.max("ring")), "≤", POOR_FIT),
    ]


def lipschitz_estimates(result: xr.Dataset) -> list[Number]:
    """Return both lower estimates of the Lipschitz constant over its upper bound, in the worst network of each seed."""
    upper = result.upper.sel(map="representation")
    pairs = result.lower.max("pairs") / upper
    derivative = result.local.sel(map="representation", quantile=1) / upper
    name, where = "over the upper bound of the constant, worst network", _where(result)
    return [
        Number(f"{where}largest d(Φ)/d(x) of all pairs {name}", _worst(pairs), "≤", 1 + ROUNDING),
        Number(f"{where}largest derivative at all points {name}", _worst(derivative), "≤", 1 + ROUNDING),
    ]


def gradient_bound(result: xr.Dataset) -> list[Number]:
    """Return the share of points at which Eq. 6 is violated, in the worst term and network of each seed."""
    violated = result.violated.max("term")
    isometric = np.concatenate([_networks(result, name, largest=True) for name in _data(result)])
    name = f"{_where(result)}points that violate Eq. 6, share in the worst network, with K"
    one = _worst(violated.sel(constant="one").isel(network=isometric))
    return [
        Number(f"{name} the derivative's norm at the point", _worst(violated.sel(constant="local")), "≤", 0),
        Number(f"{name} the product of spectral norms", _worst(violated.sel(constant="product")), "≤", 0),
        Number(f"{name} = 1, an isometry's, at the largest β", one, "≤", EXCEPTIONS),
    ]


def lipschitz_constants(result: xr.Dataset) -> list[Number]:
    """Return the constants at β = 0, and the factor by which the largest β changes them."""
    local = result.local.sel(map="representation")
    estimates = {
        "constant at the median point": local.sel(quantile=0.5),
        "largest constant found": np.maximum(result.lower.max("pairs"), local.sel(quantile=1)),
    }
    numbers = []
    for data in dict.fromkeys((_data(result)[0], _data(result)[-1])):
        without, with_isometry = (_networks(result, data, largest=largest) for largest in (False, True))
        beta = float(result.beta[with_isometry[0]])
        for name, values in estimates.items():
            # Both are sorted by seed, which start from the same weights.
            before, after = (values.isel(network=each).sortby("seed").values for each in (without, with_isometry))
            numbers.append(Number(f"{data}: {name}, β = 0", tuple(before.astype(float).tolist())))
            factors = tuple((after / before).astype(float).tolist())
            numbers.append(Number(f"{data}: the same at β = {beta:g}, over that at β = 0", factors, "<", 1))
        upper = result.upper.sel(map="representation").isel(network=without).values
        numbers.append(Number(f"{data}: upper bound of the constant, β = 0", tuple(upper.astype(float).tolist())))
    return numbers


def _data(result: xr.Dataset) -> list[str]:
    """Return the data sets of a Lipschitz result, in its order: the rings first, images last."""
    return list(dict.fromkeys(result.data.values.tolist()))


def _where(result: xr.Dataset) -> str:
    """Return the beginning of the labels of a result with one data set alone."""
    names = _data(result)
    return f"{names[0]}: " if len(names) == 1 else ""


def _networks(result: xr.Dataset, data: str, *, largest: bool) -> np.ndarray:
    """Return the positions of a data set's networks with the largest β, or with β = 0."""
    betas = result.beta.where(result.data == data)
    return np.flatnonzero(betas == (betas.max() if largest else 0.0))


def _worst(values: xr.DataArray) -> tuple[float, ...]:
    """Return the largest value of each seed's networks, in the order of the seeds."""
    return tuple(values.groupby("seed").max().astype(float).values.tolist())


def robustness(name: str, result: xr.Dataset) -> list[Number]:
    """Return the gain over β = 0 and the trend with β of a result of Figure 3, called ``name``."""
    numbers = []
    for objective, attack in OBJECTIVES.items():
        robust, beyond = result.accuracy.sel(objective=objective).mean("epsilon"), objective != "total"
        best = robust.mean("seed").drop_sel(beta=0).idxmax("beta")
        gain, where = robust.sel(beta=best) - robust.sel(beta=0), f"{name}, {attack}"
        numbers += [
            Number(f"{where}: accuracy under attack, β = 0", _by_seed(robust.sel(beta=0))),
            Number(f"{where}: gained at the best β, {float(best):g}", _by_seed(gain), "≥", STARK, beyond),
            Number(f"{where}: rank correlation with β", _ranks_with_beta(robust), "≥", TREND, beyond),
        ]
    return numbers


def against_published(name: str, result: xr.Dataset) -> list[Number]:
    """Return the accuracy of the best β of a result of Figure 3A, called ``name``, at an ε below the published one."""
    epsilon = float(result.epsilon.where(result.epsilon <= PUBLISHED_AT).max())
    best, where = result.accuracy.sel(epsilon=epsilon).max("beta"), f"accuracy at ε = {epsilon:.2g}, best β"
    values = {words: _by_seed(best.sel(objective=objective)) for objective, words in OBJECTIVES.items()}
    return [Number(f"{name}, {words}: {where}", each, "<", BELOW_PUBLISHED) for words, each in values.items()]


def _sets(values: xr.DataArray) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield each set of networks by its name, with the seeds and β that it has."""
    for key, name in NETWORKS.items():
        if key in values.networks:
            yield name, values.sel(networks=key).dropna("seed", how="all").dropna("beta", how="all")


def accuracy_and_beta(result: xr.Dataset) -> list[Number]:
    """Return the cost of small and large β in accuracy without attack, for each set of networks."""
    numbers = []
    for name, accuracy in _sets(result.accuracy):
        change, largest = accuracy - accuracy.sel(beta=0), float(accuracy.beta.max())
        small = [beta for beta in SMALL_BETAS if beta in change.beta]
        worst = _by_seed(change.sel(beta=small).min("beta"))
        numbers += [
            Number(f"{name}: accuracy, β = 0", _by_seed(accuracy.sel(beta=0))),
            Number(f"{name}: change at β = {small[0]:g} to {small[-1]:g}, worst of them", worst, "≥", -AROUND),
            Number(f"{name}: change at β = {largest:g}", _by_seed(change.sel(beta=largest)), "≤", -AROUND),
        ]
    return numbers


def distances_and_beta(result: xr.Dataset) -> list[Number]:
    """Return the distance of the histograms from the inputs', and its trend with β, for each set of networks."""
    numbers = []
    for name, far in _sets(result.wasserstein):
        largest = float(far.beta.max())
        numbers += [
            Number(f"{name}: distance between the histograms, β = 0", _by_seed(far.sel(beta=0))),
            Number(f"{name}: the same at β = {largest:g}", _by_seed(far.sel(beta=largest)), "≤", FOLLOWS),
            Number(f"{name}: its rank correlation with β", _ranks_with_beta(far), "≤", -TREND),
        ]
    return numbers


def torus_levels(result: xr.Dataset) -> list[Number]:
    """Measure Figure 4B: accuracy and distances at the worst level, for both ways to cut."""
    numbers = []
    for cut, name in CUT_NAMES.items():
        one = result.sel(cut=cut)
        off = abs(one.ratio.sel(quantile=0.5) - 1).max("level")
        numbers += [
            Number(f"{name}: accuracy, worst level", _by_seed(one.accuracy.min("level")), ">", TORUS_ACCURACY.value),
            Number(f"{name}: correlation of distances, worst level", _by_seed(one.correlation.min("level")), "≥", KEPT),
            Number(f"{name}: distance of the median d(Φ)/d(x) from 1, worst level", _by_seed(off), "≤", WITHIN),
        ]
    return numbers


def torus_gradients(result: xr.Dataset) -> list[Number]:
    """Measure Figure 4C: gradients at the cuts, in the text's reading and in the public code's."""
    numbers, levels = [], result.sizes["level"]
    for (cut, name), size in zip(CUT_NAMES.items(), ("norm", "largest"), strict=True):
        one = result.sel(cut=cut, saliency=size)
        at_cut = _by_seed(one.at_cut.isel(point=one.gradient.argmax("point")).sum("level"))
        weakest = _by_seed(one.contrast.min("level"))
        numbers += [
            Number(f"{name}: levels whose largest gradient is at a cut, of {levels}", at_cut, "≥", levels),
            Number(
                f"{name}: median gradient at the cuts, times that elsewhere, weakest level", weakest, "≥", STANDS_OUT
            ),
        ]
    return numbers
