"""What every test starts from: one thread, which is fastest for small tensors and fixes the order of sums."""

import pytest
import torch
from xdist.scheduler import LoadScopeScheduling


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


class BySubject(LoadScopeScheduling):
    """What shares something expensive stays in one process: the cells of a notebook, a file, all tests of the book."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "tests/book" if file.startswith("tests/book/") else file


def pytest_xdist_make_scheduler(config, log):
    return BySubject(config, log)
