"""Numbers of the theory: Lipschitz constants, both sides of Eq. 6, certificates, and robustness.

Networks of different data sets, readings and β are never pooled. Constants of Φ are multiplied by K, the factor of the
isometry loss: an isometry then has 1 in every reading.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import xarray as xr
from pandas.core.groupby import DataFrameGroupBy

from lil.paper.intervals import Interval, extent, over_seeds, rank_correlation
from lil.paper.tables import Numbers, comparing, flat, frame, prefixed, printed

ROUNDING = 1 + 1e-5  # results are kept in single precision
CERTIFIED_AT = 1e-4  # ε of the certificates in the words: at greater ones the product of norms certifies little
SHORT = {"bound": "bound on the gradient", "local": "local constant of Φ", "logits": "local constant of the logits"}
TERMS = ("cross_entropy", "isometry")


def of_data(result: xr.Dataset, data: str) -> xr.Dataset:
    """Return the networks of one data set, in one reading."""
    return result.isel(network=np.flatnonzero(result.data.values == data))


def data_names(result: xr.Dataset) -> list[str]:
    """Return the data sets in their order: the rings first, images last; the text's reading before K = 10."""
    return in_order(result.data.values.tolist())


def in_order(names: Iterable[str]) -> list[str]:
    """Return each name once, in their order, but those of another reading than the text's last."""
    return sorted(dict.fromkeys(names), key=lambda name: "K =" in name)


def readings(result: xr.Dataset) -> dict[str, xr.Dataset]:
    """Return the networks of the images, by reading: ``images``, the text's, and ``public``, K = 10, where it is."""
    public = [name for name in data_names(result) if "K =" in name]
    text = [name for name in data_names(result) if name not in public][-1:]
    return {short: of_data(result, name) for short, name in zip(("images", "public"), text + public, strict=False)}


def title(networks: xr.Dataset) -> str:
    """Return the name of the networks' one data set."""
    (name,) = data_names(networks)
    return name


def scales(result: xr.Dataset) -> xr.DataArray:
    """Return K of each network; a result without it has K = 1."""
    return result.scale if "scale" in result else xr.ones_like(result.points)


# Tables with a row a network, and their summaries


def index(result: xr.Dataset) -> pd.MultiIndex:
    """Return the rows of a table with a row a network: its data set, β and seed."""
    return pd.MultiIndex.from_arrays([result[key].values for key in ("data", "beta", "seed")], names=INDEX)


INDEX = ["data", "beta", "seed"]


def by_beta(table: pd.DataFrame) -> pd.DataFrame:
    """Return the medians over the seeds of a table with a row a network: a row a data set and β."""
    return _grouped(table).median()


def _grouped(table: pd.DataFrame) -> DataFrameGroupBy:
    names = in_order(table.index.get_level_values("data"))
    return table.reindex(names, level="data").groupby(level=INDEX[:2], sort=False)


def ranges(table: pd.DataFrame, spec: str = ".3g") -> pd.DataFrame:
    """Return "lowest to highest seed" for each data set and β, from a table with a row a network."""

    return _grouped(table).agg(lambda values: extent(values, spec))


def constants_table(result: xr.Dataset) -> pd.DataFrame:
    """Return K times every estimate of the constant of Φ; all but the last column are lower bounds."""
    local, upper = result.local.sel(map="representation"), result.upper.sel(map="representation")
    columns = {
        "within": result.lower.sel(pairs="within"),
        "between": result.lower.sel(pairs="between"),
        "forced": result.forced,
        "median": local.sel(quantile=0.5),
        "largest": local.sel(quantile=1),
        "product": upper,
    }
    scaled = {name: (scales(result) * values).values for name, values in columns.items()}
    return pd.DataFrame(scaled, index=index(result), dtype=float)


