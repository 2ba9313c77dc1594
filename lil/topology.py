"""Loops of a point cloud: persistent homology in dimension 1 of its Vietoris-Rips filtration, by GUDHI.

The paper argues with the topology of each class ("the topological structure is lost") and shows a projection.
Here the loops are counted in the representation itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import pdist


class Loops(NamedTuple):
    """The loops of a point cloud; lengths of bars are in units of its diameter, its largest distance."""

    number: int  # of bars of at least the stated share of the diameter
    longest: float  # 0 without a bar
    second: float  # 0 with fewer than two bars


def loop_bars(points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "k 2"]:
    """Return (birth, death) of each class of H₁ with Z/2 coefficients, longest bar first.

    A bar is born at the distance below which its points form a loop, and dies at the one where triangles fill
    it. Points of a circle of radius r give one from the largest gap between neighbours to √3 r (three points
    at 120° span it).
    """
    from gudhi.sklearn.rips_persistence import RipsPersistence  # imports scikit-learn, a second or two

    rips = RipsPersistence(homology_dimensions=1, homology_coeff_field=2)
    bars = rips.fit_transform([points.astype(np.float64)])[0]
    return bars[np.argsort(bars[:, 0] - bars[:, 1], kind="stable")]


def loops(points: Float[np.ndarray, "n d"], *, share: float) -> Loops:
    """Return the number of bars of at least ``share`` of the diameter, and the two longest.

    Nothing changes under an isometry or a change of scale. A circle with no gap gives one loop of √3/2 ≈
    0.866.
    """
    if not isinstance(points, np.ndarray) or points.ndim != 2 or points.dtype.kind not in "iuf":
        raise ValueError("points must be a numpy array (n, d) of real numbers: of a tensor, its `.numpy()`.")
    if not 0 < share <= 1:
        raise ValueError(f"share is a part of the diameter, above 0 and at most 1, not {share}.")
    if len(points) < 2:
        raise ValueError(f"a diameter needs at least 2 points, not {len(points)}.")
    if not np.isfinite(points).all():
        raise ValueError("points have values that are NaN or infinite: loops need finite points.")
    diameter = pdist(points.astype(np.float64)).max()
    bars = loop_bars(points)
    if diameter == 0 or len(bars) == 0:
        return Loops(0, 0.0, 0.0)
    lengths = (bars[:, 1] - bars[:, 0]) / diameter
    second = float(lengths[1]) if len(lengths) > 1 else 0.0
    return Loops(int((lengths >= share).sum()), float(lengths[0]), second)
