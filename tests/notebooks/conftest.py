"""nbval, with a tolerance for decimals and with one thread, as the references were made; the book's tests get its pages."""

from __future__ import annotations

import copy
import os
import time
from unittest import mock

import executed
import nbformat
from nbval.plugin import IPyNbCell, IPyNbFile
from tolerance import adopt_near

from lil.pages import ONE_THREAD, as_page

_exact_comparison = IPyNbCell.compare_outputs
_run_cell = IPyNbCell.runtest
_start_kernel = IPyNbFile.setup
_stop_kernel = IPyNbFile.teardown


def _compare_with_tolerance(self, test, ref, skip_compare=None):
    return _exact_comparison(self, adopt_near(list(test), list(ref)), ref, skip_compare)


def _start_kernel_on_one_thread(self):
    self.outputs, self.started = [], time.monotonic()      # of each cell that passed, in order
    with mock.patch.dict(os.environ, ONE_THREAD):
        _start_kernel(self)


def _run_and_keep(self):
    _run_cell(self)
    self.parent.outputs.append(self.test_outputs)


def _stop_kernel_and_write_page(self):
    _stop_kernel(self)
    page = copy.deepcopy(self.nb)
    cells = [cell for cell in page.cells if cell.cell_type == "code"]
    if len(self.outputs) < len(cells):
        return
    for cell, outputs in zip(cells, self.outputs, strict=True):
        cell.outputs = outputs
    folder = executed.folder(self.config)
    folder.mkdir(exist_ok=True)
    part = folder / f"{self.path.stem}.part"
    nbformat.write(as_page(page, profile="quick", mode="live", seconds=time.monotonic() - self.started), part)
    part.replace(folder / self.path.name)


IPyNbCell.compare_outputs = _compare_with_tolerance
IPyNbCell.runtest = _run_and_keep
IPyNbFile.setup = _start_kernel_on_one_thread
IPyNbFile.teardown = _stop_kernel_and_write_page
