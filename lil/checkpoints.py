"""Checkpoints of computations that take long: tensors and facts in one file, whose first line is its checksum."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

SUFFIX = ".checkpoint"
_PART = ".part"  # at the end of a name: not written to the end yet


class CheckpointDamaged(RuntimeError):
    """The bytes of a checkpoint are not those that were written."""


def write(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors, and facts that JSON can hold.

    The file is renamed into place: a kill, or a failure of power, leaves the old one or the new. So do several
    processes that write the same checkpoint.
    """
    state = save({name: value.contiguous() for name, value in tensors.items()})
    content = json.dumps(dict(facts)).encode() + b"\n" + state
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}{_PART}")
    with part.open("wb") as file:
        file.write(_digest(content) + b"\n" + content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors, on the CPU, and facts. Raises CheckpointDamaged where a byte is not as it was written."""
    sealed, _, content = path.read_bytes().partition(b"\n")
    if _digest(content) != sealed:
        raise CheckpointDamaged(f"The checkpoint {path} is damaged: delete it to start anew.")
    facts, _, state = content.partition(b"\n")
    return load(state), json.loads(facts)


def remove(path: Path) -> None:
    """Remove a checkpoint, if it is there, and what killed processes have left of it."""
    for each in (path, *path.parent.glob(f"{path.name}.*{_PART}")):
        each.unlink(missing_ok=True)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
