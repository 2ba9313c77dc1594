"""Numbers of the page on Table 1's second row: accuracies of several sets of networks beside the printed ones.

``scaled`` is a result of the experiment ``table1_cifar10``, ``trained`` one of ``table1_cifar10_trained``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from lil.paper.intervals import Interval, over_seeds
from lil.paper.numbers import TABLE_1
from lil.paper.tables import Numbers, comparing, prefixed

T = TypeVar("T", xr.DataArray, xr.Dataset)

PRINTED = TABLE_1["cifar10"]
WITHIN = 0.02  # a set gives a printed number if its mean accuracy lies no further away
FALLEN = 0.5  # a set's accuracy falls at β = 10 if it is at most this share of that at β = 0; the paper's is 0.3
TRAINED = {"vgg13": "VGG13 trained along", "cnn": "CNN of 7167a91, trained along"}


def set_names(scaled: xr.Dataset) -> dict[str, str]:
    """Return each set of networks on scaled features in words: "features × 9"."""
    images = {True: ", images (x − 0.5)/0.5", False: ""}
    return {
        name: f"features × {scale:g}{images[name.startswith('half')]}"
        for name, scale in zip(scaled.networks.values.tolist(), scaled.feature_scale.values, strict=True)
    }


def accuracies(scaled: xr.Dataset, trained: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the accuracy (beta, seed) of every set of networks, by its name in words: β of the paper's row alone."""
    frozen = {words: scaled.accuracy.sel(networks=name) for name, words in set_names(scaled).items()}
    others = {words: trained.accuracy.sel(networks=name) for name, words in TRAINED.items()}
    return {words: _there(each.sel(beta=each.beta.isin(PRINTED.betas))) for words, each in (frozen | others).items()}


def _there(values: T) -> T:
    """Return the β and seeds that a set of networks has."""
    return values.dropna("beta", how="all").dropna("seed", how="all")


def gaps(scaled: xr.Dataset, trained: xr.Dataset) -> pd.DataFrame:
    """Return the mean accuracy of every set minus the printed one, a column a β; NaN where a β was not trained."""
    rows = {words: each.mean("seed").to_series() for words, each in accuracies(scaled, trained).items()}
    means = pd.DataFrame(rows).T.astype(float)
    return means - pd.Series({beta: PRINTED.at(beta) for beta in means.columns})


@comparing(0.0)
def row_table(scaled: xr.Dataset, trained: xr.Dataset) -> pd.DataFrame:
    """Return the printed row and, below it, the mean accuracy of every set: a column a β, three digits.

    ``apart`` is the root mean square of the differences from the printed row, over the β of the set.
    """
    apart = gaps(scaled, trained)
    printed = pd.Series({beta: PRINTED.at(beta) for beta in apart.columns})
    shown = {"the paper": [*printed.map("{:.3f}".format), "1", "–"]}
    for words, each in accuracies(scaled, trained).items():
        row = apart.loc[words]
        cells = ["not trained" if np.isnan(gap) else f"{gap + printed[beta]:.3f}" for beta, gap in row.items()]
        shown[words] = [*cells, str(each.sizes["seed"]), f"{_root_mean_square(row):.3f}"]
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


def history_table(trained: xr.Dataset) -> pd.DataFrame:
    """Return the accuracy on the training images in each epoch of every backbone and β, as means over seeds."""
    accuracy = trained.history.sel(term="accuracy").mean("seed").rename(networks="backbone")
    table = accuracy.stack(network=("backbone", "beta")).transpose("epoch", "network").to_pandas().astype(float)
    return table.dropna(axis=1, how="all").map(lambda value: "–" if np.isnan(value) else f"{value:.3f}")


def attack_table(trained: xr.Dataset, backbone: str) -> pd.DataFrame:
    """Return the accuracy under attack of the networks on one backbone: a row an ε, columns objective and β."""
    means = robust(trained, backbone).accuracy.mean("seed").transpose("objective", "epsilon", "beta")
    tables = {name: means.sel(objective=name).to_pandas() for name in means.objective.values.tolist()}
    return pd.concat(tables, axis=1, names=["objective", "beta"]).astype(float)


def robust(trained: xr.Dataset, backbone: str) -> xr.Dataset:
    """Return the accuracy under attack of the networks on one backbone, in the form that Figure 3 is drawn from."""
    one = _there(trained.sel(networks=backbone)[["attacked", "attacked_clean"]])
    return one.rename(attacked="accuracy", attacked_clean="clean").assign_attrs(trained.attrs)


# The words


def listed(words: Sequence[str]) -> str:
    """Return "a", "a and b", "a; b; and c" or "none"."""
    if len(words) < 3:
        return " and ".join(words) or "none"
    return "; ".join(words[:-1]) + f"; and {words[-1]}"


def given(scaled: xr.Dataset, trained: xr.Dataset) -> pd.DataFrame:
    """Return True where the mean accuracy of a set lies within :data:`WITHIN` of the printed one."""
    return gaps(scaled, trained).abs() <= WITHIN


def all_six(found: pd.DataFrame) -> str:
    """Return the sentence on the sets that give every printed number."""
    sets = [words for words, row in found.iterrows() if row.all()]
    if not sets:
        most = found.sum(axis=1)
        best = [str(words) for words in most[most == most.max()].index]
        return (
            f"No set of networks gives all {found.shape[1]} printed numbers to within {WITHIN}; "
            f"the most, {most.max()}, come from {listed(best)}."
        )
    words = listed([str(words) for words in sets])
    return f"All {found.shape[1]} printed numbers are given to within {WITHIN} by {words}."


