"""Numbers of the page on certificates: certified accuracy beside an attack, and gradients beside margins."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import xarray as xr

from lil.paper.intervals import Interval, over_seeds, over_seeds_and_images
from lil.paper.tables import Numbers, comparing, frame, over_baseline
from lil.paper.tables.lipschitz import rank

READINGS = {"mnist_text": "K = 1", "mnist_public": "K = 10"}
METHODS = {
    "right": "clean",
    "pgd": "PGD",
    "crown": "certified by CROWN",
    "product": "certified by the product of norms",
}
QUANTITIES = {
    "cross_entropy": "norm of the gradient of the cross-entropy",
    "total": "norm of the gradient of the training loss",
    "margin": "margin",
    "local": "local Lipschitz constant of the logits",
    "reach": "reach, margin / (√2 · local constant)",
}
STATED_AT = 0.01  # ε of the first numbers in the words; a rerun takes the nearest of its own
SMALL = 1e-4  # ε at which the product of norms certifies something


def every_image(result: xr.Dataset) -> xr.DataArray:
    """Return 1 or 0 for each image: (kind, networks, beta, seed, epsilon, image), the METHODS in their order."""
    each = {
        "right": result.right.expand_dims(epsilon=result.epsilon),
        "pgd": result.pgd,
        "crown": result.crown,
        "product": result["product"] > result.epsilon,
    }
    dims = ("networks", "beta", "seed", "epsilon", "image")
    parts = [each[method].transpose(*dims).astype(float) for method in METHODS]
    return xr.concat(parts, "kind", join="exact").assign_coords(kind=list(METHODS))


def stated_at(result: xr.Dataset) -> float:
    """Return the ε of the first numbers in the words."""
    return float(result.epsilon.sel(epsilon=STATED_AT, method="nearest"))


def accuracy_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the share of the images, a row a reading, an ε and a method, a column a β: means over seeds and images."""
    means = every_image(result).mean(("seed", "image"))
    rows = {
        (reading, f"ε = {epsilon:g}", words): means.sel(networks=name, epsilon=epsilon, kind=method).to_series()
        for name, reading in READINGS.items()
        for epsilon in result.epsilon.values
        for method, words in METHODS.items()
    }
    return frame(rows).rename_axis(columns="β")


def gains(result: xr.Dataset) -> xr.DataArray:
    """Return the largest β minus β = 0, image by image and seed by seed, of what :func:`every_image` returns."""
    return over_baseline(every_image(result)).sel(beta=result.beta.max(), drop=True)


@comparing(0.0)
def gains_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the gain of the largest β over β = 0, a row a reading and a method, a column an ε, with intervals."""
    gain = gains(result)
    rows = {
        (reading, words): {
            f"ε = {epsilon:g}": f"{over_seeds_and_images(gain.sel(networks=name, kind=method, epsilon=epsilon)):+.3f}"
            for epsilon in result.epsilon.values
        }
        for name, reading in READINGS.items()
        for method, words in METHODS.items()
    }
    return frame(rows)


def spread_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the median over the images of each of the QUANTITIES, a column a β: means over seeds."""
    medians = result.spread.sel(quantile=0.5).mean("seed")
    rows = {
        (reading, words): medians.sel(networks=name, quantity=quantity).to_series()
        for name, reading in READINGS.items()
        for quantity, words in QUANTITIES.items()
    }
    return frame(rows).rename_axis(columns="β")


def factor(result: xr.Dataset, name: str, quantity: str) -> Interval:
    """Return the factor by which the largest β changes a median of β = 0: the geometric mean over seeds."""
    mean = difference(result.assign(spread=np.log(result.spread.where(result.spread > 0))), name, quantity)
    return mean._replace(value=math.exp(mean.value), low=math.exp(mean.low), high=math.exp(mean.high))


def difference(result: xr.Dataset, name: str, quantity: str) -> Interval:
    """Return a median at the largest β minus that at β = 0, paired by seed: for margins, which may be negative."""
    medians = result.spread.sel(networks=name, quantity=quantity, quantile=0.5, drop=True)
    return over_seeds(medians.sel(beta=result.beta.max(), drop=True) - medians.sel(beta=0, drop=True))


