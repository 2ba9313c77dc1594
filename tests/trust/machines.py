"""The tests on other machines, simulated on this one: fewer vector instructions, more threads, the other engine.

And with other versions of the packages: the oldest that ``pyproject.toml`` allows, and the newest that the package
index has, each in an environment of its own.

``python -m tests.trust.machines [VARIANT ...] [--only WORD ...]`` runs nbval's references and the tests of recipes and
experiments as each variant, and ``again`` computes every quick experiment twice. A test file's outcome is kept in
``.cache/machines`` as soon as it is known, so that an interrupted run goes on where it was. The record says how many
of the files a row stands for.

The decimals that a simulated machine found in a notebook become one of the executions that its reference consists of
(``tests/notebooks/executions.json``). The variant ``bands`` stands for all machines that give executions.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from lil.results.bands import RERUNS
from tests.notebooks import tolerance
from tests.trust import again, recording

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".cache" / "machines"
EXECUTIONS = tolerance.EXECUTIONS
NAME, COMMAND, BANDS = "machines", "make test-machines", "bands"
NOTEBOOKS = "tests/notebooks/*.ipynb"
FILES = (NOTEBOOKS, "tests/recipes/test_*.py", "tests/experiments/test_*.py")
EXTRAS = ("book", "cluster", "test")
BEYOND = "beyond the others' ranges"  # as a share of what nbval grants
MAIN = ("torch", "numpy", "scipy", "numba", "scikit-learn", "umap-learn", "xarray", "pandas", "matplotlib", "plotly")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def _instructions(words: str, core: str, kept: tuple[str, ...]) -> dict[str, str]:
    """Return the environment of a smaller processor: as the bands of records have it, and of OpenBLAS and numpy."""
    torch_and_numba = next(environment for name, _, environment in RERUNS if name.startswith(words))
    disabled = [name for name in __cpu_dispatch__ if __cpu_features__[name] and name not in kept]
    return {**torch_and_numba, "OPENBLAS_CORETYPE": core, "NPY_DISABLE_CPU_FEATURES": " ".join(disabled)}


@dataclass(frozen=True)
class Variant:
    """One simulated machine."""

    words: str
    environment: dict[str, str] = field(default_factory=dict)
    threads: int = 1  # of the notebooks' kernels; other tests have one thread always
    files: tuple[str, ...] = FILES  # patterns of the test files
    resolution: str = ""  # of the packages' versions, in the words of uv; "": this environment

    def all_files(self) -> list[str]:
        """Return the test files, as pytest names them."""
        return [str(path.relative_to(ROOT)) for pattern in self.files for path in sorted(ROOT.glob(pattern))]


VARIANTS = {
    "native": Variant("this processor"),
    "avx2": Variant("AVX2", _instructions("AVX2", "Haswell", ("X86_V3", "AVX", "F16C", "FMA3", "AVX2"))),
    "sse": Variant("SSE4.1", _instructions("SSE4.1", "Nehalem", ())),
    "threads-2": Variant("2 threads", threads=2, files=(NOTEBOOKS,)),
    "threads-4": Variant("4 threads", threads=4, files=(NOTEBOOKS,)),
    "plain": Variant("the plain engine", {"LIL_ENGINE": "plain"}),
    "rounding-1": Variant("inputs moved by rounding", {"PLANTED": "rounding-1"}, files=(NOTEBOOKS,)),
    "rounding-2": Variant("inputs moved by other rounding", {"PLANTED": "rounding-2"}, files=(NOTEBOOKS,)),
    "oldest": Variant("the oldest packages", resolution="lowest-direct"),
    "newest": Variant("the newest packages", resolution="highest"),
}


def interpreter(variant: Variant) -> str:
    """Return the Python of a variant; the first time an environment is made for packages of other versions."""
    if not variant.resolution:
        return sys.executable
    folder, packages = KEPT / variant.resolution, _packages(variant)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not packages.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([*pip, "uv"], check=True)
        extras = [word for name in EXTRAS for word in ("--extra", name)]
        resolve = [str(python), "-m", "uv", "pip", "compile", "pyproject.toml", *extras, "--quiet", "--no-annotate"]
        chosen = folder / "chosen.txt"
        subprocess.run([*resolve, "--resolution", variant.resolution, "-o", str(chosen)], cwd=ROOT, check=True)
        subprocess.run([*pip, "-r", str(chosen)], check=True)
        chosen.replace(packages)
    return str(python)


def _packages(variant: Variant) -> Path:
    """Return the list of the versions in a variant's environment, which is there once all are installed."""
    return KEPT / variant.resolution / "packages.txt"


def versions(variant: Variant) -> str:
    """Return the versions of the main packages of a variant: "numpy 2.2.0, scipy 1.15.0"."""
    lines = _packages(variant).read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    return ", ".join(f"{name} {pinned[name]}" for name in MAIN)


def run(name: str, variant: Variant, only: Sequence[str] = ()) -> None:
    """Run a variant's test files that have not passed yet, or all where all were run; with ``only``, those it names."""
    kept = KEPT / f"{name}.jsonl"
    files, outcomes = variant.all_files(), read(kept)
    if len(outcomes) < len(files):
        done = {outcome["file"] for outcome in outcomes if not outcome["failed"]}
        files = [file for file in files if file not in done]
    files = [file for file in files if not only or any(word in file for word in only)]
    if not files:
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    places = {"NUMBA_CACHE_DIR": str(KEPT / name), "OBSERVED": str(kept), "OBSERVED_THREADS": str(variant.threads)}
    # Of kernels too: other environments have the packages alone, without lil.
    places["PYTHONPATH"] = os.pathsep.join(map(str, (ROOT, ROOT / "tests/notebooks/faults")))
    command = ["-m", "pytest", "-q", "-p", "tests.trust.observed", "-p", "no:cacheprovider"]
    subprocess.run(
        [
            interpreter(variant),
            *command,
            "--continue-on-collection-errors",
            "--nbval-lax",
            "--nbval-current-env",
            *files,
        ],
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD, **variant.environment, **places},
        check=False,  # its outcome lies in the file
    )


