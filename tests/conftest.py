"""The start of every test: one thread, which is fastest for small tensors and fixes the order of sums."""

import os
from pathlib import PurePosixPath

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


# What the paper itself shows: `make test` runs these notebooks and experiments, and `make test-all` the others too.
PAPER = ("fig1_mappings", "fig2_rings", "fig3_mnist", "fig3_cifar10", "fig4_torus", "figA1_distances", "table1")


def is_beyond_the_paper(file: str) -> bool:
    """Return True if a file tests a notebook, or an experiment, that the paper does not show."""
    place = PurePosixPath(file)
    return (place.suffix == ".ipynb" or place.parent.name == "experiments") and (
        place.stem.removeprefix("test_") not in PAPER
    )


def pytest_collection_modifyitems(items):
    """Mark what lies beyond the paper as slow, and put the longest tests first.

    So no process is left with a long one at the end (with --no-loadscope-reorder).
    """
    for item in items:
        if is_beyond_the_paper(item.nodeid.partition("::")[0]):
            item.add_marker(pytest.mark.slow)
    items.sort(
        key=lambda item: next(
            (place for place, folder in enumerate(LONGEST) if item.nodeid.startswith(folder)), len(LONGEST)
        )
    )


class BySubject(LoadScopeScheduling):
    """A scheduler that keeps tests with an expensive common part in one process: a notebook, a file, the book."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "tests/book" if file.startswith("tests/book/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return BySubject(config, log)
