"""Figure 3A's training and attack, one seed and six β: ours beside the plain twin and the arithmetic, on some images.

Ours takes more steps and images than the twin, so that what it does once counts as little as at full scale.
"""

from dataclasses import replace

import naive
import pytest
import torch

from lil import attacks
from lil.evaluation import Fgsm, Sweep
from lil.fast import training as compiled
from lil.fast.robustness import robustness
from lil.models import LIL
from lil.recipes import mnist
from lil.training import Settings

PAPER = mnist.PAPER
N_TRAIN, N_TEST = {"ours": 30_000, "naive": 6000, "floor": 6000}, {"ours": 2000, "naive": 500}


@pytest.fixture(scope="module")
def images():
    """Noise in the shape of MNIST: what is timed does not depend on what the images show."""
    generator = torch.Generator().manual_seed(0)
    n = max(N_TRAIN.values())
    return torch.rand(n, mnist.PIXELS, generator=generator), torch.randint(10, (n,), generator=generator)


def networks() -> LIL:
    return mnist.build(replace(PAPER, seeds=(0,)))


@pytest.mark.parametrize("kind", ("ours", "naive", "floor"))
def test_training(timed, images, kind):
    x, labels = (part[: N_TRAIN[kind]] for part in images)
    settings = Settings(epochs=1, batch_size=PAPER.batch_size)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))

    def train():
        model = networks()
        if kind == "floor":
            arithmetic(model, x)
        elif kind == "ours":
            compiled.train(model, x, labels, settings, betas=PAPER.betas, seeds=[0] * len(PAPER.betas))
        else:
            for member, beta in enumerate(PAPER.betas):
                naive.train_classifier(model, member, x, labels, beta=beta, order=order, batch_size=PAPER.batch_size)

    timed(train, "MNIST, training of six β", "a step", N_TRAIN[kind] // PAPER.batch_size)


@torch.no_grad()
def arithmetic(model: LIL, x: torch.Tensor) -> None:
    """Compute the matrix products of the steps, forward and backward, and Adam: no activations, losses or graph."""
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 1e-3)
    step = torch.optim.Adam(model.parameters(), fused=True).step
    for batch in x.split(PAPER.batch_size):
        inputs = [batch.mT.expand(model.members, -1, -1)]
        for weight in model.weights:
            inputs.append(torch.bmm(weight, inputs[-1]))
        back = inputs.pop()
        for layer in reversed(range(len(inputs))):
            torch.bmm(back, inputs[layer].mT)
            if layer:
                back = torch.bmm(model.weights[layer].mT, back)
        step()


@pytest.mark.parametrize("kind", ("ours", "naive"))
def test_attack(timed, images, kind):
    x, labels = (part[: N_TEST[kind]] for part in images)
    fgsm, model = Fgsm(), networks().requires_grad_(False)

    def attack():
        if kind == "ours":
            attacked = Sweep(model, attacks.pixels, PAPER.betas, (0,), PAPER.scale)
            robustness(attacked, x.view(-1, 1, 28, 28), labels, fgsm)
        else:
            for member, beta in enumerate(PAPER.betas):
                hidden, classifier = naive.as_modules(model, member)
                for weight in (beta, 0.0):  # the objectives total and classification
                    naive.fgsm_accuracy(
                        hidden,
                        classifier,
                        x,
                        labels,
                        beta=weight,
                        epsilons=list(fgsm.epsilons),
                        batch_size=fgsm.batch_size,
                    )

    timed(attack, "MNIST, FGSM with both objectives on six β at ten ε", "an image", N_TEST[kind])
