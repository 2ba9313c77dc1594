"""Experiments by name, and their settings by profile. The package of experiments is the list of them."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from lil.results.errors import UnknownName

PROFILES = ("paper", "shown", "quick")
"""The paper's scale, which is recorded; the part of it that the paper itself shows; and a scale of seconds."""


def names(package: str) -> list[str]:
    """Return the names of the experiments in ``package``, without importing them."""
    try:
        folders = importlib.import_module(package).__path__
    except (ModuleNotFoundError, AttributeError, ValueError) as reason:
        if isinstance(reason, ModuleNotFoundError) and not f"{package}.".startswith(f"{reason.name}."):
            raise  # a package that it imports is missing
        raise UnknownName(f"There is no package {package!r} of experiments: lil.experiments is one.") from reason
    return sorted(module.name for module in pkgutil.iter_modules(folders) if not module.name.startswith("_"))


def load(package: str, name: str) -> ModuleType:
    """Return the experiment called ``name``. Raises UnknownName."""
    known = names(package)
    if name not in known:
        raise UnknownName(f"There is no experiment {name!r}: there are {', '.join(known)}.")
    return importlib.import_module(f"{package}.{name}")


def stem(module: ModuleType) -> str:
    """Return the name of an experiment or a recipe: ``fig2_rings``."""
    return module.__name__.rpartition(".")[2]


def entry(experiment: ModuleType, table: str) -> Any:
    """Return an experiment's entry in a table of its package, "PROBES" for example; None if it has none."""
    package = importlib.import_module(experiment.__name__.rpartition(".")[0])
    return getattr(package, table, {}).get(stem(experiment))


def settings(experiment: ModuleType, profile: str) -> Any:
    """Return an experiment's ``PAPER``, ``SHOWN`` or ``QUICK`` by the name of the profile; without SHOWN its PAPER."""
    if profile not in PROFILES:
        raise UnknownName(f"There is no profile {profile!r}: there are {', '.join(PROFILES)}.")
    if not isinstance(experiment, ModuleType):
        raise UnknownName(f"{experiment!r} is no experiment: import its module, as lil.experiments.fig2_rings.")
    return experiment.QUICK if profile == "quick" else getattr(experiment, profile.upper(), experiment.PAPER)
