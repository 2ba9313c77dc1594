"""What compiled functions share among threads: their tasks, and places to wait for one another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial

import numpy as np
from jaxtyping import Int, Num
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from threadpoolctl import ThreadpoolController

from lil.fast import workers
from lil.fast.workers import compiled

_MEETINGS = 16  # where they are counted
_LOOKS = 10_000  # some tens of microseconds

_turn = threading.Lock()  # whose jobs run


@intrinsic
def _add(context, array, index, value):
    """array[index] += value, undivided; returns what was there. Arrays are of 64-bit integers."""

    def code(context, builder, signature, arguments):
        return builder.atomic_rmw("add", _pointer(context, builder, signature, arguments), arguments[2], "seq_cst")

    return types.int64(array, types.int64, types.int64), code


@intrinsic
def _look(context, array, index):
    """array[index] as other threads have left it."""

    def code(context, builder, signature, arguments):
        return builder.load_atomic(_pointer(context, builder, signature, arguments), "seq_cst", 8)

    return types.int64(array, types.int64), code


@intrinsic
def _yield(context):
    """Let another program have the core."""

    def code(context, builder, signature, arguments):
        function = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, function, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), code


def _pointer(context, builder, signature, arguments):
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return cgutils.get_item_pointer(context, builder, signature.args[0], array, [arguments[1]])


def dealt(work: Num[np.ndarray, "tasks"], threads: int) -> list[Int[np.ndarray, "share"]]:
    """The tasks of each thread: neighbours, of about equal ``work`` in all."""
    middle = np.cumsum(work) - np.asarray(work) / 2
    of_task = (middle * threads / np.sum(work)).astype(np.int64) if len(work) else np.empty(0, np.int64)
    return [np.flatnonzero(of_task == thread) for thread in range(threads)]


def share(run: Callable[..., None], arguments: Sequence, work: Num[np.ndarray, "tasks"]) -> None:
    """``run(*arguments, tasks)`` for all tasks, dealt to threads by the ``work`` that each is."""
    threads = max(1, min(workers.threads(), len(work)))
    together([partial(run, *arguments, tasks) for tasks in dealt(work, threads)])


def together(jobs: Sequence[Callable[[], None]]) -> None:
    """All of them at once, each on a thread of its own.

    Where several of Python's threads ask for that, one waits for the other: jobs that :func:`meet` would wait for each other's
    otherwise.
    """
    mine, *others = jobs
    with _turn:
        running = [_pool(len(others)).submit(job) for job in others]
        mine()
        for job in running:
            job.result()


@compiled
def meet(place, threads):
    """Go on when all threads are here. ``place`` is of :func:`meeting_place`, and can be met at again and again.

    To wait for a thread of Python's takes longer than many loops do: here one looks whether the others have come, until
    they have. After a while it lets other programs have the core between two looks.
    """
    before = _look(place, _MEETINGS)
    if _add(place, 0, 1) == threads - 1:
        _add(place, 0, -threads)
        _add(place, _MEETINGS, 1)
        return
    looks = 0
    while _look(place, _MEETINGS) == before:
        looks += 1
        if looks > _LOOKS:
            _yield()


def meeting_place() -> Int[np.ndarray, "numbers"]:
    """Where nobody is yet: how many have come, and, in a cache line of its own, how often all have met."""
    return np.zeros(2 * _MEETINGS, np.int64)


@contextmanager
def blas_alone() -> Iterator[None]:
    """Inside, products in compiled functions run on the thread that asks for them."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg.cython_blas  # noqa: F401  whose library numba calls, and which must be there to be found

    return ThreadpoolController()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="tasks")
