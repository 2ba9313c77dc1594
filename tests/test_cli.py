"""The command line: thin, and every error one sentence."""

import argparse
import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from fake_package import fake as fake
from fake_package import in_process as in_process

from lil import cli, results
from lil.paper import headlines, pages, rerun


@pytest.fixture
def lil(fake, monkeypatch, capsys):
    """Runs a command on the package ``fake``: exit status, stdout, stderr."""
    monkeypatch.setattr(cli, "EXPERIMENTS", "fake.experiments")

    def run(*arguments):
        status = cli.main(arguments)
        captured = capsys.readouterr()
        return SimpleNamespace(status=status, out=captured.out, err=captured.err)

    return run


def _says_one_sentence(answer):
    assert answer.status == 1
    assert answer.err.startswith("lil: ") and answer.err.count("\n") == 1


def test_reproduce_prints_paper_record_and_now(lil, fake):
    results.record(fake.experiment)
    fake.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1.25)")
    answer = lil("reproduce")
    assert answer.status == 0 and answer.err == ""
    lines = answer.out.strip().splitlines()
    assert lines[0] == "fig9_lines" and lines[1].startswith("Computed for this page on ")
    assert lines[2].split() == ["paper", "record", "now"]
    assert lines[3].split() == ["level", "at", "β", "=", "1", "1.5", "2", "2.5"]
    assert fake.trainings == [6, 6]


def test_reproduce_without_record_or_headline(lil, fake, monkeypatch):
    assert lil("reproduce", "fig9_lines").out.splitlines()[-3].split()[-3:] == ["1.5", "–", "2"]
    monkeypatch.delitem(headlines.HEADLINES, "fig9_lines")
    footer, _, last = lil("reproduce").out.strip().splitlines()[1:]
    assert footer.endswith("To compute it again: `lil reproduce fig9_lines`.")
    assert last == "1 of 1 results are shown, and no file was written."


def test_reproduce_quick_leaves_records_alone(lil, fake):
    answer = lil("reproduce", "--profile", "quick")
    assert "at a small scale" in answer.out and fake.trainings == [2] and not fake.records.exists()


def test_some_of_the_seeds_take_part_and_are_never_recorded(lil, fake):
    assert lil("reproduce", "--seeds", "1").status == 0 and fake.trainings == [2]
    answer = lil("reproduce", "--seeds", "1", "--record")
    _says_one_sentence(answer)
    assert "with all seeds" in answer.err and not fake.records.exists()


def test_what_the_paper_shows_is_compared_with_the_record_and_leaves_it_alone(lil, fake):
    fake.edit(
        "experiments/fig9_lines.py", "QUICK =", "SHOWN = Config(lines=lines.Config(betas=(1.0,)), power=2.0)\nQUICK ="
    )
    results.record(fake.experiment)
    before = fake.records.joinpath("fig9_lines.nc").read_bytes()
    answer = lil("reproduce", "--profile", "shown")
    assert answer.out.splitlines()[-3].split()[-3:] == ["1.5", "2", "4.667"] and fake.trainings == [6, 3]
    assert "as far as the paper itself shows it" in answer.out and "--profile shown`" in answer.out
    assert fake.records.joinpath("fig9_lines.nc").read_bytes() == before
    _says_one_sentence(lil("reproduce", "--profile", "shown", "--record"))


def test_record_and_read_back(lil, fake):
    answer = lil("reproduce", "--record")
    assert answer.status == 0 and answer.out.endswith(f"\n1 of 1 results are recorded, in {fake.records}.\n")
    assert "Taken from the record" in lil("reproduce", "--mode", "recorded").out
    assert "Taken from the record" in lil("reproduce", "--record", "--mode", "auto").out
    assert fake.trainings == [6]


def test_experiments_share_networks_that_are_trained_once(lil, fake):
    source = fake.root / "fake/experiments/fig9_lines.py"
    fake.write("experiments/fig8_lines.py", source.read_text("utf-8"))
    answer = lil("reproduce")
    assert answer.out.count("Computed for this page") == 2 and fake.trainings == [6]


def test_networks_of_other_records_are_trained_anew_only_together_with_these(lil, fake):
    source = fake.root / "fake/experiments/fig9_lines.py"
    fake.write("experiments/fig8_lines.py", source.read_text("utf-8"))
    assert lil("reproduce", "--record").status == 0 and fake.trainings == [6]
    before = {path: path.read_bytes() for path in fake.records.rglob("*.*")}
    answer = lil("reproduce", "fig9_lines", "--record")
    _says_one_sentence(answer)
    assert "that the records fig8_lines were computed from" in answer.err
    assert before == {path: path.read_bytes() for path in fake.records.rglob("*.*")} and fake.trainings == [6]
    for way_out in ("lil reproduce fig9_lines --record --mode auto", "lil reproduce fig9_lines fig8_lines --record"):
        assert f"`{way_out}`" in answer.err and lil(*way_out.split()[1:]).status == 0
    assert fake.trainings == [6, 6]


