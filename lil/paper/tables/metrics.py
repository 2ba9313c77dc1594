"""Numbers of rings and torus with other metrics than the Euclidean one."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from lil.paper.intervals import over_seeds
from lil.paper.tables import Numbers, flat

NAMES = {"euclidean": "Euclidean", "manhattan": "Manhattan", "geodesic": "geodesic"}
TERMS = {"none": "cross-entropy alone"} | {name: f"{words} term" for name, words in NAMES.items()}


def stress_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the stress on held-out points in each metric (rows) of each term's networks (columns): means over seeds.

    The last column is the least stress of any points: 0, and for geodesic distances the least that was found.
    """
    one = result.sel(points="held-out")
    table = one.stress.mean("seed").transpose("data", "metric", "term").to_series().unstack("term")[one.term.values]
    least = one.least_stress.where(one.metric == "geodesic", 0).transpose("data", "metric").to_series()
    table.insert(len(table.columns), "least found", least)
    return table.astype(float).rename(columns=TERMS, index=NAMES).rename_axis(index=["", "metric"], columns=None)


def own(result: xr.Dataset, measure: str) -> xr.DataArray:
    """Return a measure (data, points, seed, metric) in each metric, of the networks that were trained to keep it."""
    metrics = result.metric.values.tolist()
    each = [result[measure].sel(term=name, metric=name).drop_vars("term") for name in metrics]
    return xr.concat(each, "metric", join="exact")


def numbers(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page, on held-out points unless they end in ``_training``.

    ``stress`` ends in the data set, the term and the metric, as a mean over seeds. ``own`` counts the
    pairs of a data set and a metric in which every network that was trained to keep the metric has less stress than any
    network with another term or none, ``cells`` all such pairs. ``saved`` is the stress of the network with the
    Euclidean term minus that of the network with the metric's own, with its interval over seeds. ``above_least`` is the
    stress of the geodesic networks divided by the least found. ``pairs`` are drawn as dots.
    """
    one = result.sel(points="held-out", drop=True)
    mine, both = own(one, "stress"), ("data", "metric")
    others = one.stress.where(one.term != one.metric).min(("term", "seed"))
    worst = mine.max("seed")
    saved = one.stress.sel(term="euclidean", drop=True) - mine
    geodesic = own(result, "stress").sel(metric="geodesic", drop=True)
    found: Numbers = {
        "seeds": one.sizes["seed"],
        "pairs": one.sizes["pair"],
        "own": int((worst < others).sum()),
        "cells": one.sizes["data"] * one.sizes["metric"],
        "accuracy": float(one.accuracy.min()),
    }
    for data in one.data.values.tolist():
        for metric in one.metric.values.tolist():
            if metric != "euclidean":
                found[f"saved_{data}_{metric}"] = f"{over_seeds(saved.sel(data=data, metric=metric)):.3f}"
    return found | flat(
        stress=one.stress.mean("seed").transpose("data", "term", "metric"),
        least_own_correlation=own(one, "correlation").min("seed").transpose(*both),
        most_own=worst.transpose(*both),
        least=one.least_stress,
        best_correlation=one.best_correlation,
        above_least=(geodesic.sel(points="held-out", drop=True).mean("seed") / one.least_stress),
        above_least_training=(
            geodesic.sel(points="training", drop=True).mean("seed")
            / result.least_stress.sel(points="training", drop=True)
        ),
    )
