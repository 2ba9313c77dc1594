"""The loss alone is timed, the sentences on the estimate are true, and the machine is left as it was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lil.experiments import scaling
from lil.isometry import isometry_loss, pair_distances, within_class

CONFIG = scaling.QUICK


@pytest.fixture(scope="module")
def told_and_result():
    told = []
    return told, scaling.run(CONFIG, progress=lambda *about: told.append(about))


@pytest.fixture
def result(told_and_result):
    return told_and_result[1]


def test_everything_asked_for_is_there(result):
    assert dict(result.seconds.sizes) == dict(pairs=3, points=2) == dict(result.memory.sizes)
    for name in ("seconds", "by_classes", "by_members", "by_threads"):
        assert (result[name] > 0).all()
    assert list(result.threads.values) == [1]


def test_the_steps_reported_are_those_that_there_are(told_and_result):
    told, _ = told_and_result
    total = told[0][2]
    assert [done for _, done, _ in told] == list(range(1, total + 1)) and {n for *_, n in told} == {total}


def test_the_loss_is_the_exact_one_and_estimates_spread_as_they_say(result):
    z, x, labels = scaling._data(CONFIG, CONFIG.n_points)
    assert float(result.loss) == pytest.approx(
        float(isometry_loss(z[0], pair_distances(x), within_class(labels))), rel=1e-5
    )
    np.testing.assert_allclose(result.spread, result.predicted, rtol=0.2)
    assert float(result.spread[0] / result.spread[1]) == pytest.approx(2, rel=0.25)  # four times the pairs


@pytest.mark.parametrize("pairs", scaling.PAIRS)
def test_a_call_is_timed_after_it_was_compiled(pairs, monkeypatch):
    clock = iter([0.0, 100.0, 200.0, 203.0, 300.0, 301.0, 400.0, 402.0])
    monkeypatch.setattr(scaling.time, "perf_counter", lambda: next(clock))
    assert scaling._seconds(replace(CONFIG, repeats=3), pairs, 40, device="cpu") == 2.0


def test_memory_is_that_of_the_distances():
    """All pairs of 3000 points have 9 000 000 distances of four bytes, 34.3 MiB: before, after, and some on the way.

    A block of over 32 MiB goes back to the system as soon as it is free; smaller ones come and go in pieces.
    """
    config = scaling.Config(points=(200, 3000))
    rise = {pairs: scaling._memory(config, pairs)[-1] for pairs in scaling.PAIRS}
    if np.isnan(rise["all"]):
        pytest.skip("this system does not tell a process its peak memory")
    assert 3 * 34.3 < rise["all"] < 10 * 34.3 and rise["sampled"] < rise["all"] / 5


def test_threads_are_as_they_were():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError), scaling._threads(1):
        assert torch.get_num_threads() == 1
        raise RuntimeError
    assert torch.get_num_threads() == before
