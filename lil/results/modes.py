"""A result as it is asked for: from its record, computed now, or the cheaper of the two."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import xarray as xr
from torch import Tensor

from lil.progress import Progress, silent
from lil.results import changes, computing, keys, records, registry, witness
from lil.results.cluster import Cluster
from lil.results.errors import (
    CorruptRecord,
    MissingRecord,
    NetworksInUse,
    PackageMissing,
    ResultError,
    SettingRefused,
    StaleRecord,
    UnknownName,
)
from lil.results.records import Networks

MODES = ("auto", "live", "recorded")
LIVE_UP_TO = 120.0  # seconds that a result may have cost for "auto" to compute it anew

Workers = ModuleType | Cluster
"""An object with ``train`` and ``evaluate``: lil.results.computing, in this process, or a connection to others."""

Trained = dict[str, Networks]
"""Networks by their key, for experiments that are computed one after another and share them."""


def get(
    experiment: ModuleType,
    profile: str = "paper",
    mode: str = "auto",
    *,
    device: str = "cpu",
    progress: Progress = silent,
    trained: Trained | None = None,
    workers: Workers = computing,
    **settings: Any,
) -> xr.Dataset:
    """Return the result of an experiment, with its provenance in ``attrs``; :func:`lil.results.footer` reads them.

    ``profile``: "paper", or "shown" or "quick", which are never recorded and therefore always computed; "shown" is
    "paper" where an experiment has nothing more than the paper shows.

    ``mode``: "recorded" takes the record and computes nothing; "live" trains and evaluates now and compares with the
    record, if there is one; "auto" is live if the data and every package are at hand and no record says that
    computing takes two minutes or more, and recorded otherwise.

    ``settings``: values in place of the profile's, by name (:mod:`lil.results.changes`); None leaves the profile's.
    ``seeds`` may be a number too: that many of the first. Such a result is always computed, never recorded and compared
    with none; its ``changes`` name the settings.

    ``trained``: "live" keeps networks here and finds those of earlier calls.

    Raises SettingRefused, UnknownName, PackageMissing, MissingRecord, StaleRecord or CorruptRecord.
    """
    config = registry.settings(experiment, profile)
    if mode not in MODES:
        raise UnknownName(f"There is no mode {mode!r}: there are {', '.join(MODES)}.")
    changed = {name: value for name, value in settings.items() if value is not None}
    some = changes.apply(config, changed)
    changed = {} if some == config else changed
    recordable = profile != "quick" and some == registry.settings(experiment, "paper")
    if mode == "recorded" and not recordable:
        what = "A result of changed settings" if changed else f"The {profile} profile"
        raise MissingRecord(f"{what} is never recorded: take the mode live or auto.")
    if mode == "recorded" or (mode == "auto" and recordable and not _is_cheap_here(experiment, config)):
        return recorded(experiment, config)
    trained = {} if trained is None else trained
    try:
        result = _computed(experiment, some, workers, device=device, progress=progress, trained=trained, keep=False)
    except PackageMissing:
        if mode == "auto" and recordable:
            return recorded(experiment, config)
        raise
    except ValueError as reason:
        if changed and not isinstance(reason, ResultError):  # a value that no check of the settings knows
            raise SettingRefused(f"{experiment.__name__} cannot be computed with these settings: {reason}") from reason
        raise
    result = result.assign_attrs(mode="live", profile="paper" if recordable else profile, changes=json.dumps(changed))
    before = records.readable_evaluation(experiment) if recordable else None
    return _compared(result, before, experiment, config)


def recorded(experiment: ModuleType, config: Any) -> xr.Dataset:
    """Return the record of an experiment. Raises MissingRecord, StaleRecord or CorruptRecord."""
    name = registry.stem(experiment)
    record = records.read_evaluation(experiment)
    if record is None:
        data = "" if data_at_hand(experiment, config) else " Its data is not on this machine: `lil data fetch` first."
        raise MissingRecord(
            f"There is no record results/{name}.nc: take it from the repository, or compute it with "
            f"`lil reproduce {name} --record --mode auto`.{data}"
        )
    if changed := keys.of_evaluation(experiment, config).differences(record.attrs):
        raise StaleRecord(
            f"The record results/{name}.nc is stale: since {record.attrs['date']} its {' and '.join(changed)} changed. "
            f"Compute it anew with `lil reproduce {name} --record --mode auto`, or, after a change of code that should "
            f"not alter it, see whether it still holds with `lil results affirm {name}`."
        )
    return record.assign_attrs(mode="recorded", profile="paper")


def networks(recipe: ModuleType, config: Any, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Tensor]:
    """Return the networks of a recipe, for its ``restore``: recorded, if those are current, else trained now.

    Raises CorruptRecord if the record is damaged, and SettingRefused if ``config`` is not of the recipe.
    """
    if not isinstance(config, recipe.Config):
        raise SettingRefused(f"{config!r} is no Config of the recipe {registry.stem(recipe)}: take its PAPER.")
    found = current_networks(recipe, config)
    return (found or computing.train(recipe, config, device=device, progress=progress)).tensors


def current_networks(recipe: ModuleType, config: Any) -> Networks | None:
    """Return the recorded networks of a recipe; None if there are none or they are stale."""
    found = records.read_networks(recipe, config)
    return None if found is None or keys.of_networks(recipe, config).differences(found.attrs) else found


def record(
    experiment: ModuleType,
    mode: str = "live",
    *,
    device: str = "cpu",
    progress: Progress = silent,
    trained: Trained | None = None,
    workers: Workers = computing,
    together: Sequence[ModuleType] = (),
) -> xr.Dataset:
    """Compute an experiment at the paper's scale, record it with its witness, and return it.

    ``mode``: "live" trains and evaluates all of it; "auto" keeps current records and networks. Networks are written as
    soon as they are trained, so that a kill during the evaluation loses no training.

    ``together``: the experiments that are recorded in the same way and share ``trained``.

    Raises NetworksInUse before anything is computed if "live" would replace networks of another current record;
    NotWritten, StaleRecord if its code was changed meanwhile, PackageMissing and WrongEngine.
    """
    config = registry.settings(experiment, "paper")
    if mode not in ("live", "auto"):
        raise UnknownName(f"A record is made in mode live or auto, not {mode!r}.")
    if mode == "live":
        _refuse_to_replace(experiment, config, together)
    before = records.readable_evaluation(experiment)
    if mode == "auto" and before is not None and not keys.of_evaluation(experiment, config).differences(before.attrs):
        return before.assign_attrs(mode="recorded", profile="paper")
    trained = {} if trained is None else trained
    for recipe, settings in computing.recipes(experiment, config).values() if mode == "auto" else ():
        if found := _kept_networks(recipe, settings):
            trained.setdefault(keys.of_networks(recipe, settings).key, found)
    result = _computed(experiment, config, workers, device=device, progress=progress, trained=trained, keep=True)
    if witness.is_missing(result.attrs):
        result.attrs["witness"] = json.dumps(witness.make(experiment, device=device, progress=progress))
    records.write_evaluation(experiment, config, result)
    return _compared(result.assign_attrs(mode="live", profile="paper"), before, experiment, config)


def _refuse_to_replace(experiment: ModuleType, config: Any, together: Sequence[ModuleType]) -> None:
    """Raise NetworksInUse if recorded networks of an experiment also made current records of others.

    Networks that are trained anew have the same key, so no check would notice later that those records' networks are
    gone. Records of the experiments in ``together`` are about to be computed anew as well.
    """
    own = {
        keys.of_networks(recipe, settings).key
        for recipe, settings in computing.recipes(experiment, config).values()
        if _kept_networks(recipe, settings)
    }
    name, package = registry.stem(experiment), experiment.__name__.rpartition(".")[0]
    spared = {name, *map(registry.stem, together)}
    others = [other for other in registry.names(package) if own and other not in spared]
    if others := [other for other in others if _was_made_from(registry.load(package, other), own)]:
        raise NetworksInUse(
            f"Recording {name} anew would replace networks that the records {', '.join(others)} were computed from: "
            f"keep them with `lil reproduce {name} --record --mode auto`, or record all anew with "
            f"`lil reproduce {' '.join([name, *others])} --record`."
        )


def _kept_networks(recipe: ModuleType, settings: Any) -> Networks | None:
    """Return the recorded networks of a recipe; None if there are none, they are stale, or damaged: to be replaced."""
    try:
        return current_networks(recipe, settings)
    except CorruptRecord:
        return None


def _was_made_from(experiment: ModuleType, networks: set[str]) -> bool:
    """Return True if an experiment has a current record that was computed from networks with one of these keys."""
    record = records.readable_evaluation(experiment)
    if record is None or networks.isdisjoint(json.loads(record.attrs["networks"]).values()):
        return False
    return not keys.of_evaluation(experiment, registry.settings(experiment, "paper")).differences(record.attrs)


def give_witness(experiment: ModuleType, *, device: str = "cpu", progress: Progress = silent) -> dict[str, Any] | None:
    """Give an experiment's current record its witness, and return that; None if it needs none.

    Raises MissingRecord, StaleRecord or CorruptRecord, and WrongEngine.
    """
    config = registry.settings(experiment, "paper")
    found = recorded(experiment, config)
    if keys.engine_of(experiment)["name"] == "plain" or not witness.is_missing(found.attrs):
        return None
    made = witness.make(experiment, device=device, progress=progress)
    found = found.assign_attrs(witness=json.dumps(made))
    del found.attrs["mode"], found.attrs["profile"]
    records.write_evaluation(experiment, config, found)
    return made


def data_at_hand(experiment: ModuleType, config: Any) -> bool:
    """Return True if everything that an experiment reads is on this machine, by its recipes' ``data_available``."""
    each = computing.recipes(experiment, config).values()
    return all(recipe.data_available(settings) for recipe, settings in each if hasattr(recipe, "data_available"))


