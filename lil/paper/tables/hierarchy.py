"""Numbers of the variants of Figure 4's stacks, and of flat networks beside them."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from lil.paper.intervals import Interval, over_seeds
from lil.paper.tables import Numbers, config, flat, frame

NAMES = {
    "text": "stack, as in the text",
    "pairs": "stack, mean over pairs",
    "decayed": "stack, falling rate",
    "both": "stack, both",
    "connected": "stack, no stop of gradients",
    "plain": "stack, β = 0",
    "deep": "flat, 12 layers",
    "deep_both": "flat, 12 layers, both",
    "deep_plain": "flat, 12 layers, β = 0",
    "shallow": "flat, 4 layers",
    "shallow_both": "flat, 4 layers, both",
    "shallow_plain": "flat, 4 layers, β = 0",
}
CHANGES = ("pairs", "decayed", "both", "connected")  # of the text's stack
MATCHED = {"text": ("deep", "shallow"), "both": ("deep_both", "shallow_both"), "plain": ("deep_plain", "shallow_plain")}
"""The flat networks that are trained like each stack."""


def variant_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the settings in which the variants differ."""
    settings, rows = config(result), {}
    for variant in result.variant.values.tolist():
        one = settings[variant]
        rows[NAMES[variant]] = {
            "classes": ", ".join(map(str, one.get("classes", result.level.values.tolist()))),
            "hidden layers of each LIL": len(one["hidden"]),
            "β": f"{one['beta']:g}",
            "sum divided by": {"n2": "N²", "pairs": "pairs"}[one.get("reduction", "n2")],
            "learning rates": ", ".join(f"{one['learning_rate'] * by:.2g}" for by in one.get("decay", [1])),
            "gradients stop": "yes" if one.get("stop_gradient", True) else "no",
        }
    return frame(rows)


def outcome_table(result: xr.Dataset) -> pd.DataFrame:
    """Return accuracy and correlation of each variant at each level: the mean, the lowest and the highest seed.

    Accuracy is that on held-out points; the correlation of distances that on the training points, as in Figure 4.
    """
    columns = {}
    for measure, points in (("accuracy", "held-out"), ("correlation", "training")):
        for level in result.level.values.tolist():
            one = result[measure].sel(points=points, level=level)
            for name, values in (("mean", one.mean("seed")), ("lowest", one.min("seed")), ("highest", one.max("seed"))):
                columns[measure, f"{level} classes", name] = values.values
    table = pd.DataFrame(columns, [NAMES[name] for name in result.variant.values.tolist()]).astype(float)
    return table.dropna(axis="columns", how="all")


def difference(result: xr.Dataset, measure: str, first: str, second: str, points: str = "held-out") -> Interval:
    """Return a measure of one variant minus that of another, at the finest level and seed by seed."""
    values = result[measure].sel(points=points, level=result.level.max())
    return over_seeds(values.sel(variant=first) - values.sel(variant=second))


def verdict(change: Interval) -> str:
    """Return "more" or "less" if the interval excludes 0, and else that no difference is shown."""
    return change.side("more", "less", "no difference shown")


def stacking_table(result: xr.Dataset) -> pd.DataFrame:
    """Return each stack minus the flat networks that are trained like it, at eight classes, with verdicts."""
    rows: dict[str, dict[str, str]] = {}
    for stack, flats in MATCHED.items():
        for other in flats:
            row = rows[f"{NAMES[stack]} − {NAMES[other]}"] = {}
            for measure in ("accuracy", "correlation"):
                change = difference(result, measure, stack, other)
                row |= {f"{measure}, held-out": f"{change:+.3f}", f"{measure}: the stack has": verdict(change)}
    return frame(rows)


def tally(result: xr.Dataset, measure: str) -> str:
    """Return a sentence that counts the verdicts of :func:`stacking_table`."""
    pairs = [(stack, other) for stack, flats in MATCHED.items() for other in flats]
    verdicts = [verdict(difference(result, measure, *pair)) for pair in pairs]
    more, less = verdicts.count("more"), verdicts.count("less")
    words = {"accuracy": "accuracy", "correlation": "correlation of distances"}[measure]
    return (
        f"At eight classes and on held-out points the stack has more {words} than a flat network in {more} of "
        f"{len(pairs)} comparisons and less in {less}; in {len(pairs) - more - less} no difference is shown."
    )


