"""Scripts, styles, fonts and pictures of the pages belong to components with a licence; the list is CycloneDX."""

import json
import re
from fnmatch import fnmatchcase

from lil.paper import sbom
from lil.paper.pages import ROOT


def owner(path):
    """Return the shipped component to which a file of ``_static`` belongs, None where no component has it."""
    return next(
        (each for each in sbom._KNOWN["component"] if any(fnmatchcase(path, one) for one in each["files"])), None
    )


def test_every_file_of_the_pages_belongs_to_a_component(html):
    paths = [path.relative_to(html / "_static").as_posix() for path in (html / "_static").rglob("*") if path.is_file()]
    assert len(paths) > 100 and [path for path in paths if owner(path) is None] == []
    outside = [path for kind in ("js", "css", "woff*", "ttf", "wasm") for path in html.rglob(f"*.{kind}")]
    outside = [path.relative_to(html).parts[0] for path in outside]
    assert {name for name in outside if name != "_static"} <= {"searchindex.js"}  # the words of the pages themselves


def test_no_component_is_listed_whose_files_are_gone(html):
    paths = [path.relative_to(html / "_static").as_posix() for path in (html / "_static").rglob("*") if path.is_file()]
    owners = {owner(path)["name"] for path in paths}
    assert owners == {each["name"] for each in sbom._KNOWN["component"]}


def test_the_bill_of_materials_has_a_version_and_a_licence_of_each_component(html):
    content = json.loads((html / sbom.FILE).read_text("utf-8"))
    assert (content["bomFormat"], content["specVersion"], content["version"]) == ("CycloneDX", "1.6", 1)
    found = content["components"]
    assert len({each["bom-ref"] for each in found}) == len(found)
    for each in found:
        assert each["type"] == "library" and re.match(r"\d", each["version"]), each["name"]
        (stated,) = each["licenses"]
        assert stated.get("expression") or stated["license"]["name"], each["name"]
    pinned = re.findall(r"^([\w.-]+).*==([^\s;\\\\]+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    packages = {each["purl"] for each in found if "purl" in each}
    assert {f"pkg:pypi/{name}@{version}" for name, version in pinned} == packages
    versions = {each["name"]: each["version"] for each in found}
    assert versions["plotly.js"] in (html / "_static" / "plotly.min.js").read_text("utf-8")[:200]


def test_the_page_lists_them(html):
    page = (html / "tested.html").read_text("utf-8")
    assert f'href="{sbom.FILE}"' in page and "Font Awesome Free" in page
