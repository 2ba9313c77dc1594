"""The last line of a page: how its result was made, when, on which machine, how long it took, and how to repeat it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from lil.results import computing, witness

_SCALES = {
    "paper": "the paper's scale",
    "shown": "the paper's scale, as far as the paper itself shows it",
    "quick": "a small scale, for a quick look",
}


@dataclass(frozen=True)
class Footer:
    """A line of text that a notebook shows as Markdown."""

    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"*{self.text}*"


def footer(result: xr.Dataset, notebook: str = "") -> Footer:
    """Return the closing line of a result of :func:`lil.results.get`.

    ``notebook``: the one that shows the result, where it is not named like the experiment.
    """
    attrs = result.attrs
    live = attrs["mode"] == "live"
    threads = f"{attrs['threads']} thread{'s' if attrs['threads'] > 1 else ''}"
    engine = json.loads(attrs["engine"])["name"] if "engine" in attrs else ""
    engine = {"": "", "plain": ", by the plain code"}.get(engine, f", by the {engine} engine")
    sentences = [
        f"{'Computed for this page' if live else 'Taken from the record of a computation'} on {attrs['date']}, at "
        f"{_SCALES[attrs['profile']]}: {duration(computing.seconds_of_training(attrs))} of training and "
        f"{duration(attrs['seconds'])} of evaluation on {attrs['machine']} (device {attrs['device']}, {threads}, "
        f"at most {computing.peak_memory_mb(attrs):.0f} MiB){engine}{witness.clause(attrs)}."
    ]
    if "comparison" in attrs:
        sentences.append(_comparison(json.loads(attrs["comparison"])))
    if affirmations := json.loads(attrs.get("affirmations", "[]")):
        sentences.append(_affirmation(affirmations[-1]))
    changes = json.loads(attrs.get("changes", "{}"))
    if list(changes) == ["seeds"] and isinstance(changes["seeds"], int) and not notebook:  # of an experiment by itself
        again = f"{reproduce(attrs)} --seeds {changes['seeds']}"
    elif changes:
        again = f"lil rerun {notebook or attrs['name']} {settings(changes)}{_profile(attrs)}"
    else:
        again = reproduce(attrs)
    sentences.append(f"To compute it again: `{again}`.")
    return Footer(" ".join(sentences))


def reproduce(*attrs: Mapping[str, Any]) -> str:
    """Return the command that computes results of one profile again, from their attributes."""
    return f"lil reproduce {' '.join(each['name'] for each in attrs)}{_profile(attrs[0])}"


def _profile(attrs: Mapping[str, Any]) -> str:
    return "" if attrs["profile"] == "paper" else f" --profile {attrs['profile']}"


def settings(changes: dict[str, Any]) -> str:
    """Return changed settings as the command line takes them: ``betas="[0, 3]" epochs=500``."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in changes.items()}
    return " ".join(f"{name}={shlex.quote(text)}" for name, text in texts.items())


def duration(seconds: float) -> str:
    """Return seconds in words: seconds up to two minutes, then minutes, then hours."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"


def _affirmation(affirmation: dict[str, Any]) -> str:
    engines = affirmation.get("engines", {}).values()
    equal = engines and all(each["equal"] for each in engines)
    how = "to the last bit" if equal else "within the band of rounding errors"
    return f"Its code changed since; on {affirmation['date']} the old code and the new agreed on a probe {how}."


def _comparison(comparison: dict[str, Any]) -> str:
    """Return a sentence on the difference of a live result from its record."""
    name, share = max(comparison["differences"].items(), key=lambda item: item[1])
    stale = f", which is stale ({' and '.join(comparison['changed'])} changed)," if comparison["changed"] else ""
    if share == 0:
        return f"It equals the record of {comparison['date']}{stale} to the last digit."
    if share == float("inf"):
        return f"The record of {comparison['date']}{stale} has another shape or other labels (`{name}`)."
    return (
        f"The largest difference from the record of {comparison['date']}{stale} is {share:.1e} of a variable's "
        f"largest value (`{name}`)."
    )
