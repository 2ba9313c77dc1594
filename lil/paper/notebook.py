"""Parts that every notebook shows: its settings as a table, its data in a sentence, and the numbers of its words."""

from __future__ import annotations

import ast
import inspect
import io
import json
import tokenize
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from types import ModuleType
from typing import Any

import xarray as xr
from IPython import get_ipython
from IPython.display import Markdown, display
from myst_nb import glue

from lil.paper import overview
from lil.paper.markdown import table
from lil.paper.tables import NotComparable, Numbers, config
from lil.results import changes, registry
from lil.results.errors import SettingRefused

SETS = {"mnist": "MNIST", "cifar10": "CIFAR10"}


def settings(experiment: ModuleType, result: xr.Dataset) -> Markdown:
    """Return a table of the settings that a result of an experiment has: name, value, and the source's comment.

    Of several settings of one kind, such as the networks of two readings, the first are shown whole and the others
    where they differ from them. Raises SettingRefused for a parameter of papermill's that the notebook does not have.
    """
    _check_parameters()
    used = changes.apply(registry.settings(experiment, result.attrs["profile"]), _changes(result))
    return Markdown(table(("setting", "value", "meaning"), _rows(used, "", {})))


def _check_parameters() -> None:
    """Raise SettingRefused for a parameter that papermill has put below a cell of parameters that lacks it."""
    cells = get_ipython().user_ns["In"] if get_ipython() is not None else []
    for own, injected in pairwise(cells):
        if injected.startswith("# Parameters\n"):
            known, given = ([each.targets[0].id for each in ast.parse(cell).body] for cell in (own, injected))
            for name in given:
                if name not in known:
                    raise SettingRefused(f"There is no parameter {name!r}: there are {', '.join(known)}.")


def _rows(config: Any, prefix: str, seen: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of one dataclass and of those in it; ``seen`` has those that were shown whole."""
    comments = field_comments(type(config))
    for field in fields(config):
        value, name = getattr(config, field.name), f"{prefix}{field.name}"
        if not is_dataclass(value):
            yield f"`{name}`", shown(value), comments[field.name]
            continue
        like = next((other for other in seen if isinstance(value, type(seen[other]))), None)
        kind = f"`{type(value).__module__}.{type(value).__qualname__}`" if like is None else f"as `{like}` but for"
        yield f"`{name}`", kind, comments[field.name].rstrip(",;:")
        rows = list(_rows(value, f"{name}.", seen))
        if like is None:
            seen[name] = value
        else:
            known = list(_rows(seen[like], f"{name}.", seen))
            rows = [row for row in rows if row[:2] not in [other[:2] for other in known]]
        yield from rows


def shown(value: Any) -> str:
    """Return a value of a setting as a reader writes it."""
    if isinstance(value, (tuple, list)):
        return ", ".join(map(shown, value)) or "none"
    return f"{value:.4g}" if isinstance(value, float) else "none" if value is None else str(value)


def field_comments(kind: type) -> dict[str, str]:
    """Return the comment of each field of a dataclass: that on its last line, or else that on the line above it."""
    found: dict[str, str] = {}
    for each in reversed([base for base in kind.__mro__ if is_dataclass(base)]):
        source = inspect.getsource(each)
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        comments = {token.start[0]: token for token in tokens if token.type == tokenize.COMMENT}
        for node in ast.parse(source).body[0].body:  # type: ignore[attr-defined]
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                beside, above = comments.get(node.end_lineno or 0), comments.get(node.lineno - 1)
                if beside is None and above is not None and above.line.strip() != above.string:
                    above = None  # beside the field before
                comment = beside or above
                found[node.target.id] = comment.string.lstrip("# ") if comment else ""
    return found


def changed(result: xr.Dataset) -> Markdown | None:
    """Return the sentence on changed settings at the top of a rerun; None, which shows nothing, where none is."""
    if not (given := _changes(result)):
        return None
    named = ", ".join(f"`{name}` = {new if isinstance(new, str) else json.dumps(new)}" for name, new in given.items())
    head = f"**A rerun with changed settings: {named}.**"
    return Markdown(f"{head} Its numbers belong to no record and to no other page.")


def _changes(result: xr.Dataset) -> dict[str, Any]:
    return json.loads(result.attrs.get("changes", "{}"))


def title(result: xr.Dataset, *names: str) -> str:
    """Return the names of the image sets; at a small scale, the digits that stand in for them."""
    used = {part["dataset"] for part in config(result).values() if isinstance(part, dict) and "dataset" in part}
    meant = " and ".join(SETS[name] for name in names)
    return meant if used <= set(SETS) else f"scikit-learn's digits, in place of {meant}"


def computed_on(text: str) -> Markdown:
    """Return the sentence on the data of the figures and tables of a page."""
    return Markdown(f"The figures and tables below were computed on {text}.")


def findings(page: str, *names: str) -> Markdown:
    """Return the ledger's findings on a page, "nb/fig2_rings": of all propositions, or of those with these names.

    They come from the records, not from the result at hand.
    """
    return Markdown(overview.findings(page, names))


def glue_all(prefix: str, numbers: Numbers) -> None:
    """Hand the numbers to the text of the page, where ``{glue:text}`` finds them by their prefixed names.

    Where there is nothing to compare, the reason is shown.
    """
    if isinstance(numbers, NotComparable):
        display(Markdown(f"**{numbers.reason}** A dash stands for each number of the text that compares."))
    for name, value in numbers.items():
        glue(f"{prefix}_{name}", value, display=False)