def stretch_table(result: xr.Dataset) -> pd.DataFrame:
    """Return K times the median stretch of Φ in each direction, and K times its median local constant."""
    stretches = result.along.sel(quantile=0.5) * scales(result)
    columns = {name: stretches.sel(direction=name).values for name in ("neighbour", "random", "attack")}
    columns["most"] = (scales(result) * result.local.sel(map="representation", quantile=0.5)).values
    return pd.DataFrame(columns, index=index(result), dtype=float)


def sides_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the gradient over its bound of Eq. 6, as medians, and the shares of points at which Λ = 1/K bounds it."""
    columns = {}
    for constant in result.constant.values:
        for term in TERMS:
            columns[constant, term] = result.tightness.sel(constant=constant, term=term, quantile=0.5)
    for term in TERMS:
        columns["holds", term] = holds(result, term)
    return pd.DataFrame({key: values.values for key, values in columns.items()}, index=index(result), dtype=float)


def holds(result: xr.Dataset, term: str) -> xr.DataArray:
    """Return the share of points at which a term of Eq. 6 holds with an isometry's constant: (network)."""
    return 1 - result.violated.sel(constant="one", term=term)


def certificate_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the certified and the attacked accuracy of images at every third ε, in each pixel: means over seeds."""
    tables = []
    for networks in readings(result).values():
        columns = {}
        for epsilon, name in printed(networks.epsilon.values[::3]).items():
            at = networks.sel(epsilon=epsilon)
            columns["certified", f"ε = {name}"] = at.certified.sel(norm="Linf").values
            columns["attacked", f"ε = {name}"] = at.attacked.values
        tables.append(pd.DataFrame(columns, index=index(networks)))
    return pd.concat(tables).groupby(level=INDEX[:2], sort=False).mean()


# Robustness, and what the theory ties it to


def measures(networks: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the quantities that the theory ties to robustness, at the median point of each network."""
    return {
        SHORT["bound"]: networks.bound.sel(term="cross_entropy", constant="local", quantile=0.5),
        SHORT["local"]: networks.local.sel(map="representation", quantile=0.5),
        SHORT["logits"]: networks.local.sel(map="logits", quantile=0.5),
    }


def robustness(networks: xr.Dataset) -> xr.DataArray:
    """Return the share of rightly classified points that PGD leaves right: (network), at one ε, a coordinate.

    The ε is that of the result at which the mean of these shares is nearest to one half: there networks can differ.
    """
    kept = networks.attacked / networks.accuracy
    return kept.isel(epsilon=int(abs(kept.mean("network") - 0.5).argmin("epsilon")))


def ranks(networks: xr.Dataset) -> dict[str, Interval]:
    """Return Spearman's correlation of each of the :func:`measures` with robustness, over the networks."""
    robust = robustness(networks).values
    return {name: rank(values.values, robust) for name, values in measures(networks).items()}


def rank(a: np.ndarray, b: np.ndarray) -> Interval:
    """Return the rank correlation over networks; NaN where a rerun has too few of them, or one value of all."""
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return Interval(math.nan, math.nan, math.nan, len(a))
    return rank_correlation(a, b)


def ranks_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the :func:`ranks` of each reading's networks, with interval and number of networks."""
    columns = ("rank correlation", "low", "high", "networks", "ε")
    rows = {
        (title(networks), name): dict(zip(columns, (*found[:4], float(robustness(networks).epsilon)), strict=True))
        for networks in readings(result).values()
        for name, found in ranks(networks).items()
    }
    return frame(rows)


def relation(found: Interval) -> str:
    """Return a rank correlation with its interval, and in words the relation that it shows."""
    if math.isnan(found.value):
        return "not defined for these networks"
    less, more = (f"the smaller the value, the {how} robust" for how in ("less", "more"))
    return f"{found:+.2f}: {found.side(less, more, 'no relation shown')}"


# The numbers of the pages


