"""Differences between the paper's text and its public code: our setting, and the measured effect.

The text is the default; the public code's value is an option by name, where there is one. The public code is
github.com/KBeshkov/HIsometricNets up to commit 7167a91 of 2024-02-15, the last. Its versions of the experiment on
CIFAR10 differ, so that those entries name their commits. Nobody knows which of all these made the printed figures. The
differences stand in ``differences.toml``; here their effects are put into words.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from lil.paper import shipped
from lil.paper.judging import STATES, recorded
from lil.paper.tables.images import precision_change

Settings = Mapping[str, Any]
"""Values by the names under which they can be imported: "lil.recipes.mnist.PAPER.scale". A test holds them together."""


@dataclass(frozen=True)
class Effect:
    """The effect of a difference, in words with numbers from recorded results."""

    experiments: tuple[str, ...]
    words: Callable[..., str]  # from their results, in that order
    page: str  # of the book, that shows it


@dataclass(frozen=True)
class Difference:
    """A topic on which the text is silent, or says something else than the public code does."""

    topic: str
    text: str
    public: str
    ours: Settings = field(default_factory=dict)  # our defaults; none where nothing is chosen, as the note says
    options: Settings = field(default_factory=dict)  # the public code's values, where they can be had
    note: str = ""  # beyond ours and options
    effect: Effect | None = None  # None: not measured


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _read(entry: dict[str, Any]) -> Difference:
    ours, options = ({k: _tuples(v) for k, v in entry.pop(part, {}).items()} for part in ("ours", "options"))
    effect = entry.pop("effect", None)
    if effect is not None:
        function, *arguments = effect["words"]
        words = partial(globals()[function], *arguments)
        effect = Effect(tuple(effect["experiments"]), words, effect["page"])
    return Difference(**entry, ours=ours, options=options, effect=effect)


def measured(effect: Effect | None, load: Callable[[str], xr.Dataset] = recorded) -> str:
    """Return the effect in words, "not measured", or "not recorded yet"."""
    if effect is None:
        return "not measured"
    try:
        return effect.words(*(load(name) for name in effect.experiments))
    except tuple(STATES):
        return "not recorded yet"


# Effects


def _robust(result: xr.Dataset, objective: str = "total") -> xr.DataArray:
    return result.accuracy.sel(objective=objective).mean(["epsilon", "seed"])


def readings(other: str, text: xr.Dataset, public: xr.Dataset) -> str:
    """Compare the accuracy under attack in two readings, the text's and one that ``other`` names."""
    ours, theirs = _robust(text), _robust(public)
    return (
        f"Together with the other differences of {other}: accuracy under the paper's attack, "
        f"averaged over its sizes, {float(ours.sel(beta=0)):.3f} at β = 0 and {float(ours.max()):.3f} at the best β; "
        f"with the other values {float(theirs.sel(beta=0)):.3f} and {float(theirs.max()):.3f}."
    )


def choice(name: str, result: xr.Dataset) -> str:
    """Compare the text's networks with those of one choice."""
    attacked = result[["accuracy", "clean"]].sel(networks=["text", name]).dropna("seed")  # the seeds that both have
    robust, clean = _robust(attacked), attacked.clean.mean("seed")
    text, other = (
        f"clean accuracy {float(clean.sel(networks=each).max()):.3f} at the best β; under the paper's "
        f"attack, averaged over its sizes, {float(robust.sel(networks=each, beta=0)):.3f} at β = 0 and "
        f"{float(robust.sel(networks=each).max()):.3f} at the best β"
        for each in ("text", name)
    )
    seeds = f"{attacked.sizes['seed']} seed{'s' if attacked.sizes['seed'] > 1 else ''}"
    return f"By itself, on MNIST from {seeds}: {text}; with the other value {other}."


