"""Files that come with the project: a changed character is noticed, and a damaged file is named."""

import json
import shutil

import pytest

from lil import cli
from lil.paper import differences, ledger, shipped
from lil.results.errors import CorruptFile


def test_every_file_is_the_one_that_was_sealed():
    """One was changed. If that is right: `lil claims --freeze`."""
    shipped.check()


@pytest.fixture
def copy(tmp_path):
    """A copy of the sealed files and their checksums."""
    for name in (*shipped.SEALED, "lil/paper/SHA256SUMS"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shipped.ROOT / name, tmp_path / name)
    shipped.check(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", shipped.SEALED)
def test_that_test_would_notice_a_changed_character(copy, name):
    path = copy / name
    path.write_text(path.read_text(encoding="utf-8").replace("e", "a", 1), encoding="utf-8")
    with pytest.raises(CorruptFile, match=rf"{name} has another checksum .* restore both .* `lil claims --freeze`"):
        shipped.check(copy)
    shipped.seal(copy)
    shipped.check(copy)


@pytest.mark.parametrize("content", [b"\xff", b"{", b"[", b"claim = 3", b""])
@pytest.mark.parametrize("read", [ledger.read, differences.read, lambda path: shipped.read(path, json.loads)])
def test_a_damaged_file_is_named(tmp_path, read, content):
    path = tmp_path / "some.file"
    path.write_bytes(content)
    with pytest.raises(CorruptFile, match=r"some.file is damaged .*: restore it from the repository") as error:
        read(path)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CorruptFile, match=r"nothing.json is damaged or cannot be read \(FileNotFoundError"):
        shipped.read(tmp_path / "nothing.json", json.loads)


def test_the_command_says_so_in_one_sentence(monkeypatch, capsys):
    def damaged():
        raise CorruptFile("claims.toml is damaged: restore it.")

    monkeypatch.setattr("lil.paper.judging.judge_all", damaged)
    assert cli.main(["claims"]) == 1
    assert capsys.readouterr().err == "lil: claims.toml is damaged: restore it.\n"
