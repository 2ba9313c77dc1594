"""Compiled training: against autograd in double precision, written out, and against lil.training."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from lil import training as plain
from lil.fast import kernel, training
from lil.models import LIL, StackedLIL, derived_seed
from lil.training import Settings

ALL = Settings(epochs=4, learning_rate=0.01, alpha=0.7, scale=1.5)
BATCHES = replace(ALL, epochs=2, batch_size=16)  # of 75 points: the last one is smaller


def points(n=75, coordinates=3, seed=0):
    return torch.randn(n, coordinates, generator=torch.Generator().manual_seed(seed))


def classes(count, n=75, seed=1):
    """Return labels in no order, of classes that differ in size, each with two points at least."""
    draws = [torch.randint(0, count, (n,), generator=torch.Generator().manual_seed(seed + k)) for k in range(2)]
    labels = draws[0].minimum(draws[1])
    labels[: 2 * count] = torch.arange(2 * count) % count
    return labels[torch.randperm(n, generator=torch.Generator().manual_seed(seed + 2))]


def levels_of(model):
    return list(model.lils) if isinstance(model, StackedLIL) else [model]


def own(model, k):
    """Return the parameters of one member, level by level and layer by layer."""
    layers = [zip(lil.weights, lil.biases, strict=True) for lil in levels_of(model)]
    return [[each[k].detach() for pair in layer for each in pair] for layer in layers]


def written_out(model, x, labels, settings, betas, seeds):
    """Train each member by itself: autograd in double precision, torch's Adam, pairs by index."""
    connected = isinstance(model, StackedLIL) and not model.stop_gradient
    x, size = x.double(), settings.batch_size or len(x)
    history, trained = torch.zeros(2, settings.epochs, len(labels), len(betas)), []
    for k, (beta, seed) in enumerate(zip(betas, seeds, strict=True)):
        generator = torch.Generator().manual_seed(derived_seed(seed, 0))
        parameters = [[each.double().requires_grad_() for each in level] for level in own(model, k)]
        optimizer = torch.optim.Adam([each for level in parameters for each in level], lr=settings.learning_rate)
        for epoch in range(settings.epochs):
            order = torch.arange(len(x)) if settings.batch_size is None else torch.randperm(len(x), generator=generator)
            for chosen in order.split(size):
                total, z = 0, x[chosen]
                for level, (mine, target) in enumerate(zip(parameters, labels, strict=True)):
                    z, target = z if connected else z.detach(), target[chosen]
                    for weight, bias in zip(mine[:-2:2], mine[1:-2:2], strict=True):
                        z = torch.tanh(z @ weight.T + bias)
                    cross_entropy = F.cross_entropy(z @ mine[-2].T + mine[-1], target)
                    same = ~torch.eye(len(z), dtype=torch.bool)
                    if settings.pairs == "within-class":
                        same &= target[:, None] == target
                    i, j = same.nonzero(as_tuple=True)
                    x_dist = (x[chosen][i] - x[chosen][j]).norm(dim=1)
                    squares = (settings.scale * (z[i] - z[j]).norm(dim=1) - x_dist).square().sum()
                    isometry = squares / (len(z) ** 2 if settings.reduction == "n2" else max(len(i), 1))
                    terms = torch.stack([cross_entropy, isometry if beta else 0 * isometry]).detach()
                    history[:, epoch, level, k] += terms / len(order.split(size))
                    total = total + settings.alpha * cross_entropy + beta * isometry
                optimizer.zero_grad()
                total.backward()
                optimizer.step()
        trained.append([[each.detach() for each in level] for level in parameters])
    return history, trained


def agree(model, x, labels, settings, betas, seeds=None):
    """Train both ways, and compare the history and the weights."""
    seeds = seeds or list(range(len(betas)))
    expected, trained = written_out(model, x, labels, settings, betas, seeds)
    found = training.train(model, x, tuple(labels), settings, betas=betas, seeds=seeds)
    torch.testing.assert_close(torch.stack(found), expected, rtol=1e-4, atol=1e-5)
    for k, right in enumerate(trained):
        torch.testing.assert_close(own(model, k), right, rtol=1e-3, atol=2e-4, check_dtype=False)