def need(result: xr.Dataset) -> str:
    """Return a sentence on the accuracy of the text's stack at eight classes with and without the isometry term."""
    change = difference(result, "accuracy", "text", "plain")
    finest = result.accuracy.sel(points="held-out", level=result.level.max()).mean("seed")
    numbers = (
        f"accuracy at eight classes is {float(finest.sel(variant='text')):.3f} with it and "
        f"{float(finest.sel(variant='plain')):.3f} without, a difference of {change:+.3f}"
    )
    lead = {
        "more": "A stack needs the isometry term",
        "less": "A stack does better without the isometry term",
        "no difference shown": "No effect of the isometry term on a stack's accuracy is shown",
    }
    return f"{lead[verdict(change)]}: {numbers}."


def isometry_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the share of isometric points near a cut and far from it, and medians of the distortion: means over seeds.

    The distortion is that across the cuts, at some distances from them.
    """
    one = result.sel(variant=["text", "both", "shallow_both"])
    columns = {f"isometric, {region}": one.isometric.sel(region=region).mean("seed") for region in ("near", "far")}
    across = one.distortion.sel(tangent="across").mean("seed")
    columns |= {f"distortion at {at:g}": across.sel(distance=at) for at in (0, 0.5, 1, 1.5, 2.5) if at in one.distance}
    table = pd.DataFrame({name: values.to_series() for name, values in columns.items()}).astype(float)
    return table.dropna(how="all").rename(index=NAMES, level=0).rename_axis(index=["", "classes"])


def numbers(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page; names end in the variant and the level, as in ``correlation_text_8``.

    ``accuracy`` is on held-out points, ``correlation`` on the training points; ``least_`` and ``most_`` are those of
    the seeds. ``change_`` is the correlation at eight classes minus that of the text's stack, ``stack_`` the text's
    stack minus a flat network, with intervals in words. ``stacking`` is the finding on accuracy, and
    ``stacking_distances`` that on the correlation.
    """
    accuracy = result.accuracy.sel(points="held-out", drop=True)
    correlation, held_out = (result.correlation.sel(points=name, drop=True) for name in ("training", "held-out"))
    isometric = result.isometric.mean("seed").transpose("region", "variant", "level")
    tear = result.tear.sel(variant="text", quantile=0.5, drop=True)
    inherited = tear.sel(kind="inherited", drop=True) / tear.sel(kind="own", drop=True)
    finer = [level for level in result.level.values.tolist() if level > result.level.min()]
    found: Numbers = {
        "seeds": result.sizes["seed"],
        "stacking": f"{tally(result, 'accuracy')} {need(result)}",
        "stacking_distances": tally(result, "correlation"),
        "within": float(result.within),
        "gap": float(abs(correlation - held_out).mean("seed").max()),
        "points": int(config(result)["text"]["grid"]) ** 2,
    }
    for variant in CHANGES:
        change = difference(result, "correlation", variant, "text", "training")
        found |= {f"change_{variant}": f"{change:+.3f}", f"verdict_{variant}": verdict(change)}
    for other in MATCHED["text"]:
        change = difference(result, "correlation", "text", other, "training")
        found |= {f"stack_{other}": f"{change:+.3f}", f"verdict_stack_{other}": verdict(change)}
    for level in finer:
        found[f"inherited_{level}"] = f"{over_seeds(inherited.sel(level=level)):.1f}"
    return found | flat(
        accuracy=accuracy.mean("seed"),
        least_accuracy=accuracy.min("seed"),
        correlation=correlation.mean("seed"),
        least_correlation=correlation.min("seed"),
        most_correlation=correlation.max("seed"),
        isometric=isometric,
        least_isometric=result.isometric.min("seed").transpose("region", "variant", "level"),
        distortion=result.distortion.sel(tangent="across", distance=0, drop=True).mean("seed"),
    )
