"""Experiments by name, and their settings by profile. A package of experiments is read; no list of them is kept."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from lil.results.errors import UnknownName

PROFILES = ("paper", "shown", "quick")
"""The scale of the paper, which is recorded; there, no more than what the paper itself shows; and a scale of seconds."""


def names(package: str) -> list[str]:
    """The experiments in ``package``, without importing them."""
    folders = importlib.import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(folders) if not module.name.startswith("_"))


def load(package: str, name: str) -> ModuleType:
    """The experiment called ``name``."""
    known = names(package)
    if name not in known:
        raise UnknownName(f"There is no experiment {name!r}: there are {', '.join(known)}.")
    return importlib.import_module(f"{package}.{name}")


def stem(module: ModuleType) -> str:
    """The name of an experiment or a recipe: ``fig2_rings``."""
    return module.__name__.rpartition(".")[2]


def settings(experiment: ModuleType, profile: str) -> Any:
    """An experiment's ``Config`` for ``profile``: what the module calls ``PAPER``, ``SHOWN`` or ``QUICK``.

    An experiment that has nothing more than the paper shows has no ``SHOWN`` beside its ``PAPER``.
    """
    if profile not in PROFILES:
        raise UnknownName(f"There is no profile {profile!r}: there are {', '.join(PROFILES)}.")
    return experiment.QUICK if profile == "quick" else getattr(experiment, profile.upper(), experiment.PAPER)
