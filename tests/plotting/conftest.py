"""Figures are drawn into memory and closed; results are small and made up."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed_figures():
    import matplotlib.pyplot as plt

    from lil import plotting

    plotting.style()
    yield
    plt.close("all")


@pytest.fixture
def mapping_result():
    """Three kinds of mapping, two seeds, a mesh of 4 × 3: all that :mod:`lil.plotting.mappings` reads."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 4, 3, 2))
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    z = np.broadcast_to(x @ turn + 3, (3, 2, *x.shape))
    ratio = np.sort(rng.uniform(0.01, 3, size=(3, 2, 2, 3)), axis=-1)
    mesh = ("class", "along", "across", "axis")
    return xr.Dataset(
        {
            "x": (mesh, x),
            "z": (("mapping", "seed", *mesh), z),
            "ratio": (("mapping", "seed", "pairs", "quantile"), ratio),
            "accuracy": (("mapping", "seed"), rng.uniform(size=(3, 2))),
        },
        coords={
            "mapping": ["none", "within-class", "all"],
            "seed": [0, 7],
            "pairs": ["within", "between"],
            "quantile": [0.05, 0.5, 0.95],
        },
    )


@pytest.fixture
def rings_result():
    """Two β, three seeds, rings of 12 points: all that :mod:`lil.plotting.rings` reads."""
    rng = np.random.default_rng(0)
    member = ("beta", "seed", "ring")
    return xr.Dataset(
        {
            "x": (("ring", "point", "axis"), rng.normal(size=(2, 12, 3))),
            "umap": ((*member, "point", "axis"), rng.normal(size=(2, 3, 2, 12, 3))),
            "ratio": ((*member, "quantile"), np.sort(rng.uniform(0.01, 2, size=(2, 3, 2, 3)), axis=-1)),
            "count": ((*member, "bin"), rng.integers(1, 50, size=(2, 3, 2, 5))),
            "data_count": (("ring", "bin"), rng.integers(1, 50, size=(2, 5))),
            "misfit": ((*member, "law"), rng.uniform(size=(2, 3, 2, 2))),
            "data_misfit": (("ring", "law"), rng.uniform(size=(2, 2))),
            "edges": ("edge", np.linspace(0, 2, 6)),
        },
        coords={
            "beta": [0.0, 1.0],
            "seed": [0, 1, 5],
            "ring": [0, 1],
            "quantile": [0.05, 0.5, 0.95],
            "law": ["exponential", "chord"],
        },
    )


@pytest.fixture
def torus_result():
    """One cut, three levels, two seeds, 8 angles of 4 points: all that :mod:`lil.plotting.torus` reads."""
    rng = np.random.default_rng(0)
    classes = np.array([2, 4, 8])
    angle = np.repeat(2 * np.pi * np.arange(8) / 8, 4)
    labels = np.arange(32) // (32 // classes[:, None])
    member = ("cut", "saliency", "level", "seed")
    return xr.Dataset(
        {
            "x": (("cut", "point", "axis"), rng.normal(size=(1, 32, 3))),
            "labels": (("cut", "level", "point"), labels[None]),
            "cut_angle": (("cut", "point"), angle[None]),
            "gradient": ((*member, "point"), rng.uniform(1, 9, size=(1, 1, 3, 2, 32))),
            "umap": (("level", "seed", "point", "axis"), rng.normal(size=(3, 2, 32, 3))),
        },
        coords={"cut": ["ring"], "saliency": ["norm"], "level": classes, "seed": [0, 4]},
    )
