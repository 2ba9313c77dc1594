"""The files of the project, as git tracks them; in an archive without git, all files but those that it ignores."""

from __future__ import annotations

import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]


def tracked(root: Path = ROOT) -> list[Path]:
    """Return the files of a clone, whoever owns it, or of an archive, sorted; a file that was deleted is left out."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    if (root / ".git").exists():
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
        files = [root / name for name in filter(None, listed.split("\0"))]
    else:
        files = list(_not_ignored(root, (root / ".gitignore").read_text(encoding="utf-8").split(), root))
    return sorted(path for path in files if path.is_file())


def copy_folder(source: Path, target: Path, *left_out: str) -> None:
    """Copy a folder without the files and folders of some names; a copy of what is read-only can be written."""
    for path in source.rglob("*"):
        place = path.relative_to(source)
        if path.is_file() and not {"__pycache__", *left_out} & set(place.parts):
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / place)


def _not_ignored(folder: Path, patterns: list[str], root: Path):
    """Yield the files below a folder. A pattern with a slash at its start belongs to the root, others fit anywhere."""
    for path in folder.iterdir():
        place = f"/{path.relative_to(root).as_posix()}"
        if not any(fnmatch(place if pattern[0] == "/" else path.name, pattern.rstrip("/")) for pattern in patterns):
            yield from _not_ignored(path, patterns, root) if path.is_dir() else [path]
