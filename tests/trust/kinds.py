"""The kinds of files that the project reads, as temporary copies, and the way in which it reads them."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import torchvision
from nbval.plugin import IPyNbCell, bcolors

from lil import checkpoints, features
from lil.datasets import images
from lil.paper import differences, export, ledger, pages, shipped, trust
from lil.results import computing, files
from lil.results.errors import CorruptFile
from tests.trust import small

sys.path.append(str(pages.ROOT / "tests" / "notebooks"))
import test_references
import tolerance


@dataclass(frozen=True)
class Kind:
    """A file, and the way in which the project reads it."""

    what: str
    path: Path  # a temporary copy
    read: Callable[[], Any]  # everything that is read from it
    tries: int
    same: Callable[[Any, Any], bool] = lambda a, b: a == b


def store(folder: Path) -> Iterator[Kind]:
    """Yield a record, networks, and the checksums of a folder of records."""
    root, names = folder / "results", ("scaling.nc", "networks/hierarchy/paper-shallow.safetensors", "table1.nc")
    lines = (pages.ROOT / "results" / files.CHECKSUMS).read_text("utf-8").splitlines(keepends=True)
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pages.ROOT / "results" / name, root / name)
    (root / files.CHECKSUMS).write_text("".join(line for line in lines if line.strip().endswith(names)))

    def everything() -> Any:
        contents = [files.read(root, name) for name in names]
        if set(files.names(root)) != set(names):
            raise CorruptFile(f"`lil results --check` names a leftover in {root}: restore SHA256SUMS")
        return contents

    yield Kind(
        "record of a result (.nc)",
        root / names[0],
        lambda: files.dataset_from_bytes(files.read(root, names[0])),
        400,
        lambda a, b: a.identical(b),
    )
    yield Kind(
        "trained networks (.safetensors)", root / names[1], lambda: files.read_networks(root, names[1]), 300, _tensors
    )
    yield Kind("checksums of the records (SHA256SUMS)", root / files.CHECKSUMS, everything, 300)


def _tensors(a: Any, b: Any) -> bool:
    (one, its), (other, others) = a, b
    return its == others and one.keys() == other.keys() and all(torch.equal(v, other[k]) for k, v in one.items())


def weights(folder: Path) -> Iterator[Kind]:
    """Yield the VGG13's weights, and their card, on which their checksum stands."""
    copy = folder / features.WEIGHTS.name
    for suffix in (".safetensors", ".json"):
        shutil.copy(features.WEIGHTS.with_suffix(suffix), copy.with_suffix(suffix))

    def load() -> list[bytes]:
        with patch.object(features, "WEIGHTS", copy):
            state = features.convolutions("cifar10").state_dict()
        return [value.numpy().tobytes() for value in state.values()]

    yield Kind("weights of the VGG13 (.safetensors)", copy, load, 60)
    yield Kind("card of the VGG13's weights (.json)", copy.with_suffix(".json"), load, 60)


def texts(folder: Path) -> Iterator[Kind]:
    """Yield the ledger, the differences, the frozen verdicts and the timings, with their checksums."""
    for name in (*shipped.SEALED, "lil/paper/SHA256SUMS"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pages.ROOT / name, folder / name)
    readers: dict[str, Callable[[Path], Any]] = {
        "lil/paper/claims.toml": lambda path: repr(ledger.read(path)),
        "lil/paper/differences.toml": lambda path: repr(differences.read(path)),
        "lil/paper/frozen.json": lambda path: export.frozen(path),
        "benchmarks/timings.json": lambda path: shipped.read(path, str),
        "lil/paper/SHA256SUMS": lambda path: None,
    }

    def sealed(name: str) -> Callable[[], Any]:
        def read() -> Any:
            content = readers[name](folder / name)
            shipped.check(folder)  # as tests/paper/test_shipped.py does
            return content

        return read

    for name in readers:
        yield Kind(
            Path(name).name if name != "lil/paper/SHA256SUMS" else "checksums of these four",
            folder / name,
            sealed(name),
            120,
        )


def trials(folder: Path) -> Iterator[Kind]:
    """Yield the record of a harness, as the book's page shows it."""
    path = folder / "mutants.json"
    shutil.copy(trust.RECORDS / path.name, path)

    def shown() -> str:
        with patch.object(trust, "RECORDS", folder):
            return trust.overview() + trust.cases()

    yield Kind("record of a trial (.json)", path, shown, 120)


