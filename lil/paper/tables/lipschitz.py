"""Numbers of the theory: Lipschitz constants, both sides of Eq. 6, certificates, and robustness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import spearmanr

from lil.paper.tables import Numbers, flat, prefixed

ROUNDING = 1 + 1e-5  # results are kept in single precision
CERTIFIED_AT = 0.001  # ε of the certificates in the words
SHORT = {"bound": "bound on the gradient", "local": "local constant of Φ", "logits": "local constant of the logits"}


def of_data(result: xr.Dataset, data: str) -> xr.Dataset:
    """Return the networks of one data set."""
    return result.isel(network=np.flatnonzero(result.data.values == data))


def data_names(result: xr.Dataset) -> list[str]:
    """Return the data sets in their order: the rings first, images last."""
    return list(dict.fromkeys(result.data.values.tolist()))


def of_images(result: xr.Dataset) -> xr.Dataset:
    """Return the networks of the images."""
    return of_data(result, data_names(result)[-1])


def with_isometry(result: xr.Dataset) -> xr.Dataset:
    """Return the networks with β > 0."""
    return result.isel(network=np.flatnonzero(result.beta > 0))


def index(result: xr.Dataset) -> pd.MultiIndex:
    """Return the rows of a table with a row a network: its β and seed, and its data set where there are several."""
    keys = ("data", "beta", "seed") if len(data_names(result)) > 1 else ("beta", "seed")
    return pd.MultiIndex.from_arrays([result[key].values for key in keys], names=keys)


def constants_table(result: xr.Dataset) -> pd.DataFrame:
    """Return every estimate of the constant of Φ, a row a network; all but the last column are lower bounds."""
    local, upper = result.local.sel(map="representation"), result.upper.sel(map="representation")
    columns = {
        "within": result.lower.sel(pairs="within"),
        "between": result.lower.sel(pairs="between"),
        "forced": result.forced,
        "median": local.sel(quantile=0.5),
        "largest": local.sel(quantile=1),
        "product": upper,
    }
    return pd.DataFrame(columns, index=index(result), dtype=float)


def stretch_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the median stretch of Φ in each direction, a row a network."""
    along = result.along.sel(quantile=0.5)
    return pd.DataFrame({name: along.sel(direction=name) for name in result.direction.values}, index=index(result))


def sides_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the gradient over its bound of Eq. 6, as medians, and the largest share of points that violate it."""
    columns = {}
    for constant in result.constant.values:
        for term in ("cross_entropy", "isometry"):
            columns[constant, term] = result.tightness.sel(constant=constant, term=term, quantile=0.5)
        columns[constant, "violated"] = result.violated.sel(constant=constant).max("term")
    return pd.DataFrame({key: values.values for key, values in columns.items()}, index=index(result))


def certificate_table(networks: xr.Dataset) -> pd.DataFrame:
    """Return the certified and the attacked accuracy of each network at every third ε, measured in each pixel."""
    columns = {}
    for epsilon in networks.epsilon.values[::3]:
        at = networks.sel(epsilon=epsilon)
        columns["certified", f"ε = {epsilon:.2g}"] = at.certified.sel(norm="Linf").values
        columns["attacked", f"ε = {epsilon:.2g}"] = at.attacked.values
    return pd.DataFrame(columns, index=index(networks))


def measures(networks: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the quantities that the theory ties to robustness, at the median point of each network."""
    return {
        SHORT["bound"]: networks.bound.sel(term="cross_entropy", constant="local", quantile=0.5),
        SHORT["local"]: networks.local.sel(map="representation", quantile=0.5),
        SHORT["logits"]: networks.local.sel(map="logits", quantile=0.5),
    }


def robustness(networks: xr.Dataset) -> xr.DataArray:
    """Return the share of rightly classified points that stay right under attack, as a mean over ε: (network)."""
    return (networks.attacked / networks.accuracy).mean("epsilon")


def robustness_in_pixels(result: xr.Dataset) -> xr.DataArray:
    """Return the same share under FGSM on the cross-entropy, of a result of Figure 3: (network)."""
    kept = (result.accuracy.sel(objective="classification") / result.clean).mean("epsilon")
    return kept.stack(network=("beta", "seed")).reset_index("network", drop=True)


def ranks(networks: xr.Dataset, robust: xr.DataArray) -> pd.DataFrame:
    """Return Spearman's correlation of each of the :func:`measures` with the robustness, over networks."""
    found = {name: float(spearmanr(values, robust).statistic) for name, values in measures(networks).items()}
    return pd.Series(found, name="rank correlation").to_frame()


