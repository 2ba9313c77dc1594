"""Figure 2's training with the isometry term: five networks beside one of the plain twin, seconds an epoch of one."""

from dataclasses import replace

import naive
import pytest

from lil.fast import training as compiled
from lil.recipes import rings
from lil.training import Settings

CONFIG = replace(rings.PAPER, betas=(1.0,))
EPOCHS = {"ours": 200, "naive": 20}  # of one round
NETWORKS = {"ours": len(CONFIG.seeds), "naive": 1}


@pytest.mark.parametrize("kind", EPOCHS)
def test_rings(timed, kind):
    x, labels, _, _ = rings.data(CONFIG)
    settings = Settings(epochs=EPOCHS[kind], learning_rate=CONFIG.learning_rate)

    def train():
        model, betas = rings.build(CONFIG), CONFIG.betas * NETWORKS[kind]
        if kind == "naive":
            naive.train_stack([model], x, (labels,), beta=1.0, epochs=EPOCHS[kind])
        else:
            compiled.train(model, x, labels, settings, betas=betas, seeds=CONFIG.seeds)

    timed(train, "rings, training", "an epoch of one network", EPOCHS[kind] * NETWORKS[kind])
