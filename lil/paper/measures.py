"""What is measured of a recorded result for each claim: pure functions from a dataset to numbers with conditions.

Thresholds were fixed before the numbers were looked at; the ledger says why each is what it is.
"""

from __future__ import annotations

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


def _by_seed(values: xr.DataArray) -> tuple[float, ...]:
    """One number a seed, as Python's own; seeds that were not trained are left out."""
    # Six decimals: in single precision 0.99 is more than 0.99.
    return tuple(round(float(value), 6) for value in values.dropna("seed").values)


def rings_with_isometry(result: xr.Dataset) -> list[Number]:
    """Figure 2 at the largest β: classes apart, distances and loops kept."""
    one = result.isel(beta=-1)
    low, high = one.ratio.isel(quantile=0).min("ring"), one.ratio.isel(quantile=-1).max("ring")
    return [
        Number("accuracy on the test draw", _by_seed(one.accuracy), "≥", SEPARATED),
        Number("correlation of distances, worse ring", _by_seed(one.correlation.min("ring")), "≥", KEPT),
        Number("d(Φ)/d(x), lowest 5 % quantile of the rings", _by_seed(low), "≥", 1 - WITHIN),
        Number("d(Φ)/d(x), highest 95 % quantile of the rings", _by_seed(high), "≤", 1 + WITHIN),
        Number("rings with exactly one loop, of two", _by_seed((one.loops == 1).sum("ring")), "≥", 2),
    ]


def rings_without(result: xr.Dataset) -> list[Number]:
    """Figure 2 at β = 0: distances shrunk, not kept, near an exponential law; loops lost."""
    one = result.sel(beta=0)
    exponential, chord = one.misfit.sel(law="exponential"), one.misfit.sel(law="chord")
    nearer = (exponential < chord).sum("ring")
    return [
        Number("median of d(Φ)/d(x), larger ring", _by_seed(one.ratio.sel(quantile=0.5).max("ring")), "<", 1 - WITHIN),
        Number("correlation of distances, better ring", _by_seed(one.correlation.max("ring")), "<", KEPT),
        Number("rings with exactly one loop, of two", _by_seed((one.loops == 1).sum("ring")), "<", 2),
        Number("rings nearer to an exponential law than to a ring's, of two", _by_seed(nearer), "≥", 2),
        Number("misfit to the exponential law, worse ring", _by_seed(exponential.max("ring")), "≤", POOR_FIT),
    ]


def lipschitz_estimates(result: xr.Dataset) -> list[Number]:
    """Both lower estimates of a network's Lipschitz constant over its upper bound, the worst network of each seed."""
    upper = result.upper.sel(map="representation")
    pairs = result.lower.max("pairs") / upper
    derivative = result.local.sel(map="representation", quantile=1) / upper
    name, where = "over the upper bound of the constant, worst network", _where(result)
    return [
        Number(f"{where}largest d(Φ)/d(x) of all pairs {name}", _worst(pairs), "≤", 1 + ROUNDING),
        Number(f"{where}largest derivative at all points {name}", _worst(derivative), "≤", 1 + ROUNDING),
    ]


def gradient_bound(result: xr.Dataset) -> list[Number]:
    """The share of points at which Eq. 6 is violated, the worst term and network of each seed."""
    violated = result.violated.max("term")
    isometric = np.concatenate([_networks(result, name, largest=True) for name in _data(result)])
    name = f"{_where(result)}points that violate Eq. 6, share in the worst network, with K"
    return [
        Number(f"{name} the derivative's norm at the point", _worst(violated.sel(constant="local")), "≤", 0),
        Number(f"{name} the product of spectral norms", _worst(violated.sel(constant="product")), "≤", 0),
        Number(
            f"{name} = 1, an isometry's, at the largest β",
            _worst(violated.sel(constant="one").isel(network=isometric)),
            "≤",
            EXCEPTIONS,
        ),
    ]


def lipschitz_constants(result: xr.Dataset) -> list[Number]:
    """The constants without the isometry term, and by which factor the largest β changes them."""
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
    """The data sets of a Lipschitz result, in its order: the rings first, images last."""
    return list(dict.fromkeys(result.data.values.tolist()))


def _where(result: xr.Dataset) -> str:
    """What numbers of one data set alone begin with."""
    names = _data(result)
    return f"{names[0]}: " if len(names) == 1 else ""


def _networks(result: xr.Dataset, data: str, *, largest: bool) -> np.ndarray:
    """Positions of a data set's networks with the largest β, or with β = 0."""
    betas = result.beta.where(result.data == data)
    return np.flatnonzero(betas == (betas.max() if largest else 0.0))


def _worst(values: xr.DataArray) -> tuple[float, ...]:
    """The largest value of each seed's networks, in the order of the seeds."""
    of_each = [np.flatnonzero(values.seed == seed) for seed in np.unique(values.seed)]
    return tuple(float(values.isel(network=networks).max()) for networks in of_each)


