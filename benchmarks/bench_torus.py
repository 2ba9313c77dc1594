"""Figure 4's training, one seed, three levels: ours beside the plain twin, seconds an epoch."""

import naive
import pytest

from lil.fast import training as fast_training
from lil.models import StackedLIL
from lil.recipes import torus
from lil.training import Settings

EPOCHS = {
    "ours": 1000,
    "naive": 4,
}  # of one round: what a training does once should count as little as in 10 000 epochs


def train(kind: str) -> None:
    config = torus.PAPER
    data = torus.data(config)
    stack = StackedLIL(data.x.shape[1], config.hidden, [int(level.max()) + 1 for level in data.labels], seeds=[0])
    if kind == "naive":
        naive.train_stack(list(stack.lils), data.x, data.labels, beta=config.beta, epochs=EPOCHS[kind])
    else:
        settings = Settings(epochs=EPOCHS[kind], learning_rate=config.learning_rate)
        fast_training.train(stack, data.x, data.labels, settings, betas=[config.beta], seeds=[0])


@pytest.mark.parametrize("kind", EPOCHS)
def test_torus(timed, kind):
    timed(lambda: train(kind), "torus, three levels", "an epoch", EPOCHS[kind])
