"""The parts that are generated for the pages about the paper as a whole."""

import json
import re

import pytest

from lil.paper import judging, ledger, overview
from lil.paper.differences import DIFFERENCES
from lil.paper.pages import ROOT
from lil.results.errors import MissingRecord
from lil.results.listing import Row

PAGES = {"claims", "differences", "summary", "status", "method", "nb/fig2_rings"}


def nothing(name):
    raise MissingRecord(name)


@pytest.fixture(autouse=True)
def judged_anew():
    overview.ledger.cache_clear()
    yield
    overview.ledger.cache_clear()


@pytest.fixture(scope="module", params=["records", "nothing"])
def generated(request):
    """The generated parts, from the records that there are and without any."""
    overview.ledger.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "nothing":
            patch.setattr(overview, "judge_all", lambda load: judging.judge_all(nothing))
            patch.setattr(overview, "measured", lambda effect, load: "not recorded yet" if effect else "not measured")
        entries = overview.ledger()
        return {
            "claims-table": overview.claims_table(entries, PAGES),
            "claims-in-full": "\n\n".join(overview.claim_section(entry, PAGES) for entry in entries),
            "differences-table": overview.differences_table(DIFFERENCES),
            "differences-in-full": overview.difference_sections(DIFFERENCES, PAGES),
        }


def rows_of(text):
    """The cells of each row of the tables, heads and the lines under them left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    bodies = [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if "| --- |" not in line + after]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in bodies]


def test_no_cell_is_empty(generated):
    for name, text in generated.items():
        rows = rows_of(text)
        assert len(rows) >= 12, name
        assert all(cell for row in rows for cell in row), name


def test_every_claim_has_a_row_and_a_section(generated):
    rows, sections = rows_of(generated["claims-table"]), generated["claims-in-full"]
    assert len(rows) == len(ledger.CLAIMS)
    for claim, row in zip(ledger.CLAIMS, rows, strict=True):
        assert f"<claim-{claim.name}>" in row[1] and f"(claim-{claim.name})=" in sections
        assert re.fullmatch(r"\{verdict\}`[a-z' ]+`", row[2])
        assert all(f"<record-{name}>" in row[-1] for name in claim.experiments)


def test_pages_that_are_not_in_the_book_are_not_linked(generated):
    for text in generated.values():
        assert set(re.findall(r"\{doc\}`(?:[^`]*<)?/([^`>]*)>?`", text)) <= PAGES


def test_every_difference_has_a_row_and_a_section(generated):
    assert len(rows_of(generated["differences-table"])) == len(DIFFERENCES)
    assert [*re.findall("^### (.*)$", generated["differences-in-full"], re.M)] == [each.topic for each in DIFFERENCES]


def test_the_summarys_numbers():
    numbers = overview.summary_numbers()
    used = set(re.findall(r"\{\{ summary_(\w+) \}\}", (ROOT / "book" / "summary.md").read_text()))
    assert used == set(numbers) and all(numbers.values())
    assert int(numbers["records"]) <= int(numbers["experiments"])
    assert sum(map(int, re.findall(r"(\d+) \{verdict\}", numbers["verdicts"]))) == len(ledger.CLAIMS)


def test_the_summary_counts_shared_networks_once(monkeypatch):
    def row(name, state, networks, seconds):
        cost = dict(seconds=seconds, peak_memory_mb=1024.0, machine="Z80", device="cpu", date="2026-01-02 03:04:05 UTC")
        training = {recipe: cost | {"seconds": 40.0} for recipe in networks}
        versions = dict(python="3.11.0", torch="2")
        as_json = {"networks": networks, "training": training, "versions": versions}
        return Row(name, state, attrs=cost | {key: json.dumps(value) for key, value in as_json.items()})

    rows = [
        row("a", "current", {"mnist": "key"}, 10.0),
        row("b", "current", {"net": "key"}, 20.0),
        row("c", "stale", {"mnist": "other"}, 40.0),
    ]
    monkeypatch.setattr(overview.results, "listing", lambda package: rows)
    numbers = overview.summary_numbers()
    assert (numbers["training"], numbers["evaluation"]) == ("40 s", "30 s")
    assert (numbers["records"], numbers["experiments"], numbers["waiting"]) == ("2", "3", "c")
    assert (numbers["memory"], numbers["dates"], numbers["machines"]) == ("1.0 GiB", "2026-01-02", "Z80")


def test_the_summary_stands_without_records(monkeypatch):
    monkeypatch.setattr(overview.results, "listing", lambda package: [])
    monkeypatch.setattr(overview, "judge_all", lambda load: judging.judge_all(nothing))
    numbers = overview.summary_numbers()
    assert (numbers["records"], numbers["machines"], numbers["training"]) == ("0", "none", "0.0 s")
