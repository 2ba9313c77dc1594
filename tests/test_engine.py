"""The engine: which computation is taken, and that it can be switched off and removed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import xarray as xr
from tracked import copy_folder

import lil
from lil import attacks, engine, evaluation, training
from lil.evaluation import Fgsm, Sweep
from lil.fast import captured
from lil.fast import robustness as compiled_robustness
from lil.fast import training as compiled_training
from lil.features import VGGFeatures
from lil.models import LIL
from lil.training import Settings

ALL, BATCHES = Settings(epochs=1), Settings(epochs=1, batch_size=4)
ONE = LIL((3, 4, 2), seeds=[0])


@pytest.mark.parametrize(
    ("device", "dtype", "chosen", "module"),
    [
        ("cpu", torch.float32, "fast", compiled_training),
        ("cpu", torch.float64, "fast", training),
        ("cpu", torch.float32, "plain", training),
        ("cuda", torch.float32, "fast", captured),
        ("cuda", torch.float64, "fast", training),
        ("cuda", torch.float32, "plain", training),
        ("mps", torch.float32, "fast", training),
    ],
)
def test_the_training_that_is_taken(device, dtype, chosen, module, monkeypatch):
    monkeypatch.setenv("LIL_ENGINE", chosen)
    assert engine._training(device, dtype) is module.train


@pytest.mark.parametrize("settings", [ALL, BATCHES])
def test_every_training_has_the_same_errors(settings):
    x, labels = torch.randn(20, 3), torch.arange(20) % 2
    for change, words in [
        (dict(labels=torch.arange(20) % 3), "labels must be classes from 0 to 1"),
        (dict(labels=torch.tensor([0] * 19 + [1])), "class 1 has a single point"),
        (dict(x=x.clone().fill_(torch.nan)), "NaN or infinite"),
        (dict(betas=[-1.0]), "β must be a finite number"),
        (dict(seeds=[0, 1]), "one entry for each of the 1 members"),
        (dict(labels=(labels, labels)), "needs as many sets of labels"),
    ]:
        given = dict(x=x, labels=labels, settings=settings, betas=[1.0], seeds=[0]) | change
        model = LIL((3, 4, 2), seeds=[0])
        for train in (training.train, engine.train):
            with pytest.raises(ValueError, match=words):
                train(model, **given)
        untrained = LIL((3, 4, 2), seeds=[0])
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), untrained.parameters(), strict=True))


@pytest.mark.parametrize(
    ("front", "objectives", "chosen", "module"),
    [
        (attacks.pixels, evaluation.OBJECTIVES, "fast", compiled_robustness),
        (attacks.pixels, evaluation.OBJECTIVES, "plain", evaluation),
        (attacks.pixels, ("total",), "fast", evaluation),
        (lambda x: x.flatten(-3), evaluation.OBJECTIVES, "fast", evaluation),
    ],
)
def test_the_attack_that_is_taken(front, objectives, chosen, module, monkeypatch):
    asked = []
    monkeypatch.setenv("LIL_ENGINE", chosen)
    found = xr.Dataset()
    monkeypatch.setattr(module, "robustness", lambda *arguments, **more: asked.append(arguments) or found)
    sweep = Sweep(LIL((4, 3, 2), seeds=[0]), front, (0.0,), (0,), 1.0)
    arguments = sweep, torch.rand(6, 1, 2, 2), torch.arange(6) % 2, Fgsm(batch_size=6)
    assert engine.robustness(*arguments, objectives=objectives) is found and len(asked) == 1
    assert all(one is other for one, other in zip(asked[0], arguments, strict=True))


@pytest.mark.parametrize(
    ("chosen", "precision", "multiplies", "halved"),
    [
        ("fast", "bfloat16", True, True),
        ("fast", "bfloat16", False, False),
        ("fast", "float32", True, False),
        ("plain", "bfloat16", True, False),
    ],
)
def test_features_are_halved_by_the_fast_engine_where_the_processor_multiplies_bfloat16(
    chosen, precision, multiplies, halved, monkeypatch
):
    monkeypatch.setenv("LIL_ENGINE", chosen)
    monkeypatch.setattr(engine, "multiplies_bfloat16", lambda: multiplies)
    front = engine.Features("random", "normalised", precision=precision)
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    exact, found = front.plain(x), front(x)
    assert front.halved is halved and found.dtype == torch.float32
    assert torch.equal(found, exact) is not halved
    assert (found - exact).norm() < 0.02 * exact.norm()


def test_random_weights_are_those_of_the_plain_features():
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(engine.Features("random", "normalised")(x), VGGFeatures("random", "normalised")(x), atol=1e-6)


def test_a_precision_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="precision must be"):
        engine.Features("random", "normalised", precision="float8")


def test_an_unknown_engine_is_named(monkeypatch):
    monkeypatch.setenv("LIL_ENGINE", "slow")
    with pytest.raises(engine.EngineUnknown, match="LIL_ENGINE is 'slow': set it to fast or plain"):
        engine.train(ONE, torch.randn(4, 3), torch.arange(4) % 2, ALL, betas=[1.0], seeds=[0])


@pytest.mark.parametrize("switched_off, name", [("1", "plain"), ("0", "fast"), ("", "fast")])
def test_without_numbas_compiler_the_engine_is_plain(switched_off, name, monkeypatch):
    monkeypatch.setenv("LIL_ENGINE", "fast")
    monkeypatch.setenv("NUMBA_DISABLE_JIT", switched_off)
    assert engine.name() == name


PROGRAM = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "ditable" not in repr(finder)]  # it knows the checkout's folders
import torch
from lil import engine, training
from lil.models import LIL
LIL_, settings = LIL((3, 4, 2), seeds=[0]), training.Settings(epochs=2)
engine.train(LIL_, torch.arange(12.).view(4, 3) / 12, torch.tensor([0, 0, 1, 1]), settings, betas=[1.0], seeds=[0])
print(engine.name(), any(name.startswith(("lil.fast", "numba")) for name in sys.modules))
"""


def _answer(folder, **environment):
    environment = os.environ | {"PYTHONPATH": str(folder)} | environment
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def test_the_plain_engine_imports_nothing_of_the_wing():
    assert _answer(Path(lil.__file__).parents[1], LIL_ENGINE="plain") == "plain False\n"


def test_without_the_wing_the_engine_is_plain(tmp_path):
    copy_folder(Path(lil.__file__).parent, tmp_path / "lil", "fast", "weights")
    assert _answer(tmp_path, LIL_ENGINE="fast") == "plain False\n"
