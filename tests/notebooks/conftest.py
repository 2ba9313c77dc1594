"""nbval, with a tolerance for decimals and with one thread, as the references were made."""

from __future__ import annotations

import importlib.util
from pathlib import PurePosixPath

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile
from tolerance import adopt_near

from lil.paper.pages import one_thread

PAPER = ("fig1_mappings", "fig2_rings", "fig3_mnist", "fig3_cifar10", "fig4_torus", "figA1_distances", "table1")
"""Pages of the paper's own figures and tables: `make test` runs these, and `make test-all` the others too."""

_exact_comparison = IPyNbCell.compare_outputs
_start_kernel = IPyNbFile.setup


def _compare_with_tolerance(self, test, ref, skip_compare=None):
    return _exact_comparison(self, adopt_near(list(test), list(ref)), ref, skip_compare)


def _start_kernel_on_one_thread(self):
    with one_thread():
        _start_kernel(self)


def pytest_collection_modifyitems(items):
    """Mark the pages beyond the paper as slow; skip the one whose loops GUDHI counts where that has no build."""
    for item in items:
        file = PurePosixPath(item.nodeid.partition("::")[0])
        if file.suffix == ".ipynb" and file.stem not in PAPER:
            item.add_marker(pytest.mark.slow)
    if importlib.util.find_spec("gudhi") is None:
        for item in items:
            if item.nodeid.startswith("tests/notebooks/fig2_rings.ipynb"):
                item.add_marker(pytest.mark.skip(reason="GUDHI, which counts loops, has no build for this platform"))


IPyNbCell.compare_outputs = _compare_with_tolerance
IPyNbFile.setup = _start_kernel_on_one_thread
