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


def attackers_result() -> xr.Dataset:
    """Three β, two seeds, four ε, at one of them AutoAttack: a result of lil.experiments.attackers_view."""
    rng = np.random.default_rng(0)
    epsilon = ("beta", "seed", "epsilon")
    accuracy = rng.uniform(size=(2, 6, 3, 2, 4))
    transferred = rng.uniform(size=(2, 3, 2, 4))
    accuracy[0, 4], accuracy[1, 4][..., [0, 2, 3]], transferred[:, 0] = np.nan, np.nan, np.nan
    trace = np.sort(rng.uniform(size=(3, 2, 4, 5)), axis=-1)[..., ::-1]
    return xr.Dataset(
        {
            "clean": (("images", "beta", "seed"), rng.uniform(0.8, 1, (2, 3, 2))),
            "accuracy": (("images", "attack", *epsilon), accuracy),
            "transferred": (("images", *epsilon), transferred),
            "after_stage": (("stage", *epsilon), np.broadcast_to(accuracy[1, 4], (4, 3, 2, 4)).copy()),
            "trace": ((*epsilon, "rung"), trace),
        },
        coords={
            "images": [50, 10],
            "attack": ["total", "classification", "margin", "pgd", "autoattack", "noise"],
            "beta": [0.0, 0.1, 10.0],
            "seed": [0, 4],
            "epsilon": [0.01, 0.1, 0.3, 1.0],
            "in_paper": ("epsilon", [True, True, False, True]),
            "steps": ("rung", [10, 20, 20, 40, 40]),
            "starts": ("rung", [1, 1, 2, 2, 4]),
        },
    )


def baselines_result() -> xr.Dataset:
    """Ten settings, two seeds, three ε, forty images and ten of them: a result of `lil.experiments.baselines`."""
    methods = ["plain", "lil", "lil", "plain_public", "lil_public", "jacobian", "spectral", "decay", "fgsm", "pgd"]
    rng = np.random.default_rng(0)
    right = rng.integers(2, size=(10, 2, 40)).astype(np.int8)
    strongest = right[..., :10] * rng.integers(2, size=(10, 2, 10), dtype=np.int8)
    pgd = rng.uniform(size=(10, 2, 3))
    pgd[..., 1] = right.mean(-1)
    quantile = ("setting", "seed", "quantile")
    return xr.Dataset(
        {
            "clean": (("setting", "seed"), rng.uniform(0.9, 1, (10, 2))),
            "pgd": (("setting", "seed", "epsilon"), pgd),
            "pgd_right": (("setting", "seed", "image"), right),
            "strongest_right": (("setting", "seed", "few"), strongest),
            "strongest": (("setting", "seed"), strongest.mean(-1)),
            "change": (("setting", "seed", "epsilon"), np.tile([0.05, 0.1, 0.3], (10, 2, 1))),
            "local": (quantile, np.sort(rng.uniform(1, 9, (10, 2, 3)))),
            "reach": (quantile, np.sort(rng.normal(size=(10, 2, 3)))),
        },
        coords={
            "seed": [0, 4],
            "epsilon": [0.05, 0.1, 0.3],
            "quantile": [0.05, 0.5, 0.95],
            "strongest_epsilon": 0.1,
            "method": ("setting", methods),
            "strength": ("setting", [0.0, 0.1, 10.0, 0.0, 10.0, 0.01, 2.0, 3.0, 0.1, 0.1]),
        },
    )


def scaling_result() -> xr.Dataset:
    """Times that grow with the square of the points, or not at all: a result of lil.experiments.scaling."""
    points = np.array([100, 200, 400, 800])
    square = (points / 100.0) ** 2
    seconds = np.stack([4e-3 * square, 1e-3 * square, np.full(4, 2e-3)])
    return xr.Dataset(
        {
            "seconds": (("pairs", "points"), seconds),
            "memory": (("pairs", "points"), 1e3 * seconds),
            "by_classes": ("classes", np.array([8e-3, 4e-3])),
            "by_members": ("members", np.array([1e-3, 3e-3])),
            "by_threads": ("threads", np.array([9e-3, 5e-3])),
            "cores": 2,
            "loss": 1.0,
            "spread": ("drawn", np.array([0.1, 0.01])),
            "predicted": ("drawn", np.array([0.11, 0.011])),
        },
        coords={
            "pairs": ["all", "within-class", "sampled"],
            "points": points,
            "classes": [1, 2],
            "members": [1, 4],
            "threads": [1, 2],
            "drawn": [100, 10_000],
        },
        attrs={"config": '{"repeats": 5, "n_estimates": 40}'},
    )


def choices_result() -> xr.Dataset:
    """Five sets, four β, three seeds of the text's, two of the others: a result of lil.experiments.scale_and_depth."""
    rng = np.random.default_rng(0)
    clean, accuracy = rng.uniform(0.5, 1, size=(5, 4, 3)), rng.uniform(size=(5, 2, 4, 3, 2))
    clean[1:, :, 2] = accuracy[1:, :, :, 2] = np.nan
    member = ("beta", "seed")
    made = xr.Dataset(
        {
            "clean": (("networks", *member), clean),
            "accuracy": (("networks", "objective", *member, "epsilon"), accuracy),
            "x_dist": 9.5,
        },
        coords={
            "networks": ["text", "scale_03", "pairs", "deeper", "batch_50"],
            "beta": [0.0, 0.1, 1.0, 10.0],
            "seed": [0, 1, 2],
            "objective": ["total", "classification"],
            "epsilon": [0.1, 1.0],
            "scale": ("networks", [1.0, 0.3, 1.0, 1.0, 1.0]),
            "reduction": ("networks", ["n2", "n2", "pairs", "n2", "n2"]),
            "layers": ("networks", [4, 4, 4, 5, 4]),
            "batch_size": ("networks", [100, 100, 100, 100, 50]),
        },
    )
    return made.assign_attrs(config='{"text": {"hidden": [50, 36]}}')
