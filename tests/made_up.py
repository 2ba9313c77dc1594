"""Results that are made up, with every dimension that tables and figures read."""

import numpy as np
import xarray as xr

LIPSCHITZ = {  # the variables of a result of lil.experiments.lipschitz_bound, and their dimensions beside the network
    "lower": ("pairs",),
    "local": ("map", "quantile"),
    "along": ("direction", "quantile"),
    "upper": ("map",),
    "left": ("term", "point"),
    "right": ("term", "constant", "point"),
    "certified": ("norm", "epsilon"),
    "attacked": ("epsilon",),
    "forced": (),
    "accuracy": (),
    "gradient": ("term", "quantile"),
    "bound": ("term", "constant", "quantile"),
    "tightness": ("term", "constant", "quantile"),
    "violated": ("term", "constant"),
}


def lipschitz_result() -> xr.Dataset:
    """Rings and MNIST in both readings at two β, the torus at one; two seeds of each."""
    groups = [("rings", 0.0), ("rings", 1.0), ("torus, 8 classes", 10.0)]
    groups += [(name, beta) for name in ("MNIST, K = 10", "MNIST") for beta in (0.0, 10.0)]
    networks = [(data, beta, seed) for data, beta in groups for seed in (0, 1)]
    data, betas, seeds = zip(*networks, strict=True)
    axes = {
        "pairs": ["within", "between"],
        "map": ["representation", "logits"],
        "quantile": [0.0, 0.5, 0.95, 1.0],
        "direction": ["random", "neighbour", "attack"],
        "term": ["cross_entropy", "isometry", "total"],
        "constant": ["local", "product", "one"],
        "norm": ["L2", "Linf"],
        "epsilon": np.logspace(-4, 0, 5),
    }
    sizes = {name: len(axis) for name, axis in axes.items()} | {"point": 4}
    rng = np.random.default_rng(0)
    values = {}
    for name, dims in LIPSCHITZ.items():
        drawn = rng.uniform(0.1, 1, size=(len(networks), *(sizes[dim] for dim in dims)))
        values[name] = (("network", *dims), np.sort(drawn, axis=-1) if dims else drawn)
    values["attacked"] = (("network", "epsilon"), values["attacked"][1][:, ::-1] * values["accuracy"][1][:, None])
    values["points"] = ("network", np.full(len(networks), 500.0))
    values["scale"] = ("network", np.where(np.char.find(data, "K = 10") >= 0, 10.0, 1.0))
    of_network = {"data": list(data), "beta": list(betas), "seed": list(seeds)}
    return xr.Dataset(values, {name: ("network", axis) for name, axis in of_network.items()} | axes)


def certificates_result() -> xr.Dataset:
    """Two readings, three β, two seeds, two ε, thirty images: a result of lil.experiments.certificates."""
    rng = np.random.default_rng(0)
    grid = ("networks", "beta", "seed")
    right = rng.uniform(size=(2, 3, 2, 30)) < 0.9
    pgd = right[..., None, :] & (rng.uniform(size=(2, 3, 2, 2, 30)) < 0.8)
    return xr.Dataset(
        {
            "right": ((*grid, "image"), right),
            "pgd": ((*grid, "epsilon", "image"), pgd),
            "crown": ((*grid, "epsilon", "image"), pgd & (rng.uniform(size=pgd.shape) < 0.6)),
            "product": ((*grid, "image"), rng.uniform(0, 0.02, size=right.shape).astype(np.float32) * right),
            "settled": ((*grid, "epsilon"), rng.uniform(size=(2, 3, 2, 2)) < 0.9),
            "spread": ((*grid, "quantity", "quantile"), np.sort(rng.uniform(0.1, 9, size=(2, 3, 2, 6, 3)), axis=-1)),
        },
        coords={
            "networks": ["mnist_text", "mnist_public"],
            "beta": [0.0, 0.1, 10.0],
            "seed": [0, 4],
            "epsilon": [0.003, 0.01],
            "quantity": ["cross_entropy", "isometry", "total", "margin", "local", "reach"],
            "quantile": [0.05, 0.5, 0.95],
        },
    )
