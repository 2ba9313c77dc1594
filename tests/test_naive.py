"""The plain twin of the benchmarks trains the same networks: what is timed against it is the same computation."""

import naive
import torch

from lil.datasets import toy
from lil.evaluation import Fgsm, Sweep, robustness
from lil.models import LIL, StackedLIL, derived_seed
from lil.training import Settings, train


def test_the_twin_learns_what_the_first_level_learns():
    torus = toy.torus(grid=8, seed=0)
    stack = StackedLIL(3, (6, 6), (2, 4), seeds=[3])
    twin = naive.train_stack(list(stack.lils), torus.x, torus.labels[:2], beta=2.0, epochs=20)
    before = [parameter.clone() for parameter in stack.lils[0].parameters()]
    train(stack, torus.x, torus.labels[:2], Settings(epochs=20), betas=[2.0], seeds=[3])
    hidden, classifier = twin[0]
    linears = [*hidden[::2], classifier]
    for ours, old, linear in zip(stack.lils[0].weights, before, linears, strict=False):
        assert torch.allclose(ours[0].double(), linear.weight, atol=1e-4)
        assert not torch.allclose(ours[0], old[0], atol=1e-3)


def test_the_twin_learns_and_loses_what_classifiers_do():
    generator = torch.Generator().manual_seed(0)
    x, labels = torch.rand(60, 12, generator=generator), torch.arange(60) % 3
    betas, seeds = (0.0, 2.0), (0, 0)
    model = LIL((12, 8, 8, 3), seeds=seeds)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(derived_seed(0, 0)))
    twins = [
        naive.train_classifier(model, member, x, labels, beta=beta, order=order, batch_size=20)
        for member, beta in enumerate(betas)
    ]
    train(model, x, labels, Settings(epochs=1, batch_size=20), betas=betas, seeds=seeds)
    for member, (hidden, classifier) in enumerate(twins):
        for weight, linear in zip(model.weights, [*hidden[::2], classifier], strict=True):
            assert torch.allclose(weight[member].double(), linear.weight, atol=1e-5)

    fgsm = Fgsm(epsilons=(0.05, 0.3), batch_size=20, pictured=(), pictures=0)
    sweep = Sweep(model.requires_grad_(False), lambda images: images.flatten(-3), betas, (0,), 1.0)
    ours = robustness(sweep, x.view(-1, 1, 3, 4), labels, fgsm).accuracy
    for member, (beta, (hidden, classifier)) in enumerate(zip(betas, twins, strict=True)):
        for objective, weight in (("total", beta), ("classification", 0.0)):
            found = naive.fgsm_accuracy(hidden, classifier, x, labels, beta=weight, epsilons=[0.05, 0.3], batch_size=20)
            expected = ours.sel(objective=objective).isel(beta=member, seed=0).values
            assert abs(torch.tensor(found) - torch.tensor(expected)).max() < 0.02  # one image of 60 at most
