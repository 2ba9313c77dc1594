"""The works that :mod:`tests.trust.kills` disturbs, and the questions that it asks afterwards."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
import torch

from lil import checkpoints, results
from lil.cache import cache_folder
from lil.paper import export, pages
from lil.recipes import pretraining, trained_along
from lil.results import files, running
from tests.trust import small

Tensors = dict[str, torch.Tensor]


@dataclass
class Storm:
    """A work that is killed again and again, and the questions asked after each kill."""

    what: str
    work: Callable[[], Any]  # in a child
    prepare: Callable[[], Any]  # before each kill
    whole: Callable[[], bool]  # after a kill
    finish: Callable[[], bool]  # run once more, and return whether all ended as in an undisturbed run
    in_a_row: int = 1  # kills before it is finished, where that is dear


# The store


def fresh(fake: small.Small) -> None:
    """Remove all records and the cache."""
    for folder in (fake.records, cache_folder()):
        shutil.rmtree(folder, ignore_errors=True)


def storms_of_the_store(fake: small.Small) -> Iterator[Storm]:
    """Yield recording, going on with an evaluation, and affirming, each on the small package."""
    experiment = fake.experiment

    def whole() -> bool:
        fake.numbers()
        return fake.free()

    def finish() -> bool:
        results.record(experiment, "auto")
        return small.equal(fake.numbers(), undisturbed) and fake.free() and not fake.strays()

    fresh(fake)
    results.record(experiment)
    undisturbed = fake.numbers()

    def record() -> None:
        results.record(experiment)

    def replaced() -> bool:
        record()
        return small.equal(fake.numbers(), undisturbed) and fake.free() and not fake.strays()

    def either() -> bool:
        return whole() and small.equal(fake.numbers(), undisturbed)

    yield Storm("recording for the first time", record, lambda: fresh(fake), whole, finish)
    yield Storm("recording over an older record", record, finish, either, replaced)

    def evaluation_left() -> None:
        finish()
        files.remove(fake.records, "fig9_small.nc")

    def go_on() -> None:
        results.record(experiment, "auto")

    yield Storm("evaluating, from the state that was kept", go_on, evaluation_left, whole, finish)

    finish()
    fake.commit()
    source = fake.root / "fake" / "recipes" / "nets.py"
    text, kept = (
        source.read_text("utf-8"),
        {path: path.read_bytes() for path in fake.records.rglob("*") if path.is_file()},
    )

    def stale() -> None:
        for path, content in kept.items():
            path.write_bytes(content)
        source.write_text(
            text.replace("logits = networks(x.flatten(1))", "seen = x.flatten(1)\n        logits = networks(seen)")
        )
        small.forget()

    def affirm() -> None:
        with patch.object(running, "run", _in_process):
            results.affirm(fake.experiment, choice=random.Random(0))

    def affirmed() -> bool:
        if results.listing("fake.experiments")[0].state != "current":
            affirm()
        states = {row.state for row in results.listing("fake.experiments")}
        return states == {"current"} and small.equal(fake.numbers(), undisturbed) and fake.free() and not fake.strays()

    yield Storm("affirming after a change of code", affirm, stale, whole, affirmed)


def _in_process(tree: Path, job: running.Job, engine: str = "", environment: Any = None, timeout: Any = None) -> None:
    """Do a job of an affirmation in this process, by the code in ``tree``."""
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "fake"}
    small.forget()
    sys.path.insert(0, str(tree))
    try:
        running.work(job)
    finally:
        sys.path.remove(str(tree))
        small.forget()
        sys.modules.update(kept)


def storms_of_files(folder: Path) -> Iterator[Storm]:
    """Yield the writing of networks and of the frozen verdicts."""
    root, attrs = folder / "results", {"config": "{}"}
    sets = [{"weight": torch.full((100, 200), float(k))} for k in range(2)]

    def write(turn: int) -> None:
        files.write(root, "networks/a.safetensors", files.networks_to_bytes(sets[turn], attrs))

    def one_of_both() -> bool:
        found = files.read_networks(root, "networks/a.safetensors")[0]["weight"]
        return any(torch.equal(found, each["weight"]) for each in sets)

    def rewritten() -> bool:
        write(1)
        left = {path.name for path in root.rglob("*") if path.is_file()}
        return one_of_both() and left == {files.CHECKSUMS, "a.safetensors"}

    yield Storm(
        "writing networks", lambda: [write(k % 2) for k in range(8)] and None, lambda: write(0), one_of_both, rewritten
    )

    path, verdicts = folder / "frozen.json", [f'{{"claim": "{k * 3000}"}}\n' for k in ("a", "b")]
    yield Storm(
        "freezing the ledger's verdicts",
        lambda: [files.replace(path, verdicts[k % 2]) for k in range(200)] and None,
        lambda: files.replace(path, verdicts[0]),
        lambda: export.frozen(path) in ({"claim": k * 3000} for k in ("a", "b")),
        lambda: (
            files.replace(path, verdicts[1]) is None
            and path.read_text("utf-8") == verdicts[1]
            and len(list(folder.glob("frozen*"))) == 1
        ),
    )


def storms_of_training() -> Iterator[Storm]:
    """Yield the trainings that keep checkpoints: whole networks on few images, and the VGG13's pretraining."""
    sizes = dict(n_train=60, n_test=6, hidden=(8, 8), epochs=3, betas=(0.0, 10.0))
    config, networks, states = replace(trained_along.QUICK_CNN, **sizes), {}, {}
    empty = lambda: shutil.rmtree(cache_folder(), ignore_errors=True)  # noqa: E731

    def whole(what: str) -> Callable[[], bool]:
        """Return the question whether each checkpoint is whole, and a state that the undisturbed run went through."""

        def asked() -> bool:
            found = [path for path in cache_folder().rglob("*") if path.is_file() and path.suffix != files.PART]
            return all(_digest(checkpoints.read(path)[0]) in states[what] for path in found)

        return asked

    def train() -> dict[str, torch.Tensor]:
        with patch.object(trained_along, "SPACING", -1.0):  # a checkpoint after each epoch
            return trained_along.train(config)

    def trained() -> bool:
        found = train()  # with the seconds before the kill, which no undisturbed run has
        equal = all(torch.equal(value, found[name]) for name, value in networks["whole"].items())
        return equal and not list((cache_folder() / "partial").glob("*.checkpoint"))

    empty()
    networks["whole"], states["whole"] = _with_states(train)
    yield Storm("training with checkpoints", lambda: train() and None, empty, whole("whole"), trained)

    generator = torch.Generator().manual_seed(0)
    data = (torch.rand(4, 3, 32, 32, generator=generator), torch.arange(4)) * 2
    checkpoint = cache_folder() / "pretraining.checkpoint"

    def pretrained(what: str, epochs: int, network: Callable[[int], torch.nn.Sequential], in_a_row: int) -> Storm:
        settings = pretraining.Settings(cycles=1, epochs=epochs, batch_size=2)

        def pretrain() -> dict[str, torch.Tensor]:
            with patch.object(pretraining, "network", network):
                run = pretraining.pretrain(*data, settings, checkpoint=checkpoint, checkpoint_every=1)
            return run.network.state_dict()

        def equal() -> bool:
            return all(torch.equal(value, networks[what][name]) for name, value in pretrain().items())

        empty()
        networks[what], states[what] = _with_states(pretrain)
        return Storm(what, lambda: pretrain() and None, empty, whole(what), equal, in_a_row)

    yield pretrained("pretraining a small network", 20, _small_network, 1)
    yield pretrained("pretraining the VGG13", 2, pretraining.network, 3)


