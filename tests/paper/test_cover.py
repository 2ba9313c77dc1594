"""The picture of the first page: its layouts are principal components, and show what its description says."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.spatial.distance import pdist

from lil import results
from lil.paper import cover
from lil.paper.judging import EXPERIMENTS, recorded
from lil.plotting import cover as drawing
from lil.results import registry


@pytest.fixture(scope="module")
def record():
    return recorded("fig2_rings")


@pytest.fixture(scope="module")
def components(record):
    return cover.components(record)


def test_a_layout_is_the_projection_on_the_largest_eigenvectors_of_the_covariance(record, components):
    recipe = registry.load(EXPERIMENTS, "fig2_rings").RECIPES["rings"]
    weights = results.networks(recipe, recipe.PAPER)
    member = recipe.PAPER.seeds.index(2) + len(recipe.PAPER.seeds) * recipe.PAPER.betas.index(1.0)
    z = record.x.values.reshape(-1, 3).astype(float)
    for layer in range(4):
        weight, bias = (weights[f"{name}.{layer}"][member].double().numpy() for name in ("weights", "biases"))
        z = np.tanh(z @ weight.T + bias.ravel())
    values, vectors = np.linalg.eigh(np.cov(z.T))
    expected = (z - z.mean(0)) @ vectors[:, np.argsort(values)[:-4:-1]]
    layout = components.sel(beta=1, seed=2).values.reshape(-1, 3)
    assert np.abs(layout) == pytest.approx(np.abs(expected), abs=1e-4)


def test_the_picture_shows_clusters_without_the_term_and_closed_rings_with_it(components):
    """Each ring's largest distance, beside the distance between the rings; and gaps between neighbours on a ring."""
    for beta, seed in ((beta, seed) for beta in components.beta.values for seed in components.seed.values):
        layout = components.sel(beta=beta, seed=seed).values
        between = np.linalg.norm(layout[0].mean(0) - layout[1].mean(0))
        for ring in layout:
            size = pdist(ring).max()
            angle = np.sort(np.arctan2(*(ring - ring.mean(0))[:, np.argsort(np.ptp(ring, axis=0))[-2:]].T))
            gap = np.diff(angle, append=angle[0] + 2 * np.pi).max()
            assert size < between, "the rings are apart"
            assert (size < 0.2 * between) if beta == 0 else (size > 0.2 * between and gap < 0.3), (beta, seed)


def test_the_command_draws_the_picture(monkeypatch, tmp_path):
    kept = plt.imread(drawing.PICTURE)
    monkeypatch.setattr(drawing, "PICTURE", tmp_path / "rings.png")
    drawing.main()
    assert plt.imread(tmp_path / "rings.png").shape == kept.shape
    assert not plt.get_fignums()
