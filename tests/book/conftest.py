"""Two books to test: one made here from notebooks at the quick profile, and the real one where it has been built."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from lil.pages import ROOT, execute, find_sources

BUILT = ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def quick_root(tmp_path_factory) -> Path:
    """A copy of what the book is made of, without the pages that notebooks write."""
    root = tmp_path_factory.mktemp("quick_book")
    shutil.copytree(ROOT / "book", root / "book", ignore=shutil.ignore_patterns("nb", "__pycache__"))
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture(scope="session")
def quick_page(quick_root):
    """A function that executes a notebook, live at the quick profile, the first time it is asked for it."""

    @cache
    def page(stem: str) -> Path:
        source, = find_sources([stem])
        target = quick_root / "book" / "nb" / f"{stem}.ipynb"
        execute(source, target, profile="quick", mode="live")
        return target

    return page


@pytest.fixture(scope="session")
def quick_build(quick_root, quick_page) -> subprocess.CompletedProcess:
    """The build of the quick book, as `make html` does it."""
    for source in find_sources():
        quick_page(source.stem)
    return subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", "book", "--config", "_config.yml",
         "--toc", str(quick_root / "_toc.yml"), "--path-output", ".", "--all", "-W", "-n", "--keep-going"],
        cwd=quick_root, capture_output=True, text=True)


@pytest.fixture(scope="session", params=["quick", "built"] if (BUILT / "intro.html").exists() else ["quick"])
def html(request) -> Path:
    """The folder of a book's HTML."""
    if request.param == "built":
        return BUILT
    request.getfixturevalue("quick_build")
    return request.getfixturevalue("quick_root") / "_build" / "html"
