"""Every page has its place in the book, and stands on its own."""

import re
from html.parser import HTMLParser

import pytest
import yaml

from lil.paper.judging import EXPERIMENTS
from lil.paper.ledger import CLAIMS
from lil.paper.pages import ROOT, find_sources
from lil.results import registry

STEMS = [source.stem for source in find_sources()]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = [TOC["root"], *(chapter["file"] for part in TOC["parts"] for chapter in part["chapters"])]


def test_each_notebook_has_its_place_in_the_table_of_contents():
    assert sorted(page for page in PAGES if page.startswith("nb/")) == [f"nb/{stem}" for stem in STEMS]


def test_each_page_of_the_book_has_its_place_too():
    folder = ROOT / "book"
    written = {str(path.relative_to(folder).with_suffix("")) for path in folder.glob("**/*.md")}
    assert written == {page for page in PAGES if not page.startswith("nb/")}


@pytest.mark.parametrize("page", ["README.md", "book/contents.md"])
def test_the_commands_of_a_table_recompute_every_experiment_once(page):
    commands = re.findall(r"^\|.*`lil reproduce ([^`]+)`", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert sorted(" ".join(commands).split()) == sorted(registry.names(EXPERIMENTS))


class Elements(HTMLParser):
    """All elements of a page, as (tag, attributes)."""

    def __init__(self, text: str):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@pytest.fixture(params=PAGES)
def page(html, request):
    return (html / f"{request.param}.html").read_text("utf-8")


def test_every_picture_is_described(page):
    article = re.search(r'<article class="bd-article">.*</article>', page, re.S).group()
    for tag, attributes in Elements(article).found:
        if tag == "img":
            assert attributes.get("alt"), attributes
        if attributes.get("class", "") == "plotly-figure":
            assert attributes["aria-label"], "a plotly figure without a description"


def test_the_first_page_shows_the_picture_that_its_caption_describes(html):
    """The drawing of lil.plotting.cover, for a light and a dark page, and not the UMAP layouts of Figure 2."""
    pictures = [each["src"] for tag, each in Elements((html / "intro.html").read_text("utf-8")).found if tag == "img"]
    for name in ("rings.svg", "dark/rings.svg"):
        assert f"_images/{name}" in pictures
        assert (html / "_images" / name).read_bytes() == (ROOT / "book" / "assets" / name).read_bytes()


def test_nothing_is_loaded_from_elsewhere(page):
    for tag, attributes in Elements(page).found:
        if tag in ("script", "img", "iframe", "source") or (tag == "link" and attributes.get("rel") != "canonical"):
            address = attributes.get("src") or attributes.get("href") or ""
            assert not address.startswith(("http:", "https:", "//")), (tag, attributes)


def weight(page, folder):
    """Return the bytes of a page with its own scripts, those below ``_static/play``, and without its pictures."""
    addresses = [attributes.get("src") or "" for tag, attributes in Elements(page).found if tag == "script"]
    own = [folder / address for address in addresses if "_static/play/" in address]
    return len(page.encode()) + sum(script.stat().st_size for script in own)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_at_most_a_megabyte_and_a_half(html, name):
    path = html / f"{name}.html"
    assert weight(path.read_text("utf-8"), path.parent) <= 1.5e6


def test_the_scripts_of_a_page_count_and_shared_ones_do_not(tmp_path):
    script = tmp_path / "_static" / "play" / "own.js"
    script.parent.mkdir(parents=True)
    script.write_text("let a;")
    page = '<script src="_static/plotly.min.js"></script><script defer src="_static/play/own.js"></script>β'
    assert weight(page, tmp_path) == len(page) + 1 + len("let a;")  # β has two bytes


class Rows(HTMLParser):
    """The rows of the bodies of all tables that no fold hides."""

    def __init__(self, text: str):
        super().__init__()
        self.tables, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in ("details", "tbody"):
            self.open.append(tag)
        if tag == "tbody" and "details" not in self.open:
            self.tables.append(0)
        if tag == "tr" and self.open[-1:] == ["tbody"] and "details" not in self.open:
            self.tables[-1] += 1

    def handle_endtag(self, tag):
        if tag in ("details", "tbody"):
            self.open.pop()


@pytest.mark.parametrize("name", PAGES)
def test_a_long_table_is_folded(html, name):
    """The ledger's own table is all that its page opens with."""
    most = len(CLAIMS) if name == "claims" else 12
    assert max(Rows((html / f"{name}.html").read_text("utf-8")).tables, default=0) <= most


def test_a_long_table_would_be_seen():
    table = "<table><thead><tr></tr></thead><tbody>" + 13 * "<tr></tr>" + "</tbody></table>"
    assert Rows(table).tables == [13]
    assert Rows(f"<details>{table}</details>").tables == []


def test_no_number_is_missing(page):
    assert "glue:" not in page and "mystnb.glue" not in page
