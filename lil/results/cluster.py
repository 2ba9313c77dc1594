"""Results computed by the workers of a dask scheduler.

:class:`Cluster` has the two functions of :mod:`lil.results.computing`, ``train`` and ``evaluate``, and can take its
place wherever an ``engine`` is asked for. Each network is trained as a task of its own. An evaluation is one task, or
one for each network where the experiments' package says along which axes that is the same (``SEPARATE``). What comes
back is put together under the key of the whole, so the same record is current whoever computed it.

Tasks of a worker that dies are given to another. Dask pickles what it sends: use a scheduler that you trust.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from types import ModuleType
from typing import Any

import torch
import xarray as xr

from lil.progress import Progress, silent
from lil.results import computing, keys, registry
from lil.results.computing import AXES, only
from lil.results.errors import NoCluster
from lil.results.records import Networks
from lil.results.registry import stem

ANSWERS_WITHIN = 10  # seconds to wait for the scheduler
IMPORTS_WITHIN = 60  # seconds to wait for the workers' import of PyTorch

_DEVICE = "import torch; torch.empty(1, device={!r})"
_START = "start one with `dask scheduler`, and workers for it with `dask worker ADDRESS --nthreads 1`"


class Cluster:
    """A connection to the scheduler at ``address``, such as ``tcp://10.0.0.5:8786``; closed at the end of a ``with``.

    Raises NoCluster where dask is not installed, nobody answers, there are no workers, they or the scheduler cannot
    import lil, or they would run several tasks in one process, which share torch's number of threads.
    """

    def __init__(self, address: str):
        try:
            from distributed import Client
        except ModuleNotFoundError as reason:
            raise NoCluster("A scheduler needs the package distributed: `pip install distributed`.") from reason
        try:
            self.client = Client(address, timeout=ANSWERS_WITHIN, set_as_default=False)
        except (OSError, ValueError) as reason:  # ValueError: what is no address
            raise NoCluster(f"No dask scheduler answers at {address!r}: {_START}.") from reason
        threads = [each["nthreads"] for each in self.client.scheduler_info(n_workers=-1)["workers"].values()]
        if not threads or max(threads) > 1:
            self.client.close()
            raise NoCluster(
                f"The scheduler at {address} has no workers: {_START}."
                if not threads
                else f"A worker of {address} runs {max(threads)} tasks at once: start it with `--nthreads 1`."
            )
        try:
            self._ask(f"import {__name__}", "install the same version of lil there", scheduler=True)
        except NoCluster:
            self.client.close()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: Any) -> None:
        self.client.close()

    def _ask(self, code: str, way_out: str, *, scheduler: bool = False) -> None:
        """Run a line on all workers, and on the scheduler. Raises NoCluster, which names the first that cannot."""
        try:
            answers = self.client.sync(self.client.run, exec, code, on_error="return", callback_timeout=IMPORTS_WITHIN)
            if scheduler:
                self.client.sync(self.client.run_on_scheduler, exec, code, callback_timeout=IMPORTS_WITHIN)
        except ImportError as reason:
            raise NoCluster(f"The scheduler cannot run `{code}` ({reason}): {way_out}.") from reason
        except (OSError, CancelledError) as reason:  # a timeout among them
            raise NoCluster(f"The scheduler or a worker does not answer any more: {_START}.") from reason
        for worker, error in answers.items():
            if error is not None:
                raise NoCluster(f"The worker {worker} cannot run `{code}` ({error}): {way_out}.")

    def train(self, recipe: ModuleType, config: Any, *, device: str, progress: Progress) -> Networks:
        """Train the networks of a recipe as :func:`lil.results.computing.train` does, each as a task of its own."""
        pieces = [only(config, member) for member in _members([config])]
        inputs = [keys.of_networks(recipe, piece) for piece in pieces]
        calls = [(_train, recipe.__name__, piece, device) for piece in pieces]
        self._ask(_DEVICE.format(device), "choose a device that all workers have")
        done = self._all(calls, inputs, f"training: {stem(recipe)}", progress)
        _refuse_other_code(inputs, [each.attrs for each in done])
        there = [member for piece in pieces for member in recipe.members(piece)]
        order = [there.index(member) for member in recipe.members(config)]
        tensors = {name: torch.cat([each.tensors[name] for each in done])[order] for name in done[0].tensors}
        attrs = done[0].attrs | keys.of_networks(recipe, config).attrs() | _cost([each.attrs for each in done])
        return Networks(tensors, attrs)

    def evaluate(
        self,
        experiment: ModuleType,
        config: Any,
        networks: dict[str, Networks],
        *,
        device: str,
        progress: Progress,
        resume: bool = False,
    ) -> xr.Dataset:
        """Evaluate as :func:`lil.results.computing.evaluate` does. ``resume`` is not used: dask repeats its tasks."""
        recipes = computing.recipes(experiment, config)
        axes = registry.entry(experiment, "SEPARATE") or ()
        members = _members([settings for _, settings in recipes.values()], axes)
        settings = ({name: only(each, member) for name, (_, each) in recipes.items()} for member in members)
        pieces = [replace(config, **each) for each in settings]
        inputs = [keys.of_evaluation(experiment, piece) for piece in pieces]
        calls = [(_evaluate, experiment.__name__, piece, _parts(recipes, piece, networks), device) for piece in pieces]
        self._ask(_DEVICE.format(device), "choose a device that all workers have")
        done = self._all(calls, inputs, f"evaluation: {stem(experiment)}", progress)
        attrs = [each.attrs for each in done]
        _refuse_other_code(inputs, attrs)
        whole = keys.of_evaluation(experiment, config).attrs() | _cost(attrs)
        whole["training"] = computing.of_training(networks)
        return _joined(done, members, axes).assign_attrs(attrs[0] | whole)

    def _all(self, calls: Sequence[tuple], inputs: Sequence[keys.Inputs], label: str, progress: Progress) -> list[Any]:
        """Return the results of calls, each a function and its arguments, in their order."""
        import dask
        from distributed import KilledWorker, as_completed
        from distributed.comm import CommClosedError

        networks_are_sent = {"distributed.admin.large-graph-warning-threshold": "1GB"}
        with dask.config.set(networks_are_sent):
            tasks = [
                self.client.submit(*call, key=f"{call[0].__name__}-{each.name}-{each.key}")
                for call, each in zip(calls, inputs, strict=True)
            ]
        try:
            for done, task in enumerate(as_completed(tasks, loop=self.client.loop), start=1):
                task.result()
                progress(label, done, len(tasks))
            return [task.result() for task in tasks]
        except KilledWorker as reason:
            raise NoCluster(
                f"The scheduler gave up on {label}, because several workers died over it: read their logs, and give "
                "them more memory."
            ) from reason
        except (CancelledError, CommClosedError) as reason:
            raise NoCluster(
                f"The connection to the scheduler was lost during {label}: {_START}, then repeat the command."
            ) from reason
        except RuntimeError as reason:
            if "deserialization of the task graph" not in str(reason):
                raise
            raise NoCluster(f"The scheduler cannot read {label}: install the same version of lil there.") from reason
        finally:
            self.client.cancel(tasks)


def _members(settings: Sequence[Any], axes: Sequence[str] = tuple(AXES)) -> list[dict[str, Any]]:
    """Return all combinations of β and seed, of the axes that all settings have; the last axis runs fastest."""
    shared = [axis for axis in axes if all(hasattr(each, AXES[axis]) for each in settings)]
    values = (getattr(settings[0], AXES[axis]) for axis in shared)
    return [dict(zip(shared, each, strict=True)) for each in itertools.product(*values)]


def _parts(
    recipes: dict[str, tuple[ModuleType, Any]], piece: Any, networks: dict[str, Networks]
) -> dict[str, Networks]:
    """Return the networks of each recipe that one piece of the evaluation needs."""
    parts = {}
    for name, (recipe, settings) in recipes.items():
        there = recipe.members(settings)
        which = [there.index(member) for member in recipe.members(getattr(piece, name))]
        tensors = {key: value[which] for key, value in networks[name].tensors.items()}
        parts[name] = Networks(tensors, networks[name].attrs)
    return parts


def _joined(parts: list[xr.Dataset], members: list[dict[str, Any]], axes: Sequence[str]) -> xr.Dataset:
    """Join the results of members; variables without the axes are the first member's."""
    how: dict[str, Any] = dict(data_vars="minimal", coords="minimal", compat="override", join="exact")
    for axis in reversed(axes):
        n = len({member[axis] for member in members})
        groups = (parts[first : first + n] for first in range(0, len(parts), n))
        parts = [xr.concat(group, axis, combine_attrs="drop", **how) for group in groups]
    return parts[0].drop_attrs(deep=False)


def _cost(attrs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the cost of the pieces: the seconds of all together, and the most memory of one."""
    return {
        "seconds": round(sum(each["seconds"] for each in attrs), 2),
        "peak_memory_mb": max(each["peak_memory_mb"] for each in attrs),
        "machine": "; ".join(dict.fromkeys(each["machine"] for each in attrs)),
        "date": max(each["date"] for each in attrs),
    }


def _refuse_other_code(inputs: Sequence[keys.Inputs], attrs: Sequence[dict[str, Any]]) -> None:
    for expected, found in zip(inputs, attrs, strict=True):
        if changed := expected.differences(found):
            raise NoCluster(
                f"The workers computed {expected.name} with other {' and '.join(changed)} than this machine has: "
                "install the same version of lil, and the same data, on all of them."
            )


def _train(recipe: str, config: Any, device: str) -> Networks:
    return computing.train(importlib.import_module(recipe), config, device=device, progress=silent)


def _evaluate(experiment: str, config: Any, networks: dict[str, Networks], device: str) -> xr.Dataset:
    return computing.evaluate(importlib.import_module(experiment), config, networks, device=device, progress=silent)
