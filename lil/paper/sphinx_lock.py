"""Sphinx extension: a second build into the same folder waits for the first, whose half-written files it would read."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Hold the lock of the folder until the build has ended; the system releases it if the process dies."""
    lock = FileLock(Path(app.outdir).parent / ".lock", is_singleton=True)
    lock.acquire()
    app.connect("build-finished", lambda app, exception: lock.release(), priority=1000)  # after all that is written
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
