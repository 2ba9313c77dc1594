"""The key of a result: a fingerprint of its settings, its data, and the code that computes it.

The code is fingerprinted by content, not by place. The fingerprint of a module is that of its syntax tree, in which
each import from the own package is replaced by the fingerprint of the imported module and the imported name. A module
that is moved or renamed therefore keeps the keys of all results that depend on it. Comments, docstrings, layout and
the order of imports are left out, and so are the settings of profiles that are not recorded.

An import of the package's ``engine`` stands for itself. The engine gives the same numbers faster and has a
fingerprint of its own (:func:`engine_fingerprint`), which is in no key.

The code is read and not run, which has two limits. A module imported by a computed name is not seen. Other packages are
not fingerprinted: the provenance of a record states their versions.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import sys
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Inputs:
    """Everything that a result depends on; equal inputs, equal key. The engine is in no key."""

    name: str  # of the module that computes it
    config: str  # its settings, as canonical JSON
    data: str  # fingerprint of the data it reads, "" where settings and code define them
    code: str  # fingerprint of the code
    networks: dict[str, str]  # the keys of the networks it evaluates, by recipe; empty for networks themselves
    engine: dict[str, str]  # name and fingerprint: see engine_of

    @property
    def key(self) -> str:
        """Return the key, 64 hexadecimal digits."""
        return digest(canonical_json({name: value for name, value in asdict(self).items() if name != "engine"}))

    def attrs(self) -> dict[str, str]:
        """Return the inputs as attributes of a record."""
        fields = asdict(self)
        return fields | {name: canonical_json(fields[name]) for name in ("networks", "engine")}

    def differences(self, attrs: dict[str, Any]) -> list[str]:
        """Return the inputs that differ from those of a record, in words for an error message.

        Fast engines are compared with each other alone: the plain code defines the numbers of both.
        """
        words = {"config": "settings", "data": "data", "code": "code", "networks": "networks"}
        changed = [word for field, word in words.items() if self.attrs()[field] != attrs.get(field)]
        recorded = json.loads(attrs.get("engine", "{}"))
        both_fast = self.engine["name"] == recorded.get("name") == "fast"
        return [*changed, "engine"] if both_fast and self.engine != recorded else changed


def of_networks(recipe: ModuleType, config: Any) -> Inputs:
    """Return the inputs of the networks that ``recipe`` trains with ``config``, a dataclass."""
    data = recipe.data_fingerprint(config) if hasattr(recipe, "data_fingerprint") else ""
    return _inputs(recipe, config, data, networks={})


def of_evaluation(experiment: ModuleType, config: Any) -> Inputs:
    """Return the inputs of an experiment's evaluation, the keys of its networks among them.

    The experiment imports its recipes, so a change that makes networks stale makes their evaluation stale too.
    """
    networks = {name: of_networks(recipe, getattr(config, name)) for name, recipe in experiment.RECIPES.items()}
    data = " ".join(dict.fromkeys(inputs.data for inputs in networks.values() if inputs.data))
    return _inputs(experiment, config, data, {name: inputs.key for name, inputs in networks.items()})


def _inputs(module: ModuleType, config: Any, data: str, networks: dict[str, str]) -> Inputs:
    name = module.__name__
    code = code_fingerprint(name, folder_above(module))
    return Inputs(name.rpartition(".")[2], canonical_json(asdict(config)), data, code, networks, engine_of(module))


def folder_above(module: ModuleType) -> Path:
    """Return the folder that holds the package of ``module``."""
    return Path(str(sys.modules[module.__name__.partition(".")[0]].__file__)).parents[1]


def engine_of(module: ModuleType) -> dict[str, str]:
    """Return the name of the engine of a module's package, and its fingerprint; the plain code has none."""
    package = module.__name__.partition(".")[0]
    known = importlib.util.find_spec(f"{package}.engine") is not None
    name = importlib.import_module(f"{package}.engine").name() if known else "plain"
    return {"name": name, "code": engine_fingerprint(package, folder_above(module)) if name == "fast" else ""}


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and no spaces; floats are written so that they read back exactly."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(content: str | bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


