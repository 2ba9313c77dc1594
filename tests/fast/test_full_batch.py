"""Compiled steps on all points: against autograd in double precision, against lil.training, and their parts alone."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from lil import training
from lil.fast import full_batch
from lil.fast import full_batch_kernel as kernel
from lil.isometry import pair_blocks, pair_distances
from lil.models import LIL, StackedLIL
from lil.training import Settings

SETTINGS = Settings(epochs=5, learning_rate=0.01, alpha=0.7, scale=1.5)


def points(n, seed=0, coordinates=3):
    return torch.randn(n, coordinates, generator=torch.Generator().manual_seed(seed))


def dealt(n, classes, seed=1):
    """Labels in no order, of classes that differ in size, each with two points at least."""
    drawn = torch.randint(0, classes, (n,), generator=torch.Generator().manual_seed(seed)).minimum(
        torch.randint(0, classes, (n,), generator=torch.Generator().manual_seed(seed + 1))
    )
    drawn[: 2 * classes] = torch.arange(2 * classes) % classes
    return drawn[torch.randperm(n, generator=torch.Generator().manual_seed(seed + 2))]


def plain(model, x, labels, settings, betas):
    """What training is, written out for each member: autograd in double precision, torch's Adam, pairs by their mask."""
    levels = list(model.lils) if isinstance(model, StackedLIL) else [model]
    connected = isinstance(model, StackedLIL) and not model.stop_gradient
    x = x.double()
    x_dist = (x[:, None] - x).square().sum(-1).sqrt()
    off = ~torch.eye(len(x), dtype=torch.bool)
    history, trained = torch.zeros(2, settings.epochs, len(levels), len(betas)), []
    for k, beta in enumerate(betas):
        parameters = [
            [
                each[k].detach().double().requires_grad_()
                for pair in zip(lil.weights, lil.biases, strict=True)
                for each in pair
            ]
            for lil in levels
        ]
        optimizer = torch.optim.Adam([each for level in parameters for each in level], lr=settings.learning_rate)
        for epoch in range(settings.epochs):
            total, z = 0, x
            for level, (own, target) in enumerate(zip(parameters, labels, strict=True)):
                z = z if connected else z.detach()
                for weight, bias in zip(own[:-2:2], own[1:-2:2], strict=True):
                    z = torch.tanh(z @ weight.T + bias)
                cross_entropy = F.cross_entropy(z @ own[-2].T + own[-1], target)
                same = off if settings.pairs == "all" else (target[:, None] == target) & off
                i, j = same.nonzero(as_tuple=True)
                each = (settings.scale * (z[i] - z[j]).norm(dim=1) - x_dist[i, j]).square().sum()
                isometry = each / (len(x) ** 2 if settings.reduction == "n2" else max(len(i), 1))
                history[:, epoch, level, k] = torch.stack([cross_entropy, isometry if beta else 0 * isometry]).detach()
                total = total + settings.alpha * cross_entropy + beta * isometry
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        trained.append([each.detach() for level in parameters for each in level])
    return history, trained


def agree(model, x, labels, settings, betas):
    """Train both ways and compare what is reported and what was learnt."""
    expected, parameters = plain(model, x, labels, settings, betas)
    found = full_batch.train(model, x, tuple(labels), settings, betas=betas, seeds=[0] * len(betas))
    torch.testing.assert_close(torch.stack(found), expected, rtol=2e-5, atol=1e-6)
    for k, right in enumerate(parameters):
        ours = [each[k] for each in full_batch._parameters(list(getattr(model, "lils", [model])))]
        for one, other in zip(ours, right, strict=True):
            torch.testing.assert_close(one.double(), other, rtol=0, atol=2e-4)


@pytest.mark.parametrize(
    "change", [{}, {"pairs": "all"}, {"reduction": "pairs"}, {"alpha": 0.0}, {"scale": 10.0}], ids=str
)
def test_a_network_learns_as_in_plain_torch(change):
    agree(LIL((3, 8, 20, 2), seeds=[0, 1, 2]), points(75), [dealt(75, 2)], replace(SETTINGS, **change), [0.0, 2.0, 0.5])


@pytest.mark.parametrize("sizes", [(3, 2, 2), (1, 1, 1, 2), (5, 7, 3, 9), (2, 20, 20, 20, 2, 3)], ids=str)
def test_so_do_networks_of_any_width(sizes):
    agree(LIL(sizes, seeds=[0]), points(50, coordinates=sizes[0]), [dealt(50, sizes[-1])], SETTINGS, [1.0])


@pytest.mark.parametrize("n", [2, 31, 32, 33, 416, 417, 900])
def test_and_any_number_of_points(n):
    """Up to several chunks of points, and several tiles of pairs."""
    settings = replace(SETTINGS, epochs=2, pairs="all")
    agree(LIL((3, 6, 4, 2), seeds=[0]), points(n), [torch.arange(n) % 2], settings, [1.0])


@pytest.mark.parametrize("reduction", ["n2", "pairs"])
@pytest.mark.parametrize("stop_gradient", [True, False])
def test_and_stacks_whose_classes_lie_across_one_another(stop_gradient, reduction):
    labels = [dealt(60, count, seed=count) for count in (2, 3, 4)]
    stack = StackedLIL(3, (6, 5), (2, 3, 4), seeds=[0, 1], stop_gradient=stop_gradient)
    agree(stack, points(60), labels, replace(SETTINGS, reduction=reduction), [1.0, 3.0])


