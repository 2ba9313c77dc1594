"""UMAP, seeded. Its import takes seconds, so it happens here and only when it is called."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from types import ModuleType

import numpy as np
import torch
from jaxtyping import Float

from lil.progress import Progress, silent

FEW = 3000  # points: this process lays them out in the seconds that new processes take to start


def umap(
    z: Float[np.ndarray, "n d"], *, n_neighbors: int, min_dist: float, n_components: int, seed: int
) -> Float[np.ndarray, "n c"]:
    """Return a layout of ``z`` in ``n_components`` dimensions by UMAP (McInnes, Healy, Melville, arXiv:1802.03426).

    Points are close in the layout, which is float32, where they are neighbours in z; longer distances and sizes mean
    little, as the caption of Figure 2 warns. The same seed gives the same layout on one machine and set of versions.

    Raises ValueError for settings that UMAP does not have, and where z has a value that is not finite, or too few
    points for ``n_neighbors``.
    """
    if z.ndim != 2:
        raise ValueError(f"z has the shape {z.shape}: UMAP lays out points (n, d).")
    if not 0 <= min_dist <= 1 or n_components < 1 or not 0 <= seed < 2**32:
        raise ValueError(
            f"UMAP takes min_dist from 0 to 1, n_components from 1 and a seed from 0 to 2³² − 1, not {min_dist}, "
            f"{n_components} and {seed}."
        )
    if not np.isfinite(z).all():
        raise ValueError("z has values that are NaN or infinite: UMAP needs finite representations.")
    if not 2 <= n_neighbors < len(z):
        raise ValueError(f"n_neighbors is {n_neighbors} for {len(z)} points: take 2 or more, fewer than the points.")
    # A seeded UMAP moves the points on one thread whatever n_jobs says, and warns unless it is told so. The search for
    # neighbours before would take all of numba's threads, and the order of its sums with them.
    settings = dict(n_neighbors=n_neighbors, min_dist=min_dist, n_components=n_components)
    with _one_thread():
        layout = _library().UMAP(**settings, random_state=seed, n_jobs=1)
        return layout.fit_transform(z).astype(np.float32)


def umaps(
    z: Float[np.ndarray, "*lead n d"],
    *,
    n_neighbors: int,
    min_dist: float,
    n_components: int,
    seed: int,
    processes: int | None = None,
    label: str = "UMAP",
    progress: Progress = silent,
) -> Float[np.ndarray, "*lead n c"]:
    """Return a layout of each cloud of points by :func:`umap`, in several ``processes`` at once.

    A seeded UMAP keeps to one thread and to Python's lock, so that threads would not help. By default there are as many
    processes as torch has threads, and this one alone where there are FEW points or it may start none, as a worker of
    dask. The layouts are the same.
    """
    if z.ndim < 2 or z.size == 0 or (processes or 1) < 1:
        raise ValueError(f"UMAP lays out clouds (…, n, d) in at least one process, not {z.shape} in {processes}.")
    clouds = z.reshape(-1, *z.shape[-2:])
    if processes is None:
        processes = torch.get_num_threads() if len(clouds) * clouds.shape[1] > FEW else 1
    layout = partial(umap, n_neighbors=n_neighbors, min_dist=min_dist, n_components=n_components, seed=seed)
    layouts = np.empty((*clouds.shape[:-1], n_components), np.float32)
    with _mapping(min(processes, len(clouds))) as apply:
        for done, found in enumerate(apply(layout, clouds)):
            layouts[done] = found
            progress(label, done + 1, len(clouds))
    return layouts.reshape(*z.shape[:-1], n_components)


@contextmanager
def _mapping(processes: int) -> Iterator:
    """Give ``map``, in processes of their own where there are several."""
    if processes == 1 or multiprocessing.current_process().daemon:
        yield map
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield pool.map


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have numba's functions run on one thread, and leave torch its threads, whose number numba's start changes."""
    torch_threads = torch.get_num_threads()
    import numba

    numba_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(numba_threads)
        torch.set_num_threads(torch_threads)


@lru_cache
def _library() -> ModuleType:
    """Return the package. Its compiled functions, which take ten seconds, are kept on the disk for the next process."""
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
        if hasattr(function, "enable_caching"):  # plain Python under NUMBA_DISABLE_JIT
            function.enable_caching()
    return umap
