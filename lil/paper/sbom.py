"""The software bill of materials of the built book, ``sbom.cdx.json``, after CycloneDX 1.6.

Its components are the packages that ``requirements.lock`` pins, and the scripts, styles and fonts that the pages ship,
each with version and licence. ``components.toml`` names the latter; Python packages state their licences themselves.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lil.paper.markdown import table
from lil.paper.pages import ROOT

FILE = "sbom.cdx.json"
PINNED = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", re.MULTILINE)

with Path(__file__).with_name("components.toml").open("rb") as file:
    _KNOWN = tomllib.load(file)


def version(component: dict[str, Any], static: Path) -> str:
    """Return the version of a shipped component. Raise LookupError where its file does not state it."""
    if "package" in component:
        return importlib.metadata.version(component["package"])
    found = re.search(component["version"], (static / component["files"][0]).read_text("utf-8"))
    if found is None:
        raise LookupError(f"{component['files'][0]} does not state its version: mend components.toml.")
    return found[1]


def licence(package: str) -> dict[str, Any]:
    """Return the licence of a Python package as CycloneDX writes it; an empty one where nothing states it."""
    if package in _KNOWN["licences"]:
        return {"expression": _KNOWN["licences"][package]}
    try:
        about = importlib.metadata.metadata(package)
    except importlib.metadata.PackageNotFoundError:
        return {}
    if "License-Expression" in about:
        return {"expression": about["License-Expression"]}
    classes = [each.rpartition(" :: ")[2] for each in about.get_all("Classifier") or [] if each.startswith("License")]
    words = ("License" in about and about["License"]) or ""
    if classes and classes != ["OSI Approved"]:
        words = " or ".join(classes)
    return {"license": {"name": words.splitlines()[0]}} if words else {}


def components(static: Path) -> Iterator[dict[str, Any]]:
    """Yield the components: first those that the pages ship from the folder ``static``, then the pinned packages."""
    for each in _KNOWN["component"]:
        about = {"type": "library", "name": each["name"], "version": version(each, static)}
        yield about | {
            "bom-ref": f"shipped:{each['name']}",
            "licenses": [{"expression": each["licence"]}],
            "properties": [{"name": "lil:file", "value": f"_static/{pattern}"} for pattern in each["files"]],
        }
    for name, number in PINNED.findall((ROOT / "requirements.lock").read_text("utf-8")):
        purl = f"pkg:pypi/{name}@{number}"
        found = {"type": "library", "name": name, "version": number, "bom-ref": purl, "purl": purl}
        yield found | ({"licenses": [stated]} if (stated := licence(name)) else {})


def write(book: Path, title: str) -> None:
    """Write the bill of materials into the folder of the built book."""
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "book", "name": title}},
        "components": list(components(book / "_static")),
    }
    (book / FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def licences() -> str:
    """Return a table of the components that the pages ship: licence and files."""
    files = [", ".join(f"`{pattern}`" for pattern in each["files"]) for each in _KNOWN["component"]]
    rows = [(each["name"], each["licence"], of) for each, of in zip(_KNOWN["component"], files, strict=True)]
    return table(("component", "licence", "files in `_static`"), rows)
