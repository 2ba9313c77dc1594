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


def is_missing(attrs: dict[str, Any]) -> bool:
    """Return True if a record of the fast engine has no witness of its present code and engine.

    A record without networks needs none.
    """
    engine, witness = (json.loads(attrs.get(name, "{}")) for name in ("engine", "witness"))
    if engine.get("name") == "plain" or not trains(attrs):
        return False
    return (witness.get("engine"), witness.get("code")) != (engine.get("code"), attrs["code"])


def trains(attrs: dict[str, Any]) -> bool:
    """Return True if a record was computed from networks."""
    return attrs["networks"] != "{}"


def carried(before: dict[str, Any], after: dict[str, Any], affirmation: dict[str, Any]) -> dict[str, str]:
    """Return the witness among a record's attributes after an affirmation; nothing if the record has none.

    The witness becomes that of the new code only if the affirmation showed equal bits by both engines, on the record's
    device, and if it was that of the old code.
    """
    if "witness" not in before:
        return {}
    equal = all(affirmation["engines"].get(name, {}).get("equal") for name in ("fast", "plain"))
    if not equal or affirmation["device"] != before["device"] or is_missing(before):
        return {"witness": before["witness"]}
    new = {"engine": json.loads(after["engine"])["code"], "code": after["code"], "carried": affirmation["date"]}
    return {"witness": json.dumps(json.loads(before["witness"]) | new)}


def make(experiment: ModuleType, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Any]:
    """Return the witness of an experiment's record, as JSON.

    Raises WrongEngine if the engine and the plain code evaluate the same weights to different numbers.
    """
    name, started = registry.stem(experiment), time.perf_counter()
    config = registry.settings(experiment, "paper")
    inputs = keys.of_evaluation(experiment, config)
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
        "engine": inputs.engine["code"],
        "code": inputs.code,
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
    """Return a clause on a record's witness, for the footer; "" for a result that needs none."""
    if "witness" not in attrs:
        return ", not checked against the plain code" if attrs["mode"] == "recorded" and is_missing(attrs) else ""
    found = json.loads(attrs["witness"])
    outdated = " before its code changed" if is_missing(attrs) else ""
    smaller = any(not name.endswith((".betas", ".seeds")) for name in found["settings"])
    networks = counted(found) + " with fewer images or steps" * smaller
    return (
        f", checked against the plain code on {networks}{outdated}: the largest differences, as shares of a "
        f"variable's largest value, are {differences(found)}"
    )


def counted(witness: dict[str, Any]) -> str:
    """Return the number of a witness's networks in words."""
    return f"{witness['networks']} network{'s' if witness['networks'] > 1 else ''}"


class Largest(NamedTuple):
    """The largest differences of a witness, as shares of a variable's largest value."""

    same: float  # of numbers from the same weights
    trained: float  # of numbers after training by either engine
    weights: float
    variable: str  # that training has changed most


def largest(witness: dict[str, Any]) -> Largest:
    """Return the largest differences of a witness that has networks."""
    same = [share for each, share in witness["evaluation"].items() if each not in witness["not_compared"]]
    variable, trained = max(witness["whole"].items(), key=lambda item: item[1])
    return Largest(max(same, default=0.0), trained, max(witness["weights"].values()), variable)


def differences(witness: dict[str, Any]) -> str:
    """Return the largest differences of a witness in words, with the variable that training has changed most.

    Weights are left out beyond the widest band: training has then amplified rounding errors.
    """
    most = largest(witness)
    last = f"{_share(most.weights)} in weights"
    if most.weights > bands.COMPARABLE:
        last = "weights not compared, because training amplifies rounding errors"
    return (
        f"{_share(most.same)} in numbers from the same weights; {_share(most.trained)} in numbers after training by "
        f"either engine{f' ({most.variable})' if most.trained else ''}; {last}"
    )


def _share(share: float) -> str:
    return f"{share:.1e}" if share else "0"