def falling(scaled: xr.Dataset, trained: xr.Dataset) -> str:
    """Return the sets whose accuracy at the largest β is at most :data:`FALLEN` of that at β = 0."""
    kept = {words: _share_kept(each.mean("seed")) for words, each in accuracies(scaled, trained).items()}
    return listed([words for words, share in kept.items() if share <= FALLEN])


def _share_kept(accuracy: xr.DataArray) -> float:
    return float(accuracy.sel(beta=accuracy.beta.max()) / accuracy.sel(beta=0))


def _root_mean_square(values: pd.Series) -> float:
    return float(np.sqrt((values**2).mean()))


def rising(trained: xr.Dataset, backbone: str) -> str:
    """Return the sentence on how much the last epoch still added to the accuracy on the training images."""
    accuracy = trained.history.sel(term="accuracy", networks=backbone).mean("seed").dropna("beta", how="all")
    steps = accuracy.dropna("epoch").diff("epoch")
    if steps.sizes["epoch"] == 0:
        return "One epoch alone was trained."
    last = steps.sel(epoch=steps.epoch.max())
    parts = [f"{float(step):+.3f} at β = {float(step.beta):g}".replace("-", "−") for step in last]
    return f"In the last of {accuracy.dropna('epoch').sizes['epoch']} epochs it still changed by {listed(parts)}."


@comparing(0.0, max(PRINTED.betas))
def numbers(scaled: xr.Dataset, trained: xr.Dataset) -> Numbers:
    """Return the numbers of the page.

    ``nearest`` is the set on frozen features that comes nearest to the printed row, by the root mean square difference
    over all β, ``text`` that on features as they are. ``drop`` is accuracy at β = 0 minus that at the largest β, paired
    seed by seed. Numbers of the trained backbones begin with their names.
    """
    apart, found, names = gaps(scaled, trained), given(scaled, trained), set_names(scaled)
    frozen = apart.loc[list(names.values())]
    distance = frozen.apply(_root_mean_square, axis=1)
    nearest, text = str(distance.idxmin()), names["scale_1"]
    accuracy, settings = accuracies(scaled, trained), json.loads(trained.attrs["config"])
    largest = float(accuracy[text].beta.max())
    numbers: Numbers = {
        "sets": len(apart),
        "seeds": scaled.sizes["seed"],
        "within": f"{WITHIN:g}",
        "nearest": nearest,
        "nearest_by": float(distance[nearest]),
        "nearest_given": _given(found.loc[nearest]),
        "text_by": float(distance[text]),
        "text_given": _given(found.loc[text]),
        "printed": ", ".join(f"{value:.3f}" for value in PRINTED.values),
        "text_first": float(accuracy[text].sel(beta=0).mean()),
        "text_last": float(accuracy[text].sel(beta=largest).mean()),
        "largest": f"{largest:g}",
        "printed_drop": PRINTED.at(0.0) - PRINTED.at(largest),
        "nearest_drop": f"{_drop(accuracy[nearest]):.3f}",
        "text_drop": f"{_drop(accuracy[text]):.3f}",
        "all_six": all_six(found),
        "falling": falling(scaled, trained),
        "reach": float(scaled.reach.sel(networks="scale_1")),
        "input_distance": float(scaled.input_distance.sel(networks="scale_1")),
        "attacked": settings["n_attacked"],
        "sampling": float(1.96 * np.sqrt(0.5 / settings["n_attacked"])),
    }
    for backbone, words in TRAINED.items():
        row, one = apart.loc[words].dropna(), accuracy[words]
        of_one = {
            "seeds": one.sizes["seed"],
            "betas": ", ".join(f"{beta:g}" for beta in row.index),
            "by": _root_mean_square(row),
            "given": _given(found.loc[words][row.index]),
            "drop": f"{_drop(one):.3f}",
            "rising": rising(trained, backbone),
            "input_distance": float(trained.input_distance.sel(networks=backbone)),
        }
        numbers |= prefixed(backbone, of_one) | prefixed(backbone, _attack(trained, backbone))
    return numbers


def _given(row: pd.Series) -> str:
    """Return "2 of 6 (β = 0 and 10)"."""
    betas = [f"{beta:g}" for beta, right in row.items() if right]
    return f"{len(betas)} of {len(row)}" + (f" (β = {', '.join(betas)})" if betas else "")


def _drop(accuracy: xr.DataArray) -> Interval:
    """Return the interval of the accuracy at β = 0 minus that at the largest β, over seeds."""
    return over_seeds(accuracy.sel(beta=0) - accuracy.sel(beta=accuracy.beta.max()))


def _attack(trained: xr.Dataset, backbone: str) -> Numbers:
    """Return the gain of the largest β over β = 0 under both attacks, at the ε where the paper's shows most of it."""
    one = robust(trained, backbone).accuracy.mean("seed")
    gain = one.sel(beta=one.beta.max()) - one.sel(beta=0)
    at = float(gain.sel(objective="total").idxmax("epsilon"))
    numbers: Numbers = {"epsilon": f"{at:.3g}"}
    for word, objective in (("paper", "total"), ("attacker", "classification")):
        numbers |= {
            f"{word}_gain": float(gain.sel(objective=objective, epsilon=at)),
            f"{word}_base": float(one.sel(objective=objective, epsilon=at, beta=0)),
        }
    return numbers
