"""The built book as a research object: ``ro-crate-metadata.json`` after RO-Crate 1.1.

It says who made the book and how to cite it (from ``CITATION.cff``), and for each notebook which page it became, which
files hold its data, and when and on which machine they were computed (from the provenance in these files).
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from lil.paper import downloads, sbom
from lil.paper.pdf import NAME

FILE = "ro-crate-metadata.json"
VERSION = "https://w3id.org/ro/crate/1.1"
Entity = dict[str, Any]


def metadata(book: Path, citation: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    """Return the metadata of the built book in a folder.

    ``citation`` is the content of CITATION.cff, ``titles`` the titles of the pages by their names ("nb/fig2_rings").
    Files that were not made, such as the PDF where there is no browser, are left out.
    """
    pages = [page for page in titles if (book / f"{page}.html").exists()]
    notebooks = [page for page in pages if page.startswith("nb/") and (book / _data(page)).exists()]
    computations = _computations(book, notebooks)
    parts = [_file(book, f"{page}.html", titles[page]) for page in pages]
    for name, words in (
        ("claims.json", "The claims of the paper, with finding and verdict"),
        ("claims.csv", "The claims of the paper as a table"),
        (sbom.FILE, "The software bill of materials (CycloneDX): packages, scripts, fonts and their licences"),
        ("_downloads/notebooks.zip", "The notebooks: sources and executed"),
        (f"_downloads/{NAME}", "The whole book as one PDF"),
    ):
        if (book / name).exists():
            parts.append(_file(book, name, words))
    parts += [_file(book, _data(page), f"{titles[page]}: data as CSV") for page in notebooks]
    authors = [_author(each) for each in citation["authors"]]
    article = _article(citation["references"][0])
    dates = [computation["endTime"] for computation in computations]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": citation["title"],
        "description": " ".join(citation["abstract"].split()),
        "version": citation["version"],
        "license": {"@id": f"https://spdx.org/licenses/{citation['license']}"},
        "datePublished": max(dates, default=datetime.now().astimezone().isoformat())[:10],
        "author": _links(authors),
        "citation": {"@id": article["@id"]},
        "hasPart": _links(parts),
        "mentions": _links(computations),
    }
    licence = {"@id": root["license"]["@id"], "@type": "CreativeWork", "name": citation["license"]}
    descriptor = {"@id": FILE, "@type": "CreativeWork", "conformsTo": {"@id": VERSION}, "about": {"@id": "./"}}
    works = [article, *_authors_of(citation["references"][0])]
    graph = [descriptor, root, licence, *authors, *works, *parts, *computations]
    return {"@context": f"{VERSION}/context", "@graph": graph}


def write(book: Path, citation: Path, titles: dict[str, str]) -> None:
    """Write the metadata into the folder of the built book."""
    content = metadata(book, yaml.safe_load(citation.read_text(encoding="utf-8")), titles)
    (book / FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _links(entities: Sequence[Entity]) -> list[Entity]:
    return [{"@id": entity["@id"]} for entity in entities]


def _file(book: Path, name: str, words: str) -> Entity:
    kind = mimetypes.MimeTypes().guess_type(name)[0]  # Python's own table: Windows may call a CSV file one of Excel
    size = str((book / name).stat().st_size)
    return {"@id": name, "@type": "File", "name": words, "encodingFormat": kind, "contentSize": size}


def _data(page: str) -> str:
    """Return the file of a notebook's data."""
    return f"_downloads/{page.removeprefix('nb/')}.zip"


def _computations(book: Path, pages: Sequence[str]) -> list[Entity]:
    """Return one action for each result in the notebooks' data, with all pages that show it."""
    found: dict[str, Entity] = {}
    for page in pages:
        for name, about in downloads.read_provenance(book / _data(page)).items():
            action = found.setdefault(name, _action(about))
            action["result"] += [{"@id": _data(page)}, {"@id": f"{page}.html"}]
    return list(found.values())


def _action(about: dict[str, Any]) -> Entity:
    return {
        "@id": f"#computation-{about['name']}",
        "@type": "CreateAction",
        "name": f"{about['name']}, computed in {about['seconds']:.0f} s",
        "description": f"{about['machine']}, device {about['device']}, {about['threads']} threads",
        "endTime": datetime.strptime(about["date"], "%Y-%m-%d %H:%M:%S %Z").isoformat() + "Z",  # ISO 8601
        "result": [],
    }


def _author(author: dict[str, str]) -> Entity:
    if "name" in author:
        return {"@id": f"#{author['name'].replace(' ', '-')}", "@type": "Organization", "name": author["name"]}
    name = f"{author['given-names']} {author['family-names']}"
    return {"@id": f"#{name.replace(' ', '-')}", "@type": "Person", "name": name}


def _authors_of(work: dict[str, Any]) -> list[Entity]:
    return [_author(each) for each in work["authors"]]


def _article(work: dict[str, Any]) -> Entity:
    return {
        "@id": f"https://doi.org/{work['doi']}",
        "@type": "ScholarlyArticle",
        "name": work["title"],
        "author": _links(_authors_of(work)),
        "datePublished": str(work["year"]),
    }