def test_it_is_the_other_training():
    """Both start from the same weights and take the same steps, but for the order of sums."""
    x, labels = points(500), dealt(500, 3)
    settings = Settings(epochs=40)
    models = [LIL((3, 20, 20, 3), seeds=[4, 5]) for _ in range(2)]
    histories = [
        module.train(model, x, labels, settings, betas=[0.0, 1.0], seeds=[4, 5])
        for module, model in zip((full_batch, training), models, strict=True)
    ]
    for one, other in zip(*histories, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    for one, other in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


def test_the_result_is_the_same_on_any_number_of_threads():
    x, labels = points(900), (dealt(900, 2), dealt(900, 4))
    learnt = []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        stack = StackedLIL(3, (6, 6), (2, 4), seeds=[0, 1])
        history = full_batch.train(stack, x, labels, replace(SETTINGS, epochs=3), betas=[1.0, 2.0], seeds=[0, 1])
        learnt.append([*history, *stack.parameters()])
    assert all(torch.equal(one, other) for rest in learnt[1:] for one, other in zip(learnt[0], rest, strict=True))


def test_bad_input_gets_its_sentence_and_the_model_is_as_it_was():
    for change, words in [
        (dict(labels=torch.arange(20) % 3), "labels must be classes from 0 to 1"),
        (dict(labels=torch.tensor([0] * 19 + [1])), "class 1 has a single point"),
        (dict(x=points(20).fill_(torch.inf)), "NaN or infinite"),
    ]:
        model = LIL((3, 4, 2), seeds=[0])
        given = dict(x=points(20), labels=dealt(20, 2), settings=SETTINGS, betas=[1.0], seeds=[0]) | change
        with pytest.raises(ValueError, match=words):
            full_batch.train(model, **given)
        assert all(
            torch.equal(a, b) for a, b in zip(model.parameters(), LIL((3, 4, 2), seeds=[0]).parameters(), strict=True)
        )


def test_progress_is_told_to_the_end_and_not_too_often():
    calls = []
    full_batch.train(
        LIL((3, 4, 2), seeds=[0]),
        points(10),
        dealt(10, 2),
        replace(SETTINGS, epochs=1000),
        betas=[0.0],
        seeds=[0],
        progress=lambda *call: calls.append(call),
    )
    assert calls[-1] == ("training", 1000, 1000) and 100 <= len(calls) <= 200


def test_training_that_goes_astray_says_so():
    """What is no number stays none, whatever the functions are cut off at."""
    history = full_batch.train(
        LIL((3, 4, 2), seeds=[0]),
        points(10),
        dealt(10, 2),
        replace(SETTINGS, learning_rate=1e38),
        betas=[1.0],
        seeds=[0],
    )
    assert not history.cross_entropy[-1].isfinite().any()


def test_points_that_coincide_pull_on_nobody():
    x = points(1).expand(12, -1).contiguous()
    model = LIL((3, 4, 2), seeds=[0])
    history = full_batch.train(model, x, torch.arange(12) % 2, replace(SETTINGS, alpha=0.0), betas=[1.0], seeds=[0])
    assert not history.isometry.any()
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), LIL((3, 4, 2), seeds=[0]).parameters(), strict=True)
    )


# Parts


@pytest.mark.parametrize(("left", "right"), [(0, 50), (0, 32), (32, 50)])
def test_the_distances_of_a_tile_are_those_of_its_pairs(left, right):
    """Read back row by row; everything else says that there is no pair."""
    x = points(50)
    flat = pair_distances(x, pair_blocks(torch.zeros(50, dtype=torch.int64))).numpy()
    laid = kernel.lay_out(flat, 50, left, right)
    at, seen = 0, 0
    for i in range(0, right - 1, kernel.ROWS):
        first, width = kernel._span(i, left, right)
        assert first % kernel.LANES == 0 and first + width >= right
        for k in range(i, i + kernel.ROWS):
            for j, value in enumerate(laid[at : at + width], first):
                if k < j < right:
                    assert value == pytest.approx(float((x[k] - x[j]).norm()), rel=1e-5)
                    seen += 1
                else:
                    assert value == -1
            at += width
    assert at == len(laid) and seen == sum(right - max(left, i + 1) for i in range(right))


def test_memory_is_that_of_the_pairs_and_layers():
    """A few times the distances of the pairs that count: nothing of N × N numbers for each member."""
    x, labels = points(1600), torch.arange(1600) % 8
    levels = [LIL((3, 20, 20, 8), seeds=range(5))]
    networks = full_batch._networks(levels, x, labels[None])
    pairs = full_batch._pairs(networks, x, pair_blocks(labels[None]), [1.0] * 5)
    count = 8 * 200 * 199 // 2
    assert pairs.distances.size <= 1.5 * count
    assert pairs.pull.size == 5 * 20 * 1600
    assert networks.values.nbytes <= 5 * (3 + 20 + 20 + 8) * 1.1 * 1600 * 4
