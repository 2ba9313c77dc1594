"""Numbers of the isometry loss's cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from lil.paper.tables import Numbers, config, flat

NAMES = {"all": "all pairs", "within-class": "pairs of one class", "sampled": "pairs drawn at random"}
FITTED = 3  # sizes, the largest, through which the power of the growth is fitted


def table(result: xr.Dataset) -> pd.DataFrame:
    """Return milliseconds and MiB of one call, a row a number of points."""
    columns = {
        (unit, NAMES[kind]): values.sel(pairs=kind).to_series()
        for unit, values in (("milliseconds", 1e3 * result.seconds), ("MiB", result.memory))
        for kind in result.pairs.values.tolist()
    }
    return pd.DataFrame(columns)


def numbers(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page: cost at the most points by kind of pairs, and its growth, as a power.

    ``few`` and ``many`` are the least and the most pairs drawn. A time is the median of ``calls``. A spread is the
    standard deviation of ``estimates``.
    """
    most, threads, members = (int(result[dim].max()) for dim in ("points", "threads", "members"))
    last, by_threads, by_members = result.sel(points=most), result.by_threads, result.by_members
    fitted = np.log(result.seconds.sortby("points").isel(points=slice(-FITTED, None)))
    power = fitted.assign_coords(points=np.log(fitted.points)).polyfit("points", 1).polyfit_coefficients.sel(degree=1)
    few, many = int(result.drawn.min()), int(result.drawn.max())
    return {
        "points": most,
        "calls": config(result)["repeats"],
        "estimates": config(result)["n_estimates"],
        "cores": int(result.cores),
        "threads": threads,
        "faster": float(by_threads.sel(threads=by_threads.threads.min()) / by_threads.sel(threads=threads)),
        "few": few,
        "spread_few": float(result.spread.sel(drawn=few)),
        "many": many,
        "spread_many": float(result.spread.sel(drawn=many)),
        "members": members,
        "member_ratio": float(by_members.sel(members=members) / by_members.sel(members=by_members.members.min())),
    } | flat(ms=1e3 * last.seconds, power=power, mib=last.memory)
