"""A package with one experiment of milliseconds, on which storms are tried; and processes forked from this one."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
import xarray as xr
from filelock import FileLock

from lil.cache import cache_folder
from lil.cli import _expected
from lil.results import files, keys, records, registry

Row = dict[str, str | int]  # of a harness's record

RECIPE = '''
    """Networks of one hidden layer on 40 images of 4 × 4 pixels, trained by gradient descent."""

    from __future__ import annotations

    from dataclasses import dataclass

    import torch

    from lil.models import LIL


    @dataclass(frozen=True)
    class Config:
        betas: tuple[float, ...] = (0.0, 1.0)
        seeds: tuple[int, ...] = (0, 1)
        epochs: int = 6


    PAPER = Config()
    QUICK = Config(seeds=(0,), epochs=1)


    def members(config):
        return [(beta, seed) for beta in config.betas for seed in config.seeds]


    def images():
        generator = torch.Generator().manual_seed(5)
        return torch.rand(40, 1, 4, 4, generator=generator), torch.arange(40) % 3


    def model(config):
        return LIL((16, 6, 3), seeds=[seed for _, seed in members(config)])


    def train(config, *, device="cpu", progress=None):
        x, labels = images()
        networks = model(config)
        optimizer = torch.optim.SGD(networks.parameters(), lr=0.1)
        for epoch in range(config.epochs):
            optimizer.zero_grad()
            logits = networks(x.flatten(1))
            torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.repeat(len(logits))).backward()
            optimizer.step()
            progress("training", epoch + 1, config.epochs)
        return {name: value.detach().clone() for name, value in networks.state_dict().items()}
'''
EXPERIMENT = '''
    """The accuracy under attack, by the real evaluation, which keeps its state in a file."""

    from __future__ import annotations

    from dataclasses import dataclass

    from fake.recipes import nets

    from lil import attacks, evaluation

    RECIPES = {"nets": nets}


    @dataclass(frozen=True)
    class Config:
        nets: nets.Config = nets.PAPER
        epsilons: tuple[float, ...] = (0.1, 0.5)
        batch_size: int = 10


    PAPER = Config()
    QUICK = Config(nets=nets.QUICK)


    def evaluate(config, networks, *, device="cpu", progress=None, partial=None):
        x, labels = nets.images()
        model = nets.model(config.nets)
        model.load_state_dict(networks["nets"])
        fgsm = evaluation.Fgsm(config.epsilons, batch_size=config.batch_size, pictured=(), pictures=0)
        sweep = evaluation.Sweep(model.requires_grad_(False), attacks.pixels, config.nets.betas, config.nets.seeds, 1.0)
        return evaluation.robustness(sweep, x, labels, fgsm, progress=progress, partial=partial)
'''


class Small:
    """The package ``fake`` below ``root``, with its records and a cache folder of its own."""

    def __init__(self, root: Path):
        self.root, self.records = root, root / "results"
        for name in ("__init__", "recipes/__init__", "experiments/__init__"):
            self.write(f"{name}.py", "")
        self.write("recipes/nets.py", RECIPE)
        self.write("experiments/fig9_small.py", EXPERIMENT)

    def write(self, name: str, text: str) -> None:
        path = self.root / "fake" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        forget()

    @property
    def experiment(self) -> ModuleType:
        return registry.load("fake.experiments", "fig9_small")

    @property
    def recipe(self) -> ModuleType:
        return self.experiment.RECIPES["nets"]

    def commit(self) -> None:
        """Put the code and the records into git, as an affirmation wants them."""
        git = ["git", "-c", "user.name=tester", "-c", "user.email=tester@example.org", "-C", str(self.root)]
        for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "as it is"]):
            subprocess.run([*git, *command], check=True)

    def numbers(self) -> tuple[xr.Dataset, dict[str, torch.Tensor]]:
        """Return the recorded result without its provenance, and the recorded networks. Raises CorruptRecord."""
        record = records.read_evaluation(self.experiment)
        networks = records.read_networks(self.recipe, self.recipe.PAPER)
        return (xr.Dataset() if record is None else record.drop_attrs(), {} if networks is None else networks.tensors)

    def free(self) -> bool:
        """Return True if nobody holds the lock of the records."""
        path = cache_folder() / "locks" / f"{keys.digest(str(self.records.resolve()))[:16]}.lock"
        lock = FileLock(path, timeout=0) if path.parent.exists() else None
        if lock is not None:
            lock.acquire()
            lock.release()
        return True

    def strays(self) -> list[str]:
        """Return the files below the records and the cache that belong to no finished run."""
        known = {self.records / files.CHECKSUMS, *(self.records / name for name in files.names(self.records))}
        found = {path for folder in (self.records, cache_folder()) for path in folder.rglob("*") if path.is_file()}
        return sorted(path.name for path in found - known if path.suffix not in (".lock", files.PART))  # never read


def equal(a: tuple[xr.Dataset, dict[str, torch.Tensor]], b: tuple[xr.Dataset, dict[str, torch.Tensor]]) -> bool:
    """Return True if two pairs of a result and networks have equal bits."""
    return a[0].identical(b[0]) and a[1].keys() == b[1].keys() and all(torch.equal(v, b[1][k]) for k, v in a[1].items())


def child(work: Callable[[], Any], log: Path | None = None) -> int:
    """Fork, do the work without a word, and return the process's id.

    Its exit status is 0, that which the work returns, 3 for an error of the project, and 1 for any other, whose trace
    goes to ``log``.
    """
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        status = work() or 0
    except BaseException as error:
        status = 3 if isinstance(error, _expected()) else 1
        if status == 1 and log is not None:
            with log.open("a") as file:
                traceback.print_exc(file=file)
    finally:
        os._exit(status)


def ended(pid: int) -> int:
    """Wait for a child and return its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forget() -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "fake"]:
        del sys.modules[module]
    importlib.invalidate_caches()


@contextmanager
def package() -> Iterator[Small]:
    """Yield a package in a temporary folder, which is the working folder and has its own cache meanwhile."""
    before, place = Path.cwd(), os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        root.mkdir()
        Path(folder).chmod(0o755)  # another user, without rights, has to come here too
        os.environ["XDG_CACHE_HOME"] = str(Path(folder, "cache"))
        bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        sys.path.insert(0, str(root))
        os.chdir(root)
        try:
            with patch.object(
                importlib.metadata, "version", cache(importlib.metadata.version)
            ):  # read once, not always
                yield Small(root)
        finally:
            os.chdir(before)
            sys.path.remove(str(root))
            sys.dont_write_bytecode = bytecode
            os.environ.pop("XDG_CACHE_HOME")
            if place is not None:
                os.environ["XDG_CACHE_HOME"] = place
            forget()
