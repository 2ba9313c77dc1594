"""Wheels of every pin: looked for on each system and Python of the README, so that nobody has to build a package.

``python -m tests.wheels UV``, as in ``make lock``, asks uv for wheels alone. It writes the record only after all are
found. The record names the locks by their checksums, so that a lock that was changed by hand is noticed.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-lab.lock")
RECORD = ROOT / "tests" / "wheels.txt"
TARGETS = {
    "Linux, x86_64": "x86_64-manylinux_2_28",
    "Linux, ARM64": "aarch64-manylinux_2_28",
    "macOS, arm64": "aarch64-apple-darwin",
    "Windows, x86_64": "x86_64-pc-windows-msvc",
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def record() -> str:
    """Return the record of the locks as they are: their checksums, then each system and Python."""
    sums = [f"{hashlib.sha256((ROOT / lock).read_text('utf-8').encode()).hexdigest()}  {lock}" for lock in LOCKS]
    return "\n".join([*sums, *(f"{target} {python}" for target in TARGETS.values() for python in PYTHONS), ""])


def main(uv: str) -> None:
    """Look for the wheels, and write the record. Raises CalledProcessError where a pin has none."""
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    command = [uv, "pip", "compile", *LOCKS, "--no-deps", "--only-binary", ":all:", "--quiet", "-o", os.devnull]
    for target in TARGETS.values():
        for python in PYTHONS:
            chosen = ["--python-platform", target, "--python-version", python]
            subprocess.run([*command, *chosen], cwd=ROOT, env=environment, check=True)
    RECORD.write_text(record(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
