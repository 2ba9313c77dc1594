"""The provenance of a result: date, machine, versions, seconds and memory."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "umap-learn", "gudhi", "xarray")  # they compute


@dataclass
class Cost:
    """The cost of a computation; known when it has ended."""

    seconds: float = 0.0
    peak_memory_mb: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the body: its seconds, and the main memory of this process; processes that it starts are not counted."""
    with suppress(OSError):  # only Linux allows it; elsewhere the peak counts from the start of the process
        Path("/proc/self/clear_refs").write_text("5")
    cost, started = Cost(), time.perf_counter()
    yield cost
    cost.seconds, cost.peak_memory_mb = round(time.perf_counter() - started, 2), peak_memory_mb()


def describe(device: str, cost: Cost) -> dict[str, str | int | float]:
    """Return the provenance of a computation that this process has just done. It names no user, folder or commit."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):  # some have no build for this platform
            versions[package] = importlib.metadata.version(package)
    return {
        "date": now(),
        "versions": json.dumps(versions),
        "threads": torch.get_num_threads(),
        "device": device_name(device),
        "machine": machine(),
        **asdict(cost),
    }


def now() -> str:
    """Return the time in UTC, to the second: ``2026-11-24 17:03:59 UTC``."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def device_name(device: str) -> str:
    """Return ``cpu`` or the model of the graphics processor."""
    return torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else device


def machine() -> str:
    """Return the processor's model and the number of its cores: ``AMD EPYC, 2 cores``."""
    listing = Path("/proc/cpuinfo")  # Linux; elsewhere Python's own, shorter name has to do
    lines = listing.read_text().splitlines() if listing.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def peak_memory_mb() -> float:
    """Return the most memory (MiB) that this process has held so far; NaN on Windows, which does not tell."""
    status = Path("/proc/self/status")  # Linux, whose getrusage counts what a parent held when it started this process
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) / 2**10, 1)  # KiB
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)  # macOS counts bytes, others KiB
