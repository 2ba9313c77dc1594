"""Files that a reader takes along: values with their coordinates, figures of a sensible size, all notebooks."""

import base64
import io
import json
import os
import subprocess
import zipfile

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from docutils import nodes
from nbformat.v4 import new_code_cell, new_notebook, new_output

from lil.paper import downloads, pages, sphinx_downloads, vector

PNG = b"\x89PNG not really"


@pytest.fixture
def result():
    values = np.arange(6, dtype=np.float32).reshape(2, 3) / 3
    return xr.Dataset(
        {"accuracy": (("beta", "seed"), values), "label": ("example", [7, 2]), "n": 5},
        {"beta": [0.0, 10.0], "seed": [0, 1, 2], "kind": ("example", ["a", "b"])},
        {"name": "fig0", "config": '{"seeds": [0, 1, 2]}', "seconds": np.float64(1.5), "code": "abc", "date": "today"},
    )


def test_each_value_stands_in_a_row_with_its_coordinates(result):
    frame = pd.read_csv(io.StringIO(downloads.csv(result.accuracy)))
    assert list(frame) == ["beta", "seed", "accuracy"]
    for row in frame.itertuples():
        assert row.accuracy == pytest.approx(result.accuracy.sel(beta=row.beta, seed=row.seed).item(), rel=1e-6)
    assert len(frame) == result.accuracy.size


def test_other_coordinates_come_along_and_a_single_value_too(result):
    assert downloads.csv(result.label).splitlines() == ["example,kind,label", "0,a,7", "1,b,2"]
    assert downloads.csv(result.n) == "n\n5\n"


def test_only_results_are_written_each_once(result, tmp_path):
    names = {"result": result, "same": result.sel(seed=[0, 1, 2]), "other": xr.Dataset({"a": 1}), "text": "x"}
    downloads.write_data(names, tmp_path / "deep" / "page.zip")
    with zipfile.ZipFile(tmp_path / "deep" / "page.zip") as archive:
        assert sorted(archive.namelist()) == [
            f"fig0/{name}" for name in ("accuracy.csv", "label.csv", "n.csv", "provenance.json")
        ]
        about = json.loads(archive.read("fig0/provenance.json"))
    assert about == {"name": "fig0", "config": {"seeds": [0, 1, 2]}, "seconds": 1.5, "date": "today"}


def test_of_results_that_were_joined_each_is_written_as_it_was(result, tmp_path):
    later = result.assign_attrs(name="fig0_later", date="tomorrow").isel(seed=[0])
    names = {"parts": [result, later], "joined": result.assign(n=6), "numbers": [1, 2]}
    downloads.write_data(names, tmp_path / "page.zip")
    with zipfile.ZipFile(tmp_path / "page.zip") as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {"fig0", "fig0_later"}
        assert archive.read("fig0/n.csv").decode() == "n\n5\n"
        assert json.loads(archive.read("fig0_later/provenance.json"))["date"] == "tomorrow"


def drawn(name, svg):
    pictures = {downloads.SVG: svg, "image/png": base64.b64encode(PNG).decode()}
    figure = {"figure": {"name": name}} if name else {}
    return new_code_cell(metadata={"mystnb": figure}, outputs=[new_output("display_data", pictures)])


def test_a_named_figure_is_written_for_a_light_and_for_a_dark_page(tmp_path):
    svg = f'<svg>\n <path style="fill: {vector.PAGE}"/></svg>'
    notebook = new_notebook(cells=[drawn("named", svg), drawn(None, svg)])
    downloads.write_figures(notebook, tmp_path)
    written = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.svg")}
    assert written == {"named.svg": vector.compact(svg), "dark/named.svg": vector.dark(vector.compact(svg))}
    assert vector.PAGE in written["named.svg"] and vector.PAGE not in written["dark/named.svg"]
    assert [list(cell.outputs[0].data) for cell in notebook.cells] == 2 * [["image/png"]]


SOURCE = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
profile = "paper"
mode = "auto"

# %% mystnb={"figure": {"caption": "A", "name": "fig-a"}, "image": {"alt": "a"}}
import matplotlib.pyplot as plt
import xarray as xr
plt.plot([0, 1]);

# %%
result = xr.Dataset({"x": ("i", [1, 2])}, attrs={"name": "fig0", "config": "{}"})
"""


def test_a_page_that_is_executed_leaves_them_beside_it_and_is_the_same_page(tmp_path):
    source = tmp_path / "fig0.py"
    source.write_text(SOURCE)
    plain = pages.execute(source, tmp_path / "plain.ipynb", profile="quick", mode="live")
    page = pages.execute(source, tmp_path / "fig0.ipynb", profile="quick", mode="live", downloads=tmp_path / "files")
    assert page.cells == plain.cells
    assert "<svg" in (tmp_path / "files" / "fig-a.svg").read_text("utf-8")
    with zipfile.ZipFile(tmp_path / "files" / "fig0.zip") as archive:
        assert archive.read("fig0/x.csv") == b"i,x\n0,1\n1,2\n"


def test_the_archive_of_notebooks_has_sources_and_pages(tmp_path):
    for name in ("a.py", "a.ipynb"):
        (tmp_path / name).write_text(name)
    os.utime(tmp_path / "a.py", (0, 0))  # of 1970, as in some archives of sources; a ZIP's years begin with 1980
    downloads.write_notebooks([tmp_path / "a.py"], [tmp_path / "a.ipynb"], tmp_path / "files" / "all.zip")
    with zipfile.ZipFile(tmp_path / "files" / "all.zip") as archive:
        assert archive.namelist() == ["notebooks/sources/a.py", "notebooks/executed/a.ipynb"]


GETS = """
text = results.get(fig0, profile, mode)
public = results.get(fig0_public, profile, mode)
title = notebook.title(text)
sets = {"text": text.sel(seed=0)}
parts = [results.get(each, profile) for each in (fig0, fig0_public)]
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("draw(text, title);", ["fig0"]),
        ("draw(public, title);", ["fig0_public"]),
        ("draw(public, text);", ["fig0", "fig0_public"]),
        ("draw(sets['text']);", ["fig0"]),
        ("draw(parts);", ["fig0", "fig0_public"]),
        ("figure, ax = plt.subplots()", []),
    ],
)
def test_a_figure_comes_from_the_results_that_its_cell_names(source, expected):
    named = {"mystnb": {"figure": {"name": "fig-a"}}}
    notebook = new_notebook(cells=[new_code_cell(GETS), new_code_cell(source, metadata=named)])
    assert downloads.results_of("fig-a", notebook, ["fig0", "fig0_public"]) == expected


