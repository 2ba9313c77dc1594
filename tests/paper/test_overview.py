"""The parts that are generated for the pages about the paper as a whole."""

import json
import re
from types import SimpleNamespace

import pytest

from lil.paper import judging, ledger, measures, notebook, overview, sphinx_pages
from lil.paper.differences import DIFFERENCES
from lil.paper.intervals import Interval
from lil.paper.pages import ROOT
from lil.paper.verdicts import Verdict
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


@pytest.fixture(scope="module")
def judged():
    """All entries of the ledger, from the records that there are."""
    overview.ledger.cache_clear()
    return overview.ledger()


@pytest.fixture(scope="module", params=["records", "nothing"])
def generated(request):
    """The generated parts, from the records that there are and without any."""
    overview.ledger.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "nothing":
            patch.setattr(overview, "judge_all", lambda load: judging.judge_all(nothing))
            patch.setattr(overview, "measured", lambda effect, load: "not recorded yet" if effect else "not measured")
        entries = overview.ledger() if request.param == "nothing" else request.getfixturevalue("judged")
        return {
            "claims-table": overview.claims_table(entries),
            "claims-in-full": "\n\n".join(overview.claim_section(claim, entries, PAGES) for claim in ledger.CLAIMS),
            "verdicts-table": overview.verdicts_table(),
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
        assert len(rows) >= 8, name
        assert all(cell for row in rows for cell in row), name


def test_every_claim_has_a_row_and_a_section(generated):
    rows, sections = rows_of(generated["claims-table"]), generated["claims-in-full"]
    for claim, row in zip(ledger.CLAIMS, rows, strict=True):
        assert f"<claim-{claim.number}>" in row[0] and f"(claim-{claim.number})=" in sections
        assert max(1, row[1].count("<br>") + 1) == max(1, len(claim.lead))
        assert 'class="verdict' in row[2] and (row[3] != "–") == bool(claim.cases)
    for case in ledger.CASES.values():
        assert f"| {case.label} | " in sections and f"<record-{case.record}>" in sections
        assert f":::{{dropdown}} {case.proposition.title} " in sections


def entry(name, verdict, finding="It is so."):
    effect = measures.Effect(Interval(1.0, 1.0, 1.0, 3), finding, 40)
    return judging.Entry(ledger.CASES[name], verdict, effect, {})


def test_the_rows_of_a_claim_are_its_leads_and_count_everything():
    found = {"fgsm-gain-mnist-text": Verdict.PROTOCOL, "same-beta-mnist-text": Verdict.REFUTED}
    found |= {"fgsm-trend-mnist-text": Verdict.REFUTED}
    row = rows_of(overview.claims_table([entry(name, each, f"{name}.") for name, each in found.items()]))[4]
    assert row[1] == "fgsm-gain-mnist-text.<br>same-beta-mnist-text."
    assert row[2] == "<br>".join(overview.badge(each) for each in (Verdict.PROTOCOL, Verdict.REFUTED))
    assert re.findall(">([0-9]+)<", row[3]) == ["1", "2"]
    assert 'aria-label="2 refuted"' in row[3]


@pytest.mark.parametrize(
    "names, words",
    [
        (["fgsm-gain-mnist-text"], "25 November 2026, after the first record of these results"),
        (["fgsm-gain-cifar10-text"], "25 November 2026, before the first record of these results"),
        (
            ["fgsm-gain-mnist-text", "fgsm-gain-cifar10-text"],
            "25 November 2026, after the first record: MNIST, the text<br>"
            "25 November 2026, before the first record: CIFAR10, the text",
        ),
        (["fgsm-gain-cifar10-7167a91"], "1 December 2026, after the first record of these results"),
    ],
)
def test_a_section_says_when_its_condition_was_fixed(names, words):
    section = overview.claim_section(ledger.CLAIMS[4], [entry(name, Verdict.REPRODUCED) for name in names], PAGES)
    assert f"| fixed on | {words} |" in section


@pytest.mark.parametrize(
    "name, words",
    [
        ("fgsm-gain-mnist-text", "the whole interval is ≥ 0.05; refuted if the whole interval is below 0"),
        ("large-beta-mnist-text", "the whole interval is ≤ −0.01; refuted if the whole interval is above 0"),
        ("rings-accuracy-rings", "the whole interval is ≥ 0.99"),
        ("eq-6-cifar10-text", "the proof stands; the number beside it is ≤ 0"),
    ],
)
def test_a_section_says_its_condition(name, words):
    claim = ledger.CLAIMS[ledger.CASES[name].claim - 1]
    assert f"| holds if | {words} |" in overview.claim_section(claim, [entry(name, Verdict.UNDECIDED)], PAGES)


def test_a_section_names_the_stronger_attacks_and_the_missing_records():
    waits = judging.Entry(ledger.CASES["fgsm-gain-mnist-text"], Verdict.NOT_RECORDED, None, {"fig3_mnist": "stale"})
    section = overview.claim_section(ledger.CLAIMS[4], [waits], PAGES)
    assert "| waits for | results/fig3_mnist.nc is stale |" in section
    again = (
        "The same networks under FGSM on the cross-entropy",
        "Gain under AutoAttack",
        "Gain in the worst case over all attacks",
    )
    assert f"| asked again in | {'; '.join(again)} |" in section


def test_the_findings_of_a_page(monkeypatch):
    def judge(case, load):
        return entry(case.name, Verdict.REPRODUCED, f"{case.name}.")

    monkeypatch.setattr(overview, "judge", judge)
    lines = overview.findings("nb/fig3_mnist", ["fgsm-gain"]).splitlines()
    badge = overview.badge(Verdict.REPRODUCED)
    assert lines[0].startswith("From the records")
    assert lines[2:] == [f"* fgsm-gain-mnist-{of}. *(3 seeds, 40 images)* {badge}" for of in ("text", "public")]
    assert len(overview.findings("theory/lipschitz").splitlines()) == 2 + 4
    assert len(overview.findings("nb/fig3_mnist").splitlines()) > 4


def test_the_findings_of_a_page_without_its_records(monkeypatch):
    monkeypatch.setattr(overview, "judge", lambda case, load: judging.judge(case, nothing))
    assert overview.findings("nb/fig3_mnist").splitlines()[2:] == [f"* {judging.WAITING}"]


@pytest.mark.parametrize(
    "page, names, words",
    [
        ("nb/fig1_mappings", (), "nb/fig1_mappings shows nothing of the ledger: not ."),
        ("nb/table1", ("eq-6",), "nb/table1 shows large-beta, small-beta of the ledger: not eq-6."),
    ],
)
def test_findings_that_are_not_there_are_refused(page, names, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        overview.findings(page, names)


def test_the_first_page_takes_each_number_from_its_entry(monkeypatch):
    def judged(case):
        low, value, high = (0.1, 0.2, 0.3) if case.name.startswith("peak-mnist") else (-0.02, -0.004, 0.012)
        effect = measures.Effect(Interval(value, low, high, 3), "It is so.")
        return judging.Entry(case, Verdict.UNDECIDED, None if case.name.endswith("cifar10-text") else effect, {})

    monkeypatch.setattr(overview, "ledger", lambda: tuple(map(judged, ledger.CASES.values())))
    numbers = overview.first_page()
    assert numbers["gain_mnist"] == "+0.20", "an interval without 0 is left to the page behind the number"
    assert numbers["left_mnist"] == "0.00 (−0.02 to +0.01)"
    assert numbers["stretch"] == "−0.4% (−2.0% to 1.2%)"
    assert numbers["left_cifar10"] == "(not recorded yet)"
    used = re.findall(r"\{\{ first_(\w+) \}\}", (ROOT / "book" / "intro.md").read_text("utf-8"))
    assert sorted(used) == sorted(numbers), "each number stands on the page once"


def test_a_page_takes_its_generated_parts_by_their_names(monkeypatch):
    monkeypatch.setitem(sphinx_pages.GENERATED, "claims-table", lambda pages, folder: "| a |\n| --- |\n| 1 |")
    app = SimpleNamespace(env=SimpleNamespace(found_docs=PAGES), srcdir=".")
    source = ["# Title\n\n% generated: claims-table\n\n% folded: claims-table All the claims"]
    sphinx_pages.fill_in(app, "summary", source)
    table = "| a |\n| --- |\n| 1 |"
    assert source == [f"# Title\n\n{table}\n\n:::{{dropdown}} All the claims (1 rows)\n{table}\n:::"]


def test_a_notebook_takes_its_findings_by_its_name(monkeypatch):
    monkeypatch.setattr(overview, "findings", lambda page, names: f"{page}: {', '.join(names)}")
    assert notebook.findings("nb/table1", "small-beta").data == "nb/table1: small-beta"


def test_pages_that_are_not_in_the_book_are_not_linked(generated):
    for text in generated.values():
        assert set(re.findall(r"\{doc\}`(?:[^`]*<)?/([^`>]*)>?`", text)) <= PAGES


def test_every_difference_has_a_row_and_a_section(generated):
    assert len(rows_of(generated["differences-table"])) == len(DIFFERENCES)
    assert [*re.findall("^### (.*)$", generated["differences-in-full"], re.M)] == [each.topic for each in DIFFERENCES]


def test_the_summarys_numbers(judged, monkeypatch):
    monkeypatch.setattr(overview, "ledger", lambda: judged)
    numbers = overview.summary_numbers()
    text = "".join((ROOT / "book" / name).read_text("utf-8") for name in ("summary.md", "claims.md"))
    assert set(re.findall(r"\{\{ summary_(\w+) \}\}", text)) == set(numbers) and all(numbers.values())
    assert int(numbers["records"]) <= int(numbers["experiments"])
    assert sum(map(int, re.findall(r"(\d+) <span", numbers["verdicts"]))) == len(ledger.CASES)
    assert int(numbers["before"]) + int(numbers["after"]) == int(numbers["entries"]) == len(ledger.CASES)
    assert "attackers_view 500 and 100" in numbers["images"] and "figA1_distances 2000" in numbers["images"]


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
