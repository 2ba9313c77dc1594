"""Notebooks become pages: reproducibly, wholly or not at all."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from lil.paper import pages
from lil.results.errors import NotRerun

SOURCE = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Title

# %% tags=["parameters"]
profile = "paper"
mode = "auto"

# %% tags=["nbval-check-output"]
import sys
print(profile, mode)
print("a warning", file=sys.stderr)

# %%
print("not checked")
{last}
"""
PNG = b"\x89PNG not really"
FIGURE = f'''
# %% mystnb={{"figure": {{"caption": "A", "name": "fig-a"}}, "image": {{"alt": "a"}}}}
from IPython.display import display
display({{"image/png": "{base64.b64encode(PNG).decode()}"}}, raw=True)
'''


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "sources" / "fig0.py"
    path.parent.mkdir()
    path.write_text(SOURCE.format(last=FIGURE))
    return path


def outputs(notebook):
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def test_two_executions_write_the_same_page(source, tmp_path):
    texts = []
    for folder in ("a", "b"):
        pages.execute(source, tmp_path / folder / "fig0.ipynb", profile="quick", mode="live")
        page = json.loads((tmp_path / folder / "fig0.ipynb").read_text("utf-8"))
        run = page["metadata"].pop("lil")
        assert run["seconds"] > 0 and run["peak_memory_mb"] > 10
        assert run.items() >= {"profile": "quick", "mode": "live"}.items()
        texts.append(json.dumps(page))
    assert texts[0] == texts[1]


def test_the_page_has_its_parameters_and_no_trace_of_the_run(source, tmp_path):
    target = tmp_path / "nb" / "fig0.ipynb"
    pages.execute(source, target, profile="quick", mode="live")
    notebook = nbformat.read(target, as_version=4)
    nbformat.validate(notebook)
    (printed,) = outputs(notebook)[2]
    assert printed.text == "quick live\n"  # and stderr is gone
    injected = notebook.cells[2]
    assert injected.metadata["tags"] == ["injected-parameters", "remove-cell"]
    assert [cell.id for cell in notebook.cells] == [f"cell-{i:03d}" for i in range(len(notebook.cells))]
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1, 2, 3, 4, 5]
    assert str(tmp_path) not in target.read_text("utf-8")
    assert [path.name for path in target.parent.iterdir()] == ["fig0.ipynb"]


def test_a_failing_cell_leaves_the_old_page_whole(source, tmp_path):
    target = tmp_path / "nb" / "fig0.ipynb"
    target.parent.mkdir()
    target.write_text("the old page")
    source.write_text(SOURCE.format(last='raise RuntimeError("no")'))
    with pytest.raises(papermill.PapermillExecutionError, match="RuntimeError: no"):
        pages.execute(source, target, profile="quick", mode="live")
    assert target.read_text("utf-8") == "the old page"
    failed = nbformat.read(tmp_path / "nb" / "fig0.part.ipynb", as_version=4)
    assert outputs(failed)[-1][-1].ename == "RuntimeError"


def test_a_reference_keeps_only_what_is_checked(source, tmp_path, capsys):
    before = dict(os.environ)
    pages.make_references([source], tmp_path)
    assert dict(os.environ) == before
    reference = nbformat.read(tmp_path / "fig0.ipynb", as_version=4)
    assert [len(each) for each in outputs(reference)] == [0, 0, 1, 0, 0]
    assert "lil" not in reference.metadata
    assert [path.name for path in tmp_path.glob("*.ipynb")] == ["fig0.ipynb"]
    assert capsys.readouterr().out == "fig0 … written\n"


def test_pages_are_made_one_after_another_with_a_line_each(source, tmp_path, capfd):
    pages.make_pages([source], tmp_path / "nb", profile="quick", mode="live")
    (line,) = capfd.readouterr().out.splitlines()
    assert line.startswith("[1/1] fig0 … ") and line.endswith(" MiB")


