"""The whole book as one PDF: ``python -m lil.paper.pdf`` makes it of the executed pages, as ``make pdf`` does.

``make book`` makes it too, where that is possible (``--if-possible``).

Sphinx writes the book as one HTML page, and a Chromium that is installed prints it: ``book/assets/print`` says how. The
browser is asked twice, because the numbers of the pages in the table of contents are known after the first time.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lil.paper.pages import ROOT
from lil.results import files

NAME = "isometric-representations.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PRINT = ROOT / "book" / "assets" / "print"


class NotPrinted(RuntimeError):
    """The PDF could not be made."""


def browser() -> str:
    """Return the path of a Chromium. Raise NotPrinted where none is installed, or nothing that drives it."""
    if importlib.util.find_spec("playwright") is None:
        raise NotPrinted("the PDF needs the package playwright, and it is not installed: pip install playwright")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise NotPrinted(
            "the PDF needs a Chromium, and none is installed: install one (Debian: apt-get install chromium)"
        )
    return found


def build_single_page(root: Path, scratch: Path) -> Path:
    """Return the book of a project's folder as one HTML page, which Sphinx writes into ``scratch``."""
    jupyter_book = str(Path(sys.executable).with_name("jupyter-book"))
    command = [jupyter_book, "build", "book", "--builder", "singlehtml", "--all", "-n", "--quiet"]
    places = ["--config", "_config.yml", "--toc", str(root / "_toc.yml"), "--path-output", str(scratch)]
    built = subprocess.run([*command, *places], cwd=root, capture_output=True, text=True)
    if built.returncode:
        raise NotPrinted(f"Sphinx wrote no page to print: {(built.stderr or built.stdout).strip()[-2000:]}")
    first = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))["root"]
    page = scratch / "_build" / "singlehtml" / f"{first}.html"
    shutil.copytree(root / "book" / "nb" / "downloads", page.parent / "_downloads", dirs_exist_ok=True)
    return page


def current(root: Path) -> Path | None:
    """Return the PDF in a project's folder; None where there is none, or one that is older than a page."""
    printed, pages = root / "_build" / NAME, (root / "book" / "nb").glob("*.ipynb")
    if not printed.exists() or any(page.stat().st_mtime > printed.stat().st_mtime for page in pages):
        return None
    return printed


def front_lines(citation: dict[str, Any]) -> list[str]:
    """Return the lines of the title page below the author: what the book is, the paper, version and licence."""
    paper = citation["references"][0]
    authors = ", ".join(f"{each['given-names']} {each['family-names']}" for each in paper["authors"])
    return [
        " ".join(citation["abstract"].split()),
        f"The paper: {authors}. {paper['title']}. {paper['journal']}, {paper['year']}. doi:{paper['doi']}.",
        f"Version {citation['version']}, licence {citation['license']}. Figures that turn in the browser are pictures "
        "here, folds are open, and the code of the notebooks is left out.",
    ]


def print_page(page: Path, citation: dict[str, Any]) -> bytes:
    """Return the book's single page as a PDF with title page, table of contents and page numbers.

    Raise NotPrinted where the browser fails, or where the page has a picture whose file is not there.
    """
    from playwright.sync_api import Error, sync_playwright

    words: dict[str, Any] = {
        "title": citation["title"],
        "author": ", ".join(each["name"] for each in citation["authors"]),
        "lines": front_lines(citation),
    }
    prepare = (PRINT / "print.js").read_text(encoding="utf-8")
    try:
        with sync_playwright() as playwright, playwright.chromium.launch(executable_path=browser()) as chromium:
            tab = chromium.new_page(color_scheme="light", bypass_csp=True)
            tab.set_default_timeout(600_000)  # a busy machine needs minutes for a book
            tab.goto(page.as_uri(), wait_until="load")
            if missing := tab.evaluate(prepare, words):
                raise NotPrinted(f"pictures of the page are not there: {', '.join(missing)}")
            tab.add_style_tag(path=PRINT / "print.css")
            tab.emulate_media(media="print")
            first = tab.pdf(prefer_css_page_size=True)
            tab.evaluate(NUMBER, page_numbers(first))
            return tab.pdf(prefer_css_page_size=True, outline=True, tagged=True, print_background=True)
    except Error as failed:
        raise NotPrinted(f"the browser failed: {failed.message.strip()}") from failed


NUMBER = """(numbers) => document.querySelectorAll(".print-contents p").forEach((line) => {
    line.querySelector(".print-page").textContent = numbers[line.querySelector("a").hash.slice(1)];
})"""


def page_numbers(pdf: bytes) -> dict[str, int]:
    """Return the number of the page, from 1, to which each of Chromium's named destinations leads."""
    text = pdf.decode("latin-1")
    pages = {number: k for k, number in enumerate(re.findall(r"(\d+) 0 obj\s*<</Type /Page\s", text), start=1)}
    return {name: pages[number] for name, number in re.findall(r"/([\w.-]+) \[(\d+) 0 R /XYZ ", text)}


def make(root: Path, target: Path) -> Path:
    """Make the PDF of the book in a project's folder. Raise NotPrinted where that cannot be done."""
    browser()
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        files.replace(target, print_page(build_single_page(root, Path(scratch)), citation))
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the PDF of the pages that are there, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lil.paper.pdf", description="Print the book as one PDF.")
    parser.add_argument("--if-possible", action="store_true", help="to go without a PDF is no error")
    chosen = parser.parse_args(arguments)
    target = ROOT / "_build" / NAME
    target.unlink(missing_ok=True)  # an old PDF does not stand beside a new book
    try:
        print(f"The PDF: {make(ROOT, target)}")
    except NotPrinted as reason:
        print(f"No PDF was made: {reason}", file=sys.stderr)
        return 0 if chosen.if_possible else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
