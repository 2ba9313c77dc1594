"""Settings changed by name for a rerun: ``betas``, ``epochs``, or ``rings.n_points`` where a name alone is not enough.

A name stands for each setting of that name in an experiment's tree of settings; a dotted name for those whose path
ends so. Values may be JSON text, as papermill makes of a list. They must fit the setting's annotation. ``seeds`` may
be a number: that many of the first. ``pictured`` names values of ε, and not their positions as in the settings.
"""

from __future__ import annotations

import contextlib
import json
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from lil.results import running
from lil.results.errors import SettingRefused, UnknownName

# Settings that mean the same in every experiment, and the smallest value that they may have.
LEAST = dict.fromkeys(("beta", "betas", "seeds"), 0)
LEAST |= dict.fromkeys(("epochs", "grid", "n_images", "n_points", "n_test", "n_train"), 1)
LARGEST = 2**63 - 1  # whole number that torch takes
RISING = ("betas", "epsilons", "pictured")  # along an axis
KINDS = {int: "a whole number", float: "a number", str: "a word", bool: "true or false", type(None): "null"}


def apply(config: Any, changes: Mapping[str, Any]) -> Any:
    """Return the settings with the changes made, all at once; a value of None changes nothing.

    Raises SettingRefused for a name that no setting has, a value of another kind, and a value that the settings refuse,
    and UnknownName for fewer seeds than one.
    """
    found: dict[str, Any] = {}
    for name, value in changes.items():
        if value is None:
            continue
        matching = [path for path in paths(config) if path == name or path.endswith(f".{name}")]
        if not matching:
            raise SettingRefused(f"There is no setting {name!r}: there are {', '.join(names(config))}.")
        for path in matching:
            setting, (before, hint) = path.rpartition(".")[2], _setting(config, path)
            hint = tuple[float, ...] if setting == "pictured" else hint
            new = _parsed(value, hint)
            if setting == "seeds" and isinstance(new, int) and not isinstance(new, bool):
                if new < 1:
                    raise UnknownName(f"There must be at least one seed, not {new}.")
                if new > (longest := max(len(_setting(config, each)[0]) for each in matching)):
                    raise SettingRefused(f"seeds is {new}, and there are {longest}: name others, as in [7, 8].")
                new = before[:new]
            found[path] = _checked(name, new, hint)
            _check_values(setting, found[path])
    _place_pictured(config, found)
    try:
        return running.cut(config, found, ())
    except ValueError as reason:
        raise SettingRefused(str(reason)) from reason


def _place_pictured(config: Any, found: dict[str, Any]) -> None:
    """Put positions in place of the ε in ``pictured``. Values of ε are compared to four digits, as pages print them.

    Where other ε are changed alone, those that were pictured and are still there stay so, or else the last ones are.
    """
    for path in paths(config):
        owner, dot, setting = path.rpartition(".")
        if setting != "pictured" or not {path, axis := f"{owner}{dot}epsilons"} & found.keys():
            continue
        before, positions = _setting(config, axis)[0], _setting(config, path)[0]
        there = [f"{each:.4g}" for each in found.get(axis, before)]
        wanted = [f"{each:.4g}" for each in found.get(path, [before[position] for position in positions])]
        if path in found and not set(wanted) <= set(there):
            raise SettingRefused(f"pictured must be among the ε {', '.join(there)}, not {', '.join(wanted)}.")
        last = range(len(there))[max(0, len(there) - len(positions)) :]
        found[path] = tuple(there.index(each) for each in wanted if each in there) or tuple(last)


def paths(config: Any, prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of each setting that is no group of settings."""
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value):
            yield from paths(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


def names(config: Any) -> list[str]:
    """Return the names of the settings, each once, in their order."""
    return list(dict.fromkeys(path.rpartition(".")[2] for path in paths(config)))


def _setting(config: Any, path: str) -> tuple[Any, Any]:
    """Return the value and the annotation of one setting."""
    *groups, last = path.split(".")
    for group in groups:
        config = getattr(config, group)
    return getattr(config, last), get_type_hints(type(config))[last]


def _parsed(value: Any, hint: Any) -> Any:
    """Return a value with lists as tuples; JSON text is read where the setting is no word."""
    if isinstance(value, str) and not _fits(value, hint):
        with contextlib.suppress(ValueError, RecursionError):  # then it is the word that it is
            value = json.loads(value)
    return _as_tuples(value)


def _checked(name: str, value: Any, hint: Any) -> Any:
    """Return a value in the kind of its annotation. Raises SettingRefused for one of another kind."""
    if not _fits(value, hint):
        raise SettingRefused(f"{name} must be {_words(hint)}, not {value!r}.")
    if get_origin(hint) is tuple and len(value) == 0:
        raise SettingRefused(f"{name} is empty: give at least one value.")
    return _as_floats(value, hint)


def _check_values(setting: str, value: Any) -> None:
    """Raise SettingRefused for a value that is impossible in every experiment."""
    values = value if isinstance(value, tuple) else (value,)
    numbers = [each for each in values if each is not None]
    if setting in LEAST and min(numbers, default=LEAST[setting]) < LEAST[setting]:
        raise SettingRefused(f"{setting} must be {LEAST[setting]} or more, not {min(numbers)}.")
    if any(isinstance(each, int) and abs(each) > LARGEST for each in numbers):
        raise SettingRefused(f"{setting} must have whole numbers of 64 bits, {LARGEST} at most, not {value}.")
    if setting == "epsilons" and not all(0 < each <= 1 for each in numbers):
        raise SettingRefused(f"epsilons must be > 0 and at most 1, the range of a pixel, not {value}.")
    if setting in RISING and list(values) != sorted(set(values)):
        raise SettingRefused(f"{setting} must rise and each stand there once, which {value} do not.")
    if setting == "seeds" and len(set(values)) < len(values):
        raise SettingRefused(f"seeds must each stand there once, which {value} do not.")


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, (list, tuple)) else value


def _fits(value: Any, hint: Any) -> bool:
    """Return True if a value is of the kind of an annotation: whole numbers are numbers, and NaN is none."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in inner
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if inner[1:] == (Ellipsis,):
            return all(_fits(each, inner[0]) for each in value)
        return len(value) == len(inner) and all(map(_fits, value, inner))
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) else True


def _as_floats(value: Any, hint: Any) -> Any:
    """Return whole numbers as floats where the annotation says so: 3 and 3.0 are one setting."""
    if hint is float:
        return float(value)
    if get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
        return tuple(_as_floats(each, get_args(hint)[0]) for each in value)
    return value


def _words(hint: Any) -> str:
    """Return an annotation in words: "a list of numbers"."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(repr(each) for each in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_words, inner))
    if origin is tuple and inner[1:] == (Ellipsis,):
        return f"a list, each entry {_words(inner[0])}"
    if origin is tuple:
        return f"a list of {len(inner)}, {', '.join(map(_words, inner))}"
    return KINDS.get(hint, getattr(hint, "__name__", str(hint)))
