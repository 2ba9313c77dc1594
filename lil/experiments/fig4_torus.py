"""Figure 4: a torus that three stacked LILs cut into two, four and eight parts; pictures, saliency, numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lil import projection
from lil.datasets import toy
from lil.experiments._common import Networks, make_run
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.models import StackedLIL
from lil.progress import Progress, silent
from lil.recipes import torus

CUTS = get_args(toy.Cut)
RECIPES = {"ring": torus, "tube": torus}


@dataclass(frozen=True)
class Config:
    ring: torus.Config = torus.PAPER  # the stacks: cut into the text's cylinders
    tube: torus.Config = torus.PAPER_TUBE  # the stacks: cut into the public code's bands; no UMAP of them
    n_neighbors: int = 10  # UMAP, caption of Fig. 4; the public code has 40
    min_dist: float = 1.0  # UMAP, caption of Fig. 4; the public code has 0.25
    umap_seed: int = 0  # of the layout, the same for every stack and level
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)  # of d(Φ)/d(x) over the pairs of a class

    def __post_init__(self):
        cuts = (self.ring.cut, self.tube.cut)
        if cuts != CUTS:
            raise ValueError(f"ring and tube must be cut by their names, not by {cuts[0]!r} and {cuts[1]!r}.")
        if min(self.ring.grid, self.tube.grid) < 24:
            raise ValueError("grid must be at least 24: on a coarser one, each point lies at a cut of eight classes.")


PAPER = Config()
QUICK = Config(ring=torus.QUICK, tube=torus.QUICK_TUBE)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return measures of each level of each stack at the points it was trained on.

    Over (cut, seed, level): accuracy, and of the pairs of one class of that level the ``correlation`` and
    the quantiles of the ``ratio`` of d(Φ) to d(x). ``gradient`` is :func:`saliency`, ``contrast`` its median over the
    points ``at_cut`` divided by that over all others. ``umap`` lays out the levels' representations, for the ring cut.
    """
    by_cut = []
    for cut in CUTS:
        recipe = getattr(config, cut)
        model = torus.restore(recipe, networks[cut]).to(device)
        by_cut.append(_measures(config, recipe, model, torus.data(recipe)))
        if cut == "ring":
            with torch.no_grad():
                levels = torch.stack(model.represent(torus.data(recipe).x.to(device))).numpy(force=True)
    settings = dict(n_neighbors=config.n_neighbors, min_dist=config.min_dist, n_components=3, seed=config.umap_seed)
    umap = projection.umaps(levels, label="UMAP of the torus", progress=progress, **settings)
    return xr.concat(by_cut, "cut", join="exact").assign_coords(cut=list(CUTS)).assign(
        umap=(("level", "seed", "point", "axis"), umap),
        sizes=(("level", "layer"), np.array([lil.sizes for lil in model.lils])),
    )  # fmt: skip


def _measures(config: Config, recipe: torus.Config, model: StackedLIL, points: toy.Torus) -> xr.Dataset:
    """Return all measures of the stacks trained with one of the cuts, but for the layouts."""
    x = points.x.to(model.lils[0].weights[0].device)
    gradient = saliency(model, x, points.labels)
    with torch.no_grad():
        levels = model.represent(x)
        logits = model.classify(levels)
    accuracy, correlation, ratio = [], [], []
    for z, scores, labels in zip(levels, logits, points.labels, strict=True):
        accuracy.append((scores.argmax(-1).cpu() == labels).float().mean(-1).numpy())
        mask = within_class(labels)
        x_dist, z_dist = (flat_pairs(pair_distances(cloud), mask).numpy() for cloud in (points.x, z.cpu()))
        correlation.append([np.corrcoef(member, x_dist)[0, 1] for member in z_dist])
        ratio.append(np.quantile(z_dist / x_dist, config.quantiles, axis=-1).T)
    at_cut = np.stack([points_at_cut(labels, recipe.grid) for labels in points.labels])
    member = ("level", "seed")
    values = {
        "x": (("point", "axis"), points.x.numpy()),
        "labels": (("level", "point"), torch.stack(points.labels).numpy().astype(np.int8)),
        "cut_angle": ("point", (points.ring_angle if recipe.cut == "ring" else points.tube_angle).numpy()),
        "at_cut": (("level", "point"), at_cut),
        "accuracy": (member, np.stack(accuracy)),
        "correlation": (member, np.array(correlation, dtype=np.float32)),
        "ratio": ((*member, "quantile"), np.stack(ratio).astype(np.float32)),
        "gradient": (("saliency", *member, "point"), gradient),
        "contrast": (("saliency", *member), contrast(gradient, at_cut)),
    }
    coords = dict(level=list(toy.TORUS_CLASSES), seed=list(recipe.seeds), quantile=list(config.quantiles))
    return xr.Dataset(values, coords | {"saliency": ["norm", "largest"]})


def saliency(
    model: StackedLIL, x: Float[Tensor, "n 3"], labels: tuple[Int[Tensor, "n"], ...]
) -> Float[np.ndarray, "2 levels m n"]:
    """Return two sizes of the gradient of the logit of a point's own class by the point, at each level.

    The first is its Euclidean norm, as the text says, the second its largest absolute coordinate, as in the public
    code (which scales the result to [0, 1]). The gradient goes through all LILs below: the stop at each LIL's input
    belongs to training, and is lifted here.
    """
    stop, model.stop_gradient = model.stop_gradient, False
    inputs = x.expand(model.members, -1, -1).clone().requires_grad_()
    gradients = []
    for logits, target in zip(model(inputs), labels, strict=True):
        own = logits.gather(-1, target.to(x.device).expand(model.members, -1)[..., None])
        gradients.append(torch.autograd.grad(own.sum(), inputs, retain_graph=True)[0])  # points do not mix
    model.stop_gradient = stop
    gradient = torch.stack(gradients)
    return torch.stack((gradient.norm(dim=-1), gradient.abs().amax(-1))).numpy(force=True)


def points_at_cut(labels: Int[Tensor, "n"], grid: int) -> Bool[np.ndarray, "n"]:
    """Return True for each point within one grid step of a cut: a neighbour, one way or the other, has another label.

    The points are grid² in number and run along the cut's angle, ``grid`` at each value of it; the angle is periodic.
    """
    arcs = labels.view(grid, grid)[:, 0].numpy()
    return ((arcs != np.roll(arcs, 1)) | (arcs != np.roll(arcs, -1))).repeat(grid)


def contrast(
    gradient: Float[np.ndarray, "*lead levels m n"], at_cut: Bool[np.ndarray, "levels n"]
) -> Float[np.ndarray, "*lead levels m"]:
    """Return the median over the points at a cut of that level, divided by the median over all others."""
    ratios = []
    for level, near in enumerate(at_cut):
        own = gradient[..., level, :, :]
        ratios.append(np.median(own[..., near], axis=-1) / np.median(own[..., ~near], axis=-1))
    return np.stack(ratios, axis=-2)


run = make_run(RECIPES, evaluate)
