"""Numbers of MNIST in two and three units, beside PCA, UMAP and supervised UMAP."""

from __future__ import annotations

from itertools import product

import pandas as pd
import xarray as xr

from lil.paper.intervals import over_seeds, over_seeds_and_images
from lil.paper.tables import Numbers, flat, frame

METHODS = {"pca": "PCA", "umap": "UMAP", "supervised": "supervised UMAP"}
MEASURES = {
    "vote": "accuracy of the neighbours' vote",
    "correlation": "correlation of distances within the classes",
    "trust": "trustworthiness",
    "trust_within": "trustworthiness within the classes",
}


def means(result: xr.Dataset) -> xr.Dataset:
    """Return the measures of networks and methods for each seed, the vote as a mean over the images."""
    names = [f"{prefix}{name}" for prefix in ("", "other_") for name in MEASURES]
    return result[["accuracy", "ratio", *names]].assign(
        vote=result.vote.mean("image"), other_vote=result.other_vote.mean("image")
    )


def measure_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the measures of each method and of the networks of each K and β, as means over seeds."""
    one = means(result).mean("seed")
    parts = {}
    for units in one.units.values.tolist():
        at = one.sel(units=units)
        for method, name in METHODS.items():
            parts[units, name, ""] = {MEASURES[key]: float(at[f"other_{key}"].sel(other=method)) for key in MEASURES}
        for scale in one.scale.values.tolist():
            for beta in one.beta.values.tolist():
                cell = at.sel(scale=scale, beta=beta)
                row = {MEASURES[key]: float(cell[key]) for key in MEASURES}
                more = {"accuracy of the classifier": float(cell.accuracy), "K d(Φ)/d(x), median": float(cell.ratio)}
                parts[units, f"K = {scale:g}", f"β = {beta:g}"] = row | more
    return frame(parts, ["units", "", " "])


def ahead(result: xr.Dataset, units: int, method: str) -> list[tuple[float, float]]:
    """Return (K, β) of the networks that beat a method in both the vote and the correlation, as means over seeds."""
    one = means(result).sel(units=units).mean("seed")
    both = (one.vote > one.other_vote.sel(other=method)) & (one.correlation > one.other_correlation.sel(other=method))
    settings = product(one.scale.values.tolist(), one.beta.values.tolist())
    return [(scale, beta) for scale, beta in settings if both.sel(scale=scale, beta=beta)]


def settings_in_words(chosen: list[tuple[float, float]]) -> str:
    """Return "K = 10 with β = 0.01 or 0.1; K = 1 with β = 1", or "none"."""
    by_scale = {scale: [f"{beta:g}" for k, beta in chosen if k == scale] for scale, _ in chosen}
    return "; ".join(f"K = {scale:g} with β = {' or '.join(betas)}" for scale, betas in by_scale.items()) or "none"


def best(result: xr.Dataset, units: int) -> tuple[float, float]:
    """Return K and β of the networks whose classifier is most accurate, as a mean over seeds."""
    one = result.accuracy.sel(units=units).mean("seed").stack(setting=("scale", "beta"))
    scale, beta = one.idxmax("setting").item()
    return scale, beta


def numbers(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page; names end in the units, and in K and β or the method.

    ``best`` are the networks of :func:`best`; ``vote_over`` and ``correlation_over`` are their measures minus those of
    a method, with intervals over seeds and images, or over seeds. ``ahead`` are the networks of :func:`ahead` in words.
    """
    seeds, each = means(result), means(result).mean("seed")
    found: Numbers = {"seeds": result.sizes["seed"], "images": result.sizes["image"], "x_dist": float(result.x_dist)}
    for units in result.units.values.tolist():
        scale, beta = best(result, units)
        network = dict(units=units, scale=scale, beta=beta)
        found |= {
            f"reach_{units}": 2 * units**0.5,
            f"best_scale_{units}": f"{scale:g}",
            f"best_beta_{units}": f"{beta:g}",
            f"best_vote_{units}": float(each.vote.sel(network)),
            f"best_correlation_{units}": float(each.correlation.sel(network)),
        }
        for method in METHODS:
            other = dict(units=units, other=method)
            vote = result.vote.sel(network, drop=True).astype(float) - result.other_vote.sel(other, drop=True)
            correlation = seeds.correlation.sel(network) - seeds.other_correlation.sel(other)
            found |= {
                f"vote_over_{units}_{method}": f"{over_seeds_and_images(vote):+.3f}",
                f"correlation_over_{units}_{method}": f"{over_seeds(correlation):+.3f}",
                f"ahead_{units}_{method}": settings_in_words(ahead(result, units, method)),
            }
    return found | flat(
        other_vote=each.other_vote.transpose("units", "other"),
        other_correlation=each.other_correlation.transpose("units", "other"),
    )
