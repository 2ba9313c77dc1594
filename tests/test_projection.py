import subprocess
import sys

import numpy as np
import pytest

from lil import projection

SETTINGS = dict(n_neighbors=10, min_dist=0.25, n_components=2)


@pytest.fixture(scope="module")
def clusters():
    """Three well separated clusters in 5-D, 30 points each."""
    rng = np.random.default_rng(0)
    centres = 20 * np.eye(5)[:3].repeat(30, axis=0)
    return (centres + rng.normal(size=(90, 5))).astype(np.float32), np.arange(3).repeat(30)


def test_neighbours_stay_neighbours(clusters):
    z, label = clusters
    layout = projection.umap(z, **SETTINGS, seed=0)
    assert layout.shape == (90, 2) and layout.dtype == np.float32
    distance = np.linalg.norm(layout[:, None] - layout, axis=-1) + 1e9 * np.eye(90)
    assert (label[distance.argmin(1)] == label).all()


def test_the_seed_fixes_the_layout(clusters):
    z, _ = clusters
    first = projection.umap(z, **SETTINGS, seed=1)
    assert np.array_equal(first, projection.umap(z, **SETTINGS, seed=1))
    assert not np.allclose(first, projection.umap(z, **SETTINGS, seed=2))


def test_bad_input_gets_one_sentence(clusters):
    z, _ = clusters
    with pytest.raises(ValueError, match="n_neighbors is 10 for 10 points"):
        projection.umap(z[:10], **SETTINGS, seed=0)
    with pytest.raises(ValueError, match="NaN or infinite"):
        projection.umap(np.where(z > 20, np.nan, z), **SETTINGS, seed=0)


def test_importing_the_module_does_not_import_umap():
    code = "import sys, lil.projection; assert not {'umap', 'numba'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