# Code


def code_fingerprint(module: str, folder: Path) -> str:
    """Return the fingerprint of the code behind ``module``, whose top package lies in ``folder``.

    Raises FileNotFoundError for an imported module without source, ImportError for modules that import each other.
    """
    return _reader(folder, module.partition(".")[0]).fingerprint(module)


def engine_fingerprint(package: str, folder: Path) -> str:
    """Return the fingerprint of the engine of ``package``: of its module ``engine`` and of the modules in ``fast``.

    The science that they import has keys of its own and is left out. "" where there is no ``fast``.
    """
    fast = folder / package / "fast"
    if not fast.is_dir():
        return ""
    names = [f"{package}.engine", *(f"{package}.fast.{path.stem}" for path in sorted(fast.glob("[!_]*.py")))]
    code = _reader(folder, package, inside=frozenset(names))
    return digest(canonical_json(sorted(code.fingerprint(name) for name in names)))


class _Import(NamedTuple):
    """One imported name, resolved."""

    module: str  # of the own package, where the name is or is defined
    name: str  # "" for the module itself
    bound: str  # the name that it has here


class _Code:
    """A reader of a package's modules, each read once, that makes their fingerprints."""

    def __init__(self, folder: Path, package: str, inside: frozenset[str] | None = None):
        """``inside``: the modules whose content counts, where not all do."""
        self.folder, self.package, self.inside = folder, package, inside
        self.sources: dict[Path, str | None] = {}  # of the files that were looked for; None: there is none
        self.known: dict[str, str] = {}
        self.reading: list[str] = []

    def is_current(self) -> bool:
        """Return True if each file that was looked for still has the same content, or is still not there."""
        return all(_source(path) == text for path, text in self.sources.items())

    def fingerprint(self, name: str) -> str:
        if name in self.reading:
            circle = " → ".join([*self.reading[self.reading.index(name) :], name])
            raise ImportError(
                f"The modules {circle} import each other, so that none has a fingerprint: break the circle."
            )
        if name not in self.known:
            self.reading.append(name)
            try:
                self.known[name] = digest(self._text(name, constants=True))
            finally:
                self.reading.pop()
        return self.known[name]

    def _text(self, name: str, *, constants: bool) -> str:
        """Return the syntax tree of a module as text, with or without the constants written there."""
        path = self._find(name)
        if path is None:
            raise FileNotFoundError(
                f"The code imports {name}, of which {self.folder} holds no source: no key can be made of it."
            )
        tree = _tree(str(self.sources[path]))
        here = name if path.name == "__init__.py" else name.rpartition(".")[0]
        statements = [each for each in tree.body if constants or not _is_constant(each)]
        return _Dump(self, tree, here).body(statements)

    def resolve(self, node: ast.AST, here: str) -> list[_Import] | None:
        """Return the imports from the own package in a statement of the package ``here``; None for other statements."""
        if isinstance(node, ast.Import):
            own = [alias for alias in node.names if alias.name.partition(".")[0] == self.package]
            return [_Import(alias.name, "", alias.asname or alias.name) for alias in own] or None
        if not isinstance(node, ast.ImportFrom):
            return None
        above = here.split(".")[: len(here.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *filter(None, [node.module])])
        if base.partition(".")[0] != self.package:
            return None
        found = []
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            bound = alias.asname or alias.name
            found.append(_Import(inner, "", bound) if self._find(inner) else _Import(base, alias.name, bound))
        return found

    def stand_in(self, found: _Import) -> str:
        """Return the text for an imported module: its fingerprint, after those of the packages above it."""
        if found.module == f"{self.package}.engine" and self.inside is None:
            return "engine"
        if self.inside is not None and found.module not in self.inside:
            return "science"
        parts = found.module.split(".")
        passed = [self._text(".".join(parts[:n]), constants=False) for n in range(1, len(parts))]
        return " ".join([*(digest(text) for text in passed if text != "[]"), self.fingerprint(found.module)])

    def _find(self, name: str) -> Path | None:
        """Return the file of a module, None where there is none, and keep its content in ``sources``."""
        stem = self.folder.joinpath(*name.split("."))
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            if path not in self.sources:
                self.sources[path] = _source(path)
            if self.sources[path] is not None:
                return path
        return None


