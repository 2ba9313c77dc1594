"""Notebooks rerun with settings of the reader's own."""

import json
import shlex
import subprocess
import sys

import nbformat
import pytest
from filelock import FileLock, Timeout

from lil import cli
from lil.datasets import images
from lil.paper import notebook, pages, rerun
from lil.results import closing
from lil.results.errors import NotRerun, SettingRefused


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A notebook that prints its parameter, in a folder of its own."""
    sources = tmp_path / "notebooks"
    sources.mkdir()
    header = pages.find_sources(["fig2_rings"])[0].read_text("utf-8").partition("# %%")[0]
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


@pytest.mark.parametrize("text", ["[" * 5000, "1" * 5000])
def test_text_that_python_does_not_read_is_a_word(text):
    assert rerun.parse([f"betas={text}"]) == {"betas": text}


@pytest.mark.parametrize("text", ["betas", "=3", ""])
def test_a_text_that_sets_nothing_is_refused(text):
    with pytest.raises(SettingRefused, match="write name=value"):
        rerun.parse([text])


def test_a_rerun_is_executed_into_a_folder_named_by_its_settings(own):
    path = rerun.rerun("fig2_rings", ["betas=[0, 3]"], profile="quick")
    assert path == own / "reruns" / "quick-betas-0-3" / "fig2_rings" / "fig2_rings.ipynb"
    printed = "".join(output.text for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", []))
    assert printed == "quick live [0, 3]\n"


def test_reruns_that_differ_at_the_end_of_long_settings_have_folders_of_their_own():
    betas = [[*range(40), last] for last in (50, 60)]
    first, second = (rerun._slug({"betas": each}, "quick") for each in betas)
    assert first != second and len(first) == len(second) == 100 and first.startswith("quick-betas-0-1-2-3")


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
    with pytest.raises(SettingRefused, match="no notebook named 'fig9'"):
        rerun.rerun("fig9", ["betas=[0]"])


def test_an_installed_package_says_where_the_notebooks_are(tmp_path, monkeypatch):
    find = pages.find_sources
    monkeypatch.setattr(pages, "find_sources", lambda stems: find(stems, tmp_path))
    with pytest.raises(SettingRefused, match="they come with a clone of the project, not with its wheel"):
        rerun.copy_notebook("fig2_rings", tmp_path)


def test_a_notebook_that_fails_names_its_cell_its_settings_and_the_trace(own):
    with pytest.raises(NotRerun, match=r"fig2_rings with betas='\[9\]' stopped in its cell .*AssertionError") as error:
        rerun.rerun("fig2_rings", ["betas=[9]"], profile="quick")
    trace = own / "reruns" / "quick-betas-9" / "fig2_rings" / "fig2_rings.part.ipynb"
    assert str(trace) in str(error.value) and trace.exists() and not trace.with_name("fig2_rings.ipynb").exists()


def test_a_rerun_that_stops_leaves_the_page_of_the_one_before(own, monkeypatch):
    path = rerun.rerun("fig2_rings", ["betas=[3]"], profile="quick")
    before = path.read_bytes()

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(pages, "execute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rerun.rerun("fig2_rings", ["betas=[3]"], profile="quick")
    assert path.read_bytes() == before


def test_a_value_that_only_the_experiment_refuses_leaves_nothing_behind(own, capsys):
    """The notebook stands in for one whose settings do not check the value: its kernel refuses it."""
    source = own / "notebooks" / "fig2_rings.py"
    refusal = 'from lil.results.errors import SettingRefused\nraise SettingRefused("3 points make no ring.")'
    source.write_text(f"{source.read_text('utf-8')}\n# %%\n{refusal}\n", "utf-8")
    assert cli.main(["rerun", "fig2_rings", "betas=[3]"]) == 1
    assert capsys.readouterr().err == "lil: 3 points make no ring.\n" and not (own / "reruns").exists()


def test_a_setting_of_null_is_none(own):
    assert rerun.rerun("fig2_rings", ["betas=null"], profile="quick").parents[1].name == "quick"
    with pytest.raises(SettingRefused, match="no parameter 'nosuch'"):
        rerun.rerun("fig2_rings", ["nosuch=null"])


@pytest.mark.parametrize("at_terminal", [True, False])
def test_progress_is_shown_at_a_terminal(own, monkeypatch, capsys, at_terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: at_terminal)
    rerun.rerun("fig2_rings", ["betas=[3]"], profile="quick")
    assert ("Executing" in capsys.readouterr().err) is at_terminal


def test_a_page_is_opened_where_it_can_be_seen(own, monkeypatch, capsys):
    opened, page = [], own / "page.html"
    monkeypatch.setattr(cli.webbrowser, "open", opened.append)
    monkeypatch.setattr(rerun, "to_html", lambda notebook: page)
    monkeypatch.setenv("DISPLAY", ":0")
    for at_terminal, html in ((False, ["--html"]), (True, []), (True, ["--html"])):
        assert not opened
        monkeypatch.setattr(sys.stdout, "isatty", lambda shown=at_terminal: shown)
        assert cli.main(["rerun", "fig2_rings", "betas=[3]", "--profile", "quick", *html]) == 0
    assert opened == [page.as_uri()] and str(page) in capsys.readouterr().out


def test_parameters_are_described_by_their_comments(own):
    described = rerun.parameters(rerun.source_of("fig2_rings"))
    assert described == {"profile": "", "mode": "", "betas": "weights of the isometry term"}


def test_the_same_rerun_twice_at_once_is_done_in_turn(own, monkeypatch):
    """The second takes the lock before it touches the page of the first, and waits for the lock without a limit."""
    monkeypatch.setattr(rerun, "FileLock", lambda path: FileLock(path, timeout=0))  # an error stands for the wait
    executed = []

    def again():
        return rerun.rerun("fig2_rings", ["betas=[0, 3]"], profile="quick")

    def execute(source, target, **how):
        executed.append(target)
        pages.write(pages.read(source), target)
        if len(executed) == 1:
            with pytest.raises(NotRerun) as refused:
                again()
            assert isinstance(refused.value.__cause__, Timeout) and target.exists()

    monkeypatch.setattr(pages, "execute", execute)
    assert executed == [again(), again()]


def test_a_notebook_is_written_for_papermill(own, tmp_path):
    path = rerun.copy_notebook("fig2_rings", tmp_path / "new")
    assert path.name == "fig2_rings.ipynb" and "parameters" in nbformat.read(path, 4).cells[0].metadata.tags
    assert rerun.copy_notebook("fig2_rings", tmp_path / "other.ipynb").name == "other.ipynb"


def test_the_top_of_a_rerun_names_its_settings():
    import xarray as xr

    text = notebook.changed(xr.Dataset(attrs={"changes": '{"betas": [0, 3], "cut": "tube"}'})).data
    assert text.startswith("**A rerun with changed settings: `betas` = [0, 3], `cut` = tube.**")
    assert notebook.changed(xr.Dataset()) is None and notebook.changed(xr.Dataset(attrs={"changes": "{}"})) is None


README = (pages.ROOT / "README.md").read_text("utf-8")
LINES = [line for line in README.splitlines() if line.startswith(("lil rerun", "lil notebook"))]


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_the_readmes_lines_for_reruns_work_as_printed(line, tmp_path, monkeypatch, capsys):
    if "mnist" in line and not images.available("mnist"):
        pytest.skip("MNIST is not on this machine")
    monkeypatch.setattr(rerun, "RERUNS", tmp_path)
    arguments = shlex.split(line.partition("#")[0])[1:]
    given = [each for each in arguments if "=" in each]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    if not given:
        assert "betas      weights of the isometry term" in printed
        return
    (path,) = tmp_path.glob(f"*/{arguments[1]}/{arguments[1]}.ipynb")
    page = path if "--html" not in arguments else next(tmp_path.rglob("*.html"))
    assert printed.startswith(f"{arguments[1]}: executed in ") and str(page.parent) in printed
    shown = [str(output) for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", [])]
    (top,) = [text for text in shown if "A rerun with changed settings: " in text]
    again = next(text for text in shown if f"lil rerun {arguments[1]}" in text)
    for name, value in rerun.parse(given).items():
        assert f"`{name}` = {value}" in top and closing.settings({name: value}) in again


WRONG = {"betas": ["three", ["x"], float("nan"), [], [-1]], "seeds": [0], "nosuch": [3]}
KINDS = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.mark.parametrize("name, value", KINDS, ids=str)
def test_a_wrong_parameter_is_one_sentence_on_the_command_line(own, name, value, capsys):
    text = value if isinstance(value, str) else json.dumps(value)
    assert cli.main(["rerun", "fig2_rings", f"{name}={text}"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("lil: ") and said.err.count("\n") == 1
    assert not (own / "reruns").exists()


def test_an_epsilon_above_the_range_of_a_pixel_is_refused(capsys):
    assert cli.main(["rerun", "fig3_mnist", "epsilons=[2]"]) == 1
    assert capsys.readouterr().err == "lil: epsilons must be > 0 and at most 1, the range of a pixel, not (2.0,).\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "stem, name, value",
    [
        ("fig2_rings", "betas", "[]"),
        ("fig2_rings", "betas", "[-1]"),
        ("fig2_rings", "betas", "three"),
        ("fig2_rings", "epochs", "nan"),
        ("fig2_rings", "n_points", "1"),
        ("fig2_rings", "nosuch", "3"),
        ("fig3_mnist", "epsilons", "[2]"),
    ],
)
def test_a_wrong_parameter_stops_papermill(stem, name, value, tmp_path):
    source = rerun.copy_notebook(stem, tmp_path)
    command = [sys.executable, "-m", "papermill", str(source), str(tmp_path / "out.ipynb")]
    command += ["-p", "profile", "quick", "-p", name, value, "--cwd", str(pages.SOURCES), "--no-progress-bar"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "SettingRefused: " in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{stem}.ipynb", "out.ipynb"]


def test_a_folder_that_cannot_be_written_is_one_sentence(own, monkeypatch):
    (own / "file").write_text("")
    monkeypatch.setattr(rerun, "RERUNS", own / "file" / "reruns")
    with pytest.raises(NotRerun, match=r"cannot be written \(Not a directory\): `lil notebook fig2_rings FOLDER`"):
        rerun.rerun("fig2_rings", ["betas=[0, 3]"], profile="quick")
    with pytest.raises(NotRerun, match=r"cannot be written \(Not a directory\): name another folder"):
        rerun.copy_notebook("fig2_rings", own / "file" / "notebooks")
