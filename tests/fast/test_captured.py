"""Recorded steps: against lil.training on a GPU and, step by step without recording, on a processor; their parts alone."""

from dataclasses import replace

import pytest
import torch

from lil import training
from lil.fast import captured
from lil.isometry import isometry_loss, pair_blocks, pair_distances
from lil.models import LIL, StackedLIL
from lil.training import Settings

FULL = Settings(epochs=4, learning_rate=0.01, alpha=0.7, scale=1.5)
BATCHED = replace(FULL, batch_size=16)  # of 60 points: the last batch is smaller
N, CLASSES = 60, (2, 3, 4)


@pytest.fixture(
    params=["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"))]
)
def device(request, monkeypatch):
    """On a processor, which records nothing, every step is taken anew."""
    if request.param == "cpu":
        monkeypatch.setattr(captured, "_Recorded", lambda step, chosen: step)
    return request.param


def points(n=N, coordinates=3):
    return torch.randn(n, coordinates, generator=torch.Generator().manual_seed(0))


def dealt(classes, n=N):
    """Labels in no order, of classes that differ in size."""
    drawn = torch.randint(0, classes**2, (n,), generator=torch.Generator().manual_seed(classes)).double().sqrt().long()
    assert drawn.bincount().min() > 1
    return drawn


def untrained(model):
    return all(
        torch.equal(a.cpu(), b) for a, b in zip(model.parameters(), LIL((3, 4, 2), seeds=[0]).parameters(), strict=True)
    )


MODELS = {
    "one": lambda seeds: LIL((3, 8, 7, 4), seeds=seeds),
    "stack": lambda seeds: StackedLIL(3, (6, 5), CLASSES, seeds=seeds),
    "connected stack": lambda seeds: StackedLIL(3, (6, 5), CLASSES, seeds=seeds, stop_gradient=False),
}
MEMBERS = {  # β and the seed of each
    "alone": ([2.0], [3]),
    "a seed": ([0.0, 0.5, 2.0], [3, 3, 3]),
    "two seeds": ([0.0, 0.0, 2.0, 3.0], [3, 4, 3, 4]),
    "not in one run": ([1.0, 0.0, 2.0], [3, 3, 3]),
    "without isometry": ([0.0, 0.0], [3, 4]),
}
CHANGES = [{}, {"pairs": "all"}, {"reduction": "pairs"}, {"scale": 10.0, "alpha": 0.0}]


def both(device, kind, members, settings, dtype=torch.float64, reference="cpu", x=None):
    """History and weights: those of recorded steps on ``device``, and those of lil.training on ``reference``."""
    betas, seeds = MEMBERS[members]
    x = points() if x is None else x
    labels = dealt(4) if kind == "one" else tuple(map(dealt, CLASSES))
    learnt = []
    for train, where in ((captured.train, device), (training.train, reference)):
        model = MODELS[kind](seeds).to(where, dtype)
        targets = labels.to(where) if kind == "one" else tuple(each.to(where) for each in labels)
        history = train(model, x.to(where, dtype), targets, settings, betas=betas, seeds=seeds)
        learnt.append([*history, *(each.detach().cpu() for each in model.parameters())])
    return zip(*learnt, strict=True)


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("settings", [FULL, BATCHED], ids=["full", "batched"])
@pytest.mark.parametrize("kind", MODELS)
def test_it_is_training_in_double_precision(kind, settings, change, device):
    for found, right in both(device, kind, "two seeds", replace(settings, **change)):
        torch.testing.assert_close(found, right, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("settings", [FULL, BATCHED], ids=["full", "batched"])
@pytest.mark.parametrize("members", MEMBERS)
def test_whoever_the_members_are(members, settings, device):
    for found, right in both(device, "one", members, settings):
        torch.testing.assert_close(found, right, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 20, 59, 60, 100])
def test_whatever_the_batches(size, device):
    """Of one point, which has no distance; without a smaller one at the end; of all points."""
    for found, right in both(device, "one", "two seeds", replace(BATCHED, batch_size=size, reduction="pairs")):
        torch.testing.assert_close(found, right, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("settings", [FULL, BATCHED], ids=["full", "batched"])
@pytest.mark.parametrize("kind", MODELS)
def test_it_is_training_on_the_same_device_in_single_precision(kind, settings, device):
    for found, right in both(device, kind, "two seeds", settings, torch.float32, reference=device):
        torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("settings", [FULL, BATCHED], ids=["full", "batched"])
def test_points_may_coincide(settings, device):
    """Representations of theirs do too, on all levels: they do not pull on each other, on others they do."""
    x = points()[torch.arange(N) % 7]
    for found, right in both(device, "connected stack", "two seeds", settings, x=x):
        torch.testing.assert_close(found, right, rtol=1e-7, atol=1e-9)


def test_points_that_all_coincide_pull_on_nobody(device):
    model = LIL((3, 4, 2), seeds=[0]).to(device)
    x = points(1).expand(N, -1).to(device)
    history = captured.train(model, x, dealt(2).to(device), replace(FULL, alpha=0.0), betas=[1.0], seeds=[0])
    assert not history.isometry.any()
    assert untrained(model)


def test_weights_that_overflow_give_nan_and_no_error(device):
    model, settings = LIL((3, 4, 2), seeds=[0]).to(device), replace(FULL, learning_rate=1e38)
    history = captured.train(model, points().to(device), dealt(2).to(device), settings, betas=[1.0], seeds=[0])
    assert not history.cross_entropy[-1].isfinite().any()


def test_no_other_draw_is_changed(device):
    states = []
    for _ in range(2):
        states.append([torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if device == "cuda" else [])])
        list(both(device, "one", "two seeds", BATCHED, torch.float32, reference=device))
    assert all(map(torch.equal, *states))


