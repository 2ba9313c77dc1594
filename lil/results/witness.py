"""The witness of a record: a few of its networks trained and evaluated by the plain code beside the fast engine.

The networks with β = 0 and with the largest β, of the first seed, are trained and evaluated by both, at the record's
settings but for those that ``WITNESSED`` of the experiments' package cuts; the witness names them. Compared are the
trained weights, the evaluations of the same weights, and training and evaluation together. Only the second has to
agree: training amplifies rounding errors.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch

from lil.progress import Progress, silent
from lil.results import bands, computing, keys, provenance, registry, running
from lil.results.errors import WrongEngine

AGREEMENT = bands.Difference(1e-4, 1e-4)  # of evaluations of the same weights; two images more, for shares of images


def is_missing(experiment: ModuleType, attrs: dict[str, Any]) -> bool:
    """Return True if a record was made by the fast engine and has no witness of that engine's present code."""
    engine, current = json.loads(attrs.get("engine", "{}")), keys.engine_of(experiment)
    witness = json.loads(attrs.get("witness", "{}"))
    return current["name"] == "fast" and engine.get("name") != "plain" and witness.get("engine") != current["code"]


def make(experiment: ModuleType, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Any]:
    """Return the witness of an experiment's record, as JSON.

    Raises WrongEngine if the engine and the plain code evaluate the same weights to different numbers.
    """
    name, started = registry.stem(experiment), time.perf_counter()
    config = registry.settings(experiment, "paper")
    settings = (registry.entry(experiment, "WITNESSED") or {}) | _members(experiment, config)
    job = running.Job(experiment.__name__, settings, torch.get_num_threads(), device)
    one = running.cut(config, settings, experiment.RECIPES)
    networks = sum(len(recipe.members(each)) for recipe, each in computing.recipes(experiment, one).values())
    tree = keys.folder_above(experiment)
    with tempfile.TemporaryDirectory() as folder:
        fast, plain, same = (Path(folder, each) for each in ("fast", "plain", "same"))
        running.run(tree, replace(job, trained=str(fast), evaluated={str(fast): f"{fast}.nc"}), "fast")
        progress(f"{name}, witness", 1, 3)
        evaluated = {str(plain): f"{plain}.nc", str(fast): f"{same}.nc"}
        running.run(tree, replace(job, trained=str(plain), evaluated=evaluated), "plain")
        progress(f"{name}, witness", 2, 3)
        whole, evaluation = bands.between(plain, fast), bands.between(same, fast, weights=False)
        left_out = _refuse(name, job, tree, fast, evaluation)
        progress(f"{name}, witness", 3, 3)
    weights = {each: found for each, found in whole.items() if each.startswith(bands.WEIGHTS)}
    return {
        "date": provenance.now(),
        "machine": provenance.machine(),
        "engine": keys.engine_of(experiment)["code"],
        "settings": settings,
        "networks": networks,
        "weights": {each.removeprefix(bands.WEIGHTS): found.largest for each, found in weights.items()},
        "evaluation": {each: found.largest for each, found in evaluation.items()},
        "whole": {each: found.largest for each, found in whole.items() if each not in weights},
        "not_compared": left_out,
        "seconds": round(time.perf_counter() - started, 1),
    }


def _members(experiment: ModuleType, config: Any) -> dict[str, list[Any]]:
    """Return β = 0 and the largest β, and the first seed, of each recipe, by dotted field."""
    cut: dict[str, list[Any]] = {}
    for name, (_, settings) in computing.recipes(experiment, config).items():
        if hasattr(settings, "betas"):
            cut[f"{name}.betas"] = [beta for beta in settings.betas if beta in (0, max(settings.betas))]
        if hasattr(settings, "seeds"):
            cut[f"{name}.seeds"] = [settings.seeds[0]]
    return cut


def _refuse(name: str, job: running.Job, tree: Path, fast: Path, found: bands.Differences) -> list[str]:
    """Raise WrongEngine for a difference beyond AGREEMENT and beyond its measured band; return what is not compared."""
    stated = {
        each: bands.Difference(*(2 * image + share for image, share in zip(floor, AGREEMENT, strict=True)))
        for each, floor in bands.floors(fast).items()
    }
    beyond, left_out = bands.judge(found, {}, stated)
    if beyond:
        measured = bands.measure(tree, replace(job, trained=""), fast, "fast")
        beyond, left_out = bands.judge(found, measured["spread"], stated)
    if beyond:
        raise WrongEngine(
            f"The fast engine is wrong: of {name}, it evaluates {beyond} of the same weights to numbers that differ "
            f"from those of the plain code by {found[beyond].largest:.1e} of the largest; compute with "
            "LIL_ENGINE=plain, and mend lil/fast."
        )
    return left_out


def clause(attrs: dict[str, Any]) -> str:
    """Return a clause on a record's witness, for the footer; "" if it has none."""
    if "witness" not in attrs:
        return ""
    witness = json.loads(attrs["witness"])
    numbers, weights = _largest(witness["evaluation"], witness["not_compared"]), _largest(witness["weights"])
    return (
        f", checked against the plain code: largest difference {numbers:.0e} in numbers from the same weights and "
        f"{weights:.0e} in trained weights"
    )


class Row(NamedTuple):
    """A witness in the table of the status page; differences are shares of the largest value."""

    name: str
    date: str
    machine: str
    networks: int  # trained by both
    weights: float  # the largest difference of trained weights,
    evaluation: float  # of a number evaluated from the same weights,
    whole: float  # and of a number after training and evaluation
    seconds: float


def row(name: str, witness: dict[str, Any]) -> Row:
    """Return a record's witness as a row of that table."""
    evaluation, whole = _largest(witness["evaluation"], witness["not_compared"]), _largest(witness["whole"])
    numbers = (witness["networks"], _largest(witness["weights"]), evaluation, whole, witness["seconds"])
    return Row(name, witness["date"], witness["machine"], *numbers)


def _largest(shares: dict[str, float], left_out: list[str] | tuple[str, ...] = ()) -> float:
    return max((share for name, share in shares.items() if name not in left_out), default=0.0)
