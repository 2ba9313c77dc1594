"""The command ``lil``: reproduce, record, list and affirm results, judge claims, fetch data, pretrain the VGG13."""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import sys
import time
import webbrowser
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

# `lil --help` answers at once because each command imports torch and the rest by itself.

EXPERIMENTS = "lil.experiments"
DATA = ("mnist", "cifar10")
EXAMPLES = {
    "lil reproduce": "fig2_rings --profile quick",
    "lil rerun": 'fig2_rings betas="[0, 3]" epochs=500',
    "lil notebook": "fig2_rings my_folder",
    "lil lab": "fig2_rings",
    "lil results": "--check",
    "lil results affirm": "fig2_rings",
    "lil results witness": "fig2_rings",
    "lil claims": "--csv",
    "lil data fetch": "mnist",
    "lil data verify": "cifar10",
    "lil pretrain": "vgg13",
}
"""One example of each command, for its help and for the overview."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; print an error in one sentence."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller, as in `lil results >&-`
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115, until the process ends
        getattr(sys, name).reconfigure(errors="replace")  # β is not in every encoding, and hours end in a print
    try:
        _tell_of_other_code()
        chosen = _parser().parse_args(arguments)
        status = chosen.command(chosen)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `lil results | head`: the reader has seen enough
        _print_no_more()
        return 141  # of a process that SIGPIPE ended, in a shell
    except KeyboardInterrupt:
        print("lil: interrupted; records are as they were before.", file=sys.stderr)
        return 130
    except Exception as error:
        if isinstance(error, PermissionError) and error.filename is not None:
            return _fail(f"{error.filename} may not be opened ({error.strerror}): give access to it.")
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):  # `lil claims > FILE`
            _print_no_more()
            what = error.filename or "The output"
            return _fail(f"{what} cannot be written ({error.strerror}): make room, then repeat the command.")
        if not isinstance(error, _expected()):
            raise
        return _fail(error)


def _print_no_more() -> None:
    """Send the output nowhere, because Python flushes it once more at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell_of_other_code() -> None:
    """Print whose code runs where the current folder is another checkout, copied with its environment for example."""
    here, running = Path("lil", "cli.py"), Path(__file__).resolve()
    if here.is_file() and not here.samefile(running):
        root = running.parents[1]
        print(f"lil: the code of {root} runs, and not this folder's: `make install` makes its own.", file=sys.stderr)


def _expected() -> tuple[type[Exception], ...]:
    """Return the errors that say what to do; any other is a defect, and its traceback is wanted."""
    from lil import checkpoints, engine, features
    from lil.datasets import images
    from lil.recipes import pretraining
    from lil.results.errors import ResultError

    of_data = (images.DatasetNotFound, images.DatasetCorrupt, images.CacheUnwritable)
    of_weights = (features.WeightsNotFound, features.WeightsInvalid)
    of_checkpoints = (checkpoints.CheckpointDamaged, pretraining.CheckpointMismatch)
    return (ResultError, engine.EngineUnknown, *of_data, *of_weights, *of_checkpoints)


