"""Records that outlive a change of code: a probe computed by the old code and the new, on one machine.

A probe is an experiment at a small scale, where rounding errors have not grown: a few networks, drawn at random,
trained on few points (``PROBES`` of the experiments' package). Both codes train the networks, and the weights are
compared. Both evaluate the old code's weights, and the results are compared. All bits have to be equal, or all
differences within the bands that reruns of the old code measure (:mod:`lil.results.bands`).
"""

from __future__ import annotations

import atexit
import io
import json
import random
import shutil
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from lil.progress import Progress, silent
from lil.results import bands, computing, keys, provenance, records, registry, running, witness
from lil.results.errors import MissingRecord, NotAffirmed
from lil.results.records import Networks

CODE = {"code", "networks", "engine"}  # inputs that an affirmation covers
_ALONE = threading.Lock()  # of records that are affirmed at once, one makes keys and writes; they may share networks


def affirm(
    experiment: ModuleType,
    *,
    against: str | None = None,
    device: str = "cpu",
    progress: Progress = silent,
    choice: random.Random | None = None,
) -> dict[str, Any]:
    """Make an experiment's stale record current again if its old code and the new one compute the same probe.

    ``against``: the commit with the old code; by default the commit in which the record's file was last changed.

    The record keeps its numbers and its provenance and gets the returned affirmation: date, machine, probe, and for
    each engine the differences and their bands. Raises NotAffirmed if a difference exceeds its band, or if more than
    the code has changed; the record then stays as it is.
    """
    name, config = registry.stem(experiment), registry.settings(experiment, "paper")
    with _ALONE:
        record = records.read_evaluation(experiment)
        if record is None:
            raise MissingRecord(
                f"There is no record results/{name}.nc to affirm: compute it with `lil reproduce {name} --record`."
            )
        inputs = keys.of_evaluation(experiment, config)
        _refuse_unless_code_alone(name, inputs.differences(record.attrs))
        commit, old = _old_code(experiment, record.attrs, against)
        engines = _engines(experiment, old)
    probe = (registry.entry(experiment, "PROBES") or {}) | draw(experiment, config, choice or random.SystemRandom())
    job = running.Job(experiment.__name__, probe, torch.get_num_threads(), device)
    found: dict[str, Any] = {}
    for before, after in engines:
        found |= compare(job, old, keys.folder_above(experiment), before, after, progress)
    affirmation = {
        "date": provenance.now(),
        "machine": provenance.machine(),
        "device": provenance.device_name(device),
        "against": commit,
        "probe": probe,
        "engines": found,
        "code_before": record.attrs["code"],
    }
    with _ALONE:
        for recipe, settings in computing.recipes(experiment, config).values():
            networks, of_these = records.read_networks(recipe, settings), keys.of_networks(recipe, settings)
            if networks is not None and of_these.differences(networks.attrs):
                attrs = _affirmed(networks.attrs, of_these, affirmation)
                records.write_networks(recipe, settings, Networks(networks.tensors, attrs))
        records.write_evaluation(experiment, config, record.assign_attrs(_affirmed(record.attrs, inputs, affirmation)))
    return affirmation


def compare(
    job: running.Job, old: Path, new: Path, before: str = "", after: Sequence[str] = ("",), progress: Progress = silent
) -> dict[str, Any]:
    """Compute a probe by the old code and by the new, and return their differences for each engine of the new code.

    ``before``: the engine of the old code, "" for its default. Raises NotAffirmed if a difference exceeds its band, or
    if nothing can be compared.
    """
    name, total = job.experiment.rpartition(".")[2], len(after) + 2
    with tempfile.TemporaryDirectory() as folder:
        base, band = Path(folder, "old"), None
        report: dict[str, dict[str, Any]] = {}
        job = replace(job, trained=str(base), evaluated={str(base): f"{base}.nc"})
        running.run(old, job, before)
        progress(f"{name}, probe", 1, total)
        for done, engine in enumerate(after, start=2):
            probe = Path(folder, f"new {engine}")
            running.run(new, replace(job, trained=str(probe), evaluated={str(base): f"{probe}.nc"}), engine)
            progress(f"{name}, probe", done, total)
            found = bands.between(probe, base)
            if set(found.values()) == {bands.NONE}:
                report[engine] = {"equal": True}
                continue
            band = band or bands.measure(old, job, base, before)
            beyond, left_out = bands.judge(found, band["spread"], bands.floors(base))
            _refuse(name, job, engine, found, band["spread"], beyond, left_out)
            report[engine] = {"equal": False, "differences": found, "band": band, "not_compared": left_out}
        progress(f"{name}, probe", total, total)
        return report


def draw(experiment: ModuleType, config: Any, choice: random.Random) -> dict[str, list[Any]]:
    """Return the β and seeds of a probe by dotted field: the largest β and another that is not 0, 0, and two seeds.

    The largest β is always there, because mistakes in the isometry term show there. Values that all recipes have come
    first, so that they keep networks in common.
    """
    cut: dict[str, list[Any]] = {}
    settings = {name: each for name, (_, each) in computing.recipes(experiment, config).items()}
    for field in computing.AXES.values():
        offered = {name: getattr(each, field) for name, each in settings.items() if hasattr(each, field)}
        values = sorted({value for each in offered.values() for value in each})
        drawn = choice.sample(values, len(values))
        order = sorted(drawn, key=lambda value: not all(value in each for each in offered.values()))
        for name, each in offered.items():
            own = [value for value in order if value in each]
            if field == "betas":
                always = {0, max(each)}
                own = [value for value in own if value in always] + [value for value in own if value not in always][:1]
            else:
                own = own[:2]
            cut[f"{name}.{field}"] = [value for value in each if value in own]
    return cut


