"""Pages of results that lack β = 0, or have one of everything: they are made, and say what cannot be compared."""

import ast
import io
from contextlib import redirect_stdout

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib.text import Text

from lil import results
from lil.experiments import fig2_rings
from lil.paper import pages, rerun
from lil.paper.tables import NotComparable, toys
from lil.results import records

REASON = "Without β = 0 there is nothing to compare with."

STEMS = [path.stem for path in pages.find_sources() if "betas" in rerun.parameters(path)]
COMPARING = {  # notebooks, and the tables and figures of theirs that compare, beside the words; None: none
    "attackers_view": 3,
    "attackers_view_cifar10": 2,
    "baselines": 0,
    "certificates": 1,
    "corruptions": 4,
    "corruptions_cifar10": 3,
    "fig2_rings": 0,
    "fig3_cifar10": 2,
    "fig3_mnist": 2,
    "figA1_distances": 0,
    "lipschitz_bound_cifar10": 0,
    "scale_and_depth": 1,
    "table1": 1,
    "table1_cifar10": 2,
    "table1_cifar10_trained": 2,
    "visualisation": None,  # beside other methods
    "worst_case": 2,
    "worst_case_cifar10": 1,
}


def cut(result, kept):
    """A result with some of its β; where those of the networks lie in a row, with some of its networks."""
    if "beta" not in result.coords:  # beside other methods
        of_isometry = result.method.isin(["plain", "plain_public", "lil", "lil_public"])
        return result.isel(setting=np.flatnonzero(~of_isometry | kept(result.strength.values)))
    (dim,) = result.beta.dims
    return result.isel({dim: np.flatnonzero(kept(result.beta.values))})


def run_cells(stem, monkeypatch, change):
    """Run a notebook's cells, without a kernel, on changed records; return the values and figures that they show."""
    shown = []
    monkeypatch.setattr("lil.paper.notebook.display", shown.append)
    monkeypatch.setattr("lil.paper.notebook.findings", lambda *_: None)
    plt.switch_backend("agg")
    plt.close("all")

    def get(experiment, profile="paper", mode="auto", **_):
        if (record := records.read_evaluation(experiment)) is None:
            pytest.skip("there is no record yet")
        return change(record).assign_attrs(mode="live", profile=profile, changes='{"betas": [3]}')

    monkeypatch.setattr(results, "get", get)
    space = {}
    for cell in pages.read(pages.find_sources([stem])[0]).cells:
        if cell.cell_type != "code":
            continue
        body = ast.parse(cell.source).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        with redirect_stdout(io.StringIO()):
            exec(compile(ast.Module(body, []), stem, "exec"), space)
            if last is not None:
                shown.append(eval(compile(ast.Expression(last.value), stem, "eval"), space))
        shown += [text.get_text() for number in plt.get_fignums() for text in plt.figure(number).findobj(Text)]
        plt.close("all")
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS)
def test_a_page_without_the_baseline_is_made_and_says_so(stem, monkeypatch):
    shown = run_cells(stem, monkeypatch, lambda result: cut(result, lambda beta: beta > 0))
    texts = [str(getattr(each, "data", each)) for each in shown]
    note = f"**{REASON}** A dash stands for each number of the text that compares."
    assert (note in texts) is (COMPARING[stem] is not None)
    assert texts.count(REASON) == (COMPARING[stem] or 0)


@pytest.mark.parametrize("betas, missing, there", [((3.0,), "without", "with"), ((0.0,), "with", "without")])
def test_the_rings_keep_the_numbers_that_need_no_comparison(betas, missing, there):
    record = records.read_evaluation(fig2_rings)
    numbers, whole = toys.rings(with_betas(*betas)(record)), toys.rings(record)
    assert isinstance(numbers, NotComparable) and not isinstance(whole, NotComparable)
    gone = {name for name in whole if name.endswith(f"_{missing}")} | ({"kept", "verdict"} - numbers.keys())
    assert whole.keys() - numbers.keys() == gone and {"n_neighbors", "linking", f"one_loop_{there}"} <= numbers.keys()
    assert ("kept" in numbers) == (there == "with")


def with_betas(*betas):
    def change(result):
        some = cut(result, lambda every: np.arange(len(every)) < len(betas))
        return some.assign_coords(beta=list(betas))

    return change


def one_of_each(result):
    one = result.isel(seed=[0], epsilon=[0], missing_dims="ignore")
    return cut(one, lambda beta: beta == beta.max())


@pytest.mark.slow
@pytest.mark.parametrize(
    "stem, change, words",
    [
        ("corruptions", with_betas(0.0, 3.0), "Without β = 0.1 and β = 10 there is nothing to compare with."),
        ("scale_and_depth", with_betas(0.0, 3.0), "3"),
        ("scale_and_depth", with_betas(0.0), "Without a β > 0 there is nothing to compare with."),
        ("table1", with_betas(0.5), REASON),
        ("fig3_mnist", with_betas(0.0), "Without a β > 0 there is nothing to compare with."),
        ("fig3_mnist", one_of_each, "clean"),
        ("certificates", one_of_each, "K = 1, ε = 0.003"),
        ("baselines", lambda result: result.sel(epsilon=[0.1]), "PGD, ε = 0.1"),
    ],
)
def test_a_page_of_few_settings_or_of_settings_that_the_paper_has_not_is_made(stem, change, words, monkeypatch):
    assert any(words in str(getattr(each, "data", each)) for each in run_cells(stem, monkeypatch, change))


def test_numbers_are_put_in_their_places_and_dashes_where_there_are_none(tmp_path):
    """In Markdown, captions and descriptions: dashes for NaN, and for another page, without which a rerun is made."""
    text = (
        "{glue:text}`fig_a-b:.3f`, {glue:text}`fig_b:.3f` of {glue:text}`fig_c` and {glue:text}`other.ipynb::fig_a-b`"
    )
    page = nbformat.v4.new_notebook()
    glued = [
        nbformat.v4.new_output("display_data", {"a/text/plain": text}, metadata={"scrapbook": {"name": name}})
        for name, text in (("fig_a-b", "1"), ("fig_b", "nan"))
    ]
    figure = {"figure": {"name": "fig", "caption": text}, "image": {"alt": text}}
    page.cells = [
        nbformat.v4.new_code_cell(outputs=glued, metadata={"mystnb": figure}),
        nbformat.v4.new_markdown_cell(text),
    ]
    nbformat.write(page, tmp_path / "page.ipynb")
    rerun.fill_in_numbers(tmp_path / "page.ipynb")
    code, words = nbformat.read(tmp_path / "page.ipynb", 4).cells
    shown = code.metadata.mystnb
    assert {words.source, shown.figure.caption, shown.image.alt} == {"1.000, – of – and –"}
