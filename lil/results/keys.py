"""What a result depends on, as a key: its settings, its data, and the code that computes it.

The code is the syntax tree of every module of the package that the computing module imports, directly or not, found
without running anything. Comments, docstrings and layout are no part of it; neither is what an experiment has beside
its computation: the settings of the other profiles, by which nothing is recorded, and ``headline``, which reads a result.
Two limits follow from reading rather than running: a module imported by a computed name is not seen, and neither are
other packages, whose versions stand in the provenance of a record instead.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Inputs:
    """Everything that a result depends on; equal inputs, equal key."""

    name: str                   # of the module that computes it
    config: str                 # its settings, as canonical JSON
    data: str                   # fingerprint of the data it reads, "" where settings and code define them
    code: str                   # fingerprint of the code
    networks: dict[str, str]    # the keys of the networks it evaluates, by recipe; empty for networks themselves

    @property
    def key(self) -> str:
        """64 hexadecimal digits."""
        return digest(canonical_json(asdict(self)))

    def attrs(self) -> dict[str, str]:
        """The inputs as attributes of a record."""
        fields = asdict(self)
        return fields | {"networks": canonical_json(fields["networks"])}

    def differences(self, attrs: dict[str, Any]) -> list[str]:
        """Which of the inputs are not those a record was computed with, in words for an error message."""
        words = {"config": "settings", "data": "data", "code": "code", "networks": "networks"}
        return [word for field, word in words.items() if self.attrs()[field] != attrs.get(field)]


def of_networks(recipe: ModuleType, config: Any) -> Inputs:
    """The inputs of the networks that ``recipe`` trains with ``config``, a dataclass."""
    data = recipe.data_fingerprint(config) if hasattr(recipe, "data_fingerprint") else ""
    return _inputs(recipe, config, data, networks={})


def of_evaluation(experiment: ModuleType, config: Any) -> Inputs:
    """The inputs of an experiment's evaluation, its networks' keys among them.

    The experiment imports its recipes, so a change that makes networks stale makes their evaluation stale too.
    """
    networks = {name: of_networks(recipe, getattr(config, name)) for name, recipe in experiment.RECIPES.items()}
    data = " ".join(dict.fromkeys(inputs.data for inputs in networks.values() if inputs.data))
    return _inputs(experiment, config, data, {name: inputs.key for name, inputs in networks.items()})


def _inputs(module: ModuleType, config: Any, data: str, networks: dict[str, str]) -> Inputs:
    name = module.__name__
    folder = Path(sys.modules[name.partition(".")[0]].__file__).parents[1]
    code = code_fingerprint(name, folder)
    return Inputs(name.rpartition(".")[2], canonical_json(asdict(config)), data, code, networks)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; floats are written so that they read back exactly."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(content: str | bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def code_fingerprint(module: str, folder: Path) -> str:
    """The fingerprint of the code behind ``module``, whose top package lies in ``folder``."""
    return digest(canonical_json(code_behind(module, folder)))


def code_behind(module: str, folder: Path) -> dict[str, str]:
    """The syntax tree, as text, of ``module`` and of all modules of its package that it imports, directly or not.

    A package that is only passed through on the way to a module (``lil`` in ``from lil import isometry``) runs its
    ``__init__.py``, so that counts; but not the constants written there: a new version or a longer list of names
    changes no result.
    """
    sources: dict[str, str] = {}
    imported, waiting = {module}, [module]
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        path = _source(name, folder)
        sources[name] = path.read_text(encoding="utf-8")
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        targets = set(_imports(sources[name], package, folder))
        imported |= targets
        waiting += [prefix for target in targets | {name} for prefix in _prefixes(target)]
    return {name: _as_text(source, constants=name in imported) for name, source in sources.items()}


@lru_cache(maxsize=1024)
def _as_text(source: str, *, constants: bool) -> str:
    """The syntax tree of a module, with or without the constants written there. A listing asks for each a hundred times."""
    tree = _tree(source)
    body = [statement for statement in tree.body if constants or not _is_constant(statement)]
    return dump(ast.Module(body, tree.type_ignores))


@lru_cache(maxsize=1024)
def _tree(source: str) -> ast.Module:
    """The syntax tree of a module, without what stands beside the computation."""
    tree = ast.parse(source)
    tree.body = [statement for statement in tree.body if not _is_beside(statement)]
    return tree


@lru_cache(maxsize=1024)
def _import_statements(source: str) -> list[ast.Import | ast.ImportFrom]:
    """All of them, inside functions too."""
    return [node for node in ast.walk(_tree(source)) if isinstance(node, ast.Import | ast.ImportFrom)]


def _imports(source: str, package: str, folder: Path) -> Iterator[str]:
    """The modules of the own package that a module imports anywhere."""
    top = package.partition(".")[0]
    for node in _import_statements(source):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == top:
                    yield from _prefixes(alias.name)
        else:
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            if base.partition(".")[0] == top:
                for alias in node.names:
                    submodule = f"{base}.{alias.name}"
                    yield submodule if _find(submodule, folder) else base


def _prefixes(name: str) -> list[str]:
    """``a.b.c``: ``a``, ``a.b`` and itself."""
    parts = name.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


def _find(name: str, folder: Path) -> Path | None:
    stem = folder.joinpath(*name.split("."))
    return next((path for path in (stem / "__init__.py", stem.with_suffix(".py")) if path.is_file()), None)


def _source(name: str, folder: Path) -> Path:
    if path := _find(name, folder):
        return path
    raise FileNotFoundError(f"The code imports {name}, of which {folder} holds no source: no key can be made of it.")


def _is_constant(statement: ast.stmt) -> bool:
    """Whether a statement only gives a name to a value written out: ``NAMES = ("a", "b")``."""
    written_out = (ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Load)
    return (
        isinstance(statement, ast.Assign)
        and all(isinstance(target, ast.Name) for target in statement.targets)
        and all(isinstance(node, written_out) for node in ast.walk(statement.value))
    )


def _is_beside(statement: ast.stmt) -> bool:
    """Whether all that a statement does is to name settings by which nothing is recorded, or the headline."""
    match statement:
        case ast.Assign(targets=targets):
            return all(isinstance(target, ast.Name) and target.id.startswith(("QUICK", "SHOWN")) for target in targets)
        case ast.FunctionDef(name="headline"):
            return True
        case ast.ImportFrom(names=[ast.alias(name="headline", asname=None | "headline")]):
            return True
    return False


def dump(node: Any) -> str:
    """A syntax tree as text, without positions and docstrings.

    Unlike ``ast.dump`` it leaves out empty fields, so that a Python whose nodes have more fields gives the same text.
    """
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in node._fields)
        return f"{type(node).__name__}({', '.join(f'{n}={dump(v)}' for n, v in fields if v is not None and v != [])})"
    if isinstance(node, list):
        return f"[{', '.join(dump(item) for item in node if not _is_docstring(item))}]"
    return repr(node)


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
