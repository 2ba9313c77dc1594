"""Attacks on the classifiers of images, in common to their experiments. Each brings its recipe.

This module does not import the recipes, so that a change to one makes no other experiment stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from lil import engine
from lil.attacks import Front
from lil.evaluation import OBJECTIVES, Fgsm, Sweep, pictures
from lil.progress import Progress


def load_sweep(
    recipe: ModuleType, settings: Any, networks: dict[str, Tensor], *, device: str, front: Front | None = None
) -> tuple[Sweep, Float[Tensor, "n c h w"], Int[Tensor, "n"]]:
    """Return a recipe's trained networks, and the test images with their classes. ``front`` replaces the recipe's."""
    model = recipe.restore(settings, networks).to(device).requires_grad_(False)
    front = front or recipe.front(settings, device=device)
    reduction = getattr(settings, "reduction", "n2")
    x, labels = (part.to(device) for part in recipe.data(settings, "test"))
    return Sweep(model, front, settings.betas, settings.seeds, settings.scale, reduction), x, labels


def attack_sweep(
    recipe: ModuleType,
    settings: Any,
    networks: dict[str, Tensor],
    fgsm: Fgsm,
    *,
    device: str,
    progress: Progress,
    front: Front | None = None,
    objectives: Sequence[str] = OBJECTIVES,
    partial: Path | None = None,
) -> xr.Dataset:
    """Attack a recipe's networks on the test images by FGSM: :func:`lil.evaluation.robustness`, and a few pictures."""
    sweep, x, labels = load_sweep(recipe, settings, networks, device=device, front=front)
    numbers = engine.robustness(sweep, x, labels, fgsm, objectives=objectives, progress=progress, partial=partial)
    return numbers.merge(pictures(sweep, x, labels, fgsm, objectives), combine_attrs="override")
