"""Mutation testing: one operator, constant or statement is changed at a time, and the module's tests have to notice.

``python -m tests.trust.mutants`` tries a sample and writes the record; with names of files, the sample of these alone,
and the record keeps its other rows. The exit status is 1 where a mutant survives.
Tools for this start a process for each mutant or wrap each function: here the import of torch would take longer than
the tests, and a wrapper would hide the shapes that the tests check. So mutants are made from the syntax tree, and
their tests run in a fork (:mod:`tests.trust.forked`). A survivor that no test can tell from the original stands in
``equivalent.toml`` with the reason.
"""

from __future__ import annotations

import ast
import copy
import random
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.trust.forked import ROOT, Tree, tree

SEED = 20  # of the sample
EACH = 10  # mutants of each module
MODULES = {  # and the tests of it
    "lil/isometry.py": ("tests/test_isometry.py",),
    "lil/models.py": ("tests/test_models.py",),
    "lil/training.py": ("tests/test_training.py",),
    "lil/attacks.py": ("tests/test_attacks.py",),
    "lil/stronger_attacks.py": ("tests/test_stronger_attacks.py", "tests/test_doors.py"),
    "lil/evaluation.py": ("tests/test_evaluation.py",),
    "lil/lipschitz.py": ("tests/test_lipschitz.py", "tests/test_doors.py"),
    "lil/gradient_bound.py": ("tests/test_gradient_bound.py",),
    "lil/engine.py": ("tests/test_engine.py", "tests/test_doors.py"),
    "lil/results/keys.py": (
        "tests/results/test_keys.py",
        "tests/results/test_modes.py",
        "tests/results/test_witness.py",
    ),
    "lil/results/changes.py": ("tests/results/test_changes.py",),
    "lil/results/files.py": ("tests/results/test_files.py", "tests/test_safety.py"),
    "lil/results/modes.py": ("tests/results/test_modes.py", "tests/results/test_witness.py"),
    "lil/results/records.py": (
        "tests/results/test_modes.py",
        "tests/results/test_listing.py",
        "tests/results/test_keys.py",
    ),
    "lil/results/affirmation.py": ("tests/results/test_affirmation.py",),
    "lil/results/bands.py": ("tests/results/test_affirmation.py",),
    "lil/results/witness.py": ("tests/results/test_witness.py",),
    "lil/paper/measures.py": ("tests/paper/test_claims.py",),
    "lil/paper/ledger.py": ("tests/paper/test_claims.py",),
    "lil/paper/sensitivity.py": ("tests/paper/test_sensitivity.py",),
    "lil/paper/intervals.py": ("tests/paper/test_intervals.py",),
    "lil/paper/verdicts.py": ("tests/paper/test_claims.py",),
    "lil/paper/tables/images.py": ("tests/paper/test_tables_images.py",),
}
COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.MatMult: ast.Mult, ast.RShift: ast.LShift, ast.Mod: ast.Mult,
}  # fmt: skip


Row = dict[str, str | float]


