"""Sphinx extension: names and roles of buttons, folds and references that screen readers and speech control understand.

A name from an attribute must contain the visible text: a person who steers by voice says the words on the button.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

MENDED = {  # in a whole page: a pattern, and what stands in its place
    r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"': r"\1",  # it says "Search Ctrl+K"
    r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"': r"\1",  # icons of a button that has a name
    r'<summary aria-label="Toggle hidden content">': "<summary>",  # it says "Show the code"
    r'role="doc-biblioentry"': 'role="listitem"',  # the older role is no item of a list
}


def mended(page: str) -> str:
    """Return a built page with the names and roles of MENDED."""
    for pattern, replacement in MENDED.items():
        page = re.sub(pattern, replacement, page)
    return page


def mend(app: Sphinx, exception: Exception | None) -> None:
    """Mend each page that was built."""
    if exception is not None or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        path.write_text(mended(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Connect the extension to Sphinx."""
    app.connect("build-finished", mend)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