def robustness(name: str):
    """For a result of Figure 3, called ``name``: the gain over β = 0, and whether robustness grows with β."""

    def measure(result: xr.Dataset) -> list[Number]:
        numbers = []
        for objective, beyond in (("total", False), ("classification", True)):
            robust = result.accuracy.sel(objective=objective).mean("epsilon")
            best = robust.mean("seed").drop_sel(beta=0).idxmax("beta")
            gain = robust.sel(beta=best) - robust.sel(beta=0)
            attack = "the attacker's objective" if beyond else "the paper's objective"
            where = f"{name}, {attack}"
            numbers += [
                Number(f"{where}: accuracy under attack, β = 0", _by_seed(robust.sel(beta=0))),
                Number(f"{where}: gained at the best β, {float(best):g}", _by_seed(gain), "≥", STARK, beyond),
                Number(f"{where}: rank correlation with β", _ranks_with_beta(robust), "≥", TREND, beyond),
            ]
        return numbers

    return measure


def _ranks_with_beta(values: xr.DataArray) -> tuple[float, ...]:
    """Spearman's correlation of β with the values (beta, seed), for each seed."""
    there = values.dropna("seed").transpose("seed", "beta")
    return tuple(float(spearmanr(there.beta, one).statistic) for one in there.values)


def accuracy_and_beta(networks: dict[str, str]):
    """For Table 1: what small and large β cost, for each set of ``networks`` and its name."""

    def measure(result: xr.Dataset) -> list[Number]:
        numbers = []
        for key, name in networks.items():
            accuracy = result.accuracy.sel(networks=key).dropna("seed", how="all").dropna("beta", how="all")
            change = accuracy - accuracy.sel(beta=0)
            small = [beta for beta in SMALL_BETAS if beta in change.beta]
            largest = float(change.beta.max())
            numbers += [
                Number(f"{name}: accuracy, β = 0", _by_seed(accuracy.sel(beta=0))),
                Number(
                    f"{name}: change at β = {small[0]:g} to {small[-1]:g}, worst of them",
                    _by_seed(change.sel(beta=small).min("beta")),
                    "≥",
                    -AROUND,
                ),
                Number(f"{name}: change at β = {largest:g}", _by_seed(change.sel(beta=largest)), "≤", -AROUND),
            ]
        return numbers

    return measure


def distances_and_beta(networks: dict[str, str]):
    """For Appendix Figure 1: how far the distances lie from the inputs', for each set of ``networks`` and its name."""

    def measure(result: xr.Dataset) -> list[Number]:
        numbers = []
        for key, name in networks.items():
            far = result.wasserstein.sel(networks=key).dropna("seed", how="all").dropna("beta", how="all")
            largest = float(far.beta.max())
            numbers += [
                Number(f"{name}: distance between the histograms, β = 0", _by_seed(far.sel(beta=0))),
                Number(f"{name}: the same at β = {largest:g}", _by_seed(far.sel(beta=largest)), "≤", FOLLOWS),
                Number(f"{name}: its rank correlation with β", _ranks_with_beta(far), "≤", -TREND),
            ]
        return numbers

    return measure


CUT_NAMES = {"ring": "the text's cut", "tube": "the public code's cut"}


def torus_levels(result: xr.Dataset) -> list[Number]:
    """Figure 4B: accuracy and distances at the worst level, for both ways to cut."""
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
    """Figure 4C: how far the cuts stand out, in the text's reading and in the public code's."""
    numbers = []
    for (cut, name), size in zip(CUT_NAMES.items(), ("norm", "largest"), strict=True):
        one = result.sel(cut=cut, saliency=size)
        hottest = one.at_cut.isel(point=one.gradient.argmax("point"))
        levels = result.sizes["level"]
        numbers += [
            Number(
                f"{name}: levels whose largest gradient is at a cut, of {levels}",
                _by_seed(hottest.sum("level")),
                "≥",
                levels,
            ),
            Number(
                f"{name}: median gradient at the cuts, times that elsewhere, weakest level",
                _by_seed(one.contrast.min("level")),
                "≥",
                STANDS_OUT,
            ),
        ]
    return numbers


def against_published(name: str):
    """For a result of Figure 3A, called ``name``: what the best β leaves at an ε that is below the published one's."""

    def measure(result: xr.Dataset) -> list[Number]:
        epsilon = float(result.epsilon.where(result.epsilon <= PUBLISHED_AT).max())
        best = result.accuracy.sel(epsilon=epsilon).max("beta")
        words = {"total": "the paper's objective", "classification": "the attacker's objective"}
        return [
            Number(
                f"{name}, {words[objective]}: accuracy at ε = {epsilon:.2g}, best β",
                _by_seed(best.sel(objective=objective)),
                "<",
                PUBLISHED - STARK,
            )
            for objective in words
        ]

    return measure
