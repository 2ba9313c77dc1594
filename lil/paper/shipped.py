"""Text files that come with the project, read with an error that names a damaged one.

The checksums of the :data:`SEALED` ones stand in ``SHA256SUMS`` beside this file. ``make test`` compares them, so that
no changed character stays unnoticed; ``lil claims --freeze`` and ``make bench`` write them anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from lil.results import files
from lil.results.errors import CorruptFile

ROOT = Path(__file__).resolve().parents[2]
CHECKSUMS = Path(__file__).with_name("SHA256SUMS")
SEALED = ("benchmarks/timings.json", "lil/paper/claims.toml", "lil/paper/differences.toml", "lil/paper/frozen.json")

Content = TypeVar("Content")


def read(path: Path, parse: Callable[[str], Content]) -> Content:
    """Return what ``parse`` makes of a text file. Raises CorruptFile, which names the file, where it cannot."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as reason:
        why = f"{type(reason).__name__}: {' '.join(str(reason).split())}"
        raise CorruptFile(f"{path} is damaged or cannot be read ({why}): restore it from the repository.") from reason


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file by an object, with the object's checksum as its first entry."""
    sealed = {"sha256": _seal(content)} | dict(content)
    files.replace(path, json.dumps(sealed, indent=1, ensure_ascii=False) + "\n")


def read_sealed(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file. Raises CorruptFile where it does not have the checksum that it came with."""

    def parse(text: str) -> dict[str, Any]:
        content = json.loads(text)
        if content.pop("sha256") != _seal(content):
            raise ValueError("its checksum is another")
        return content

    return read(path, parse)


def _seal(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def seal(root: Path = ROOT) -> None:
    """Write the checksums of the sealed files below ``root``."""
    files.replace(root / CHECKSUMS.relative_to(ROOT), "".join(f"{_digest(root / name)}  {name}\n" for name in SEALED))


def check(root: Path = ROOT) -> None:
    """Raise CorruptFile for the first sealed file below ``root`` whose checksum is another."""
    path = root / CHECKSUMS.relative_to(ROOT)
    known = path.read_bytes().decode("utf-8", "replace").splitlines()
    for name in SEALED:
        if f"{_digest(root / name)}  {name}" not in known:
            raise CorruptFile(
                f"{name} has another checksum than in {path.relative_to(root)}: restore both from the repository, or, "
                "after a change of your own, run `lil claims --freeze`."
            )


def _digest(path: Path) -> str:
    """Return the checksum of a text whose lines end as on Linux, as git may end them otherwise on Windows."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
