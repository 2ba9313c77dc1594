"""The networks and images of the book's attack bench, as one script: ``python -m lil.paper.play`` writes it.

The networks are those of Figure 3A, one for each β, of the record's first seed: the record's pictures are of that seed.
Weights become whole numbers from −127 to 127 with one factor a neuron, so that the script stays below 1 MB. The images
are the test images of MNIST that the record holds, and two digits of scikit-learn for each class.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from lil import results
from lil.paper.judging import EXPERIMENTS
from lil.paper.pages import ROOT
from lil.results import registry

SCRIPT = ROOT / "book" / "assets" / "play" / "networks.js"
NAME = "playNetworks"
PARTS = ("weights", "floats", "images")  # int8, float32 and uint8, in base64
DIGITS = 2  # of scikit-learn for each class


def script(content: Mapping[str, Any]) -> str:
    """Return the content as a script that defines one constant."""
    return f"// Written by lil.paper.play.\nconst {NAME} = {json.dumps(content)};\n"


def read() -> dict[str, Any]:
    """Return the content of the script that is there."""
    text = SCRIPT.read_text(encoding="utf-8")
    return json.loads(text.partition(f"const {NAME} = ")[2].rstrip().removesuffix(";"))


def checksum(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 over the bytes of all parts."""
    return hashlib.sha256(b"".join(base64.b64decode(content[part]) for part in PARTS)).hexdigest()


def bench(
    networks: Mapping[str, Tensor],
    betas: tuple[float, ...],
    sizes: tuple[int, ...],
    images: np.ndarray,
    labels: list[int],
    recorded: int,
) -> dict[str, Any]:
    """Return the content of the script: one network for each β, and images of which the first come from the record.

    The parts go network by network and layer by layer. Floats are the factors of a layer's rows, then its biases.
    """
    weights, floats = [], []
    for member in range(len(betas)):
        for layer in range(len(sizes) - 1):
            rows = networks[f"weights.{layer}"][member].numpy()
            factors = np.abs(rows).max(1) / 127
            weights.append(np.round(rows / factors[:, None]).astype(np.int8).tobytes())
            biases = networks[f"biases.{layer}"][member].numpy()
            floats += [factors.astype("<f4").tobytes(), biases.astype("<f4").tobytes()]
    parts = (b"".join(weights), b"".join(floats), images.astype(np.uint8).tobytes())
    content = {"betas": betas, "sizes": sizes, "labels": labels, "recorded": recorded}
    content |= {name: base64.b64encode(part).decode() for name, part in zip(PARTS, parts, strict=True)}
    return content | {"sha256": checksum(content)}


def recognised(answers: Tensor, labels: Tensor) -> list[int]:
    """Return the positions of the DIGITS images of each class to which most networks give the right answer."""
    right = (answers == labels).sum(0)
    chosen = []
    for label in range(10):
        own = (labels == label).nonzero().flatten()
        chosen += own[torch.argsort(right[own], descending=True, stable=True)[:DIGITS]].tolist()
    return chosen


def main() -> None:
    """Train the networks and write the script."""
    experiment = registry.load(EXPERIMENTS, "fig3_mnist")
    record: xr.Dataset = results.get(experiment, mode="recorded")
    recipe = experiment.RECIPES["mnist"]
    config = replace(recipe.PAPER, seeds=recipe.PAPER.seeds[:1])
    networks = results.networks(recipe, config)
    model = recipe.restore(config, networks)
    x, labels = recipe.inputs(replace(recipe.QUICK, n_train=None), "train")  # scikit-learn's digits
    with torch.no_grad():
        chosen = recognised(model(x).argmax(-1), labels)
    digits = np.round(255 * x[chosen].numpy())
    content = bench(
        networks,
        config.betas,
        model.sizes,
        np.concatenate((record.image.values.reshape(-1, digits.shape[1]), digits)),
        [*record.label.values.tolist(), *labels[chosen].tolist()],
        record.sizes["example"],
    )
    SCRIPT.write_text(script(content), encoding="utf-8")
    print(SCRIPT)


if __name__ == "__main__":
    main()