@pytest.mark.slow
def test_the_command_says_its_lines_and_nothing_else(tmp_path):
    command = [
        sys.executable,
        "-m",
        "lil.paper",
        "book",
        "--mode",
        "recorded",
        "--folder",
        str(tmp_path),
        "fig1_mappings",
    ]
    done = subprocess.run(command, cwd=pages.ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "" and done.stdout.startswith("[1/1] fig1_mappings … ") and done.stdout.count("\n") == 1


def test_an_unknown_notebook_is_named(source):
    assert pages.find_sources(folder=source.parent) == [source]
    with pytest.raises(FileNotFoundError, match=r"^no notebook named 'a\\nb', 'fig9' in .* there are fig0"):
        pages.find_sources(["fig9", "a\nb"], folder=source.parent)


def test_a_failure_in_the_process_of_a_page_says_what_failed(source, tmp_path):
    source.write_text(SOURCE.format(last='raise RuntimeError("no")'))
    with pytest.raises(papermill.PapermillExecutionError, match="RuntimeError: no"):
        pages.make_pages([source], tmp_path / "nb", profile="quick", mode="live")


@pytest.fixture
def three(tmp_path):
    """Sources of which the first fails."""
    sources = [tmp_path / f"fig{number}.py" for number in range(3)]
    for source, last in zip(sources, ("1 / 0", "", ""), strict=True):
        source.write_text(SOURCE.format(last=last))
    return sources


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["live", "recorded"])
def test_pages_are_told_in_their_order(three, tmp_path, capsys, mode):
    pages.make_pages(three[1:], tmp_path / "nb", profile="quick", mode=mode)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" …")[0] for line in lines] == ["[1/2] fig1", "[2/2] fig2"]
    assert sorted(path.name for path in (tmp_path / "nb").glob("*.ipynb")) == ["fig1.ipynb", "fig2.ipynb"]


def test_where_pages_compute_none_is_begun_after_a_failure(three, tmp_path):
    with pytest.raises(papermill.PapermillExecutionError):
        pages.make_pages(three, tmp_path / "nb", profile="quick", mode="live")
    assert [path.name for path in (tmp_path / "nb").iterdir()] == ["fig0.part.ipynb"]


@pytest.mark.slow
def test_where_they_do_not_a_failure_is_told_too(three, tmp_path):
    with pytest.raises(papermill.PapermillExecutionError):
        pages.make_pages(three, tmp_path / "nb", profile="quick", mode="recorded")
    assert not (tmp_path / "nb" / "fig0.ipynb").exists()


def test_figures_are_drawn_into_the_page_whatever_the_backend(source, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    drawing = "import matplotlib.pyplot as plt\nfrom lil import plotting\nplotting.style()\nplt.plot([1, 2]);"
    source.write_text(SOURCE.format(last=drawing))
    notebook = pages.execute(source, tmp_path / "fig0.ipynb", profile="quick", mode="live")
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook)[-1])


def test_a_page_without_its_figure_fails_where_it_is_made(source, tmp_path, monkeypatch):
    """Agg draws into no page, and the cell succeeds."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    options = {"figure": {"caption": "A", "name": "fig-a"}, "image": {"alt": "a"}}
    drawing = f"# %% mystnb={json.dumps(options)}\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    source.write_text(SOURCE.format(last=f"\n{drawing}"))
    with pytest.raises(NotRerun, match="^fig0 shows no picture for its figure fig-a: see its cell in .*part.ipynb"):
        pages.execute(source, tmp_path / "fig0.ipynb", profile="quick", mode="live")
    assert not (tmp_path / "fig0.ipynb").exists()


def test_a_relative_folder_of_data_is_the_same_for_the_kernel(source, tmp_path, monkeypatch):
    """The kernel runs in the folder of the notebook."""
    monkeypatch.chdir(tmp_path)
    source.write_text(SOURCE.format(last="import os\nprint(os.environ['LIL_DATA'])"))
    for given, meant in (("data", tmp_path / "data"), ("~/data", Path.home() / "data")):
        monkeypatch.setenv("LIL_DATA", given)
        notebook = pages.execute(source, tmp_path / "fig0.ipynb", profile="quick", mode="live")
        assert outputs(notebook)[-1][0].text == f"not checked\n{meant}\n"
