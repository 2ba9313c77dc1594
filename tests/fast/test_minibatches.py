"""Compiled steps on batches: against autograd in double precision, and against lil.training."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from lil.randomness import derived_seed

from lil import training
from lil.fast import dense_kernel, minibatches
from lil.models import LIL
from lil.training import Settings

SETTINGS = Settings(epochs=2, batch_size=16, learning_rate=0.01, alpha=0.7, scale=1.5)
N, SIZES = 56, (5, 12, 9, 4)  # batches of 16, 16, 16 and 8


def data(n=N, coordinates=5):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, coordinates, generator=generator), torch.randint(0, 4, (n,), generator=generator)


def plain(model, x, labels, settings, betas, seeds):
    """Written out for each member: autograd in double precision, torch's Adam, pairs by their mask."""
    history, trained, x = torch.zeros(2, settings.epochs, 1, len(betas)), [], x.double()
    for k, (beta, seed) in enumerate(zip(betas, seeds, strict=True)):
        generator = torch.Generator().manual_seed(derived_seed(seed, 0))
        own = [
            each[k].detach().double().requires_grad_()
            for pair in zip(model.weights, model.biases, strict=True)
            for each in pair
        ]
        optimizer = torch.optim.Adam(own, lr=settings.learning_rate)
        for epoch in range(settings.epochs):
            batches = torch.randperm(len(x), generator=generator).split(settings.batch_size)
            for chosen in batches:
                z, target = x[chosen], labels[chosen]
                for weight, bias in zip(own[:-2:2], own[1:-2:2], strict=True):
                    z = torch.tanh(z @ weight.T + bias)
                cross_entropy = F.cross_entropy(z @ own[-2].T + own[-1], target)
                same = ~torch.eye(len(z), dtype=torch.bool)
                if settings.pairs == "within-class":
                    same &= target[:, None] == target
                i, j = same.nonzero(as_tuple=True)
                each = (
                    (settings.scale * (z[i] - z[j]).norm(dim=1) - (x[chosen][i] - x[chosen][j]).norm(dim=1))
                    .square()
                    .sum()
                )
                isometry = each / (len(z) ** 2 if settings.reduction == "n2" else max(len(i), 1))
                terms = torch.stack([cross_entropy, isometry if beta else 0 * isometry]).detach()
                history[:, epoch, 0, k] += terms / len(batches)
                optimizer.zero_grad()
                (settings.alpha * cross_entropy + beta * isometry).backward()
                optimizer.step()
        trained.append([each.detach() for each in own])
    return history, trained


