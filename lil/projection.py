"""UMAP, seeded. Its import takes seconds, so it happens here and only when it is called."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from types import ModuleType

import numpy as np
from jaxtyping import Float


def umap(
    z: Float[np.ndarray, "n d"], *, n_neighbors: int, min_dist: float, n_components: int, seed: int
) -> Float[np.ndarray, "n c"]:
    """``z`` laid out in ``n_components`` dimensions by UMAP (McInnes, Healy, Melville, arXiv:1802.03426);
    float32.

    Points are close in the result where they are neighbours in z; longer distances and sizes mean little, as
    the caption of Figure 2 warns. The same seed gives the same layout on one machine and set of versions.

    Raises ValueError where z has a value that is not finite, or too few points for ``n_neighbors``.
    """
    if not np.isfinite(z).all():
        raise ValueError("z has values that are NaN or infinite: UMAP needs finite representations.")
    if not 2 <= n_neighbors < len(z):
        raise ValueError(f"n_neighbors is {n_neighbors} for {len(z)} points: take 2 or more, fewer than the points.")
    # A seeded UMAP moves the points on one thread whatever n_jobs says, and warns unless it is told so. What comes before
    # would take all of numba's threads, and the order of its sums with them.
    layout = _library().UMAP(
        n_neighbors=n_neighbors, min_dist=min_dist, n_components=n_components, random_state=seed, n_jobs=1
    )
    with _one_thread():
        return layout.fit_transform(z).astype(np.float32)


def umaps(
    clouds: Sequence[Float[np.ndarray, "_ _"]],
    *,
    processes: int,
    n_neighbors: int,
    min_dist: float,
    n_components: int,
    seed: int,
) -> Iterator[Float[np.ndarray, "_ _"]]:
    """Each of the ``clouds`` laid out by :func:`umap`, one after another, or in so many ``processes`` at once.

    In processes, because a seeded UMAP keeps to one thread and to Python's lock. A process that may start none, such as a
    worker of dask, lays them out by itself. The layouts are the same.
    """
    layout = partial(umap, n_neighbors=n_neighbors, min_dist=min_dist, n_components=n_components, seed=seed)
    if processes == 1 or len(clouds) == 1 or multiprocessing.current_process().daemon:
        yield from map(layout, clouds)
        return
    with ProcessPoolExecutor(min(processes, len(clouds)), multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(layout, clouds)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have numba's functions run on one thread."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


@lru_cache
def _library() -> ModuleType:
    """The package. What numba compiles of it, some ten seconds, is kept on the disk for the next process."""
    with warnings.catch_warnings():
        # It says at import that its TensorFlow variant, of no use here, is missing.
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        import umap
    for function in (
        umap.utils.fast_knn_indices,
        umap.umap_.smooth_knn_dist,
        umap.umap_.compute_membership_strengths,
        umap.layouts._nb_optimize_layout_euclidean_single_epoch,
    ):
        function.enable_caching()
    return umap