def provenance(name, **more):
    training = {"mnist": {"seconds": 30.5}}
    date = "2026-11-29 15:23:59 UTC"
    return dict(name=name, seconds=20.25, training=training, date=date, mode="recorded", profile="paper") | more


def test_the_words_on_the_results_have_command_seconds_date_and_commits():
    one, later = provenance("fig0"), provenance("fig0_later", date="2026-12-01 00:00:00 UTC")
    assert downloads.origin([one], ["1a2b3c4"]) == [
        "`lil reproduce fig0`",
        "51 s",
        "recorded 2026-11-29, commit 1a2b3c4",
    ]
    assert downloads.origin([one], [""])[-1] == "recorded 2026-11-29"
    both = downloads.origin([one, later], ["1a2b3c4", "5d6e7f8"])
    assert both == ["`lil reproduce fig0 fig0_later`", "102 s", "recorded 2026-12-01, commits 1a2b3c4 and 5d6e7f8"]
    assert downloads.origin([one, later], ["1a2b3c4"] * 2)[-1].endswith("commit 1a2b3c4")
    assert downloads.origin([], []) == []


def test_a_live_result_has_no_commit_and_its_scale_stands_in_the_command():
    words = downloads.origin([provenance("fig0", mode="live", profile="quick")], ["1a2b3c4"])
    assert words == ["`lil reproduce fig0 --profile quick`", "51 s", "computed for this page on 2026-11-29"]


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "project"
    (root / "results").mkdir(parents=True)

    def git(*words):
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        return subprocess.run(
            ["git", "-C", root, *who, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init")
    names = {}
    for record in ("fig0", "fig1"):
        (root / "results" / f"{record}.nc").write_text(record)
        git("add", "results")
        git("commit", "-m", record)
        names[record] = git("log", "-1", "--format=%h")
    return root, names


def test_git_knows_the_commit_that_last_changed_a_record(repository, tmp_path):
    root, names = repository
    assert {record: downloads.commit_of(record, root) for record in names} == names
    assert downloads.commit_of("fig2", root) == ""
    (root / "results" / "fig0.nc").write_text("computed anew")
    assert downloads.commit_of("fig0", root) == ""
    assert downloads.commit_of("fig0", tmp_path) == ""


def test_a_shallow_repository_and_a_machine_without_git_know_no_commit(repository, tmp_path, monkeypatch):
    root, _ = repository
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "--depth", "1", root.as_uri(), shallow], check=True, capture_output=True)
    assert downloads.commit_of("fig0", shallow) == ""  # git would name the only commit that it has
    monkeypatch.setenv("PATH", str(tmp_path))
    assert downloads.commit_of("fig0", root) == ""


@pytest.mark.parametrize(
    ("page", "section", "place"),
    [
        ("Figure 3A: MNIST under attack", "Figure 3A", "Figure 3A"),
        ("Figure 4: a torus", "Figure 4B: the layouts", "Figure 4B"),
        ("Table 1: clean accuracy", "The twelve numbers", "Table 1"),
        ("Appendix Figure 1: distances", "The histograms", "Appendix Figure 1"),
        ("Table 1's row, with the backbone trained along", "Figure 3B: the last public commit", ""),
        ("What the choices do", "Table 1 and Figure 3, choice by choice", ""),
    ],
)
def test_the_headings_say_where_in_the_paper_a_figure_belongs(page, section, place):
    figure = nodes.figure("", nodes.image())
    inner = nodes.section("", nodes.title("", section), nodes.container("", figure))
    nodes.document(None, None).append(nodes.section("", nodes.title("", page), inner))
    assert sphinx_downloads.place_in_paper(figure) == place


def test_the_line_has_place_origin_and_links(tmp_path, monkeypatch):
    folder = tmp_path / "downloads"
    downloads.write_data(
        {"one": xr.Dataset({"x": 1}, attrs=provenance("fig0", config="{}", training='{"a": {"seconds": 1}}'))},
        folder / "page.zip",
    )
    cells = [
        new_code_cell("one = results.get(fig0)"),
        new_code_cell("draw(one)", metadata={"mystnb": {"figure": {"name": "fig-a"}}}),
    ]
    pages.write(new_notebook(cells=cells), tmp_path / "page.ipynb")
    (folder / "fig-a.svg").touch()
    monkeypatch.setattr(sphinx_downloads, "commit", {"fig0": "1a2b3c4"}.get)
    assert sphinx_downloads.line("fig-a", "Figure 3A", "page", folder) == (
        '<p class="figure-line">Figure 3A of the paper · <code>lil reproduce fig0</code> · 21 s · '
        "recorded 2026-11-29, commit 1a2b3c4 · "
        '<a href="../_downloads/fig-a.svg" download>SVG</a> · '
        '<a href="../_downloads/page.zip" download>data (CSV)</a></p>'
    )
    assert sphinx_downloads.line("fig-b", "", "other", folder) == ""
