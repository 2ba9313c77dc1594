"""What the experiments on image classifiers share. Each brings its recipe, which this module does not import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import xarray as xr
from torch import Tensor

from lil import engine
from lil.attacks import Front
from lil.evaluation import OBJECTIVES, Fgsm, Sweep, pictures
from lil.progress import Progress

# Training and attack both follow signs and minima that the last digit of a sum can change. Pictures are not compared.
BANDS = {"clean": 0.01, "accuracy": 0.05, "zero_gradient": 1.0, "change": 1e-6, "attacked": 1.0, "taken_for": 1.0}


def attacked(
    recipe: ModuleType,
    settings: Any,
    networks: dict[str, Tensor],
    front: Front,
    fgsm: Fgsm,
    *,
    objectives: Sequence[str] = OBJECTIVES,
    device: str,
    progress: Progress,
    partial: Path | None = None,
) -> xr.Dataset:
    """Attack a recipe's networks on the test images by FGSM: :func:`lil.evaluation.robustness`, and a few pictures."""
    model = recipe.restore(settings, networks).to(device).requires_grad_(False)
    sweep = Sweep(model, front, settings.betas, settings.seeds, settings.scale)
    x, labels = (part.to(device) for part in recipe.data(settings, "test"))
    numbers = engine.robustness(sweep, x, labels, fgsm, objectives=objectives, progress=progress, partial=partial)
    return numbers.merge(pictures(sweep, x, labels, fgsm, objectives), combine_attrs="override")
