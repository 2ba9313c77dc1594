"""Bytes changed in every kind of file that the project reads: each change is detected, or it changes nothing.

``make test-corruption`` tries more than 2,000 changes, drawn from SEED, in temporary copies, and writes the record.
A change is *detected* if reading the file ends in an error of the project that names the file and says what to do, or
if a test of ``make test-all`` turns red on it. It is *harmless* if everything that is read is as before. All else is
*missed*: other numbers without a word, or an error that does not say what to do.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch

from lil.cli import _expected
from tests.trust import recording
from tests.trust.kinds import Kind, kinds

SEED = 20
WAYS = ("restore", "delete", "take it from", "compute it anew", "give access", "set LIL_DATA")


# Changes of bytes


def flip(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]


def truncate(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def delete(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content))
    return content[:at] + content[at + draw.randint(1, 64) :]


def insert(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.randbytes(draw.randint(1, 64)) + content[at:]


def swap(content: bytes, draw: random.Random) -> bytes:
    """Exchange two blocks of equal length."""
    length = draw.randint(1, min(16, len(content) // 2))
    first = draw.randrange(len(content) - 2 * length + 1)
    second = draw.randrange(first + length, len(content) - length + 1)
    parts = content[:first], content[first : first + length], content[first + length : second]
    return parts[0] + content[second : second + length] + parts[2] + parts[1] + content[second + length :]


def no_text(content: bytes, draw: random.Random) -> bytes:
    """Put a byte that is not UTF-8 in the place of another."""
    at = draw.randrange(len(content))
    return content[:at] + bytes([draw.choice((0xFF, 0xC0, 0x80))]) + content[at + 1 :]


CHANGES = (flip, truncate, delete, insert, swap, no_text)


# Tries


def outcome(kind: Kind, content: bytes, before: Any) -> tuple[str, str]:
    """Return "detected", "harmless" or "missed" for a changed content, and the message or the reason."""
    kind.path.write_bytes(content)
    try:
        after = kind.read()
    except _expected() as error:
        message = str(error)
        told = any(way in message for way in WAYS)
        return ("detected" if told else "missed"), message
    except Exception as error:
        return "missed", f"{type(error).__name__}: {error}"
    return ("harmless", "") if kind.same(before, after) else ("missed", "other content without a word")


def without_folders(message: str) -> str:
    """Return a message without the temporary folders of this machine; paths in the project stay whole."""
    return re.sub(rf"{re.escape(tempfile.gettempdir())}(/[\w.-]+)*/", "", message)


def try_all(kind: Kind, tries: int, draw: random.Random) -> dict[str, str | int]:
    """Change a file many times, and return a row with the outcomes."""
    content, found, example, missed = kind.path.read_bytes(), {"detected": 0, "harmless": 0, "missed": 0}, "", ""
    before = kind.read()
    for number in range(tries):
        change = CHANGES[number % len(CHANGES)]
        changed = change(content, draw)
        while changed == content:
            changed = change(content, draw)
        what, why = outcome(kind, changed, before)
        found[what] += 1
        why = without_folders(why)
        if what == "detected":
            example = example or why
        if what == "missed":
            missed = missed or f"{change.__name__}: {why}"
    kind.path.write_bytes(content)
    return {"kind of file": kind.what, "tried": tries, **found, "message, for example": example, "first missed": missed}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", action="store_true", help="a few tries of each kind, and no record")
    sample = parser.parse_args(arguments).sample
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # nbformat's, of what is damaged
    started, rows = time.perf_counter(), []
    with ExitStack() as stack:
        for kind in kinds(stack):
            rows.append(try_all(kind, len(CHANGES) if sample else kind.tries, random.Random(SEED)))
            shown = {name: value for name, value in rows[-1].items() if "example" not in name}
            print(*shown.values(), sep="  ", flush=True)
    counts = {name: sum(int(row[name]) for row in rows) for name in ("tried", "detected", "harmless", "missed")}
    print(counts)
    if not sample:
        rows = [{name: value for name, value in row.items() if value != ""} for row in rows]
        recording.write("corruption", "make test-corruption", rows, counts, time.perf_counter() - started)
    return int(counts["missed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
