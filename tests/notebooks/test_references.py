"""The references that nbval compares with would show a fault: they are executed, checked, current, and tried."""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from lil.paper import shipped
from lil.paper.pages import CHECKED, ONE_THREAD, REFERENCES, ROOT, find_sources, read

HERE = Path(__file__).parent
PAIRS = [(source, REFERENCES / f"{source.stem}.ipynb") for source in find_sources()]
each_pair = pytest.mark.parametrize(("source", "reference"), PAIRS, ids=[source.stem for source, _ in PAIRS])

# Trained with the isometry term, and the quickest: this one has to notice both faults.
WITNESS = "fig1_mappings"


def opened(reference):
    def parse(text):
        try:
            return nbformat.reads(text, as_version=4)
        except Exception as reason:  # nbformat has many words for what is no notebook
            raise ValueError(str(reason)) from reason

    return shipped.read(reference, parse)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_each_notebook_has_a_reference_and_each_reference_a_notebook():
    assert sorted(REFERENCES.glob("*.ipynb")) == [reference for _, reference in PAIRS]


def hooks(request, folder):
    """The hooks of a folder's conftest."""
    plugins = request.config.pluginmanager.get_plugins()
    (found,) = [each for each in plugins if getattr(each, "__file__", "") == str(folder / "conftest.py")]
    return found


def marks(conftest, *files):
    """The marks that hooks give to a test of each file."""
    given: dict[str, list[pytest.MarkDecorator]] = {file: [] for file in files}
    conftest.pytest_collection_modifyitems(
        [SimpleNamespace(nodeid=f"{file}::Cell 3", add_marker=given[file].append) for file in files]
    )
    return given


def test_make_test_runs_the_papers_own_notebooks_and_experiments(request):
    (figures,) = re.findall(r"^FIGURES := (.*)$", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    shown = [*figures.split(), "table1"]
    fast = {f"tests/notebooks/{stem}.ipynb" for stem in shown} | {f"tests/experiments/test_{stem}.py" for stem in shown}
    every = [*(ROOT / "tests/notebooks").glob("*.ipynb"), *(ROOT / "tests/experiments").glob("test_*.py")]
    others = {"tests/test_naive.py", "tests/notebooks/test_sources.py", "tests/recipes/test_sweep.py"}
    given = marks(hooks(request, HERE.parent), *(path.relative_to(ROOT).as_posix() for path in every), *others)
    slow = {file for file, each in given.items() if "slow" in [mark.name for mark in each]}
    assert given.keys() - slow == fast | others


def test_the_page_that_counts_loops_is_skipped_where_gudhi_has_no_build(request, monkeypatch):
    conftest = hooks(request, HERE)
    files = [f"tests/notebooks/{stem}.ipynb" for stem in ("fig1_mappings", "fig2_rings")]
    assert bool(marks(conftest, *files)[files[1]]) is (importlib.util.find_spec("gudhi") is None)
    monkeypatch.setitem(sys.modules, "gudhi", None)
    plain, skipped = marks(conftest, *files).values()
    assert not plain and [mark.kwargs["reason"] for mark in skipped] == [
        "GUDHI, which counts loops, has no build for this platform"
    ]


@each_pair
def test_it_was_executed_and_has_checked_output(source, reference):
    cells = code(opened(reference))
    assert all(cell.execution_count is not None for cell in cells)
    checked = [cell for cell in cells if CHECKED in cell.metadata.get("tags", [])]
    assert checked and all(cell.outputs for cell in checked)
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)


def shown(cell):
    """Return kind, text and tags: a cell that has lost its tag is no longer checked by nbval."""
    return cell.cell_type, cell.source, cell.metadata.get("tags", [])


@each_pair
def test_it_is_of_the_notebook_as_it_stands(source, reference):
    executed = [cell for cell in opened(reference).cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    assert [shown(cell) for cell in executed] == [shown(cell) for cell in read(source).cells], (
        f"{source.name} has changed: look at what `make references` changes, and commit it with the notebook."
    )


@each_pair
def test_it_runs_live_at_the_quick_profile(source, reference):
    (injected,) = [cell for cell in code(opened(reference)) if "injected-parameters" in cell.metadata.get("tags", [])]
    assert 'profile = "quick"' in injected.source and 'mode = "live"' in injected.source


@each_pair
def test_it_names_no_folder_of_a_machine(source, reference):
    text = reference.read_text("utf-8")
    for folder in (ROOT, Path.home(), Path(tempfile.gettempdir()), Path(sys.prefix)):
        assert f"{folder}{os.sep}" not in text


def nbval(fault: str) -> subprocess.CompletedProcess:
    """nbval on the witness, in a process of its own, with a fault planted."""
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(HERE / "faults"), "PLANTED_FAULT": fault}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbval-lax",
            "--nbval-current-env",
            "-p",
            "no:cacheprovider",
            str(REFERENCES / f"{WITNESS}.ipynb"),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["gradient_sign", "reduction"])
def test_a_planted_fault_turns_nbval_red(fault):
    """Without one it is green: nbval runs the same notebook in these tests too."""
    run = nbval(fault)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "Cell outputs differ" in run.stdout, "it failed, but not because a number moved:\n" + run.stdout
