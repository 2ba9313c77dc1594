"""UMAP, a notebook that computes nothing beside its imports alone, and the book from its executed pages."""

import subprocess
import sys

import pytest
import torch

from lil.experiments import fig4_torus
from lil.paper.pages import PAGES, ROOT, execute, find_sources
from lil.projection import umap

EMPTY = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Nothing
# %% tags=["parameters"]
profile = "quick"
mode = "live"
# %%
from lil import plotting, results
plotting.style()
"""


def test_umap(benchmark):
    settings = fig4_torus.PAPER
    z = torch.tanh(torch.randn(1600, 20, generator=torch.Generator().manual_seed(0))).numpy()
    arguments = dict(n_neighbors=settings.n_neighbors, min_dist=settings.min_dist, n_components=3, seed=0)
    benchmark.pedantic(umap, args=(z,), kwargs=arguments, rounds=2, warmup_rounds=1)
    benchmark.extra_info |= {
        "what": "UMAP of 1600 points, which is the package's own",
        "unit": "a layout",
        "repeats": 1,
    }


@pytest.mark.parametrize("kind", ("ours", "floor"))
def test_notebook(timed, tmp_path, kind):
    source = tmp_path / "nothing.py"
    source.write_text(EMPTY)

    def run():
        if kind == "ours":
            execute(source, tmp_path / "nothing.ipynb", profile="quick", mode="live")
        else:
            subprocess.run([sys.executable, source], check=True)

    timed(run, "a notebook that computes nothing, beside its imports alone", "a run")


def test_book(benchmark):
    missing = [source.stem for source in find_sources() if not (PAGES / f"{source.stem}.ipynb").exists()]
    if missing:
        pytest.skip(f"the pages {', '.join(missing)} are not there: `make book` first")
    build = ["make", "--no-print-directory", "html", f"VENV={sys.prefix}"]
    benchmark.pedantic(subprocess.run, args=(build,), kwargs=dict(cwd=ROOT, check=True, capture_output=True), rounds=1)
    benchmark.extra_info |= {"what": "the book from executed pages", "unit": "a build", "repeats": 1}
