"""The import table of the package: which room may import which, and that an import changes nothing of the process."""

import ast
import graphlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import lil

PACKAGE = Path(lil.__file__).parent

# A room may import itself and what stands here. All top-level modules and folders without an entry are science.
SCIENCE = "science"
MAY_IMPORT = {
    SCIENCE: set(),
    "fast": {SCIENCE},
    "engine": {SCIENCE, "fast"},
    "recipes": {SCIENCE, "engine"},
    "experiments": {SCIENCE, "engine", "recipes"},
    "results": {"lil.progress", "lil.cache"},
    "paper": {"results"},
    "plotting": {"paper"},
}
NOTHING_OF_OURS = ("lil.isometry", "lil.models")
COMMANDS = ("cli", "dev", "__main__")  # may import everything

FILES = {
    ".".join(["lil", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def top(module: str) -> str:
    """Return the top-level module or folder that a module belongs to."""
    return module.split(".")[1] if "." in module else module


def room(module: str) -> str:
    return top(module) if top(module) in {*MAY_IMPORT, *COMMANDS} else SCIENCE


def imported(module: str, source: str, is_package: bool = False) -> set[str]:
    """Return the modules of the package that a module imports anywhere in its source, also inside functions."""
    names: set[str] = set()
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
    ours = {name for name in names if name.split(".")[0] == "lil"}
    return {name if name in FILES else name.rpartition(".")[0] for name in ours} - {module, ""}


GRAPH = {
    module: imported(module, path.read_text("utf-8"), path.name == "__init__.py") for module, path in FILES.items()
}


@pytest.mark.parametrize(
    "source, expected",
    [
        ("import lil.training", {"lil.training"}),
        ("from lil import training, models", {"lil.training", "lil.models"}),
        ("from lil.training import train", {"lil.training"}),
        ("def late():\n    from lil.training import train", {"lil.training"}),
        ("from . import training", {"lil.training"}),
        ("from .training import train", {"lil.training"}),
        ("importlib.import_module('lil.training')", {"lil.training"}),
        ("import torch", set()),
    ],
)
def test_every_way_to_import_is_seen(source, expected):
    assert imported("lil.attacks", source) == expected


@pytest.mark.parametrize("module", GRAPH)
def test_a_module_imports_only_the_rooms_that_the_table_allows(module):
    if room(module) in COMMANDS:
        return
    allowed = {room(module), *MAY_IMPORT[room(module)]}
    against = {name for name in GRAPH[module] if name not in allowed and room(name) not in allowed}
    assert not against, f"{module} is in the room {room(module)!r}, which may import {sorted(allowed)} only"


@pytest.mark.parametrize("module", NOTHING_OF_OURS)
def test_the_first_two_files_of_the_method_import_nothing_of_ours(module):
    assert not GRAPH[module]


def test_no_import_leads_back():
    graphlib.TopologicalSorter(GRAPH).prepare()  # raises CycleError, which names the circle
    by_top = {
        name: {top(to) for module in GRAPH if top(module) == name for to in GRAPH[module]} - {name}
        for name in map(top, GRAPH)
    }
    graphlib.TopologicalSorter(by_top).prepare()


def in_a_new_process(program: str, *arguments: str, folder: Path | None = None) -> str:
    run = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=folder)
    assert run.returncode == 0, run.stderr
    return run.stdout


SLOW = {"matplotlib", "plotly", "umap", "torchvision", "sklearn", "numba", "lil.fast"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "module, never",
    [
        ("lil", SLOW | {"torch"}),
        ("lil.cli", SLOW | {"torch", "xarray", "tqdm"}),
        ("lil.results", SLOW),
        ("lil.training", SLOW),
        ("lil.engine", SLOW),
    ],
)
def test_an_import_loads_nothing_that_it_does_not_need(module, never):
    loaded = in_a_new_process(f"import sys, {module}; print(*sys.modules)").split()
    assert module in loaded
    assert not never & set(loaded)


# Imports one module after the other, in one process, and prints for each module the state that its import changed.
# A symbol of the C library is noted when it is looked up: the allocator's settings cannot be read back.
WATCH = """
import importlib, json, os, sys, threading
import numba, sklearn, threadpoolctl, torch, torchvision.transforms.v2  # some set variables of their own

numba.get_num_threads()  # starts numba's threads, which changes torch's number where both use OpenMP
looked_up = []
sys.addaudithook(lambda event, given: looked_up.append(given[1]) if event == "ctypes.dlsym" else None)

def state():
    return {
        "environment": dict(os.environ),
        "threads of torch": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "threads of numba": numba.get_num_threads(),
        "flags of numba": {name: str(value) for name, value in vars(numba.config).items() if name.isupper()},
        "threads running": threading.active_count(),
        "processors": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "number type": str(torch.get_default_dtype()),
        "random numbers": torch.get_rng_state().tolist(),
        "allocator": [name for name in looked_up if name in ("mallopt", "setenv", "putenv")],
    }

before, changes = state(), {}
for module in sys.argv[1:]:
    importlib.import_module(module)
    after = state()
    if changed := [name for name in before if before[name] != after[name]]:
        changes[module] = changed
    before = after
print(json.dumps(changes))
"""


def changes_by_importing(modules: Iterable[str], folder: Path | None = None) -> dict[str, list[str]]:
    return json.loads(in_a_new_process(WATCH, *modules, folder=folder).splitlines()[-1])


@pytest.mark.slow
def test_importing_a_module_changes_nothing_of_the_process():
    assert changes_by_importing([module for module in GRAPH if top(module) != "__main__"]) == {}


PLANTED = {
    "environment": "import os; os.environ['A_NEW_NAME'] = '1'",
    "threads of torch": "import torch; torch.set_num_threads(torch.get_num_threads() + 1)",
    "flags of numba": "import numba; numba.config.CPU_NAME = 'generic'",
    "allocator": "import ctypes; getattr(ctypes.CDLL(None), 'mallopt', None) or ctypes.CDLL(None).setenv",
    "random numbers": "import torch; torch.rand(1)",
}


@pytest.mark.slow
def test_a_module_that_changes_the_process_is_noticed(tmp_path):
    for number, line in enumerate(PLANTED.values()):
        (tmp_path / f"planted_{number}.py").write_text(line)
    expected = {f"planted_{number}": [changed] for number, changed in enumerate(PLANTED)}
    assert changes_by_importing(expected, tmp_path) == expected
