"""The plain twin of the benchmarks trains the same networks: what is timed against it is the same computation."""

import naive
import torch

from lil.datasets import toy
from lil.models import StackedLIL
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
