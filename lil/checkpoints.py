"""Checkpoints of computations that take long: tensors and facts in one file, whose first line is its checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

SUFFIX = ".checkpoint"


class CheckpointDamaged(ValueError):
    """The bytes of a checkpoint are not those that were written."""


def write(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors, and facts that JSON can hold. The file is renamed into place: a kill leaves the old or the new."""
    state = save({name: value.contiguous() for name, value in tensors.items()})
    content = json.dumps(dict(facts)).encode() + b"\n" + state
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(_digest(content) + b"\n" + content)
    part.replace(path)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors, on the CPU, and facts. Raises CheckpointDamaged where a byte is not as it was written."""
    sealed, _, content = path.read_bytes().partition(b"\n")
    if _digest(content) != sealed:
        raise CheckpointDamaged(f"The checkpoint {path} is damaged: delete it to start anew.")
    facts, _, state = content.partition(b"\n")
    return load(state), json.loads(facts)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