def ranks(result: xr.Dataset, name: str) -> dict[tuple[str, str], Interval]:
    """Return the rank correlation of medians over images with robustness, over the networks of one reading.

    Robustness is the accuracy under PGD at the largest ε, or the certified accuracy at :func:`stated_at`.
    """
    shares = every_image(result).sel(networks=name).mean("image")
    targets = {
        f"PGD, ε = {result.epsilon.max():g}": shares.sel(kind="pgd", epsilon=result.epsilon.max()),
        f"CROWN, ε = {stated_at(result):g}": shares.sel(kind="crown", epsilon=stated_at(result)),
    }
    medians = result.spread.sel(networks=name, quantile=0.5)
    return {
        (QUANTITIES[quantity], target): rank(
            medians.sel(quantity=quantity).transpose("beta", "seed").values.ravel(),
            values.transpose("beta", "seed").values.ravel(),
        )
        for quantity in ("cross_entropy", "local", "reach")
        for target, values in targets.items()
    }


def ranks_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the rank correlations of both readings with their intervals, a column a target."""
    table = {
        (reading, measure, target): "–" if math.isnan(found.value) else f"{found:+.2f}"
        for name, reading in READINGS.items()
        for (measure, target), found in ranks(result, name).items()
    }
    return pd.Series(table).unstack(sort=False)


def moved(gain: Interval) -> str:
    """Return the change that a gain says, in words, with its interval."""
    return f"{gain.side('rises', 'falls', 'shows no clear change')}, {gain:+.3f}"


def scaled(ratio: Interval) -> str:
    """Return the change that a factor says, in words, with its interval: two digits each, and no power of ten."""
    value, low, high = (float(f"{number:.2g}") for number in ratio[:3])
    rounded = Interval(value, low, high, ratio.seeds)
    return f"{ratio.side('grows by', 'shrinks by', 'shows no clear change,', of=1.0)} a factor of {rounded:g}"


def sentence(certified: Interval, attacked: Interval) -> str:
    """Return both gains in words."""
    return f"certified accuracy {moved(certified)}, and accuracy under PGD {moved(attacked)}"


@comparing(0.0)
def numbers(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page, and of the theory's pages on it.

    Names begin with the reading, ``text`` (K = 1) or ``public`` (K = 10), and end in ``first`` for β = 0 and ``last``
    for the largest β. ``far`` is the largest ε, and else ε is :func:`stated_at`. ``open`` is the share of the images
    that are neither certified nor beaten.
    """
    each, gain, far = every_image(result), gains(result), float(result.epsilon.max())
    found: Numbers = {
        "images": result.sizes["image"],
        "seeds": result.sizes["seed"],
        "networks": result.sizes["beta"] * result.sizes["seed"],
        "beta_last": float(result.beta.max()),
        "epsilon": stated_at(result),
        "far": far,
        "small": SMALL,
        "settled": float(result.settled.mean()),
        "broken": int((result.crown & ~result.pgd).sum()),
    }
    for name, short in zip(READINGS, ("text", "public"), strict=True):
        for where, epsilon in (("", stated_at(result)), ("far_", far)):
            both = (gain.sel(networks=name, epsilon=epsilon, kind=method) for method in ("crown", "pgd"))
            found[f"{short}_{where}sentence"] = sentence(*map(over_seeds_and_images, both))
        one = each.sel(networks=name, epsilon=stated_at(result))
        open_ = (one.sel(kind="pgd") - one.sel(kind="crown")).mean(("seed", "image"))
        small = (result["product"].sel(networks=name) > SMALL).mean(("seed", "image"))
        for end, beta in (("first", 0.0), ("last", float(result.beta.max()))):
            found[f"{short}_open_{end}"] = float(open_.sel(beta=beta))
            found[f"{short}_product_small_{end}"] = float(small.sel(beta=beta))
        for quantity in QUANTITIES:
            signed = quantity in ("margin", "reach")
            words = moved(difference(result, name, quantity)) if signed else scaled(factor(result, name, quantity))
            found[f"{short}_change_{quantity}"] = words
    return found
