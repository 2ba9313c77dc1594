"""The tables of the page on how the book is tested, from made-up records and from those that there are."""

import subprocess

import pytest

from lil.paper import shipped, sphinx_pages, trust
from lil.paper.trust import HARNESSES
from lil.results.errors import CorruptFile


def rows_of(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@pytest.fixture
def keep(tmp_path, monkeypatch):
    """Write a record into a folder of the test's own, which is empty at first."""
    monkeypatch.setattr(trust, "RECORDS", tmp_path)

    def write(name, counts, rows=({"mistake": "sign", "noticed by": "nbval"},)):
        about = {"name": name, "command": f"make test-{name}", "date": "2026-11-30", "commit": "0123abc"}
        record = about | {"machine": "Z80, 1 cores", "seconds": 90, "counts": counts, "rows": list(rows)}
        shipped.write_sealed(tmp_path / f"{name}.json", record)

    return write


def test_without_a_record_every_harness_says_so_in_one_line(keep):
    text = trust.overview()
    assert text.startswith("No harness has run yet.\n\n| what was tried |")
    assert rows_of(text) == [[each.subject, "–", "not run yet", f"`{each.command}`", "–", "–"] for each in HARNESSES]
    assert trust.cases() == ""


@pytest.mark.parametrize(
    ("tries", "unwanted", "expected"),
    [
        (0, 0, "No harness has run yet."),
        (1, 0, "The only try ended as intended."),
        (1, 1, "Of 1 try, 1 did not end as intended."),
        (2000, 0, "All 2,000 tries ended as intended."),
        (2000, 1200, "Of 2,000 tries, 1,200 did not end as intended."),
    ],
)
def test_one_sentence_sums_up(tries, unwanted, expected):
    assert trust.sentence(tries, unwanted) == expected


def test_a_row_has_the_counts_of_its_record_and_others_wait(keep):
    keep("corruption", {"tried": 2000, "detected": 1900, "harmless": 98, "missed": 2})
    keep("planted", {"planted": 1, "noticed": 1})
    text = trust.overview()
    assert text.startswith("Of 2,001 tries, 2 did not end as intended.")
    rows = {row[0]: row[1:] for row in rows_of(text)}
    titles = {each.name: each.subject for each in HARNESSES}
    assert rows[titles["corruption"]] == [
        "2,000",
        "1,900 detected, 98 harmless, 2 missed",
        "`make test-corruption`",
        "2026-11-30",
        "–",
    ]
    assert rows[titles["planted"]] == ["1", "1 noticed", "`make test-planted`", "2026-11-30", "–"]
    assert rows[titles["long_use"]][1] == "not run yet"


def test_the_same_word_is_wanted_of_one_harness_and_unwanted_of_another(keep):
    keep("faults", {"tried": 300, "survived": 300, "failed": 0})
    keep("mutants", {"mutants": 60, "killed": 57, "survived": 3})
    assert trust.overview().startswith("Of 360 tries, 3 did not end as intended.")


def test_a_record_without_counts_or_rows_breaks_nothing(keep):
    keep("planted", {}, rows=())
    assert ["0", "–"] in [row[1:3] for row in rows_of(trust.overview())]
    assert trust.cases().endswith("at commit `0123abc`.\n:::")


def test_single_cases_are_folded_with_how_to_read_them(keep):
    keep("planted", {}, rows=[{"mistake": "a|b", "share": 0.12345}, {"mistake": "β", "seconds": 1234, "note": ""}])
    text = trust.cases()
    (harness,) = [each for each in HARNESSES if each.name == "planted"]
    assert text.startswith(f":::{{dropdown}} {harness.subject}\n{harness.reading} Run in 90 s on Z80")
    assert "| mistake | share | seconds | note |" in text
    assert rows_of(text) == [["a\\|b", "0.123", "–", "–"], ["β", "–", "1,234", "–"]]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("a*b_c <b> {{x}} $1", r"a\*b\_c \<b\> \{\{x\}\} \$1"),
        ("`a*b` and *", r"`a*b` and \*"),
        ("two\nlines", "two lines"),
        (0.5, "0.5"),
        (1234567, "1,234,567"),
        ("", "–"),
    ],
)
def test_a_cell_is_words_not_markdown(value, cell):
    assert trust._cell(value) == cell


@pytest.mark.parametrize("rows", [trust.LONGEST, trust.LONGEST + 1])
def test_a_very_long_table_names_the_file_with_the_rest(keep, rows):
    keep("planted", {}, rows=[{"mistake": str(number)} for number in range(rows)])
    text = trust.cases()
    assert len(rows_of(text)) == trust.LONGEST
    assert ("of 201 rows; `tests/trust/records/planted.json` holds all" in text) == (rows > trust.LONGEST)


def test_the_page_says_how_many_files_have_changed_since_a_record(tmp_path, monkeypatch):
    def git(*arguments):
        who = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True)

    (tmp_path / "lil").mkdir()
    for name in ("lil/a.py", "lil/b.py", "lil/c.toml", "other.py"):
        (tmp_path / name).write_text("1\n")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "as it was")
    monkeypatch.setattr(trust, "ROOT", tmp_path)
    assert trust.changed(["lil"], "HEAD") == "0 of 2"
    for name in ("lil/b.py", "lil/c.toml", "other.py"):
        (tmp_path / name).write_text("2\n")
    assert trust.changed(["lil"], "HEAD") == "1 of 2" and trust.changed(["lil/a.py"], "HEAD") == "0 of 1"
    assert trust.changed(["lil"], "0123abc") == "–"


def test_the_files_that_a_harness_tries_are_there():
    for harness in HARNESSES:
        assert harness.tries and all((trust.ROOT / place).exists() for place in harness.tries)


def test_a_changed_record_is_named(keep):
    keep("planted", {"planted": 3, "noticed": 3})
    path = trust.RECORDS / "planted.json"
    text = path.read_text("utf-8")
    for changed in (text.replace('"noticed": 3', '"noticed": 4'), text.replace("sign", "sing"), text[:-9], "{}", "[]"):
        path.write_text(changed, "utf-8")
        for made in (trust.overview, trust.cases):
            with pytest.raises(CorruptFile, match=r"planted.json is damaged .*: restore it from the repository"):
                made()


def test_every_record_has_its_place_on_the_page():
    assert {path.stem for path in trust.RECORDS.glob("*.json")} <= {each.name for each in HARNESSES}
    for name in ("tested-table", "tested-cases"):
        assert f"% generated: {name}" in (trust.ROOT / "book" / "tested.md").read_text("utf-8")
        assert isinstance(sphinx_pages.GENERATED[name](set(), trust.ROOT), str)


def test_every_command_is_one_of_the_makefile():
    made = (trust.ROOT / "Makefile").read_text("utf-8")
    for harness in HARNESSES:
        record = trust.read(harness)
        if record is not None:
            assert f"\n{record['command'].split()[1]}:" in made, record["command"]
