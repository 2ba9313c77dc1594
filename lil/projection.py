"""UMAP, seeded. Its import takes seconds (numba compiles), so it happens here and only when it is called."""

from __future__ import annotations

import warnings

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
    with warnings.catch_warnings():
        # The package says at import that its TensorFlow variant, of no use here, is missing.
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        from umap import UMAP
    # A seeded UMAP runs on one thread whatever n_jobs says, and warns unless it is told so.
    layout = UMAP(
        n_neighbors=n_neighbors, min_dist=min_dist, n_components=n_components, random_state=seed, n_jobs=1
    )
    return layout.fit_transform(z).astype(np.float32)