CHANGES = [{}, {"pairs": "all"}, {"reduction": "pairs"}, {"pairs": "all", "reduction": "pairs"}, {"alpha": 0.0}]
MEMBERS = [([0.5], [3]), ([0.0, 0.1, 2.0], [3, 3, 3]), ([0.0, 1.0, 1.0, 2.0], [0, 1, 0, 0])]


@pytest.mark.parametrize("change", [*CHANGES, {"scale": 10.0}], ids=str)
@pytest.mark.parametrize("settings", [ALL, BATCHES], ids=["all", "batches"])
def test_networks_learn_as_written_out(settings, change):
    """Members of a seed see its batches, however many of them have an isometry term."""
    for betas, seeds in MEMBERS:
        agree(LIL((3, 8, 6, 3), seeds=seeds), points(), [classes(3)], replace(settings, **change), betas, seeds)


@pytest.mark.parametrize("change", CHANGES[:3], ids=str)
@pytest.mark.parametrize("settings", [ALL, BATCHES], ids=["all", "batches"])
@pytest.mark.parametrize("stop_gradient", [True, False])
def test_so_do_stacks_whose_classes_lie_across_one_another(stop_gradient, settings, change):
    labels = [classes(count, seed=count) for count in (2, 3, 4)]
    stack = StackedLIL(3, (6, 5), (2, 3, 4), seeds=[0, 1], stop_gradient=stop_gradient)
    agree(stack, points(), labels, replace(settings, **change), [1.0, 3.0])


@pytest.mark.parametrize("sizes", [(3, 2, 2), (1, 1, 1, 2), (5, 7, 3, 9), (2, 20, 20, 2, 3), (64, 5, 4)], ids=str)
@pytest.mark.parametrize("settings", [ALL, BATCHES], ids=["all", "batches"])
def test_so_do_networks_of_any_width(sizes, settings):
    agree(LIL(sizes, seeds=[0]), points(50, sizes[0]), [classes(sizes[-1], 50)], settings, [1.0])


@pytest.mark.parametrize("size", [1, 2, 11, 75, 1000])
def test_batches_may_have_any_size(size):
    settings = replace(BATCHES, batch_size=size, reduction="pairs", learning_rate=1e-3)
    agree(LIL((3, 6, 3), seeds=[0, 1]), points(), [classes(3)], settings, [0.0, 1.0])


@pytest.mark.parametrize("n", [2, 17, 33, 300])
def test_there_may_be_any_number_of_points(n):
    agree(LIL((3, 6, 4, 2), seeds=[0]), points(n), [torch.arange(n) % 2], replace(ALL, pairs="all"), [1.0])


