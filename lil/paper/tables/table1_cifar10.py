"""Numbers of the page on Table 1's second row: accuracies on features of several scales beside the printed ones.

``scaled`` is a result of the experiment ``table1_cifar10``. The functions of ``sets``, and of their gaps from the
printed row, serve the page on trained backbones too: :mod:`lil.paper.tables.table1_cifar10_trained`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from lil.paper.intervals import Interval, over_seeds
from lil.paper.numbers import TABLE_1
from lil.paper.tables import Numbers, comparing

T = TypeVar("T", xr.DataArray, xr.Dataset)

Sets = Mapping[str, xr.DataArray]
"""Accuracies (beta, seed) by the name, in words, of the set of networks."""

PRINTED = TABLE_1["cifar10"]
WITHIN = 0.02  # a set gives a printed number if its mean accuracy lies no further away
FALLEN = 0.5  # a set's accuracy falls at β = 10 if it is at most this share of that at β = 0; the paper's is 0.3
PAPERS: Numbers = {
    "printed": ", ".join(f"{value:.3f}" for value in PRINTED.values),
    "largest": f"{max(PRINTED.betas):g}",
    "printed_drop": PRINTED.at(0.0) - PRINTED.at(max(PRINTED.betas)),
    "within": f"{WITHIN:g}",
}


def set_names(scaled: xr.Dataset) -> dict[str, str]:
    """Return each set of networks on scaled features in words: "features × 9"."""
    images = {True: ", images (x − 0.5)/0.5", False: ""}
    return {
        name: f"features × {scale:g}{images[name.startswith('half')]}"
        for name, scale in zip(scaled.networks.values.tolist(), scaled.feature_scale.values, strict=True)
    }


def accuracies(result: xr.Dataset, names: Mapping[str, str]) -> Sets:
    """Return the accuracy of every set of networks, by its name in words: the β and seeds that the set has.

    Of the β, only those of the paper's row are there.
    """
    row = result.accuracy.sel(beta=result.beta.isin(PRINTED.betas))
    return {words: there(row.sel(networks=name)) for name, words in names.items()}


def there(values: T) -> T:
    """Return the β and seeds that a set of networks has."""
    return values.dropna("beta", how="all").dropna("seed", how="all")


def gaps(sets: Sets) -> pd.DataFrame:
    """Return the mean accuracy of every set minus the printed one, a column a β; NaN where a β was not trained."""
    means = pd.DataFrame({words: each.mean("seed").to_series() for words, each in sets.items()}).T.astype(float)
    return means - pd.Series({beta: PRINTED.at(beta) for beta in means.columns})


@comparing(0.0)
def row_table(result: xr.Dataset, names: Mapping[str, str]) -> pd.DataFrame:
    """Return the printed row and, below it, the mean accuracy of every set: a column a β, three digits.

    ``apart`` is the root mean square of the differences from the printed row, over the β of the set.
    """
    sets = accuracies(result, names)
    apart = gaps(sets)
    shown = {"the paper": [*(f"{PRINTED.at(beta):.3f}" for beta in apart.columns), "1", "–"]}
    for words, row in apart.iterrows():
        cells = ["not trained" if np.isnan(gap) else f"{gap + PRINTED.at(beta):.3f}" for beta, gap in row.items()]
        shown[words] = [*cells, str(sets[words].sizes["seed"]), f"{root_mean_square(row):.3f}"]
    columns = [*(f"β = {beta:g}" for beta in apart.columns), "networks a β", "apart"]
    return pd.DataFrame.from_dict(shown, orient="index", columns=columns)


@comparing(0.0)
def reach_table(scaled: xr.Dataset) -> pd.DataFrame:
    """Return distances within classes of inputs and representations, and saturated units, of every scale.

    ``beyond`` is the share of the inputs' distances that no representation can reach. Distances and the share of
    saturated units are given at β = 0 and at the largest β, as means over seeds.
    """
    means, largest = scaled.mean("seed"), float(scaled.beta.max())
    columns = {
        "inputs": means.input_distance.to_series().map("{:.1f}".format),
        "reach": means.reach.to_series().map("{:.1f}".format),
        "beyond": means.beyond.to_series().map("{:.3f}".format),
    }
    for beta in (0.0, largest):
        one = means.sel(beta=beta)
        columns |= {
            f"Φ, β = {beta:g}": one.distance.to_series().map("{:.1f}".format),
            f"saturated, β = {beta:g}": one.saturated.to_series().map("{:.3f}".format),
        }
    return pd.DataFrame(columns).rename(index=set_names(scaled)).rename_axis("")


# The words


def listed(words: Sequence[str]) -> str:
    """Return "a", "a and b", "a; b; and c" or "none"."""
    if len(words) < 3:
        return " and ".join(words) or "none"
    return "; ".join(words[:-1]) + f"; and {words[-1]}"


def given(row: pd.Series) -> str:
    """Return the count of a set's gaps that are at most :data:`WITHIN`, as "2 of 6 (β = 0, 10)"."""
    row = row.dropna()
    betas = [f"{beta:g}" for beta, gap in row.items() if abs(gap) <= WITHIN]
    return f"{len(betas)} of {len(row)}" + (f" (β = {', '.join(betas)})" if betas else "")


