"""Tasks of compiled functions: dealt, shared, and threads that wait for one another."""

import threading
from functools import partial

import numpy as np
import pytest
import torch
from lil.fast.tasks import blas_alone, dealt, meet, meeting_place, share, together
from lil.fast.workers import compiled
from threadpoolctl import threadpool_info

from lil.fast import tasks


@pytest.mark.parametrize("work", [[1], [1, 1, 1, 1], [5, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6, 7], []])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_task_has_one_thread_which_has_about_its_part_of_the_work(work, threads):
    shares = dealt(np.array(work), threads)
    assert len(shares) == threads
    assert np.concatenate(shares).tolist() == list(range(len(work)))  # neighbours together, in their order
    for mine in shares:
        assert abs(sum(work[task] for task in mine) - sum(work) / threads) <= max(work, default=0)


@compiled
def count_up(counts, amount, tasks):
    for task in tasks:
        counts[task] += amount


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_shared_tasks_are_done_once(threads, monkeypatch):
    monkeypatch.setattr(tasks.workers, "threads", lambda: threads)
    counts = np.zeros(7)
    share(count_up, (counts, 2.0), np.ones(7))
    assert counts.tolist() == [2.0] * 7
    share(count_up, (counts, 2.0), np.ones(0))
    assert counts.tolist() == [2.0] * 7


def test_an_error_in_any_thread_is_raised():
    def fail():
        raise RuntimeError("out of order")

    for jobs in ([fail, lambda: None], [lambda: None, fail]):
        with pytest.raises(RuntimeError, match="out of order"):
            together(jobs)


@compiled
def step_together(place, threads, counts, early, thread, steps):
    """Each thread takes a step, and looks whether one was taken by all before any goes on."""
    for step in range(steps):
        counts[thread, 0] += 1
        meet(place, threads)
        for other in range(threads):
            early[thread, 0] += counts[other, 0] != step + 1
        meet(place, threads)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_nobody_goes_on_before_all_are_there(threads):
    """Also where there are more threads than cores."""
    place, counts, early = meeting_place(), np.zeros((threads, 16), np.int64), np.zeros((threads, 16), np.int64)
    together([partial(step_together, place, threads, counts, early, thread, 100) for thread in range(threads)])
    assert counts[:, 0].tolist() == [100] * threads and not early.any()
    together([partial(step_together, place, threads, counts, early, thread, 1) for thread in range(threads)])


def test_threads_of_pythons_may_all_ask_for_it():
    """Each of their jobs waits for the others; if two of them were begun at once, none would have the threads it needs."""
    places, counts = [meeting_place() for _ in range(4)], np.zeros((4, 3, 16), np.int64)
    early = np.zeros_like(counts)

    def ask(one):
        together([partial(step_together, places[one], 3, counts[one], early[one], thread, 20) for thread in range(3)])

    asking = [threading.Thread(target=ask, args=(one,), daemon=True) for one in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(timeout=60)
    assert (counts[:, :, 0] == 20).all() and not early.any()


def test_products_in_loops_run_on_one_thread_and_the_others_as_before():
    def blas_threads():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    with blas_alone():  # loads the library that numba calls
        pass
    before, of_torch = blas_threads(), torch.get_num_threads()
    with blas_alone():
        assert set(blas_threads()) == {1}
        assert torch.get_num_threads() == of_torch
    assert blas_threads() == before