def references(folder: Path) -> Iterator[Kind]:
    """Yield what nbval compares with: a reference, here as if it found what that had, and the other executions."""
    executions = folder / tolerance.EXECUTIONS.name
    shutil.copy(tolerance.EXECUTIONS, executions)
    yield Kind("executions of the references", executions, lambda: tolerance.read_executions(executions), 120)
    name = "scaling"
    source, path = pages.SOURCES / f"{name}.py", folder / f"{name}.ipynb"
    shutil.copy(pages.REFERENCES / path.name, path)
    executed = test_references.code(test_references.opened(path))
    cell = SimpleNamespace(colors=bcolors, sanitize=lambda text: text, format_output_compare=lambda *_: None)

    def check() -> None:
        try:
            for test in (
                test_references.test_it_was_executed_and_has_checked_output,
                test_references.test_it_is_of_the_notebook_as_it_stands,
                test_references.test_it_runs_live_at_the_quick_profile,
            ):
                test(source, path)
        except CorruptFile:
            raise
        except Exception as red:  # of whatever kind: the test's name tells the file
            raise CorruptFile(f"make test-all is red on {path.name}: restore it") from red
        skipped = ("metadata", "traceback", "prompt_number", "output_type", "name", "execution_count", "image/png")
        for now, reference in zip(executed, test_references.code(test_references.opened(path)), strict=True):
            if test_references.CHECKED in now.metadata.get("tags", []):
                outputs = list(reference.outputs)
                new = tolerance.adopt_near(now.outputs, outputs, tolerance.measured({}, name, "", outputs))
                if not IPyNbCell.compare_outputs(cell, new, outputs, skipped):
                    raise CorruptFile(f"nbval is red on {path.name}: restore it")

    yield Kind("reference of a notebook (.ipynb)", path, check, 250)


def image_sets(folder: Path) -> Iterator[Kind]:
    """Yield a file of sets that are shaped as MNIST and CIFAR10, and their checksums in the place of the real ones."""
    draw = np.random.default_rng(0)
    for path in images.SHA256["mnist"]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        size, top = ((12, 28, 28), 256) if "images" in path else ((12,), 10)
        values = draw.integers(0, top, size, np.uint8)
        head = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
        (folder / path).write_bytes(head + values.tobytes())
    for path in images.SHA256["cifar10"]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        batch = {"data": draw.integers(0, 256, (4, 3072), np.uint8), "labels": [0, 1, 2, 3], "label_names": ["a"] * 10}
        (folder / path).write_bytes(pickle.dumps(batch))
    sums = {
        name: {path: hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in images.SHA256[name]}
        for name in ("mnist", "cifar10")
    }

    def load(name: str) -> Callable[[], list[bytes]]:
        def read() -> list[bytes]:
            with (
                patch.dict(images.SHA256, sums),
                patch.object(torchvision.datasets.cifar, "check_integrity", lambda *_: True),
                patch.dict(os.environ, {"LIL_DATA": str(folder)}),
            ):
                return [part.numpy().tobytes() for part in images.load(name, "train")]

        return read

    for what, name, path in (
        ("images of MNIST's form", "mnist", "MNIST/raw/train-images-idx3-ubyte"),
        ("labels of MNIST's form", "mnist", "MNIST/raw/train-labels-idx1-ubyte"),
        ("batch of CIFAR10's form", "cifar10", "cifar-10-batches-py/data_batch_1"),
    ):
        yield Kind(what, folder / path, load(name), 150)


def states(fake: small.Small) -> Iterator[Kind]:
    """Yield the checkpoint of an evaluation that was killed after its second batch."""
    config, call = fake.experiment.PAPER, dict(device="cpu", resume=True)
    networks = {"nets": computing.train(fake.recipe, config.nets, device="cpu", progress=lambda *_: None)}

    def killed(label: str, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        computing.evaluate(fake.experiment, config, networks, progress=killed, **call)
    (path,) = (small.cache_folder() / "partial").iterdir()

    def resumed() -> Any:
        return computing.evaluate(fake.experiment, config, networks, progress=lambda *_: None, **call).drop_attrs()

    yield Kind("checkpoint of an evaluation", path, resumed, 60, lambda a, b: a.identical(b))


def trainings(folder: Path) -> Iterator[Kind]:
    """Yield the checkpoint of a training: tensors, and facts of several kinds."""
    path = folder / "training.checkpoint"
    tensors = {"network.0.weight": torch.randn(20, 30, generator=torch.Generator().manual_seed(0))}
    checkpoints.write(path, tensors | {"epochs": torch.tensor(3)}, {"seconds": 1.5, "history": [{"loss": 2.25}]})

    def read() -> Any:
        read, facts = checkpoints.read(path)
        return {name: value.tolist() for name, value in read.items()}, facts

    yield Kind("checkpoint of a training", path, read, 60)


def kinds(stack: ExitStack) -> Iterator[Kind]:
    """Yield all kinds of files, as copies that last as long as the stack."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    for number, make in enumerate((store, weights, texts, trials, references, image_sets, trainings)):
        (folder / str(number)).mkdir()
        yield from make(folder / str(number))
    yield from states(stack.enter_context(small.package()))
