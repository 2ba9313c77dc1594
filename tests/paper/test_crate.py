"""The research object's metadata, after the rules that RO-Crate 1.1 gives to every crate."""

import json
import mimetypes
import shutil
import zipfile

import pytest
import yaml
from crate_rules import check

from lil.paper import crate
from lil.paper.pages import ROOT

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
ABOUT = {
    "name": "fig0", "seconds": 3.2, "machine": "A processor, 2 cores", "device": "cpu", "threads": 2,
    "date": "2026-11-27 01:10:03 UTC",
}  # fmt: skip


@pytest.fixture
def book(tmp_path):
    for name in ("intro.html", "nb/fig0.html", "claims.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    (tmp_path / "_downloads").mkdir()
    with zipfile.ZipFile(tmp_path / "_downloads" / "fig0.zip", "w") as archive:
        archive.writestr("fig0/provenance.json", json.dumps(ABOUT))
    return tmp_path


def test_the_metadata_follow_the_rules_and_name_what_is_there(book):
    crate.write(book, ROOT / "CITATION.cff", {"intro": "Start", "nb/fig0": "Figure 0", "absent": "Not built"})
    entities = check(json.loads((book / crate.FILE).read_text("utf-8")), book)
    assert {"intro.html", "nb/fig0.html", "claims.csv", "_downloads/fig0.zip"} <= set(entities)
    assert "absent.html" not in entities
    assert entities["./"]["name"] == CITATION["title"] and entities["./"]["datePublished"] == "2026-11-27"
    computation = entities["#computation-fig0"]
    assert computation["endTime"] == "2026-11-27T01:10:03Z"
    assert {"@id": "_downloads/fig0.zip"} in computation["result"]


def test_a_result_on_two_pages_is_one_computation(book):
    (book / "nb" / "fig9.html").write_text("text")
    shutil.copy(book / "_downloads" / "fig0.zip", book / "_downloads" / "fig9.zip")
    content = crate.metadata(book, CITATION, {"nb/fig0": "Figure 0", "nb/fig9": "The same networks seen anew"})
    computation = check(content, book)["#computation-fig0"]
    shown = ["_downloads/fig0.zip", "nb/fig0.html", "_downloads/fig9.zip", "nb/fig9.html"]
    assert [each["@id"] for each in computation["result"]] == shown


def test_the_kind_of_a_file_is_the_same_on_every_system(book, monkeypatch):
    """Windows may call a CSV file one of Excel."""
    monkeypatch.setattr(mimetypes, "_db", mimetypes.MimeTypes())
    mimetypes.add_type("application/vnd.ms-excel", ".csv")
    assert crate._file(book, "claims.csv", "")["encodingFormat"] == "text/csv"


def test_a_missing_file_would_be_noticed(book):
    content = crate.metadata(book, CITATION, {"intro": "Start"})
    (book / "intro.html").unlink()
    with pytest.raises(AssertionError):
        check(content, book)