class Mutant(NamedTuple):
    """A module with one change."""

    file: str
    line: str  # that is changed, or lines in one
    becomes: str
    text: str  # the whole module

    @property
    def place(self) -> tuple[str, str, str]:
        """The module and its line before and after, by which ``equivalent.toml`` knows the mutant."""
        return self.file, self.line, self.becomes


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the node with one change: another operator, constant ± 1, the operand alone, nothing returned or done."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            yield _with(node, ops=[*node.ops[:at], COMPARISONS[type(operator)](), *node.ops[at + 1 :]])
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield _with(node, op=ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield from (ast.Constant(node.value + step) for step in (1, -1))
    elif isinstance(node, ast.Return) and not (node.value is None or getattr(node.value, "value", "") is None):
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.AugAssign | ast.Raise | ast.Continue | ast.Break) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield ast.Pass()


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run: no annotation, decorator, word or message of an error."""
    left_out = ("annotation", "returns", "decorator_list", "type_params")
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "TypeVar"):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in left_out and not (isinstance(node, ast.Raise)):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not isinstance(child, ast.AnnAssign):
                    yield from _code(child)
                elif isinstance(child, ast.AnnAssign) and child.value is not None:
                    yield from _code(child.value)


def mutants(file: str) -> list[Mutant]:
    """Return all mutants of a module, in its order."""
    lines = (ROOT / file).read_bytes().splitlines(keepends=True)  # columns of the syntax tree count bytes
    found = []
    for node in _code(ast.parse(b"".join(lines))):
        if not hasattr(node, "lineno"):
            continue
        first, last = node.lineno - 1, node.end_lineno
        old, margin = b"".join(lines[first:last]), len(lines[last - 1]) - node.end_col_offset
        for changed in changes(node):
            part = ast.unparse(changed) if isinstance(node, ast.stmt) else f"({ast.unparse(changed)})"
            new = old[: node.col_offset] + part.encode() + old[len(old) - margin :]
            words = [" ".join(each.decode().split()) for each in (old, new)]
            found.append(Mutant(file, *words, b"".join([*lines[:first], new, *lines[last:]]).decode()))
    return found


def sample(file: str) -> list[Mutant]:
    """Return the mutants of a module that are tried: the same at each call."""
    every = mutants(file)
    return random.Random(f"{SEED} {file}").sample(every, min(EACH, len(every)))


def equivalent() -> dict[tuple[str, str, str], str]:
    """Return the reason for each mutant that no test can tell from the original, by its place."""
    with Path(__file__).with_name("equivalent.toml").open("rb") as file:
        entries = tomllib.load(file)["mutant"]
    return {(entry["file"], entry["line"], entry["becomes"]): entry["reason"] for entry in entries}


def main(files: Sequence[str]) -> int:
    """Try the sample of these modules, or of all, and record it."""
    rows: list[Row] = []
    broken = []
    try:
        with tree() as copied:
            for file in files or MODULES:
                outcome = copied.test(MODULES[file])
                print(f"{outcome.seconds:5.1f} s  {file}, unchanged", flush=True)
                if outcome.noticed_by:
                    broken.append(outcome.noticed_by)
                else:
                    try_sample(file, copied, rows)
    finally:  # an interrupted run keeps the mutants that it has tried
        survived = record(rows) if rows else 0
    if broken:
        raise SystemExit(f"Without any change some tests fail, mend them first: {', '.join(broken)}.")
    return int(survived > 0)


def try_sample(file: str, copied: Tree, rows: list[Row]) -> None:
    """Try each mutant of a module's sample, and add a row for each to ``rows``."""
    for mutant in sample(file):
        with copied.changed(file, mutant.text):
            outcome = copied.test(MODULES[file])
        found = outcome.noticed_by or "nothing"
        print(f"{outcome.seconds:5.1f} s  {file}: {mutant.line}  →  {mutant.becomes}: {found}", flush=True)
        row = {"file": file, "line": mutant.line, "becomes": mutant.becomes, "noticed by": found}
        rows.append(row | {"seconds": round(outcome.seconds, 1)})


def record(tried: list[Row]) -> int:
    """Write the record: these rows, and those of modules not tried this time. Return how many mutants survived."""
    from tests.trust import recording  # it imports lil, which no fork may inherit

    again, known = {row["file"] for row in tried}, equivalent()
    rows = [dict(row) for row in [*recording.rows("mutants"), *tried] if row["file"] not in again or row in tried]
    rows.sort(key=lambda row: list(MODULES).index(row["file"]))
    for row in rows:
        reason = known.get((row["file"], row["line"], row["becomes"]), "")
        row["equivalent because"] = reason if row["noticed by"] == "nothing" else ""
    spared = sum(bool(row["equivalent because"]) for row in rows)
    survived = sum(row["noticed by"] == "nothing" for row in rows) - spared
    counts = {"mutants": len(rows), "killed": len(rows) - spared - survived, "equivalent": spared, "survived": survived}
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    seconds = sum(float(row["seconds"]) for row in rows)
    recording.write("mutants", "make test-mutants", rows, counts, seconds, tried=len(tried))
    return survived


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
