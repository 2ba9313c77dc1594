"""Files that a reader takes along: values with their coordinates, figures of a sensible size, all notebooks."""

import base64
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nbformat.v4 import new_code_cell, new_notebook, new_output

from lil.paper import downloads, pages

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


def test_a_heavy_svg_becomes_its_png(tmp_path):
    heavy = "<svg>" + "x" * downloads.HEAVY
    notebook = new_notebook(cells=[drawn("light", "<svg/>"), drawn("heavy", heavy), drawn(None, "<svg/>")])
    downloads.write_figures(notebook, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"light.svg": b"<svg/>", "heavy.png": PNG}
    assert [list(cell.outputs[0].data) for cell in notebook.cells] == 3 * [["image/png"]]


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
    downloads.write_notebooks([tmp_path / "a.py"], [tmp_path / "a.ipynb"], tmp_path / "files" / "all.zip")
    with zipfile.ZipFile(tmp_path / "files" / "all.zip") as archive:
        assert archive.namelist() == ["notebooks/sources/a.py", "notebooks/executed/a.ipynb"]
