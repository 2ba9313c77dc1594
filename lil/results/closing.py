"""The line that closes a page: how its result was made, when, on what, in how long, and how to make it again."""

from __future__ import annotations

import json
from dataclasses import dataclass

import xarray as xr

from lil.results import computing

_SCALES = {
    "paper": "the paper's scale",
    "shown": "the paper's scale, as far as the paper itself shows it",
    "quick": "a small scale, for a quick look",
}


@dataclass(frozen=True)
class Footer:
    """Shown by a notebook as Markdown, printed as it is."""

    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"*{self.text}*"


def footer(result: xr.Dataset) -> Footer:
    """The closing line of a result that :func:`lil.results.get` returned."""
    attrs = result.attrs
    live = attrs["mode"] == "live"
    threads = f"{attrs['threads']} thread{'s' if attrs['threads'] > 1 else ''}"
    sentences = [
        f"{'Computed for this page' if live else 'Taken from the record of a computation'} on {attrs['date']}, at "
        f"{_SCALES[attrs['profile']]}: {duration(computing.seconds_of_training(attrs))} of training and "
        f"{duration(attrs['seconds'])} of evaluation on {attrs['machine']} (device {attrs['device']}, {threads}, "
        f"at most {computing.peak_memory_mb(attrs):.0f} MiB)."
    ]
    if "comparison" in attrs:
        sentences.append(_comparison(json.loads(attrs["comparison"])))
    for affirmation in json.loads(attrs.get("affirmations", "[]")):
        member = ", ".join(f"{name} = {value}" for name, value in affirmation["member"].items())
        sentences.append(f"Its code changed since and was affirmed on {affirmation['date']} by recomputing {member}.")
    profile = "" if attrs["profile"] == "paper" else f" --profile {attrs['profile']}"
    sentences.append(f"To compute it again: `lil reproduce {attrs['name']}{profile}`.")
    return Footer(" ".join(sentences))


def duration(seconds: float) -> str:
    """Seconds up to two minutes, then minutes, then hours."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"


def _comparison(comparison: dict) -> str:
    """How far a live result is from the record."""
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
