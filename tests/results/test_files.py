"""A record is whole or not there: full disks, kills at every step, many writers."""

import errno
import io
import json
import os
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from lil.results import errors, files, records

OLD, NEW = b"old " * 50_000, b"new " * 60_000
posix = pytest.mark.skipif(os.name != "posix", reason="limits a file's size or forks, as only POSIX systems do")


@pytest.fixture
def root(tmp_path):
    files.write(tmp_path, "networks/a.nc", OLD)
    return tmp_path


def _is_whole(root, content):
    assert files.read(root, "networks/a.nc") == content
    assert files.names(root) == ["networks/a.nc"]


def test_the_checksums_are_those_of_sha256sum(root):
    files.write(root, "b.nc", NEW)
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=root, capture_output=True, text=True)
    assert checked.stdout == "b.nc: OK\nnetworks/a.nc: OK\n" and checked.returncode == 0


def test_a_record_is_replaced(root):
    files.write(root, "networks/a.nc", NEW)
    _is_whole(root, NEW)
    assert len((root / "SHA256SUMS").read_text("utf-8").splitlines()) == 1


def test_what_killed_processes_left_is_removed_and_what_others_are_writing_is_not(root):
    for name in ("c.nc.1.part", "networks/d.2.part", "partial/training.checkpoint.3.part"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"half")
    files.write(root, "b.nc", NEW)
    assert [path.name for path in root.rglob("*.part")] == ["training.checkpoint.3.part"]


def test_a_record_is_removed(root):
    files.write(root, "b.nc", NEW)
    files.remove(root, "networks/a.nc")
    assert files.names(root) == ["b.nc"] and "a.nc" not in (root / "SHA256SUMS").read_text("utf-8")
    files.remove(root, "networks/a.nc")


def test_a_record_without_checksum_is_refused(root):
    (root / "b.nc").write_bytes(NEW)
    with pytest.raises(errors.CorruptRecord, match="b.nc is damaged.*`lil reproduce b --record`"):
        files.read(root, "b.nc")


@pytest.mark.parametrize("name", ["../a.nc", "networks/../../a.nc", "/a.nc"])
def test_a_record_lies_below_its_folder(root, name):
    with pytest.raises(errors.NotWritten, match="would lie outside"):
        files.write(root, name, NEW)
    assert not (root.parent / "a.nc").exists() and not Path("/a.nc").exists()


def test_a_write_that_is_cut_off_makes_no_damaged_record_valid(root, monkeypatch):
    """The new file cannot be put in its place, after the checksums have been."""
    (root / "networks" / "a.nc").write_bytes(b"damaged")
    replace = os.replace

    def replace_checksums(part, target):
        if target.name != files.CHECKSUMS:
            raise OSError("no")
        replace(part, target)

    monkeypatch.setattr(files.os, "replace", replace_checksums)
    with pytest.raises(errors.NotWritten):
        files.write(root, "networks/a.nc", NEW)
    with pytest.raises(errors.CorruptRecord, match="a.nc is damaged"):
        files.read(root, "networks/a.nc")


def test_a_byte_of_the_checksums_that_is_no_text_damages_the_record(root):
    path = root / "SHA256SUMS"
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    with pytest.raises(errors.CorruptRecord, match="a.nc is damaged"):
        files.read(root, "networks/a.nc")
    path.write_bytes(path.read_bytes().replace(b"a.nc", b"\xff.nc"))
    with pytest.raises(errors.CorruptRecord, match="a.nc is damaged"):
        files.read(root, "networks/a.nc")
    assert files.names(root) == ["networks/a.nc", "networks/\N{REPLACEMENT CHARACTER}.nc"]
    files.write(root, "networks/a.nc", NEW)
    assert files.read(root, "networks/a.nc") == NEW


@pytest.mark.parametrize("refused", ["a.nc", "SHA256SUMS"])
def test_a_file_that_may_not_be_opened_is_named(root, monkeypatch, refused):
    """The tests may run as a user whom no permission stops."""
    works = io.open

    def opened(path, *args, **kwargs):
        if Path(path).name == refused:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return works(path, *args, **kwargs)

    monkeypatch.setattr(io, "open", opened)
    with pytest.raises(
        errors.CorruptRecord, match=rf"a.nc cannot be read \(Permission denied: .*{refused}\): give access"
    ):
        files.read(root, "networks/a.nc")


def test_a_folder_that_refuses_to_say_counts_as_having_the_record(root, monkeypatch):
    assert not records.Place(root, "b.nc").exists

    def refuse(path, **how):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(Path, "exists", lambda path: False)  # as Python 3.14 answers
    assert records.Place(root, "b.nc").exists


def test_lines_of_the_checksums_without_a_name_are_nothing(root):
    path = root / "SHA256SUMS"
    path.write_text(path.read_text("utf-8") + "\nno name\n")
    assert files.names(root) == ["networks/a.nc"] and files.read(root, "networks/a.nc") == OLD


