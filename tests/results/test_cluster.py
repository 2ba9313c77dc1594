"""A dask scheduler's workers compute what this process computes, under the same key; two real processes do it here."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import dask
import pytest
import torch
from distributed import LocalCluster

from lil import cli, results
from lil.experiments import fig3_mnist
from lil.results import computing, errors
from lil.results.cluster import Cluster

pytestmark = pytest.mark.slow  # they start schedulers and workers

SILENT = dict(progress=lambda *_: None)
REPORT = '    progress("training", 1, 1)\n'
KILL_ONCE = """\
    killed = Path("killed")
    if not killed.exists():
        killed.touch()
        os.kill(os.getpid(), 9)
"""


def workers(n=2, threads=1):
    """A scheduler with ``n`` worker processes, which have this process's folder, path and environment."""
    return LocalCluster(n_workers=n, threads_per_worker=threads, processes=True, dashboard_address=None)


@pytest.fixture
def address(fake):
    with workers(1) as cluster:
        yield cluster.scheduler_address


def test_a_network_is_a_task_and_the_result_is_that_of_one_process(fake):
    here = results.get(fake.experiment, mode="live")
    with workers() as cluster, Cluster(cluster.scheduler_address) as pool:
        there = results.get(fake.experiment, mode="live", workers=pool)
    assert fake.trainings == [6, 1, 1, 1, 1, 1, 1]
    assert there.equals(here)
    assert {name: there.attrs[name] for name in ("config", "code", "networks")} == {
        name: here.attrs[name] for name in ("config", "code", "networks")
    }


def test_networks_come_in_the_order_of_their_recipe(fake):
    fake.edit(
        "recipes/lines.py",
        "for beta in config.betas for seed in config.seeds",
        "for seed in config.seeds for beta in config.betas",
    )
    here = computing.train(fake.recipe, fake.recipe.PAPER, device="cpu", **SILENT)
    with workers(1) as cluster, Cluster(cluster.scheduler_address) as pool:
        there = pool.train(fake.recipe, fake.recipe.PAPER, device="cpu", **SILENT)
    assert there.tensors["weight"].equal(here.tensors["weight"])


def test_the_record_is_current_for_everyone(fake, address):
    told = []
    with Cluster(address) as cluster:
        made = results.record(fake.experiment, workers=cluster, progress=lambda *about: told.append(about))
    kept = results.get(fake.experiment, mode="recorded")
    assert kept.equals(made) and made.equals(results.get(fake.experiment, mode="live"))
    assert told[:6] == [("training: lines", done, 6) for done in range(1, 7)]
    assert told[6:] == [("evaluation: fig9_lines", 1, 1)]
    assert results.networks(fake.recipe, fake.recipe.PAPER)["weight"].shape == (6, 4)
    assert fake.trainings == [1] * 6 + [6]  # the last is the live computation: the recorded networks are current


def test_what_can_be_evaluated_one_by_one_is_put_together(fake):
    fake.write("experiments/__init__.py", 'SEPARATE = {"fig9_lines": ("beta", "seed")}\n')
    here, told = results.get(fake.experiment, mode="live"), []
    with workers(1) as cluster, Cluster(cluster.scheduler_address) as pool:
        there = results.get(fake.experiment, mode="live", workers=pool, progress=lambda *about: told.append(about))
    assert told[-1] == ("evaluation: fig9_lines", 6, 6)
    assert there.identical(here.assign_attrs(there.attrs))
    assert there.level.sel(beta=1, seed=2) == pytest.approx(3)


def test_a_worker_killed_in_the_middle_loses_nothing(fake):
    fake.edit("recipes/lines.py", REPORT, KILL_ONCE + REPORT)
    (fake.root / "killed").touch()
    here = results.get(fake.experiment, mode="live")
    (fake.root / "killed").unlink()
    with workers() as cluster, Cluster(cluster.scheduler_address) as pool:
        there = results.get(fake.experiment, mode="live", workers=pool)
    assert (fake.root / "killed").exists()
    assert there.equals(here)


def test_work_that_kills_every_worker_is_given_up(fake):
    fake.edit("recipes/lines.py", REPORT, "    os.kill(os.getpid(), 9)\n")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        workers(1) as cluster,
        Cluster(cluster.scheduler_address) as pool,
        pytest.raises(errors.NoCluster, match="gave up on training: lines"),
    ):
        results.record(fake.experiment, workers=pool)
    assert not fake.records.exists()


def test_an_error_of_the_work_arrives_as_it_is(fake):
    fake.edit("recipes/lines.py", 'scale = float(DATA.read_text("utf-8"))', 'raise ValueError("β is too large")')
    with (
        workers(1) as cluster,
        Cluster(cluster.scheduler_address) as pool,
        pytest.raises(ValueError, match="β is too large"),
    ):
        results.get(fake.experiment, mode="live", workers=pool)