@pytest.mark.parametrize(
    "settings", [replace(FULL, epochs=1000), replace(BATCHED, epochs=300)], ids=["full", "batched"]
)
def test_progress_is_told_to_the_end_and_not_too_often(settings, device):
    calls, model = [], LIL((3, 4, 2), seeds=[0]).to(device)
    captured.train(
        model,
        points().to(device),
        dealt(2).to(device),
        settings,
        betas=[0.0],
        seeds=[0],
        progress=lambda *call: calls.append(call),
    )
    steps = settings.epochs * (4 if settings.batch_size else 1)
    assert calls[-1] == ("training", steps, steps) and len(calls) <= 200
    assert [done for _, done, _ in calls] == sorted({done for _, done, _ in calls})


def unknown(name):
    """Settings past their check, which ordinary runs do without."""
    settings = replace(FULL)
    object.__setattr__(settings, name, "some")
    return settings


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(labels=dealt(3)), "labels must be classes from 0 to 1"),
        (dict(labels=torch.tensor([0] * (N - 1) + [1])), "class 1 has a single point"),
        (dict(x=points().fill_(torch.inf)), "NaN or infinite"),
        (dict(betas=[-1.0]), "β must be a finite number ≥ 0, not -1.0"),
        (dict(settings=unknown("pairs")), "pairs must be one of"),
        (dict(settings=unknown("reduction")), "reduction must be one of"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_gets_its_sentence_and_the_model_is_as_it_was(change, words, device):
    model = LIL((3, 4, 2), seeds=[0]).to(device)
    given = dict(x=points(), labels=dealt(2), settings=FULL, betas=[1.0], seeds=[0]) | change
    given |= {name: given[name].to(device) for name in ("x", "labels")}
    with pytest.raises(ValueError, match=words):
        captured.train(model, **given)
    assert untrained(model)


def test_seeds_that_do_not_share_evenly_are_refused(device):
    with pytest.raises(ValueError, match="equally many members with β > 0"):
        captured.train(
            LIL((3, 4, 2), seeds=[0, 0, 1]).to(device),
            points().to(device),
            dealt(2).to(device),
            BATCHED,
            betas=[1.0] * 3,
            seeds=[0, 0, 1],
        )


# Parts


@pytest.mark.parametrize("pairs", ["within-class", "all"])
@pytest.mark.parametrize("reduction", ["n2", "pairs"])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-6), (torch.float32, 2e-6)], ids=str)
def test_the_matrix_of_pairs_is_the_isometry_loss_and_its_gradient(dtype, tolerance, reduction, pairs):
    """Of representations of which many coincide, and others nearly."""
    x, labels = points().to(dtype), torch.stack([dealt(3), torch.arange(N) // 2, torch.arange(N)])
    z = torch.tanh(points(2 * N, 6).view(2, N, 6)).to(dtype)
    z[:, 1::4] = z[:, ::4]
    z[:, 2::4] = z[:, 3::4] + 1e-5
    z = z.expand(3, -1, -1, -1).clone().requires_grad_()
    blocks = pair_blocks(labels, pairs)
    right = isometry_loss(z, pair_distances(x.expand(3, -1, -1), blocks), blocks, scale=1.5, reduction=reduction)
    batch = captured._batch(x, labels, replace(FULL, pairs=pairs, reduction=reduction))
    found, gradient = captured.isometry_and_gradient(z.detach(), batch.x_dist, batch.blocks[:, None], 1.5)
    torch.testing.assert_close(found, right.detach(), rtol=tolerance, atol=0)
    torch.testing.assert_close(gradient, torch.autograd.grad(right.sum(), z)[0], rtol=tolerance, atol=tolerance)


def test_close_points_far_from_the_origin_keep_their_distances():
    x = (points() * 1e-3).double()
    found = captured._batch(x + 1000.0, torch.zeros(1, N, dtype=torch.int64), FULL).x_dist
    torch.testing.assert_close(found, torch.cdist(x, x), rtol=1e-6, atol=1e-9)
