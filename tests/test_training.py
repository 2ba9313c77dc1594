"""Training: a golden step, members as if alone, the plain loop beside it, bad input."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from lil import training
from lil.datasets import toy
from lil.models import LIL, StackedLIL
from lil.training import Settings, train

SIZES = (3, 8, 7, 2)
X, LABELS = toy.rings(20, seed=0)
FULL = Settings(epochs=6, learning_rate=0.01)
ORDER = [3, 2, 1, 4, 5, 0]
BATCHED = replace(FULL, batch_size=16)  # 40 points: the last batch is smaller
GOLDEN = {"cross-entropy": 0.6177121, "isometry": 0.4085468, "weights": -1.8083195, "biases": 4.0375645}


def trained(settings, betas, seeds, x=X, labels=LABELS):
    model = LIL(SIZES, seeds=seeds)
    return model, train(model, x, labels, settings, betas=betas, seeds=seeds)


def plain_isometry(z, x, labels, scale=1.0):
    same = (labels[:, None] == labels) & ~torch.eye(len(x), dtype=torch.bool)
    i, j = same.nonzero(as_tuple=True)
    each = (scale * (z[i] - z[j]).norm(dim=1) - (x[i] - x[j]).norm(dim=1)) ** 2
    return each.sum() / len(x) ** 2


@pytest.mark.parametrize("alpha, scale", [(0.7, 1.5), (1.0, 1.0)], ids=["other weights", "those of the text"])
def test_full_batches_are_the_plain_loop(alpha, scale):
    """One network, torch's own loss and Adam, the isometry loss from its formula. By default α = K = 1."""
    settings = FULL if alpha == scale == 1 else replace(FULL, alpha=alpha, scale=scale)
    model, history = trained(settings, [3.0], [5])
    plain = LIL(SIZES, seeds=[5])
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.01)
    for epoch in range(6):
        z = plain.represent(X)
        cross_entropy = F.cross_entropy(plain.classify(z)[0], LABELS)
        isometry = plain_isometry(z[0], X, LABELS, scale)
        assert history.cross_entropy[epoch, 0, 0].item() == pytest.approx(cross_entropy.item(), rel=1e-4)
        assert history.isometry[epoch, 0, 0].item() == pytest.approx(isometry.item(), rel=1e-4)
        optimizer.zero_grad()
        (alpha * cross_entropy + 3.0 * isometry).backward()
        optimizer.step()
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_golden_step():
    """One step from seed 0. After a change that is meant to alter training, replace the numbers by those it prints."""
    model, history = trained(Settings(epochs=1), [10.0], [0])
    found = {
        "cross-entropy": history.cross_entropy.item(),
        "isometry": history.isometry.item(),
        "weights": sum(weight.sum().item() for weight in model.weights),
        "biases": sum(bias.abs().sum().item() for bias in model.biases),
    }
    assert found == pytest.approx(GOLDEN, rel=1e-4), f"training has changed; if it was meant to: {found}"


@pytest.mark.parametrize("settings", [FULL, BATCHED], ids=["full", "batched"])
def test_a_member_is_what_it_would_be_alone(settings):
    """To 1e-5 after six epochs: products of another number of matrices round differently in the last digits."""
    betas, seeds = [0.0, 0.0, 2.0, 2.0], [3, 4, 3, 4]
    together, history = trained(settings, betas, seeds)
    for k, (beta, seed) in enumerate(zip(betas, seeds, strict=True)):
        alone, own = trained(settings, [beta], [seed])
        for both, one in zip(together.parameters(), alone.parameters(), strict=True):
            assert torch.allclose(both[k], one[0], atol=1e-5)
        assert torch.allclose(history.cross_entropy[..., k], own.cross_entropy[..., 0], atol=1e-5)


@pytest.mark.parametrize("settings", [FULL, BATCHED], ids=["full", "batched"])
def test_a_member_without_isometry_may_stand_behind_others(settings):
    betas, seeds = [2.0, 0.0, 0.5, 0.0], [3, 3, 4, 5]
    together, history = trained(settings, betas, seeds)
    assert not history.isometry[..., [1, 3]].any() and (history.isometry[..., [0, 2]] > 0).all()
    for k in range(4):
        alone, own = trained(settings, [betas[k]], [seeds[k]])
        for both, one in zip(together.parameters(), alone.parameters(), strict=True):
            assert torch.allclose(both[k], one[0], atol=1e-5)
        assert torch.allclose(history.cross_entropy[..., k], own.cross_entropy[..., 0], atol=1e-5)