def all_six(apart: pd.DataFrame) -> str:
    """Return the sentence on the sets whose gaps are all at most :data:`WITHIN`."""
    found = (apart.abs() <= WITHIN).sum(axis=1)
    most, numbers = int(found.max()), f"{apart.shape[1]} printed numbers"
    sets = listed([str(words) for words in found[found == most].index])
    if most == apart.shape[1]:
        return f"All {numbers} are given to within {WITHIN} by {sets}."
    none = f"No set of networks of this page gives all {numbers} to within {WITHIN}"
    return f"{none}; the most, {most}, come from {sets}."


def falling(sets: Sets) -> str:
    """Return the sets whose accuracy at the largest β is at most :data:`FALLEN` of that at β = 0."""
    means = {words: each.mean("seed") for words, each in sets.items()}
    return listed([w for w, mean in means.items() if mean.sel(beta=mean.beta.max()) <= FALLEN * mean.sel(beta=0)])


def drop(accuracy: xr.DataArray) -> Interval:
    """Return the interval of the accuracy at β = 0 minus that at the largest β, paired seed by seed."""
    return over_seeds(accuracy.sel(beta=0) - accuracy.sel(beta=accuracy.beta.max()))


def root_mean_square(values: pd.Series) -> float:
    """Return the root of the mean square of the values that are no NaN."""
    return float(np.sqrt((values**2).mean()))


@comparing(0.0, max(PRINTED.betas))
def numbers(scaled: xr.Dataset) -> Numbers:
    """Return the numbers of the page.

    ``nearest`` is the set that comes nearest to the printed row, by the root mean square difference over all β,
    ``text`` that on features as they are.
    """
    names = set_names(scaled)
    sets = accuracies(scaled, names)
    apart = gaps(sets)
    distance = apart.apply(root_mean_square, axis=1)
    nearest, text = str(distance.idxmin()), names["scale_1"]
    means = sets[text].mean("seed")
    return PAPERS | {
        "seeds": scaled.sizes["seed"],
        "nearest": nearest,
        "nearest_by": float(distance[nearest]),
        "nearest_given": given(apart.loc[nearest]),
        "nearest_drop": f"{drop(sets[nearest]):.3f}",
        "nearest_last": float(sets[nearest].mean("seed").sel(beta=sets[nearest].beta.max())),
        "text_by": float(distance[text]),
        "text_given": given(apart.loc[text]),
        "text_drop": f"{drop(sets[text]):.3f}",
        "text_first": float(means.sel(beta=0)),
        "text_last": float(means.sel(beta=means.beta.max())),
        "all_six": all_six(apart),
        "falling": falling(sets),
        "input_distance": float(scaled.input_distance.sel(networks="scale_1")),
    }
