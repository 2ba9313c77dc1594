"""Parts that all experiments have in common: ``run``, and results of a grid of networks as labelled arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr
from torch import Tensor

from lil.progress import Progress, silent

Networks = dict[str, dict[str, Tensor]]
"""The weights of an experiment's networks, for each of its recipes."""

Values = Mapping[str, tuple[tuple[str, ...], Any]]
"""The dimensions and the array, or tensor, of each variable."""


def make_run(recipes: Mapping[str, ModuleType], evaluate: Callable[..., xr.Dataset]) -> Callable[..., xr.Dataset]:
    """Return an experiment's ``run``, which trains the networks of each recipe and evaluates them."""

    def run(config: Any, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
        """Train the networks, then evaluate them."""
        settings = {name: getattr(config, name) for name in recipes}
        networks = {
            name: recipe.train(settings[name], device=device, progress=progress) for name, recipe in recipes.items()
        }
        return evaluate(config, networks, device=device, progress=progress)

    return run


def check_shared(settings: Sequence[Any], *fields: str) -> None:
    """Raise ValueError where sets of networks that are compared differ in one of the ``fields`` of their settings."""
    for field in fields:
        first, *others = (getattr(each, field) for each in settings)
        for other in others:
            if other != first:
                raise ValueError(f"networks that are compared must share their {field}, not have {first} and {other}.")


def grid_dataset(values: Values, grid: Mapping[str, Sequence], coords: Mapping[str, Any]) -> xr.Dataset:
    """Return the values as a Dataset, in which the dimensions of ``grid`` take the place of the dimension ``member``.

    Members are ordered as the networks of a recipe are: the last dimension of ``grid`` changes fastest.
    """
    sizes = [len(axis) for axis in grid.values()]
    variables = {}
    for name, (dims, value) in values.items():
        array = value.numpy(force=True) if isinstance(value, Tensor) else np.asarray(value)
        if "member" in dims:
            at = dims.index("member")
            dims = (*dims[:at], *grid, *dims[at + 1 :])
            array = array.reshape(*array.shape[:at], *sizes, *array.shape[at + 1 :])
        variables[name] = (dims, array)
    return xr.Dataset(variables, {name: list(axis) for name, axis in grid.items()} | dict(coords))
