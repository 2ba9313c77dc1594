"""Promises of every notebook's source to the pipeline and to the reader."""

import ast
import difflib
import re

import pytest

from lil.paper import pages
from lil.paper.pages import GLUED, find_sources, read

SOURCES = find_sources()
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}  # tags of code that is not seen before a click
REMOVED = {"remove-cell", "remove-input", "remove-output"}
BOOKKEEPING = ("plotting.style(", "results.get(", "notebook.computed_on(", "results.footer(")
SECTIONS = [
    "Finding",
    "How to read it",
    "Numbers",
    "Beside the paper",
    "What it means",
    "How it was done",
    "Where it might be wrong",
]


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def notebook(request):
    return read(request.param)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert SOURCES


def test_it_names_its_kernel(notebook):
    assert notebook.metadata["kernelspec"]["name"] == "python3"


def test_it_has_the_two_parameters(notebook):
    cells = [cell for cell in code(notebook) if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    assigned = {}
    exec(cells[0].source, assigned)
    assert (assigned["profile"], assigned["mode"]) == ("paper", "auto")


def test_it_starts_with_a_title_and_has_a_section(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert text.startswith("# ")
    assert "\n## " in text  # the theme fails on a page with margin notes and no section


def test_its_figures_have_caption_name_and_description(notebook):
    for cell in code(notebook):
        options = cell.metadata.get("mystnb", {})
        if "figure" in options:
            assert options["figure"]["caption"] and options["figure"]["name"].startswith("fig-")
            assert len(options["image"]["alt"]) > 20, "describe the figure for those who cannot see it"


DRAWN = {  # figures without a number of runs and without a measured value
    "fig-architecture": "a drawing of a network",
    "fig-stack": "a drawing of networks",
    "fig-corruptions-pictures": "one image",
    "fig-corruptions-cifar10-pictures": "one image",
}
COUNTED = (
    r"(seeds(_\w+)?|images|networks|rings|points|pairs|calls|estimates|every|^[a-z]+_few)$"  # ends of names that say n
)
CHOSEN = r"(epsilons?|betas?|best_(beta|scale)(_\w+)?|largest(_\w+)?|printed|nearest|members|threads|^[a-z]+_many)$"


def silent(options):
    """Return what a figure's caption and description do not say: how many runs it shows, and a measured value."""
    caption, alt = (
        [found[1] for found in GLUED.finditer(text)] for text in (options["figure"]["caption"], options["image"]["alt"])
    )
    said = {
        "n": any(re.search(COUNTED, name) for name in caption),
        "a measured value": any(not re.search(f"{COUNTED}|{CHOSEN}", name) for name in alt),
    }
    return [words for words, there in said.items() if not there]


def test_its_figures_say_how_many_runs_they_show_and_what_was_measured(notebook):
    for cell in filter(is_figure, code(notebook)):
        options = cell.metadata["mystnb"]
        expected = ["n", "a measured value"] if options["figure"]["name"] in DRAWN else []
        assert silent(options) == expected, options["figure"]["name"]


def test_a_figure_that_says_neither_would_be_seen():
    def of(caption, alt):
        return silent({"figure": {"caption": caption}, "image": {"alt": alt}})

    seeds, chosen, gain = (
        "{glue:text}`fig3_seeds`",
        "{glue:text}`a_best_beta`, {glue:text}`b_few`",
        "{glue:text}`c_gain:.2f`",
    )
    assert of(f"A dot is one of {seeds} seeds.", f"A gain of {gain}") == []
    assert of("A dot is one of 5 seeds.", f"A gain of {gain}") == of(gain, gain) == ["n"]
    assert of(f"A dot is one of {seeds} seeds.", f"A gain at {chosen} of {seeds}") == ["a measured value"]


def test_figure_names_are_unique():
    names = [
        cell.metadata["mystnb"]["figure"]["name"]
        for source in SOURCES
        for cell in code(read(source))
        if "figure" in cell.metadata.get("mystnb", {})
    ]
    assert len(names) == len(set(names))


def test_its_last_cell_says_how_it_was_made(notebook):
    assert "results.footer(" in code(notebook)[-1].source


def test_its_numbers_come_from_one_call(notebook):
    text = "\n".join(cell.source for cell in code(notebook))
    assert text.count("glue") == text.count("notebook.glue_all(") == 1


def test_it_shows_its_settings_and_the_call_that_computes(notebook):
    cells = [cell for cell in code(notebook) if re.match(r"notebook\.settings\(", cell.source)]
    calls = [cell for cell in code(notebook) if "results.get(" in cell.source]
    assert cells and calls
    assert not any(REMOVED & tags_of(cell) for cell in cells + calls), (
        "one click shows all code: it may fold, not vanish"
    )


def tags_of(cell):
    return set(cell.metadata.get("tags", []))


def is_figure(cell):
    return "figure" in cell.metadata.get("mystnb", {})


def is_table(cell):
    """Return True if a cell shows numbers: its last line is a value, no figure, finding, setting or bookkeeping."""
    *_, last = ast.parse(cell.source.rstrip().removesuffix(";")).body
    shown = isinstance(last, (ast.Expr, ast.For)) and "remove-cell" not in tags_of(cell) and not is_figure(cell)
    return shown and not any(name in cell.source for name in (*BOOKKEEPING, "notebook.", "print("))


def out_of_order(page):
    """Return the faults of a page's order: question, finding, figures, reading, numbers, paper, making, caveats."""
    first, *_ = page.cells
    cells = code(page)
    question = first.source.partition("\n## ")[0].partition("\n\n")[2]
    headings = re.findall(
        "^## (.+)$", "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown"), re.M
    )
    found = [each for each in headings if each in SECTIONS]
    figures = [position for position, cell in enumerate(cells) if is_figure(cell)]
    tables = [position for position, cell in enumerate(cells) if is_table(cell)]
    ledger = [position for position, cell in enumerate(cells) if cell.source.startswith("notebook.findings(")]
    faults = {
        "it begins with title, question and finding": first.cell_type == "markdown"
        and first.source.startswith("# ")
        and headings[:1] == ["Finding"]
        and "\n## Finding" in first.source,
        "the question has one or two sentences": question.strip().endswith("?")
        and len(re.findall(r"(?<!Eq)[.?](?=\s|$)", re.sub(r"\(.*?\)|\".*?\"", "", question))) <= 2,
        "the finding says something": bool(ledger) or bool(first.source.partition("\n## Finding\n")[2].strip()),
        "the ledger's findings come before figures and tables": max(ledger, default=-1) < min(figures + tables),
        "figures come before tables": max(figures) < min(tables, default=len(cells)),
        "sections have one order": found == [each for each in SECTIONS if each in found],
        "it says how to read, how it was done and where it might be wrong": {
            "How to read it",
            "How it was done",
            "Where it might be wrong",
        }
        <= set(found),
        "bookkeeping is shown with all code only": all(
            "with-all-code" in tags_of(cell)
            for cell in cells
            if tags_of(cell) & {"parameters"} or any(name in cell.source for name in BOOKKEEPING)
        ),
        "no code is seen before a click": all(FOLDED & tags_of(cell) for cell in cells),
    }
    return [fault for fault, holds in faults.items() if not holds]


def test_it_answers_first(notebook):
    assert out_of_order(notebook) == []


def test_a_page_in_another_order_would_be_seen():
    def moved(change):
        page = read(pages.SOURCES / "fig2_rings.py")
        change(page.cells)
        return out_of_order(page)

    def position(cells, what):
        return next(at for at, cell in enumerate(cells) if what in cell.source)

    assert moved(lambda cells: None) == []
    assert "figures come before tables" in moved(
        lambda cells: cells.insert(3, cells.pop(position(cells, "toys.loop_table")))
    )
    assert "the ledger's findings come before figures and tables" in moved(
        lambda cells: cells.append(cells.pop(position(cells, "notebook.findings(")))
    )
    assert "it begins with title, question and finding" in moved(lambda cells: cells.append(cells.pop(0)))
    assert "no code is seen before a click" in moved(lambda cells: cells[1].metadata.pop("tags"))
    assert "sections have one order" in moved(
        lambda cells: cells.insert(1, cells.pop(position(cells, "## Where it might be wrong")))
    )


POSITION = re.compile(r"\.isel\(|(?<!seeds=)\[-?\d+\]|\[::? ?\d+\]|\.iloc\b")


def test_it_selects_by_value(notebook):
    assert [cell.source for cell in code(notebook) if POSITION.search(cell.source)] == []


def test_a_selection_by_position_would_be_seen():
    for source in ("result.isel(beta=0)", "result.seed[0]", "result.beta.values[-1]", "mean.iloc[0]"):
        assert POSITION.search(source)
    for source in ("result.sel(beta=0)", "LIL((3, 20, 2), seeds=[0])", 'TABLE_1["mnist"]'):
        assert not POSITION.search(source)


WORDS = {"fig3_cifar10": "fig3_mnist", "CIFAR10": "MNIST", "cifar10": "mnist", "3B": "3A", "example=1": "example=0"}


def test_figures_3a_and_3b_are_one_template():
    """They differ in the paragraphs on their networks and attacks, and 3B has a section on the attack's precision."""
    ours, theirs = (
        [cell.source for cell in read(*find_sources([stem])).cells] for stem in ("fig3_mnist", "fig3_cifar10")
    )
    for words, other in WORDS.items():
        theirs = [source.replace(words, other) for source in theirs]
    assert len(ours) == len(theirs)
    lines = [line for pair in zip(ours, theirs, strict=True) for line in difflib.ndiff(*map(str.splitlines, pair))]
    assert sum(line.startswith(("+ ", "- ")) for line in lines) <= 30


def test_its_cells_are_sentences(notebook):
    assert max(len(cell.source.splitlines()) for cell in code(notebook)) <= 14
