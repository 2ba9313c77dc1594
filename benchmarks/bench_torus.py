"""Figure 4's training, stacks of three levels: five beside one of the plain twin, seconds an epoch of one stack."""

import naive
import pytest

from lil.fast import training as compiled
from lil.recipes import torus
from lil.training import Settings

CONFIG = torus.PAPER
EPOCHS = {"ours": 200, "naive": 4}  # of one round: work that a training does once should count as little as in 10 000
STACKS = {"ours": len(CONFIG.seeds), "naive": 1}


def train(kind: str) -> None:
    data, stacks = torus.data(CONFIG), torus.build(CONFIG)
    if kind == "naive":
        naive.train_stack(list(stacks.lils), data.x, data.labels, beta=CONFIG.beta, epochs=EPOCHS[kind])
    else:
        settings = Settings(epochs=EPOCHS[kind], learning_rate=CONFIG.learning_rate)
        betas = [CONFIG.beta] * STACKS[kind]
        compiled.train(stacks, data.x, data.labels, settings, betas=betas, seeds=CONFIG.seeds)


@pytest.mark.parametrize("kind", EPOCHS)
def test_torus(timed, kind):
    timed(lambda: train(kind), "torus, three levels", "an epoch of one stack", EPOCHS[kind] * STACKS[kind])
