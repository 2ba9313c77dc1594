"""Tasks shared among threads: each part once and in order, as many threads as torch has, nothing left changed."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
import torch
from threadpoolctl import threadpool_info

from lil.fast.threads import share


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("tasks", [0, 1, 3, 7])
def test_every_part_is_run_once_in_order_and_never_two_of_a_task_at_a_time(threads, parts, tasks):
    torch.set_num_threads(threads)
    seen, running, overlaps, reports = [], Counter(), [], []

    def run(task, part):
        running[task] += 1
        overlaps.append(running[task] > 1)
        time.sleep(0.001)
        seen.append((task, part))
        running[task] -= 1

    share(run, range(tasks), parts, reports.append)
    for task in range(tasks):
        assert [part for its, part in seen if its == task] == list(range(parts))
    assert len(seen) == tasks * parts and not any(overlaps)
    assert reports == sorted(reports) and reports[-1] == tasks * parts


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_there_are_as_many_threads_as_torch_has_and_all_are_at_work(threads):
    torch.set_num_threads(threads)
    barrier, names = threading.Barrier(threads, timeout=30), set()

    def run(task, part):
        names.add(threading.get_ident())
        barrier.wait()

    share(run, range(threads), 3)
    assert len(names) == threads


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("wrong", [0, 5])
def test_an_error_in_any_part_is_raised_and_ends_the_others(threads, wrong):
    torch.set_num_threads(threads)
    seen = []

    def run(task, part):
        seen.append(task)
        time.sleep(0.001)
        if task == wrong:
            raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        share(run, range(6), 1000)
    assert len(seen) < 100


def test_blas_has_one_thread_inside_and_its_own_number_outside():
    def of_blas():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    share(lambda task, part: None, [0])  # loads the library that compiled functions call
    torch.set_num_threads(2)
    before, inside = of_blas(), []
    share(lambda task, part: inside.append(of_blas()), range(2))
    assert all(set(each) == {1} for each in inside)
    assert of_blas() == before and torch.get_num_threads() == 2


def test_callers_take_turns():
    """Or the first to end would give BLAS all its threads while the other still runs."""
    inside, most = [], []

    def run(task, part):
        inside.append(task)
        most.append(len(set(inside)))
        time.sleep(0.002)
        inside.remove(task)

    asking = [threading.Thread(target=share, args=(run, [one], 5)) for one in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(timeout=60)
    assert len(most) == 20 and max(most) == 1


NOTHING_CHANGES = """
import os
environment = dict(os.environ)
import numba, torch

def state():
    return torch.get_num_threads(), {name: value for name, value in vars(numba.config).items() if name.isupper()}

before = state()
from lil.fast import captured, robustness, training
from lil.models import LIL
from lil.training import Settings
model = LIL((3, 4, 2), seeds=[0, 1])
training.train(model, torch.randn(8, 3), torch.arange(8) % 2, Settings(epochs=2), betas=[0.0, 1.0], seeds=[0, 1])
assert dict(os.environ) == environment
assert state() == before
print(before[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_training_changes_nothing_in_the_process(threads):
    environment = os.environ | {"OMP_NUM_THREADS": threads}
    found = subprocess.run([sys.executable, "-c", NOTHING_CHANGES], env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == threads
