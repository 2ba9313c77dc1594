import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

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


@pytest.mark.slow
def test_several_clouds_are_laid_out_as_each_alone_in_one_process_or_two(clusters, monkeypatch):
    z, _ = clusters
    clouds, told = np.stack([z, z[::-1], -z, z[:, ::-1]]).reshape(2, 2, *z.shape), []
    alone = np.stack([projection.umap(cloud, **SETTINGS, seed=1) for cloud in clouds.reshape(4, *z.shape)])
    in_two = projection.umaps(clouds, processes=2, **SETTINGS, seed=1, progress=lambda *about: told.append(about))
    assert np.array_equal(in_two.reshape(alone.shape), alone) and in_two.shape == (2, 2, 90, 2)
    assert told == [("UMAP", done, 4) for done in (1, 2, 3, 4)]

    monkeypatch.setattr(projection, "ProcessPoolExecutor", None)  # none is started where one is enough, or may be
    assert np.array_equal(projection.umaps(clouds, processes=1, **SETTINGS, seed=1), in_two)
    monkeypatch.setattr(projection.multiprocessing, "current_process", lambda: SimpleNamespace(daemon=True))
    assert np.array_equal(projection.umaps(clouds, processes=2, **SETTINGS, seed=1), in_two)


def test_few_points_are_laid_out_in_this_process_and_many_in_as_many_as_torch_has_threads(monkeypatch):
    asked = []

    @contextmanager
    def mapping(processes):
        asked.append(processes)
        yield lambda layout, clouds: [cloud[:, :2] for cloud in clouds]

    monkeypatch.setattr(projection, "_mapping", mapping)
    monkeypatch.setattr(projection.torch, "get_num_threads", lambda: 3)
    for clouds, processes in ((4, None), (5, None), (5, 1), (2, None), (1, None), (1, 2)):
        projection.umaps(np.zeros((clouds, projection.FEW // 4, 5)), **SETTINGS, seed=1, processes=processes)
    assert asked == [1, 3, 1, 1, 1, 1]


@pytest.mark.slow
def test_a_layout_leaves_torch_its_threads():
    """In a process of its own, where OMP_NUM_THREADS alone says how many: numba's start would set all cores."""
    code = (
        "import numpy as np, torch; from lil.projection import umap; before = torch.get_num_threads(); "
        "umap(np.random.default_rng(0).normal(size=(30, 3)), n_neighbors=5, min_dist=0.1, n_components=2, seed=0); "
        "assert torch.get_num_threads() == before == 1, torch.get_num_threads()"
    )
    plain = {name: value for name, value in os.environ.items() if name != "NUMBA_NUM_THREADS"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env=plain | {"OMP_NUM_THREADS": "1"})


def test_what_is_compiled_is_kept_for_the_next_process(clusters):
    projection.umap(clusters[0], **SETTINGS, seed=0)
    from umap import umap_

    hits, misses = (
        sum(found.values())
        for found in (umap_.smooth_knn_dist.stats.cache_hits, umap_.smooth_knn_dist.stats.cache_misses)
    )
    assert hits + misses > 0 and Path(umap_.smooth_knn_dist.stats.cache_path).is_dir()


@pytest.mark.slow
def test_without_numbas_compiler_there_are_layouts_too():
    """NUMBA_DISABLE_JIT leaves plain functions, which have no cache."""
    code = (
        "import numpy as np; from lil.projection import umap; z = np.random.default_rng(0).normal(size=(12, 2)); "
        "assert np.isfinite(umap(z, n_neighbors=3, min_dist=0.1, n_components=2, seed=0)).all()"
    )
    plain = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=plain, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_bad_input_gets_one_sentence(clusters):
    z, _ = clusters
    with pytest.raises(ValueError, match="n_neighbors is 10 for 10 points"):
        projection.umap(z[:10], **SETTINGS, seed=0)
    with pytest.raises(ValueError, match="NaN or infinite"):
        projection.umap(np.where(z > 20, np.nan, z), **SETTINGS, seed=0)


def test_importing_the_module_does_not_import_umap():
    code = "import sys, lil.projection; assert not {'umap', 'numba'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
