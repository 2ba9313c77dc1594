"""What every notebook's source promises to the pipeline and to the reader."""

import difflib
import re

import pytest

from lil.paper.pages import find_sources, read

SOURCES = find_sources()


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def notebook(request):
    return read(request.param)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert SOURCES


def test_it_names_its_kernel(notebook):
    assert notebook.metadata["kernelspec"]["name"] == "python3"


def test_it_has_the_two_parameters(notebook):
    cells = [cell for cell in code(notebook) if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    assigned = {}
    exec(cells[0].source, assigned)
    assert (assigned["profile"], assigned["mode"]) == ("paper", "auto")


def test_it_starts_with_a_title_and_has_a_section(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert text.startswith("# ")
    assert "\n## " in text  # the theme fails on a page with margin notes and no section


def test_its_figures_have_caption_name_and_description(notebook):
    for cell in code(notebook):
        options = cell.metadata.get("mystnb", {})
        if "figure" in options:
            assert options["figure"]["caption"] and options["figure"]["name"].startswith("fig-")
            assert len(options["image"]["alt"]) > 20, "describe the figure for those who cannot see it"


def test_figure_names_are_unique():
    names = [
        cell.metadata["mystnb"]["figure"]["name"]
        for source in SOURCES
        for cell in code(read(source))
        if "figure" in cell.metadata.get("mystnb", {})
    ]
    assert len(names) == len(set(names))


def test_its_last_cell_says_how_it_was_made(notebook):
    assert "results.footer(" in code(notebook)[-1].source


def test_its_numbers_come_from_one_call(notebook):
    text = "\n".join(cell.source for cell in code(notebook))
    assert text.count("glue") == text.count("notebook.glue_all(") == 1


def test_it_shows_its_settings_and_the_call_that_computes(notebook):
    sources = [cell.source for cell in code(notebook)]
    assert any(source.startswith("notebook.settings(") for source in sources)
    assert any("results.get(" in source for source in sources)
    hidden = {"hide-input", "hide-output", "hide-cell", "remove-cell", "remove-input", "remove-output"}
    for cell in code(notebook):
        if "notebook.settings(" in cell.source or "results.get(" in cell.source or "glue_all(" in cell.source:
            assert not hidden & set(cell.metadata.get("tags", []))


POSITION = re.compile(r"\.isel\(|(?<!seeds=)\[-?\d+\]|\[::? ?\d+\]|\.iloc\b")


def test_it_selects_by_value(notebook):
    assert [cell.source for cell in code(notebook) if POSITION.search(cell.source)] == []


def test_a_selection_by_position_would_be_seen():
    for source in ("result.isel(beta=0)", "result.seed[0]", "result.beta.values[-1]", "mean.iloc[0]"):
        assert POSITION.search(source)
    for source in ("result.sel(beta=0)", "LIL((3, 20, 2), seeds=[0])", 'TABLE_1["mnist"]'):
        assert not POSITION.search(source)


WORDS = {"fig3_cifar10": "fig3_mnist", "CIFAR10": "MNIST", "cifar10": "mnist", "3B": "3A", "example=1": "example=0"}


def test_figures_3a_and_3b_are_one_template():
    """They differ in the paragraphs on their networks and attacks, and 3B has a section on the attack's precision."""
    ours, theirs = (
        [cell.source for cell in read(*find_sources([stem])).cells] for stem in ("fig3_mnist", "fig3_cifar10")
    )
    for words, other in WORDS.items():
        theirs = [source.replace(words, other) for source in theirs]
    assert len(ours) == len(theirs)
    lines = [line for pair in zip(ours, theirs, strict=True) for line in difflib.ndiff(*map(str.splitlines, pair))]
    assert sum(line.startswith(("+ ", "- ")) for line in lines) <= 30


def test_its_cells_are_sentences(notebook):
    assert max(len(cell.source.splitlines()) for cell in code(notebook)) <= 14
