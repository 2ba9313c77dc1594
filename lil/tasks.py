"""What compiled functions share among threads: their tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np
from jaxtyping import Num
from threadpoolctl import ThreadpoolController

from lil import workers


class Tasks:
    """A compiled function of some arguments and of all its tasks, once for each call.

    Tasks are dealt to threads by their ``work``: the largest first, each to the thread that has least to do by then.
    """

    def __init__(self, work: Num[np.ndarray, "tasks"], run: Callable[..., None], *arguments):
        self.run, self.arguments = run, arguments
        loads = np.zeros(max(1, min(workers.threads(), len(work))))
        of_task = np.empty(len(work), np.int64)
        for task in np.argsort(-work, kind="stable"):
            of_task[task] = np.argmin(loads)
            loads[of_task[task]] += work[task]
        self.shares = [np.flatnonzero(of_task == thread) for thread in range(len(loads))]

    def __call__(self) -> None:
        mine, *others = self.shares
        jobs = [_pool(len(others)).submit(self.run, *self.arguments, tasks) for tasks in others]
        self.run(*self.arguments, mine)
        for job in jobs:
            job.result()


@contextmanager
def blas_alone() -> Iterator[None]:
    """Inside, products in compiled functions run on the thread that asks for them."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg.cython_blas   # noqa: F401  whose library numba calls, and which must be there to be found

    return ThreadpoolController()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="tasks")
