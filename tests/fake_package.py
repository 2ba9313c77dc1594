"""A package of one experiment and one recipe that take milliseconds, its code, data and records in tmp_path."""

import importlib
import subprocess
import sys
from textwrap import dedent

import pytest

from lil.paper import headlines
from lil.results import running

RECIPE = '''
    """Networks of one weight each, exp(β + seed): trained at once."""

    from __future__ import annotations

    import os
    from dataclasses import dataclass
    from pathlib import Path

    import torch

    from fake.arithmetic import add

    DATA = Path(os.environ["FAKE_DATA"])


    @dataclass(frozen=True)
    class Config:
        betas: tuple = (0.0, 1.0)
        seeds: tuple = (0, 1, 2)
        width: int = 4


    PAPER = Config()
    PAPER_PUBLIC = Config(width=5)
    QUICK = Config(seeds=(0,))


    def data_fingerprint(config):
        return os.environ["FAKE_CHECKSUM"]


    def data_available(config):
        return DATA.exists()


    def members(config):
        return [(beta, seed) for beta in config.betas for seed in config.seeds]


    def train(config, *, device="cpu", progress=None):
        progress("training", 1, 1)
        with Path("trained.log").open("a") as log:
            log.write(f"{len(members(config))}\\n")
        scale = float(DATA.read_text("utf-8"))
        sums = torch.tensor([add(beta, seed) for beta, seed in members(config)])
        ones = torch.empty(config.width).uniform_(1, 1)
        return {"weight": (scale * sums.exp())[:, None] * ones}
'''
EXPERIMENT = '''
    """The logarithm of each network's weight, and its mean over the width."""

    from __future__ import annotations

    from dataclasses import dataclass

    import numpy as np
    import xarray as xr

    from fake.recipes import lines

    RECIPES = {"lines": lines}


    @dataclass(frozen=True)
    class Config:
        lines: lines.Config = lines.PAPER
        power: float = 1.0


    PAPER = Config()
    QUICK = Config(lines=lines.QUICK)


    def evaluate(config, networks, *, device="cpu", progress=None):
        recipe = config.lines
        shape = (len(recipe.betas), len(recipe.seeds))
        level = networks["lines"]["weight"].mean(1).log().numpy().reshape(shape) ** config.power
        return xr.Dataset(
            {"level": (("beta", "seed"), level), "word": "text", "nothing": ("width", np.full(2, np.nan))},
            coords={"beta": list(recipe.betas), "seed": list(recipe.seeds)},
        )
'''
NETS = '''
    """Networks of one hidden layer, trained by gradient descent with a term that holds distances."""

    from __future__ import annotations

    from dataclasses import dataclass

    import torch


    @dataclass(frozen=True)
    class Config:
        betas: tuple = (0.0, 0.01, 1.0, 10.0)
        seeds: tuple = (0, 1, 2)
        scale: float = 2.0
        epochs: int = 8


    PAPER = Config()
    QUICK = Config(epochs=1)


    def members(config):
        return [(beta, seed) for beta in config.betas for seed in config.seeds]


    def points():
        generator = torch.Generator().manual_seed(7)
        return torch.randn(50, 3, generator=generator), torch.arange(50) % 2


    def distances(x):
        return (x[:, None] - x).pow(2).sum(-1).add(1e-6).sqrt()


    def classification(weight, head, x, labels, beta, scale):
        return torch.nn.functional.cross_entropy(torch.tanh(x @ weight) @ head, labels)


    def total(weight, head, x, labels, beta, scale):
        mismatch = scale * distances(torch.tanh(x @ weight)) - distances(points()[0])
        return classification(weight, head, x, labels, beta, scale) + beta * mismatch.pow(2).mean()


    def train(config, *, device="cpu", progress=None):
        x, labels = points()
        weights, heads = [], []
        for beta, seed in members(config):
            generator = torch.Generator().manual_seed(seed)
            weight, head = (torch.empty(3, n).uniform_(-1, 1, generator=generator) for n in (3, 2))
            for _ in range(config.epochs):
                loss = total(weight.requires_grad_(), head, x, labels, beta, config.scale)
                (gradient,) = torch.autograd.grad(loss, weight)
                weight = (weight - 0.02 * gradient).detach()
            weights.append(weight)
            heads.append(head)
        return {"weight": torch.stack(weights), "head": torch.stack(heads)}
'''
ATTACKED = '''
    """The accuracy of networks on points that a step along a gradient has moved."""

    from __future__ import annotations

    from dataclasses import dataclass

    import torch
    import xarray as xr

    from fake.recipes import nets

    RECIPES = {"nets": nets}
    OBJECTIVES = {"total": nets.total, "classification": nets.classification}
    EPSILONS = (0.1, 0.3, 1.0)


    @dataclass(frozen=True)
    class Config:
        nets: nets.Config = nets.PAPER


    PAPER = Config()
    QUICK = Config(nets=nets.QUICK)


    def evaluate(config, networks, *, device="cpu", progress=None):
        recipe = config.nets
        x, labels = nets.points()
        right = []
        for objective in OBJECTIVES.values():
            for k, (beta, seed) in enumerate(nets.members(recipe)):
                weight, head = networks["nets"]["weight"][k], networks["nets"]["head"][k]
                at = x.clone().requires_grad_()
                (gradient,) = torch.autograd.grad(objective(weight, head, at, labels, beta, recipe.scale), at)
                for epsilon in EPSILONS:
                    moved = x + epsilon * gradient.sign()
                    right.append((torch.tanh(moved @ weight) @ head).argmax(-1).eq(labels).double().mean())
        shape = (len(OBJECTIVES), len(recipe.betas), len(recipe.seeds), len(EPSILONS))
        return xr.Dataset(
            {"accuracy": (("objective", "beta", "seed", "epsilon"), torch.stack(right).view(shape).numpy())},
            coords={
                "objective": list(OBJECTIVES),
                "beta": list(recipe.betas),
                "seed": list(recipe.seeds),
                "epsilon": list(EPSILONS),
            },
        )
'''
ARITHMETIC = '''
    """Sums."""


    def add(a, b):
        return float(a + b)
'''


