"""Captured steps: on a GPU against lil.training; on a processor, where the step is called, the step itself."""

from dataclasses import replace

import pytest
import torch

from lil import training
from lil.fast import captured
from lil.isometry import pair_distances, within_class
from lil.models import LIL, StackedLIL
from lil.training import Settings

FULL = Settings(epochs=4, learning_rate=0.01, alpha=0.7, scale=1.5)
BATCHED = replace(FULL, batch_size=16)  # of 60 points: the last batch is smaller
N, CLASSES = 60, (2, 3, 4)
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a GPU, and there is none here")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=GPU)])
def device(request):
    return request.param


def points(n=N, coordinates=3):
    return torch.randn(n, coordinates, generator=torch.Generator().manual_seed(0))


def classes(count, n=N):
    """Return labels in no order, of classes that differ in size."""
    drawn = torch.randint(0, count**2, (n,), generator=torch.Generator().manual_seed(count)).double().sqrt().long()
    assert drawn.bincount().min() > 1
    return drawn


MODELS = {
    "one": lambda seeds: LIL((3, 8, 7, 4), seeds=seeds),
    "stack": lambda seeds: StackedLIL(3, (6, 5), CLASSES, seeds=seeds),
    "connected stack": lambda seeds: StackedLIL(3, (6, 5), CLASSES, seeds=seeds, stop_gradient=False),
}
MEMBERS = {  # β and the seed of each
    "alone": ([2.0], [3]),
    "one seed": ([0.0, 0.5, 2.0], [3, 3, 3]),
    "two seeds": ([0.0, 0.0, 2.0, 3.0], [3, 4, 3, 4]),
    "unevenly many": ([1.0, 0.0, 2.0], [3, 3, 4]),
    "without isometry": ([0.0, 0.0], [3, 4]),
}


def agree(device, kind, members, settings, *, dtype=torch.float64, reference="cpu", x=None, rtol=1e-7, atol=1e-9):
    """Compare history and weights of captured steps on ``device`` with those of lil.training on ``reference``."""
    betas, seeds = MEMBERS[members]
    x = points() if x is None else x
    labels = classes(4) if kind == "one" else tuple(map(classes, CLASSES))
    learnt = []
    for train, where in ((captured.train, device), (training.train, reference)):
        model = MODELS[kind](seeds).to(where, dtype)
        targets = labels.to(where) if kind == "one" else tuple(each.to(where) for each in labels)
        history = train(model, x.to(where, dtype), targets, settings, betas=betas, seeds=seeds)
        learnt.append([*history, *(each.detach().cpu() for each in model.parameters())])
    torch.testing.assert_close(*learnt, rtol=rtol, atol=atol)


SETTINGS = pytest.mark.parametrize("settings", [FULL, BATCHED], ids=["full", "batched"])


@pytest.mark.parametrize(
    "change", [{}, {"pairs": "all"}, {"reduction": "pairs"}, {"scale": 10.0, "alpha": 0.0}], ids=str
)
@SETTINGS
@pytest.mark.parametrize("kind", MODELS)
def test_it_is_training_in_double_precision(kind, settings, change, device):
    agree(device, kind, "two seeds", replace(settings, **change))


@SETTINGS
@pytest.mark.parametrize("members", MEMBERS)
def test_whoever_the_members_are(members, settings, device):
    agree(device, "one", members, settings)


@pytest.mark.parametrize("size", [1, 2, 20, 59, 60, 100])
def test_whatever_the_batches(size, device):
    """Groups of one point, which has no distance; no smaller batch at the end; one batch of all points."""
    agree(device, "one", "two seeds", replace(BATCHED, batch_size=size, reduction="pairs"))


@SETTINGS
@pytest.mark.parametrize("kind", MODELS)
def test_it_is_training_on_the_same_device_in_single_precision(kind, settings, device):
    agree(device, kind, "two seeds", settings, dtype=torch.float32, reference=device, rtol=1e-4, atol=1e-5)


@SETTINGS
def test_points_may_coincide(settings, device):
    """Their representations do too, on all levels: they do not pull on each other, on others they do."""
    agree(device, "connected stack", "two seeds", settings, x=points()[torch.arange(N) % 7])


def test_weights_that_overflow_give_nan_and_no_error(device):
    model, settings = LIL((3, 4, 2), seeds=[0]).to(device), replace(FULL, epochs=20, learning_rate=3e37)
    history = captured.train(model, points().to(device), classes(2).to(device), settings, betas=[1.0], seeds=[0])
    assert not history.cross_entropy[-1].isfinite().any()


def test_no_other_draw_is_changed(device):
    states = []
    for _ in range(2):
        states.append([torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if device == "cuda" else [])])
        agree(device, "one", "two seeds", BATCHED, dtype=torch.float32, reference=device, rtol=1e-4, atol=1e-5)
    assert all(map(torch.equal, *states))


@SETTINGS
def test_progress_is_told_to_the_end(settings, device):
    calls, model = [], LIL((3, 4, 2), seeds=[0]).to(device)
    x, labels = points().to(device), classes(2).to(device)
    captured.train(model, x, labels, settings, betas=[0.0], seeds=[0], progress=lambda *call: calls.append(call))
    steps = settings.epochs * (4 if settings.batch_size else 1)
    assert calls == [("training", done, steps) for done in range(1, steps + 1)]


def unknown(name):
    """Return settings past their check, which ordinary runs do without."""
    settings = replace(FULL)
    object.__setattr__(settings, name, "some")
    return settings


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(labels=classes(3)), "labels must be classes from 0 to 1"),
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
    given = dict(x=points(), labels=classes(2), settings=FULL, betas=[1.0], seeds=[0]) | change
    given |= {name: given[name].to(device) for name in ("x", "labels")}
    with pytest.raises(ValueError, match=words):
        captured.train(model, **given)
    untrained = LIL((3, 4, 2), seeds=[0])
    assert all(torch.equal(a.cpu(), b) for a, b in zip(model.parameters(), untrained.parameters(), strict=True))


@SETTINGS
@pytest.mark.parametrize("kind", MODELS)
def test_the_terms_are_the_plain_ones(kind, settings):
    """Batches that all members share, and batches of each member's own."""
    model = MODELS[kind]([3, 4]).double()
    labels = torch.stack([classes(4)] if kind == "one" else list(map(classes, CLASSES)))
    for chosen in (torch.arange(N), torch.stack([torch.arange(16), torch.arange(20, 36)])):
        x, targets = points().double()[chosen], labels[:, chosen]
        batch = training.Batch(x, targets, pair_distances(x), within_class(targets, settings.pairs))
        for found, right in zip(
            captured.losses(model, x, targets, settings), training.losses(model, batch, settings), strict=True
        ):
            torch.testing.assert_close(found, right)
