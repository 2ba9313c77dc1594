"""A result as it is asked for: from its record, computed now, or whichever is at hand."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import xarray as xr
from torch import Tensor

from lil.progress import Progress, silent
from lil.results import computing, keys, records, registry
from lil.results.cluster import Cluster
from lil.results.errors import CorruptRecord, MissingRecord, StaleRecord, UnknownName
from lil.results.records import Networks

MODES = ("auto", "live", "recorded")
LIVE_UP_TO = 120.0  # seconds that a result may have cost for "auto" to compute it anew

Engine = ModuleType | Cluster
"""What has ``train`` and ``evaluate``: lil.results.computing, in this process, or a connection to other processes."""

Trained = dict[str, Networks]
"""Networks by their key, for experiments that are computed one after another and share them."""


def get(
    experiment: ModuleType,
    profile: str = "paper",
    mode: str = "auto",
    *,
    seeds: int | None = None,
    device: str = "cpu",
    progress: Progress = silent,
    trained: Trained | None = None,
    engine: Engine = computing,
) -> xr.Dataset:
    """The result of an experiment, with its provenance in ``attrs``; :func:`lil.results.footer` reads them.

    ``profile``: "paper", or "shown" or "quick", which are never recorded, so they are always computed; "shown" is "paper"
    where an experiment has nothing more than the paper shows.

    ``mode``: "recorded" takes the record and computes nothing; "live" trains and evaluates now and compares with the
    record, where there is one; "auto" is live where the data is at hand and the record says that it took less than
    two minutes, and recorded otherwise.

    ``seeds``: only the first so many of each recipe's, for less time; a result of some of the seeds is never recorded, as
    it is not the experiment's, and compared with none.

    ``trained``: where "live" keeps networks and finds those of calls before.

    ``engine``: what trains and evaluates, this process or a :class:`lil.results.cluster.Cluster`.

    Raises UnknownName, MissingRecord, StaleRecord or CorruptRecord, each with what to do about it.
    """
    config = registry.settings(experiment, profile)
    if mode not in MODES:
        raise UnknownName(f"There is no mode {mode!r}: there are {', '.join(MODES)}.")
    some = config if seeds is None else computing.with_seeds(experiment, config, seeds)
    if profile == "quick" or some != registry.settings(experiment, "paper"):
        if mode == "recorded":
            what = f"The {profile} profile" if some == config else "A result of some of the seeds"
            raise MissingRecord(f"{what} is never recorded: take the mode live or auto.")
        return _live(experiment, some, profile, engine, device=device, progress=progress, trained=trained)
    if mode == "live" or mode == "auto" and _is_cheap_here(experiment, config):
        result = _live(experiment, config, "paper", engine, device=device, progress=progress, trained=trained)
        return _compared(result, experiment, config)
    return recorded(experiment, config)


def recorded(experiment: ModuleType, config: Any) -> xr.Dataset:
    """The record of an experiment, if there is one and it is current."""
    name = registry.stem(experiment)
    record = records.read_evaluation(experiment)
    if record is None:
        data = "" if data_at_hand(experiment, config) else " Its data is not on this machine: `lil data fetch` first."
        raise MissingRecord(
            f"There is no record results/{name}.nc: take it from the repository, or compute it with "
            f"`lil reproduce {name} --record`.{data}"
        )
    if changed := keys.of_evaluation(experiment, config).differences(record.attrs):
        raise StaleRecord(
            f"The record results/{name}.nc is stale: since {record.attrs['date']} its {' and '.join(changed)} changed. "
            f"Compute it anew with `lil reproduce {name} --record --mode auto`, or, after a change of code that should "
            f"not alter it, see whether it still holds with `lil results affirm {name}`."
        )
    return record.assign_attrs(mode="recorded", profile="paper")


def networks(recipe: ModuleType, config: Any, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """The networks of a recipe: recorded, if those are current, else trained now. For the recipe's ``restore``.

    Raises CorruptRecord where the record is damaged.
    """
    found = current_networks(recipe, config)
    return (found or computing.train(recipe, config, device=device, progress=progress)).tensors


def current_networks(recipe: ModuleType, config: Any) -> Networks | None:
    """The recorded networks of a recipe, if there are any and they are current."""
    found = records.read_networks(recipe, config)
    return None if found is None or keys.of_networks(recipe, config).differences(found.attrs) else found


def record(
    experiment: ModuleType,
    mode: str = "live",
    *,
    device: str = "cpu",
    progress: Progress = silent,
    trained: Trained | None = None,
    engine: Engine = computing,
) -> xr.Dataset:
    """Compute an experiment at the paper's scale and make that its record; returns it.

    ``mode``: "live" trains and evaluates all of it; "auto" keeps what is current, a record or networks, and computes
    what is not. Networks are written when they are trained, so that a kill during the evaluation loses no training.

    Raises NotWritten where a record cannot be written, StaleRecord where its code was changed meanwhile.
    """
    config = registry.settings(experiment, "paper")
    if mode not in ("live", "auto"):
        raise UnknownName(f"A record is made in mode live or auto, not {mode!r}.")
    before = _readable(experiment)
    if mode == "auto" and before is not None and not keys.of_evaluation(experiment, config).differences(before.attrs):
        return before.assign_attrs(mode="recorded", profile="paper")
    trained = {} if trained is None else trained
    if mode == "auto":
        for recipe, settings in computing.recipes(experiment, config).values():
            try:
                found = current_networks(recipe, settings)
            except CorruptRecord:
                found = None  # about to be replaced, which is what was asked for
            if found is not None:
                trained.setdefault(keys.of_networks(recipe, settings).key, found)
    result = _computed(experiment, config, engine, device=device, progress=progress, trained=trained, keep=True)
    records.write_evaluation(experiment, config, result)
    result = result.assign_attrs(mode="live", profile="paper")
    return result if before is None else _with_comparison(result, before, experiment, config)


def data_at_hand(experiment: ModuleType, config: Any) -> bool:
    """Whether everything that an experiment reads is on this machine, as its recipes' ``data_available`` says."""
    return all(
        recipe.data_available(settings)
        for recipe, settings in computing.recipes(experiment, config).values()
        if hasattr(recipe, "data_available")
    )


