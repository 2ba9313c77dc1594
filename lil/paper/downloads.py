"""Files that a reader takes along from a page: its results as CSV, its figures as SVG, all notebooks as one archive.

:func:`lil.paper.pages.execute` writes the first two beside the page that it executes, ``lil.paper.sphinx_downloads``
puts all three into the built book. The provenance of the results, which stands below each figure, is read from the
first.
"""

from __future__ import annotations

import ast
import io
import json
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import xarray as xr
from nbformat import NotebookNode

from lil.paper import vector
from lil.results import files
from lil.results.closing import duration, reproduce

ROOT = Path(__file__).resolve().parents[2]
SVG = "image/svg+xml"
DARK = "dark"  # the folder of the figures for dark pages
UNREAD = ("code", "networks", "bands", "affirmations")  # attributes of a record that only its own checks read


def csv(variable: xr.DataArray) -> str:
    """Return a variable as CSV: one row a value, with its coordinates."""
    if not variable.dims:
        return f"{variable.name}\n{variable.item()}\n"
    # Coordinates beside the axes' own, such as labels, follow the axes.
    frame = variable.to_dataframe().reset_index()
    return frame[[*(name for name in frame if name != variable.name), variable.name]].to_csv(
        index=False, lineterminator="\n", float_format="%.7g"
    )


def provenance(result: xr.Dataset) -> dict[str, Any]:
    """Return the attributes of a result as plain data: settings, date, machine, engine."""
    attributes = {}
    for name, value in result.attrs.items():
        if name not in UNREAD:
            try:
                attributes[name] = json.loads(value)
            except (TypeError, ValueError):
                attributes[name] = value.item() if hasattr(value, "item") else value
    return attributes


def write_data(names: Mapping[str, Any], target: str | Path) -> None:
    """Write the results among a notebook's names as an archive with a folder a result.

    A folder holds a CSV file for each variable, and ``provenance.json``. Other datasets have no settings and are left
    out, and so is what a notebook has joined from a list of results.
    """
    lists = [value for value in names.values() if isinstance(value, list)]
    datasets = [value for value in [*names.values(), *chain(*lists)] if isinstance(value, xr.Dataset)]
    results = [value for value in datasets if "config" in value.attrs]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, result in {result.attrs["name"]: result for result in results}.items():
            archive.writestr(f"{name}/provenance.json", json.dumps(provenance(result), indent=1, default=str) + "\n")
            for variable in result.data_vars.values():
                archive.writestr(f"{name}/{variable.name}.csv", csv(variable))
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    files.replace(Path(target), content.getvalue())


def write_svg(folder: Path, name: str, svg: str) -> None:
    """Write a figure as ``NAME.svg``, and for a dark page below the folder ``dark``."""
    (folder / DARK).mkdir(parents=True, exist_ok=True)
    light = vector.compact(svg)
    files.replace(folder / f"{name}.svg", light)
    files.replace(folder / DARK / f"{name}.svg", vector.dark(light))


def read_provenance(archive: Path) -> dict[str, dict[str, Any]]:
    """Return the provenance of each result in an archive of :func:`write_data`, by the name of the result."""
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.endswith("/provenance.json")]
        return {name.partition("/")[0]: json.loads(opened.read(name)) for name in names}


def results_of(figure: str, notebook: NotebookNode, results: Sequence[str]) -> list[str]:
    """Return those of a notebook's results that a figure is drawn from.

    The figure's cell names the variables of :func:`lil.results.get`, or variables that were computed from them.
    """
    known: dict[str, set[str]] = {name: {name} for name in results}  # the results in each variable
    direct: set[str] = set()
    for cell in notebook.cells:
        tree = ast.parse(cell.source if cell.cell_type == "code" else "")
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == figure:
            used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            found = [known.get(name, set()) for name in used & direct or used]
            return [name for name in results if any(name in each for each in found)]
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                value = [each.id for each in ast.walk(node.value) if isinstance(each, ast.Name)]
                targets = [
                    each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)
                ]
                known |= dict.fromkeys(targets, set().union(*(known.get(name, set()) for name in value)))
                if ast.unparse(node.value).startswith("results.get("):
                    direct.update(targets)
    return []


def origin(provenances: Sequence[Mapping[str, Any]], commits: Sequence[str]) -> list[str]:
    """Return the words on the results behind a figure: the command, the seconds, the date and the commits."""
    if not provenances:
        return []
    costs = [cost for each in provenances for cost in (each, *each["training"].values())]
    date = max(each["date"] for each in provenances).partition(" ")[0]
    if any(each["mode"] == "live" for each in provenances):
        when = f"computed for this page on {date}"
    else:
        names = list(dict.fromkeys(filter(None, commits)))
        when = f"recorded {date}" + (f", commit{'s' * (len(names) > 1)} {' and '.join(names)}" if names else "")
    return [f"`{reproduce(*provenances)}`", duration(sum(cost["seconds"] for cost in costs)), when]


def commit_of(record: str, root: Path = ROOT) -> str:
    """Return the short name of the commit that last changed a record.

    Return "" where git does not know the commit: outside a repository, in a shallow one, and after a later change.
    """

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    path = f"results/{record}.nc"
    if git("rev-parse", "--is-shallow-repository") != "false" or git("diff", "--quiet", "HEAD", "--", path) is None:
        return ""
    return git("log", "-1", "--format=%h", "--", path) or ""


def write_figures(notebook: NotebookNode, folder: Path) -> None:
    """Move the SVG of each named figure out of an executed notebook into ``folder``, and write one for dark pages."""
    for cell in notebook.cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).pop(SVG, None)
            output.get("metadata", {}).pop(SVG, None)
            if picture is not None and name is not None:
                write_svg(folder, name, picture)


def write_notebooks(sources: Sequence[Path], executed: Sequence[Path], target: Path) -> None:
    """Write the sources of the notebooks and their executed pages as one archive, each in a folder of its own."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:  # files of 1970
        for folder, paths in (("sources", sources), ("executed", executed)):
            for path in paths:
                archive.write(path, f"notebooks/{folder}/{path.name}")