def _fail(error: Exception | str) -> int:
    """Print an error and return the exit status 1."""
    print(f"lil: {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lil", formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.description = (
        "Recompute the figures and tables of the paper, change their settings, and look after their records.\n"
        "`lil COMMAND --help` says more about a command."
    )
    parser.epilog = "\n".join(["examples:", *(f"  {command} {rest}" for command, rest in EXAMPLES.items())])
    commands = parser.add_subparsers(required=True, title="commands", metavar="COMMAND")
    device = dict(default="cpu", help="as PyTorch names it: cpu (default), cuda")

    reproduce = _command(commands, "reproduce", _reproduce, "compute experiments and compare: paper, record, now")
    reproduce.add_argument("names", nargs="*", metavar="NAME", help="experiments (default: all)")
    mode = "live computes everything anew (default), auto what costs little or, with --record, what is not current; "
    reproduce.add_argument(
        "--mode", choices=("live", "auto", "recorded"), default="live", help=f"{mode}recorded computes nothing"
    )
    profile = "the paper's scale (default), the part of it that the paper shows, or seconds without downloads"
    reproduce.add_argument("--profile", choices=("paper", "shown", "quick"), default="paper", help=profile)
    reproduce.add_argument("--seeds", type=int, metavar="N", help="only the first N seeds of all networks")
    reproduce.add_argument("--record", action="store_true", help="make the results the records in results/")
    reproduce.add_argument("--scheduler", metavar="ADDRESS", help="compute by workers of a dask scheduler you trust")
    reproduce.add_argument("--device", **device)

    what = "execute one notebook with settings of your own, and say where it is"
    rerun = _command(commands, "rerun", _rerun, what, add_help=False)
    rerun.set_defaults(print_help=rerun.print_help)
    rerun.add_argument("-h", "--help", action="store_true", help="show this, and the parameters of NAME")
    rerun.add_argument("name", nargs="?", metavar="NAME", help="a notebook; without settings its parameters are listed")
    rerun.add_argument("settings", nargs="*", metavar="NAME=VALUE", help="a setting, its value as JSON")
    rerun.add_argument(
        "--profile", choices=("paper", "shown", "quick"), default="paper", help="what is not set (default: paper)"
    )
    rerun.add_argument("--html", action="store_true", help="make a page in the book's look, and open it")

    notebook = _command(commands, "notebook", _notebook, "write a notebook as .ipynb, for papermill and Jupyter")
    notebook.add_argument("name", metavar="NAME")
    notebook.add_argument("target", nargs="?", default=".", help="a file or a folder (default: here)")

    lab = _command(commands, "lab", _lab, "open JupyterLab on the text notebooks")
    lab.add_argument("name", metavar="NAME", nargs="?", help="a notebook to open first")

    listed = _command(commands, "results", _results, "list the records: computed when, in how long, current or stale")
    check = "exit with 1 if a record is stale, damaged, of no experiment or without a current witness"
    listed.add_argument("--check", action="store_true", help=check)
    inner = listed.add_subparsers(metavar="[COMMAND]")
    what = "after a change of code: compute probes by the old code and the new, and make records current that agree"
    affirm = _command(inner, "affirm", _affirm, what)
    affirm.add_argument(
        "names", nargs="*", metavar="NAME", help="experiments (default: all that are stale by code alone)"
    )
    old = "a commit with the old code (default: the last one that changed the record)"
    affirm.add_argument("--against", metavar="COMMIT", help=old)
    what = "train and evaluate a few networks of each record by the plain code beside the fast engine"
    witness = _command(inner, "witness", _witness, what)
    witness.add_argument(
        "names", nargs="*", metavar="NAME", help="experiments (default: all without a current witness)"
    )
    for each in (affirm, witness):
        each.add_argument("--device", **device)

    claims = _command(commands, "claims", _claims, "list the claims of the paper: verdicts and findings by the records")
    how = claims.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print everything as JSON")
    how.add_argument("--csv", action="store_true", help="the same as a table with one row a finding")
    how.add_argument("--freeze", action="store_true", help="make these the verdicts that the tests expect")

    what = "fetch or verify the image sets"
    data = commands.add_parser("data", help=what, description=f"{what.capitalize()}.")
    data = data.add_subparsers(required=True, metavar="COMMAND")
    fetch = _command(data, "fetch", _fetch, "download the sets that are not on this machine, and verify all")
    verify = _command(data, "verify", _verify, "compare every byte with the published checksums")
    for each in (fetch, verify):
        each.add_argument("names", nargs="*", metavar="NAME", help=f"{' or '.join(DATA)} (default: both)")

    what = "train the VGG13 under the CIFAR10 networks; resumes after a kill"
    pretrain = _command(commands, "pretrain", _pretrain, what)
    pretrain.add_argument("network", choices=("vgg13",))
    pretrain.add_argument("--device", **device)
    return parser


def _command(commands: Any, name: str, command: Any, what: str, **more: Any) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".", **more)
    parser.set_defaults(command=command)
    parser.epilog = f"example: {parser.prog} {EXAMPLES[parser.prog]}"
    return parser


def _check_device(name: str) -> None:
    from lil.results import computing

    computing.check_device(name)


def _reproduce(chosen: argparse.Namespace) -> int:
    from lil.results import computing, registry
    from lil.results.cluster import Cluster
    from lil.results.errors import UnknownName

    if chosen.record and (chosen.profile != "paper" or chosen.mode == "recorded" or chosen.seeds is not None):
        raise UnknownName(
            "Only results at the paper's scale are recorded, with all seeds: leave out --record or the others."
        )
    experiments = [registry.load(EXPERIMENTS, name) for name in chosen.names or registry.names(EXPERIMENTS)]
    if chosen.scheduler is None:
        _check_device(chosen.device)
        return _reproduce_all(experiments, chosen, computing)
    with Cluster(chosen.scheduler) as cluster:
        return _reproduce_all(experiments, chosen, cluster)