def test_workers_with_other_data_are_refused(fake, address, monkeypatch):
    monkeypatch.setenv("FAKE_CHECKSUM", "another, here alone")
    with (
        Cluster(address) as cluster,
        pytest.raises(errors.NoCluster, match="lines with other data than this machine has"),
    ):
        results.record(fake.experiment, workers=cluster)
    assert not fake.records.exists()


@pytest.mark.parametrize("address", ("tcp://127.0.0.1:9", "nowhere"))
def test_where_nobody_answers(address, monkeypatch):
    monkeypatch.setattr("lil.results.cluster.ANSWERS_WITHIN", 0.5)
    with pytest.raises(
        errors.NoCluster, match=f"No dask scheduler answers at '{address}': start one with `dask scheduler`"
    ):
        Cluster(address)


def test_a_scheduler_without_workers(fake):
    with workers(0) as cluster, pytest.raises(errors.NoCluster, match="has no workers: start one"):
        Cluster(cluster.scheduler_address)


def test_workers_of_several_tasks_at_once_are_refused(fake):
    with (
        workers(1, threads=2) as cluster,
        pytest.raises(errors.NoCluster, match="2 tasks at once: start it with `--nthreads 1`"),
    ):
        Cluster(cluster.scheduler_address)


@contextmanager
def by_commands(*, hide=""):
    """Yield the address and the process of a scheduler with one worker; one of the two may lack lil."""
    with ExitStack() as stack:

        def start(what, *arguments):
            hidden = "sys.modules['lil'] = None; " if what == hide else ""
            code = f"import sys; {hidden}from distributed.cli.dask_{what} import main; main()"
            command = [sys.executable, "-W", "ignore", "-c", code, *arguments, "--no-dashboard"]
            process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
            stack.callback(process.kill)
            return process, next(filter(None, (re.search(until[what], line) for line in process.stderr)))

        until = {"scheduler": r"Scheduler at:\s+(tcp://\S+)", "worker": "Starting established connection"}
        scheduler, found = start("scheduler", "--host", "127.0.0.1", "--port", "0")
        start("worker", found[1], "--nthreads", "1", "--no-nanny")
        yield found[1], scheduler


@pytest.mark.parametrize("who, named", [("worker", "The worker tcp://"), ("scheduler", "The scheduler cannot")])
def test_a_worker_or_a_scheduler_without_the_package_is_named(who, named):
    with by_commands(hide=who) as (address, _), pytest.raises(errors.NoCluster, match=f"{named}.*install the same"):
        Cluster(address)


def test_a_scheduler_killed_in_the_middle_ends_in_one_sentence(fake, monkeypatch):
    monkeypatch.setitem(os.environ, "PYTHONPATH", os.pathsep.join(sys.path))
    fake.edit("recipes/lines.py", REPORT, "    import time; time.sleep(60)\n" + REPORT)
    with by_commands() as (address, scheduler), Cluster(address) as pool:
        submit = pool.client.submit

        def then_kill(*call, **how):
            task = submit(*call, **how)
            pool.client.loop.call_later(2, scheduler.kill)
            return task

        monkeypatch.setattr(pool.client, "submit", then_kill)
        with pytest.raises(errors.NoCluster, match="connection to the scheduler was lost during training: lines"):
            results.record(fake.experiment, workers=pool)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the workers have the device")
def test_a_device_that_the_workers_lack_is_refused_before_the_work(fake, address):
    with Cluster(address) as pool, pytest.raises(errors.NoCluster, match="worker .*cuda.*choose a device that all"):
        results.record(fake.experiment, workers=pool, device="cuda")
    assert not fake.trainings


def test_figure_3_by_the_command(monkeypatch, capsys):
    few = replace(fig3_mnist.QUICK.mnist, n_train=300, betas=(0.0, 10.0), epochs=1)
    monkeypatch.setattr(fig3_mnist, "QUICK", replace(fig3_mnist.QUICK, mnist=few))
    here = results.get(fig3_mnist, "quick", "live")
    with workers() as cluster:
        assert (
            cli.main(["reproduce", "fig3_mnist", "--profile", "quick", "--scheduler", cluster.scheduler_address]) == 0
        )
        with Cluster(cluster.scheduler_address) as pool:
            there = results.get(fig3_mnist, "quick", "live", workers=pool)
    assert "accuracy at γ" in capsys.readouterr().out
    apart = computing.differences(there, here)
    compared = {name: share for name, share in apart.items() if name not in ("attacked", "taken_for", "zero_gradient")}
    assert all(share <= 0.05 for share in compared.values()), apart  # an image of 40
    assert there.accuracy.dims == here.accuracy.dims and there.attacked.dims == here.attacked.dims
