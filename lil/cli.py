"""The command ``lil``: results reproduced, recorded and listed, claims judged, data fetched, the VGG13 pretrained."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

# Nothing that takes long to import: `lil --help` answers at once, and each command imports what it needs.

EXPERIMENTS = "lil.experiments"
DATA = ("mnist", "cifar10")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what can go wrong is told in one sentence. Returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        status = chosen.command(chosen)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `lil results | head`: whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still flushes at its exit
        return 141  # as a shell says of a process that SIGPIPE ended
    except KeyboardInterrupt:
        print("lil: interrupted; records are as they were before.", file=sys.stderr)
        return 130
    except Exception as error:
        if not isinstance(error, _expected()):
            raise
        return _fail(error)


def _expected() -> tuple[type[Exception], ...]:
    """The errors that tell what to do; any other is a defect, and its traceback is wanted."""
    from lil import features, pretraining
    from lil.datasets import images
    from lil.results.errors import ResultError

    return (
        ResultError,
        images.DatasetNotFound,
        images.DatasetCorrupt,
        images.CacheUnwritable,
        features.WeightsNotFound,
        features.WeightsInvalid,
        pretraining.CheckpointMismatch,
    )


def _fail(error: Exception) -> int:
    print(f"lil: {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lil", description="Recompute the figures and tables of the paper.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    reproduce = _command(commands, "reproduce", _reproduce, "compute experiments and compare: paper, record, now")
    reproduce.add_argument("names", nargs="*", metavar="NAME", help="experiments (default: all)")
    reproduce.add_argument(
        "--mode",
        choices=("live", "auto", "recorded"),
        default="live",
        help="compute everything anew (default), or what auto decides, or only read the record; "
        "with --record, auto computes what is not current and keeps the rest",
    )
    reproduce.add_argument(
        "--profile",
        choices=("paper", "shown", "quick"),
        default="paper",
        help="the paper's scale (default), or there no more than what the paper itself shows, or a scale "
        "of seconds, without downloads",
    )
    reproduce.add_argument(
        "--seeds", type=int, metavar="N", help="only the first N seeds of all networks, for less time"
    )
    reproduce.add_argument("--record", action="store_true", help="make the results the records in results/")
    reproduce.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="have the workers of a dask scheduler do it, such as tcp://127.0.0.1:8786",
    )
    _add_device(reproduce)

    listed = _command(commands, "results", _results, "list what is recorded: when, in how long, current or stale")
    listed.add_argument(
        "--check", action="store_true", help="exit with 1 if a record is stale, damaged or of no experiment"
    )
    affirm = _command(
        listed.add_subparsers(metavar="COMMAND"),
        "affirm",
        _affirm,
        "after a change of code: recompute one member of a record, chosen at random, and make the record "
        "current if it agrees",
    )
    affirm.add_argument("name", metavar="NAME", help="an experiment")
    _add_device(affirm)

    claims = _command(commands, "claims", _claims, "list what the paper claims, and whether it holds by the records")
    how = claims.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print everything, every seed's numbers among it, as JSON")
    how.add_argument("--csv", action="store_true", help="the same as a table with one row a claim")
    how.add_argument("--freeze", action="store_true", help="make these the verdicts that the tests expect")

    data = commands.add_parser("data", help="fetch or verify the image sets")
    data = data.add_subparsers(required=True, metavar="COMMAND")
    for name, command, what in (
        ("fetch", _fetch, "download what is not on this machine, and verify all"),
        ("verify", _verify, "compare every byte with the published checksums"),
    ):
        each = _command(data, name, command, what)
        each.add_argument("names", nargs="*", metavar="NAME", help=f"{' or '.join(DATA)} (default: both)")

    pretrain = _command(
        commands, "pretrain", _pretrain, "train the VGG13 under the CIFAR10 networks; resumes after a kill"
    )
    pretrain.add_argument("network", choices=("vgg13",))
    _add_device(pretrain)
    return parser


def _command(commands: Any, name: str, command: Any, what: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    parser.set_defaults(command=command)
    return parser


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="cpu", help="as PyTorch names it: cpu (default), cuda")


def _check_device(name: str) -> None:
    import torch

    from lil.results.errors import UnknownName

    here = ["cpu", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))]
    if name not in [*here, *(["cuda"] if len(here) > 1 else [])]:
        raise UnknownName(f"There is no device {name!r} on this machine: there is {', '.join(here)}.")


def _reproduce(chosen: argparse.Namespace) -> int:
    from lil.results import computing, registry
    from lil.results.cluster import Cluster
    from lil.results.errors import UnknownName

    if chosen.record and (chosen.profile != "paper" or chosen.mode == "recorded" or chosen.seeds is not None):
        raise UnknownName(
            "Only results at the paper's scale are recorded, with all seeds, in mode live or auto: leave out --record or "
            "the others."
        )
    experiments = [registry.load(EXPERIMENTS, name) for name in chosen.names or registry.names(EXPERIMENTS)]
    if chosen.scheduler is None:
        _check_device(chosen.device)
        return _reproduce_all(experiments, chosen, computing)
    with Cluster(chosen.scheduler) as cluster:
        return _reproduce_all(experiments, chosen, cluster)


def _reproduce_all(experiments: Sequence[Any], chosen: argparse.Namespace, engine: Any) -> int:
    from lil import results
    from lil.results import registry

    trained, failed = {}, False
    for experiment in experiments:
        before = _record(experiment)
        try:
            with _Bars() as progress:
                shared = dict(device=chosen.device, progress=progress, trained=trained, engine=engine)
                if chosen.record:
                    result = results.record(experiment, chosen.mode, **shared)
                else:
                    result = results.get(experiment, chosen.profile, chosen.mode, seeds=chosen.seeds, **shared)
        except _expected() as error:  # the others may do better
            failed = bool(_fail(error))
            continue
        print(f"\n{registry.stem(experiment)}\n{results.footer(result)}")
        _print_headline(experiment, result, before if chosen.profile != "quick" else None)
    return int(failed)


def _record(experiment: Any) -> Any:
    """The record, current or not, to print beside what is computed; None where none can be read."""
    from lil.results import records
    from lil.results.errors import CorruptRecord

    try:
        return records.read_evaluation(experiment)
    except CorruptRecord:
        return None


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


def _results(chosen: argparse.Namespace) -> int:
    from lil import results
    from lil.results.closing import duration
    from lil.results.listing import FAILING

    rows = results.listing(EXPERIMENTS)
    table = []
    for row in rows:
        state = f"{row.state} ({', '.join(row.changed)})" if row.changed else row.state
        attrs = row.attrs
        cost = (
            (None,) * 4
            if attrs is None
            else (attrs["date"], duration(attrs["seconds"]), f"{attrs['peak_memory_mb']:.0f} MiB", attrs["machine"])
        )
        table.append((row.name, state, *cost))
    _print_table(("record", "state", "date", "took", "memory", "machine"), table)
    failing = [row.name for row in rows if row.state in FAILING]
    if chosen.check and failing:
        print(
            f"lil: not current: {', '.join(failing)}; compute them anew with `lil reproduce --record --mode auto`.",
            file=sys.stderr,
        )
        return 1
    return 0


def _affirm(chosen: argparse.Namespace) -> int:
    from lil import results
    from lil.results import registry

    _check_device(chosen.device)
    experiment = registry.load(EXPERIMENTS, chosen.name)
    with _Bars() as progress:
        affirmation = results.affirm(experiment, device=chosen.device, progress=progress)
    member = ", ".join(f"{axis} = {value}" for axis, value in affirmation["member"].items())
    largest = max({**affirmation["differences"], **affirmation["networks"]}.values())
    print(
        f"{chosen.name} is current again: recomputed at {member}, it differs by at most {largest:.1e} of a "
        "variable's largest value."
    )
    return 0


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
    rows = [(e.claim.number, e.claim.title, e.verdict, e.score, e.seeds or None) for e in entries]
    _print_table(("", "claim", "verdict", "met", "seeds"), rows)
    if waiting := sorted({name for entry in entries for name in entry.missing}):
        print(f"\nNot recorded yet: {', '.join(waiting)}. `lil reproduce NAME --record` computes one of them.")
    return 0


def _fetch(chosen: argparse.Namespace) -> int:
    from lil.datasets import images

    for name in _data_names(chosen.names):
        print(f"{name}: verified, in {images.fetch(name)}")
    return 0


def _verify(chosen: argparse.Namespace) -> int:
    from lil.datasets import images
    from lil.results.errors import MissingRecord

    for name in _data_names(chosen.names):
        if not images.available(name):
            raise MissingRecord(f"{images.TITLES[name]} is not on this machine: `lil data fetch {name}` downloads it.")
        print(f"{name}: verified, in {images.fetch(name)}")
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
    """A progress callback that draws a bar for each piece of work: on a terminal, and nothing elsewhere."""

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
    """Columns as wide as their widest entry, numbers to four digits, a dash for what there is not."""
    lines = [header, *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
