"""One probe of an experiment in a process of its own, computed by the code of any source tree.

This file is also the script that the process runs. As a script it imports the experiments of the tree that comes
first in ``PYTHONPATH`` and no other module of ours, so that it can run code of years ago. Both trees need
``experiments.NAME`` with ``PAPER``, ``RECIPES`` and ``evaluate``, and recipes with ``train``.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

NOISE = 2e-7  # of a value, the standard deviation by which "moved" inputs differ: some rounding errors of float32


@dataclass(frozen=True)
class Job:
    """A computation: settings, what to train and what to evaluate. All fields are JSON."""

    experiment: str  # its module
    cut: dict[str, Any]  # settings by dotted field; "*" stands for every recipe
    threads: int  # of torch
    device: str = "cpu"
    moved: int = 0  # seed of rounding noise on initial and evaluated weights; 0: none
    trained: str = ""  # folder for the trained weights, one file a recipe; "": nothing is trained
    evaluated: dict[str, str] = field(default_factory=dict)  # a NetCDF file for each folder of weights to evaluate


def run(
    tree: Path, job: Job, engine: str = "", environment: dict[str, str] | None = None, timeout: float | None = None
) -> None:
    """Run a job by the code in ``tree`` and one of its engines; "" for the default.

    Raises NotAffirmed with the last line of the job's error, or if it takes too long.
    """
    from lil.results.errors import NotAffirmed

    path = os.pathsep.join(filter(None, [str(tree), os.environ.get("PYTHONPATH")]))
    script = [sys.executable, "-P", "-W", "ignore", __file__, str(tree)]
    env = {**os.environ, "PYTHONPATH": path, **(environment or {}), **({"LIL_ENGINE": engine} if engine else {})}
    try:
        done = subprocess.run(
            script, input=json.dumps(vars(job)), env=env, capture_output=True, text=True, timeout=timeout
        )
    except subprocess.TimeoutExpired as reason:
        raise NotAffirmed(f"{job.experiment} took more than {timeout:.0f} s: choose a smaller probe.") from reason
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise NotAffirmed(f"{job.experiment} could not be computed by the code in {tree} ({last}): mend it first.")


def work(job: Job) -> None:
    """Do a job in this process."""
    torch.set_num_threads(job.threads)
    calls: dict[str, Any] = {"device": job.device, "progress": lambda *_: None}
    with _moving(job.moved) as moved:
        experiment = importlib.import_module(job.experiment)
        config = cut(experiment.PAPER, job.cut, experiment.RECIPES)
        for name, recipe in experiment.RECIPES.items() if job.trained else ():
            Path(job.trained).mkdir(parents=True, exist_ok=True)
            tensors = recipe.train(getattr(config, name), **calls)
            save_file({key: value.contiguous() for key, value in tensors.items()}, weights_file(job.trained, name))
        for folder, result in job.evaluated.items():
            loaded = {name: load_file(weights_file(folder, name)) for name in experiment.RECIPES}
            networks = {name: {key: moved(value) for key, value in each.items()} for name, each in loaded.items()}
            experiment.evaluate(config, networks, **calls).to_netcdf(result, engine="h5netcdf")


def weights_file(folder: str | Path, recipe: str) -> Path:
    """Return the file of one recipe's weights in a job's folder."""
    return Path(folder) / f"{recipe}.safetensors"


def cut(config: Any, changes: dict[str, Any], recipes: Any) -> Any:
    """Return settings with some fields changed: ``{"n_images": 20, "mnist.n_test": 60, "*.epochs": 1}``.

    All changes are made at once, as settings check each other.
    """
    by_owner: dict[str, dict[str, Any]] = {"": {}}
    for dotted, value in changes.items():
        owner, _, last = dotted.rpartition(".")
        for name in recipes if owner == "*" else [owner]:
            if owner != "*" or hasattr(getattr(config, name), last):
                by_owner.setdefault(name, {})[last] = tuple(value) if isinstance(value, list) else value
    outer = by_owner.pop("")
    return replace(config, **{name: replace(getattr(config, name), **each) for name, each in by_owner.items()}, **outer)


@contextmanager
def _moving(seed: int) -> Iterator[Callable[[Tensor], Tensor]]:
    """Yield a function that moves a tensor by rounding errors. Meanwhile, drawn and loaded weights move by as much.

    Each draw of ``uniform_`` and ``normal_`` is moved: initial weights come from them, whichever code draws. So are
    tensors that modules imported meanwhile load by ``safetensors.torch.load``: the weights of a pretrained network.
    """
    if not seed:
        yield lambda values: values
        return
    generator = torch.Generator().manual_seed(seed)

    def moved(values: Tensor) -> Tensor:
        return values * (1 + NOISE * torch.randn(values.shape, generator=generator)).to(values.device)

    draws = {name: getattr(Tensor, name) for name in ("uniform_", "normal_")}
    for name, draw in draws.items():
        setattr(Tensor, name, lambda self, *a, _draw=draw, **k: self.copy_(moved(_draw(self, *a, **k).detach())))
    load = safetensors.torch.load
    safetensors.torch.load = lambda data: {name: moved(value.float()) for name, value in load(data).items()}
    try:
        yield moved
    finally:
        safetensors.torch.load = load
        for name, draw in draws.items():
            setattr(Tensor, name, draw)


if __name__ == "__main__":
    sent = Job(**json.loads(sys.stdin.read()))
    top = importlib.import_module(sent.experiment.partition(".")[0])
    if not Path(str(top.__file__)).is_relative_to(sys.argv[1]):
        sys.exit(f"{top.__name__} was found in {top.__file__} and not in {sys.argv[1]}")
    work(sent)
