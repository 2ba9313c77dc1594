"""The wing beside the plain definitions: how many times as fast each of its files makes a part of the paper.

``table`` turns the medians into the rows of the status page.
"""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

import lil.fast
from lil import attacks, evaluation, training
from lil.evaluation import Fgsm, Sweep
from lil.fast import robustness
from lil.fast import training as compiled
from lil.recipes import mnist, rings, torus
from lil.training import Settings

KINDS = ("ours", "plain", "one thread")  # the plain definitions; the wing on one of the processor's cores


class Part(NamedTuple):
    """A part of the paper that the wing computes."""

    unit: str
    ours: int  # units of one round, of the wing
    plain: int  # and of the plain definitions
    whole: int  # units in the whole paper


PARTS = {
    "rings, training of ten networks": Part("an epoch", 200, 1, 10_000),
    "torus, training of five stacks": Part("an epoch", 50, 1, 20_000),  # of both cuts
    "MNIST, training of six networks": Part("a step", 100, 20, 2 * 5 * 5 * 600),  # two readings, five seeds and epochs
    "MNIST, attack on six networks": Part("an image", 1000, 100, 2 * 5 * 10_000),
    "a process that trains: its machine code": Part("a start", 1, 1, 30),  # experiments and notebooks, about
}
TRAININGS, ATTACK, START = list(PARTS)[:3], list(PARTS)[3:4], list(PARTS)[4:]
FILES = [  # of the wing: what they do, what of the paper they speed up, beside what
    (("kernel", "pairs", "elementary", "training"), "training on processors", TRAININGS, "plain"),
    (("robustness",), "attacks on pixels", ATTACK, "plain"),
    (("threads",), "all cores at work", TRAININGS + ATTACK, "one thread"),
    (("compiling",), "machine code is kept", START, "plain"),
    (("captured",), "training on GPUs", [], "plain"),
]
NETWORKS = replace(mnist.PAPER, seeds=(0,))


def toys(recipe, kind, epochs):
    """Train all networks of a toy experiment for some epochs."""
    config = replace(recipe.PAPER, epochs=epochs)
    data, settings = recipe.data(config), Settings(epochs=epochs, learning_rate=config.learning_rate)
    if recipe is rings:
        betas, seeds = zip(*rings.members(config), strict=True)
    else:
        betas, seeds = [config.beta] * len(config.seeds), config.seeds
    train = training.train if kind == "plain" else compiled.train
    train(recipe.build(config), data.x, data.labels, settings, betas=betas, seeds=seeds)


def on_images(name, kind, count):
    """Train the networks of one seed for ``count`` steps, or attack them on ``count`` images."""
    generator = torch.Generator().manual_seed(0)
    n = count if name in ATTACK else count * NETWORKS.batch_size
    x, labels = torch.rand(n, 1, 28, 28, generator=generator), torch.randint(10, (n,), generator=generator)
    model = mnist.build(NETWORKS)
    if name in ATTACK:
        sweep = Sweep(model.requires_grad_(False), attacks.pixels, NETWORKS.betas, NETWORKS.seeds, NETWORKS.scale)
        (evaluation if kind == "plain" else robustness).robustness(sweep, x, labels, Fgsm())
    else:
        settings = Settings(epochs=1, batch_size=NETWORKS.batch_size)
        train = training.train if kind == "plain" else compiled.train
        train(model, x.flatten(1), labels, settings, betas=NETWORKS.betas, seeds=[0] * len(NETWORKS.betas))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TRAININGS + ATTACK)
def test_wing(timed, name, kind):
    part, threads = PARTS[name], torch.get_num_threads()
    count = part.plain if kind == "plain" else part.ours

    def run():
        if "MNIST" in name:
            on_images(name, kind, count)
        else:
            toys(rings if "rings" in name else torus, kind, count)

    torch.set_num_threads(1 if kind == "one thread" else threads)
    try:
        timed(run, name, part.unit, count)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("kind", KINDS[:2])
def test_start(timed, turn, kind, tmp_path_factory):
    """With machine code in the cache, and without."""
    if turn:
        pytest.skip("compiling takes long and is timed once")
    cache = tmp_path_factory.getbasetemp() / "machine-code"
    program = "from bench_wing import *; toys(rings, 'ours', 1); on_images(*ATTACK, 'ours', 10)"

    def start():
        where = cache if kind == "ours" else tmp_path_factory.mktemp("empty")
        environment = os.environ | {"NUMBA_CACHE_DIR": str(where), "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)

    timed(start, *START, PARTS[START[0]].unit)  # after a round that is not counted, which fills the cache


def table(rows):
    """Return a row for each file: its lines, what it speeds up and by how much, and the paper's time without it."""
    found = {row["what"]: row for row in rows}
    if not found.keys() >= PARTS.keys():
        return []
    wing = []
    for names, purpose, parts, beside in FILES:
        ratios = [f"{found[part][beside] / found[part]['ours']:.3g}" for part in parts]
        more = sum((found[part][beside] - found[part]["ours"]) * PARTS[part].whole for part in parts) / 60_000
        short = [re.split(" of | on |:", part)[0] for part in parts]
        about = f"{purpose} ({'; '.join(short)})" if parts else purpose
        together = f" (with {', '.join(f'`{name}.py`' for name in names[1:])})" if len(names) > 1 else ""
        for name in names:
            file = Path(lil.fast.__file__).with_name(f"{name}.py")
            first = name == names[0]
            wing.append(
                {
                    "file": file.name,
                    "lines": len(file.read_text(encoding="utf-8").splitlines()),
                    "speeds_up": about + together if first else f"with `{names[0]}.py`",
                    "ratio": ", ".join(ratios) if first and parts else None,
                    "without": f"{more:.0f} minute{'s' * (f'{more:.0f}' != '1')} more" if first and parts else None,
                }
            )
    return wing
