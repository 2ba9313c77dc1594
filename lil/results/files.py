"""Records as files: whole or not at all, and read only after their checksum is verified.

``SHA256SUMS`` in the records' folder holds the checksum of each record and can be checked by ``sha256sum -c``. While a
record is replaced, the file holds both checksums, so that the record on the disk is whole whenever the process dies.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import safetensors.torch
import xarray as xr
from filelock import FileLock
from torch import Tensor

from lil.cache import cache_folder
from lil.results import keys
from lil.results.errors import CorruptRecord, NotWritten

CHECKSUMS = "SHA256SUMS"
PART = ".part"  # ends the name of a file that is being written
COMPRESSED_FROM = 4096  # bytes; below, the tables that compression needs are larger than what it saves


def read(root: Path, name: str) -> bytes:
    """Return the content of the record ``name``, a path below ``root``. Raises CorruptRecord if it is damaged.

    The same where the system refuses to hand over the file or its checksum.
    """
    try:
        content, checksums = (root / name).read_bytes(), _checksums(root)
        if keys.digest(content) not in checksums.get(name, ()):
            with suppress(OSError), _locked(root):  # a writer may have come between the two; a folder may be read-only
                content, checksums = (root / name).read_bytes(), _checksums(root)
    except OSError as reason:
        raise CorruptRecord(
            f"The record {root.name}/{name} cannot be read ({reason.strerror}: {reason.filename}): give access to it."
        ) from reason
    if keys.digest(content) not in checksums.get(name, ()):
        raise CorruptRecord(
            f"The record {root.name}/{name} is damaged: its checksum is not the one in {root.name}/{CHECKSUMS}; "
            f"restore both files, or compute it anew with `lil reproduce {_again(name)}`."
        )
    return content


def _again(name: str) -> str:
    """Return what ``lil reproduce`` needs to make a record anew; networks come with the records that need them."""
    return f"{Path(name).stem} --record" if name.endswith(".nc") else "--record --mode auto"


def names(root: Path) -> list[str]:
    """Return the names of the records below ``root``, those without a checksum among them."""
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.suffix in (".nc", ".safetensors"))
    return sorted({*found, *_checksums(root)})


def write(root: Path, name: str, content: bytes) -> None:
    """Replace the record ``name`` by ``content``, or leave everything as it was and raise NotWritten."""
    if ".." in Path(name).parts or Path(name).is_absolute():
        raise NotWritten(f"The record {name} would lie outside {root.name}/: give a name below that folder.")
    target = root / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(root):
            # Of a process that was killed; in other folders of the cache others may be writing.
            for leftover in (*root.glob(f"*{PART}"), *(root / "networks").rglob(f"*{PART}")):
                leftover.unlink()
            checksums = _checksums(root)
            old = {keys.digest(target.read_bytes())} & set(checksums.get(name, ())) if target.exists() else set()
            new = keys.digest(content)
            with _written(target, content):
                _replace_checksums(root, checksums | {name: sorted(old | {new})})
            with suppress(OSError):  # the record is there; the checksum of the one before it may stay
                _replace_checksums(root, checksums | {name: [new]})
    except OSError as error:
        raise NotWritten(
            f"The record {root.name}/{name} could not be written ({error.strerror}) and is as it was before; "
            "make room or give access, then repeat the command."
        ) from error


def remove(root: Path, name: str) -> None:
    """Remove the record ``name``, if there is one."""
    if (root / name).exists():
        with _locked(root):
            (root / name).unlink()
            _replace_checksums(root, {other: sums for other, sums in _checksums(root).items() if other != name})


def replace(path: Path, content: str | bytes) -> None:
    """Replace a file that is no record: after a kill, and with two writers at once, it is the old one or a new one."""
    with _locked(path.parent), _written(path, content.encode() if isinstance(content, str) else content):
        pass


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Hold the lock of a folder. The system releases it if this process dies.

    The lock is a file in the cache folder, or among the temporary files where the cache folder cannot be written.
    """
    folder = usable(cache_folder() / "locks") or Path(tempfile.gettempdir())
    with FileLock(folder / f"lil-{keys.digest(str(root.resolve()))[:16]}.lock"):
        yield


def usable(folder: Path) -> Path | None:
    """Return a folder, made where it is missing; None where it cannot be made or written."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return folder if os.access(folder, os.W_OK) else None


@contextmanager
def _written(target: Path, content: bytes) -> Iterator[None]:
    """Write ``content`` beside ``target``, run the body, and put the new file in the place of ``target``."""
    part = target.with_name(target.name + PART)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield
        os.replace(part, target)  # noqa: PTH105, tests stand in for it
        _sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk; Windows does so by itself."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _checksums(root: Path) -> dict[str, list[str]]:
    """Return the checksums that each record may have; a line with a byte that is no UTF-8 matches no record."""
    path = root / CHECKSUMS
    checksums: dict[str, list[str]] = {}
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for line in text.splitlines():
        digest, _, name = line.partition("  ")
        if name:
            checksums.setdefault(name, []).append(digest)
    return checksums


def _replace_checksums(root: Path, checksums: dict[str, list[str]]) -> None:
    lines = [f"{digest}  {name}\n" for name in sorted(checksums) for digest in checksums[name]]
    with _written(root / CHECKSUMS, "".join(lines).encode()):
        pass


def dataset_to_bytes(dataset: xr.Dataset) -> bytes:
    """Return a NetCDF file; equal datasets give equal bytes."""
    encoding = {
        name: {"_FillValue": None} | ({"zlib": True, "shuffle": True} if values.nbytes >= COMPRESSED_FROM else {})
        for name, values in dataset.variables.items()
        if values.dtype.kind in "iuf"
    }
    return bytes(dataset.to_netcdf(engine="h5netcdf", encoding=encoding))


def dataset_from_bytes(content: bytes) -> xr.Dataset:
    """Return the dataset that :func:`dataset_to_bytes` wrote; its attributes are Python's own strings and numbers."""
    with xr.open_dataset(io.BytesIO(content), engine="h5netcdf") as dataset:
        dataset.load()
    attrs = {name: value.item() if hasattr(value, "item") else value for name, value in dataset.attrs.items()}
    return dataset.assign_attrs(attrs)


def networks_to_bytes(networks: dict[str, Tensor], attrs: dict[str, Any]) -> bytes:
    """Return a safetensors file with the provenance in its header."""
    # One entry: the library writes several in an order of its own that changes from run to run.
    return safetensors.torch.save(networks, {"provenance": json.dumps(attrs)})


def read_networks(root: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the networks and the provenance of the record ``name``. Raises CorruptRecord."""
    content = read(root, name)
    with safetensors.safe_open(root / name, framework="pt") as file:  # the library reads metadata from files only
        attrs = json.loads(file.metadata()["provenance"])
    return safetensors.torch.load(content), attrs