def read(kept: Path) -> list[dict[str, Any]]:
    """Return the outcomes that are kept of a variant's test files, the last one of each."""
    lines = kept.read_text("utf-8").splitlines() if kept.exists() else []
    return list({outcome["file"]: outcome for outcome in map(json.loads, lines)}.values())


def keep(variant: Variant, outcomes: Sequence[dict[str, Any]]) -> None:
    """Make the decimals that a machine found in notebooks one of the executions of their references."""
    executions = tolerance.read_executions(EXECUTIONS)
    for notebook, cells in _notebooks(outcomes):
        known = executions.get(notebook, {})
        executions[notebook] = {
            cell: {words: line for words, line in known.get(cell, {}).items() if len(line.split()) == len(found)}
            | {variant.words: " ".join(found)}
            for cell, found in cells.items()
        }
    tolerance.write_executions(executions, EXECUTIONS)


def widest(variant: Variant, outcomes: Sequence[dict[str, Any]]) -> tuple[float, str]:
    """Return how far a machine's decimals lie beyond the ranges of all others, at most, and where: "table1, cell 7".

    As a share of what is granted: with more than 1, a machine as unlike the others as this one would be red.
    """
    executions, found = tolerance.read_executions(EXECUTIONS), [(0.0, "nowhere")]
    for notebook, cells in _notebooks(outcomes):
        printed = {f"Cell {at}": cell.outputs for at, cell in enumerate(_code(notebook))}
        for cell, numbers in cells.items():
            ranges = tolerance.measured(executions, notebook, cell, printed[cell], without=variant.words)
            found.append((max(tolerance.shares(numbers, ranges), default=0.0), f"{notebook}, {cell.lower()}"))
    return max(found, key=lambda each: each[0])


def _notebooks(outcomes: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield each notebook with the decimals of its cells, where words and whole numbers are those of the reference."""
    for outcome in outcomes:
        cells = {cell: found for cell, found in outcome["cells"].items() if found is not None}
        if cells:
            yield Path(outcome["file"]).stem, cells


def _code(notebook: str) -> list[NotebookNode]:
    reference = nbformat.read(ROOT / "tests" / "notebooks" / f"{notebook}.ipynb", as_version=4)
    return [cell for cell in reference.cells if cell.cell_type == "code"]


def row(variant: Variant, outcomes: Sequence[dict[str, Any]]) -> recording.Row:
    """Return a variant's row of the record."""
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in variant.environment.items())
    settings = versions(variant) if variant.resolution else f"`{settings}`" if settings else "–"
    share, where = widest(variant, outcomes)
    return {
        "machine": variant.words,
        "test files": f"{len(outcomes)} of {len(variant.all_files())}",
        "passed": sum(outcome["passed"] for outcome in outcomes),
        "failed": sum(outcome["failed"] for outcome in outcomes),
        "failures": "; ".join(name for outcome in outcomes for name in outcome["failures"]) or "none",
        BEYOND: share,
        "where": where,
        "seconds": round(sum(outcome["seconds"] for outcome in outcomes)),
        "settings": settings,
    }


def record(rows: Sequence[recording.Row]) -> Path:
    """Write the record anew: rows of the variants that have just run, and the former rows of the others."""
    words = [*(variant.words for variant in VARIANTS.values()), again.WORDS]
    kept = recording.renewed(NAME, rows, "machine", words)
    totals = {name: sum(int(each[name]) for each in kept) for name in ("passed", "failed", "seconds")}
    counts = {"tried": totals["passed"] + totals["failed"], "passed": totals["passed"], "failed": totals["failed"]}
    return recording.write(NAME, COMMAND, kept, counts, totals["seconds"], tried=len(rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 1 where a test has failed on a simulated machine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    executions = [name for name, variant in VARIANTS.items() if not variant.resolution]
    known = [*VARIANTS, again.NAME]
    parser.add_argument("variants", nargs="*", help=f"{', '.join(known)} (default: all), {BANDS} for {executions}")
    parser.add_argument("--only", nargs="*", default=(), help="words of the names of the test files to run")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.variants) - {*known, BANDS}:
        parser.error(f"there is no machine {', '.join(sorted(unknown))}: choose from {', '.join([*known, BANDS])}.")
    failed = 0
    asked = [each for name in chosen.variants or known for each in (executions if name == BANDS else [name])]
    for name in asked:
        if name == again.NAME:
            made = again.run(chosen.only)
        else:
            run(name, VARIANTS[name], chosen.only)
            outcomes = read(KEPT / f"{name}.jsonl")
            if not outcomes:
                sys.exit(f"No test file of {name} was run: look at pytest's messages above, or at --only.")
            if not VARIANTS[name].resolution:
                keep(VARIANTS[name], outcomes)
            made = row(VARIANTS[name], outcomes)
            if VARIANTS[name].resolution and len(outcomes) == len(VARIANTS[name].all_files()):
                _packages(VARIANTS[name]).unlink()  # the next run has the packages of its day
        record([made])
        failed += int(made["failed"])
        print(json.dumps(made, ensure_ascii=False, indent=1), flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