def objective(result: xr.Dataset) -> str:
    """Compare the two objectives of the attack."""
    total, classification = _robust(result), _robust(result, "classification")
    best = float(total.idxmax("beta"))
    return (
        f"At β = {best:g} MNIST's accuracy under attack, averaged over its sizes, is "
        f"{float(total.sel(beta=best)):.3f} along the gradient of the whole loss and "
        f"{float(classification.sel(beta=best)):.3f} along that of the cross-entropy alone; without the isometry term "
        f"{float(total.sel(beta=0)):.3f}."
    )


def baseline(name: str, result: xr.Dataset) -> str:
    """Compare the accuracy at β = 0 of a set of networks with the default's."""
    theirs, ours = (float(result.accuracy.sel(beta=0, networks=each).mean()) for each in (name, "cifar10_text"))
    return f"At β = 0: accuracy {theirs:.4f}, against {ours:.4f} with the default."


def backbones(result: xr.Dataset) -> str:
    """State the accuracy with each backbone that is trained along, at both ends of β."""
    parts = []
    for name, words in (("vgg13", "a VGG13"), ("cnn", "the CNN of commit 7167a91")):
        accuracy = result.accuracy.sel(networks=name).mean("seed").dropna("beta")
        low, high = (float(accuracy.sel(beta=beta)) for beta in (0, accuracy.beta.max()))
        parts.append(f"with {words} {low:.3f} at β = 0 and {high:.3f} at β = {float(accuracy.beta.max()):g}")
    return f"Trained along, to keep distances of pixels, accuracy is {' and '.join(parts)}."


def scales(result: xr.Dataset) -> str:
    """State the accuracy at both ends of β on features as they are and on the largest ones."""
    means, largest = result.accuracy.mean("seed"), float(result.beta.max())
    last = float(result.feature_scale.max())
    plain, scaled = (means.isel(networks=(result.feature_scale == by).values).squeeze("networks") for by in (1, last))
    parts = (f"{float(one.sel(beta=0)):.3f} and {float(one.sel(beta=largest)):.3f}" for one in (plain, scaled))
    return f"Accuracy at β = 0 and β = {largest:g}: {' on features as they are, '.join(parts)} on features × {last:g}."


def precision(result: xr.Dataset) -> str:
    """State the change of accuracy made by the attack's precision."""
    return (
        "On the first of the test images the accuracy under attack, over all attacks, β and sizes, differs from that "
        f"in single precision by {float(abs(precision_change(result)).mean()):.4f} on average."
    )


def cut(result: xr.Dataset) -> str:
    """Compare the two ways to cut the torus."""
    lowest, correlation = (result[name].min(["seed", "level"]) for name in ("accuracy", "correlation"))
    parts = (
        f"{words}: lowest accuracy {float(lowest.sel(cut=cut)):.3f}, lowest correlation of distances within classes "
        f"{float(correlation.sel(cut=cut)):.2f}"
        for cut, words in (("ring", "Arcs around the hole"), ("tube", "bands of the tube"))
    )
    return "; ".join(parts) + ", over levels and seeds."


def saliency(result: xr.Dataset) -> str:
    """Compare the two sizes of the gradient."""
    medians = result.contrast.sel(cut="ring").median(["seed", "level"])
    return (
        f"Gradient at the cuts, times that elsewhere: {float(medians.sel(saliency='norm')):.2f} for the norm, "
        f"{float(medians.sel(saliency='largest')):.2f} for the largest coordinate (medians over levels and seeds)."
    )


def seeds(result: xr.Dataset) -> str:
    """State the spread over seeds."""
    robust = result.accuracy.sel(objective="total").mean("epsilon")
    clean, attacked = (float(each.std("seed", ddof=1).max()) for each in (result.clean, robust))
    return (
        f"Standard deviation over the seeds, at the β where it is largest: {clean:.4f} for MNIST's clean accuracy, "
        f"{attacked:.3f} for that under the paper's attack."
    )


def read(path: Path) -> tuple[Difference, ...]:
    """Return the differences of a file such as ``differences.toml``. Raises CorruptFile where it is damaged."""
    return shipped.read(path, lambda text: tuple(map(_read, tomllib.loads(text)["difference"])))


DIFFERENCES = read(Path(__file__).with_suffix(".toml"))
