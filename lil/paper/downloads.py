"""Files that a reader takes along from a page: its results as CSV, its figures as SVG, all notebooks as one archive.

:func:`lil.paper.pages.execute` writes the first two beside the page that it executes, ``lil.paper.sphinx_downloads``
puts all three into the built book.
"""

from __future__ import annotations

import base64
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import xarray as xr
from nbformat import NotebookNode

SVG = "image/svg+xml"
HEAVY = 1_000_000  # bytes of an SVG; a figure above that is taken along as its PNG
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
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    part = Path(f"{target}.{os.getpid()}.part")  # renamed: a kill, or another process, leaves no half archive
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, result in {result.attrs["name"]: result for result in results}.items():
            archive.writestr(f"{name}/provenance.json", json.dumps(provenance(result), indent=1, default=str) + "\n")
            for variable in result.data_vars.values():
                archive.writestr(f"{name}/{variable.name}.csv", csv(variable))
    part.replace(target)


def write_figures(notebook: NotebookNode, folder: Path) -> None:
    """Move the SVG of each named figure out of an executed notebook into ``folder``; a heavy one becomes its PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for cell in notebook.cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).pop(SVG, None)
            output.get("metadata", {}).pop(SVG, None)
            if picture is None or name is None:
                continue
            for kind in ("svg", "png"):  # of an earlier run
                (folder / f"{name}.{kind}").unlink(missing_ok=True)
            if len(picture) > HEAVY:
                (folder / f"{name}.png").write_bytes(base64.b64decode(output["data"]["image/png"]))
            else:
                (folder / f"{name}.svg").write_text(picture, encoding="utf-8")


def write_notebooks(sources: Sequence[Path], executed: Sequence[Path], target: Path) -> None:
    """Write the sources of the notebooks and their executed pages as one archive, each in a folder of its own."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, paths in (("sources", sources), ("executed", executed)):
            for path in paths:
                archive.write(path, f"notebooks/{folder}/{path.name}")
