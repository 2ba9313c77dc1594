"""When two outputs of a notebook count as the same: words and whole numbers exactly, decimals nearly.

Another machine, another number of threads or another release of a library changes the last digits of what is
computed. Near enough is a relative difference of RTOL, plus one unit of the last digit that is printed.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

RTOL = 1e-3

# A decimal: digits with a point or an exponent. Whole numbers are left in the text and have to agree.
_DECIMAL = re.compile(r"(?<![\w.])[-+−]?(?:(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?![\w.])")


def adopt_near(new: Any, reference: Any) -> Any:
    """``new`` with every value that is near its counterpart in ``reference`` replaced by that counterpart.

    Both are what a notebook's JSON holds: text, numbers, lists, dictionaries. What differs by more, or in shape,
    comes back as it is, for the comparison that follows to find.
    """
    if isinstance(new, list) and isinstance(reference, list) and len(new) == len(reference):
        return [adopt_near(a, b) for a, b in zip(new, reference, strict=True)]
    if isinstance(new, dict) and isinstance(reference, dict) and not _are_arrays(new, reference):
        return type(new)({key: adopt_near(value, reference.get(key)) for key, value in new.items()})
    return reference if max(shares(new, reference), default=0.0) <= 1 else new


def shares(new: Any, reference: Any) -> Iterator[float]:
    """Yield the difference of each decimal from its counterpart, as a share of the difference that counts as near.

    What is no decimal yields infinity where it differs.
    """
    if isinstance(new, str) and isinstance(reference, str):
        yield from _text_shares(new, reference)
    elif isinstance(new, float) and isinstance(reference, float):
        yield _share(new, reference, unit=0.0)
    elif isinstance(new, list) and isinstance(reference, list) and len(new) == len(reference):
        yield from chain.from_iterable(map(shares, new, reference))
    elif isinstance(new, dict) and isinstance(reference, dict) and new.keys() == reference.keys():
        if _are_arrays(new, reference):
            yield from _array_shares(new, reference)
        else:
            yield from chain.from_iterable(shares(value, reference[key]) for key, value in new.items())
    elif new != reference:
        yield math.inf


def _are_arrays(new: dict, reference: dict) -> bool:
    """Return True if both are Plotly's arrays: {"dtype": "f8", "bdata": base64, "shape": "2, 3"}."""
    return "bdata" in new and "bdata" in reference


def _text_shares(new: str, reference: str) -> Iterator[float]:
    # A minus sign or one more digit shifts the columns of a table, so runs of spaces count as one.
    skeletons = [" ".join(_DECIMAL.sub("#", text).split()) for text in (new, reference)]
    if skeletons[0] != skeletons[1]:
        yield math.inf
        return
    for a, b in zip(_DECIMAL.findall(new), _DECIMAL.findall(reference), strict=True):
        yield _share(_number(a), _number(b), unit=max(_unit(a), _unit(b)))


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def _unit(text: str) -> float:
    """The value of one step of the last digit: 0.01 for "3.14", 1e-5 for "3.14e-3"."""
    mantissa, _, exponent = text.lower().partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def _share(a: float, b: float, *, unit: float) -> float:
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    granted = RTOL * max(abs(a), abs(b)) + 1.001 * unit
    return abs(a - b) / granted if math.isfinite(a) and math.isfinite(b) else math.inf


def _array_shares(new: dict, reference: dict) -> Iterator[float]:
    a, b = (np.frombuffer(base64.b64decode(array["bdata"]), dtype=array["dtype"]) for array in (new, reference))
    if {**new, "bdata": 0} != {**reference, "bdata": 0} or a.shape != b.shape:
        yield math.inf
    elif a.dtype.kind != "f":
        yield 0.0 if np.array_equal(a, b) else math.inf
    else:
        yield from (_share(x, y, unit=0.0) for x, y in zip(a.tolist(), b.tolist(), strict=True))
