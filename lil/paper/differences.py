"""Where the paper's text and its public code differ, what is done here, and what the difference does.

The text is the default; the public code's value is an option by name, where there is one. The public code is
github.com/KBeshkov/HIsometricNets at commit 7167a91 of 2024-02-15. Nobody knows which of the two made the printed
figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import xarray as xr

from lil.paper.judging import STATES, recorded
from lil.plotting import table


@dataclass(frozen=True)
class Setting:
    """Something in the code and the value that it has: a test holds the two together."""

    name: str  # as one would import it: "lil.recipes.mnist.PAPER.scale"
    value: Any


@dataclass(frozen=True)
class Effect:
    """What a difference does, in words with numbers from recorded results."""

    experiments: tuple[str, ...]
    of: Callable[..., str]  # of their results, in that order
    page: str  # of the book, that shows it


@dataclass(frozen=True)
class Difference:
    """One topic on which the text is silent, or says something else than the public code does."""

    topic: str
    text: str
    public: str
    ours: tuple[Setting, ...]  # our defaults; none where nothing is chosen, as the note says
    options: tuple[Setting, ...] = ()  # the public code's values, where they can be had
    note: str = ""  # what ours and options do not say
    effect: Effect | None = None  # None: not measured


def measured(effect: Effect | None, load: Callable[[str], xr.Dataset] = recorded) -> str:
    """The effect in words, "not measured", or "not recorded yet"."""
    if effect is None:
        return "not measured"
    try:
        return effect.of(*(load(name) for name in effect.experiments))
    except tuple(STATES):
        return "not recorded yet"


# Effects


def _robust(result: xr.Dataset, objective: str = "total") -> xr.DataArray:
    return result.accuracy.sel(objective=objective).mean(["epsilon", "seed"])


def _of_readings(text: xr.Dataset, public: xr.Dataset) -> str:
    ours, theirs = _robust(text), _robust(public)
    return (
        "Together with the other differences of the public code's reading: accuracy under the paper's attack, "
        f"averaged over its sizes, {float(ours.sel(beta=0)):.3f} at β = 0 and {float(ours.max()):.3f} at the best β; "
        f"with the public code's values {float(theirs.sel(beta=0)):.3f} and {float(theirs.max()):.3f}."
    )


def _of_choice(name: str) -> Callable[[xr.Dataset], str]:
    def effect(result: xr.Dataset) -> str:
        attacked = result[["accuracy", "clean"]].sel(networks=["text", name]).dropna("seed")  # the seeds that both have
        robust, clean = _robust(attacked), attacked.clean.mean("seed")
        text, other = (
            f"accuracy without attack {float(clean.sel(networks=each).max()):.3f} at the best β, under the paper's "
            f"attack, averaged over its sizes, {float(robust.sel(networks=each, beta=0)):.3f} at β = 0 and "
            f"{float(robust.sel(networks=each).max()):.3f} at the best β"
            for each in ("text", name)
        )
        seeds = f"{attacked.sizes['seed']} seed{'s' if attacked.sizes['seed'] > 1 else ''}"
        return f"By itself, on MNIST from {seeds}: {text}; with the other value {other}."

    return effect


def _of_objective(result: xr.Dataset) -> str:
    total, classification = _robust(result), _robust(result, "classification")
    best = float(total.idxmax("beta"))
    return (
        f"At β = {best:g} MNIST's accuracy under attack, averaged over its sizes, is "
        f"{float(total.sel(beta=best)):.3f} along the gradient of the whole loss and "
        f"{float(classification.sel(beta=best)):.3f} along that of the cross-entropy alone; without the isometry term "
        f"{float(total.sel(beta=0)):.3f}."
    )


def _of_baseline(name: str) -> Callable[[xr.Dataset], str]:
    def effect(result: xr.Dataset) -> str:
        accuracy = result.accuracy.sel(beta=0).mean("seed")
        return (
            f"At β = 0: accuracy {float(accuracy.sel(networks=name)):.4f}, against "
            f"{float(accuracy.sel(networks='cifar10_text')):.4f} with the default."
        )

    return effect


def _of_precision(result: xr.Dataset) -> str:
    return (
        "On the first of the test images the accuracy under attack, over all attacks, β and sizes, differs from that in "
        f"single precision by {float(abs(table.of_precision(result)).mean()):.4f} on average."
    )


def _of_cut(result: xr.Dataset) -> str:
    lowest = result.accuracy.min(["seed", "level"])
    correlation = result.correlation.min(["seed", "level"])
    return (
        "; ".join(
            f"{words}: lowest accuracy {float(lowest.sel(cut=cut)):.3f}, lowest correlation of distances within classes "
            f"{float(correlation.sel(cut=cut)):.2f}"
            for cut, words in (("ring", "Arcs around the hole"), ("tube", "bands of the tube"))
        )
        + ", over levels and seeds."
    )


def _of_saliency(result: xr.Dataset) -> str:
    medians = result.contrast.sel(cut="ring").median(["seed", "level"])
    return (
        f"Gradient at the cuts, times that elsewhere: {float(medians.sel(saliency='norm')):.2f} for the norm, "
        f"{float(medians.sel(saliency='largest')):.2f} for the largest coordinate (medians over levels and seeds)."
    )


def _of_seeds(result: xr.Dataset) -> str:
    robust = result.accuracy.sel(objective="total").mean("epsilon")
    clean, attacked = (float(each.std("seed", ddof=1).max()) for each in (result.clean, robust))
    return (
        f"Standard deviation over the seeds, at the β where it is largest: {clean:.4f} for MNIST's clean accuracy, "
        f"{attacked:.3f} for that under the paper's attack."
    )


DIFFERENCES = (
    Difference(
        "Isometry loss",
        "1/N² times the squared Frobenius norm of G∘D_M − G∘D_Φ, Euclidean distances",
        "the mean over all N² entries of (K·G∘D_Φ − G∘D_M)², which is the same for K = 1; β multiplies it, α is "
        "always 1",
        (Setting("lil.training.Settings.reduction", "n2"), Setting("lil.training.Settings.alpha", 1.0)),
        note="The reduction “pairs” divides by the number of pairs instead; neither the text nor the public code does.",
        effect=Effect(("scale_and_depth",), _of_choice("pairs"), "nb/scale_and_depth"),
    ),
    Difference(
        "K, a factor on the output distances",
        "not mentioned, so 1",
        "10 for MNIST; 1 for CIFAR10, rings and torus",
        (Setting("lil.recipes.mnist.PAPER.scale", 1.0),),
        (Setting("lil.recipes.mnist.PAPER_PUBLIC.scale", 10.0),),
        effect=Effect(("scale_and_depth",), _of_choice("scale_10"), "nb/scale_and_depth"),
    ),
    Difference(
        "Representation Φ",
        "the last hidden layer, before the classifier",
        "the same",
        (),
        note="The same here: lil.models.LIL.represent. There is nothing to choose.",
    ),
    Difference(
        "MNIST, the network",
        "4 layers of 100 neurons, hyperbolic tangents; not said how they are initialised",
        "an input layer and 4 further layers, so 5 hidden ones; all but the first are orthogonal initially; double "
        "precision",
        (Setting("lil.recipes.mnist.PAPER.hidden", (100,) * 4), Setting("lil.recipes.mnist.PAPER.init", "default")),
        (
            Setting("lil.recipes.mnist.PAPER_PUBLIC.hidden", (100,) * 5),
            Setting("lil.recipes.mnist.PAPER_PUBLIC.init", "orthogonal"),
        ),
        note="Training is in single precision in both readings.",
        effect=Effect(("fig3_mnist", "fig3_mnist_public"), _of_readings, "nb/fig3_mnist"),
    ),
    Difference(
        "MNIST, the training",
        "Adam, batches of 100, 5 epochs; no learning rate",
        "the same, learning rate 0.001; pixels divided by 255, not normalised",
        (
            Setting("lil.recipes.mnist.PAPER.learning_rate", 1e-3),
            Setting("lil.recipes.mnist.PAPER.batch_size", 100),
            Setting("lil.recipes.mnist.PAPER.epochs", 5),
        ),
        note="Pixels are divided by 255 here too.",
    ),
    Difference(
        "Attack, the loss that it climbs",
        "“the loss” L of Eq. 1; Eq. 6 expands both of its terms",
        "the whole training loss, cross-entropy and β times isometry, with K, on test batches of 100",
        (
            Setting("lil.evaluation.OBJECTIVES", ("total", "classification")),
            Setting("lil.evaluation.Fgsm.batch_size", 100),
        ),
        note="Both are always computed: “total” is the paper's, “classification” the cross-entropy alone.",
        effect=Effect(("fig3_mnist",), _of_objective, "nb/fig3_mnist"),
    ),
    Difference(
        "Attack, its sizes",
        "γ from 0.01 to 1, logarithmically; not said how many, nor that pixels stay in their range",
        "ten values, and the result is cut off at 0 and 1",
        (Setting("lil.attacks.BOUNDS", (0.0, 1.0)),),
        note="The ten values are the default of lil.evaluation.Fgsm.",
    ),
    Difference(
        "“PGD”",
        "mentioned in the discussion, no settings",
        "10 steps of size ε, projected to a fixed ball of 0.5, no random start",
        (Setting("lil.experiments.lipschitz_bound.PAPER.steps", 20),),
        note="Steps are a quarter of ε and projected to the ball of size ε: with a fixed ball of 0.5, ε is no longer "
        "the size of the perturbation.",
    ),
    Difference(
        "CIFAR10, the features",
        "“a pretrained vgg13 … with the final classification layer removed”; not said on what it was trained",
        "a vgg13_bn trained on CIFAR10 (94.2 % by its README), its convolutional part, frozen: 512 numbers an image",
        (Setting("lil.recipes.cifar10.PAPER.weights", "cifar10"),),
        note="The weights are this project's own (lil pretrain vgg13). lil.features also reads torchvision's, "
        "“imagenet”.",
    ),
    Difference(
        "CIFAR10, the inputs of the features",
        "not stated",
        "pixels divided by 255, without the normalisation that the VGG13 was trained with, and with the two image "
        "axes swapped",
        (Setting("lil.recipes.cifar10.PAPER.inputs", "normalised"),),
        (Setting("lil.recipes.cifar10.PAPER_PUBLIC.inputs", "as-published"),),
        effect=Effect(("table1",), _of_baseline("cifar10_as_published"), "nb/table1"),
    ),
    Difference(
        "CIFAR10, the network",
        "3 layers of 1000 neurons",
        "an input layer and 3 further ones, so 4 hidden ones",
        (Setting("lil.recipes.cifar10.PAPER.hidden", (1000,) * 3),),
        (Setting("lil.recipes.cifar10.PAPER_PUBLIC.hidden", (1000,) * 4),),
        effect=Effect(("table1",), _of_baseline("cifar10_deeper"), "nb/table1"),
    ),
    Difference(
        "CIFAR10, the first public version",
        "3 layers of 1000 neurons, batches of 100, 5 epochs",
        "10 layers of 500, batches of 200, 2 epochs, in the first version that was published",
        (Setting("lil.recipes.cifar10.PAPER.batch_size", 100), Setting("lil.recipes.cifar10.PAPER.epochs", 5)),
        (
            Setting("lil.recipes.cifar10.PAPER_FIRST.hidden", (500,) * 10),
            Setting("lil.recipes.cifar10.PAPER_FIRST.batch_size", 200),
            Setting("lil.recipes.cifar10.PAPER_FIRST.epochs", 2),
        ),
        note="At β = 0 alone, with the public code's inputs of the features.",
        effect=Effect(("table1",), _of_baseline("cifar10_first"), "nb/table1"),
    ),
    Difference(
        "CIFAR10, the precision",
        "not stated",
        "double for MNIST; for CIFAR10 nothing below single that is known to this project",
        (),
        (Setting("lil.experiments.fig3_cifar10.PAPER.precision", "bfloat16"),),
        note="Single, but for the VGG13 in the attack of Figure 3B: bfloat16 there, where the processor has it in hardware.",
        effect=Effect(("fig3_cifar10",), _of_precision, "nb/fig3_cifar10"),
    ),
    Difference(
        "CIFAR10, the distances",
        "not stated",
        "in training between features; in the attack between the pixels of the batch",
        (Setting("lil.experiments.fig3_cifar10.PAPER.fgsm.distances", "inputs"),),
        (Setting("lil.experiments.fig3_cifar10_public.PAPER.fgsm.distances", "pixels"),),
        note="“inputs” are what the LIL receives: the features.",
        effect=Effect(("fig3_cifar10", "fig3_cifar10_public"), _of_readings, "nb/fig3_cifar10"),
    ),
    Difference(
        "Rings, the data",
        "two entangled rings in three dimensions; no number of points, radius or noise",
        "read from files that are not published; a separate test set is shown",
        (
            Setting("lil.recipes.rings.PAPER.n_points", 500),
            Setting("lil.recipes.rings.PAPER.radius", 1.0),
            Setting("lil.recipes.rings.PAPER.noise", 0.0),
            Setting("lil.recipes.rings.PAPER.draws", (100, 101)),
        ),
        note="A training and a test draw, from two seeds.",
    ),
    Difference(
        "Rings, the training",
        "full batch, 10 000 epochs; with and without LIL, no β",
        "weights [1, 1] and [1, 0] of cross-entropy and isometry",
        (Setting("lil.recipes.rings.PAPER.betas", (0.0, 1.0)), Setting("lil.recipes.rings.PAPER.epochs", 10_000)),
    ),
    Difference(
        "Figure 2A, UMAP",
        "40 neighbours, minimal distance 0.25, three dimensions",
        "the same",
        (
            Setting("lil.experiments.fig2_rings.PAPER.n_neighbors", 40),
            Setting("lil.experiments.fig2_rings.PAPER.min_dist", 0.25),
        ),
    ),
    Difference(
        "Figure 2B, the histograms",
        "a logarithmic scale",
        "300 bins from 0 to 10, a logarithmic axis of counts, the last hidden layer on the test set",
        (Setting("lil.experiments.fig2_rings.PAPER.bins", 180),),
        note="Over the range that distances of this layer can have.",
    ),
    Difference(
        "Torus, the data",
        "1600 points of the standard parametrisation, noise N(0, 0.001)",
        "a grid of 40 × 40, R = 0.67, r = 0.33, noise of standard deviation 0.001, then scaled to [0, 1] by one "
        "minimum and maximum",
        (Setting("lil.recipes.torus.PAPER.grid", 40), Setting("lil.recipes.torus.PAPER.noise", 1e-3)),
        note="The radii and the scaling are the public code's: the text gives none.",
    ),
    Difference(
        "Torus, the classes",
        "“cylindrical regions”: arcs of the angle around the hole",
        "contiguous blocks of the flattened grid, which are bands of the angle around the tube",
        (Setting("lil.recipes.torus.PAPER.cut", "ring"),),
        (Setting("lil.recipes.torus.PAPER_TUBE.cut", "tube"),),
        effect=Effect(("fig4_torus",), _of_cut, "nb/fig4_torus"),
    ),
    Difference(
        "Torus, the training",
        "10 000 epochs, β = 10, one batch",
        "5000 epochs",
        (Setting("lil.recipes.torus.PAPER.epochs", 10_000), Setting("lil.recipes.torus.PAPER.beta", 10.0)),
    ),
    Difference(
        "Stacked LILs",
        "each a network [D, 20, 20, 20, 20, C] with a classification layer of its own; gradients reach no other LIL",
        "one network of 12 hidden layers, read out after 4, 8 and 12 by one shared layer of 8 outputs; earlier "
        "layers frozen in turn; an optimiser's step a level",
        (Setting("lil.recipes.torus.PAPER.hidden", (20,) * 4),),
        note="The public code's shared classifier is not offered. lil.models.StackedLIL(stop_gradient=False) lets "
        "gradients through.",
    ),
    Difference(
        "Figure 4B, UMAP",
        "10 neighbours, minimal distance 1",
        "40 neighbours, minimal distance 0.25",
        (
            Setting("lil.experiments.fig4_torus.PAPER.n_neighbors", 10),
            Setting("lil.experiments.fig4_torus.PAPER.min_dist", 1.0),
        ),
        note="The public code's values are those of Figure 2: Config(n_neighbors=40, min_dist=0.25).",
    ),
    Difference(
        "Figure 4C, saliency",
        "the norm of the gradient with respect to each point",
        "the largest absolute coordinate of the target logit's gradient, scaled to [0, 1]",
        (),
        note="Both sizes are always computed, “norm” and “largest”; neither is scaled.",
        effect=Effect(("fig4_torus",), _of_saliency, "nb/fig4_torus"),
    ),
    Difference(
        "Seeds",
        "not stated; single runs",
        "none set",
        (
            Setting("lil.recipes.rings.PAPER.seeds", (0, 1, 2, 3, 4)),
            Setting("lil.recipes.torus.PAPER.seeds", (0, 1, 2, 3, 4)),
            Setting("lil.recipes.mnist.PAPER.seeds", (0, 1, 2, 3, 4)),
            Setting("lil.recipes.cifar10.PAPER.seeds", (0, 1, 2)),
        ),
        effect=Effect(("fig3_mnist",), _of_seeds, "nb/fig3_mnist"),
    ),
)