def test_one_failure_does_not_stop_the_others(lil, fake):
    source = fake.root / "fake/experiments/fig9_lines.py"
    fake.write("experiments/fig8_lines.py", source.read_text("utf-8"))
    lil("reproduce", "fig9_lines", "--record")
    answer = lil("reproduce", "--mode", "recorded")
    _says_one_sentence(answer)
    assert "results/fig8_lines.nc" in answer.err and "fig9_lines" in answer.out
    assert answer.out.endswith("\n1 of 2 results are shown, and no file was written.\n")


def test_results_lists_and_checks(lil, fake):
    assert lil("results").out.split()[:6] == ["record", "state", "date", "took", "memory", "machine"]
    assert lil("results", "--check").status == 0  # missing is not wrong
    lil("reproduce", "--record")
    rows = lil("results").out.splitlines()
    assert rows[1].startswith("fig9_lines            current  20") and "cores" in rows[1] and " MiB " in rows[1]
    assert lil("results", "--check").status == 0
    fake.edit("arithmetic.py", "a + b", "b + a")
    answer = lil("results", "--check")
    assert "stale (code, networks)" in answer.out and "not current: fig9_lines, networks/lines/paper" in answer.err
    assert answer.status == 1 and lil("results").status == 0
    (fake.records / "fig9_lines.nc").write_bytes(b"")
    assert "damaged" in lil("results").out and lil("results", "--check").status == 1


def test_affirm(lil, fake, in_process):
    lil("reproduce", "--record")
    commit = fake.commit()
    answer = lil("results", "affirm")
    assert answer.status == 0 and answer.out.startswith("0 of 0 records are current again")
    fake.edit("arithmetic.py", "a + b", "b + a")
    answer = lil("results", "affirm")
    first, last = answer.out.splitlines()
    assert answer.status == 0 and first == "fig9_lines is current again: equal bits."
    assert last.startswith("1 of 1 records are current again, 0 are not; it took ")
    assert lil("results", "--check").status == 0
    fake.edit("arithmetic.py", "b + a", "a + b")
    fake.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1 + 2e-7)")
    fake.commit()
    answer = lil("results", "affirm", "fig9_lines", "--against", commit)
    _says_one_sentence(answer)
    assert "is not the code that the record results/fig9_lines.nc names" in answer.err
    fake.edit("experiments/fig9_lines.py", "mul(1 + 2e-7)", "mul(1 + 1e-3)")
    answer = lil("results", "affirm", "--against", commit)
    _says_one_sentence(answer)
    assert answer.out.startswith("0 of 1 records are current again, 1 are not")


def test_as_many_records_are_affirmed_at_once_as_there_are_processors(lil, fake, monkeypatch):
    twin = fake.root / "fake" / "experiments" / "fig8_lines.py"
    shutil.copy(twin.with_name("fig9_lines.py"), twin)
    lil("reproduce", "--record")
    fake.commit()
    fake.edit("arithmetic.py", "a + b", "b + a")
    both, affirm = threading.Barrier(2), results.affirm

    def at_once(*arguments, **options):
        both.wait(timeout=60)
        return affirm(*arguments, **options)

    monkeypatch.setattr(results, "affirm", at_once)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    answer = lil("results", "affirm")
    assert sorted(answer.out.splitlines()[:2]) == [f"fig{n}_lines is current again: equal bits." for n in (8, 9)]
    assert lil("results", "--check").status == 0
    (networks,) = (row for row in results.listing("fake.experiments") if row.name.startswith("networks/"))
    assert len(json.loads(networks.attrs["affirmations"])) == 1  # they share them


def test_affirm_says_what_it_did_not_compare(lil, fake, in_process):
    wild = '"wild": ("w", np.sin(1e9 * networks["lines"]["weight"].numpy().ravel())),'
    fake.edit("experiments/fig9_lines.py", '"word": "text",', f'"word": "text", {wild}')
    lil("reproduce", "--record")
    fake.commit()
    fake.edit("experiments/fig9_lines.py", "mean(1).log()", "mean(1).log().mul(1 + 2e-7)")
    answer = lil("results", "affirm")
    assert "within measured bands, at most " in answer.out and "not compared: wild." in answer.out


