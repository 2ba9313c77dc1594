"""Figure 3B's attack, one seed and six β: ours beside the bare passes through the VGG13 that it cannot do without."""

from dataclasses import replace

import pytest
import torch

from lil.engine import Features
from lil.evaluation import Fgsm, Sweep, robustness
from lil.recipes import cifar10

CONFIG = replace(cifar10.PAPER, weights="random", seeds=(0,))
FGSM = Fgsm(batch_size=50, pictured=(), pictures=0)
GRADIENTS = 2 * len(CONFIG.betas) - 1  # both objectives are one at β = 0


@pytest.mark.parametrize("kind", ("ours", "floor"))
def test_attack(timed, kind):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(FGSM.batch_size, 3, 32, 32, generator=generator)
    labels = torch.randint(10, (len(x),), generator=generator)
    front, model = (
        Features(CONFIG.weights, CONFIG.inputs, precision="bfloat16"),
        cifar10.build(CONFIG).requires_grad_(False),
    )

    def attack():
        if kind == "ours":
            robustness(Sweep(model, front, CONFIG.betas, CONFIG.seeds, CONFIG.scale), x, labels, FGSM)
        else:
            passes(front, x)

    timed(attack, "CIFAR10, FGSM with both objectives on six β at ten ε, VGG13 in bfloat16", "an image", len(x))


def passes(front, x: torch.Tensor) -> None:
    """One pass of the clean images, one and one back for each gradient, one for each attacked image."""
    with torch.no_grad():
        front(x)
    for _ in range(GRADIENTS):
        images = x.clone().requires_grad_()
        torch.autograd.grad(front(images).sum(), images)
        with torch.no_grad():
            front(x.expand(len(FGSM.epsilons), -1, -1, -1, -1))