@pytest.mark.parametrize(
    "change",
    [
        {},
        dict(pairs="all"),
        dict(reduction="pairs"),
        dict(pairs="all", reduction="pairs"),
        dict(alpha=0.0),
        dict(scale=1.0),
        dict(batch_size=N),
        dict(batch_size=1),
        dict(batch_size=1000),
        dict(batch_size=11),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("betas", "seeds"), [([0.5], [3]), ([0.0, 0.1, 2.0], [3, 3, 3]), ([0.0, 1.0, 1.0, 2.0], [0, 1, 0, 0])]
)
def test_networks_learn_as_in_plain_torch(change, betas, seeds):
    """Members of a seed see its batches, however many of them have an isometry term."""
    settings, (x, labels), model = replace(SETTINGS, **change), data(), LIL(SIZES, seeds=seeds)
    expected, trained = plain(model, x, labels, settings, betas, seeds)
    history = minibatches.train(model, x, labels, settings, betas=betas, seeds=seeds)
    torch.testing.assert_close(torch.stack(list(history)), expected, rtol=2e-4, atol=2e-5)
    for k, own in enumerate(trained):
        parameters = [each[k] for pair in zip(model.weights, model.biases, strict=True) for each in pair]
        for found, right in zip(parameters, own, strict=True):
            torch.testing.assert_close(found.detach().double(), right, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("sizes", [(5, 7, 4), (5, 3, 20, 4), (5, 1, 1, 1, 4), (16, 5, 4), (48, 6, 9, 4), (784, 3, 4)])
def test_any_shape(sizes):
    """Vectors of sixteen hold the inputs where they come out even."""
    (x, labels), model, other = data(coordinates=sizes[0]), LIL(sizes, seeds=[0, 1]), LIL(sizes, seeds=[0, 1])
    found = minibatches.train(model, x, labels, SETTINGS, betas=[1.0, 1.0], seeds=[0, 1])
    expected = training.train(other, x, labels, SETTINGS, betas=[1.0, 1.0], seeds=[0, 1])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_a_network_learns_the_same_alone_on_any_number_of_threads_and_however_much_is_prepared(monkeypatch):
    """Bit for bit: nothing of one network enters another's sums."""
    x, labels = data()
    betas, seeds = [0.0, 0.5, 0.0, 0.5], [0, 0, 1, 1]

    def learn(which, threads, ahead):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        monkeypatch.setattr(minibatches, "_AHEAD", ahead)
        model = LIL(SIZES, seeds=[seeds[k] for k in which])
        minibatches.train(model, x, labels, SETTINGS, betas=[betas[k] for k in which], seeds=[seeds[k] for k in which])
        torch.set_num_threads(before)
        return [each.detach() for each in model.parameters()]

    together = learn(range(4), 2, 1000)
    for threads, ahead in ((1, 1000), (5, 1000), (2, 1)):
        assert all(torch.equal(a, b) for a, b in zip(learn(range(4), threads, ahead), together, strict=True))
    for k in range(4):
        assert all(torch.equal(a[0], b[k]) for a, b in zip(learn([k], 2, 100), together, strict=True))


def test_points_that_coincide_pull_on_nobody():
    x, labels = data(1)[0].expand(12, -1).contiguous(), torch.arange(12) % 4
    model = LIL(SIZES, seeds=[0])
    settings = replace(SETTINGS, alpha=0.0, batch_size=6)
    history = minibatches.train(model, x, labels, settings, betas=[1.0], seeds=[0])
    assert not history.isometry.any()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), LIL(SIZES, seeds=[0]).parameters(), strict=True))


def test_progress_is_told_to_the_end():
    calls, (x, labels) = [], data()
    minibatches.train(
        LIL(SIZES, seeds=[0]), x, labels, SETTINGS, betas=[0.0], seeds=[0], progress=lambda *call: calls.append(call)
    )
    assert calls[-1] == ("training", 8, 8) and [done for _, done, _ in calls] == sorted({done for _, done, _ in calls})


def test_training_that_goes_astray_says_so():
    x, labels = data()
    history = minibatches.train(
        LIL(SIZES, seeds=[0]), x, labels, replace(SETTINGS, learning_rate=1e38), betas=[1.0], seeds=[0]
    )
    assert not history.cross_entropy[-1].isfinite().any()


def test_rows_are_gathered_in_their_order():
    x, chosen = torch.randn(9, 3), torch.tensor([[[4, 0], [8, 4], [1, 2]]])
    assert torch.equal(minibatches._gathered(x, chosen), x[chosen])


def test_a_pack_is_unpacked_to_the_same_network():
    model, other = LIL(SIZES, seeds=[0, 1]), LIL(SIZES, seeds=[2, 3])
    minibatches.unpack(minibatches.pack(model), other)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_logits_are_the_models():
    model, (x, _) = LIL(SIZES, seeds=[0]), data()
    networks, values = minibatches.pack(model), torch.empty(sum(SIZES[1:]) * N)
    dense_kernel.forward(networks.sizes, networks.parameters[0], x.numpy(), values.numpy())
    torch.testing.assert_close(values.view(-1, N)[-4:], model(x)[0].mT.detach(), rtol=1e-5, atol=1e-6)
