"""Notebooks rerun with settings of the reader's own."""

import shlex

import nbformat
import pytest

from lil import cli
from lil.paper import notebook, pages, rerun
from lil.results.errors import NotRerun, SettingRefused


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A notebook that prints its parameter, in a folder of its own."""
    sources = tmp_path / "notebooks"
    sources.mkdir()
    header = pages.find_sources(["fig2_rings"])[0].read_text().partition("# %%")[0]
    text = header + (
        '# %% tags=["parameters"]\nprofile = "paper"\nmode = "auto"\nbetas = None  # weights of the isometry term\n\n'
    )
    (sources / "fig2_rings.py").write_text(text + "# %%\nprint(profile, mode, betas)\nassert betas != [9]\n")
    monkeypatch.setattr(rerun, "RERUNS", tmp_path / "reruns")
    find = pages.find_sources
    monkeypatch.setattr(pages, "find_sources", lambda stems: find(stems, sources))
    return tmp_path


def test_values_are_json_or_words():
    assert rerun.parse(["betas=[0, 3]", "epochs=500", "cut=tube", 'word="a"', "n_train=null"]) == {
        "betas": [0, 3],
        "epochs": 500,
        "cut": "tube",
        "word": "a",
        "n_train": None,
    }


@pytest.mark.parametrize("text", ["betas", "=3", ""])
def test_a_text_that_sets_nothing_is_refused(text):
    with pytest.raises(SettingRefused, match="write name=value"):
        rerun.parse([text])


def test_a_rerun_is_executed_into_a_folder_named_by_its_settings(own):
    path = rerun.rerun("fig2_rings", ["betas=[0, 3]"], profile="quick")
    assert path == own / "reruns" / "quick-betas-0-3" / "fig2_rings" / "fig2_rings.ipynb"
    printed = "".join(output.text for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", []))
    assert printed == "quick live [0, 3]\n"


@pytest.mark.parametrize(
    "setting, words",
    [
        ("beta=[0]", "fig2_rings has no parameter 'beta': it has betas"),
        ("betas=three", "betas must be a list, each entry a number, not 'three'"),
        ("betas=[]", "betas is empty"),
        ("mode=1", "has no parameter 'mode'"),
    ],
)
def test_a_bad_setting_is_refused_before_anything_runs(own, setting, words):
    with pytest.raises(SettingRefused, match=words.replace("[", r"\[")):
        rerun.rerun("fig2_rings", [setting])
    assert not (own / "reruns").exists()


def test_an_unknown_notebook_is_refused():
    with pytest.raises(SettingRefused, match="no notebook named fig9"):
        rerun.rerun("fig9", ["betas=[0]"])


def test_a_notebook_that_fails_names_its_cell_its_settings_and_the_trace(own):
    with pytest.raises(NotRerun, match=r"fig2_rings with betas='\[9\]' stopped in its cell .*AssertionError") as error:
        rerun.rerun("fig2_rings", ["betas=[9]"], profile="quick")
    trace = own / "reruns" / "quick-betas-9" / "fig2_rings" / "fig2_rings.part.ipynb"
    assert str(trace) in str(error.value) and trace.exists() and not trace.with_name("fig2_rings.ipynb").exists()


def test_parameters_are_described_by_their_comments(own):
    described = rerun.parameters(rerun.source_of("fig2_rings"))
    assert described == {"profile": "", "mode": "", "betas": "weights of the isometry term"}


def test_a_notebook_is_written_for_papermill(own, tmp_path):
    path = rerun.copy_notebook("fig2_rings", tmp_path / "new")
    assert path.name == "fig2_rings.ipynb" and "parameters" in nbformat.read(path, 4).cells[0].metadata.tags
    assert rerun.copy_notebook("fig2_rings", tmp_path / "other.ipynb").name == "other.ipynb"


def test_the_top_of_a_rerun_names_its_settings():
    import xarray as xr

    text = notebook.changed(xr.Dataset(attrs={"changes": '{"betas": [0, 3], "cut": "tube"}'})).data
    assert text.startswith("**A rerun with changed settings: `betas` = [0, 3], `cut` = tube.**")
    assert notebook.changed(xr.Dataset()) is None and notebook.changed(xr.Dataset(attrs={"changes": "{}"})) is None


def test_the_readmes_first_rerun_works_as_printed(tmp_path, monkeypatch, capsys):
    readme = (pages.ROOT / "README.md").read_text()
    line = next(line for line in readme.splitlines() if line.startswith("lil rerun") and "quick" in line)
    monkeypatch.setattr(rerun, "RERUNS", tmp_path)
    assert cli.main(shlex.split(line.partition("#")[0])[1:]) == 0
    path = tmp_path / "quick-betas-0-3" / "fig2_rings" / "fig2_rings.ipynb"
    assert str(path) in capsys.readouterr().out
    shown = [str(output) for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", [])]
    assert any("A rerun with changed settings: `betas` = [0, 3]" in text for text in shown)
    assert any("lil rerun fig2_rings --profile quick betas='[0, 3]'" in text for text in shown)
