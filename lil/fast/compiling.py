"""Functions compiled by numba, with machine code cached by the content of the whole wing."""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from lil.cache import cache_folder

_WING = Path(__file__).parent
_UNUSED = 30 * 24 * 3600  # seconds without a use, after which the machine code of another wing is removed


def compiled(function: Callable) -> Callable:
    """Return the function compiled by numba at its first call, to run without Python's lock.

    Sums may be reassociated, so that inner loops become vector instructions. NaN and infinity keep their meaning.
    The wrapper that jaxtyping adds in tests is removed. Functions outside the wing are not cached.
    """
    plain = inspect.unwrap(function)
    dispatcher = numba.njit(nogil=True, fastmath={"reassoc", "contract", "nsz", "arcp"})(plain)
    if Path(plain.__code__.co_filename).parent == _WING and folder() is not None:
        dispatcher._cache = _Cache(plain)
    return dispatcher


@cache
def folder() -> Path | None:
    """Return the folder of the machine code, or None where it cannot be written: then each process compiles anew.

    numba's own cache compiles a function again only when that function's file changes. This folder is named by the
    content of all files of the wing: a change in a called function, a constant or a compiler flag starts an empty one.
    The folders of other wings are removed a month after their last use. Where one is in use all the same, numba
    compiles again and makes the folder anew.
    """
    locator = _Locator(Path(numba.config.CACHE_DIR or cache_folder()))
    try:
        locator.ensure_cache_path()
    except OSError:
        return None
    with suppress(OSError):
        os.utime(locator.get_cache_path())  # a use
        for wing in locator.parent.glob("machine-code-*"):
            if time.time() - wing.stat().st_mtime > _UNUSED:
                shutil.rmtree(wing, ignore_errors=True)
    return Path(locator.get_cache_path())


@cache
def fingerprint() -> str:
    """Return a hash of the content of every file of the wing."""
    digest = hashlib.sha256()
    for file in sorted(_WING.glob("*.py")):
        digest.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


class _Locator(_CacheLocator):
    """The place of the machine code, in the form that numba asks for."""

    def __init__(self, parent: Path):
        self.parent = parent

    def get_cache_path(self) -> str:
        return str(self.parent / f"machine-code-{fingerprint()[:16]}")

    def get_source_stamp(self) -> str:
        return fingerprint()

    def get_disambiguator(self) -> str:
        return "wing"

    @classmethod
    def from_function(cls, function: Callable, file: str) -> _Locator:
        return cls(folder().parent)


class _Implementation(CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class _Cache(FunctionCache):
    _impl_class = _Implementation
