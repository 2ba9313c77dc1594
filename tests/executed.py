"""Where nbval leaves the notebooks that it has executed, for the tests of the book in the same run."""

from pathlib import Path

import pytest


def folder(config: pytest.Config) -> Path:
    """One for all processes of a run."""
    base = config._tmp_path_factory.getbasetemp()
    return (base.parent if hasattr(config, "workerinput") else base) / "executed"
