"""nbval, with a tolerance for decimals and with one thread, as the references were made."""

from __future__ import annotations

import importlib.util

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile
from tolerance import adopt_near

from lil.paper.pages import one_thread

_exact_comparison = IPyNbCell.compare_outputs
_start_kernel = IPyNbFile.setup


def _compare_with_tolerance(self, test, ref, skip_compare=None):
    return _exact_comparison(self, adopt_near(list(test), list(ref)), ref, skip_compare)


def _start_kernel_on_one_thread(self):
    with one_thread():
        _start_kernel(self)


def pytest_collection_modifyitems(items):
    """Skip the page whose loops GUDHI counts where that has no build."""
    if importlib.util.find_spec("gudhi") is None:
        for item in items:
            if item.nodeid.startswith("tests/notebooks/fig2_rings.ipynb"):
                item.add_marker(pytest.mark.skip(reason="GUDHI, which counts loops, has no build for this platform"))


IPyNbCell.compare_outputs = _compare_with_tolerance
IPyNbFile.setup = _start_kernel_on_one_thread
