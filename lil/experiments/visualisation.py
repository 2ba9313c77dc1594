"""Beyond the paper: MNIST in two and three units, beside PCA, UMAP and supervised UMAP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from lil import projection
from lil.evaluation import accuracy
from lil.experiments._common import Networks, make_run
from lil.isometry import flat_pairs, pair_distances, within_class
from lil.progress import Progress, silent
from lil.recipes import visualisation

RECIPES = dict.fromkeys(("plane", "space", "plane_10", "space_10"), visualisation)
METHODS = ("pca", "umap", "supervised")
MEASURES = ("trust", "trust_within", "correlation")  # of the networks and of the methods, beside the vote
NAMES = ("plane", "space")  # of layouts with two units and with three


@dataclass(frozen=True)
class Config:
    plane: visualisation.Config = visualisation.PAPER_PLANE  # the networks: two units in the last hidden layer,
    space: visualisation.Config = visualisation.PAPER_SPACE  # or three,
    plane_10: visualisation.Config = visualisation.PAPER_PLANE_10  # and both with the public code's K, which is 10
    space_10: visualisation.Config = visualisation.PAPER_SPACE_10
    n_images: int = 1000  # test images, the set's first, that are laid out and measured
    n_fitted: int = 10_000  # training images, the set's first, to which PCA, UMAP and the neighbours' vote are fitted
    votes: int = 10  # neighbours among them whose classes decide on that of a test image
    n_neighbors: int = 15  # of UMAP: its default
    min_dist: float = 0.1  # the same
    trusted: int = 5  # neighbours that trustworthiness looks at: scikit-learn's default

    def __post_init__(self):
        shared = {(each.dataset, each.betas, each.seeds) for each in _networks(self).values()}
        if len(shared) > 1:
            raise ValueError("all networks must share data set, betas and seeds: they share their dimensions.")


def _networks(config: Config) -> dict[str, visualisation.Config]:
    return {name: getattr(config, name) for name in RECIPES}


PAPER = Config()
QUICK_SIZES = dict(n_images=200, n_fitted=200)
QUICK = replace(
    PAPER, **QUICK_SIZES, **{name: visualisation.quick(settings) for name, settings in _networks(PAPER).items()}
)


def evaluate(config: Config, networks: Networks, *, device: str = "cpu", progress: Progress = silent) -> xr.Dataset:
    """Return measures of each layout of the first test images, and the layouts of the first seed.

    Layouts are the last hidden layer of the networks, over (units, scale, beta, seed), and those of the METHODS, over
    (units, other, seed); the names of the latter's measures begin with ``other_``. PCA has no seed, and its measures
    are the same for all. All methods were fitted to training images and are applied to test images.

    ``accuracy`` is that of the network's own classifier on all test images. ``vote`` (…, image) is True where a vote of
    the nearest training images in the layout gives the class of a test image. ``trust`` is scikit-learn's
    trustworthiness of the neighbours in the layout, ``trust_within`` the same inside a class, as a mean over the
    classes, ``correlation`` that of the distances within the classes with those of the images, and ``ratio`` the median
    of K d(Φ) / d(x) over these pairs. ``x_dist`` is the median of d(x).
    """
    settings = config.plane
    (x_test, labels_test), (x_fit, labels_fit) = (visualisation.inputs(settings, split) for split in ("test", "train"))
    x_fit, labels_fit = x_fit[: config.n_fitted], labels_fit[: config.n_fitted]
    judge = _Judge(config, x_test[: config.n_images], labels_test[: config.n_images], labels_fit)
    units, scales = _axes(config)
    shape = (len(units), len(scales), len(settings.betas), len(settings.seeds))
    values = {name: np.empty(shape, np.float32) for name in ("accuracy", *MEASURES, "ratio")}
    values["vote"] = np.empty((*shape, len(judge.x)), bool)
    drawn = {width: np.empty((*shape[1:3], len(judge.x), width), np.float32) for width in units}
    for done, (name, each) in enumerate(_networks(config).items(), start=1):
        place = (units.index(each.hidden[-1]), scales.index(each.scale))
        model = visualisation.restore(each, networks[name]).to(device).requires_grad_(False)
        right = accuracy(model, x_test.to(device), labels_test.to(device)).cpu()
        values["accuracy"][place] = right.view(shape[2:])
        layouts, fitted = (model.represent(part.to(device)).cpu() for part in (judge.x, x_fit))
        for k, where in enumerate(np.ndindex(shape[2:])):
            for key, value in judge.measure(layouts[k], fitted[k], each.scale).items():
                values[key][*place, *where] = value
        drawn[units[place[0]]][place[1]] = layouts.unflatten(0, shape[2:])[:, 0]
        progress("layouts of the networks", done, len(RECIPES))
    others, laid = _others(config, judge, x_fit, progress)
    member = ("units", "scale", "beta", "seed")
    variables = {name: ((*member, "image")[: array.ndim], array) for name, array in values.items()}
    axes = ("units", "other", "seed", "image")
    variables |= {f"other_{name}": (axes[: array.ndim], array) for name, array in others.items()}
    for width, name in zip(units, NAMES, strict=True):
        axes = ("image", f"{name}_axis")
        variables |= {name: (("scale", "beta", *axes), drawn[width]), f"other_{name}": (("other", *axes), laid[width])}
    coords = {"units": units, "scale": scales, "beta": list(settings.betas), "seed": list(settings.seeds)}
    variables["labels"] = ("image", judge.labels.numpy().astype(np.int8))
    variables["x_dist"] = ((), np.float32(np.median(judge.x_dist)))
    return xr.Dataset(variables, coords | {"other": list(METHODS)})


def _axes(config: Config) -> tuple[list[int], list[float]]:
    """Return the widths of the last hidden layer, and the values of K."""
    each = _networks(config).values()
    return sorted({one.hidden[-1] for one in each}), sorted({one.scale for one in each})


class _Judge:
    """Measures of a layout of the first test images."""

    def __init__(
        self, config: Config, x: Float[Tensor, "n d"], labels: Int[Tensor, "n"], labels_fit: Int[Tensor, "fitted"]
    ):
        self.config, self.x, self.labels, self.labels_fit = config, x, labels, labels_fit
        self.mask = within_class(labels)
        self.x_dist = flat_pairs(pair_distances(x), self.mask).numpy()

    def measure(
        self, layout: Float[Tensor, "n units"], fitted: Float[Tensor, "fitted units"], scale: float = 1.0
    ) -> dict[str, Any]:
        """Return the measures of a layout; ``fitted`` is that of the training images, ``scale`` is K."""
        vote = KNeighborsClassifier(self.config.votes).fit(fitted.numpy(), self.labels_fit.numpy())
        z_dist = flat_pairs(pair_distances(layout), self.mask).numpy()
        inside = [self.labels == label for label in self.labels.unique()]
        return {
            "vote": vote.predict(layout.numpy()) == self.labels.numpy(),
            "trust": self._trust(self.x, layout),
            "trust_within": float(np.mean([self._trust(self.x[chosen], layout[chosen]) for chosen in inside])),
            "correlation": float(np.corrcoef(self.x_dist, z_dist)[0, 1]),
            "ratio": float(np.median(scale * z_dist / self.x_dist)),
        }

    def _trust(self, x: Float[Tensor, "n d"], layout: Float[Tensor, "n units"]) -> float:
        return trustworthiness(x.numpy(), layout.numpy(), n_neighbors=self.config.trusted)


def _others(
    config: Config, judge: _Judge, x_fit: Float[Tensor, "fitted d"], progress: Progress
) -> tuple[dict[str, np.ndarray], dict[int, Float[np.ndarray, "methods n units"]]]:
    """Return the measures of the METHODS, and their layouts of the first seed by the number of units."""
    seeds, (units, _) = config.plane.seeds, _axes(config)
    shape = (len(units), len(METHODS), len(seeds))
    values = {name: np.empty(shape, np.float32) for name in MEASURES}
    values["vote"] = np.empty((*shape, len(judge.x)), bool)
    laid = {width: np.empty((len(METHODS), len(judge.x), width), np.float32) for width in units}
    for done, (row, column, number) in enumerate(np.ndindex(shape), start=1):
        width, method = units[row], METHODS[column]
        if method != "pca" or number == 0:
            layout, fitted = lay_out(config, method, width, seeds[number], judge.x, x_fit, judge.labels_fit)
            found = judge.measure(layout, fitted)
        for key, array in values.items():
            array[row, column, number] = found[key]
        if number == 0:
            laid[width][column] = layout
        progress("layouts of the other methods", done, int(np.prod(shape)))
    return values, laid


def lay_out(
    config: Config,
    method: str,
    units: int,
    seed: int,
    x: Float[Tensor, "n d"],
    x_fit: Float[Tensor, "fitted d"],
    labels_fit: Int[Tensor, "fitted"],
) -> tuple[Float[Tensor, "n units"], Float[Tensor, "fitted units"]]:
    """Return the layouts of ``x`` and of ``x_fit`` by one of the METHODS, fitted to ``x_fit`` alone.

    Supervised UMAP (McInnes, Healy, Melville, arXiv:1802.03426) is fitted to these images and their classes.
    """
    if method == "pca":
        pca = PCA(units, svd_solver="full").fit(x_fit.numpy())
        return torch.from_numpy(pca.transform(x.numpy())), torch.from_numpy(pca.transform(x_fit.numpy()))
    settings = dict(n_neighbors=config.n_neighbors, min_dist=config.min_dist, n_components=units)
    with projection._one_thread():
        umap = projection._library().UMAP(**settings, random_state=seed, n_jobs=1)
        umap.fit(x_fit.numpy(), labels_fit.numpy() if method == "supervised" else None)
        return torch.from_numpy(umap.transform(x.numpy())), torch.from_numpy(umap.embedding_)


run = make_run(RECIPES, evaluate)
