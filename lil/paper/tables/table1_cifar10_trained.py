"""Numbers of the page on Table 1's second row with backbones that are trained along.

``trained`` is a result of the experiment ``table1_cifar10_trained``. :func:`joined` adds the networks of
``table1_cifar10_trained_between``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from lil.paper.tables import Numbers, comparing, config, prefixed
from lil.paper.tables.table1_cifar10 import (
    PAPERS,
    PRINTED,
    accuracies,
    drop,
    falling,
    gaps,
    given,
    listed,
    root_mean_square,
    set_names,
    there,
)

TRAINED = {"vgg13": "VGG13 trained along", "cnn": "CNN of 7167a91, trained along"}


def joined(*parts: xr.Dataset) -> xr.Dataset:
    """Return the results as one, with the attributes of the first. Where two have a number, the first one's stays."""
    whole = parts[0].drop_attrs(deep=False)
    for part in parts[1:]:
        whole = whole.combine_first(part)
    return whole.assign_attrs(parts[0].attrs)


@comparing(0.0)
def origins_table(trained: xr.Dataset, scaled: xr.Dataset) -> pd.DataFrame:
    """Return for each printed number, a row a β, the accuracy that each possible origin gives, and the nearest one.

    Origins are features as they are, features at the scale nearest to the row (``scaled``), and trained backbones.
    """
    at_scale = accuracies(scaled, set_names(scaled))
    nearest = str(gaps(at_scale).apply(root_mean_square, axis=1).idxmin())
    frozen = {words: at_scale[words] for words in (set_names(scaled)["scale_1"], nearest)}
    sets = {**frozen, **accuracies(trained, TRAINED)}
    apart = gaps(sets)
    columns = {"the paper": [f"{PRINTED.at(beta):.3f}" for beta in apart.columns]}
    for words, row in apart.iterrows():
        columns[words] = ["–" if np.isnan(gap) else f"{gap + PRINTED.at(beta):.3f}" for beta, gap in row.items()]
    columns |= {"nearest": apart.abs().idxmin().tolist(), "off by": apart.abs().min().map("{:.3f}".format).tolist()}
    return pd.DataFrame(columns, pd.Index(apart.columns, name="beta"))


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
    one = there(trained.sel(networks=backbone)[["attacked", "attacked_clean"]])
    return one.rename(attacked="accuracy", attacked_clean="clean").assign_attrs(trained.attrs)


def rising(trained: xr.Dataset, backbone: str) -> str:
    """Return the sentence on how much the last epoch still added to the accuracy on the training images."""
    accuracy = trained.history.sel(term="accuracy", networks=backbone).mean("seed").dropna("beta", how="all")
    steps = accuracy.dropna("epoch").diff("epoch")
    if steps.sizes["epoch"] == 0:
        return "One epoch alone was trained."
    last = steps.sel(epoch=steps.epoch.max())
    parts = [f"{float(step):+.3f} at β = {float(step.beta):g}".replace("-", "−") for step in last]
    return f"In the last of {accuracy.dropna('epoch').sizes['epoch']} epochs accuracy changed by {listed(parts)}."


@comparing(0.0, max(PRINTED.betas))
def numbers(trained: xr.Dataset) -> Numbers:
    """Return the numbers of the page; those of one backbone begin with its name."""
    sets, attacked = accuracies(trained, TRAINED), config(trained)["n_attacked"]
    apart = gaps(sets)
    numbers = PAPERS | {
        "falling": falling(sets),
        "attacked": attacked,
        "sampling": float(1.96 * np.sqrt(0.5 / attacked)),
    }
    for backbone, words in TRAINED.items():
        of_one = {
            "seeds": sets[words].sizes["seed"],
            "betas": ", ".join(f"{beta:g}" for beta in sets[words].beta.values),
            "given": given(apart.loc[words]),
            "by": root_mean_square(apart.loc[words]),
            "last": float(sets[words].mean("seed").sel(beta=sets[words].beta.max())),
            "drop": f"{drop(sets[words]):.3f}",
            "rising": rising(trained, backbone),
        }
        numbers |= prefixed(backbone, of_one | _attack(trained, backbone))
    return numbers


def _attack(trained: xr.Dataset, backbone: str) -> Numbers:
    """Return the gain of the largest β over β = 0 under both attacks, at the ε where the paper's shows most of it."""
    one = robust(trained, backbone).accuracy.mean("seed")
    gain = one.sel(beta=one.beta.max()) - one.sel(beta=0)
    at = float(gain.sel(objective="total").idxmax("epsilon"))
    return {
        "epsilon": f"{at:.3g}",
        "base": float(one.sel(objective="total", epsilon=at, beta=0)),
        "paper_gain": float(gain.sel(objective="total", epsilon=at)),
        "attacker_gain": float(gain.sel(objective="classification", epsilon=at)),
    }