def _reproduce_all(experiments: Sequence[Any], chosen: argparse.Namespace, workers: Any) -> int:
    from lil import results
    from lil.results import records, registry

    trained, failed = {}, 0
    for experiment in experiments:
        before = records.readable_evaluation(experiment)
        try:
            with _Bars() as progress:
                shared = dict(device=chosen.device, progress=progress, trained=trained, workers=workers)
                if chosen.record:
                    result = results.record(experiment, chosen.mode, together=experiments, **shared)
                else:
                    result = results.get(experiment, chosen.profile, chosen.mode, seeds=chosen.seeds, **shared)
        except _expected() as error:  # the others may do better
            failed += _fail(error)
            continue
        print(f"\n{registry.stem(experiment)}\n{results.footer(result)}")
        _print_headline(experiment, result, before if chosen.profile != "quick" else None)
    done = f"recorded, in {records.folder_of(experiments[0])}" if chosen.record else "shown, and no file was written"
    print(f"\n{len(experiments) - failed} of {len(experiments)} results are {done}.")
    return int(failed > 0)


def _print_headline(experiment: Any, result: Any, record: Any) -> None:
    """Print the numbers that a reader compares first, where the experiment has some."""
    from lil.paper.headlines import headline
    from lil.results.registry import stem

    now = headline(stem(experiment), result)
    before = headline(stem(experiment), record) if record is not None else {}
    if not now:
        return
    rows = [(label, paper, before.get(label, (None, None))[1], value) for label, (paper, value) in now.items()]
    _print_table(("", "paper", "record", "now"), rows)


def _rerun(chosen: argparse.Namespace) -> int:
    from lil.paper import rerun

    if chosen.help:
        chosen.print_help()
        print()
        chosen.settings = []
    if chosen.name is None:
        return 0 if chosen.help else _fail("a notebook must be named, as in `lil rerun fig2_rings`.")
    if not chosen.settings:
        described = rerun.parameters(rerun.source_of(chosen.name)).items()
        print(f"Parameters of {chosen.name}, as in `lil rerun {chosen.name} NAME=VALUE …`:")
        _print_table(("parameter", "meaning"), [item for item in described if item[0] not in rerun.GIVEN])
        return 0
    started = time.perf_counter()
    path = rerun.rerun(chosen.name, chosen.settings, profile=chosen.profile, html=chosen.html)
    print(f"{chosen.name}: executed in {time.perf_counter() - started:.0f} s, {path}")
    has_display = os.name == "nt" or sys.platform == "darwin" or os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}
    if chosen.html and sys.stdout.isatty() and has_display:
        webbrowser.open(path.as_uri())
    return 0


def _notebook(chosen: argparse.Namespace) -> int:
    from lil.paper import rerun

    print(f"{chosen.name}: written, {rerun.copy_notebook(chosen.name, Path(chosen.target))}")
    return 0


def _lab(chosen: argparse.Namespace) -> int:
    from lil.paper import rerun

    return rerun.open_lab(chosen.name)


def _results(chosen: argparse.Namespace) -> int:
    from lil import results
    from lil.results.closing import duration
    from lil.results.listing import FAILING

    with _Bars() as progress:
        rows = results.listing(EXPERIMENTS, progress)
    table = []
    for row in rows:
        state = f"{row.state} ({', '.join(row.changed)})" if row.changed else row.state
        cost: tuple = (None,) * 4
        if (of := row.attrs) is not None:
            cost = (of["date"], duration(of["seconds"]), f"{of['peak_memory_mb']:.0f} MiB", of["machine"])
        table.append((row.name, state, *cost))
    _print_table(("record", "state", "date", "took", "memory", "machine"), table)
    unwitnessed = [row.name for row in rows if row.state == "unwitnessed"]
    failing = [row.name for row in rows if row.state in FAILING and row.state != "unwitnessed"]
    if chosen.check and failing:
        anew = "affirm them with `lil results affirm`, or compute them anew with `lil reproduce --record --mode auto`"
        _fail(f"not current: {', '.join(failing)}; {anew}.")
    if chosen.check and unwitnessed:
        _fail(f"without a witness of the present code: {', '.join(unwitnessed)}; `lil results witness` makes it.")
    return int(chosen.check and bool(failing or unwitnessed))


