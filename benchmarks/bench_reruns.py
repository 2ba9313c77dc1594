"""The README's lines for re-runners: from the command to the new page, on data that is at hand."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lil.datasets import images

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
LINES = re.findall(r"^lil (rerun (?:fig2_rings|fig3_mnist) .*=.*?) +#", README, re.MULTILINE)


@pytest.mark.parametrize("line", LINES)
def test_rerun(timed, line):
    if "mnist" in line and not images.available("mnist"):
        pytest.skip("MNIST is not on this machine")
    command = [sys.executable, "-m", "lil.cli", *shlex.split(line)]
    timed(lambda: subprocess.run(command, check=True), f"`lil {line}`", "a page")
