"""Machine code is never stale: a change anywhere in the wing is in the numbers of the next process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tracked import copy_folder

import lil
from lil.fast import compiling

pytestmark = pytest.mark.slow  # each compiles in a process of its own

FILES = {
    "__init__.py": "",
    "compiling.py": Path(compiling.__file__).read_text(encoding="utf-8"),
    "called.py": """
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from wing.compiling import compiled

CONSTANT = 10.0


@intrinsic
def factor(context):
    def code(context, builder, signature, arguments):
        return ir.Constant(ir.DoubleType(), 7.0)

    return types.float64(), code


@compiled
def function(x):
    return x + 1.0
""",
    "caller.py": """
from wing.called import CONSTANT, factor, function
from wing.compiling import compiled


@compiled
def result(x):
    return function(x) * factor() + CONSTANT + 1.0 / (x - x)


try:
    print(result(2.0), end=" ")
except ZeroDivisionError:
    print("division by zero", end=" ")
print(sum(result.stats.cache_hits.values()))
""",
}
NUMPYS = ("njit(", 'njit(error_model="numpy", ')  # a flag of the compiler: what 1/0 is


@pytest.fixture
def wing(tmp_path):
    """Return a small wing with the real module that compiles and caches."""
    (tmp_path / "wing").mkdir()
    for name, text in FILES.items():
        (tmp_path / "wing" / name).write_text(text, encoding="utf-8")
    return tmp_path / "wing"


def change(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def run(folder, program="import wing.caller", **environment):
    """Return the output of a process of its own, whose cache is beside the wing."""
    environment = {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache")} | environment
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("called.py", "x + 1.0", "x + 2.0", "38.0"),  # a called function
        ("called.py", "CONSTANT = 10.0", "CONSTANT = 20.0", "41.0"),
        ("called.py", "DoubleType(), 7.0", "DoubleType(), 8.0", "34.0"),  # an intrinsic
        ("compiling.py", *NUMPYS, "inf"),
    ],
    ids=["function", "constant", "intrinsic", "flag"],
)
def test_a_change_in_another_file_is_seen_by_its_callers(wing, name, old, new, expected):
    if expected != "inf":
        change(wing / "caller.py", " + 1.0 / (x - x)", "")
    before = "division by zero" if expected == "inf" else "31.0"
    assert run(wing.parent) == f"{before} 0"
    assert run(wing.parent) == f"{before} 1"  # from the cache
    change(wing / name, old, new)
    assert run(wing.parent) == f"{expected} 0"
    assert run(wing.parent) == f"{expected} 1"


def test_where_nothing_can_be_written_it_is_compiled_without_a_cache(wing):
    (wing.parent / "cache").write_text("a file, where a folder is needed")
    change(wing / "caller.py", " + 1.0 / (x - x)", "")
    assert run(wing.parent) == "31.0 0"
    assert run(wing.parent) == "31.0 0"


def test_without_a_named_folder_it_is_the_users_cache(wing):
    change(wing / "caller.py", " + 1.0 / (x - x)", "")
    run(
        wing.parent,
        "import wing.caller",
        NUMBA_CACHE_DIR="",
        XDG_CACHE_HOME=str(wing.parent / "home"),
        HOME=str(wing.parent / "home"),
    )
    assert list((wing.parent / "home").rglob("machine-code-*/caller.result-*.nbi"))
    assert not list(wing.rglob("*.nb?"))


FORWARD = """
import numpy as np, torch
from lil.fast import kernel, training
from lil.models import LIL

model, x = LIL((3, 4, 2), seeds=[0]), torch.ones(3, 8).numpy()
networks, values = training.pack(model), np.empty((6, 8), np.float32)
kernel.forward(networks.layers, networks.parameters[0], x, values)
print(torch.allclose(torch.from_numpy(values[4:]), model(torch.ones(8, 3))[0].T.detach()))
"""


def test_a_faulty_tanh_is_seen_at_once_in_the_package_itself(tmp_path):
    copy_folder(Path(lil.__file__).parent, tmp_path / "lil", "weights")
    assert run(tmp_path, FORWARD) == "True"
    change(
        tmp_path / "lil" / "fast" / "elementary.py",
        "value = np.divide(above",
        "value = np.float32(0.5) * np.divide(above",
    )
    assert run(tmp_path, FORWARD) == "False"


def test_functions_of_other_places_are_not_cached():
    """Their files are in no fingerprint."""
    assert type(compiling.compiled(lambda x: x)._cache).__name__ == "NullCache"


def test_machine_code_unused_for_a_month_is_removed_and_nothing_else(wing):
    change(wing / "caller.py", " + 1.0 / (x - x)", "")
    cache, month = wing.parent / "cache", 31 * 24 * 3600
    for name, age in (("machine-code-old", month), ("machine-code-new", 0), ("another", month)):
        (cache / name).mkdir(parents=True)
        (cache / name / "file").touch()
        os.utime(cache / name, (time.time() - age,) * 2)
    assert run(wing.parent) == "31.0 0"
    (used,) = {each.name for each in cache.iterdir()} - {"machine-code-new", "another"}
    os.utime(cache / used, (time.time() - month,) * 2)
    assert run(wing.parent) == "31.0 1"  # from the cache, whose use makes it new again
    assert time.time() - (cache / used).stat().st_mtime < month / 2
