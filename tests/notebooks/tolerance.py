"""When two outputs of a cell count as the same: words and whole numbers exactly, decimals within measured ranges.

A reference is several executions. The first is the notebook beside this file; the others ran on the machines that
``tests/trust/machines.py`` simulates, and ``executions.json`` holds their decimals. The range of a decimal is that of
all executions. A new decimal may lie beyond an end of it by FACTOR times the range's width, and by one unit of the last
printed digit: both are rounded.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from lil.paper import shipped
from lil.results import files

FACTOR = 1.0
WIDEST = 0.05  # of a decimal, the most by which the accepted ones may differ: a mistake could hide in more
EXECUTIONS = Path(__file__).with_name("executions.json")

Outputs = Sequence[Mapping[str, Any]]
Range = tuple[float, float]
Executions = dict[str, dict[str, dict[str, str]]]
"""The decimals of each notebook and cell by the words for the machine, as they were printed, with spaces between."""

# A decimal: digits with a point or an exponent. Whole numbers are left in the text and have to agree.
_DECIMAL = re.compile(r"(?<![\w.])[-+−]?(?:(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?![\w.])")


def decimals(outputs: Outputs) -> list[str]:
    """Return the decimals in what a cell printed, in their order."""
    return [number for holder, key in _texts(outputs) for number in _DECIMAL.findall(holder[key])]


def skeletons(outputs: Outputs) -> list[str]:
    """Return what a cell printed without its decimals. They shift a table's columns, so runs of spaces are one."""
    return [" ".join(_DECIMAL.sub("#", holder[key]).split()) for holder, key in _texts(outputs)]


def ranges(executions: Sequence[Sequence[str]]) -> list[Range]:
    """Return the range of each decimal over executions of one cell. Raise ValueError where their counts differ."""
    return [(min(each), max(each)) for each in zip(*(map(_value, one) for one in executions), strict=True)]


def shares(numbers: Sequence[str], measured: Sequence[Range]) -> list[float]:
    """Return how far each decimal lies beyond its range, as a share of what is granted."""
    return [_share(number, each) for number, each in zip(numbers, measured, strict=True)]


def adopt_near(new: Outputs, reference: Outputs, measured: Sequence[Range]) -> Outputs:
    """Return ``new`` with each decimal that is near replaced by its counterpart in ``reference``.

    Text whose words or whole numbers differ stays as it is, for the comparison that follows to find.
    """
    if skeletons(new) != skeletons(reference):
        return new
    adopted = deepcopy(list(new))
    pairs = iter(list(zip(shares(decimals(new), measured), decimals(reference), strict=True)))

    def near(number: re.Match[str]) -> str:
        share, expected = next(pairs)
        return expected if share <= 1 else number[0]

    for (holder, key), (expected, _) in zip(_texts(adopted), _texts(reference), strict=True):
        text = _DECIMAL.sub(near, holder[key])
        holder[key] = expected[key] if text.split() == expected[key].split() else text
    return adopted


def measured(executions: Executions, notebook: str, cell: str, reference: Outputs, *, without: str = "") -> list[Range]:
    """Return the range of each decimal of a cell: of the reference, and of its executions but the one ``without``."""
    others = executions.get(notebook, {}).get(cell, {})
    return ranges([decimals(reference), *(line.split() for words, line in others.items() if words != without)])


def read_executions(path: Path) -> Executions:
    """Return the executions in a file. Raise CorruptFile where its contents do not have the checksum they came with."""

    def parse(text: str) -> Executions:
        content = json.loads(text)
        if content["sha256"] != _digest(content["executions"]):
            raise ValueError("its checksum is another")
        return content["executions"]

    return shipped.read(path, parse)


def write_executions(executions: Executions, path: Path) -> None:
    """Replace the file of executions."""
    content = {"sha256": _digest(executions), "executions": executions}
    files.replace(path, json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def _digest(executions: Executions) -> str:
    return hashlib.sha256(json.dumps(executions, sort_keys=True).encode()).hexdigest()


def _texts(outputs: Outputs) -> Iterator[tuple[dict[str, str], str]]:
    """Yield where a cell's texts stand: what it printed, and its values as plain text. HTML would say them again."""
    for output in outputs:
        for holder, key in ((output, "text"), (output.get("data", {}), "text/plain")):
            if key in holder:
                yield holder, key


def _value(number: str) -> float:
    return float(number.replace("−", "-"))


def _unit(number: str) -> float:
    """The value of one step of the last digit: 0.01 for "3.14", 1e-5 for "3.14e-3"."""
    mantissa, _, exponent = number.lower().partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def _share(number: str, of: Range) -> float:
    low, high = of
    beyond = max(low - _value(number), _value(number) - high, 0.0)
    return beyond / (FACTOR * (high - low) + 1.001 * _unit(number))
