"""What every notebook's source promises to the pipeline and to the reader."""

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


def test_its_cells_are_sentences(notebook):
    assert max(len(cell.source.splitlines()) for cell in code(notebook)) <= 14