def _refuse_unless_code_alone(name: str, changed: list[str]) -> None:
    if not changed:
        raise NotAffirmed(f"The record results/{name}.nc is current: there is nothing to affirm.")
    if beyond := [word for word in changed if word not in CODE]:
        raise NotAffirmed(
            f"The record results/{name}.nc cannot be affirmed, because its {' and '.join(beyond)} changed and not its "
            f"code alone: compute it anew with `lil reproduce {name} --record`."
        )


def _refuse(
    name: str,
    job: running.Job,
    engine: str,
    found: bands.Differences,
    spread: bands.Differences,
    beyond: str,
    left_out: list[str],
) -> None:
    """Raise NotAffirmed for a difference beyond its band, and where no difference tells anything."""
    if beyond:
        shares = ", ".join(f"{share:.1e} ({what})" for what, share in found[beyond]._asdict().items())
        reruns = ", ".join(f"{share:.1e}" for share in spread.get(beyond, bands.NONE))
        raise NotAffirmed(
            f"The record results/{name}.nc does not hold: on a probe with {_in_words(job.cut)}, {beyond} differs "
            f"between the old code and the new{f' (engine {engine})' if engine else ''} by {shares}, and among reruns "
            f"of the old code by {reruns}; find out why, or compute it anew with `lil reproduce {name} --record`."
        )
    numbers = {each for each in found if not each.startswith((bands.WEIGHTS, bands.COORDINATE))}
    if numbers <= set(left_out) or any(each.startswith(bands.WEIGHTS) for each in left_out):
        raise NotAffirmed(
            f"The record results/{name}.nc cannot be affirmed, because reruns of its probe differ by more than "
            f"{bands.COMPARABLE:.0%} ({', '.join(left_out)}): choose a smaller one in PROBES."
        )


def _in_words(cut: dict[str, Any]) -> str:
    drawn = {dotted.rpartition(".")[2]: value for dotted, value in reversed(cut.items())}
    named = [f"{field} {drawn[field]}" for field in computing.AXES.values() if field in drawn]
    return " and ".join(named) or "its settings"


def _engines(experiment: ModuleType, old: Path) -> list[tuple[str, list[str]]]:
    """Return pairs of an engine of the old code and the engines of the new code that are compared with it.

    The plain code defines the numbers, so it is always compared, though the record was made by a faster engine.
    """
    trees = [folder / experiment.__name__.partition(".")[0] for folder in (old, keys.folder_above(experiment))]
    if not (trees[1] / "engine.py").exists():
        return [("", [""])]
    fast = (trees[1] / "fast").is_dir() and keys.engine_of(experiment)["name"] == "fast"
    names = ["fast", "plain"] if fast else ["plain"]
    if not (trees[0] / "engine.py").exists():
        return [("", names)]
    return [(name, [name]) for name in names if name == "plain" or (trees[0] / "fast").is_dir()]


def _old_code(experiment: ModuleType, attrs: dict[str, Any], against: str | None) -> tuple[str, Path]:
    """Return the commit that holds the code of a record, and a folder with the package of that commit."""
    name, package = registry.stem(experiment), experiment.__name__.partition(".")[0]
    place, above = records.place_of_evaluation(experiment), keys.folder_above(experiment)
    commit = against or _git(above, "log", "-1", "--format=%H", "--", str(place.path)).decode().strip()
    if not commit:
        raise NotAffirmed(f"The record results/{name}.nc is in no commit: name that of its code with --against COMMIT.")
    commit = _git(above, "rev-parse", "--verify", f"{commit}^{{commit}}").decode().strip()
    old = _exported(above, commit, package)
    try:
        same = keys.code_fingerprint(experiment.__name__, old) == attrs["code"]
    except FileNotFoundError:
        same = False
    if not same:
        raise NotAffirmed(
            f"The code of commit {commit[:10]} is not the code that the record results/{name}.nc names: name the "
            "commit of its code with --against COMMIT."
        )
    return commit, old


@lru_cache(maxsize=4)
def _exported(repository: Path, commit: str, package: str) -> Path:
    """Return a folder with one package as it was in a commit; removed when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="lil-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(_git(repository, "archive", "--format=zip", commit, package))) as archive:
        archive.extractall(folder)  # which leaves no name outside; of tarfile only Python 3.11.4 and later can say that
    return folder


def _git(repository: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(["git", *arguments], cwd=repository, capture_output=True, check=True).stdout
    except FileNotFoundError as reason:
        raise NotAffirmed("An affirmation needs git, which is not on this machine.") from reason
    except subprocess.CalledProcessError as reason:
        why = (reason.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[0]
        raise NotAffirmed(
            f"The old code cannot be had from git ({why}): work in a clone of the repository."
        ) from reason


def _affirmed(attrs: dict[str, Any], inputs: keys.Inputs, affirmation: dict[str, Any]) -> dict[str, Any]:
    """Return a record's provenance with its new inputs and one affirmation more."""
    kept = {} if "fast" in affirmation["engines"] else {"engine": attrs["engine"]} if "engine" in attrs else {}
    before = json.loads(attrs.get("affirmations", "[]"))
    after = attrs | inputs.attrs() | kept | {"affirmations": json.dumps([*before, affirmation])}
    return after | witness.carried(attrs, after, affirmation)
