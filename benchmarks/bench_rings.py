"""Figure 2's training, one network with the isometry term: ours beside the plain twin, seconds an epoch."""

from dataclasses import replace

import naive
import pytest

from lil.fast import training as fast_training
from lil.recipes import rings
from lil.training import Settings

CONFIG = replace(rings.PAPER, betas=(1.0,), seeds=(0,))
EPOCHS = {"ours": 400, "naive": 20}  # of one round


@pytest.mark.parametrize("kind", EPOCHS)
def test_rings(timed, kind):
    x, labels, _, _ = rings.data(CONFIG)
    settings = Settings(epochs=EPOCHS[kind], learning_rate=CONFIG.learning_rate)

    def train():
        model = rings.build(CONFIG)
        if kind == "naive":
            naive.train_stack([model], x, (labels,), beta=1.0, epochs=EPOCHS[kind])
        else:
            fast_training.train(model, x, labels, settings, betas=CONFIG.betas, seeds=CONFIG.seeds)

    timed(train, "rings, training", "an epoch", EPOCHS[kind])
