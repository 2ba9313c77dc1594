"""What every test starts from: one thread, which is fastest for small tensors and fixes the order of sums."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
