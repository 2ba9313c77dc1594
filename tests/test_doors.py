"""Points, labels and settings that do not fit get one sentence where a public function takes them."""

import math
import sys
from dataclasses import replace

import jaxtyping
import numpy as np
import pytest
import torch
import xarray as xr

from lil import (
    attacks,
    corruptions,
    crown,
    engine,
    evaluation,
    gradient_bound,
    lipschitz,
    projection,
    stronger_attacks,
    targeted,
    topology,
    training,
)
from lil.attacks import pixels
from lil.evaluation import Fgsm, Sweep
from lil.models import LIL
from lil.paper import intervals
from lil.regularisers import Adversarial

MODEL = LIL((4, 3, 2), seeds=(0, 1)).requires_grad_(False)
ONE = LIL((4, 3, 5), seeds=(0,)).requires_grad_(False)
X = torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 0])
SHORT, BEYOND, REAL, ONE_LABEL = LABELS[:2], LABELS + 1, LABELS.float(), LABELS[:1]
POINTS = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
SWEEP = Sweep(MODEL, pixels, (0.0,), (0, 1), 1.0)
ONCE = Fgsm((0.1,), batch_size=3, pictured=(), pictures=0)


@pytest.fixture(autouse=True)
def as_for_a_reader(monkeypatch):
    """Switch the tests' checks of shapes and types off: a reader has none."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def attack(x=X, labels=LABELS, front=pixels, **how):
    settings = dict(epsilon=0.1, step_size=0.1, steps=1) | how
    return attacks.attack(MODEL, front, attacks.classification(MODEL, labels), x, labels, **settings)


def gradients(x):
    return list(attacks.gradients(attacks.classification(MODEL, LABELS), pixels, x, MODEL.members))


def fit(**how):
    settings = dict(settings=training.Settings(epochs=1), betas=[1.0, 1.0], seeds=[0, 1]) | how
    return training.train(MODEL, pixels(X), **settings)


def autoattack(model=ONE, labels=LABELS, **how):
    settings = dict(epsilon=0.1, iterations=2, queries=5, seed=0) | how
    return stronger_attacks.autoattack(model, pixels, X, labels, **settings)


def pgd(labels=LABELS, **how):
    settings = dict(epsilon=0.1, steps=1, starts=1, batch_size=2, generator=torch.Generator()) | how
    return targeted.pgd(ONE, pixels, pixels, X, labels, **settings)


def escalating(**how):
    settings = dict(epsilon=0.1, steps=1, doublings=0, generator=torch.Generator()) | how
    return stronger_attacks.escalating_pgd(ONE, pixels, X, LABELS, **settings)


def umap(z=POINTS, **how):
    settings = dict(n_neighbors=5, min_dist=0.1, n_components=2, seed=0) | how
    return projection.umap(z, **settings)


def umaps(z, processes):
    return projection.umaps(z, n_neighbors=5, min_dist=0.1, n_components=2, seed=0, processes=processes)


def corrupt(name, severity, *shape):
    return corruptions.corrupt(name, torch.full(shape, 0.5), severity, torch.Generator())


def seeds(*shape, dims):
    return intervals.over_seeds(xr.DataArray(np.ones(shape), dims=dims))


WEIGHT = torch.ones(2, 3, 3)
LOGITS, ONES = torch.ones(2, 3, 2), torch.ones(2, 3)
REFUSED = {
    "adversarial pixels": (lambda: Adversarial(MODEL, (0.1, 0.1), (0, 1), steps=1, reach=1).attack(
        4 * X.flatten(1).expand(2, -1, -1), LABELS.expand(2, -1)), "pixels go from"),
    "autoattack ε": (lambda: autoattack(epsilon=math.nan), "ε .* not nan"),
    "autoattack ε < 0": (lambda: autoattack(epsilon=-1.0), "ε .* not -1"),
    "autoattack classes": (lambda: autoattack(MODEL), "4 classes, and the network has 2"),
    "autoattack labels": (lambda: autoattack(labels=SHORT), "one label per point"),
    "autoattack iterations": (lambda: autoattack(iterations=0), "one iteration and one query"),
    "pgd starts": (lambda: pgd(starts=-1), "at least one start, not -1"),
    "pgd steps": (lambda: pgd(steps=0), "at least one step, not 0"),
    "pgd batches": (lambda: pgd(batch_size=0), "batch_size must be at least 1"),
    "pgd labels": (lambda: pgd(labels=LABELS + 4), "one of the classes, 0 to 4"),
    "multi-targeted labels": (lambda: targeted.multi_targeted(
        ONE, pixels, pixels, X, LABELS + 5, epsilon=0.1, steps=1, batch_size=2), "one of the classes, 0 to 4"),
    "steps of no number": (lambda: targeted.step_settings(0.1, 0), "at least one step"),
    "ε of no step": (lambda: targeted.step_settings(math.nan, 1), "ε .* not nan"),
    "escalating steps": (lambda: escalating(steps=0), "at least one step"),
    "margin": (lambda: stronger_attacks.margin(MODEL, BEYOND)(pixels(X).expand(2, -1, -1), X), "classes, 0 to 1"),
    "attack, short labels": (lambda: attack(labels=SHORT), r"shape \(2,\) for 3 points: give one label per point"),
    "attack, labels beyond": (lambda: attack(labels=BEYOND), "from 1 to 2: give one of the classes, 0 to 1"),
    "attack, real labels": (lambda: attack(labels=REAL), "float32: number the classes by integers"),
    "attack, bytes": (lambda: attack((255 * X).byte(), bounds=(0.0, 255.0)), "uint8: convert them"),
    "attack, huge step": (lambda: attack(step_size=10**400), "a finite size > 0, not 1 of 1000"),
    "attack, step of a double": (lambda: attack(step_size=1e300), "a finite size > 0, not 1 of 1e"),
    "attack, one bound": (lambda: attack(bounds=(0.0,)), "bounds must be two numbers"),
    "attack, no range": (lambda: attack(bounds=(1.0, 0.0)), "bounds must be two numbers"),
    "fgsm, one bound": (lambda: attacks.fgsm(X, X, 0.1, (0.0,)), "bounds must be two numbers"),
    "fgsm, bounds of channels": (lambda: attacks.fgsm(X, X, 0.1, (torch.zeros(2), torch.ones(2))), "two numbers"),
    "fgsm, a list of ε": (lambda: attacks.fgsm(X, X, [0.1, 0.2]), r"ε .* not \[0.1, 0.2\]"),
    "attack, a list": (lambda: attack([*X]), "images must be a tensor"),
    "attack, an array": (lambda: attack(X.numpy()), "images must be a tensor"),
    "attack, a stack": (lambda: attack(X.expand(2, -1, -1, -1, -1)), r"shape \(2, 3, 1, 2, 2\): give \(n, c, h, w\)"),
    "attack, one image": (lambda: attack(X[0], LABELS[:1]), r"shape \(1, 2, 2\): give \(n, c, h, w\)"),
    "gradients, a stack": (lambda: gradients(X.expand(2, -1, -1, -1, -1)), r"give \(n, c, h, w\)"),
    "fgsm, a list": (lambda: attacks.fgsm([*X], X, 0.1), "images must be a tensor"),
    "attack, NaN of the front": (lambda: attack(front=lambda x: pixels(x) * math.nan), "gradient is NaN"),
    "total": (lambda: attacks.total(MODEL, LABELS, (1.0,)), "there are 1 β for 2 networks"),
    "total, NaN": (lambda: attacks.total(MODEL, LABELS, (0.0, math.nan)), "finite number ≥ 0, not nan"),
    "sweep": (lambda: Sweep(MODEL, pixels, (0.0, 1.0), (0, 1), 1.0), "2 networks for 2 β and 2 seeds"),
    "sweep, β below 0": (lambda: Sweep(MODEL, pixels, (-1.0,), (0, 1), 1.0), "β must be a finite number ≥ 0, not -1"),
    "sweep, β infinite": (lambda: Sweep(MODEL, pixels, (math.inf,), (0, 1), 1.0), "β must be a finite number ≥ 0"),
    "sweep, reduction": (lambda: replace(SWEEP, reduction="mean"), "reduction must be one of .* not 'mean'"),
    "FGSM, distances": (lambda: replace(ONCE, distances="foo"), "distances must be one of .* not 'foo'"),
    "settings, pairs": (lambda: training.Settings(1, pairs="within_class"), "pairs must be one of .* 'within_class'"),
    "settings, reduction": (lambda: training.Settings(1, reduction="mean"), "reduction must be one of .* not 'mean'"),
    "settings, uphill": (lambda: training.Settings(1, learning_rate=-0.1), "learning_rate must be .* not -0.1"),
    "settings, rate": (lambda: training.Settings(1, learning_rate=math.nan), "learning_rate must be .* not nan"),
    "settings, K": (lambda: training.Settings(epochs=1, scale=math.nan), "scale finite, not 1.0 and nan"),
    "correct": (lambda: evaluation.accuracy(MODEL, pixels(X), ONE_LABEL), "one label per point"),
    "robustness": (lambda: evaluation.robustness(SWEEP, X, SHORT, ONCE), "one label per point"),
    "robustness of the engine": (lambda: engine.robustness(SWEEP, X, BEYOND, ONCE), "from 1 to 2"),
    "robustness of none": (lambda: engine.robustness(SWEEP, X[:0], LABELS[:0], ONCE), "there is no image"),
    "robustness, a stack": (lambda: engine.robustness(SWEEP, X[None], LABELS, ONCE), r"give \(n, c, h, w\)"),
    "a list of labels": (lambda: evaluation.accuracy(MODEL, pixels(X), [0, 1, 0]), "labels must be a tensor"),
    "labels of training": (lambda: fit(labels=[0, 1, 0]), "labels must be a tensor"),
    "an array of points": (lambda: MODEL(pixels(X).numpy()), "x must be a tensor"),
    "certificates, labels": (lambda: crown.certified(MODEL, pixels(X), SHORT, 0.1), "one label per point"),
    "certificates, class": (lambda: crown.certified(MODEL, pixels(X), LABELS - 1, 0.1), "go from -1 to 0"),
    "gradients, β": (lambda: gradient_bound.gradient_norms(MODEL, pixels(X), LABELS, [1.0]), "1 β for 2 networks"),
    "bounds, β": (lambda: gradient_bound.gradient_bounds(MODEL, pixels(X), LABELS, [1.0], ONES), "1 β for 2 networks"),
    "seeds, no dimension": (lambda: seeds(3, dims="beta"), "give one value a seed"),
    "seeds, two dimensions": (lambda: seeds(3, 2, dims=("seed", "beta")), "give one value a seed"),
    "ranks, NaN": (lambda: intervals.rank_correlation([1, 2, math.nan], [1, 2, 3]), "finite numbers"),
    "ranks, constant": (lambda: intervals.rank_correlation([1, 1, 1], [1, 2, 3]), "not all equal"),
    "upper_product of none": (lambda: lipschitz.upper_product([]), "at least one, not"),
    "upper_product, NaN": (lambda: lipschitz.upper_product([WEIGHT * math.nan]), "NaN or infinite"),
    "upper_product, shapes": (lambda: lipschitz.upper_product([WEIGHT, WEIGHT[:1]]), "same m networks"),
    "local_jacobian, integers": (lambda: lipschitz.local_jacobian(MODEL, torch.ones(2, 3, 4).long()), "no derivative"),
    "local_jacobian, shared": (lambda: lipschitz.local_jacobian(MODEL, pixels(X)), r"must be \(m, n, D\)"),
    "jacobians, shared": (lambda: lipschitz.jacobians(MODEL, pixels(X)), r"must be \(m, n, D\)"),
    "lower_pairs, NaN": (lambda: lipschitz.lower_pairs(pixels(X), LOGITS * math.nan, LABELS), "z has values"),
    "lower_margins, NaN": (lambda: lipschitz.lower_margins(pixels(X), LOGITS / 0, LABELS, WEIGHT), "logits has values"),
    "lower_pairs, labels": (lambda: lipschitz.lower_pairs(pixels(X), torch.ones(2, 3, 4), SHORT), "per point"),
    "lower_pairs, images": (lambda: lipschitz.lower_pairs(pixels(X), torch.ones(2, 1, 4), LABELS), "each point"),
    "lower_margins": (lambda: lipschitz.lower_margins(pixels(X), torch.ones(2, 3, 2), BEYOND, WEIGHT), "es, 0 to 1"),
    "radius": (lambda: lipschitz.certified_radius(torch.ones(2, 3, 2), BEYOND, WEIGHT, torch.ones(2)), "es, 0 to 1"),
    "occlusion": (lambda: corrupt("occlusion", 9, 2, 1, 8, 8), "reaches beyond images of 8 × 8"),
    "blur": (lambda: corrupt("blur", 3, 2, 1, 9, 20), "reaches beyond images of 9 × 20"),
    "elastic": (lambda: corrupt("elastic", 1, 2, 1, 12, 12), "reaches beyond images of 12 × 12"),
    "elastic, one image": (lambda: corrupt("elastic", 1, 1, 28, 28), r"give \(n, c, h, w\)"),
    "contrast, two channels": (lambda: corrupt("contrast", 0.5, 2, 2, 8, 8), "contrast with 1 or 3 channels"),
    "darkening, four": (lambda: corrupt("darkening", 0.5, 2, 4, 8, 8), "darkening with 1 or 3 channels"),
    "JPEG, two channels": (lambda: corrupt("jpeg", 50, 2, 2, 8, 8), "1 or 3 channels"),
    "loops of a tensor": (lambda: topology.loops(X, share=0.5), "numpy array"),
    "loops of a list": (lambda: topology.loops([[0, 1], [1, 0]], share=0.5), "numpy array"),
    "loops of a row": (lambda: topology.loops(POINTS[0], share=0.5), "numpy array"),
    "UMAP, min_dist": (lambda: umap(min_dist=-1.0), "min_dist from 0 to 1"),
    "UMAP, components": (lambda: umap(n_components=0), "n_components from 1"),
    "UMAP, seed": (lambda: umap(seed=-1), "a seed from 0"),
    "UMAP of a row": (lambda: umap(POINTS[:, 0]), "UMAP lays out points"),
    "UMAPs of none": (lambda: umaps(np.empty((0, 20, 3)), 1), "UMAP lays out clouds"),
    "UMAPs, processes": (lambda: umaps(POINTS, -1), "at least one process"),
}  # fmt: skip


@pytest.mark.parametrize("call, words", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_gets_one_sentence_of_our_own(call, words):
    with pytest.raises((ValueError, TypeError), match=words) as caught:
        call()
    assert caught.traceback[-1].path.is_relative_to(sys.modules["lil"].__path__[0])


def test_values_at_the_limits_are_taken():
    assert attack(step_size=3.0e38).x.isfinite().all()
    assert corrupt("occlusion", 8, 2, 1, 8, 8).eq(0.5).all()
    assert corrupt("blur", 2.9, 2, 1, 10, 10).shape == corrupt("elastic", 1, 2, 1, 13, 13)[..., :10, :10].shape
    assert not stronger_attacks.converged([]) and stronger_attacks.converged([0])
    assert corrupt("sign", 1e308, 1, 1, 4, 4).shape == (1, 1, 4, 4)
    assert corrupt("elastic", 1, 0, 1, 28, 28).shape == (0, 1, 28, 28)
    assert seeds(3, dims="seed").value == 1
    assert torch.equal(evaluation.correct(MODEL, pixels(X), LABELS), MODEL(pixels(X)).argmax(-1) == LABELS)


@pytest.mark.parametrize("classes", [4, 5, 9, 12])
def test_autoattack_tries_all_other_classes_up_to_nine(classes):
    model = LIL((4, 8, classes), seeds=(0,)).requires_grad_(False)
    model.weights[0].data *= 9
    labels = model(pixels(X))[0].argmax(-1)
    found = autoattack(model, labels, epsilon=0.3)
    assert found.right.shape == (4, 3) and not found.right.all() and 0 < found.change <= 0.3 * 1.001
