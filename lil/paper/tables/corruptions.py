"""Numbers of the pages on random noise and corruptions: accuracy gained over β = 0, in both directions.

A gain is the accuracy of a network with β > 0 minus that of the network of the same seed with β = 0, on the same
corrupted images. Its interval is :func:`lil.paper.intervals.over_seeds`. A perturbation counts as helped or harmed at
some β once that interval excludes 0, and as undecided otherwise.
"""

from __future__ import annotations

import pandas as pd
import xarray as xr

from lil.paper.intervals import LEVEL, Interval, over_seeds
from lil.paper.tables import Numbers, comparing, frame, over_baseline

NONE = "none"  # stands beside the corruptions: the images as they are
LABELS = {
    NONE: "no perturbation",
    "sign": "sign noise, ε = {:.2g}",
    "uniform": "uniform noise, ε = {:.2g}",
    "gaussian": "Gaussian noise, σ = {:.2g}",
    "direction": "random direction, L2 = {:.2g}",
    "salt_and_pepper": "salt and pepper, {:.0%}",
    "blur": "blur, σ = {:.2g} pixels",
    "darkening": "brightness less {:.0%}",
    "contrast": "contrast less {:.0%}",
    "rotation": "rotation by {:.2g}°",
    "shear": "shear by {:.2g}°",
    "translation": "translation by {:.2g} pixels",
    "shrinking": "size less {:.0%}",
    "elastic": "elastic, {:.2g} pixels",
    "occlusion": "patch, {:.2g} pixels wide",
    "jpeg": "JPEG, 100 − quality = {:.2g}",
}
READINGS = {
    "mnist_text": "K = 1 (the text)",
    "mnist_public": "K = 10 (the public code)",
    "cifar10_text": "K = 1 (the text)",
}
CURVES = ("sign", "gaussian")  # the noises whose every severity is drawn
SENTENCES = {NONE: 10.0, "sign": 10.0, "gaussian": 0.1}  # perturbations in words, each at a β that was named beforehand
TALLIES = {"small": 0.1, "large": 10.0}  # the β whose verdicts are counted in words
VERDICTS = ("helped", "harmed", "undecided")
OUTCOMES = {"helped": "a gain of", "harmed": "a loss:", "undecided": "no difference that can be told from 0:"}
NOISES = ("sign", "uniform", "gaussian", "direction", "salt_and_pepper")  # the other perturbations are corruptions


def middle(result: xr.Dataset) -> int:
    """Return the middle level of severity, at which perturbations are compared."""
    return int(result.level.median())


def at_level(result: xr.Dataset, level: int) -> xr.DataArray:
    """Return the accuracy at one level, with that without perturbation first: (networks, corruption, beta, seed)."""
    clean = result.clean.expand_dims(corruption=[NONE])
    accuracy = result.accuracy.sel(level=level, drop=True).drop_vars("unit")
    dims = ("networks", "corruption", "beta", "seed")
    return xr.concat([clean, accuracy], "corruption", join="exact").transpose(*dims).astype(float)


def label(result: xr.Dataset, corruption: str, level: int) -> str:
    """Return a corruption's name with its severity at a level: "sign noise, ε = 0.3"."""
    if corruption == NONE:
        return LABELS[NONE]
    return LABELS[corruption].format(float(result.severity.sel(corruption=corruption, level=level)))


def verdict(gain: Interval) -> str:
    """Return one of the VERDICTS on a gain; with one seed, which has no interval, "undecided"."""
    return gain.side(*VERDICTS)


@comparing(0.0)
def gain_table(result: xr.Dataset, networks: str) -> pd.DataFrame:
    """Return the gains at the middle level with their intervals, in words: a row a perturbation, a column a β > 0.

    The first column is the accuracy at β = 0, the mean over seeds.
    """
    level = middle(result)
    accuracy = at_level(result, level).sel(networks=networks)
    rows = {}
    for corruption in accuracy.corruption.values.tolist():
        one = accuracy.sel(corruption=corruption)
        gain = over_baseline(one)
        cells = {f"β = {beta:g}": f"{over_seeds(gain.sel(beta=beta)):+.3f}" for beta in gain.beta.values.tolist()}
        rows[label(result, corruption, level)] = {"accuracy, β = 0": f"{float(one.sel(beta=0).mean()):.3f}"} | cells
    return frame(rows, "perturbation")


