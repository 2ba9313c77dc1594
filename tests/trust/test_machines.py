"""The simulated machines: they are narrower, their outcomes are counted, and the same machine gives the same bits."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from nbval.plugin import IPyNbCell

from lil.experiments import fig1_mappings
from lil.paper import pages
from tests.notebooks import tolerance
from tests.trust import again, machines, recording
from tests.trust.observed import Observer

OUTCOME = {"passed": 3, "failed": 0, "failures": [], "cells": {}, "seconds": 2.5}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Folders of the test's own for records and for outcomes that are kept."""
    monkeypatch.setattr(recording, "FOLDER", tmp_path / "records")
    monkeypatch.setattr(recording, "_commit", lambda: "0123abc")
    monkeypatch.setattr(machines, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(machines, "EXECUTIONS", tmp_path / "executions.json")
    tolerance.write_executions({}, machines.EXECUTIONS)
    return tmp_path


def test_the_narrowest_machine_has_no_wide_instructions():
    seen = "import numba, numpy, torch; from numpy._core._multiarray_umath import __cpu_features__ as has; "
    seen += (
        "print(torch.backends.cpu.get_cpu_capability(), numba.config.CPU_NAME, sum(has[n] for n in has if 'V3' in n))"
    )
    environment = {**os.environ, **machines.VARIANTS["sse"].environment}
    done = subprocess.run([sys.executable, "-c", seen], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["DEFAULT", "nehalem", "0"] and not done.stderr


def test_inputs_move_by_their_last_bit_and_not_out_of_their_bounds():
    seen = """if True:
        import json
        from lil import models
        from lil.datasets import images, toy
        weights, biases = models._draw((3, 40, 20), 1, "torch")
        torus = toy.torus(grid=8, seed=1)[0]
        found = [*weights, *biases, images.load("digits", "test", 50)[0], *toy.rings(30, seed=1), torus]
        print(json.dumps([each.double().tolist() for each in found]))
    """

    def inputs(planted):
        path = os.pathsep.join(map(str, (machines.ROOT, machines.ROOT / "tests/notebooks/faults")))
        env = {**os.environ, "PLANTED": planted, "PYTHONPATH": path}
        done = subprocess.run([sys.executable, "-c", seen], env=env, capture_output=True, check=True)
        return [np.array(each) for each in json.loads(done.stdout)]

    variants = [machines.VARIANTS[f"rounding-{seed}"].environment["PLANTED"] for seed in (1, 2)]
    for exact, one, two in zip(*map(inputs, ["", *variants]), strict=True):
        assert exact.min() <= one.min() and one.max() <= exact.max()
        np.testing.assert_allclose(one, exact, rtol=1.2e-7, atol=0)
        if not set(exact.ravel()) <= {0, 1}:  # labels stay
            assert (one != exact).mean() > 0.1 and (one != two).mean() > 0.1


def test_a_variant_has_notebooks_and_tests_or_notebooks_alone():
    files = machines.VARIANTS["sse"].all_files()
    assert {"tests/notebooks/fig2_rings.ipynb", "tests/recipes/test_mnist.py"} <= set(files)
    assert "tests/experiments/test_table1.py" in files
    assert all(file.endswith(".ipynb") for file in machines.VARIANTS["threads-2"].all_files())


def test_a_run_goes_on_where_it_was_interrupted(folders, monkeypatch):
    variant, calls = machines.VARIANTS["threads-4"], []
    monkeypatch.setattr(machines.subprocess, "run", lambda command, **options: calls.append((command, options["env"])))
    first, second, *_ = variant.all_files()
    machines.KEPT.mkdir()
    lines = [{"file": first, "failed": 1}, {"file": second, "failed": 1}, {"file": first, "failed": 0}]
    (machines.KEPT / "threads-4.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    machines.run("threads-4", variant)
    machines.run("threads-4", variant, [second])
    machines.run("threads-4", variant, [first])  # has passed the second time
    (whole, environment), (part, _) = calls
    assert first not in whole and second in whole and part[-1] == second and part[-2].startswith("--")
    assert environment["OBSERVED_THREADS"] == "4" and environment["NUMBA_CACHE_DIR"].endswith("threads-4")


@pytest.mark.parametrize("name, resolution", [("oldest", "lowest-direct"), ("newest", "highest")])
def test_other_versions_have_an_environment_of_their_own_that_is_made_once(folders, monkeypatch, name, resolution):
    variant, calls = machines.VARIANTS[name], []

    def run(command, **_):
        calls.append(command)
        if "compile" in command:
            Path(command[-1]).parent.mkdir(parents=True)
            Path(command[-1]).write_text("# by uv\n" + "".join(f"{each}==1.2\n" for each in machines.MAIN))

    monkeypatch.setattr(machines.subprocess, "run", run)
    python = machines.interpreter(variant)
    assert python == machines.interpreter(variant) != machines.interpreter(machines.VARIANTS["sse"]) == sys.executable
    (_, _, compile_, install) = calls
    assert all(each[0] == python for each in calls[1:]) and compile_[compile_.index("--resolution") + 1] == resolution
    assert [compile_[at + 1] for at, word in enumerate(compile_) if word == "--extra"] == list(machines.EXTRAS)
    assert install[-2:] == ["-r", compile_[-1]]
    row = machines.row(variant, [OUTCOME | {"file": "a.ipynb"}])
    assert row["settings"].startswith("torch 1.2, numpy 1.2, ")


def test_an_environment_that_was_not_finished_is_made_anew(folders, monkeypatch):
    variant, calls = machines.VARIANTS["oldest"], []

    def run(command, **_):
        calls.append(command)
        if len(calls) == 2:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(machines.subprocess, "run", run)
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            machines.interpreter(variant)
        assert calls.pop(0)[1:4] == ["-m", "venv", "--clear"] and calls.pop(0)[-1] == "uv"


@pytest.fixture
def printed(folders, monkeypatch):
    """References of two notebooks that printed two decimals and one, each in its Cell 1."""
    texts = {"table1": "0.50 and 2.0", "metrics": "7.25"}

    def code(notebook):
        stream = {"output_type": "stream", "name": "stdout", "text": texts[notebook]}
        return [SimpleNamespace(outputs=[]), SimpleNamespace(outputs=[stream])]

    monkeypatch.setattr(machines, "_code", code)


def found(notebook, *numbers, cell="Cell 1"):
    return OUTCOME | {"file": f"tests/notebooks/{notebook}.ipynb", "cells": {cell: list(numbers) or None}}


def test_a_machine_becomes_an_execution_of_the_references_and_replaces_itself(printed):
    machines.keep(machines.VARIANTS["sse"], [found("table1", "0.52", "2.0"), found("metrics", "7.25")])
    machines.keep(machines.VARIANTS["plain"], [found("table1", "0.49", "2.0"), OUTCOME | {"file": "test_a.py"}])
    machines.keep(machines.VARIANTS["sse"], [found("table1", "0.53", "2.0"), found("metrics")])  # other words
    assert tolerance.read_executions(machines.EXECUTIONS) == {
        "table1": {"Cell 1": {"SSE4.1": "0.53 2.0", "the plain engine": "0.49 2.0"}},
        "metrics": {"Cell 1": {"SSE4.1": "7.25"}},
    }
    machines.keep(machines.VARIANTS["sse"], [found("table1", "0.53")])  # the notebook prints one decimal now
    assert tolerance.read_executions(machines.EXECUTIONS)["table1"] == {"Cell 1": {"SSE4.1": "0.53"}}


def test_a_machine_is_compared_with_all_others_and_not_with_itself(printed):
    sse, plain = machines.VARIANTS["sse"], machines.VARIANTS["plain"]
    assert machines.widest(sse, [OUTCOME | {"file": "test_a.py"}]) == (0, "nowhere")
    outcomes = [found("table1", "0.53", "2.0"), found("metrics", "7.25")]
    alone = machines.widest(sse, outcomes)
    machines.keep(sse, outcomes)
    assert machines.widest(sse, outcomes) == alone == (pytest.approx(0.03 / 0.01, rel=0.01), "table1, cell 1")
    machines.keep(plain, [found("table1", "0.52", "2.0")])
    assert machines.widest(sse, outcomes)[0] == pytest.approx(0.01 / (0.02 + 0.01), rel=0.01)


def test_the_variant_bands_stands_for_all_machines_that_give_executions(folders, monkeypatch):
    asked = []
    monkeypatch.setattr(machines, "run", lambda name, *_: asked.append(name))
    monkeypatch.setattr(machines, "read", lambda _: [OUTCOME | {"file": "a.py"}])
    assert machines.main(["bands"]) == 0
    assert set(asked) == set(machines.VARIANTS) - {"oldest", "newest"}


def test_a_row_sums_up_a_variant_and_names_the_widest_number(printed):
    outcomes = [
        found("table1", "0.50", "2.0"),
        found("metrics", "7.24"),
        OUTCOME | {"file": "tests/recipes/test_mnist.py", "failed": 1, "failures": ["test_mnist.py::test_a"]},
    ]
    row = machines.row(machines.VARIANTS["plain"], outcomes)
    assert row["settings"] == "`LIL_ENGINE=plain`" and row["test files"].startswith("3 of ")
    assert (row["passed"], row["failed"], row["failures"]) == (9, 1, "test_mnist.py::test_a")
    assert (row[machines.BEYOND], row["where"]) == (pytest.approx(1, rel=0.01), "metrics, cell 1")
    assert " NUMBA_CPU_FEATURES='' " in machines.row(machines.VARIANTS["sse"], outcomes)["settings"]


def test_the_record_keeps_the_rows_of_variants_that_did_not_run(folders, monkeypatch):
    def row(name, failed):
        outcome = OUTCOME | {"file": "a.ipynb", "failed": failed}
        return machines.row(machines.VARIANTS[name], [outcome])

    monkeypatch.setattr(recording, "_commit", lambda: "0123abc")
    machines.record([row("plain", 1), row("sse", 0)])
    monkeypatch.setattr(recording, "_commit", lambda: "4567def")
    machines.record([row("sse", 2)])
    record = json.loads(machines.record([row("native", 0)]).read_text("utf-8"))
    assert [each["machine"] for each in record["rows"]] == ["this processor", "SSE4.1", "the plain engine"]
    assert record["commit"] == "0123abc"  # of the first: no row is older than the record says
    assert record["counts"] == {"tried": 12, "passed": 9, "failed": 3}


def test_a_finished_variant_begins_anew_the_next_time(folders, monkeypatch):
    variant, calls = machines.VARIANTS["threads-2"], []
    monkeypatch.setattr(machines.subprocess, "run", lambda command, **_: calls.append(command))
    machines.KEPT.mkdir()
    lines = [json.dumps(OUTCOME | {"file": file}) + "\n" for file in variant.all_files()]
    (machines.KEPT / "threads-2.jsonl").write_text("".join(lines))
    machines.run("threads-2", variant)
    assert set(variant.all_files()) <= set(calls[0])


@pytest.mark.parametrize(("failed", "status"), [(0, 0), (1, 1)])
def test_a_failure_on_a_machine_is_told_by_the_exit_status(folders, monkeypatch, failed, status):
    monkeypatch.setattr(machines, "run", lambda *_: None)
    monkeypatch.setattr(machines, "read", lambda _: [OUTCOME | {"file": "a.py", "failed": failed}])
    assert machines.main(["sse"]) == status


def test_an_unknown_machine_is_named_and_so_are_the_others(capsys):
    with pytest.raises(SystemExit):
        machines.main(["sse", "z80"])
    assert "there is no machine z80: choose from native, avx2, sse," in capsys.readouterr().err


def test_a_variant_of_which_no_test_ran_is_no_success(folders, monkeypatch):
    monkeypatch.setattr(machines, "run", lambda *_: None)
    with pytest.raises(SystemExit, match="No test file of plain was run"):
        machines.main(["plain"])


def observed(tmp_path, monkeypatch):
    """An observer of a notebook's cells, whose outcomes go to a file."""
    monkeypatch.setenv("OBSERVED", str(tmp_path / "kept"))
    monkeypatch.setenv("OBSERVED_THREADS", "4")
    monkeypatch.setattr(pages, "ONE_THREAD", dict(pages.ONE_THREAD))
    monkeypatch.setattr(IPyNbCell, "compare_outputs", lambda cell, test, ref, skip_compare=None: test == ref)
    observer = Observer()
    observer.pytest_collection_finish()
    return observer


def test_an_observer_writes_each_file_when_its_last_test_is_done(tmp_path, monkeypatch):
    observer = observed(tmp_path, monkeypatch)
    assert set(pages.ONE_THREAD.values()) == {"4"}
    for nodeid, phases in {"a.py::1": ["setup", "call"], "a.py::2": ["setup"], "b.py::1": ["call"]}.items():
        observer.pytest_runtest_logstart(nodeid)
        for when in phases:
            bad = nodeid == "a.py::2"
            observer.pytest_runtest_logreport(SimpleNamespace(nodeid=nodeid, when=when, failed=bad, passed=not bad))
    (a,) = machines.read(tmp_path / "kept")
    assert (a["file"], a["passed"], a["failed"], a["failures"]) == ("a.py", 1, 1, ["a.py::2"])
    observer.pytest_sessionfinish(exitstatus=2)  # interrupted: b.py may be half done
    assert len(machines.read(tmp_path / "kept")) == 1
    observer.pytest_sessionfinish(exitstatus=1)
    assert [each["file"] for each in machines.read(tmp_path / "kept")] == ["a.py", "b.py"]


def test_an_observer_keeps_the_decimals_that_nbval_compares_and_no_others(tmp_path, monkeypatch):
    observer = observed(tmp_path, monkeypatch)
    observer.begin("a.ipynb")

    def output(plain, html="0.5"):
        return [{"output_type": "execute_result", "data": {"text/plain": plain, "text/html": html}}]

    assert not IPyNbCell.compare_outputs(SimpleNamespace(name="Cell 7"), output("0.1 −2.5", "9.9"), output("0.2 3.5"))
    IPyNbCell.compare_outputs(SimpleNamespace(name="Cell 8"), output("5 of 5: 0.5"), output("4 of 5: 0.5"))
    assert observer.outcome["cells"] == {"Cell 7": ["0.1", "−2.5"], "Cell 8": None}


@pytest.mark.slow
def test_a_variant_runs_a_file_beside_the_checks_of_shapes(folders):
    machines.run("sse", machines.VARIANTS["sse"], ["test_rings"])
    (ran,) = machines.read(machines.KEPT / "sse.jsonl")
    assert ran["file"] == "tests/recipes/test_rings.py" and ran["failed"] == 0 < ran["passed"]


@pytest.mark.slow
def test_two_processes_compute_the_same_bits():
    experiments = ("fig1_mappings", "fig3_mnist")
    first = again.digests(experiments)
    assert set(first) == set(experiments) and again.digests(experiments) == first


def test_other_bits_have_another_hash(monkeypatch):
    def digest(**changes):
        config = replace(fig1_mappings.QUICK.mappings, **{"epochs": 5, **changes})
        monkeypatch.setattr(again.registry, "settings", lambda *_: replace(fig1_mappings.QUICK, mappings=config))
        return again.digest("fig1_mappings")

    assert digest() == digest() != digest(seeds=(1, 0))


@pytest.mark.parametrize(("second", "failures"), [("1", "none"), ("2", "fig2_rings")])
def test_a_difference_between_two_processes_is_counted(monkeypatch, second, failures):
    runs = iter(["1", second])
    monkeypatch.setattr(again, "digests", lambda names: dict.fromkeys(names, next(runs)))
    row = again.run(["fig2_rings"])
    assert (row["passed"], row["failed"], row["failures"]) == (int(second == "1"), int(second == "2"), failures)
    assert row["test files"].startswith("1 of ") and "scaling" not in again.names()
