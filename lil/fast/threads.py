"""Tasks of compiled functions, shared among threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

_turn = threading.Lock()  # one caller at a time: BLAS has one number of threads for the whole process


def share(
    run: Callable[[int, int], None],
    tasks: Iterable[int],
    parts: int = 1,
    report: Callable[[int], None] = lambda finished: None,
) -> None:
    """Call ``run(task, part)`` for every task and part, on at most as many threads as torch has.

    The parts of a task run in order, never at the same time. A thread takes the task that has waited longest: with at
    least as many tasks as threads, all threads are busy until the end. ``report`` is called on the caller's thread
    with the number of finished calls. The first error is raised, after the parts that have begun.
    """
    waiting = deque((task, 0) for task in tasks)
    calls, finished, errors, caller = len(waiting) * parts, [], [], threading.get_ident()

    def work() -> None:
        while not errors:
            try:
                task, part = waiting.popleft()
            except IndexError:
                return
            try:
                run(task, part)
                finished.append(task)
                if threading.get_ident() == caller:
                    report(len(finished))
            except BaseException as error:
                errors.append(error)
            if part + 1 < parts:
                waiting.append((task, part + 1))

    threads = max(1, min(torch.get_num_threads(), len(waiting)))
    with _turn, _libraries().limit(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        others = [pool.submit(work) for _ in range(threads - 1)]
        work()
        wait(others)
    if errors:
        raise errors[0]
    report(calls)


@cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg.cython_blas  # noqa: F401  numba's matrix products call its BLAS, which must be loaded to be found

    return ThreadpoolController()
