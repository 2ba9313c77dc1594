"""Toy manifolds with classes: two crescents, two linked rings, a torus. Every draw takes its seed.

The text of the paper leaves many of their numbers open, and so does its public code, whose ring files are missing.
Each docstring states the origin of each number.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

Cut = Literal["ring", "tube"]
TORUS_CLASSES = (2, 4, 8)  # coarse to fine; each class of a level is cut in two at the next


def crescents(
    n_along: int, n_across: int, *, radius: float = 0.5, width: float = 0.15
) -> tuple[Float[Tensor, "n 2"], Int[Tensor, "n"]]:
    """Return two interlocking half rings in the plane, as meshes: data for Figure 1, which the paper draws by hand.

    No straight line separates the two classes, and none does after an isometry of the plane; but the classes can slide
    apart in the plane. Class 0 comes first; in each, the mesh has ``n_along`` points along the arc (slow index) and
    ``n_across`` across it (fast). Points sit at the centres of the mesh's cells, so meshes of different sizes differ.

    ``radius`` is that of each arc's middle, ``width`` its thickness; no coordinate exceeds 1.5 radius + width/2.
    """
    if min(n_along, n_across) < 2:
        raise ValueError(f"crescents need at least a 2 × 2 mesh, not {n_along} × {n_across}.")
    if not 0 < width < radius:
        raise ValueError(f"crescents need 0 < width < radius, not width {width} and radius {radius}.")
    angle = math.pi * (torch.arange(n_along) + 0.5) / n_along
    arc = radius + width * ((torch.arange(n_across) + 0.5) / n_across - 0.5)
    upper = torch.stack((arc * torch.cos(angle)[:, None], arc * torch.sin(angle)[:, None]), -1).flatten(0, 1)
    # The first opens downwards, the second upwards with its end in the middle of the first.
    upper = upper - radius * torch.tensor([0.5, 0.25])
    return torch.cat((upper, -upper)), torch.arange(2).repeat_interleave(len(upper))


def rings(
    n_per_ring: int, *, seed: int, radius: float = 1.0, noise: float = 0.0
) -> tuple[Float[Tensor, "n 3"], Int[Tensor, "n"]]:
    """Return two linked rings in 3-D, one class each ("Disentangling entangled data"); n is twice ``n_per_ring``.

    Circles of one ``radius`` in perpendicular planes, each through the other's centre; the origin lies midway
    between the centres. Angles are uniform, drawn from ``seed``: another seed is another draw (train, test).
    Class 0 comes first, and each ring's points go around it, so that they are the vertices of a closed
    polygon (:func:`linking_number`). ``noise`` is the standard deviation of a normal displacement of each
    coordinate.

    The paper says "topologically entangled rings in a 3-dimensional embedding space" and gives neither the
    number of points, nor radius, nor noise.
    """
    if n_per_ring < 3:
        raise ValueError(f"a ring needs at least 3 points, not {n_per_ring}.")
    if radius <= 0:
        raise ValueError(f"the radius of the rings must be positive, not {radius}.")
    if noise < 0:
        raise ValueError(f"noise is a standard deviation and cannot be negative, as {noise} is.")
    generator = torch.Generator().manual_seed(seed)
    angle = (2 * math.pi * torch.rand(2, n_per_ring, generator=generator)).sort(-1).values
    cos, sin, zero = torch.cos(angle), torch.sin(angle), torch.zeros(n_per_ring)
    first = torch.stack((cos[0] - 0.5, sin[0], zero), -1)
    second = torch.stack((cos[1] + 0.5, zero, sin[1]), -1)
    x = radius * torch.cat((first, second))
    x = x + noise * torch.randn(x.shape, generator=generator)
    return x, torch.arange(2).repeat_interleave(n_per_ring)


def linking_number(a: Float[Tensor, "p 3"], b: Float[Tensor, "q 3"]) -> float:
    r"""Return the number of times that two closed curves in space wind around each other: an integer, up to rounding.

    Gauss's integral :math:`\frac{1}{4\pi} \oint \oint \frac{(a - b) \cdot (da \times db)}{|a - b|^3}` over
    the closed polygons with vertices ``a`` and ``b``, exactly: for two straight edges, a − b runs over a
    parallelogram, and the integral is minus its signed solid angle seen from the origin; two triangles make
    it, each with the formula of Van Oosterom and Strackee (doi 10.1109/TBME.1983.325207). Meaningless where
    the polygons touch.
    """
    if min(len(a), len(b)) < 3:
        raise ValueError(f"closed curves need at least 3 vertices each, not {len(a)} and {len(b)}.")
    p, q = (curve.double().numpy(force=True) for curve in (a, b))
    p_next, q_next = np.roll(p, -1, axis=0), np.roll(q, -1, axis=0)
    corners = ((p, q), (p_next, q), (p_next, q_next), (p, q_next))
    r0, r1, r2, r3 = (one[:, None] - other for one, other in corners)
    solid = _solid_angle(r0, r1, r2) + _solid_angle(r0, r2, r3)
    return -float(solid.sum() / (4 * np.pi))


def _solid_angle(u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return the signed solid angle of the triangles with corners u, v, w, seen from the origin; (…, 3) each."""
    nu, nv, nw = (np.linalg.norm(corner, axis=-1) for corner in (u, v, w))
    volume = (u * np.cross(v, w)).sum(-1)
    scale = nu * nv * nw + (u * v).sum(-1) * nw + (v * w).sum(-1) * nu + (w * u).sum(-1) * nv
    return 2 * np.arctan2(volume, scale)


