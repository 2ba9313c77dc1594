"""Notebooks as pages: a Jupytext source becomes an executed notebook for the book, or a reference for nbval.

``python -m lil.paper book`` fills ``book/nb``, and ``references`` fills ``tests/notebooks``.

Two runs of a page differ only where it prints a time or a number that moved: cell ids follow from the cells'
positions, and the traces of the run (time stamps, papermill's notes, stderr) are dropped.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from lil.paper.downloads import write_figures
from lil.paper.kernels import CopiedKernel, OwnKernel
from lil.results import files
from lil.results.errors import NotRerun

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "notebooks"
PAGES = ROOT / "book" / "nb"
REFERENCES = ROOT / "tests" / "notebooks"

CHECKED = "nbval-check-output"
GLUED = re.compile(r"\{glue:text\}`((?:[^`:]+::)?[^`:]+)(?::([^`:]*))?`")  # a number in a page's words, and its format
PICTURES = {"image/png", "application/vnd.plotly.v1+json"}
# Torch, BLAS and numba add in another order on another number of threads, and training amplifies the last digit.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

# What a process imports once for all pages: the page's own side, a kernel, and what every notebook imports.
IMPORTED = ["lil.paper.pages", "papermill", "ipykernel.kernelapp", "lil.plotting", "lil.paper.notebook"]
INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # which matplotlib reads when it is imported


def find_sources(stems: Sequence[str] = (), folder: Path = SOURCES) -> list[Path]:
    """Return the notebooks' sources in ``folder``, sorted by name; with ``stems``, those only.

    Raise FileNotFoundError for a stem without a source, and for a folder without any.
    """
    sources = {path.stem: path for path in sorted(folder.glob("*.py"))}
    if not sources:
        raise FileNotFoundError(f"no notebooks in {folder}: they come with a clone of the project, not with its wheel.")
    unknown = sorted(set(stems) - set(sources))
    if unknown:
        raise FileNotFoundError(
            f"no notebook named {', '.join(map(repr, unknown))} in {folder}: there are {', '.join(sources)}."
        )
    return [path for stem, path in sources.items() if not stems or stem in stems]


def read(source: Path) -> NotebookNode:
    """Return the notebook of a py:percent source, not executed, with cell ids that depend on positions alone."""
    notebook = jupytext.read(source)
    for position, cell in enumerate(notebook.cells):
        cell.id = f"cell-{position:03d}"
    return notebook


def execute(
    source: Path,
    target: Path,
    *,
    profile: str,
    mode: str,
    parameters: Mapping[str, Any] | None = None,
    cell_timeout: int = 3600,
    downloads: Path | None = None,
    progress_bar: bool = False,
    kernel: type[OwnKernel] = OwnKernel,
) -> NotebookNode:
    """Run ``source`` in a new kernel, in its own folder, and write the executed notebook to ``target``.

    ``parameters`` are values for more names of the cell tagged "parameters". With ``downloads``, a folder, the results
    of the notebook go there as ``STEM.zip`` and its figures as ``NAME.svg``: see :mod:`lil.paper.downloads`.

    Until the run has succeeded the notebook stands in ``*.part.ipynb`` (after a failure, with the error in its
    place); ``target`` is either the old page or the whole new one. Raise papermill's PapermillExecutionError where
    a cell fails, and NotRerun where a cell that has a figure's caption shows no picture.
    """
    import papermill

    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part.ipynb")
    start = time.monotonic()
    notebook, kernel_options = read(source), ["--IPKernelApp.log_level=ERROR"]  # it warns: loopback is not encrypted
    if downloads is not None:
        data = str((downloads / f"{source.stem}.zip").resolve())
        last = f"from lil.paper import downloads as _downloads\n_downloads.write_data(globals(), {data!r})"
        notebook.cells.append(new_code_cell(last))
        kernel_options += [f"--InlineBackend.figure_formats={kind}" for kind in ("png", "svg")]
    with _environment(_absolute_data()):  # the kernel runs in the folder of the source
        notebook = papermill.execute_notebook(
            notebook,
            part,
            parameters={"profile": profile, "mode": mode, **(parameters or {})},
            kernel_name="python3",
            kernel_manager_class=kernel,
            cwd=source.parent,
            execution_timeout=cell_timeout,
            progress_bar=progress_bar,
            extra_arguments=kernel_options,
        )
    for cell in notebook.cells:
        shown = {kind for output in cell.get("outputs", []) for kind in output.get("data", {})}
        if "figure" in cell.metadata.get("mystnb", {}) and not PICTURES & shown:
            name = cell.metadata["mystnb"]["figure"]["name"]
            raise NotRerun(f"{source.stem} shows no picture for its figure {name}: see its cell in {part}.")
    if downloads is not None:
        notebook.cells.pop()
        write_figures(notebook, downloads)
    notebook = clean(notebook)
    notebook.metadata["lil"] = {
        "profile": profile,
        "mode": mode,
        "seconds": round(time.monotonic() - start, 1),
        "peak_memory_mb": _peak_memory_mb(),
    }
    write(notebook, target)
    part.unlink(missing_ok=True)
    return notebook


def _peak_memory_mb() -> int | None:
    """Return the peak memory in MiB of the largest kernel that this process has run; None on Windows."""
    if resource is None:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 2**20)


def clean(notebook: NotebookNode) -> NotebookNode:
    """Return the executed notebook without the traces of its run; papermill's cell of parameters is hidden."""
    notebook.metadata = nbformat.from_dict({"kernelspec": notebook.metadata["kernelspec"]})
    count = 0
    for position, cell in enumerate(notebook.cells):
        cell.id = f"cell-{position:03d}"
        tags = cell.metadata.get("tags", [])
        kept = {key: cell.metadata[key] for key in ("tags", "mystnb") if key in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*dict.fromkeys([*tags, "remove-cell"])]
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count  # never None: nbval does not check a cell without a count
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    return notebook