def _is_cheap_here(experiment: ModuleType, config: Any) -> bool:
    """Whether "auto" computes: the data is here, and no record says that it takes long."""
    record = records.read_evaluation(experiment)
    return data_at_hand(experiment, config) and (record is None or computing.seconds(record.attrs) < LIVE_UP_TO)


def _live(
    experiment: ModuleType, config: Any, profile: str, engine: Engine, *, device, progress, trained
) -> xr.Dataset:
    trained = {} if trained is None else trained
    result = _computed(experiment, config, engine, device=device, progress=progress, trained=trained, keep=False)
    return result.assign_attrs(mode="live", profile=profile)


def _computed(
    experiment: ModuleType,
    config: Any,
    engine: Engine,
    *,
    device: str,
    progress: Progress,
    trained: Trained,
    keep: bool,
) -> xr.Dataset:
    """Evaluate an experiment on the networks in ``trained``, after training those that are not there.

    ``keep``: record them, and let the evaluation go on from where it was killed.
    """
    used = {}
    for name, (recipe, settings) in computing.recipes(experiment, config).items():
        key = keys.of_networks(recipe, settings).key
        if key not in trained:
            trained[key] = engine.train(recipe, settings, device=device, progress=progress)
            if keep:
                records.write_networks(recipe, settings, trained[key])
        used[name] = trained[key]
    return engine.evaluate(experiment, config, used, device=device, progress=progress, resume=keep)


def _readable(experiment: ModuleType) -> xr.Dataset | None:
    """The record, unless there is none or it is damaged: to compare with, not to show."""
    try:
        return records.read_evaluation(experiment)
    except CorruptRecord:
        return None


def _compared(result: xr.Dataset, experiment: ModuleType, config: Any) -> xr.Dataset:
    before = _readable(experiment)
    return result if before is None else _with_comparison(result, before, experiment, config)


def _with_comparison(result: xr.Dataset, before: xr.Dataset, experiment: ModuleType, config: Any) -> xr.Dataset:
    comparison = {
        "date": before.attrs["date"],
        "changed": keys.of_evaluation(experiment, config).differences(before.attrs),
        "differences": computing.differences(result, before),
    }
    return result.assign_attrs(comparison=json.dumps(comparison))
