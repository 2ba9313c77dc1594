"""The place of each record, and records read and written.

Records lie in ``results/``, beside the package that computes them, or inside an installed package: ``fig2_rings.nc``
for the evaluation of an experiment, ``networks/rings/paper.safetensors`` for the networks of a recipe, by the name
that the recipe gives their settings (``PAPER``). Only named settings are recorded, and none that are called
``QUICK…``. Networks that are too large to be committed lie in the user's cache folder instead; without them their
evaluation is still current.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import xarray as xr
from torch import Tensor

from lil.cache import cache_folder
from lil.results import files, keys
from lil.results.errors import CorruptRecord, StaleRecord
from lil.results.registry import stem

COMMITTED_UP_TO = 4 * 2**20  # bytes of networks; larger files lie in the cache folder, and are soon trained anew
PROVENANCE = ("name", "code", "config", "networks", "training", "date", "machine", "device", "threads", "seconds")
INSTALLED = "_records"  # the folder of records inside an installed package


@dataclass(frozen=True)
class Networks:
    """Trained networks and their provenance."""

    tensors: dict[str, Tensor]  # as the recipe's ``train`` returned them
    attrs: dict[str, Any]  # provenance


@dataclass(frozen=True)
class Place:
    """A file in a folder of records."""

    root: Path
    name: str

    @property
    def path(self) -> Path:
        """Return the file's path."""
        return self.root / self.name

    @property
    def exists(self) -> bool:
        """Return True if the file is there, and where its folder refuses to say: reading it then says that."""
        try:
            self.path.stat()  # Path.exists swallows the refusal from Python 3.14 on
        except OSError as reason:
            return isinstance(reason, PermissionError)
        return True


def folder_of(module: ModuleType) -> Path:
    """Return the folder of records of the package of ``module``: inside it where it is installed, else beside it."""
    above = keys.folder_above(module)
    installed = above / module.__name__.partition(".")[0] / INSTALLED
    return installed if installed.is_dir() else above / "results"


def place_of_evaluation(experiment: ModuleType) -> Place:
    """Return the place of an experiment's record, whether there is one or not."""
    return Place(folder_of(experiment), f"{stem(experiment)}.nc")


def places_of_networks(recipe: ModuleType, config: Any) -> tuple[Place, ...]:
    """Return the places where the networks of a recipe may lie, committed or cached; none if they are not recorded."""
    named = (name for name, value in vars(recipe).items() if type(value) is recipe.Config and value == config)
    variant = next((name.lower().replace("_", "-") for name in named if not name.startswith("QUICK")), None)
    if variant is None:
        return ()
    name = f"networks/{stem(recipe)}/{variant}.safetensors"
    return Place(folder_of(recipe), name), Place(cache_folder(), name)


def read_evaluation(experiment: ModuleType) -> xr.Dataset | None:
    """Return the record of an experiment, current or not; None if there is none. Raises CorruptRecord."""
    place = place_of_evaluation(experiment)
    if not place.exists:
        return None
    record = files.dataset_from_bytes(files.read(place.root, place.name))
    if lacking := [name for name in PROVENANCE if name not in record.attrs]:
        raise CorruptRecord(
            f"The record results/{place.name} lacks its {', '.join(lacking)}: restore it, or compute it anew with "
            f"`lil reproduce {stem(experiment)} --record`."
        )
    return record


def readable_evaluation(experiment: ModuleType) -> xr.Dataset | None:
    """Return the record of an experiment, current or not; None if there is none or it is damaged."""
    try:
        return read_evaluation(experiment)
    except CorruptRecord:
        return None


def read_networks(recipe: ModuleType, config: Any) -> Networks | None:
    """Return the recorded networks, current or not; None if there are none. Raises CorruptRecord."""
    place = next((place for place in places_of_networks(recipe, config) if place.exists), None)
    return Networks(*files.read_networks(place.root, place.name)) if place else None


def write_evaluation(experiment: ModuleType, config: Any, result: xr.Dataset) -> None:
    """Make ``result`` the record of an experiment. Raises StaleRecord or NotWritten; the old record then stays."""
    _refuse_if_changed(keys.of_evaluation(experiment, config), result.attrs)
    place = place_of_evaluation(experiment)
    files.write(place.root, place.name, files.dataset_to_bytes(result))


def write_networks(recipe: ModuleType, config: Any, networks: Networks) -> None:
    """Record networks, if their settings have a name. Raises StaleRecord or NotWritten; the old record then stays."""
    places = places_of_networks(recipe, config)
    if not places:
        return
    _refuse_if_changed(keys.of_networks(recipe, config), networks.attrs)
    content = files.networks_to_bytes(networks.tensors, networks.attrs)
    committed, cached = places
    chosen, other = (committed, cached) if len(content) <= COMMITTED_UP_TO else (cached, committed)
    files.write(chosen.root, chosen.name, content)
    files.remove(other.root, other.name)


def _refuse_if_changed(inputs: keys.Inputs, attrs: dict[str, Any]) -> None:
    """Raise StaleRecord if the code, which is read from its files, was edited since it computed this."""
    if changed := inputs.differences(attrs):
        raise StaleRecord(
            f"{inputs.name} is not recorded, because its {' and '.join(changed)} changed while it was computed: "
            "repeat the command and leave the files alone until it ends."
        )
