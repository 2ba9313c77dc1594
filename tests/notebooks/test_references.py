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
import tolerance

from lil.paper import shipped
from lil.paper.pages import CHECKED, ONE_THREAD, REFERENCES, ROOT, find_sources, read
from tests.trust import machines

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


def checked_decimals():
    """Yield notebook, cell, outputs and executions of each cell of which decimals are checked."""
    executions = tolerance.read_executions(tolerance.EXECUTIONS)
    for _, reference in PAIRS:
        for position, cell in enumerate(code(opened(reference))):
            if CHECKED in cell.metadata.get("tags", []) and tolerance.decimals(cell.outputs):
                name = f"Cell {position}"
                others = executions.get(reference.stem, {}).get(name, {})
                yield reference.stem, name, cell.outputs, {words: line.split() for words, line in others.items()}


RENEW = (
    "after `make references`, `make test-machines VARIANTS=bands ONLY={}` lets the simulated machines execute it too"
)


def test_each_decimal_was_found_by_every_machine():
    words = {each.words for each in machines.VARIANTS.values() if not each.resolution}
    for notebook, cell, outputs, executions in checked_decimals():
        counts = {len(found) for found in executions.values()}
        assert set(executions) == words and counts == {len(tolerance.decimals(outputs))}, (
            f"{notebook}, {cell}: {RENEW.format(notebook)}."
        )


def test_the_reference_is_near_what_the_machines_found():
    for notebook, cell, outputs, executions in checked_decimals():
        shares = tolerance.shares(tolerance.decimals(outputs), tolerance.ranges(list(executions.values())))
        assert max(shares) <= 1, f"{notebook}, {cell}: {RENEW.format(notebook)}."


def test_no_range_is_so_wide_that_a_mistake_could_hide_in_it():
    for notebook, cell, outputs, executions in checked_decimals():
        for low, high in tolerance.ranges([tolerance.decimals(outputs), *executions.values()]):
            accepted = (1 + 2 * tolerance.FACTOR) * (high - low)
            assert accepted <= tolerance.WIDEST * max(abs(low), abs(high)), (
                f"{notebook}, {cell}: a decimal from {low} to {high} is not checked by this: make it well-conditioned."
            )


def test_the_book_tells_how_many_executions_there_are_and_what_their_ranges_admit():
    machines_too = sum(not each.resolution for each in machines.VARIANTS.values())
    page, contents, readme = (
        " ".join((ROOT / name).read_text("utf-8").split())
        for name in ("book/tested.md", "book/contents.md", "README.md")
    )
    assert machines_too + 1 == 9 and all("nine executions" in text for text in (page, contents, readme))
    assert tolerance.FACTOR == 1 and "by the range's width, and by one unit of its last digit" in page
    assert f"differ by more than {tolerance.WIDEST:.0%}" in page


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
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(HERE / "faults"), "PLANTED": fault}
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
