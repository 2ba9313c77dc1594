"""A package of one experiment and one recipe that take milliseconds, its code, data and records in tmp_path."""

import importlib
import sys
from textwrap import dedent

import pytest

from lil.paper import headlines

RECIPE = '''
    """Networks of one weight each, exp(β + seed): trained at once."""

    from __future__ import annotations

    import os
    from dataclasses import dataclass
    from pathlib import Path

    import torch

    from fake.arithmetic import add

    DATA = Path(os.environ["FAKE_DATA"])
    BAND = 1e-3


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
        scale = float(DATA.read_text())
        sums = torch.tensor([add(beta, seed) for beta, seed in members(config)])
        return {"weight": (scale * sums.exp())[:, None].expand(-1, config.width).contiguous()}
'''
EXPERIMENT = '''
    """The logarithm of each network's weight, and its mean over the width."""

    from __future__ import annotations

    from dataclasses import dataclass

    import numpy as np
    import xarray as xr

    from fake.recipes import lines

    RECIPES = {"lines": lines}
    BANDS = {"level": 1e-3}


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
        path.write_text(dedent(text))
        for module in [name for name in sys.modules if name.partition(".")[0] == "fake"]:
            del sys.modules[module]
        importlib.invalidate_caches()

    def edit(self, name, old, new):
        text = (self.root / "fake" / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    @property
    def experiment(self):
        return importlib.import_module("fake.experiments.fig9_lines")

    @property
    def recipe(self):
        return importlib.import_module("fake.recipes.lines")

    @property
    def trainings(self):
        """How many networks each training so far had."""
        log = self.root / "trained.log"
        return [int(line) for line in log.read_text().split()] if log.exists() else []


@pytest.fixture
def fake(tmp_path, monkeypatch):
    root = tmp_path / "project"
    root.mkdir()
    (root / "data.txt").write_text("1.0")
    monkeypatch.setenv("FAKE_DATA", str(root / "data.txt"))
    monkeypatch.setenv("FAKE_CHECKSUM", "checksum of the data")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two edits within a second would share a cached file
    monkeypatch.setitem(
        headlines.HEADLINES,
        "fig9_lines",
        lambda result: {"level at β = 1": (1.5, float(result.level.sel(beta=1).mean()))},
    )
    monkeypatch.syspath_prepend(root)
    monkeypatch.chdir(root)
    yield Package(root)
    for module in [name for name in sys.modules if name.partition(".")[0] == "fake"]:
        del sys.modules[module]
