"""The book to test: the one that has been built from what stands here, else one that is made of the records now.

`make test` takes the first alone. `make test-all` executes every notebook live too: by nbval, in ``tests/notebooks``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tracked import copy_folder

from lil.paper.pages import ROOT, find_sources, make_pages

BUILT = ROOT / "_build" / "html"
MADE_OF = ("book", "notebooks", "examples", "lil", "results", "benchmarks/timings.json", "tests/trust/records")
MADE_OF += ("_config.yml", "_toc.yml")


def sources() -> Iterator[Path]:
    """The files that the book is made of, without those that are made on the way."""
    for name in MADE_OF:
        whole = ROOT / name
        for path in whole.rglob("*") if whole.is_dir() else [whole]:
            if path.is_file() and "__pycache__" not in path.parts and ROOT / "book" / "nb" not in path.parents:
                yield path


def is_current(page: Path) -> bool:
    """Return True if a page of the built book is there and younger than all that it is made of."""
    return page.exists() and page.stat().st_mtime > max(path.stat().st_mtime for path in sources())


MADE = "built" if is_current(BUILT / "intro.html") else pytest.param("recorded", marks=pytest.mark.slow)  # in minutes


@pytest.fixture(scope="session", params=[MADE])
def html(request) -> Path:
    """The folder of the book's HTML. `make book` has failed at a warning, and so does this."""
    if request.param == "built":
        return BUILT
    root = request.getfixturevalue("tmp_path_factory").mktemp("recorded_book")
    copy_folder(ROOT / "book", root / "book", "nb")
    copy_folder(ROOT / "examples", root / "examples")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, root / name)
    make_pages(find_sources(), root / "book" / "nb", profile="paper", mode="recorded")
    build = subprocess.run(  # as `make html` does it
        [
            Path(sys.executable).with_name("jupyter-book"),
            "build",
            "book",
            "--config",
            "_config.yml",
            "--toc",
            str(root / "_toc.yml"),
            "--path-output",
            ".",
            "--all",
            "-W",
            "-n",
            "--keep-going",
        ],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert build.returncode == 0, build.stdout[-4000:] + build.stderr[-4000:]
    return root / "_build" / "html"
