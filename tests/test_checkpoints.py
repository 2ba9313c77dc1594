"""A checkpoint is read as it was written, or refused."""

import random
import subprocess
import sys

import pytest
import torch

from lil import checkpoints

TENSORS = {"weight": torch.arange(12.0).view(3, 4).T, "count": torch.tensor(7), "flags": torch.tensor([True, False])}
FACTS = {"epochs": 3, "seconds": 0.1, "line\nbreak": ["β", None, {"a": -1.5}]}


@pytest.fixture
def path(tmp_path):
    checkpoints.write(tmp_path / "new" / "folder" / "one.checkpoint", TENSORS, FACTS)
    return tmp_path / "new" / "folder" / "one.checkpoint"


def test_what_is_read_is_what_was_written(path):
    tensors, facts = checkpoints.read(path)
    assert facts == FACTS and tensors.keys() == TENSORS.keys()
    assert all(
        torch.equal(tensors[name], value) and tensors[name].dtype == value.dtype for name, value in TENSORS.items()
    )
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_checkpoint_of_nothing(tmp_path):
    checkpoints.write(tmp_path / "none.checkpoint", {}, {})
    assert checkpoints.read(tmp_path / "none.checkpoint") == ({}, {})


def test_every_changed_byte_is_one_sentence(path):
    content, draw = path.read_bytes(), random.Random(0)
    shorter = [content[:length] for length in range(len(content))]
    flipped = [
        each + bytes([content[len(each)] ^ 1 << draw.randrange(8)]) + content[len(each) + 1 :] for each in shorter
    ]
    for damaged in (*flipped, *shorter, content + b"\n"):
        path.write_bytes(damaged)
        with pytest.raises(checkpoints.CheckpointDamaged) as refused:
            checkpoints.read(path)
        assert str(refused.value) == f"The checkpoint {path} is damaged: delete it to start anew."


WRITING = """
import sys
from pathlib import Path
import torch
from lil import checkpoints
for k in range(60):
    checkpoints.write(Path(sys.argv[1]), {"x": torch.full((1000,), float(k))}, {"k": k})
    tensors, facts = checkpoints.read(Path(sys.argv[1]))
    assert (tensors["x"] == facts["k"]).all()
"""


def test_two_processes_may_write_the_same_checkpoint(tmp_path):
    command = [sys.executable, "-c", WRITING, str(tmp_path / "one.checkpoint")]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(each.communicate()[1], each.returncode) for each in both] == [("", 0)] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["one.checkpoint"]


def test_what_a_kill_has_left_goes_with_the_checkpoint(path):
    for name in ("one.checkpoint.7.part", "other.checkpoint", "one.checkpoint.old"):
        (path.parent / name).touch()
    checkpoints.remove(path)
    assert sorted(each.name for each in path.parent.iterdir()) == ["one.checkpoint.old", "other.checkpoint"]
    checkpoints.remove(path)


def test_a_kill_while_writing_leaves_the_old_checkpoint(path, monkeypatch):
    def killed(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(path), "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.write(path, {}, {})
    assert checkpoints.read(path)[1] == FACTS