def _small_network(seed: int) -> torch.nn.Sequential:
    """Return a network of a few weights that stands in for the VGG13."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = (torch.nn.Conv2d(3, 8, 3, 8), torch.nn.BatchNorm2d(8), torch.nn.Flatten(), torch.nn.Linear(128, 10))
    return torch.nn.Sequential(*layers)


def _with_states(work: Callable[[], Tensors]) -> tuple[Tensors, set[str]]:
    """Do a work; return its result, and the digests of all states that its checkpoints held."""
    states, write = set(), checkpoints.write

    def noted(path: Path, tensors: Tensors, facts: Any) -> None:
        states.add(_digest(tensors))
        write(path, tensors, facts)

    with patch.object(checkpoints, "write", noted):
        return work(), states


def _digest(tensors: Tensors) -> str:
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(name.encode() + tensors[name].numpy(force=True).tobytes())
    return found.hexdigest()


# Commands


def notebook(folder: Path) -> tuple[Path, Path]:
    """Write the source of a small notebook, and return its path and that of its page."""
    source = folder / "fig0.py"
    header = pages.find_sources(["fig2_rings"])[0].read_text(encoding="utf-8").partition("# %%")[0]
    cells = '# %% tags=["parameters"]\nprofile = ""\nmode = ""\n\n# %%\nfor k in range(9):\n    print(profile, k)\n'
    source.write_text(header + cells)
    return source, folder / "nb" / "fig0.ipynb"


def process(*command: str, cwd: Path) -> Callable[[], int]:
    """Return a work that runs a script by this interpreter, in a process of its own."""
    return lambda: subprocess.run([sys.executable, *command], cwd=cwd).returncode


def storms_of_commands(fake: small.Small, folder: Path) -> Iterator[Storm]:
    """Yield the execution of a small notebook, and a recording by the command."""
    source, target = notebook(folder)

    def execute() -> None:
        pages.execute(source, target, profile="quick", mode="live")

    def page() -> list[Any]:
        return nbformat.read(target, 4).cells

    execute()
    cells = page()
    yield Storm(
        "executing a notebook", execute, lambda: None, lambda: page() == cells,
        lambda: execute() is None and page() == cells and not target.with_suffix(".part.ipynb").exists(), in_a_row=5,
    )  # fmt: skip

    command = "from lil import cli; cli.EXPERIMENTS = 'fake.experiments'; "
    command += "raise SystemExit(cli.main(['reproduce', '--record']))"
    record, small_numbers = process("-c", command, cwd=fake.root), []

    def recorded() -> bool:
        results.record(fake.experiment, "auto")
        small_numbers.append(fake.numbers())
        return small.equal(small_numbers[0], small_numbers[-1]) and not fake.strays()

    fresh(fake)
    recorded()
    yield Storm(
        "`lil reproduce --record`",
        record,
        lambda: fresh(fake),
        lambda: bool(fake.numbers()) and fake.free(),
        recorded,
        in_a_row=4,
    )


def storms_of_builds(folder: Path) -> Iterator[Storm]:
    """Yield a rerun of a real notebook and the build of a book of one page, as commands."""
    made = folder / "reruns"
    code = "import pathlib; from lil import cli; from lil.paper import rerun; "
    code += f"rerun.RERUNS = pathlib.Path({str(made)!r}); "
    code += "raise SystemExit(cli.main(['rerun', 'fig1_mappings', 'epochs=3', '--profile', 'quick']))"
    again = process("-c", code, cwd=pages.ROOT)

    undisturbed: list[Any] = []

    def checked() -> list[Any]:
        """Return the checked outputs of the page, if it is there: the first time, that of the undisturbed run."""
        cells = [cell for path in made.rglob("fig1_mappings.ipynb") for cell in nbformat.read(path, 4).cells]
        return [cell.outputs for cell in cells if pages.CHECKED in cell.metadata.get("tags", [])]

    def prepare() -> None:
        if not undisturbed:
            undisturbed.extend(checked())

    yield Storm(
        "`lil rerun fig1_mappings`",
        again,
        prepare,
        lambda: checked() in ([], undisturbed),
        lambda: again() == 0 and len(undisturbed) > 0 and checked() == undisturbed,
        in_a_row=4,
    )

    book = folder / "book"
    book.mkdir()
    (book / "intro.md").write_text("# A book\n\nOf one page.\n")
    (book / "_toc.yml").write_text("format: jb-book\nroot: intro\n")
    extensions = "[lil.paper.sphinx_finish]"
    (book / "_config.yml").write_text(f"title: A book\nsphinx:\n  extra_extensions: {extensions}\n")
    sources = {path: path.read_bytes() for path in book.iterdir()}
    build = process(
        str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "--all", "-W", "--quiet", cwd=book
    )
    first: dict[Path, str] = {}

    def html() -> dict[Path, str]:
        """Return the pages, without the checksums that Sphinx gives to styles which are there already."""
        pages = (book / "_build" / "html").glob("*.html")
        return {path: re.sub(r"\?v=\w+", "", path.read_text("utf-8")) for path in pages}

    def whole() -> bool:
        complete = all(text.rstrip().endswith("</html>") for text in html().values())
        return complete and all(path.read_bytes() == content for path, content in sources.items())

    def built() -> bool:
        if build() == 0 and not first:
            first.update(html())
        return "Content-Security-Policy" in first[book / "_build" / "html" / "intro.html"] and html() == first

    yield Storm("building a book of one page", build, lambda: None, whole, built, in_a_row=4)