def _ranks(networks: xr.Dataset, robust: xr.DataArray) -> Numbers:
    found = ranks(networks, robust)["rank correlation"]
    return {f"rank_{short}": float(found[name]) for short, name in SHORT.items()}


def _theorem(result: xr.Dataset) -> Numbers:
    """Return the largest shares of points that violate Eq. 6, and the networks that violate it with Λ = 1."""
    lil = with_isometry(result)
    return {
        "networks": result.sizes["network"],
        "lil_networks": lil.sizes["network"],
        "one_networks": int((lil.violated.sel(constant="one", term="cross_entropy") > 0).sum()),
        "beta_last": float(result.beta.max()),
    } | flat(violated=result.violated.sel(constant=["local", "product"]).max(("network", "term")))


def _ends(networks: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    """Yield the networks with the smallest β and those with the largest."""
    for end, beta in (("first", networks.beta.min()), ("last", networks.beta.max())):
        yield end, networks.isel(network=np.flatnonzero(networks.beta == beta))


def _first_and_last(networks: xr.Dataset) -> Numbers:
    """Return the estimates of the constant as medians over the seeds, at the smallest β and at the largest."""
    numbers: Numbers = {}
    for end, one in _ends(networks):
        local, lower = one.local.median("network"), one.lower.median("network")
        at = local.sel(map="representation")
        numbers |= prefixed(
            end,
            {
                **{word: at.sel(quantile=q).item() for q, word in ((0.5, "median"), (0.95, "most"), (1, "largest"))},
                **{str(pairs): lower.sel(pairs=pairs).item() for pairs in lower.pairs.values},
                "logits": local.sel(map="logits", quantile=0.5).item(),
                "forced": one.forced.median().item(),
                "upper": one.upper.sel(map="representation").median().item(),
            },
        )
    return numbers


def numbers(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page on the constants, and of the pages of the theory.

    ``first`` is β = 0 and ``last`` the largest β; ``lil`` are the networks with β > 0, of all data sets.
    """
    local, upper = result.local.sel(map="representation"), result.upper.sel(map="representation")
    lil, images, name = with_isometry(result), of_images(result), data_names(result)[-1]
    largest = np.maximum(result.lower.max("pairs"), local.sel(quantile=1))
    loose = upper / local.sel(quantile=1)
    tight = result.tightness.sel(quantile=0.5, constant=["local", "product"], term=["cross_entropy", "isometry"])
    found: Numbers = {
        "images": name,
        "points": int(images.points.max()),
        "ordered": int((largest <= upper * ROUNDING).sum()),
        "margins_hold": int((result.forced <= result.lower.sel(pairs="between") * ROUNDING).sum()),
    }
    found |= _theorem(result) | _ranks(images, robustness(images))
    found |= flat(lil_low=lil.lower.min("network"), lil_high=lil.lower.max("network"))
    found |= flat(loose_low=loose.min(), loose_high=loose.max(), tight=tight.median("network").transpose("term", ...))
    for end, one in _ends(images):
        at = one.sel(epsilon=CERTIFIED_AT, method="nearest")
        found[f"total_{end}"] = one.bound.sel(term="total", constant="local", quantile=0.5).median().item()
        found[f"certified_{end}"] = at.certified.sel(norm="Linf").mean().item()
        found[f"attacked_{end}"] = at.attacked.mean().item()
    for short, data in (("rings", "rings"), ("torus", "torus, 8 classes"), ("images", name)):
        medians = of_data(lil, data)[["along", "local"]].sel(quantile=0.5).median("network")
        found |= prefixed(short, flat(along=medians.along, local=medians.local.sel(map="representation")))
    for short, data in (("rings", "rings"), ("images", name)):
        networks = of_data(result, data)
        ends = _first_and_last(networks) | {"beta_last": float(networks.beta.max())}
        ends["verdict"] = "smaller" if ends["first_median"] < ends["last_median"] else "larger"
        found |= prefixed(short, ends)
    return found


def numbers_cifar10(result: xr.Dataset, pixels: xr.Dataset) -> Numbers:
    """Return the numbers of the page on the constants of CIFAR10's networks; ``pixels`` is a result of Figure 3B."""
    return _theorem(result) | _first_and_last(result) | _ranks(result, robustness_in_pixels(pixels))
