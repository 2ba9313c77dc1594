"""The list of records: current or not, computed when, at what cost."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from lil.progress import Progress, silent
from lil.results import computing, files, keys, records, registry, witness
from lil.results.errors import CorruptRecord

NOT_KEPT = "not kept"  # networks too large to be committed, which are trained anew where they are needed
FAILING = ("stale", "unwitnessed", "damaged", "leftover")  # states that a clean repository has none of


@dataclass(frozen=True)
class Row:
    """One record, or its absence."""

    name: str  # as below results/, without the ending
    state: str  # current, unwitnessed (current, but no witness of the present code), stale, damaged, missing, not kept
    # (networks alone), or leftover: of no experiment
    changed: tuple[str, ...] = ()  # since it was computed: settings, data, code, networks, engine
    attrs: dict[str, Any] | None = None  # its provenance, where it can be read


def listing(package: str, progress: Progress = silent) -> list[Row]:
    """Return the records of all experiments in ``package``, of their networks, and those that belong to neither."""
    experiments = [registry.load(package, name) for name in registry.names(package)]
    evaluations = {records.place_of_evaluation(each).name: each for each in experiments}
    networks = {}
    for experiment in experiments:
        config = registry.settings(experiment, "paper")
        for recipe, settings in computing.recipes(experiment, config).values():
            if places := records.places_of_networks(recipe, settings):
                networks[places[0].name] = (recipe, settings)
    root = records.folder_of(importlib.import_module(package))
    each_row = [partial(_row_of_evaluation, name, each) for name, each in evaluations.items()]
    each_row += [partial(_row_of_networks, *networks[name]) for name in sorted(networks, key=_short)]
    rows = []
    for number, row in enumerate(each_row, start=1):
        rows.append(row())
        progress("records", number, len(each_row))
    known = {*evaluations, *networks}
    return rows + [Row(_short(name), "leftover") for name in files.names(root) if name not in known]


def _row_of_evaluation(name: str, experiment: ModuleType) -> Row:
    inputs = keys.of_evaluation(experiment, registry.settings(experiment, "paper"))
    return _row(name, inputs, partial(records.read_evaluation, experiment))


def _row_of_networks(recipe: ModuleType, settings: Any) -> Row:
    """Return the row of networks. Stale ones in the cache folder count as none: another tree may have left them."""
    committed, _ = records.places_of_networks(recipe, settings)
    inputs, read = keys.of_networks(recipe, settings), partial(records.read_networks, recipe, settings)
    row = _row(committed.name, inputs, read, NOT_KEPT)
    return Row(row.name, NOT_KEPT) if row.state == "stale" and not committed.exists else row


def _row(name: str, inputs: keys.Inputs, read: Callable[[], Any], absent: str = "missing") -> Row:
    try:
        record = read()
    except CorruptRecord:
        return Row(_short(name), "damaged")
    if record is None:
        return Row(_short(name), absent)
    changed = tuple(inputs.differences(record.attrs))
    state = "stale" if changed else "unwitnessed" if witness.is_missing(record.attrs) else "current"
    return Row(_short(name), state, changed, record.attrs)


def _short(name: str) -> str:
    return name.rpartition(".")[0]
