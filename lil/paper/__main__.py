"""The command ``python -m lil.paper``: notebooks become the book's pages or nbval's references.

A module of this name is not run again by the processes that execute the pages.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lil.paper import pages


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # … is not in every encoding
    parser = argparse.ArgumentParser(prog="python -m lil.paper", description=pages.__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    book = commands.add_parser("book", help="execute the notebooks into the book's pages")
    book.add_argument("--profile", default="paper", choices=("paper", "quick"))
    book.add_argument("--mode", default="auto", choices=("auto", "live", "recorded"))
    book.add_argument("--folder", type=Path, default=pages.PAGES, help="where the pages go (default: %(default)s)")
    references = commands.add_parser("references", help="rewrite the references that nbval compares with")
    for command in (book, references):
        command.add_argument("stems", nargs="*", metavar="NAME", help="notebooks to execute (default: all)")
    chosen = parser.parse_args(arguments)
    sources = pages.find_sources(chosen.stems)
    if chosen.command == "book":
        pages.make_pages(sources, chosen.folder, profile=chosen.profile, mode=chosen.mode)
    else:
        pages.make_references(sources)


if __name__ == "__main__":
    main()