def test_changed_data_is_not_affirmed(lil, fake, monkeypatch):
    lil("reproduce", "--record")
    fake.edit("arithmetic.py", "a + b", "b + a")
    monkeypatch.setenv("FAKE_CHECKSUM", "another")
    assert lil("results", "affirm").out.startswith("0 of 0 records")
    answer = lil("results", "affirm", "fig9_lines")
    _says_one_sentence(answer)
    assert "because its data changed" in answer.err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["reproduce", "fig1"], "There is no experiment 'fig1': there are fig9_lines."),
        (["results", "affirm", "fig1"], "There is no experiment 'fig1': there are fig9_lines."),
        (["results", "affirm", "fig9_lines"], "There is no record results/fig9_lines.nc to affirm"),
        (["results", "witness", "fig1"], "There is no experiment 'fig1': there are fig9_lines."),
        (["results", "witness", "fig9_lines"], "There is no record results/fig9_lines.nc"),
        (["reproduce", "--record", "--profile", "quick"], "Only results at the paper's scale are recorded"),
        (["reproduce", "--record", "--mode", "recorded"], "Only results at the paper's scale are recorded"),
        (["reproduce", "--device", "tpu"], "There is no device 'tpu' on this machine"),
        (["data", "fetch", "digits"], "There is no image set 'digits' to fetch: there are mnist, cifar10."),
        (["reproduce", "--mode", "recorded"], "There is no record results/fig9_lines.nc"),
    ],
)
def test_bad_input_is_told_in_one_sentence(lil, arguments, message):
    answer = lil(*arguments)
    _says_one_sentence(answer)
    assert message in answer.err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["reproduce", "--mode", "life"], "invalid choice: 'life' (choose from"),
        (["reproduce", "--profile", "papr"], "invalid choice: 'papr' (choose from"),
        (["repoduce"], "invalid choice: 'repoduce' (choose from"),
        (["pretrain", "vgg16"], "invalid choice: 'vgg16' (choose from"),
        ([], "required: COMMAND"),
    ],
)
def test_unknown_words_list_what_there_is(capsys, arguments, message):
    with pytest.raises(SystemExit) as exit:
        cli.main(arguments)
    assert exit.value.code == 2 and message in capsys.readouterr().err


