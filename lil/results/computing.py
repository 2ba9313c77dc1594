"""Results computed now: networks trained and evaluated, with their provenance, and their difference from a record."""

from __future__ import annotations

import errno
import inspect
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import xarray as xr
from filelock import FileLock, Timeout

from lil.cache import cache_folder
from lil.progress import Progress
from lil.results import files, keys, provenance
from lil.results.errors import NotWritten, SettingRefused, UnknownName
from lil.results.records import Networks

_OF_DISKS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}
AXES = {"beta": "betas", "seed": "seeds"}  # dimension of a result: field of a recipe's settings
OF_TRAINING = ("date", "machine", "device", "threads", "seconds", "peak_memory_mb")  # repeated by an evaluation


def recipes(experiment: ModuleType, config: Any) -> dict[str, tuple[ModuleType, Any]]:
    """Return each recipe of an experiment with its settings."""
    return {name: (recipe, getattr(config, name)) for name, recipe in experiment.RECIPES.items()}


def only(settings: Any, member: dict[str, Any]) -> Any:
    """Return a recipe's settings for one member: one value of each of its AXES."""
    fields = {AXES[axis]: (value,) for axis, value in member.items() if hasattr(settings, AXES[axis])}
    return replace(settings, **fields)


def check_device(name: str) -> None:
    """Raise UnknownName for a device that cannot hold a number here, SettingRefused if PyTorch's default is no CPU."""
    if torch.get_default_device().type != "cpu":
        raise SettingRefused(
            f"PyTorch's default device is {torch.get_default_device()}: call torch.set_default_device('cpu'), and "
            "choose the device of a computation by the argument `device`."
        )
    try:
        torch.empty(1, device=name).item()
    except (RuntimeError, AssertionError, TypeError) as reason:  # AssertionError: PyTorch was built without CUDA
        here = ["cpu", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))]
        raise UnknownName(f"There is no device {name!r} on this machine: there is {', '.join(here)}.") from reason


def train(recipe: ModuleType, config: Any, *, device: str, progress: Progress) -> Networks:
    """Train the networks of a recipe."""
    check_device(device)
    inputs = keys.of_networks(recipe, config)
    with _disk_in_words(inputs.name), provenance.measured() as cost, _script_hidden():
        tensors = recipe.train(config, device=device, progress=progress)
    cost.seconds += float(tensors.pop("seconds_before", 0.0))
    return Networks(tensors, inputs.attrs() | provenance.describe(device, cost))


def evaluate(
    experiment: ModuleType,
    config: Any,
    networks: dict[str, Networks],
    *,
    device: str,
    progress: Progress,
    resume: bool = False,
) -> xr.Dataset:
    """Evaluate an experiment's networks, one set for each of its ``RECIPES``.

    ``resume``: go on where an earlier call was killed, if the experiment's ``evaluate`` takes ``partial``.
    """
    check_device(device)
    inputs = keys.of_evaluation(experiment, config)
    tensors = {name: each.tensors for name, each in networks.items()}
    resume = resume and "partial" in inspect.signature(experiment.evaluate).parameters
    partial = _partial(inputs, networks, device) if resume else None
    with _disk_in_words(inputs.name), _state(partial) as more, provenance.measured() as cost, _script_hidden():
        result = experiment.evaluate(config, tensors, device=device, progress=progress, **more)
    cost.seconds += result.attrs.pop("seconds_before", 0.0)
    about = provenance.describe(device, cost) | {"training": of_training(networks)}
    return result.assign_attrs(inputs.attrs() | about)


@contextmanager
def _script_hidden() -> Iterator[None]:
    """Hide the script that Python runs from processes started meanwhile: each would run it anew, without a main guard.

    Nothing that is sent to these processes is defined in the script.
    """
    main = sys.modules["__main__"]
    shown: dict[str, Any] = {each: main.__dict__[each] for each in ("__file__", "__spec__") if each in main.__dict__}
    main.__dict__.pop("__file__", None)  # not None: inspect takes a module with such a file for a built-in one
    main.__dict__["__spec__"] = None
    try:
        yield
    finally:
        main.__dict__.update(shown)


