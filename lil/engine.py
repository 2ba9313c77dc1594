"""The one door to anything faster than the plain definitions: trainings, attacks and the VGG13's features.

``LIL_ENGINE=plain`` sends every computation through :mod:`lil.training`, :mod:`lil.evaluation` and :mod:`lil.features`,
which define the results. ``LIL_ENGINE=fast``, the default, takes compiled loops of ``lil.fast`` where they apply: they
give the same numbers up to rounding. Without the folder ``lil/fast``, or where ``NUMBA_DISABLE_JIT`` switches numba's
compiler off, the engine is plain.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
import xarray as xr
from jaxtyping import Float, Integer
from torch import Tensor, nn

from lil import attacks, evaluation, training
from lil.evaluation import OBJECTIVES, Fgsm, Sweep
from lil.features import VGGFeatures, multiplies_bfloat16
from lil.models import LIL, StackedLIL
from lil.progress import Progress, silent
from lil.training import History, Labels, Settings

ENGINES = ("fast", "plain")


class EngineUnknown(ValueError):
    """LIL_ENGINE names no engine."""


def name() -> str:
    """Return the engine in use, "fast" or "plain". Raises EngineUnknown where LIL_ENGINE is neither."""
    chosen = os.environ.get("LIL_ENGINE", "fast")
    if chosen not in ENGINES:
        raise EngineUnknown(f"LIL_ENGINE is {chosen!r}: set it to {' or '.join(ENGINES)}, or leave it unset.")
    compiles = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0") and find_spec("lil.fast") is not None
    return "fast" if chosen == "fast" and compiles else "plain"


def train(
    model: LIL | StackedLIL,
    x: Float[Tensor, "n d"],
    labels: Labels,
    settings: Settings,
    *,
    betas: Sequence[float],
    seeds: Sequence[int],
    progress: Progress = silent,
) -> History:
    """Train the members of ``model`` in place, with the arguments and errors of :func:`lil.training.train`."""
    run = _training(x.device.type, x.dtype)
    return run(model, x, labels, settings, betas=betas, seeds=seeds, progress=progress)


def _training(device: str, dtype: torch.dtype) -> Callable[..., History]:
    if name() == "fast" and dtype == torch.float32:
        if device == "cuda":
            from lil.fast import captured

            return captured.train
        if device == "cpu":
            from lil.fast import training as compiled

            return compiled.train
    return training.train


def robustness(
    sweep: Sweep,
    x: Float[Tensor, "n c h w"],
    labels: Integer[Tensor, "n"],
    fgsm: Fgsm,
    *,
    objectives: Sequence[str] = OBJECTIVES,
    progress: Progress = silent,
    partial: Path | None = None,
) -> xr.Dataset:
    """Return the accuracy under attack, with the arguments and errors of :func:`lil.evaluation.robustness`."""
    attacks.check_images(x, batch=True)
    if len(x) == 0:
        raise ValueError("there is no image, and so no accuracy: give at least one.")
    attacks.check_labels(labels, len(x), sweep.model.sizes[-1])
    on_pixels = sweep.front is attacks.pixels and tuple(objectives) == OBJECTIVES
    single = x.dtype == sweep.model.weights[0].dtype == torch.float32
    if name() == "fast" and on_pixels and x.device.type == "cpu" and single:
        from lil.fast import robustness as compiled

        return compiled.robustness(sweep, x, labels, fgsm, progress=progress)
    return evaluation.robustness(sweep, x, labels, fgsm, objectives=objectives, progress=progress, partial=partial)


class Features(nn.Module):
    """The VGG13's features, in bfloat16 where that is asked for and the processor multiplies it.

    The fast engine multiplies in bfloat16 (relative error 0.4 %) on processors with AVX512-BF16 or AMX. Everywhere
    else, on a GPU, and with the plain engine the features are those of :class:`lil.features.VGGFeatures` in float32.
    """

    def __init__(self, source: str, inputs: str, *, precision: str = "float32", device: str = "cpu", seed: int = 0):
        super().__init__()
        if precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision must be 'float32' or 'bfloat16', not {precision!r}.")
        self.plain = VGGFeatures(source, inputs, seed=seed).to(device)
        on_cpu = torch.device(device).type == "cpu"
        self.halved = precision == "bfloat16" and on_cpu and name() == "fast" and multiplies_bfloat16()

    def forward(self, x: Float[Tensor, "*lead 3 32 32"]) -> Float[Tensor, "*lead 512"]:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.halved):
            return self.plain(x).to(x.dtype)
