"""A small book on paper: title page, contents with page numbers, formulas, open folds, and a picture of what turns."""

import json
import os
import re
import shutil
import subprocess

import nbformat
import plotly.graph_objects as go
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lil.paper import pdf
from lil.paper.sphinx_figures import PLOTLY_MIME
from lil.paper.sphinx_pages import take_along

CONFIG = """\
title: A small book
only_build_toc_files: true
execute: {execute_notebooks: "off"}
parse: {myst_enable_extensions: [colon_fence, dollarmath]}
sphinx:
  config:
    extensions: [sphinx_togglebutton, sphinx_copybutton, myst_nb, jupyter_book, sphinx_comments, sphinx_external_toc,
                 sphinx_design, sphinx_book_theme, lil.paper.sphinx_figures, lil.paper.sphinx_finish]
    mathjax_path: mathjax/tex-mml-chtml.js
"""
TOC = "{format: jb-book, root: intro, chapters: [{file: theory}, {file: nb/figure}]}"
INTRO = "# A small book\n\nIt begins with $x^2$ and {eq}`sum`.\n\n## Next\n\nMore."
THEORY = """\
# Theory

```{math}
:label: sum
\\sum_i x_i = \\mathbb{E}[y]
```

:::{dropdown} Proof
A proof that was folded.
:::

| setting | test | value |
|---|---|---|
| `{LONG}` | {LONG} | {LONG} |

````{raw} html
<noscript><p>Words for those without scripts.</p><img src="_downloads/still.svg" alt="A still picture"></noscript>
<div class="play">A canvas.</div>
````
""".replace("{LONG}", "tests/a_folder/test_a_file.py::test_of_a_name_that_ends_in_the_last_word")


def cell(tags, output, **metadata):
    return new_code_cell("drawn()", metadata={"tags": tags, **metadata}, outputs=[output], execution_count=1)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("small")
    book = root / "book"
    (book / "nb").mkdir(parents=True)
    for path, text in ((root / "_config.yml", CONFIG), (root / "_toc.yml", TOC), (book / "theory.md", THEORY)):
        path.write_text(text)
    (book / "intro.md").write_text(INTRO)
    (book / "assets").mkdir()
    still = book / "nb" / "downloads" / "still.svg"
    still.parent.mkdir()
    still.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20"><text y="9">Still.</text></svg>')
    figure = go.Figure(
        go.Scatter3d(x=[0, 1], y=[0, 1], z=[0, 1], mode="markers", marker=dict(color="#ff0000", size=40))
    )
    figure.update_layout(height=400, template="none")
    moving = new_output("display_data", {PLOTLY_MIME: json.loads(figure.to_json())})
    long = new_output("stream", name="stdout", text="A long table.")
    cells = [
        new_markdown_cell("# A figure\n\nWhat is seen?\n\n## Here"),
        cell(["hide-input"], moving, mystnb={"figure": {"caption": "It turns.", "name": "fig-turn"}}),
        cell(["hide-cell"], long),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), book / "nb" / "figure.ipynb")
    return root


@pytest.fixture(scope="module")
def printed(root):
    try:
        pdf.browser()
    except pdf.NotPrinted as reason:
        pytest.skip(str(reason))
    return pdf.make(root, root / "_build" / "small.pdf")


def text(printed):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (Debian: apt-get install poppler-utils).")
    pages = subprocess.run(["pdftotext", "-layout", printed, "-"], capture_output=True, text=True, check=True).stdout
    return pages.split("\f")


@pytest.mark.slow
def test_the_contents_name_the_pages_on_which_the_chapters_begin(printed):
    pages = text(printed)
    contents = dict(re.findall(r"(?:\d\. )?(A small book|Theory|A figure) +(\d+)", pages[1]))
    assert len(contents) == 3
    for title, number in contents.items():
        assert pages[int(number) - 1].lstrip(" 12.\n").startswith(title)


@pytest.mark.slow
def test_everything_is_printed_but_code_and_what_plays(printed):
    whole = "\n".join(text(printed))
    for words in (
        "A proof that was folded.",
        "Words for those without scripts.",
        "A long table.",
        "It turns.",
        "∑",
        "Still.",
    ):
        assert words in whole
    for words in ("drawn()", "A canvas.", "\\sum", "$", "#"):
        assert words not in whole


@pytest.mark.slow
def test_a_table_of_long_names_is_no_wider_than_the_page(printed):
    """Text beyond the margin is cut off, so that it is not in the file."""
    assert "".join(text(printed)).count("word") == 3


@pytest.mark.slow
def test_what_turns_is_a_picture_and_not_blank(printed, tmp_path):
    if shutil.which("pdfimages") is None:
        pytest.skip("pdfimages is not installed (Debian: apt-get install poppler-utils).")
    from matplotlib import image

    subprocess.run(["pdfimages", "-png", printed, tmp_path / "picture"], check=True)
    pictures = [image.imread(path)[..., :3] for path in tmp_path.glob("picture-*.png")]
    red = [(each[..., 0] > 0.6) & (each[..., 1:].max(-1) < 0.3) for each in pictures if each.ndim == 3]
    assert max(each.sum() for each in red) > 1000


@pytest.mark.slow
def test_nothing_half_made_stays(root, printed, monkeypatch):
    before = printed.read_bytes()
    assert [path.name for path in printed.parent.iterdir()] == ["small.pdf"]
    monkeypatch.setattr(pdf, "build_single_page", lambda root, scratch: scratch / "absent.html")
    with pytest.raises(Exception, match="ERR_FILE_NOT_FOUND"):
        pdf.make(root, printed)
    assert printed.read_bytes() == before


@pytest.mark.slow
def test_a_picture_that_is_not_there_is_named(root, printed, tmp_path):
    shutil.copytree(root, tmp_path / "root", ignore=shutil.ignore_patterns("still.svg"))
    with pytest.raises(pdf.NotPrinted, match="not there: _downloads/still.svg"):
        pdf.make(tmp_path / "root", tmp_path / "small.pdf")


def test_a_page_that_sphinx_cannot_write_is_named(root, tmp_path):
    with pytest.raises(pdf.NotPrinted, match="Sphinx wrote no page"):
        pdf.build_single_page(root / "book", tmp_path)


def test_without_a_browser_one_line_says_so(monkeypatch, tmp_path, capsys):
    old = tmp_path / "_build" / pdf.NAME
    old.parent.mkdir()
    old.write_text("of an older book")
    monkeypatch.setattr(pdf, "ROOT", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert (pdf.main([]), pdf.main(["--if-possible"])) == (1, 0)
    assert capsys.readouterr().err.count("No PDF was made: the PDF needs a Chromium") == 2
    assert not old.exists()


def test_the_pages_link_to_the_pdf_only_where_it_was_made(tmp_path):
    assert pdf.NAME not in take_along(tmp_path) and "notebooks.zip" in take_along(tmp_path)
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build" / pdf.NAME).write_text("a PDF")
    assert f'href="_downloads/{pdf.NAME}"' in take_along(tmp_path)
    page = tmp_path / "book" / "nb" / "newer.ipynb"
    page.parent.mkdir(parents=True)
    page.write_text("{}")
    os.utime(tmp_path / "_build" / pdf.NAME, (0, 0))
    assert pdf.NAME not in take_along(tmp_path)