class Torus(NamedTuple):
    """Points of a torus with nested classes; n = grid²."""

    x: Float[Tensor, "n 3"]
    labels: tuple[Int[Tensor, "n"], ...]  # 2, 4 and 8 classes
    ring_angle: Float[Tensor, "n"]  # around the hole, in [0, 2π)
    tube_angle: Float[Tensor, "n"]  # around the tube, in [0, 2π)


def torus(
    *, grid: int = 40, major: float = 0.67, minor: float = 0.33, noise: float = 1e-3, cut: Cut = "ring", seed: int
) -> Torus:
    """Return a torus of grid² points in 2, 4 and 8 classes ("Locally isometric layers and hierarchical …").

    From the text: 1600 points, the standard parametrisation ((R + r cos t) cos s, (R + r cos t) sin s, r sin
    t) with ring angle s and tube angle t, and noise N(0, 0.001). From the public code: the 40 × 40 grid, R =
    ``major`` = 0.67, r = ``minor`` = 0.33, and the scaling of the noisy points to [0, 1] with one minimum and
    one maximum over all coordinates, so that the shape stays. Our choice: the angles are 2πk / grid, which
    doubles no point.

    ``noise``: the text's N(0, 0.001) could mean a variance; the public code multiplies normal numbers by
    0.001, so it is a standard deviation here, in units before the scaling.

    ``cut``: the classes are arcs of the "ring" angle, which makes them the text's cylinders, or bands of the
    "tube" angle, as in the public code. Points are sorted by that angle: the classes of each level are
    contiguous, equal blocks, numbered in order, and those of one level nest in those of the level before.
    """
    if cut not in get_args(Cut):
        raise ValueError(f"cut must be one of {get_args(Cut)}, not {cut!r}.")
    if grid < 8 or grid % 8:
        raise ValueError(f"grid must be a multiple of 8 for eight equal classes, not {grid}.")
    if not 0 < minor < major:
        raise ValueError(f"a torus needs 0 < minor < major, not minor {minor} and major {major}.")
    if noise < 0:
        raise ValueError(f"noise is a standard deviation and cannot be negative, as {noise} is.")
    angles = 2 * math.pi * torch.arange(grid) / grid
    slow, fast = angles.repeat_interleave(grid), angles.repeat(grid)
    ring_angle, tube_angle = (slow, fast) if cut == "ring" else (fast, slow)
    from_axis = major + minor * torch.cos(tube_angle)
    across, along = from_axis * torch.cos(ring_angle), from_axis * torch.sin(ring_angle)
    x = torch.stack((across, along, minor * torch.sin(tube_angle)), -1)
    x = x + noise * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    x = (x - x.min()) / (x.max() - x.min())
    block = torch.arange(grid**2)
    labels = tuple(block // (grid**2 // classes) for classes in TORUS_CLASSES)
    return Torus(x, labels, ring_angle, tube_angle)