_READERS: dict[tuple[Path, str, frozenset[str] | None], _Code] = {}


def _reader(folder: Path, package: str, inside: frozenset[str] | None = None) -> _Code:
    """Return a reader of a package: the one before, as long as it is current. A list of records asks 200 times."""
    key = (folder, package, inside)
    if key not in _READERS or not _READERS[key].is_current():
        _READERS[key] = _Code(*key)
    return _READERS[key]


def _source(path: Path) -> str | None:
    """Return the content of a source; None where there is no such file."""
    return path.read_text(encoding="utf-8") if path.is_file() else None


class _Dump:
    """A writer of syntax trees as text, without positions and docstrings, imports of the own package replaced.

    Unlike ``ast.dump`` it leaves out empty fields, so that a Python whose nodes have more fields gives the same text.
    """

    def __init__(self, code: _Code, tree: ast.Module, here: str):
        self.code, self.here = code, here
        modules: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            for found in code.resolve(node, here) or ():
                modules.setdefault(found.bound, set()).add("" if found.name else code.stand_in(found))
        taken = _bound_otherwise(tree)
        self.modules = {
            bound: stands.pop()
            for bound, stands in modules.items()
            if len(stands) == 1 and "" not in stands and bound not in taken
        }

    def body(self, statements: list[Any]) -> str:
        """Return statements as text, own imports first and sorted, because a move changes their order."""
        imports, others = [], []
        for statement in statements:
            resolved = self.code.resolve(statement, self.here) if isinstance(statement, ast.AST) else None
            if resolved is None:
                others += [] if _is_docstring(statement) else [self.node(statement)]
            else:
                imports += [self._import(found) for found in resolved]
        return f"[{', '.join([*sorted(imports), *others])}]"

    def _import(self, found: _Import) -> str:
        """Return an import as text; without its name if all uses carry the fingerprint of the module."""
        bound = "" if found.bound in self.modules else found.bound
        return f"Own({self.code.stand_in(found)} {found.name} {bound})"

    def node(self, node: Any) -> str:
        """Return a node, a list of nodes or a constant as text."""
        if isinstance(node, ast.Name) and node.id in self.modules:
            return f"Own({self.modules[node.id]})"
        if isinstance(node, ast.AST):
            fields = ((name, getattr(node, name, None)) for name in node._fields)
            text = ", ".join(
                f"{name}={self.node(value)}" for name, value in fields if value is not None and value != []
            )
            return f"{type(node).__name__}({text})"
        if isinstance(node, list):
            return self.body(node)
        return repr(node)


def _bound_otherwise(tree: ast.Module) -> set[str]:
    """Return the names that a module binds other than by an import."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names


@lru_cache(maxsize=1024)
def _tree(source: str) -> ast.Module:
    """Return the syntax tree of a module, without the settings of profiles that are not recorded. Do not change it."""
    tree = ast.parse(source)
    tree.body = [statement for statement in tree.body if not _is_beside(statement)]
    return tree


def _is_constant(statement: ast.stmt) -> bool:
    """Return True for a statement that names a value written out: ``NAMES = ("a", "b")``."""
    written_out = (ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Load)
    return (
        isinstance(statement, ast.Assign)
        and all(isinstance(target, ast.Name) for target in statement.targets)
        and all(isinstance(node, written_out) for node in ast.walk(statement.value))
    )


def _is_beside(statement: ast.stmt) -> bool:
    """Return True for a statement that only names settings of profiles that are not recorded."""
    return isinstance(statement, ast.Assign) and all(
        isinstance(target, ast.Name) and target.id.startswith(("QUICK", "SHOWN")) for target in statement.targets
    )


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
