"""Which training is taken: by the device, the precision, the network and the batches."""

import pytest
import torch

from lil import training
from lil.fast import captured, full_batch, minibatches
from lil.fast import training as fast_training
from lil.models import LIL, StackedLIL
from lil.training import Settings

ALL, BATCHES = Settings(epochs=1), Settings(epochs=1, batch_size=4)
ONE, STACK = LIL((3, 4, 2), seeds=[0]), StackedLIL(3, (4,), (2, 2), seeds=[0])


@pytest.mark.parametrize(
    ("model", "settings", "dtype", "module"),
    [
        (ONE, ALL, torch.float32, full_batch),
        (STACK, ALL, torch.float32, full_batch),
        (ONE, BATCHES, torch.float32, minibatches),
        (STACK, BATCHES, torch.float32, training),
        (ONE, ALL, torch.float64, training),
        (ONE, BATCHES, torch.float64, training),
    ],
)
def test_the_way_that_is_taken(model, settings, dtype, module, monkeypatch):
    asked, its = [], training.History(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))
    monkeypatch.setattr(module, "train", lambda *arguments, **more: asked.append((arguments, more)) or its)
    arguments = (model, torch.randn(20, 3, dtype=dtype), torch.arange(20) % 2, settings)
    assert fast_training.train(*arguments, betas=[1.0], seeds=[0]) is its
    assert asked[0][0] == arguments and asked[0][1].keys() == {"betas", "seeds", "progress"}


def test_on_a_gpu_it_is_recorded():
    def way(model, device, settings):
        return fast_training._way(model, device, torch.float32, settings)

    for model in (ONE, STACK):
        for settings in (ALL, BATCHES):
            assert way(model, torch.device("cuda"), settings) is captured.train
            assert way(model, torch.device("mps"), settings) is training.train


@pytest.mark.parametrize("settings", [ALL, BATCHES])
def test_every_way_has_the_same_errors(settings):
    x, labels = torch.randn(20, 3), torch.arange(20) % 2
    for change, words in [
        (dict(labels=torch.arange(20) % 3), "labels must be classes from 0 to 1"),
        (dict(labels=torch.tensor([0] * 19 + [1])), "class 1 has a single point"),
        (dict(x=x.clone().fill_(torch.nan)), "NaN or infinite"),
        (dict(betas=[-1.0]), "β must be a finite number"),
        (dict(seeds=[0, 1]), "one entry for each of the 1 members"),
        (dict(labels=(labels, labels)), "needs as many sets of labels"),
    ]:
        given = dict(x=x, labels=labels, settings=settings, betas=[1.0], seeds=[0]) | change
        model = LIL((3, 4, 2), seeds=[0])
        for train in (training.train, fast_training.train):
            with pytest.raises(ValueError, match=words):
                train(model, **given)
        assert all(
            torch.equal(a, b) for a, b in zip(model.parameters(), LIL((3, 4, 2), seeds=[0]).parameters(), strict=True)
        )
