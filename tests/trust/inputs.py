"""Bad input: each call ends as it should, or in one clear error of a documented type.

``make test-inputs`` draws wrong types, shapes and names, empty, huge, negative and not finite values, by hypothesis
and always the same ones, and gives them to public functions, to the command line and to the parameters of notebooks.
An answer is *as intended* if it fulfils the function's promise. An error is *clear* if it is a ValueError, a TypeError
or one of the project's own, raised by the project's code and not inside a package that it uses. All else is *unclear*.

This runs without the checks of shapes and types that the tests switch on: a reader has none.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hypothesis
import torch

from lil import cli
from tests.trust import recording, small, targets
from tests.trust.targets import Target

OURS = str(Path(cli.__file__).parent)


def answer(target: Target, given: Any) -> tuple[str, str]:
    """Return "as intended", "clear errors" or "unclear", and the reason."""
    try:
        found = target.call(given)
    except (ValueError, TypeError, *cli._expected()) as error:
        raised = traceback.extract_tb(error.__traceback__)[-1].filename
        ours = raised.startswith(OURS) and str(error).strip()
        return ("clear errors" if ours else "unclear"), f"{type(error).__name__}: {error} ({Path(raised).name})"
    except Exception as error:
        return "unclear", f"{type(error).__name__}: {error}"
    return ("as intended", "") if target.right(given, found) else ("unclear", f"the answer is {found!r}")


def row(target: Target, tries: int) -> dict[str, str | int]:
    """Give a target many values, and return a row with its answers."""
    found: dict[str, int] = {"as intended": 0, "clear errors": 0, "unclear": 0}
    first = {"clear errors": "", "unclear": ""}

    @hypothesis.settings(
        max_examples=tries,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(target.given)
    def give(given: Any) -> None:
        what, why = answer(target, given)
        found[what] += 1
        if what in first:
            why = why[:300] if what == "clear errors" else f"{given!r:.300}: {why:.500}"
            first[what] = min(filter(None, (first[what], why)), key=len)

    give()
    about = {"error, for example": first["clear errors"], "first unclear": first["unclear"]}
    return {"what": target.what, "tried": sum(found.values()), **found} | {
        name: text for name, text in about.items() if text
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", action="store_true", help="a few values for each function, and no record")
    sample = parser.parse_args(arguments).sample
    torch.set_num_threads(1)
    os.environ["LIL_DATA"] = ""  # `lil data verify` would read it all
    started, rows = time.perf_counter(), []
    with small.package() as fake:
        cli.EXPERIMENTS = "fake.experiments"
        for target in targets.all_of(fake):
            rows.append(row(target, 8 if sample else 200))
            print(*(value for name, value in rows[-1].items() if "example" not in name), sep="  ", flush=True)
    counts = {
        name: sum(int(each[name]) for each in rows) for name in ("tried", "as intended", "clear errors", "unclear")
    }
    print(counts)
    if not sample:
        recording.write("inputs", "make test-inputs", rows, counts, time.perf_counter() - started)
    return int(counts["unclear"] > 0)


if __name__ == "__main__":
    sys.exit(main())
