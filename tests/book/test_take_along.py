"""The files that a reader takes along from the built book, and the card that others see of it."""

import json
import re
import shutil
import subprocess
import zipfile
from html import unescape

import pytest
from crate_rules import check
from test_build import PAGES, STEMS, Elements

from lil.paper import pdf
from lil.paper.pages import ROOT, find_sources


def heading(page):
    """Return the title of a page as it is read."""
    inner = re.search(r"<h1>(.*?)<a class=\"headerlink\"", page).group(1)  # the theme has an h1 of its own before
    return unescape(re.sub("<[^>]*>", "", inner))


def links_below_figures(text):
    return [
        attributes["href"]
        for tag, attributes in Elements(text).found
        if tag == "a" and attributes.get("href", "").startswith("../_downloads/")
    ]


@pytest.mark.parametrize("stem", STEMS)
def test_each_figure_of_a_page_and_its_data_can_be_taken_along(html, stem):
    text = (html / "nb" / f"{stem}.html").read_text("utf-8")
    addresses = links_below_figures(text)
    figures = [attributes for tag, attributes in Elements(text).found if tag == "figure"]
    assert addresses.count(f"../_downloads/{stem}.zip") == len(figures) > 0
    assert all((html / "nb" / address).is_file() for address in addresses)
    pictures = [address for address in addresses if not address.endswith(".zip")]
    assert len(pictures) == text.count("<figure") - text.count('class="plotly-figure"')
    lines = re.findall('<p class="figure-line">(.*?)</p>', text)
    assert len(lines) == len(figures)
    drawn = [line for line in lines if "lil reproduce" not in line]
    assert [line.partition(" of")[0] for line in drawn] == (["Figure 1B"] if stem == "fig1_mappings" else [])
    of_the_paper = [line for line in lines if " of the paper · " in line]
    assert of_the_paper == (lines if re.match(r"[\d. ]*(Appendix )?(Figure|Table) [^ ]+:", heading(text)) else [])
    with zipfile.ZipFile(html / "_downloads" / f"{stem}.zip") as archive:
        assert any(name.endswith(".csv") for name in archive.namelist()) and archive.testzip() is None


def test_all_notebooks_come_as_one_archive(html):
    with zipfile.ZipFile(html / "_downloads" / "notebooks.zip") as archive:
        names = set(archive.namelist())
    assert names == {f"notebooks/sources/{path.name}" for path in find_sources()} | {
        f"notebooks/executed/{stem}.ipynb" for stem in STEMS
    }


def test_the_book_is_a_research_object(html):
    entities = check(json.loads((html / "ro-crate-metadata.json").read_text("utf-8")), html)
    assert {f"{page}.html" for page in PAGES} <= set(entities)
    assert {f"_downloads/{stem}.zip" for stem in STEMS} <= set(entities)


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_a_card(html, name):
    found = Elements((html / f"{name}.html").read_text("utf-8")).found
    card = {each["property"]: each["content"] for tag, each in found if tag == "meta" and "property" in each}
    assert card["og:title"] and len(card["og:description"]) > 20
    assert (html / name).parent.joinpath(card["og:image"]).resolve() == (html / "_static" / "rings.png").resolve()
    assert "<" not in card["og:title"]


def test_the_book_as_a_pdf_is_whole(html):
    printed = html / "_downloads" / pdf.NAME
    if not printed.exists() or shutil.which("pdftotext") is None:
        pytest.skip(
            f"{pdf.NAME} or pdftotext is not there: `make pdf html` makes the one, poppler-utils has the other."
        )
    assert printed.stat().st_size < 40e6
    text = subprocess.run(["pdftotext", "-layout", printed, "-"], capture_output=True, text=True, check=True).stdout
    assert text.count("\f") > 50
    for sign in ("$", "\\(", "\\[", "\\frac", "mjx-", "JavaScript"):
        assert sign not in text, f"{sign!r} is in the text of the PDF"
    whole = "".join(text.split())
    for page in PAGES:
        title = heading((html / f"{page}.html").read_text("utf-8"))
        assert "".join(title.split()) in whole, f"the PDF lacks {title}"


def test_the_list_of_data_names_what_the_code_reads():
    required = json.loads((ROOT / "binder" / "data_requirement.json").read_text("utf-8"))
    assert set(required) == {"src", "dst", "projectName"}
    assert "MNIST(_dst, download=True)" in required["src"] and "CIFAR10(_dst, download=True)" in required["src"]
    compile(required["src"].replace("_dst", repr("folder")), "src", "exec")
