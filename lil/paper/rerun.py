"""One notebook executed with settings of the reader's own, into ``_build/reruns``; no record is touched."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
from filelock import FileLock

from lil.paper import pages
from lil.results import changes, keys, registry
from lil.results.closing import settings as as_text
from lil.results.errors import NotRerun, SettingRefused

RERUNS = pages.ROOT / "_build" / "reruns"
GIVEN = ("profile", "mode")  # parameters of each notebook that are no settings


def rerun(name: str, assignments: Sequence[str], *, profile: str = "paper", html: bool = False) -> Path:
    """Execute a notebook with settings given as ``name=value`` and return the executed notebook, or its HTML page.

    Raises SettingRefused, mostly before anything is computed, and nothing stays behind. Raises NotRerun with the cell,
    the settings and the file of the trace, which alone stays behind, if a cell fails.
    """
    from papermill.exceptions import PapermillExecutionError

    source = source_of(name)
    given = parse(assignments)
    _check(source, given, profile)
    given = {setting: value for setting, value in given.items() if value is not None}
    target = RERUNS / (_slug(given, profile) or "as-published") / source.stem / f"{source.stem}.ipynb"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.parent / ".lock"):  # the same rerun, asked for twice at once, is done twice in turn
            shown = sys.stderr.isatty()
            pages.execute(source, target, profile=profile, mode="live", parameters=given, progress_bar=shown)
            fill_in_numbers(target)
    except PapermillExecutionError as reason:
        trace = target.with_suffix(".part.ipynb")
        if reason.ename == SettingRefused.__name__:  # a value that only the experiment itself knows to be impossible
            with suppress(OSError):  # others may be at work in these folders
                trace.unlink()
                (target.parent / ".lock").unlink()
                os.removedirs(target.parent)
            raise SettingRefused(reason.evalue) from reason
        with_settings = f" with {as_text(given)}" if given else ""
        raise NotRerun(
            f"{source.stem}{with_settings} stopped in its cell {reason.exec_count}, {reason.ename}: {reason.evalue} "
            f"(the trace is in {trace})"
        ) from reason
    except OSError as reason:
        raise NotRerun(
            f"{target.parent} cannot be written ({reason.strerror}): `lil notebook {source.stem} FOLDER` writes the "
            "notebook to a folder of yours, for papermill."
        ) from reason
    return to_html(target) if html else target


def fill_in_numbers(executed: Path) -> None:
    """Put each number of an executed notebook's words in its place; a dash for NaN, and for what no cell handed over.

    The book does the first by itself, Jupyter and other readers of notebooks do not.
    """
    from myst_nb.core.variables import format_plain_text  # with its cache of executions, half a second

    page = nbformat.read(executed, 4)
    known = {name: text for name, text in pages.glued(page).items() if text != "nan"}

    def filled(text: str) -> str:
        return pages.GLUED.sub(
            lambda found: format_plain_text(known[found[1]], found[2] or "s") if found[1] in known else "–", text
        )

    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = filled(cell.source)
        options = cell.metadata.get("mystnb", {})
        for part, words in (("figure", "caption"), ("image", "alt")):
            if part in options:
                options[part][words] = filled(options[part][words])
    pages.write(page, executed)


def source_of(name: str) -> Path:
    """Return the source of a notebook. Raises SettingRefused for a name that no notebook has."""
    try:
        return pages.find_sources([name])[0]
    except FileNotFoundError as reason:
        raise SettingRefused(str(reason)) from reason


def parse(assignments: Sequence[str]) -> dict[str, Any]:
    """Return the values of ``name=value`` texts: JSON where a value is JSON, the word itself elsewhere."""
    given: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name.strip():
            raise SettingRefused(f'{assignment!r} sets nothing: write name=value, as in betas="[0, 3]".')
        try:
            given[name.strip()] = json.loads(text)
        except (ValueError, RecursionError):
            given[name.strip()] = text
    return given


def parameters(source: Path) -> dict[str, str]:
    """Return the names in a notebook's cell of parameters, with the comments that stand beside them."""
    cell = next(cell for cell in pages.read(source).cells if "parameters" in cell.metadata.get("tags", []))
    lines = cell.source.splitlines()
    return {
        node.targets[0].id: lines[node.lineno - 1].partition("#")[2].strip()
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def _check(source: Path, given: dict[str, Any], profile: str) -> None:
    """Raise SettingRefused for a name that the notebook lacks, or a value that its experiment refuses."""
    known = [name for name in parameters(source) if name not in GIVEN]
    for name in given:
        if name not in known:
            raise SettingRefused(f"{source.stem} has no parameter {name!r}: it has {', '.join(known)}.")
    experiment = registry.load("lil.experiments", source.stem)
    changes.apply(registry.settings(experiment, profile), given)


def _slug(given: dict[str, Any], profile: str) -> str:
    """Return a folder's name for some settings: ``quick-betas-0-3-epochs-500``, and a hash in place of a long end."""
    text = " ".join([*([] if profile == "paper" else [profile]), *(f"{name} {value}" for name, value in given.items())])
    name = re.sub(r"[^\w.]+", "-", text).strip("-")
    return name if len(name) <= 100 else f"{name[:91]}-{keys.digest(text)[:8]}"


def to_html(notebook: Path) -> Path:
    """Return a page in the book's look, made of an executed notebook by Jupyter Book, beside it."""
    folder = notebook.parent
    start = "from jupyter_book.cli.main import main; main()"  # its program may lie in another folder
    options: list[str | Path] = ["--path-output", folder, "--config", pages.ROOT / "_config.yml"]
    command = [sys.executable, "-c", start, "build", notebook, *options]
    done = subprocess.run(command, capture_output=True, text=True)
    built = next(folder.rglob(f"{notebook.stem}.html"), None)
    if done.returncode or built is None:
        last = (done.stderr.strip().splitlines() or ["no page was made"])[-1]
        raise NotRerun(f"{notebook} was executed and no page made of it: {last}")
    return built


def open_lab(name: str | None = None) -> int:
    """Open JupyterLab in the folder of the notebooks, where their text opens as a notebook; return its exit status.

    Raises NotRerun where JupyterLab is not installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise NotRerun(
            "JupyterLab is not in this environment: `make lab` installs and opens it, or install the packages of "
            "requirements-lab.lock."
        )
    opened = [str(source_of(name))] if name else [f"--notebook-dir={pages.SOURCES}"]
    with tempfile.TemporaryDirectory() as scratch:
        overrides = Path(scratch) / "labconfig" / "default_setting_overrides.json"
        overrides.parent.mkdir()
        viewers = {"defaultViewers": {"python": "Jupytext Notebook"}}
        overrides.write_text(json.dumps({"@jupyterlab/docmanager-extension:plugin": viewers}), encoding="utf-8")
        paths = os.pathsep.join(filter(None, [scratch, os.environ.get("JUPYTER_CONFIG_PATH")]))
        command = [sys.executable, "-m", "jupyterlab", *opened]
        return subprocess.run(command, env={**os.environ, "JUPYTER_CONFIG_PATH": paths}).returncode


def copy_notebook(name: str, target: Path) -> Path:
    """Write a notebook as an ``.ipynb`` that papermill and Jupyter open, and return its path.

    Raises NotRerun where that cannot be written.
    """
    source = source_of(name)
    target = target if target.suffix == ".ipynb" else target / f"{source.stem}.ipynb"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pages.write(pages.read(source), target)
    except OSError as reason:
        raise NotRerun(f"{target} cannot be written ({reason.strerror}): name another folder.") from reason
    return target
