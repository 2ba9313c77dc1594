"""Loops over large arrays on processors: compiled, shared among threads, in memory that is kept."""

from __future__ import annotations

import ctypes
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import llvmlite.binding
import numba
import torch
from numba import njit

_torch_had = 0  # threads of torch outside of `alone`; 0 outside


_features = llvmlite.binding.get_host_cpu_features()
if _features.get(
    "avx512f"
):  # where vectors of 512 bits are there, use them: the compiler prefers 256 to spare the clock
    numba.config.CPU_FEATURES = _features.flatten() + ",-prefer-256-bit"


def compiled(function: Callable) -> Callable:
    """By numba; what jaxtyping wraps around functions in tests is taken off.

    Reassociation lets inner loops use vector instructions; NaN and infinity keep their meaning.
    """
    return njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"})(inspect.unwrap(function))


def threads() -> int:
    """How many of the loops here run at once: as many as torch's operations did when nothing else was asked for."""
    return _torch_had or torch.get_num_threads()


@contextmanager
def alone() -> Iterator[None]:
    """Inside, torch's own operations run on one thread, and the loops here still on :func:`threads` of them.

    For small matrices: waking torch's threads takes longer than the products, and, waiting for more, they keep the cores
    from the loops.
    """
    global _torch_had
    before, outer = torch.get_num_threads(), _torch_had
    _torch_had = threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _torch_had = outer


def share(count: int, step: int, task: Callable[[int, int, int], None]) -> None:
    """``task(worker, first, last)`` over all of ``count``, ``step`` at most at a time; each worker has a fixed part."""
    keep_memory()
    workers = torch.get_num_threads()
    step = max(1, min(step, -(-count // workers)))
    starts = range(0, count, step)

    def work(worker: int) -> None:
        for first in starts[worker::workers]:
            task(worker, first, min(first + step, count))

    if workers == 1:
        work(0)
    else:
        list(_pool(workers).map(work, range(workers)))


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    """Threads in each of which torch's matrix products run on one core: the cores are all at work already."""
    pool = ThreadPoolExecutor(workers, "lil", _alone)
    everyone = threading.Barrier(workers)
    list(pool.map(lambda _: everyone.wait(), range(workers)))
    torch.set_num_threads(workers)  # what threads to come start from, which the line above has set to one
    return pool


def _alone() -> None:
    torch.get_num_threads()  # has torch start this thread from its default, which it would do later otherwise
    torch.set_num_threads(1)


@cache
def keep_memory() -> None:
    """Have the C library keep freed memory for large tensors to come: fresh pages cost more than a convolution does."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's
    if mallopt is not None:
        mallopt(-4, 0)  # M_MMAP_MAX: no memory straight from the system
        mallopt(-1, -1)  # M_TRIM_THRESHOLD: none returned to it
