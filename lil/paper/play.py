"""The data of the pages to play with, as scripts: ``python -m lil.paper.play`` writes all, or those that it names.

``networks``: the networks of Figure 3A, one for each β, of the record's first seed: the record's pictures are of that
seed. Weights become whole numbers from −127 to 127 with one factor a neuron, so that the script stays below 1 MB. The
images are the test images of MNIST that the record holds, and two digits of scikit-learn for each class.

``stacks``: the points, layouts and gradients of Figure 4. ``robustness``: the accuracies of Figure 3 with intervals.

Arrays are base64 texts, little-endian, and every other text of a script's content than ``sha256`` is one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from lil import results
from lil.paper.intervals import over_seeds
from lil.paper.judging import EXPERIMENTS, recorded
from lil.paper.markdown import table
from lil.paper.pages import ROOT
from lil.results import files, registry

FOLDER = ROOT / "book" / "assets" / "play"
CONSTANTS = {"networks": "playNetworks", "stacks": "playStacks", "robustness": "playRobustness"}  # by script
DIGITS = 2  # of scikit-learn for each class
STACKS = ("fig4_torus", "hierarchy")
ROBUSTNESS = {
    "fig3_mnist": "MNIST, the text",
    "fig3_mnist_public": "MNIST, the public code",
    "fig3_cifar10": "CIFAR10, the text",
    "fig3_cifar10_public": "CIFAR10, a mixture of public commits",
}
LIBRARIES = {  # bytes that a page loads before any script of its own, from the packages of the registry
    "TensorFlow.js 4.22.0": 1_469_843,  # tf.min.js
    "ONNX Runtime Web 1.30.0": 50_196 + 14_239_897,  # ort.wasm.min.js and ort-wasm-simd-threaded.wasm
}
MEASURES = ("accuracy", "correlation", "low", "median", "high", "contrast")  # of a level of a stack
HOTTEST = 0.95  # of the points of a torus; those beyond have the colour of this quantile
UNIT = 1e-4  # of a stored accuracy: an accuracy over 10 000 images is a multiple
NO_INTERVAL = -(2**15)


def script(name: str, content: Mapping[str, Any]) -> str:
    """Return the content as a script that defines one constant."""
    return f"// Written by lil.paper.play.\nconst {CONSTANTS[name]} = {json.dumps(content)};\n"


def write(name: str, content: Mapping[str, Any]) -> None:
    """Write a script and say where."""
    path = FOLDER / f"{name}.js"
    files.replace(path, script(name, content))
    print(path)


def checksum(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 over the bytes of all arrays."""
    arrays = [text for name, text in content.items() if isinstance(text, str) and name != "sha256"]
    return hashlib.sha256(b"".join(map(base64.b64decode, arrays))).hexdigest()