def accuracy_table(result: xr.Dataset) -> pd.DataFrame:
    """Return all accuracies, means over the seeds: a row a perturbation and severity, a column a reading and β."""
    clean, accuracy = (values.astype(float).mean("seed") for values in (result.clean, result.accuracy))
    rows = {LABELS[NONE]: clean}
    for corruption in result.corruption.values.tolist():
        for level in result.level.values.tolist():
            rows[label(result, corruption, level)] = accuracy.sel(corruption=corruption, level=level, drop=True)
    found = {name: one.to_series() for name, one in rows.items()}
    table = pd.DataFrame(found).T.rename_axis("perturbation").rename_axis(columns=["reading", "β"])
    return table.rename(columns=READINGS, level=0)


def severity_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the severities of each corruption, and how far its middle one moves an image: the mean L2 distance."""
    level = middle(result)
    rows = {
        corruption: {
            "unit": result.unit.sel(corruption=corruption).item(),
            "severities": ", ".join(f"{value:.3g}" for value in result.severity.sel(corruption=corruption).values),
            "middle": float(result.severity.sel(corruption=corruption, level=level)),
            "moves an image by": float(result.moved.sel(corruption=corruption, level=level)),
        }
        for corruption in result.corruption.values.tolist()
    }
    return frame(rows, "perturbation")


def verdicts(result: xr.Dataset, networks: str, beta: float, level: int) -> dict[str, str]:
    """Return one of the VERDICTS on each corruption, by its name, at one β and level."""
    gain = over_baseline(at_level(result, level)).sel(networks=networks, beta=beta).drop_sel(corruption=NONE)
    return {name: verdict(over_seeds(gain.sel(corruption=name))) for name in gain.corruption.values.tolist()}


@comparing(0.0)
def verdict_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the number of corruptions that are helped and harmed: a row a reading and β > 0, columns by level."""
    words = {"helped": "higher", "harmed": "lower"}
    rows: dict[tuple[str, float], dict[tuple[int, str], int]] = {}
    for networks in result.networks.values.tolist():
        for beta in result.beta.drop_sel(beta=0).values.tolist():
            row = rows[READINGS[networks], beta] = {}
            for level in result.level.values.tolist():
                found = [*verdicts(result, networks, beta, level).values()]
                row |= {(level, words[verdict]): found.count(verdict) for verdict in words}
    return frame(rows, ["reading", "β"]).rename_axis(columns=["severity", "accuracy is"])


@comparing(0.0, *TALLIES.values())
def numbers(result: xr.Dataset) -> Numbers:
    """Return the numbers and sentences of a page: the SENTENCES by their perturbations, and some tallies.

    ``mild`` is the tally of the larger β of the TALLIES at the lowest level, the others are at the middle one.
    """
    level, shown = middle(result), result.sizes["networks"] * result.sizes["corruption"] * (result.sizes["beta"] - 1)
    return {
        "seeds": result.sizes["seed"],
        "images": int(result.images),
        "corruptions": result.sizes["corruption"],
        "levels": result.sizes["level"],
        "intervals": shown,
        "by_chance": round((1 - LEVEL) * shown),
        **{name: sentence(result, name, beta) for name, beta in SENTENCES.items()},
        **{f"tally_{name}": tally(result, beta, level) for name, beta in TALLIES.items()},
        "mild": tally(result, TALLIES["large"], int(result.level.min())),
    }


def sentence(result: xr.Dataset, corruption: str, beta: float) -> str:
    """Return the accuracy under one perturbation at the middle level with and without the term, for each reading."""
    level = middle(result)
    accuracy = at_level(result, level).sel(corruption=corruption)
    parts = []
    for networks in result.networks.values.tolist():
        one = accuracy.sel(networks=networks)
        base, other = (float(one.sel(beta=each).mean()) for each in (0, beta))
        gain = over_seeds(over_baseline(one).sel(beta=beta))
        parts.append(
            f"with {READINGS[networks]}, accuracy is {base:.3f} at β = 0 and {other:.3f} at β = {beta:g}, "
            f"{OUTCOMES[verdict(gain)]} {gain:+.3f}"
        )
    words = label(result, corruption, level)
    return f"{words[:1].upper()}{words[1:]}: {'; '.join(parts)}."


def tally(result: xr.Dataset, beta: float, level: int) -> str:
    """Return how many kinds of noise and how many corruptions one β helps against and harms, for each reading."""
    parts = []
    for networks in result.networks.values.tolist():
        found = verdicts(result, networks, beta, level)
        noises = [word for name, word in found.items() if name in NOISES]
        others = [word for name, word in found.items() if name not in NOISES]
        parts.append(
            f"With {READINGS[networks]}, β = {beta:g} raises accuracy under {noises.count('helped')} of {len(noises)} "
            f"kinds of noise and lowers it under {noises.count('harmed')}; of {len(others)} corruptions it raises "
            f"accuracy under {others.count('helped')} and lowers it under {others.count('harmed')}."
        )
    return " ".join(parts)