def test_training_is_deterministic():
    for settings in (FULL, BATCHED):
        (first, _), (second, _) = (trained(settings, [0.0, 1.0], [0, 0]) for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_an_epoch_of_batches_shows_each_point_once():
    batches = list(next(training._epochs(X, LABELS[None], [1, 2, 1], BATCHED)))
    assert [batch.x.shape for batch in batches] == [(3, 16, 3), (3, 16, 3), (3, 8, 3)]
    for k in range(3):
        seen = torch.cat([batch.x[k] for batch in batches])
        order = (seen[:, None] == X).all(-1).long().argmax(1)
        assert order.sort().values.tolist() == list(range(40)) and order.tolist() != list(range(40))
        assert torch.equal(torch.cat([batch.targets[0, k] for batch in batches]), LABELS[order])
    assert torch.equal(batches[0].x[0], batches[0].x[2]) and not torch.equal(batches[0].x[0], batches[0].x[1])


def test_the_order_of_batches_is_a_function_of_the_seed_alone():
    """Fixed since the first records: another order trains other networks."""
    orders = list(training.batch_orders(6, 2, [4, 7, 4]))
    assert orders[0][0].tolist() == ORDER and torch.equal(orders[0][0], orders[0][2])
    alone = list(training.batch_orders(6, 2, [7]))
    assert all(torch.equal(one[0], both[1]) for one, both in zip(alone, orders, strict=True))
    assert not torch.equal(orders[0], orders[1])


def test_a_stack_trains_each_level_on_its_own_labels_and_the_distances_of_the_data():
    torus = toy.torus(grid=8, seed=0)
    stack = StackedLIL(3, (6, 6), (2, 4, 8), seeds=[0, 1])
    history = train(stack, torus.x, torus.labels, replace(FULL, epochs=1), betas=[1.0, 1.0], seeds=[0, 1])
    untrained = StackedLIL(3, (6, 6), (2, 4, 8), seeds=[0, 1])
    for level, (z, labels) in enumerate(zip(untrained.represent(torus.x), torus.labels, strict=True)):
        for k in range(2):
            expected = plain_isometry(z[k], torus.x, labels)
            assert history.isometry[0, level, k].item() == pytest.approx(expected.item(), rel=1e-4)


def test_a_stack_that_stops_gradients_is_its_levels_trained_one_after_the_other():
    """For the first level, whose input never changes: alone it learns the same."""
    torus = toy.torus(grid=8, seed=0)
    stack = StackedLIL(3, (6, 6), (2, 4), seeds=[0])
    alone = StackedLIL(3, (6, 6), (2,), seeds=[0])
    train(stack, torus.x, torus.labels[:2], FULL, betas=[1.0], seeds=[0])
    train(alone, torus.x, torus.labels[:1], FULL, betas=[1.0], seeds=[0])
    for ours, theirs in zip(stack.lils[0].parameters(), alone.lils[0].parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


def test_the_isometry_term_shapes_the_representation():
    settings = Settings(epochs=300, learning_rate=0.01)
    _, history = trained(settings, [1.0, 10.0], [0, 0])
    assert (history.isometry[-1] < history.isometry[0] / 10).all()


def test_without_cross_entropy_and_isometry_nothing_moves():
    model, history = trained(replace(FULL, alpha=0.0), [0.0], [0])
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), LIL(SIZES, seeds=[0]).parameters(), strict=True))
    assert not history.isometry.any()


def test_progress_is_told_step_by_step_to_the_end():
    calls = []
    train(LIL(SIZES, seeds=[0]), X, LABELS, BATCHED, betas=[0.0], seeds=[0], progress=lambda *call: calls.append(call))
    assert calls == [("training", done, 18) for done in range(1, 19)]


LONELY = torch.tensor([0] * 39 + [1])


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(labels=LABELS[:-1]), "labels must have one entry for each of the 40 points, not \\(39,\\)"),
        (dict(labels=LABELS - 1), "labels must be classes from 0 to 1"),
        (dict(labels=LABELS + 1), "labels must be classes from 0 to 1"),
        (dict(labels=(LABELS, LABELS)), "has 1 levels and needs as many sets of labels, not 2"),
        (dict(labels=LONELY), "class 1 has a single point"),
        (dict(x=torch.where(X > 0.9, torch.nan, X)), "NaN or infinite: clean the data before training"),
        (dict(x=X.double()), "x is torch.float64 and the weights are torch.float32"),
        (dict(betas=[-1.0]), "β must be a finite number ≥ 0, not -1.0"),
        (dict(betas=[float("nan")]), "β must be a finite number"),
        (dict(betas=[0.0, 1.0]), "one entry for each of the 1 members"),
    ],
)
def test_bad_input_gets_one_sentence_and_the_model_is_as_it_was(change, words):
    model = LIL(SIZES, seeds=[0])
    with pytest.raises(ValueError, match=words):
        train(model, **(dict(x=X, labels=LABELS, settings=FULL, betas=[1.0], seeds=[0]) | change))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), LIL(SIZES, seeds=[0]).parameters(), strict=True))


def test_a_batch_may_be_a_single_point():
    model, _ = trained(replace(FULL, epochs=1, batch_size=1), [0.0], [0])
    plain, order = LIL(SIZES, seeds=[0]), next(training.batch_orders(len(X), 1, [0]))[0]
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.01)
    for point in order:
        optimizer.zero_grad()
        F.cross_entropy(plain(X[point : point + 1])[0], LABELS[point : point + 1]).backward()
        optimizer.step()
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_a_class_of_one_point_is_no_fault_without_distances_to_keep():
    trained(FULL, [0.0], [0], labels=LONELY)


@pytest.mark.parametrize(
    "change, words", [(dict(epochs=0), "at least 1"), (dict(batch_size=0), "at least 1"), (dict(alpha=-1.0), "alpha")]
)
def test_bad_settings_get_one_sentence(change, words):
    with pytest.raises(ValueError, match=words):
        replace(FULL, **change)