@pytest.mark.parametrize("settings", [Settings(epochs=40), Settings(epochs=8, batch_size=50)], ids=["all", "batches"])
@pytest.mark.parametrize("stacked", [False, True])
def test_it_is_the_plain_training(settings, stacked):
    """Both start from the same weights and take the same steps, but for the order of sums."""
    x, labels, models = points(300), (classes(2, 300), classes(3, 300)), []
    for train in (training.train, plain.train):
        model = StackedLIL(3, (20, 20), (2, 3), seeds=[4, 5]) if stacked else LIL((3, 20, 20, 3), seeds=[4, 5])
        its = labels if stacked else labels[1]
        models.append((train(model, x, its, settings, betas=[0.0, 1.0], seeds=[4, 5]), [*model.parameters()]))
    torch.testing.assert_close(*(tuple(history) for history, _ in models), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(*(weights for _, weights in models), rtol=0, atol=1e-4)


@pytest.mark.parametrize("settings", [replace(ALL, epochs=7), replace(BATCHES, batch_size=20)], ids=["all", "batches"])
def test_a_member_is_the_same_alone_on_any_number_of_threads_and_in_any_pieces(settings, monkeypatch):
    """Bit for bit: nothing of one network enters the sums of another."""
    x, labels = points(), (classes(2), classes(4))
    betas, seeds = [0.0, 0.5, 0.0, 0.5], [0, 0, 1, 1]

    def learn(which, threads, ahead=8000, parts=100):
        torch.set_num_threads(threads)
        monkeypatch.setattr(training, "_AHEAD", ahead)
        monkeypatch.setattr(training, "_PARTS", parts)
        stack, chosen = StackedLIL(3, (6, 6), (2, 4), seeds=[seeds[k] for k in which]), [betas[k] for k in which]
        history = training.train(stack, x, labels, settings, betas=chosen, seeds=[seeds[k] for k in which])
        return [each.movedim(-1, 0) for each in history] + [each.detach() for each in stack.parameters()]

    together = learn(range(4), 2)
    for threads, *pieces in ((1,), (5,), (2, 1, 3), (2, 100, 1)):
        assert all(torch.equal(a, b) for a, b in zip(learn(range(4), threads, *pieces), together, strict=True))
    for k in range(4):
        assert all(torch.equal(a[0], b[k]) for a, b in zip(learn([k], 2), together, strict=True))


@pytest.mark.parametrize("settings", [ALL, BATCHES], ids=["all", "batches"])
def test_some_points_may_coincide(settings):
    """They do not pull on each other, on others they do."""
    x = points()[torch.arange(75) % 7]
    agree(LIL((3, 8, 6, 3), seeds=[0]), x, [classes(3)], settings, [1.0])


@pytest.mark.parametrize("settings", [ALL, BATCHES], ids=["all", "batches"])
def test_points_that_all_coincide_pull_on_nobody(settings):
    x, model = points(1).expand(12, -1), LIL((3, 4, 2), seeds=[0])
    history = training.train(model, x, torch.arange(12) % 2, replace(settings, alpha=0.0), betas=[1.0], seeds=[0])
    assert not history.isometry.any()
    assert all(map(torch.equal, model.parameters(), LIL((3, 4, 2), seeds=[0]).parameters()))


@pytest.mark.parametrize("settings", [replace(ALL, epochs=250), BATCHES], ids=["all", "batches"])
def test_progress_is_told_to_the_end_and_not_too_often(settings):
    calls = []
    model, labels = LIL((3, 4, 2), seeds=[0, 1]), classes(2)
    training.train(
        model, points(), labels, settings, betas=[0.0, 1.0], seeds=[0, 1], progress=lambda *call: calls.append(call)
    )
    steps = 250 if settings.batch_size is None else 10
    assert calls[-1] == ("training", steps, steps) and len(calls) <= 201
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


@pytest.mark.parametrize("settings", [ALL, BATCHES], ids=["all", "batches"])
def test_training_that_goes_astray_says_so(settings):
    settings, model = replace(settings, learning_rate=1e38), LIL((3, 4, 2), seeds=[0])
    history = training.train(model, points(), classes(2), settings, betas=[1.0], seeds=[0])
    assert not history.cross_entropy[-1].isfinite().any()


def test_bad_input_gets_its_sentence_and_the_model_is_as_it_was():
    for change, words in [
        (dict(labels=torch.arange(20) % 3), "labels must be classes from 0 to 1"),
        (dict(labels=torch.tensor([0] * 19 + [1])), "class 1 has a single point"),
        (dict(x=points(20).fill_(torch.inf)), "NaN or infinite"),
    ]:
        model = LIL((3, 4, 2), seeds=[0])
        given = dict(x=points(20), labels=classes(2, 20), settings=ALL, betas=[1.0], seeds=[0]) | change
        with pytest.raises(ValueError, match=words):
            training.train(model, **given)
        assert all(map(torch.equal, model.parameters(), LIL((3, 4, 2), seeds=[0]).parameters()))


def test_logits_are_the_models():
    model, x = LIL((3, 5, 4), seeds=[0]), points()
    networks, values = training.pack(model), torch.empty(9, 75)
    kernel.forward(networks.layers, networks.parameters[0], x.T.contiguous().numpy(), values.numpy())
    torch.testing.assert_close(values[-4:], model(x)[0].mT.detach(), rtol=1e-5, atol=1e-6)


def test_memory_is_that_of_the_pairs_that_count():
    """Nothing of N × N numbers."""
    labels = (torch.arange(1600) % 8)[None].numpy()
    batches = training.prepare(
        points(1600).numpy(), labels, torch.arange(1600)[None, None].numpy(), "within-class", "n2"
    )
    assert batches.x_dist.size == 8 * 200 * 199 // 2
