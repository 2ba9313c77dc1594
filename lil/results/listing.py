"""What is recorded: which records are current, when they were computed, and what that took."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from lil.results import computing, files, keys, records, registry
from lil.results.errors import CorruptRecord

FAILING = ("stale", "damaged", "leftover")  # states that a clean repository has none of


@dataclass(frozen=True)
class Row:
    """One record, or its absence."""

    name: str  # as below results/, without the ending
    state: str  # current, stale, damaged, missing, or leftover: of no experiment
    changed: tuple[str, ...] = ()  # since it was computed: settings, data, code, networks
    attrs: dict[str, Any] | None = None  # its provenance, where it can be read; without that of its networks


def listing(package: str) -> list[Row]:
    """The records of all experiments in ``package``, then those of their networks, then what belongs to neither."""
    experiments = [registry.load(package, name) for name in registry.names(package)]
    evaluations = {records.place_of_evaluation(each).name: each for each in experiments}
    networks = {}
    for experiment in experiments:
        config = registry.settings(experiment, "paper")
        for recipe, settings in computing.recipes(experiment, config).values():
            if places := records.places_of_networks(recipe, settings):
                networks[places[0].name] = (recipe, settings)
    root = records.folder_of(importlib.import_module(package))
    rows = [_evaluation(name, each) for name, each in evaluations.items()]
    rows += [_networks(name, *networks[name]) for name in sorted(networks, key=_short)]
    known = {*evaluations, *networks}
    return rows + [Row(_short(name), "leftover") for name in files.names(root) if name not in known]


def _evaluation(name: str, experiment: ModuleType) -> Row:
    inputs = keys.of_evaluation(experiment, registry.settings(experiment, "paper"))
    return _row(name, inputs, lambda: records.read_evaluation(experiment))


def _networks(name: str, recipe: ModuleType, settings: Any) -> Row:
    return _row(name, keys.of_networks(recipe, settings), lambda: records.read_networks(recipe, settings))


def _row(name: str, inputs: keys.Inputs, read) -> Row:
    try:
        record = read()
    except CorruptRecord:
        return Row(_short(name), "damaged")
    if record is None:
        return Row(_short(name), "missing")
    changed = tuple(inputs.differences(record.attrs))
    return Row(_short(name), "stale" if changed else "current", changed, record.attrs)


def _short(name: str) -> str:
    return name.rpartition(".")[0]
