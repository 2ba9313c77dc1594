"""The one printer of the pages' tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a header without a word is left out of the book."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def folded(title: str, text: str) -> str:
    """Return a text as a fold, whose title says how many rows its table has; a text without a table as it is."""
    rows = len(re.findall(r"^\|(?! ---)", text, flags=re.MULTILINE)) - 1
    return f":::{{dropdown}} {title} ({rows} rows)\n{text}\n:::" if rows > 0 else text


def powers(text: str) -> str:
    """Return a text whose numbers like 8.8e+06 are written as 8.8 × 10⁶."""
    superscripts = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    words = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10"
    return re.sub(r"(?<=\d)e([+-]\d+)", lambda found: words + str(int(found[1])).translate(superscripts), text)