def _checked(content: Mapping[str, Any], arrays: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the content with its arrays as texts, and with its checksum."""
    whole = {**content, **{name: base64.b64encode(array).decode() for name, array in arrays.items()}}
    return whole | {"sha256": checksum(whole)}


# The attack bench


def bench(
    networks: Mapping[str, Tensor],
    betas: tuple[float, ...],
    sizes: tuple[int, ...],
    images: np.ndarray,
    labels: list[int],
    recorded: int,
) -> dict[str, Any]:
    """Return the content of ``networks``: one network for each β, and images of which the first come from the record.

    The arrays go network by network and layer by layer: ``weights`` (int8), ``floats`` (float32), the factors of a
    layer's rows and then its biases, and ``images`` (uint8).
    """
    weights, floats = [], []
    for member in range(len(betas)):
        for layer in range(len(sizes) - 1):
            rows = networks[f"weights.{layer}"][member].numpy()
            factors = np.abs(rows).max(1) / 127
            weights.append(np.round(rows / factors[:, None]).astype(np.int8).tobytes())
            biases = networks[f"biases.{layer}"][member].numpy()
            floats += [factors.astype("<f4").tobytes(), biases.astype("<f4").tobytes()]
    arrays = {"weights": b"".join(weights), "floats": b"".join(floats), "images": images.astype(np.uint8).tobytes()}
    return _checked({"betas": betas, "sizes": sizes, "labels": labels, "recorded": recorded}, arrays)


def recognised(answers: Tensor, labels: Tensor) -> list[int]:
    """Return the positions of the DIGITS images of each class to which most networks give the right answer."""
    right = (answers == labels).sum(0)
    chosen = []
    for label in range(10):
        own = (labels == label).nonzero().flatten()
        chosen += own[torch.argsort(right[own], descending=True, stable=True)[:DIGITS]].tolist()
    return chosen


def _trained() -> dict[str, Any]:
    """Train the networks of the bench and return the content of their script."""
    record = recorded("fig3_mnist")
    recipe = registry.load(EXPERIMENTS, "fig3_mnist").RECIPES["mnist"]
    config = replace(recipe.PAPER, seeds=recipe.PAPER.seeds[:1])
    networks = results.networks(recipe, config)
    model = recipe.restore(config, networks)
    x, labels = recipe.inputs(replace(recipe.QUICK, n_train=None), "train")  # scikit-learn's digits
    with torch.no_grad():
        chosen = recognised(model(x).argmax(-1), labels)
    digits = np.round(255 * x[chosen].numpy())
    return bench(
        networks,
        config.betas,
        model.sizes,
        np.concatenate((record.image.values.reshape(-1, digits.shape[1]), digits)),
        [*record.label.values.tolist(), *labels[chosen].tolist()],
        record.sizes["example"],
    )


# The torus


def measures(torus: xr.Dataset) -> xr.DataArray:
    """Return the MEASURES of each level of each stack, (cut, level, seed, measure).

    ``low``, ``median`` and ``high`` are the quantiles of d(Φ)/d(x), and ``contrast`` is that of the gradient's norm.
    """
    quantiles = [torus.ratio.isel({"quantile": k}, drop=True) for k in range(3)]
    parts = [torus.accuracy, torus.correlation, *quantiles, torus.contrast.sel(saliency="norm", drop=True)]
    whole = xr.concat(parts, "measure", coords="minimal", compat="override")
    return whole.transpose("cut", "level", "seed", "measure").assign_coords(measure=list(MEASURES))


def stacks(torus: xr.Dataset, hierarchy: xr.Dataset) -> dict[str, Any]:
    """Return the content of ``stacks``, from the records of Figure 4 and of its variants.

    ``points`` (cut, point, axis; uint16) are coordinates from 0 to 1, and ``layouts`` (level, seed, point, axis; int16)
    those of the ring cut's UMAP, from −1 to 1: centred, over the largest. ``heat`` (cut, level, seed, point; uint8) is
    the gradient's norm over its quantile HOTTEST, from 0 to 1. ``gradient`` (cut, level, seed, angle; float32) is the
    median norm at one angle. ``distortion`` (level, seed, tangent, distance; float32) is that of the record
    ``hierarchy`` for the same stacks, with NaN beyond the widest arc. ``measures`` are :func:`measures`, in float32.
    """
    norm = torus.gradient.sel(saliency="norm").transpose("cut", "level", "seed", "point").values
    heat = np.minimum(norm / np.quantile(norm, HOTTEST, axis=-1, keepdims=True), 1)
    layouts = torus.umap.transpose("level", "seed", "point", "axis").values
    layouts = layouts - layouts.mean(2, keepdims=True)
    layouts /= np.abs(layouts).max((2, 3), keepdims=True)
    angles = len(np.unique(torus.cut_angle.sel(cut="ring")))
    distortion = hierarchy.distortion.sel(variant="text").transpose("level", "seed", "tangent", "distance")
    content = {
        "cuts": torus.cut.values.tolist(),
        "levels": torus.level.values.tolist(),
        "seeds": torus.seed.values.tolist(),
        "angles": angles,
        "tangents": hierarchy.tangent.values.tolist(),
        "distances": hierarchy.distance.values.tolist(),
    }
    arrays = {
        "points": np.round(65535 * torus.x.values).astype("<u2"),
        "layouts": np.round(32767 * layouts).astype("<i2"),
        "heat": np.round(255 * heat).astype(np.uint8),
        "gradient": np.median(norm.reshape(*norm.shape[:-1], angles, -1), -1).astype("<f4"),
        "distortion": distortion.values.astype("<f4"),
        "measures": measures(torus).values.astype("<f4"),
    }
    return _checked(content, {name: array.tobytes() for name, array in arrays.items()})


def stacks_table(records: Sequence[xr.Dataset]) -> str:
    """Return the lowest and the highest of the seeds of each measure, for each cut and level, in Markdown."""
    found = measures(records[0])
    words = ("accuracy", "correlation of distances", "$d(\\Phi)/d(x)$: 5 %", "median", "95 %", "gradient at the cuts")
    rows = []
    for cut, name in {"ring": "text", "tube": "public code"}.items():
        for level in found.level.values:
            one = found.sel(cut=cut, level=level).astype(float)
            ends = zip(one.min("seed").values, one.max("seed").values, strict=True)
            rows.append((name, str(level), *(f"{low:.3f} to {high:.3f}" for low, high in ends)))
    return table(("cut", "classes", *words), rows)


# The curves of Figure 3


def accuracies(record: xr.Dataset) -> xr.DataArray:
    """Return the accuracies of a record of Figure 3: (curve, epsilon, seed), with ε = 0 for clean accuracy.

    A curve is a β under an objective of the attack; all β of the first objective come first.
    """
    clean = record.clean.expand_dims(objective=record.objective).assign_coords(epsilon=0.0)
    whole = xr.concat((clean, record.accuracy), "epsilon").astype(np.float64)
    return whole.stack(curve=("objective", "beta")).transpose("curve", "epsilon", "seed")


def _intervals(values: xr.DataArray) -> Iterator[float]:
    """Yield mean and 95 % interval over the seeds, in units of UNIT, at each ε."""
    for k in range(values.sizes["epsilon"]):
        for number in over_seeds(values.isel(epsilon=k))[:3]:
            yield NO_INTERVAL if np.isnan(number) else round(number / UNIT)


def robustness(records: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Return the content of ``robustness``, from the records of Figure 3 by name. All numbers are int16, in UNIT.

    The arrays go record by record. ``accuracy`` (curve, epsilon, seed) is :func:`accuracies`. ``means`` (curve,
    epsilon, 3) holds mean and interval over seeds. ``differences`` (pair, epsilon, 3) holds the same of the first
    curve's accuracy minus the second's, seed by seed, for all pairs of curves in the order of
    :func:`itertools.combinations`. NO_INTERVAL stands where one seed has no interval.
    """
    parts: dict[str, list[float]] = {"accuracy": [], "means": [], "differences": []}
    first = next(iter(records.values()))
    for record in records.values():
        curves = accuracies(record)
        parts["accuracy"] += np.round(curves.values / UNIT).ravel().tolist()
        for curve in range(len(curves)):
            parts["means"] += _intervals(curves[curve])
        for one, other in combinations(range(len(curves)), 2):
            parts["differences"] += _intervals(curves[one].drop_vars("curve") - curves[other].drop_vars("curve"))
    content = {
        "betas": first.beta.values.tolist(),
        "epsilons": first.epsilon.values.tolist(),
        "objectives": first.objective.values.tolist(),
        "seeds": [record.sizes["seed"] for record in records.values()],
    }
    return _checked(content, {name: np.array(numbers, "<i2").tobytes() for name, numbers in parts.items()})


def robustness_table(records: Sequence[xr.Dataset]) -> str:
    """Return accuracies with intervals, clean and at the ε of the records' pictures, in Markdown."""
    rows = []
    for name, record in zip(ROBUSTNESS.values(), records, strict=True):
        for beta in record.beta.values:
            one = record.sel(beta=beta)
            attacked = [
                one.accuracy.sel(objective=objective, epsilon=epsilon)
                for objective in ("total", "classification")
                for epsilon in record.pictured.values
            ]
            cells = [f"{over_seeds(values.astype(float)):.3f}" for values in (one.clean, *attacked)]
            rows.append((name, str(record.sizes["seed"]), f"{beta:g}", *cells))
    epsilons = [f"ε = {epsilon:.3f}" for epsilon in records[0].pictured.values]
    header = [f"{attack} {epsilon}" for attack in ("the paper's attack,", "cross-entropy,") for epsilon in epsilons]
    return table(("networks", "seeds", "β", "clean", *header), rows)


def scripts() -> str:
    """Return the reason for scripts of our own, beside the libraries, with the bytes of both."""
    own = [path for path in sorted(FOLDER.glob("*.js")) if path.stem not in CONSTANTS]
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in own)
    kilobytes = sum(path.stat().st_size for path in own) / 1000
    (first, light), (second, heavy) = LIBRARIES.items()
    return (
        f"The scripts are our own: {len(own)} files with {lines} lines and {kilobytes:.0f} kB, where {first} has "
        f"{light / 1e6:.1f} MB, and {second} has {heavy / 1e6:.0f} MB, trains no network and does not start from a "
        "folder. A reader can follow each step of our arithmetic, tests compare it with PyTorch, and the trainer tells "
        "its steps a second."
    )


WRITERS = {
    "networks": _trained,
    "stacks": lambda: stacks(*map(recorded, STACKS)),
    "robustness": lambda: robustness({name: recorded(name) for name in ROBUSTNESS}),
}


def main(names: Sequence[str]) -> None:
    """Write the scripts of these names, or all."""
    for name in names or WRITERS:
        write(name, WRITERS[name]())


if __name__ == "__main__":
    main(sys.argv[1:])
