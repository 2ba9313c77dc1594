"""The numbers in the descriptions of a notebook's figures, as Sphinx reads them."""

from types import SimpleNamespace

import nbformat
import pytest

from lil.paper import sphinx_pages

APP = SimpleNamespace(env=SimpleNamespace(doc2path=lambda page: f"book/{page}.{'md' if page == 'intro' else 'ipynb'}"))


def page(alt):
    """Return the source of an executed notebook with two glued numbers and one described figure."""
    glued = [
        nbformat.v4.new_output("display_data", {f"{kind}text/plain": text}, metadata={"scrapbook": {"name": name}})
        for name, text, kind in (("fig_clean", "0.9625", "application/papermill.record/"), ("fig_gain", "'+0.5'", ""))
    ]
    figure = {"figure": {"caption": "n: {glue:text}`fig_clean`", "name": "fig-a"}, "image": {"alt": alt}}
    cells = [nbformat.v4.new_code_cell(outputs=glued), nbformat.v4.new_code_cell(metadata={"mystnb": figure})]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells))


def described(alt):
    source = [page(alt)]
    sphinx_pages.describe_figures(APP, "nb/fig", source)
    figure = nbformat.reads(source[0], 4).cells[1].metadata.mystnb
    assert figure.figure.caption == "n: {glue:text}`fig_clean`", "the role works in a caption"
    return figure.image.alt


def test_glued_numbers_stand_in_a_description_as_in_the_text():
    assert described("From {glue:text}`fig_clean:.2f` by {glue:text}`fig_gain` {x}") == "From 0.96 by +0.5 {x}"


@pytest.mark.parametrize(
    "number, why", [("fig_claen:.2f", "fig_claen: no cell glues it"), ("fig_gain:q", "fig_gain: Unknown format code")]
)
def test_a_number_that_cannot_be_shown_is_one_warning_with_page_and_name(number, why, monkeypatch):
    said = []
    monkeypatch.setattr(sphinx_pages, "LOGGER", SimpleNamespace(warning=lambda text, **where: said.append(text)))
    assert described(f"From {{glue:text}}`{number}` to {{glue:text}}`fig_gain`") == "From – to +0.5"
    (text,) = said
    assert text.startswith(f"a figure's description on nb/fig cannot show {why}")


def test_pages_in_markdown_are_left_alone():
    source = ["# Title\n\n{glue:text}`fig_clean`\n"]
    sphinx_pages.describe_figures(APP, "intro", source)
    assert source == ["# Title\n\n{glue:text}`fig_clean`\n"]
