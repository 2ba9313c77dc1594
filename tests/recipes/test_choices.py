from dataclasses import asdict, replace

import pytest
import torch

from lil.isometry import isometry_loss, pair_distances, within_class
from lil.recipes import choices, mnist

TINY = replace(
    choices.quick(choices.PAPER), hidden=(8, 8), n_train=60, n_test=20, betas=(0.0, 1.0), batch_size=20, epochs=1
)
VARIANTS = {name: value for name, value in vars(choices).items() if name.startswith("PAPER_")}
BALANCED = torch.arange(10).repeat(10)  # ten points of each of ten classes: 900 ordered pairs of 100² count


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_is_the_text_s_with_one_change(name):
    text = asdict(mnist.PAPER) | {"reduction": "n2"}
    changed = {field for field, value in asdict(VARIANTS[name]).items() if value != text[field]}
    assert len(changed - {"seeds"}) == 1 and changed <= {"seeds", "scale", "reduction", "hidden", "batch_size"}
    assert set(VARIANTS[name].seeds) < set(mnist.PAPER.seeds)
    assert choices.quick(VARIANTS[name]) == replace(
        choices.quick(choices.PAPER),
        **{field: (40,) * 5 if field == "hidden" else getattr(VARIANTS[name], field) for field in changed - {"seeds"}},
    )


def test_the_text_s_settings_make_the_text_s_networks():
    ours = choices.train(TINY)
    fields = {name: value for name, value in asdict(TINY).items() if name != "reduction"}
    theirs = mnist.train(mnist.Config(**fields))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.fixture
def balanced(monkeypatch):
    """One full batch of balanced classes in place of the images."""
    x = torch.rand(100, 784, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(mnist, "inputs", lambda config, split, *, device: (x, BALANCED))
    return replace(TINY, batch_size=100, epochs=5, seeds=(0,), betas=(0.3,))


def test_training_by_pairs_is_training_with_another_beta(balanced):
    by_pairs = choices.train(replace(balanced, reduction="pairs"))
    same = choices.train(replace(balanced, betas=(0.3 * 100**2 / 900,)))
    other = choices.train(balanced)
    for name, value in by_pairs.items():
        assert torch.allclose(value, same[name], atol=1e-5)
    assert not torch.allclose(by_pairs["weights.0"], other["weights.0"], atol=1e-3)


def test_k_reaches_the_training(balanced):
    one, other = choices.train(balanced), choices.train(replace(balanced, scale=3.0))
    assert not torch.allclose(one["weights.0"], other["weights.0"], atol=1e-3)


def losses(z, x_dist, labels=BALANCED, **settings):
    return float(isometry_loss(z, x_dist, within_class(labels), **settings))


@pytest.fixture
def batch():
    """Representations of a balanced batch, and the distances between its inputs."""
    generator = torch.Generator().manual_seed(1)
    x, z = torch.rand(2, 100, 30, generator=generator, dtype=torch.float64)
    return z, pair_distances(x)


def test_the_loss_by_pairs_is_n_squared_over_pairs_times_eq_1_s(batch):
    assert losses(*batch, reduction="pairs") == pytest.approx(100**2 / 900 * losses(*batch), rel=1e-12)


def test_k_is_a_weight_and_another_aim(batch):
    """(K d(Φ) − d)² = K² (d(Φ) − d/K)²; and no weight alone does it: the zero is elsewhere."""
    z, x_dist = batch
    assert losses(z, x_dist, scale=3.0) == pytest.approx(9 * losses(z, x_dist / 3), rel=1e-12)
    kept = pair_distances(z)
    assert losses(z, kept) == pytest.approx(0, abs=1e-20) and losses(z, kept, scale=3.0) > 1
