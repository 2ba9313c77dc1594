"""A pytest plugin that writes what became of each test file, as soon as its last test is done.

Of a notebook it also writes the decimals of each checked cell; None where words or whole numbers are not those of the
reference. OBSERVED names the file, a JSON object a line; OBSERVED_THREADS the threads of the notebooks' kernels.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from nbval.plugin import IPyNbCell


class Observer:
    """The outcome of the file whose tests are running."""

    def __init__(self) -> None:
        self.file, self.started, self.outcome = "", 0.0, {}

    def begin(self, file: str) -> None:
        """Write the outcome of the last file, if there was one, and begin with this one."""
        if self.file and self.outcome["passed"] + self.outcome["failed"]:
            about = {"file": self.file, "seconds": round(time.monotonic() - self.started, 1), **self.outcome}
            with Path(os.environ["OBSERVED"]).open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(about) + "\n")
        self.file, self.started = file, time.monotonic()
        self.outcome: dict[str, Any] = {"passed": 0, "failed": 0, "failures": [], "cells": {}}

    def pytest_collection_finish(self) -> None:
        """Keep what nbval compares, and set the threads of its kernels."""
        from lil.paper import pages  # not before the checks of shapes are in place
        from tests.notebooks import tolerance

        pages.ONE_THREAD.update(dict.fromkeys(pages.ONE_THREAD, os.environ.get("OBSERVED_THREADS", "1")))
        compare = IPyNbCell.compare_outputs

        def kept(cell: Any, test: Any, ref: Any, skip_compare: Any = None) -> Any:
            same = tolerance.skeletons(test) == tolerance.skeletons(ref)
            self.outcome["cells"][cell.name] = tolerance.decimals(test) if same else None
            return compare(cell, test, ref, skip_compare)

        IPyNbCell.compare_outputs = kept

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin a new file with its first test."""
        file = nodeid.partition("::")[0]
        if file != self.file:
            self.begin(file)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count a test once: as failed where any of its phases has failed."""
        if report.failed:
            self.outcome["failed"] += 1
            self.outcome["failures"].append(report.nodeid)
        elif report.when == "call" and report.passed:
            self.outcome["passed"] += 1

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the outcome of the last file, unless the run was interrupted in it."""
        if exitstatus in (0, 1):
            self.begin("")


def pytest_configure(config: Any) -> None:
    """Register the observer."""
    config.pluginmanager.register(Observer(), "observer")
