"""What every test starts from: one thread, which is fastest for small tensors and fixes the order of sums."""

import os

import pytest
import torch
from torch import nn
from xdist.scheduler import LoadScopeScheduling

os.environ["NUMBA_NUM_THREADS"] = (
    "1"  # as in the notebooks' kernels: where numba has threads, their number may not change
)
torch.set_num_threads(1)  # for what is made once for a module, before a test begins


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits():
    """A network that knows digits, with images that it has not seen."""
    from lil.attacks import pixels as flatten
    from lil.datasets import images  # not before the checks of shapes are in place
    from lil.models import LIL

    x, labels = images.load("digits", "train")
    model = LIL((784, 30, 10), seeds=(0,))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(flatten(x))[0], labels).backward()
        optimizer.step()
    return model.requires_grad_(False), *images.load("digits", "test", 100)


LONGEST = ("tests/book/", "tests/notebooks/", "tests/experiments/")


def pytest_collection_modifyitems(items):
    """Put the longest tests first, so that no process is left with one (with --no-loadscope-reorder)."""
    items.sort(
        key=lambda item: next(
            (place for place, folder in enumerate(LONGEST) if item.nodeid.startswith(folder)), len(LONGEST)
        )
    )


class BySubject(LoadScopeScheduling):
    """What shares something expensive stays in one process: the cells of a notebook, a file, all tests of the book."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "tests/book" if file.startswith("tests/book/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return BySubject(config, log)