def keep_checked_outputs(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook with only the outputs that nbval compares: a reference holds nothing that may differ.

    Of a table that is its plain text: HTML would hold the same numbers again.
    """
    notebook.metadata.pop("lil")
    for cell in notebook.cells:
        if cell.cell_type == "code" and CHECKED not in cell.metadata.get("tags", []):
            cell.outputs = []
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("text/html", None)
    return notebook


def glued(notebook: NotebookNode) -> dict[str, str]:
    """Return the values that the cells of an executed notebook hand to its words, as plain text, by their names."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    named = {one.metadata["scrapbook"]["name"]: one.data for one in outputs if "scrapbook" in one.get("metadata", {})}
    return {name: text for name, data in named.items() for kind, text in data.items() if kind.endswith("text/plain")}


def make_pages(sources: Sequence[Path], folder: Path, *, profile: str, mode: str) -> None:
    """Execute each source into ``folder`` and print its cost, one after another.

    In mode "recorded" nothing is computed, and one page a processor is executed at a time, and one more while kernels
    start and stop. Each has a process of its own, so that its peak memory is its own.
    """
    at_once = (os.cpu_count() or 1) + 1 if mode == "recorded" else 1
    copied = sys.platform == "linux"  # elsewhere libraries need not outlive the copying of a process
    context = multiprocessing.get_context("forkserver" if copied else "spawn")
    context.set_forkserver_preload(IMPORTED)
    how: dict[str, Any] = dict(profile=profile, mode=mode, downloads=folder / "downloads")
    how["kernel"] = CopiedKernel if copied else OwnKernel
    with _environment(INLINE), ProcessPoolExecutor(at_once, context, max_tasks_per_child=1) as pool:
        submitted = (pool.submit(execute, source, folder / f"{source.stem}.ipynb", **how) for source in sources)
        runs = submitted if at_once == 1 else list(submitted)  # each when the one before is done, or all
        try:
            for number, (source, run) in enumerate(zip(sources, runs, strict=True), start=1):
                print(f"[{number}/{len(sources)}] {source.stem} …", end=" ", flush=True)
                about = run.result().metadata["lil"]
                print(f"{about['seconds']:.0f} s, {about['peak_memory_mb'] or '–'} MiB", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)  # after a failure, what has not begun


def make_references(sources: Sequence[Path], folder: Path = REFERENCES) -> None:
    """Execute each source live at the quick scale on one thread and keep the outputs that nbval compares."""
    for source in sources:
        print(f"{source.stem} …", end=" ", flush=True)
        target = folder / f"{source.stem}.ipynb"
        with one_thread(), tempfile.TemporaryDirectory() as scratch:  # a failed run leaves nothing for nbval to collect
            reference = execute(source, Path(scratch) / target.name, profile="quick", mode="live")
        write(keep_checked_outputs(reference), target)
        print("written", flush=True)


def one_thread() -> AbstractContextManager[None]:
    """Make processes that are started inside compute on one thread."""
    return _environment(ONE_THREAD)


def _absolute_data() -> dict[str, str]:
    """Return LIL_DATA, where it is set, as it is understood from this folder."""
    data = os.environ.get("LIL_DATA")
    return {"LIL_DATA": os.path.abspath(os.path.expanduser(data))} if data else {}  # noqa: PTH100, PTH111, as images does


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Give variables of the environment other values inside."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def write(notebook: NotebookNode, target: Path) -> None:
    """Replace a notebook."""
    files.replace(target, nbformat.writes(notebook) + "\n")