def test_a_folder_that_cannot_be_locked_can_be_read(root, monkeypatch, tmp_path_factory):
    """As that of an installed package may be, on a machine without a folder for the cache or for temporary files."""
    nowhere = tmp_path_factory.mktemp("cache") / "a file"
    nowhere.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(nowhere))
    monkeypatch.setattr(files.tempfile, "tempdir", str(nowhere))
    assert files.read(root, "networks/a.nc") == OLD
    (root / "networks/a.nc").write_bytes(NEW)
    with pytest.raises(errors.CorruptRecord):
        files.read(root, "networks/a.nc")
    with pytest.raises(errors.NotWritten):
        files.write(root, "networks/a.nc", NEW)


# ------------------------------------------------------------------------------------------------ full disk


@posix
def test_a_disk_that_fills_up_in_the_middle_of_a_write(root):
    """A file-size limit stands for the disk: the kernel itself refuses the write half-way."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(errors.NotWritten, match="a.nc could not be written .File too large.* as it was before"):
            files.write(root, "networks/a.nc", NEW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    _is_whole(root, OLD)
    assert not list(root.rglob("*.part"))


def test_a_record_is_written_though_the_cache_folder_cannot_be(root, monkeypatch, tmp_path):
    """The lock then lies among the temporary files. Root may write anywhere: a stand-in answers for the system."""
    monkeypatch.setattr(os, "access", lambda path, mode: "cache" not in str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(files.tempfile, "tempdir", str(tmp_path))
    locked = []
    monkeypatch.setattr(files, "FileLock", lambda path: locked.append(path.parent) or nullcontext())
    files.write(root, "networks/a.nc", NEW)
    _is_whole(root, NEW)
    assert locked == [tmp_path] and files.usable(tmp_path / "cache") is None and files.usable(tmp_path / "other")


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("call", [1, 2])
def test_a_disk_that_is_full_at_each_step_before_the_new_record_is_there(root, monkeypatch, function, call):
    works, calls = getattr(os, function), []

    def full(*args):
        calls.append(args)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return works(*args)

    monkeypatch.setattr(os, function, full)
    with pytest.raises(errors.NotWritten, match="No space left on device"):
        files.write(root, "networks/a.nc", NEW)
    monkeypatch.undo()
    _is_whole(root, OLD)
    assert not list(root.rglob("*.part"))
    files.write(root, "networks/a.nc", NEW)
    _is_whole(root, NEW)


def test_a_file_that_is_no_record_is_replaced_whole_by_many_writers_at_once(tmp_path):
    path, failed = tmp_path / "pages" / "page.ipynb", []
    path.parent.mkdir()

    def write(letter):
        try:
            for _ in range(20):
                files.replace(path, letter * 100_000)
        except OSError as reason:
            failed.append(reason)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failed and list(path.parent.iterdir()) == [path]
    assert path.read_text("utf-8") in {letter * 100_000 for letter in "abcd"}


def test_a_file_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    path = tmp_path / "scripts" / "play.js"
    path.parent.mkdir()
    files.replace(path, "β")

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        files.replace(path, "new")
    assert path.read_text("utf-8") == "β" and list(path.parent.iterdir()) == [path]


def test_a_disk_that_is_full_once_the_new_record_is_there(root, monkeypatch):
    works, calls = os.replace, []

    def full(*args):
        calls.append(args)
        if len(calls) == 3:  # checksums, record, checksums
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return works(*args)

    monkeypatch.setattr(os, "replace", full)
    files.write(root, "networks/a.nc", NEW)
    monkeypatch.undo()
    assert len(calls) == 3
    _is_whole(root, NEW)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "networks").write_text("a file where the folder should be")
    with pytest.raises(errors.NotWritten, match="networks/a.nc could not be written"):
        files.write(tmp_path, "networks/a.nc", NEW)


# ------------------------------------------------------------------------------------------------ kills

# Dies by SIGKILL right before its k-th step that reaches the disk, for every k; the parent then looks what is there.
KILLED_AT_EACH_STEP = """
import os, shutil, signal, sys
from pathlib import Path
from lil.results import files

OLD, NEW = b"old " * 50_000, b"new " * 60_000
top = Path(sys.argv[1])

def dying(function, steps):
    def step(*args):
        steps[0] -= 1
        if steps[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args)
    return step

def write_and_die(root, at):
    steps = [at]
    for name in ("open", "fsync", "replace", "unlink"):
        setattr(os, name, dying(getattr(os, name), steps))
    files.write(root, "networks/a.nc", NEW)
    os._exit(0)

seen = []
for at in range(100):
    root = top / f"killed-{at}"
    files.write(root, "networks/a.nc", OLD)
    child = os.fork()
    if not child:
        write_and_die(root, at)
    _, status = os.waitpid(child, 0)
    content = files.read(root, "networks/a.nc")
    seen.append("old" if content == OLD else "new" if content == NEW else "neither")
    files.write(root, "networks/a.nc", NEW)
    assert files.read(root, "networks/a.nc") == NEW and not list(root.rglob("*.part")), at
    if os.WIFEXITED(status):
        break
