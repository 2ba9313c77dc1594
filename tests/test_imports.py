"""What is slow to import is imported only where it is used."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module, never",
    [
        ("lil", {"torch", "matplotlib", "plotly", "umap", "torchvision", "sklearn"}),
        ("lil.cli", {"torch", "xarray", "tqdm", "matplotlib", "plotly", "umap", "torchvision", "sklearn"}),
        ("lil.results", {"matplotlib", "plotly", "umap", "torchvision", "sklearn", "numba"}),
    ],
)
def test_an_import_loads_nothing_that_it_does_not_need(module, never):
    program = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert module in loaded
    assert not never & set(loaded)