def _is_cheap_here(experiment: ModuleType, config: Any) -> bool:
    """Return True if the data is here and no record says that computing takes long."""
    record = records.read_evaluation(experiment)
    return data_at_hand(experiment, config) and (record is None or computing.seconds(record.attrs) < LIVE_UP_TO)


def _computed(
    experiment: ModuleType,
    config: Any,
    workers: Workers,
    *,
    device: str,
    progress: Progress,
    trained: Trained,
    keep: bool,
) -> xr.Dataset:
    """Train the networks that are not in ``trained`` and evaluate the experiment.

    ``keep``: record the networks, and let the evaluation go on where it was killed.
    """
    used = {}
    try:
        for name, (recipe, settings) in computing.recipes(experiment, config).items():
            key = keys.of_networks(recipe, settings).key
            if key not in trained:
                trained[key] = workers.train(recipe, settings, device=device, progress=progress)
                if keep:
                    records.write_networks(recipe, settings, trained[key])
            used[name] = trained[key]
        return workers.evaluate(experiment, config, used, device=device, progress=progress, resume=keep)
    except ModuleNotFoundError as reason:
        missing, own = (reason.name or "").partition(".")[0], experiment.__name__.partition(".")[0]
        if missing in ("", own):
            raise
        raise PackageMissing(
            f"{registry.stem(experiment)} computes with the package {missing}, which is not installed; its record "
            f"needs no package: `lil reproduce {registry.stem(experiment)} --mode recorded`."
        ) from reason


def _compared(result: xr.Dataset, before: xr.Dataset | None, experiment: ModuleType, config: Any) -> xr.Dataset:
    """Return a result with its difference from the record before it, if there is one."""
    if before is None:
        return result
    comparison = {
        "date": before.attrs["date"],
        "changed": keys.of_evaluation(experiment, config).differences(before.attrs),
        "differences": computing.differences(result, before),
    }
    return result.assign_attrs(comparison=json.dumps(comparison))