print(" ".join(seen))
"""


@posix
def test_a_kill_at_any_step_leaves_the_old_record_or_the_new_one(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED_AT_EACH_STEP, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = done.stdout.split()
    assert len(seen) > 8 and set(seen) == {"old", "new"}
    assert seen == sorted(seen, reverse=True)  # first the old one, from some step on the new one


def test_what_a_kill_left_behind_goes_with_the_next_write(root):
    (root / "networks" / "b.nc.part").write_bytes(b"half")
    files.write(root, "networks/a.nc", NEW)
    left = (path.relative_to(root) for path in root.rglob("*") if path.is_file() and path.suffix != ".lock")
    assert sorted(map(str, left)) == ["SHA256SUMS", "networks/a.nc"]  # the lock lies in the cache folder


# Writes two large records in turn, for ever; "ready" once the first is there.
WRITES_FOR_EVER = """
import sys
from pathlib import Path
from lil.results import files

for turn in range(10**6):
    files.write(Path(sys.argv[1]), "a.nc", bytes([turn % 2]) * 2**25)
    if turn == 0:
        print("ready", flush=True)
"""


@pytest.mark.slow
def test_kills_at_random_moments_leave_a_whole_record(tmp_path):
    for moment in (0.01, 0.05, 0.13):
        with subprocess.Popen([sys.executable, "-c", WRITES_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(moment)
            writer.kill()
        assert files.read(tmp_path, "a.nc") in (bytes([0]) * 2**25, bytes([1]) * 2**25)


# ------------------------------------------------------------------------------------------------ many at once

# Four processes write, each its own record and one that all share; two read the shared one meanwhile.
MANY_AT_ONCE = """
import os, sys
from pathlib import Path
from lil.results import files

root = Path(sys.argv[1])
files.write(root, "shared.nc", b"0" * 1000)

def write(me):
    for turn in range(15):
        files.write(root, "shared.nc", str(me).encode() * 1000)
        files.write(root, f"own-{me}.nc", f"{me} {turn}".encode())

def read():
    for _ in range(150):
        content = files.read(root, "shared.nc")
        assert len(content) == 1000 and len(set(content)) == 1

children = []
for work in [lambda me=me: write(me) for me in range(4)] + [read] * 2:
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    children.append(child)
failed = [os.waitpid(child, 0)[1] for child in children]
sys.exit(any(failed))
"""


@pytest.mark.slow
@posix
def test_many_writers_and_readers_at_once(tmp_path):
    done = subprocess.run([sys.executable, "-c", MANY_AT_ONCE, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [files.read(tmp_path, f"own-{me}.nc") for me in range(4)] == [f"{me} 14".encode() for me in range(4)]
    assert len((tmp_path / "SHA256SUMS").read_text("utf-8").splitlines()) == 5


def test_a_reader_is_not_overtaken_by_a_writer(root, monkeypatch):
    """The writer starts between the content and its checksum, and leaves the old content without one."""
    checksums = files._checksums
    writer = threading.Thread(target=files.write, args=(root, "networks/a.nc", NEW))

    def overtaken(folder):
        if threading.current_thread() is threading.main_thread() and writer.ident is None:
            writer.start()
            writer.join(0.5)
        return checksums(folder)

    monkeypatch.setattr(files, "_checksums", overtaken)
    assert files.read(root, "networks/a.nc") == NEW
    writer.join()
    _is_whole(root, NEW)


# ------------------------------------------------------------------------------------------------ contents


def test_a_dataset_comes_back_as_it_was():
    dataset = xr.Dataset(
        {
            "numbers": (("beta", "seed"), np.random.default_rng(0).normal(size=(2, 900)).astype(np.float32)),
            "counts": ("beta", np.array([1, 2])),
            "pixels": ("beta", np.array([0, 255], np.uint8)),
            "hole": ("beta", [np.nan, 1.0]),
            "one": 3.5,
            "right": ("beta", [True, False]),
        },
        coords={"beta": [0.001, 10.0], "word": ("beta", ["δ", "ring"])},
        attrs={"seconds": 1.5, "threads": 2, "config": json.dumps({"a": "β"})},
    )
    content = files.dataset_to_bytes(dataset)
    back = files.dataset_from_bytes(content)
    assert back.identical(dataset)
    assert {name: v.dtype for name, v in back.variables.items() if name != "word"} == {
        name: v.dtype for name, v in dataset.variables.items() if name != "word"
    }
    assert {type(value) for value in back.attrs.values()} == {float, int, str}
    assert files.dataset_to_bytes(dataset) == content


def test_networks_come_back_as_they_were(tmp_path):
    networks = {"weights.0": torch.arange(6.0).view(2, 3), "half": torch.ones(2, dtype=torch.float16)}
    attrs = {"config": '{"β": 1}', "seconds": 1.5, "band": float("inf")}
    content = files.networks_to_bytes(networks, attrs)
    files.write(tmp_path, "a.safetensors", content)
    back, back_attrs = files.read_networks(tmp_path, "a.safetensors")
    assert back_attrs == attrs
    assert all(back[name].equal(value) and back[name].dtype == value.dtype for name, value in networks.items())
    assert files.networks_to_bytes(networks, attrs) == content
