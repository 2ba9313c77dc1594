"""Tensors of other types: labels of any integers count as int64 ones; inputs are computed or refused in a sentence."""

import inspect
from functools import partial

import pytest
import torch

from lil import attacks, crown, engine, evaluation, gradient_bound, lipschitz, sampled_pairs, stronger_attacks, targeted
from lil.attacks import pixels
from lil.models import LIL
from lil.training import Settings, train

MODEL = LIL((4, 5, 3), seeds=(0, 1)).requires_grad_(False)
ONE = LIL((4, 5, 3), seeds=(0,)).requires_grad_(False)
IMAGES = torch.rand(8, 1, 2, 2, generator=torch.Generator().manual_seed(0))
X, LABELS = pixels(IMAGES), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
Z, LOGITS, CLASSIFIER = MODEL.represent(X), MODEL(X), MODEL.weights[-1].detach()
SWEEP = evaluation.Sweep(MODEL, pixels, (0.0, 1.0), (0,), 1.0)
FGSM = evaluation.Fgsm((0.1,), batch_size=4, pictured=(), pictures=0)
STEP = dict(epsilon=0.1, step_size=0.1, steps=1)
PLAIN = inspect.unwrap  # without the tests' own check of types


def seeded():
    return torch.Generator().manual_seed(0)


def trained(run, labels, size):
    model = LIL((4, 5, 3), seeds=(0,))
    run(model, X, labels, Settings(2, size), betas=[1.0], seeds=[0])
    return list(model.parameters())


def values(found):
    """Return the tensors of an answer."""
    if isinstance(found, torch.Tensor):
        return [found]
    if isinstance(found, tuple | list):
        return [value for each in found for value in values(each)]
    return values([torch.from_numpy(found[name].values) for name in found.data_vars]) if hasattr(found, "dims") else []


OF_LABELS = {
    "train": partial(trained, train, size=None),
    "train in batches": partial(trained, train, size=4),
    "engine.train": partial(trained, engine.train, size=None),
    "engine.train in batches": partial(trained, engine.train, size=4),
    "correct": lambda y: evaluation.correct(MODEL, X, y),
    "evaluation.robustness": lambda y: evaluation.robustness(SWEEP, IMAGES, y, FGSM),
    "engine.robustness": lambda y: engine.robustness(SWEEP, IMAGES, y, FGSM),
    "attack": lambda y: attacks.attack(MODEL, pixels, attacks.classification(MODEL, y), IMAGES, y, **STEP),
    "total": lambda y: list(attacks.gradients(attacks.total(MODEL, y, (1.0, 2.0)), pixels, IMAGES, 2)),
    "margin": lambda y: stronger_attacks.margin(MODEL, y)(X.expand(2, -1, -1), IMAGES.expand(2, -1, -1, -1, -1)),
    "targeted_margin": lambda y: targeted.targeted_margin(MODEL, y, y.flip(0))(
        X.expand(2, -1, -1), IMAGES.expand(2, -1, -1, -1, -1)
    ),
    "likely_targets": lambda y: targeted.likely_targets(ONE, X, y),
    "gradient_norms": lambda y: gradient_bound.gradient_norms(MODEL, X, y, (1.0, 2.0)),
    "gradient_bounds": lambda y: gradient_bound.gradient_bounds(MODEL, X, y, (1.0, 2.0), torch.ones(2, 1)),
    "lower_pairs": lambda y: lipschitz.lower_pairs(X, Z, y),
    "lower_margins": lambda y: lipschitz.lower_margins(X, LOGITS, y, CLASSIFIER),
    "certified_radius": lambda y: lipschitz.certified_radius(LOGITS, y, CLASSIFIER, torch.ones(2)),
    "certified_margins": lambda y: crown.certified_margins(MODEL, X, y, 0.1),
    "draw_pairs": lambda y: sampled_pairs.draw_pairs(y, 9, seeded()),
}


@pytest.mark.parametrize("name", OF_LABELS)
def test_labels_of_any_integer_type_give_the_same_bits(name):
    expected = values(OF_LABELS[name](LABELS))
    for kind in (torch.uint8, torch.int8, torch.int32, torch.uint16, torch.uint64):
        found = values(OF_LABELS[name](LABELS.to(kind)))
        assert found and all(torch.equal(a, b) for a, b in zip(found, expected, strict=True)), kind


REFUSED = {
    "train": lambda x, images: PLAIN(train)(ONE, x, LABELS, Settings(1), betas=[1.0], seeds=[0]),
    "gradient_norms": lambda x, images: PLAIN(gradient_bound.gradient_norms)(MODEL, x, LABELS, (1.0, 2.0)),
    "jacobians": lambda x, images: PLAIN(lipschitz.jacobians)(ONE, x[None]),
    "local_directional": lambda x, images: PLAIN(lipschitz.local_directional)(ONE, x[None], X[None]),
    "attack": lambda x, images: PLAIN(attacks.attack)(ONE, pixels, None, images, LABELS, **STEP),
    "fgsm": lambda x, images: PLAIN(attacks.fgsm)(images, images, 0.1),
    "gradients": lambda x, images: list(PLAIN(attacks.gradients)(None, pixels, images, 1)),
    "engine.robustness": lambda x, images: PLAIN(engine.robustness)(SWEEP, images, LABELS, FGSM),
    "certified_margins": lambda x, images: PLAIN(crown.certified_margins)(ONE, x, LABELS, 0.1),
}


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64, torch.bool, torch.float8_e4m3fn])
@pytest.mark.parametrize("name", REFUSED)
def test_inputs_that_are_no_floats_are_refused_in_one_sentence(name, kind):
    if kind.is_floating_point and name in ("jacobians", "local_directional"):
        pytest.skip("a map of one's own may take floats of 8 bits")
    with pytest.raises(ValueError, match=f"(x is|images are) {kind}.*: convert"):
        REFUSED[name](X.to(kind), IMAGES.to(kind))


def test_networks_in_float64_refuse_float32_whatever_the_engine():
    sweep = evaluation.Sweep(LIL((4, 5, 3), seeds=(0,)).double(), pixels, (1.0,), (0,), 1.0)
    with pytest.raises(ValueError, match="x is torch.float32 and the weights are torch.float64"):
        engine.robustness(sweep, IMAGES, LABELS, FGSM)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64, torch.bfloat16])
def test_distances_of_other_types_are_computed_in_float32(kind):
    x, z = (10 * X).to(kind), (10 * Z.abs()).to(kind)
    for call in (
        lambda x, z: PLAIN(sampled_pairs.sampled_isometry_loss)(z, x, LABELS, 9, generator=seeded()),
        lambda x, z: PLAIN(lipschitz.upper_product)([z]),
        lambda x, z: PLAIN(gradient_bound.softmax_slope)(z, LABELS),
    ):
        assert all(
            torch.allclose(a, b) for a, b in zip(values(call(x, z)), values(call(x.float(), z.float())), strict=True)
        )