def _ends(networks: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    """Yield the networks with the smallest β and those with the largest."""
    for end, beta in (("first", networks.beta.min()), ("last", networks.beta.max())):
        yield end, networks.isel(network=np.flatnonzero(networks.beta == beta))


def by_seed(values: xr.DataArray) -> xr.DataArray:
    """Return values of one data set and β over ``seed`` in place of ``network``, in the order of the seeds."""
    return values.swap_dims(network="seed").sortby("seed").reset_coords(drop=True)


def change(networks: xr.Dataset) -> Interval:
    """Return the median local constant of Φ at the largest β over that at the smallest, paired by seed."""
    first, last = (by_seed(one.local.sel(map="representation", quantile=0.5, drop=True)) for _, one in _ends(networks))
    return over_seeds(last / first)


def _theorem(result: xr.Dataset) -> Numbers:
    """Return the number of networks, and the largest shares of points that violate Eq. 6, which is proven for both."""
    worst = result.violated.sel(constant=["local", "product"]).max(("network", "term"))
    return {"networks": result.sizes["network"]} | flat(violated=worst)


def _at_both_ends(networks: xr.Dataset) -> Numbers:
    """Return the numbers of one data set at the smallest β and at the largest: medians over seeds, shares as ranges."""
    numbers: Numbers = {"beta_last": float(networks.beta.max()), "data": title(networks)}
    for end, one in _ends(networks):
        medians = constants_table(one).median()
        most = one.local.sel(map="representation", quantile=0.95) * scales(one)
        found = {
            **medians.rename({"product": "upper"}).to_dict(),
            "most": float(most.median()),
            "loose": float((one.upper / one.local.sel(quantile=1)).sel(map="representation").median()),
            "logits": float(one.local.sel(map="logits", quantile=0.5).median()),
            **prefixed("along", stretch_table(one).median().to_dict()),
        }
        for term in TERMS:
            found[f"holds_{term}"] = extent(holds(one, term), ".1%")
        numbers |= prefixed(end, found)
    ratio = change(networks)
    verdict = ratio.side("larger", "smaller", "not clearly different", of=1.0)
    return numbers | {"change": f"{ratio:.2f}", "verdict": verdict}


def _of_images(networks: xr.Dataset) -> Numbers:
    """Return the certificates of one reading's networks, and the relations of its measures to robustness."""
    numbers: Numbers = {"rank_at": float(robustness(networks).epsilon), "rank_networks": networks.sizes["network"]}
    found = ranks(networks)
    numbers |= {f"rank_{short}": relation(found[name]) for short, name in SHORT.items()}
    for end, one in _ends(networks):
        at = one.sel(epsilon=CERTIFIED_AT, method="nearest").reset_coords("epsilon", drop=True)
        for name, values in (("certified", at.certified.sel(norm="Linf", drop=True)), ("attacked", at.attacked)):
            numbers[f"{name}_{end}"] = f"{over_seeds(by_seed(values)):.1%}"
    return numbers


def numbers(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page on the constants, and of the pages of the theory, by data set and reading.

    ``first`` is the smallest β of a data set and ``last`` the largest. Constants of Φ are multiplied by K.
    """
    upper = result.upper.sel(map="representation")
    largest = np.maximum(result.lower.max("pairs"), result.local.sel(map="representation", quantile=1))
    found = _theorem(result) | {
        "points": int(readings(result)["images"].points.max()),
        "certified_at": float(result.epsilon.sel(epsilon=CERTIFIED_AT, method="nearest")),
        "ordered": int((largest <= upper * ROUNDING).sum()),
        "margins_hold": int((result.forced <= result.lower.sel(pairs="between") * ROUNDING).sum()),
    }
    groups = {"rings": of_data(result, "rings"), "torus": of_data(result, "torus, 8 classes")} | readings(result)
    for short, networks in groups.items():
        found |= prefixed(short, _at_both_ends(networks))
    for short, networks in readings(result).items():
        found |= prefixed(short, _of_images(networks))
    return found


@comparing(0.0)
def numbers_cifar10(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page on the constants of CIFAR10's networks, as maps of features."""
    return _theorem(result) | _at_both_ends(result) | _of_images(result)
