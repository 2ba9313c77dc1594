"""The effect of choices in a method on its results, beside that of a seed: functions of a result that has both.

A result has a dimension ``networks``: sets of networks, one of them the ``text``'s, each other with one of the
:data:`CHOICES`, which are coordinates of that dimension, made otherwise. Sets may have fewer seeds than the text's;
sets are compared by their means over the seeds that all of them have.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from lil.paper.numbers import Row
from lil.paper.tables import over_baseline

CHOICES = ("scale", "reduction", "layers", "batch_size")
CLASSES = 10  # of equally many images: one pair of images in so many is of one class, and counts
NEAR = 0.12  # K² = 9 counts as one step of β, which is a factor of 10; so does what CLASSES leaves out


def measures(result: xr.Dataset) -> xr.DataArray:
    """Return the accuracy (measure, networks, beta, seed): ``clean``, and under each attack the mean over its sizes."""
    robust = result.accuracy.mean("epsilon").rename(objective="measure")
    clean = result.clean.expand_dims(measure=["clean"])
    return xr.concat([clean, robust], "measure", join="exact").rename("accuracy").drop_vars(CHOICES)


def shared_seeds(result: xr.Dataset) -> xr.DataArray:
    """Return True for each seed that all sets have."""
    return result.clean.notnull().all(("networks", "beta"))


def means(result: xr.Dataset) -> xr.DataArray:
    """Return the :func:`measures` as means over the seeds that all sets have."""
    return measures(result).sel(seed=result.seed[shared_seeds(result)]).mean("seed")


def options(result: xr.Dataset, choice: str) -> list[str]:
    """Return the sets that differ from the text's in this choice alone, and the text's, sorted by the value chosen."""
    text = result.sel(networks="text")
    alike = np.logical_and.reduce([result[other] == text[other] for other in CHOICES if other != choice])
    return result.networks[alike].sortby(result[choice][alike]).values.tolist()


def spans(result: xr.Dataset) -> xr.DataArray:
    """Return the largest accuracy minus the smallest over the options of each choice: (choice, measure, beta).

    Options are means over the shared seeds. The last choice is the ``seed``: over all of the text's, one network each.
    """
    average = means(result)
    apart = {choice: _range(average.sel(networks=options(result, choice)), "networks") for choice in CHOICES}
    apart["seed"] = _range(measures(result).sel(networks="text", drop=True), "seed")
    return xr.concat([one.expand_dims(choice=[name]) for name, one in apart.items()], "choice", join="exact")


def _range(values: xr.DataArray, dim: str) -> xr.DataArray:
    return values.max(dim) - values.min(dim)


def gains(result: xr.Dataset) -> xr.DataArray:
    """Return the accuracy at each β > 0 minus that at β = 0 (measure, networks, beta), as means over shared seeds."""
    return over_baseline(means(result))


def from_paper(result: xr.Dataset, printed: Row) -> xr.DataArray:
    """Return the mean distance of each set's clean accuracy from the paper's row, over the β of both: (networks)."""
    row = xr.DataArray(list(printed.values), coords={"beta": list(printed.betas)})
    return abs(means(result).sel(measure="clean", drop=True) - row).mean("beta")


def weights(result: xr.Dataset) -> xr.DataArray:
    """Return each set's factor on β in front of (d(Φ) − d/K)²: K², and N²/pairs by the other reduction."""
    return result.scale**2 * xr.where(result.reduction == "pairs", CLASSES, 1)


def at_equal_weight(result: xr.Dataset) -> xr.DataArray:
    """Return the mean distance of sets of another weight from the text's: (networks, compared, measure).

    ``compared`` is "same β", or "equal weight": with the text's networks of that β which gives them equal weights. Both
    over those β > 0 that have such a counterpart; sets of which none has are left out.
    """
    average, each = means(result), {}
    text = average.sel(networks="text", drop=True)
    betas = result.beta.values
    for name, weight in weights(result).to_series().items():
        if weight == 1:
            continue
        places = (betas[:, None] > 0) & np.isclose(betas, weight * betas[:, None], rtol=NEAR)
        here, there = (xr.DataArray(betas[place], dims="pair") for place in np.nonzero(places))
        ours = average.sel(networks=name, beta=here, drop=True)
        apart = [abs(ours - text.sel(beta=other, drop=True)).mean("pair") for other in (here, there)]
        each[name] = xr.concat(apart, "compared", join="exact").assign_coords(compared=["same β", "equal weight"])
    apart = [one.expand_dims(networks=[name]) for name, one in each.items()]
    return xr.concat(apart, "networks", join="exact").dropna("networks", how="all")
