"""Nothing that is read can run code, nothing is written outside its folder, and no text reaches a shell."""

import ast
import re
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from lil.paper import pages, rerun
from lil.paper.pages import ROOT
from lil.results import affirmation, files, records
from lil.results.errors import SettingRefused, UnknownName
from lil.results.registry import load

SOURCES = sorted(
    path for folder in ("lil", "examples", "notebooks", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
LOCKS = sorted(ROOT.glob("requirements*.lock"))

PICKLES = ("torch.load", "pickle.load", "pickle.loads", "pickle.Unpickler", "dill.load", "joblib.load", "shelve.open")
SHELLS = ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "pty.spawn")
ARCHIVES = ("tarfile.open", "tarfile.TarFile", "shutil.unpack_archive")  # a zipfile leaves no name outside
CODE = ("eval", "exec", "compile", "yaml.load", "yaml.unsafe_load", "marshal.loads")


def forbidden(source: str) -> list[str]:
    """Return the calls in a source that load pickles, reach a shell, run text as code, or write where a name says."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name, words = ast.unparse(call.func), {each.arg: ast.unparse(each.value) for each in call.keywords}
        if name in (*PICKLES, *SHELLS, *ARCHIVES, *CODE) and words.get("weights_only") != "True":
            found.append(f"{call.lineno}: {name}")
        if words.get("allow_pickle", "False") != "False" or words.get("weights_only", "True") != "True":
            found.append(f"{call.lineno}: {name} with pickles")
        if words.get("shell", "False") != "False":
            found.append(f"{call.lineno}: {name} with a shell")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pickle_no_shell_and_no_text_that_runs(path):
    assert forbidden(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source, what",
    [
        ("torch.load(path)", "torch.load"),
        ("torch.load(path, weights_only=False)", "with pickles"),
        ("np.load(path, allow_pickle=True)", "with pickles"),
        ("subprocess.run(text, shell=True)", "with a shell"),
        ("os.system(text)", "os.system"),
        ("eval(text)", "eval"),
        ("tarfile.open(path)", "tarfile.open"),
    ],
)
def test_that_test_would_notice(source, what):
    (found,) = {each for each in forbidden(source) if what in each}
    assert found.startswith("1: ")
    assert forbidden("torch.load(path, weights_only=True); zipfile.ZipFile(path).extractall(folder)") == []


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_an_archive_does_not_leave_its_folder(name, tmp_path, monkeypatch):
    """An affirmation takes the old code out of an archive that git makes."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "text")
    folder = tmp_path / "deep" / "inside"
    folder.mkdir(parents=True)
    monkeypatch.setattr(affirmation, "_git", lambda *_: content.getvalue())
    monkeypatch.setattr(affirmation.tempfile, "mkdtemp", lambda **_: str(folder))
    affirmation._exported.cache_clear()
    affirmation._exported(tmp_path, "HEAD", "lil")
    affirmation._exported.cache_clear()
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["outside"]
    assert (
        not (tmp_path / "outside").exists()
        and not Path("/outside").exists()
        and not (folder.parent / "outside").exists()
    )


@pytest.mark.parametrize(
    "name", ["../fig2_rings", "/etc/passwd", "fig2_rings/../fig2_rings", "", "fig2_rings\0", "; ls"]
)
def test_a_name_is_no_path(name):
    with pytest.raises(SettingRefused):
        rerun.source_of(name)
    with pytest.raises(UnknownName):
        load("lil.experiments", name)


def test_settings_of_a_rerun_stay_in_its_folder():
    given = {"betas": "../../../outside", "seeds": "/etc", "epochs": "a\0b;$(ls)`ls`"}
    slug = rerun._slug(given, "quick")
    assert re.fullmatch(r"[\w.-]+", slug) and slug not in (".", "..")
    assert (rerun.RERUNS / slug).resolve().parent == rerun.RERUNS.resolve()


def test_a_record_is_named_by_its_code_alone(tmp_path):
    """No file is opened because SHA256SUMS lists it: a changed list cannot lead elsewhere."""
    (tmp_path / "results").mkdir()
    files.write(tmp_path / "results", "a.nc", b"content")
    sums = tmp_path / "results" / files.CHECKSUMS
    sums.write_text(sums.read_text("utf-8") + f"{'0' * 64}  ../../etc/passwd\n")
    assert files.read(tmp_path / "results", "a.nc") == b"content"
    assert records.place_of_evaluation(load("lil.experiments", "fig2_rings")).name == "fig2_rings.nc"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pinned_package_has_its_hashes(lock):
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    pinned = [each for each in text.replace("\\\n", " ").splitlines() if each.strip()]
    assert len(pinned) > 50
    for each in pinned:
        assert re.match(r"[\w.\[\]-]+==[\w.+!-]+\s", each) and re.search(r"--hash=sha256:[0-9a-f]{64}", each), each


def test_every_installation_requires_the_hashes():
    for path in (ROOT / "Makefile", *(ROOT / ".ci").iterdir(), *(ROOT / ".github").rglob("*.yml")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.search(r"pip install .*requirements[\w-]*\.lock", line):
                assert "--require-hashes" in line, f"{path.name}: {line}"
    assert '_pip("--require-hashes", "-r", ' in (ROOT / "lil" / "dev.py").read_text(encoding="utf-8")


def test_the_pages_of_a_rerun_are_below_the_project():
    assert pages.ROOT in rerun.RERUNS.parents
