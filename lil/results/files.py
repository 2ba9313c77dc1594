"""Records as files: whole or not at all, and read only after their checksum is verified.

``SHA256SUMS`` in the records' folder holds the checksum of each record and can be checked by ``sha256sum -c``. While a
record is replaced it holds two for it, the old and the new, so that whenever the process dies, the record that lies
there is one of them.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import safetensors.torch
import xarray as xr
from torch import Tensor

from lil.results import keys
from lil.results.errors import CorruptRecord, NotWritten

CHECKSUMS = "SHA256SUMS"
PART = ".part"  # ends the name of a file that is being written
COMPRESSED_FROM = 4096  # bytes; below, the tables that compression needs are larger than what it saves


def read(root: Path, name: str) -> bytes:
    """The content of the record ``name`` (a path below ``root``), if it is what was written.

    ``CorruptRecord`` where it is not; the caller knows whether there is such a record.
    """
    with _hold(root, fcntl.LOCK_SH):
        content = (root / name).read_bytes()
        checksums = _checksums(root).get(name, ())
    if keys.digest(content) not in checksums:
        raise CorruptRecord(
            f"The record {root.name}/{name} is damaged: its checksum is not the one in {root.name}/{CHECKSUMS}; "
            "restore both files, or compute it anew with `lil reproduce --record`."
        )
    return content


def names(root: Path) -> list[str]:
    """The records below ``root``, those without a checksum among them."""
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.suffix in (".nc", ".safetensors"))
    return sorted({*found, *_checksums(root)})


def write(root: Path, name: str, content: bytes) -> None:
    """Put ``content`` in the place of the record ``name``, or leave everything as it was and raise ``NotWritten``."""
    target = root / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _hold(root, fcntl.LOCK_EX):
            for leftover in root.rglob(f"*{PART}"):  # of a process that was killed
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
    """Take away the record ``name``, if there is one."""
    if not (root / name).exists():
        return
    with _hold(root, fcntl.LOCK_EX):
        (root / name).unlink()
        checksums = _checksums(root)
        checksums.pop(name, None)
        _replace_checksums(root, checksums)


@contextmanager
def _hold(root: Path, lock: int) -> Iterator[None]:
    """Hold the folder as one of its readers or its only writer; the system lets go when this process ends or dies."""
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, lock)
        yield
    finally:
        os.close(folder)


@contextmanager
def _written(target: Path, content: bytes) -> Iterator[None]:
    """Write ``content`` beside ``target``; what the body does comes next; then it takes the place of ``target``."""
    part = target.with_name(target.name + PART)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield
        os.replace(part, target)
        _sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, not only what the files hold."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksums(root: Path) -> dict[str, list[str]]:
    """The checksums that each record may have."""
    path = root / CHECKSUMS
    checksums: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        digest, _, name = line.partition("  ")
        checksums.setdefault(name, []).append(digest)
    return checksums


def _replace_checksums(root: Path, checksums: dict[str, list[str]]) -> None:
    lines = [f"{digest}  {name}\n" for name in sorted(checksums) for digest in checksums[name]]
    with _written(root / CHECKSUMS, "".join(lines).encode()):
        pass


def dataset_to_bytes(dataset: xr.Dataset) -> bytes:
    """A NetCDF file; equal datasets, equal bytes."""
    encoding = {
        name: {"_FillValue": None} | ({"zlib": True, "shuffle": True} if values.nbytes >= COMPRESSED_FROM else {})
        for name, values in dataset.variables.items()
        if values.dtype.kind in "iuf"
    }
    return bytes(dataset.to_netcdf(engine="h5netcdf", encoding=encoding))


def dataset_from_bytes(content: bytes) -> xr.Dataset:
    """What :func:`dataset_to_bytes` wrote, in memory, its attributes as Python's own strings and numbers."""
    with xr.open_dataset(io.BytesIO(content), engine="h5netcdf") as dataset:
        dataset.load()
    return dataset.assign_attrs(
        {name: value.item() if hasattr(value, "item") else value for name, value in dataset.attrs.items()}
    )


def networks_to_bytes(networks: dict[str, Tensor], attrs: dict[str, Any]) -> bytes:
    """A safetensors file with the provenance in its header."""
    # One entry: the library writes several in an order of its own that changes from run to run.
    return safetensors.torch.save(networks, {"provenance": json.dumps(attrs)})


def networks_from_bytes(content: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What :func:`networks_to_bytes` wrote."""
    # The library reads metadata from files only; the header is its length (8 bytes, little-endian), then JSON.
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return safetensors.torch.load(content), json.loads(header["__metadata__"]["provenance"])
