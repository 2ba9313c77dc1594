"""Notebooks run in kernels of this interpreter, which start well, end well, and leave no process behind."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellTimeoutError

from lil.paper import pages

SOURCE = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
profile = "paper"
mode = "auto"

# %%
{cell}
"""
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="kernels are copied on Linux alone")


@pytest.fixture
def write(tmp_path):
    def write(cell):
        path = tmp_path / "fig0.py"
        path.write_text(SOURCE.format(cell=cell))
        return path

    return write


def last_outputs(notebook):
    return notebook.cells[-1].outputs


def test_the_kernel_is_that_of_this_interpreter(write, tmp_path, monkeypatch):
    foreign = tmp_path / "share" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    kernel = {"argv": [str(tmp_path / "no-python"), "-f", "{connection_file}"], "display_name": "x", "language": "x"}
    (foreign / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(foreign.parents[1]))
    source = write("import sys\nprint(sys.executable)")
    notebook = pages.execute(source, tmp_path / "fig0.ipynb", profile="quick", mode="live")
    assert last_outputs(notebook)[0].text == f"{sys.executable}\n"


LINGERING = """
import time
handlers = get_ipython().kernel.shell_handlers
answer = handlers["kernel_info_request"]

async def answer_and_linger(*message):
    await answer(*message)
    time.sleep(0.2)

handlers["kernel_info_request"] = answer_and_linger
"""


def test_a_kernel_that_has_answered_ends_without_a_word(write, tmp_path, capfd, monkeypatch):
    """Jupyter would interrupt the kernel, which prints that as an error until its last answer is behind it."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # IPython has a word for a home that it cannot write
    pages.execute(write(LINGERING), tmp_path / "fig0.ipynb", profile="quick", mode="live")
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_a_kernel_that_still_computes_is_interrupted(write, tmp_path):
    ended = tmp_path / "ended"
    cell = f"import pathlib, time\ntry:\n    time.sleep(600)\nfinally:\n    pathlib.Path({str(ended)!r}).touch()"
    with pytest.raises(CellTimeoutError):
        pages.execute(write(cell), tmp_path / "fig0.ipynb", profile="quick", mode="live", cell_timeout=3)
    assert ended.exists()


DRAWING = """
import os
import torch
import matplotlib.pyplot as plt
from lil import plotting
plotting.style()
print(os.environ["HERE"], os.getcwd())
print((torch.ones(500, 500) @ torch.ones(500, 500)).sum().item())
plt.plot([1, 2]);
"""


@LINUX
def test_a_copied_kernel_makes_the_page_that_a_program_makes(write, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("HERE", "as set")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    source = write(DRAWING)
    program = pages.execute(source, tmp_path / "program.ipynb", profile="quick", mode="live")
    capfd.readouterr()
    pages.make_pages([source], tmp_path / "nb", profile="quick", mode="live")
    copied = nbformat.read(tmp_path / "nb" / "fig0.ipynb", as_version=4)
    assert any("image/png" in output.get("data", {}) for output in last_outputs(copied))
    assert copied.cells == program.cells
    assert copied.metadata["lil"]["peak_memory_mb"] > 100
    assert capfd.readouterr().err == ""


ALONE = """
import signal, sys
from pathlib import Path
from lil.paper import kernels, pages
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's job in the background ignores
source = Path(sys.argv[1])
pages.execute(source, source.with_suffix(".ipynb"), profile="quick", mode="live", kernel=kernels.CopiedKernel)
"""


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_copied_kernel_ends_with_the_process_that_waits_for_it(write, tmp_path, end):
    told = tmp_path / "kernel"
    cell = f"import os, pathlib, time\npathlib.Path({str(told)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    waiting = subprocess.Popen([sys.executable, "-c", ALONE, write(cell)], stderr=subprocess.DEVNULL)
    wait_for(lambda: told.exists() and told.read_text())
    kernel = int(told.read_text())
    assert runs(kernel)
    waiting.send_signal(end)
    assert waiting.wait(30) != 0
    wait_for(lambda: not runs(kernel))


def runs(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