def of_training(networks: dict[str, Networks]) -> str:
    """Return the provenance of the training of each set of networks, as JSON."""
    return json.dumps({name: {field: each.attrs[field] for field in OF_TRAINING} for name, each in networks.items()})


def _partial(inputs: keys.Inputs, networks: dict[str, Networks], device: str) -> Path | None:
    """Return the file, in the cache folder, for the state of an evaluation of these inputs and these weights.

    Return None where that folder cannot be written: a killed evaluation then starts anew.
    """
    weights = [keys.digest(files.networks_to_bytes(networks[name].tensors, {})) for name in sorted(networks)]
    key = keys.digest(" ".join([inputs.key, *weights, device]))[:16]
    folder = files.usable(cache_folder() / "partial")
    return folder and folder / f"{inputs.name}-{key}.checkpoint"


@contextmanager
def _state(partial: Path | None) -> Iterator[dict[str, Path]]:
    """Yield the keyword for the file of an evaluation's state.

    Where another process evaluates the same, this one keeps no state.
    """
    if partial is None:
        yield {}
        return
    lock = FileLock(cache_folder() / "locks" / f"{partial.stem}.lock")
    for folder in (partial.parent, Path(lock.lock_file).parent):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield {}
        return
    try:
        yield {"partial": partial}
    finally:
        lock.release()


@contextmanager
def _disk_in_words(name: str) -> Iterator[None]:
    """Raise NotWritten where the disk is full or access is refused: long computations keep their state on it."""
    try:
        yield
    except OSError as reason:
        if reason.errno not in _OF_DISKS:
            raise
        raise NotWritten(
            f"{name} stopped at a file that it cannot read or write ({reason.strerror}): make room or give access, "
            f"its own state being kept in {cache_folder()} (XDG_CACHE_HOME names another folder), and repeat the "
            "command."
        ) from reason


def seconds(attrs: dict[str, Any]) -> float:
    """Return the seconds of a result from scratch: training and evaluation."""
    return attrs["seconds"] + seconds_of_training(attrs)


def seconds_of_training(attrs: dict[str, Any]) -> float:
    """Return the seconds of training the networks of a result."""
    return sum((each["seconds"] for each in json.loads(attrs["training"]).values()), start=0.0)


def peak_memory_mb(attrs: dict[str, Any]) -> float:
    """Return the peak memory of a result, in training or evaluation."""
    return max(each["peak_memory_mb"] for each in [attrs, *json.loads(attrs["training"]).values()])


def differences(now: xr.Dataset, record: xr.Dataset) -> dict[str, float]:
    """Return the difference of each variable and coordinate: see :func:`largest_difference`.

    It is infinite if only one of the two has the variable, or if shapes or texts differ.
    """
    names = sorted(map(str, {*now.variables, *record.variables}))
    return {name: _difference(now.variables.get(name), record.variables.get(name)) for name in names}


def _difference(now: xr.Variable | None, record: xr.Variable | None) -> float:
    if now is None or record is None or now.sizes != record.sizes:
        return np.inf
    if not {now.dtype.kind, record.dtype.kind} <= set("biuf"):
        return 0.0 if now.equals(record) else np.inf
    return largest_difference(now.values, record.values)


def largest_difference(now: np.ndarray, record: np.ndarray) -> float:
    """Return the largest \\|now − record\\| as a share of the largest \\|record\\|; NaN equals NaN and nothing else."""
    now, record = now.astype(np.float64), record.astype(np.float64)
    if not np.array_equal(np.isnan(now), np.isnan(record)):
        return np.inf
    largest = np.nanmax(np.abs(record), initial=0.0)
    return float(np.nanmax(np.abs(now - record), initial=0.0) / (largest or 1.0))