def _affirm(chosen: argparse.Namespace) -> int:
    """Affirm records, as many at once as there are processors for the threads of one."""
    import torch
    from tqdm import tqdm

    from lil import results
    from lil.results import listing, registry
    from lil.results.affirmation import CODE
    from lil.results.closing import duration

    _check_device(chosen.device)
    started, failed = time.perf_counter(), 0
    stale = [row.name for row in listing(EXPERIMENTS) if row.state == "stale" and set(row.changed) <= CODE]
    names = chosen.names or [name for name in stale if not name.startswith("networks/")]
    experiments = [registry.load(EXPERIMENTS, name) for name in names]

    def affirm(experiment: Any) -> dict[str, Any]:
        with _Bars() as progress:
            return results.affirm(experiment, against=chosen.against, device=chosen.device, progress=progress)

    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // torch.get_num_threads())) as pool:
        runs = {pool.submit(affirm, experiment): name for experiment, name in zip(experiments, names, strict=True)}
        try:
            for run in as_completed(runs):
                with tqdm.external_write_mode():  # the bars of the others stay below
                    try:
                        found = run.result()
                    except _expected() as error:
                        failed += _fail(error)
                        continue
                    words = "; ".join(_in_words(*engine) for engine in found["engines"].items())
                    print(f"{runs[run]} is current again: {words}.", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C or a defect, what has not begun
    took = duration(time.perf_counter() - started)
    print(f"{len(names) - failed} of {len(names)} records are current again, {failed} are not; it took {took}.")
    return int(failed > 0)


def _in_words(engine: str, found: dict[str, Any]) -> str:
    """Return how the old code and the new compare by one engine of the new code."""
    by = f"by the {engine} engine " if engine else ""
    if found["equal"]:
        return f"{by}equal bits"
    compared = {name: each for name, each in found["differences"].items() if name not in found["not_compared"]}
    out = f", not compared: {', '.join(found['not_compared'])}" if found["not_compared"] else ""
    return f"{by}within measured bands, at most {max(each[0] for each in compared.values()):.0e}{out}"


def _witness(chosen: argparse.Namespace) -> int:
    from lil import results
    from lil.results import registry, witness

    _check_device(chosen.device)
    failed = 0
    for experiment in [registry.load(EXPERIMENTS, name) for name in chosen.names or registry.names(EXPERIMENTS)]:
        try:
            with _Bars() as progress:
                made = results.give_witness(experiment, device=chosen.device, progress=progress)
        except _expected() as error:
            failed += _fail(error)
            continue
        if made is not None:
            print(
                f"{registry.stem(experiment)}: largest differences {witness.differences(made)} "
                f"({witness.counted(made)}, {made['seconds']:.0f} s).",
                flush=True,
            )
    return int(failed > 0)


def _claims(chosen: argparse.Namespace) -> int:
    from lil.paper import export
    from lil.paper.judging import judge_all

    entries = judge_all()
    if chosen.json or chosen.csv:
        print((export.to_json if chosen.json else export.to_csv)(entries), end="")
        return 0
    if chosen.freeze:
        print(f"verdicts: written, {export.freeze(entries)}")
        return 0
    print(export.to_text(entries, shutil.get_terminal_size((100, 24)).columns), end="")
    if waiting := sorted({name for entry in entries for name in entry.missing}):
        print(f"\nNot recorded yet: {', '.join(waiting)}. `lil reproduce NAME --record` computes one of them.")
    return 0


def _fetch(chosen: argparse.Namespace) -> int:
    from lil.datasets import images

    for name in _data_names(chosen.names):
        print(f"{name}: verified, in {images.fetch(name)}")
    return 0


def _verify(chosen: argparse.Namespace) -> int:
    from tqdm import tqdm

    from lil.datasets import images
    from lil.results.errors import MissingRecord

    for name in tqdm(_data_names(chosen.names), "checksums", disable=None, leave=False):
        if not images.available(name):
            folders = " or ".join(map(str, images._folders()))
            raise MissingRecord(
                f"{images.TITLES[name]} is not in {folders}: set LIL_DATA to a folder that has it, or "
                f"`lil data fetch {name}` downloads it."
            )
        path = images.fetch(name)
        with tqdm.external_write_mode():
            print(f"{name}: verified, in {path}")
    return 0


def _data_names(names: Sequence[str]) -> Sequence[str]:
    from lil.results.errors import UnknownName

    for name in names:
        if name not in DATA:
            raise UnknownName(f"There is no image set {name!r} to fetch: there are {', '.join(DATA)}.")
    return names or DATA


def _pretrain(chosen: argparse.Namespace) -> int:
    from lil.recipes import pretraining

    _check_device(chosen.device)
    with _Bars() as progress:
        path = pretraining.vgg13(device=chosen.device, progress=progress)
    print(f"vgg13: written, {path}")
    return 0


class _Bars:
    """A progress callback that draws a bar for each piece of work on a terminal, and nothing elsewhere."""

    def __enter__(self) -> _Bars:
        self.bar, self.label = None, ""
        return self

    def __call__(self, label: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if self.bar is None or self.bar.total != total or done < self.bar.n:
            self._close()
            self.bar = tqdm(total=total, disable=None)
        self.bar.set_description(label, refresh=False)
        self.bar.update(done - self.bar.n)

    def __exit__(self, *_: Any) -> None:
        self._close()

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print columns as wide as their widest entry, numbers to four digits, a dash for None."""
    lines = [header, *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
