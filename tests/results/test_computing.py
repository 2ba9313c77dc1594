"""The difference between two results."""

import math
import subprocess
import sys
from functools import wraps

import numpy as np
import pytest
import torch
import xarray as xr
from fake_package import fake as fake
from fake_package import in_process as in_process

from lil import results
from lil.results import computing
from lil.results.computing import differences

RECORD = xr.Dataset(
    {"a": (("beta", "seed"), [[1.0, -4.0], [2.0, np.nan]]), "right": ("seed", [True, False]), "zero": ("seed", [0, 0])},
    coords={"beta": [0.0, 1.0], "word": ("seed", ["p", "q"])},
)


@pytest.mark.parametrize(
    "now, name, share",
    [
        (RECORD, "a", 0),
        (RECORD.assign(a=RECORD.a + 0.5), "a", 0.125),  # of 4, the largest value
        (RECORD.assign(a=RECORD.a.fillna(7.0)), "a", math.inf),
        (RECORD.assign(a=RECORD.a.where(RECORD.a > 0)), "a", math.inf),
        (RECORD.assign(right=~RECORD.right), "right", 1),
        (RECORD.assign(zero=RECORD.zero + 3), "zero", 3),  # there is no value to be a share of
        (RECORD.assign_coords(beta=[0.0, 1.5]), "beta", 0.5),
        (RECORD.assign_coords(word=("seed", ["p", "r"])), "word", math.inf),
        (RECORD.assign_coords(word=("seed", [1, 2])), "word", math.inf),
        (RECORD.drop_vars("a"), "a", math.inf),
        (RECORD.assign(b=1), "b", math.inf),
        (RECORD.isel(beta=[0]), "a", math.inf),
        (RECORD.assign(right=("another", RECORD.right.values)), "right", math.inf),
        (RECORD.assign(right=("seed", ["yes", "no"])), "right", math.inf),
    ],
)
def test_the_difference_is_a_share_of_the_record_s_largest_value(now, name, share):
    assert differences(now, RECORD)[name] == pytest.approx(share)
    assert {other for other, found in differences(now, RECORD).items() if found} <= {name, "beta"}


@pytest.mark.parametrize("resume", [True, False])
def test_an_evaluation_goes_on_only_if_that_is_asked_for(fake, resume):
    fake.edit("experiments/fig9_lines.py", "progress=None):", "progress=None, partial=None):\n    told.append(partial)")
    fake.edit("experiments/fig9_lines.py", "PAPER =", "told = []\n\n\nPAPER =")
    config = fake.experiment.PAPER
    networks = {"lines": computing.train(fake.recipe, config.lines, device="cpu", progress=lambda *_: None)}
    computing.evaluate(fake.experiment, config, networks, device="cpu", progress=lambda *_: None, resume=resume)
    (partial,) = fake.experiment.told
    assert (partial is not None) == resume
    if resume:
        assert partial.parent.is_dir() and partial.name.startswith("fig9_lines-")


def test_to_go_on_is_nothing_to_an_evaluation_that_cannot(fake):
    config = fake.experiment.PAPER
    networks = {"lines": computing.train(fake.recipe, config.lines, device="cpu", progress=lambda *_: None)}
    found = computing.evaluate(fake.experiment, config, networks, device="cpu", progress=lambda *_: None, resume=True)
    assert found.equals(results.get(fake.experiment, mode="live"))


SCRIPT = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from lil.results.computing import _script_hidden

with _script_hidden(), ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
    print(sum(pool.map(abs, [-1, 2])), __name__)
"""


@pytest.mark.parametrize("piped", [False, True], ids=["file", "stdin"])
def test_a_script_without_a_main_guard_computes_in_processes(piped, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-" if piped else str(tmp_path / "script.py")]
    done = subprocess.run(command, input=SCRIPT if piped else "", capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "3 __main__\n", done.stderr


def test_training_and_evaluation_hide_the_script(fake, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "script.py", raising=False)
    main, seen = vars(sys.modules["__main__"]), []
    before = dict(main)
    for module, name in ((fake.experiment, "evaluate"), (fake.experiment.RECIPES["lines"], "train")):
        work = getattr(module, name)
        spy = wraps(work)(
            lambda *a, work=work, **k: seen.append(main.get("__file__") or main.get("__spec__")) or work(*a, **k)
        )
        monkeypatch.setattr(module, name, spy)
    results.get(fake.experiment, "quick", "live")
    assert seen == [None, None] and dict(main) == before


def test_a_resumed_training_counts_the_seconds_before(fake, monkeypatch):
    train = fake.recipe.train
    resumed = lambda *args, **kwargs: train(*args, **kwargs) | {"seconds_before": torch.tensor(1000.0)}  # noqa: E731
    monkeypatch.setattr(fake.recipe, "train", resumed)
    networks = computing.train(fake.recipe, fake.recipe.PAPER, device="cpu", progress=lambda *_: None)
    assert 1000 <= networks.attrs["seconds"] < 1060 and "seconds_before" not in networks.tensors
