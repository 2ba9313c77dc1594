"""What the experiments on image classifiers share. Each brings its recipe, which this module does not import."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import xarray as xr
from torch import Tensor

from lil.attacks import Front
from lil.evaluation import Fgsm, Sweep, pictures
from lil.progress import Progress

# Training and attack both follow signs and minima that the last digit of a sum can change. Pictures are not compared.
BANDS = {
    "clean": 0.01, "accuracy": 0.05, "zero_gradient": 1.0, "change": 1e-6, "attacked": 1.0, "taken_for": 1.0,
}


def headline(result: xr.Dataset) -> dict[str, tuple[None, float]]:
    """By β, the accuracy under the paper's attack where it varies most with β; the paper draws it without numbers."""
    curves = result.accuracy.sel(objective="total").mean("seed")
    at = (curves.max("beta") - curves.min("beta")).idxmax("epsilon")
    return {
        f"β = {beta:g}, accuracy at γ = {float(at):.2g}": (None, float(curves.sel(beta=beta, epsilon=at)))
        for beta in result.beta.values
    }


def attacked(
    recipe: ModuleType,
    settings: Any,
    networks: dict[str, Tensor],
    front: Front,
    fgsm: Fgsm,
    robustness: Callable[..., xr.Dataset],
    *,
    device: str,
    progress: Progress,
) -> xr.Dataset:
    """What FGSM makes of a recipe's networks on the test images: what ``robustness`` finds, and a few images to look at."""
    model = recipe.restore(settings, networks).to(device).requires_grad_(False)
    sweep = Sweep(model, front, settings.betas, settings.seeds, settings.scale)
    x, labels = (part.to(device) for part in recipe.data(settings, "test"))
    numbers = robustness(sweep, x, labels, fgsm, progress=progress)
    return numbers.merge(pictures(sweep, x, labels, fgsm), combine_attrs="override")