def test_a_defect_keeps_its_traceback(lil, fake, monkeypatch):
    monkeypatch.setattr(fake.experiment, "evaluate", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lil("reproduce")


def test_a_file_that_may_not_be_opened_is_named(lil, fake, monkeypatch):
    def refused(*args, **kwargs):
        raise PermissionError(13, "Permission denied", "/data/MNIST")

    monkeypatch.setattr(results, "get", refused)
    answer = lil("reproduce", "fig9_lines")
    _says_one_sentence(answer)
    assert "/data/MNIST may not be opened (Permission denied): give access to it." in answer.err


def test_an_interrupt_is_no_defect(lil, fake, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(fake.experiment, "evaluate", interrupted)
    answer = lil("reproduce")
    assert answer.status == 130 and answer.err.startswith("lil: interrupted")


def parsers(parser):
    """Yield a parser and those of its commands, at any depth."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


PARSERS = {parser.prog: parser for parser in parsers(cli._parser())}


@pytest.mark.parametrize("prog", PARSERS)
def test_help_of_each_command(capsys, prog):
    with contextlib.suppress(SystemExit):
        assert cli.main([*prog.split()[1:], "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: {prog} ")
    if prog not in ("lil", "lil data"):
        example = f"{prog} {cli.EXAMPLES[prog]}"
        assert f"\nexample: {example}\n" in told and f"\n  {example}\n" in PARSERS["lil"].format_help()


def test_each_example_is_of_a_command_and_would_run():
    assert {"lil", "lil data"} == PARSERS.keys() - cli.EXAMPLES.keys()
    for prog, rest in cli.EXAMPLES.items():
        chosen = cli._parser().parse_args(shlex.split(f"{prog} {rest}")[1:])
        assert chosen.command is PARSERS[prog].get_default("command")
        for name in [*getattr(chosen, "names", []), *filter(None, [getattr(chosen, "name", None)])]:
            assert name in cli.DATA or rerun.source_of(name)


def test_another_checkout_is_told_whose_code_runs(tmp_path, monkeypatch, capsys):
    copy = tmp_path / "lil" / "cli.py"
    copy.parent.mkdir()
    for folder, told in ((cli.__file__, ""), (str(copy), "runs, and not this folder's: `make install` makes its own")):
        monkeypatch.chdir(Path(folder).parents[1])
        copy.write_text("")
        assert cli.main(["data", "verify", "nosuch"]) == 1
        first, *rest = capsys.readouterr().err.splitlines()
        assert told in first and len(rest) == bool(told) and (str(pages.ROOT) in first) is bool(told)


def test_data_is_verified_without_a_download(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("LIL_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cli.main(["data", "verify", "mnist"]) == 1
    told = capsys.readouterr().err
    assert f"MNIST is not in {tmp_path} or {tmp_path / 'lil' / 'data'}: " in told and "`lil data fetch mnist`" in told
    assert list(tmp_path.iterdir()) == []


def test_the_folders_that_were_looked_in_are_named_in_full(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # Windows
    monkeypatch.setenv("LIL_DATA", "~/data")
    assert cli.main(["data", "verify", "mnist"]) == 1
    assert f"MNIST is not in {tmp_path / 'data'} or " in capsys.readouterr().err


def test_damaged_data_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("LIL_DATA", str(tmp_path))
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / "MNIST" / "raw").mkdir(parents=True, exist_ok=True)
        (tmp_path / "MNIST" / "raw" / f"{name}-ubyte").write_bytes(b"not MNIST")
    assert cli.main(["data", "verify", "mnist"]) == 1
    assert "is not the published file of MNIST" in capsys.readouterr().err


@pytest.mark.slow
def test_an_unknown_engine_is_told_in_one_sentence():
    """In a process of its own, of the real package."""
    command = [sys.executable, "-m", "lil.cli"]
    for arguments in (["results"], ["reproduce", "fig1_mappings", "--profile", "quick"]):
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, env={**os.environ, "LIL_ENGINE": "fats"}
        )
        assert done.returncode == 1 and done.stderr == (
            "lil: LIL_ENGINE is 'fats': set it to fast or plain, or leave it unset.\n"
        )


def test_the_installed_command_answers():
    command = Path(sys.executable).parent / "lil"
    done = subprocess.run([command, "reproduce", "nope"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(
        "lil: There is no experiment 'nope': there are attackers_view"
    )


def test_progress_is_a_bar_on_a_terminal_and_silence_elsewhere(capsys, monkeypatch):
    def work():
        with cli._Bars() as progress:
            for label in ("training", "UMAP"):
                for done in (1, 2):
                    progress(label, done, 2)

    work()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    work()
    shown = capsys.readouterr().err
    assert "training: 100%" in shown and "UMAP: 100%" in shown and "2/2" in shown


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_fault():
    """`lil results | head`: the other end of the pipe is closed before anything is written."""
    read, write = os.pipe()
    os.close(read)
    command = Path(sys.executable).parent / "lil"
    done = subprocess.run([command, "results"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 141 and done.stderr == ""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_output_without_room_is_one_sentence():
    command = [sys.executable, "-m", "lil.cli", "rerun", "fig2_rings"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and done.stderr == (
        "lil: The output cannot be written (No space left on device): make room, then repeat the command.\n"
    )


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_closed_stream_is_no_fault(lil, monkeypatch, closed):
    """`lil rerun fig2_rings >&-`: Python has None in its place."""
    monkeypatch.setattr(sys, closed, None)
    assert cli.main(["rerun", "fig2_rings"]) == 0
    assert cli.main(["rerun", "fig9"]) == 1
    getattr(sys, closed).close()


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_commands_print_in_any_encoding(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "lil.cli", "rerun", "fig3_mnist"]
    done = subprocess.run(command, env=environment, capture_output=True, encoding=encoding)
    assert done.returncode == 0 and "sizes ? of the attack" in done.stdout


def test_help_on_a_notebook_lists_its_parameters(lil):
    for arguments in (("fig2_rings", "--help"), ("--help", "fig2_rings"), ("fig2_rings", "betas=[0]", "--help")):
        answer = lil("rerun", *arguments)
        assert answer.status == 0 and "betas      weights of the isometry term" in answer.out
    _says_one_sentence(lil("rerun", "fig9", "--help"))
    _says_one_sentence(lil("rerun"))


def test_the_lab_opens_on_the_text_notebooks(lil, monkeypatch):
    started = []

    def start(command, env):
        settings = Path(env["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0], "labconfig", "default_setting_overrides.json")
        started.append((command[1:], "Jupytext Notebook" in settings.read_text("utf-8")))
        return SimpleNamespace(returncode=3)

    monkeypatch.setattr(rerun.subprocess, "run", start)
    monkeypatch.setattr(rerun.importlib.util, "find_spec", lambda name: None)
    answer = lil("lab")
    _says_one_sentence(answer)
    assert "`make lab`" in answer.err and not started
    monkeypatch.setattr(rerun.importlib.util, "find_spec", lambda name: name)
    assert lil("lab").status == lil("lab", "fig2_rings").status == 3
    assert started == [
        (["-m", "jupyterlab", f"--notebook-dir={pages.SOURCES}"], True),
        (["-m", "jupyterlab", str(pages.SOURCES / "fig2_rings.py")], True),
    ]
