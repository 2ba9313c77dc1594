"""Sphinx extension: each page gets a card for those who share it, names that all understand, and a security policy.

The names and roles of buttons, folds and references are those that screen readers and speech control understand. A name
from an attribute must contain the visible text: a person who steers by voice says the words on the button.

The content-security-policy lets a page load files of the book and nothing else, over http and from a folder. The
theme's inline scripts and event handlers are allowed by their SHA-256, so a script that somebody slips into a page does
not run. Three things are wider than ``'self'``:

* ``file:`` stands beside ``'self'``, because a page in a folder has no origin that ``'self'`` could name in some
  browsers. A page that came over http cannot load ``file:`` addresses anyway.
* ``style-src`` has ``'unsafe-inline'``: MathJax and plotly write style elements and attributes while a page is shown,
  whose hashes depend on what they draw.
* ``worker-src`` has ``blob:``, because a browser starts no worker from a file in a folder: the trainer's workers are
  put together in the page, from scripts that the policy has let in.

A second build into the same folder waits for the first, whose half-written files it would read.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

from docutils import nodes
from filelock import FileLock
from sphinx.application import Sphinx

CARD_PICTURE = "rings.png"
CARD_WORDS = 200  # characters of a description
OWN = "'self' file:"
REDIRECT = """\
<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>To the first page</title>
    {}
  </head>
</html>
"""
MENDED = {  # in a whole page: a pattern, and what stands in its place
    r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"': r"\1",  # it says "Search Ctrl+K"
    r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"': r"\1",  # icons of a button that has a name
    r'<summary aria-label="Toggle hidden content">': "<summary>",  # it says "Show the code"
    r'role="doc-biblioentry"': 'role="listitem"',  # the older role is no item of a list
}
SCRIPT_TYPES = ("", "text/javascript", "module")  # JSON in a script element is not run and needs no hash


class InlineScripts(HTMLParser):
    """The sources of the inline scripts and of the event handlers in a page."""

    def __init__(self, text: str):
        super().__init__()
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.handlers += [value for name, value in attributes.items() if name.startswith("on")]
        self._open = tag == "script" and "src" not in attributes and attributes.get("type", "") in SCRIPT_TYPES
        if self._open:
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._open = False


def hashes(sources: Iterable[str]) -> list[str]:
    """Return the sources of a policy that allow these scripts, sorted."""
    return sorted({f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'" for each in sources})


def policy(page: str) -> str:
    """Return the content-security-policy that a page's own scripts satisfy."""
    inline = InlineScripts(page)
    allowed = hashes(inline.scripts + inline.handlers) + (["'unsafe-hashes'"] if inline.handlers else [])
    directives = {
        "default-src": OWN,
        "script-src": " ".join([OWN, *allowed]),
        "style-src": f"{OWN} 'unsafe-inline'",
        "img-src": f"{OWN} data: blob:",
        "font-src": f"{OWN} data:",
        "worker-src": "blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": OWN,
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def with_policy(page: str) -> str:
    """Return the page with its policy before all that it governs: only the encoding stands earlier in the head.

    A page without a head, index.html, which leads to the first page, gets one.
    """
    if 'http-equiv="Content-Security-Policy"' in page:  # of an earlier build
        return page
    if "<meta charset=" not in page:
        page = REDIRECT.format(page.strip())
    meta = f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy(page), quote=False)}">'
    return re.sub("<meta charset=[^>]*>", lambda encoding: f"{encoding[0]}\n    {meta}", page, count=1)


def mended(page: str) -> str:
    """Return a built page with the names and roles of MENDED."""
    for pattern, replacement in MENDED.items():
        page = re.sub(pattern, replacement, page)
    return page


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Mend each HTML file that was built, and put a policy into each page."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        text = mended(path.read_text(encoding="utf-8"))
        is_page = path.relative_to(out).parts[0] not in ("_static", "_sources")
        path.write_text(with_policy(text) if is_page else text, encoding="utf-8")


def description(doctree: nodes.document) -> str:
    """Return the beginning of a page's first paragraph, in whole words."""
    first = next((each.astext() for each in doctree.findall(nodes.paragraph) if each.astext().strip()), "")
    text = " ".join(first.split())
    return text if len(text) <= CARD_WORDS else text[:CARD_WORDS].rpartition(" ")[0] + " …"


def add_card(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Describe the page to programs that show a link as a card (Open Graph), and to search engines."""
    if doctree is None:
        return
    words, address = description(doctree), app.config.html_baseurl
    picture = f"_static/{CARD_PICTURE}"
    card = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": app.env.titles[pagename].astext(),
        "og:description": words,
        "og:image": f"{address.rstrip('/')}/{picture}" if address else context["pathto"](picture, resource=True),
    }
    tags = [f'<meta name="description" content="{html.escape(words)}">'] + [
        f'<meta property="{name}" content="{html.escape(html.unescape(value))}">' for name, value in card.items()
    ]
    context["metatags"] = "\n    ".join([context.get("metatags") or "", *tags])


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Connect the extension to Sphinx, and hold the lock of the folder until the build has ended.

    The system releases the lock if the process dies.
    """
    lock = FileLock(Path(app.outdir).parent / ".lock", is_singleton=True)
    lock.acquire()
    app.connect("html-page-context", add_card)
    app.connect("build-finished", finish, priority=900)  # after every other change of a page
    app.connect("build-finished", lambda app, exception: lock.release(), priority=1000)  # after all that is written
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
