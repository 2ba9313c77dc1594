"""lil.fast.workers: every index once, one core a worker, errors arrive."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from lil.fast.workers import share


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_each_index_is_dealt_once_and_to_a_fixed_worker(threads: int, count: int) -> None:
    torch.set_num_threads(threads)
    seen = Counter()
    share(count, 8, lambda worker, first, last: seen.update((worker, index) for index in range(first, last)))
    assert sorted(index for _, index in seen) == list(range(count)) and set(seen.values()) <= {1}
    again = Counter()
    share(count, 8, lambda worker, first, last: again.update((worker, index) for index in range(first, last)))
    assert again == seen
    assert len({worker for worker, _ in seen}) == min(threads, count)


def test_no_task_is_larger_than_the_step() -> None:
    sizes = []
    share(100, 8, lambda _, first, last: sizes.append(last - first))
    assert max(sizes) == 8 and sum(sizes) == 100


def test_torch_has_one_core_in_each_worker_and_keeps_its_cores_outside() -> None:
    torch.set_num_threads(2)
    inside = []
    share(2, 1, lambda *_: inside.append(torch.get_num_threads()))
    assert inside == [1, 1]
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_task_is_raised(threads: int) -> None:
    torch.set_num_threads(threads)
    with pytest.raises(ZeroDivisionError):
        share(4, 1, lambda _, first, last: 1 // (3 - first))