class Package:
    """The package ``fake`` below ``root``; what is edited is imported anew."""

    def __init__(self, root):
        self.root = root
        self.records = root / "results"
        for name in ("__init__", "recipes/__init__", "experiments/__init__"):
            self.write(f"{name}.py", "")
        self.write("recipes/lines.py", RECIPE)
        self.write("experiments/fig9_lines.py", EXPERIMENT)
        self.write("arithmetic.py", ARITHMETIC)

    def write(self, name, text):
        path = self.root / "fake" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), "utf-8")
        _forget()

    def edit(self, name, old, new):
        text = (self.root / "fake" / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def commit(self):
        """Put the code and the records as they are into git; return the commit."""
        git = ["git", "-c", "user.name=tester", "-c", "user.email=tester@example.org", "-C", str(self.root)]
        for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "as it is"]):
            subprocess.run([*git, *command], check=True)
        return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()

    def load(self, name):
        """The module ``fake.NAME`` as its file is now."""
        return importlib.import_module(f"fake.{name}")

    @property
    def experiment(self):
        return self.load("experiments.fig9_lines")

    @property
    def recipe(self):
        return self.load("recipes.lines")

    @property
    def trainings(self):
        """Return the number of networks of each training so far."""
        log = self.root / "trained.log"
        return [int(line) for line in log.read_text("utf-8").split()] if log.exists() else []


@pytest.fixture
def fake(tmp_path, monkeypatch):
    root = tmp_path / "project"
    root.mkdir()
    (root / "data.txt").write_text("1.0")
    monkeypatch.setenv("FAKE_DATA", str(root / "data.txt"))
    monkeypatch.setenv("FAKE_CHECKSUM", "checksum of the data")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", raising=False)  # this repository is the tester's own
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two edits within a second would share a cached file
    monkeypatch.setitem(
        headlines.HEADLINES,
        "fig9_lines",
        lambda result: {"level at β = 1": (1.5, float(result.level.sel(beta=1).mean()))},
    )
    monkeypatch.syspath_prepend(root)
    monkeypatch.chdir(root)
    yield Package(root)
    _forget()


def _forget():
    for module in [name for name in sys.modules if name.partition(".")[0] == "fake"]:
        del sys.modules[module]
    importlib.invalidate_caches()


@pytest.fixture
def in_process(fake, monkeypatch):
    """Runs jobs in this process, in milliseconds; the list of them, each with its tree and engine."""
    jobs = []

    def run(tree, job, engine="", environment=None, timeout=None):
        kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "fake"}
        jobs.append((tree, job, engine))
        with pytest.MonkeyPatch.context() as patch:
            _forget()
            patch.syspath_prepend(tree)
            if engine:
                patch.setenv("LIL_ENGINE", engine)
            try:
                running.work(job)
            finally:
                _forget()
                sys.modules.update(kept)

    monkeypatch.setattr(running, "run", run)
    return jobs
