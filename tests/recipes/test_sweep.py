import re
from dataclasses import replace

import pytest
import torch

from lil import engine, training
from lil.recipes import choices, ensembles, sweep

SMALL = sweep.Config(hidden=(8, 8), betas=(0.0, 1.0), seeds=(0, 3), batch_size=7, epochs=2)


def test_the_text_is_the_default():
    assert SMALL.init == "default" and SMALL.scale == 1 and SMALL.learning_rate == 1e-3
    full = sweep.Config(hidden=(1,))
    assert full.betas == (0, 0.001, 0.01, 0.1, 1, 10) and full.batch_size == 100 and full.epochs == 5


def test_members_are_each_beta_with_each_seed_from_the_same_weights():
    assert ensembles.members(SMALL) == [(0.0, 0), (0.0, 3), (1.0, 0), (1.0, 3)]
    model = sweep.build(SMALL, 5)
    assert tuple(model.sizes) == (5, 8, 8, 10)
    for weight in model.weights:
        assert torch.equal(weight[:2], weight[2:]) and not torch.equal(weight[0], weight[1])


def test_the_settings_reach_the_training(monkeypatch):
    seen = {}

    def train(model, x, labels, settings, *, betas, seeds, progress):
        seen.update(settings=settings, betas=betas, seeds=seeds)

    monkeypatch.setattr(engine, "train", train)
    config = choices.Config(hidden=(8,), betas=(0.0, 1.0), seeds=(0, 3), batch_size=7, epochs=2, reduction="pairs")
    config = replace(config, scale=10.0, learning_rate=0.5)
    sweep.train(sweep.build(config, 5), config, torch.zeros(4, 5), torch.tensor([0, 0, 1, 1]))
    assert seen == dict(
        settings=training.Settings(epochs=2, batch_size=7, learning_rate=0.5, scale=10.0, reduction="pairs"),
        betas=(0.0, 0.0, 1.0, 1.0),
        seeds=(0, 3, 0, 3),
    )


def test_the_public_code_draws_orthogonal_weights():
    model = sweep.build(replace(SMALL, init="orthogonal"), 5)
    inner = model.weights[1][0]
    assert torch.allclose(inner @ inner.T, torch.eye(8), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (dict(betas=()), "betas must be at least one number, not ()."),
        (dict(betas=(0.0, -1.0)), "betas must be finite numbers ≥ 0, not (0.0, -1.0)."),
        (dict(betas=(0.0, float("nan"))), "betas must be finite numbers ≥ 0"),
        (dict(betas=(1.0, 0.0)), "betas must rise and each stand there once, which (1.0, 0.0) do not."),
        (dict(betas=(1.0, 1.0)), "betas must rise and each stand there once"),
        (dict(seeds=(0, 0)), "seeds must be different from each other, at least one of them, not (0, 0)."),
        (dict(seeds=()), "seeds must be different from each other"),
    ],
)
def test_bad_settings_are_refused(change, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        replace(SMALL, **change)
