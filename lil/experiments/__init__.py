"""Experiments, one module a figure or table, with the stem of its notebook: networks in, labelled arrays out."""

# No key reads these tables, because each is a literal: how work is divided and checked changes no result.

# Axes along which one network's numbers do not depend on the other networks (see lil.results).
SEPARATE = {
    "fig3_mnist": ("beta", "seed"),
    "fig3_mnist_public": ("beta", "seed"),
    "fig3_cifar10": ("beta", "seed"),
    "fig3_cifar10_public": ("beta", "seed"),
}

# Settings at which the old code and the new are compared (lil.results.affirmation): so few steps that rounding errors
# stay small, and some 100 images, so that one image is 1 %. "*" stands for every recipe. The rest is the paper's.
PROBES = {
    "attackers_view": {
        "view.steps": 4,
        "view.doublings": 2,
        "view.transfer_steps": 4,
        "view.iterations": 4,
        "view.queries": 20,
        "mnist.n_train": 3000,
        "view.epsilons": [0.02, 0.1],
        "view.auto_epsilons": [0.1],
        "view.n_images": 100,
        "view.n_few": 40,
    },
    "attackers_view_cifar10": {
        "view.steps": 2,
        "view.doublings": 2,
        "view.transfer_steps": 2,
        "view.iterations": 2,
        "view.queries": 5,
        "cifar10.n_train": 300,
        "cifar10.epochs": 2,
        "view.epsilons": [0.01, 0.1],
        "view.n_images": 24,
        "view.n_few": 8,
    },
    "baselines": {
        "*.n_train": 1000,
        "*.n_test": 200,
        "baselines.jacobian": [0.1],
        "baselines.spectral": [1.5],
        "baselines.decay": [1.0],
        "baselines.fgsm": [0.1],
        "baselines.pgd": [0.1],
        "n_images": 100,
        "n_few": 40,
        "doublings": 2,
        "iterations": 4,
        "queries": 20,
    },
    "fig1_mappings": {"mappings.epochs": 200},
    "fig2_rings": {"rings.epochs": 200, "rings.n_points": 100, "n_neighbors": 15},
    "fig3_cifar10": {
        "cifar10.n_train": 300,
        "cifar10.epochs": 2,
        "cifar10.n_test": 20,
        "n_compared": 4,
        "precision": "float32",
    },
    "fig3_cifar10_public": {
        "cifar10.n_train": 300,
        "cifar10.epochs": 2,
        "cifar10.n_test": 20,
        "n_compared": 4,
        "precision": "float32",
    },
    "fig3_mnist": {"mnist.n_train": 3000, "mnist.n_test": 500},
    "fig3_mnist_public": {"mnist.n_train": 3000, "mnist.n_test": 500},
    "fig4_torus": {"*.epochs": 200, "*.grid": 24},
    "figA1_distances": {"*.n_train": 300, "*.epochs": 2, "n_images": 300},
    "lipschitz_bound": {
        "rings.epochs": 200,
        "rings.n_points": 60,
        "torus.epochs": 100,
        "torus.grid": 24,
        "mnist.n_train": 2000,
        "n_images": 40,
        "directions": 2,
        "steps": 4,
    },
    "lipschitz_bound_cifar10": {
        "cifar10.n_train": 300,
        "cifar10.epochs": 2,
        "cifar10.hidden": [60, 60, 60],  # a Jacobian has a row for each unit
        "n_images": 20,
        "directions": 2,
        "steps": 4,
    },
    "scale_and_depth": {"*.n_train": 600, "*.epochs": 2, "*.n_test": 100, "n_distances": 100},
    "scaling": {
        "points": [100, 200],
        "classes": [1, 4],
        "members": [1, 2],
        "threads": [1],
        "drawn": [50, 200],
        "n_points": 200,
        "n_drawn": 100,
        "repeats": 1,
        "n_estimates": 100,
    },
    "table1": {"*.n_train": 300, "*.epochs": 2, "*.n_test": 200},
}

# Settings at which a record's witness compares the engines (lil.results.witness): a part of the evaluation, and for
# toys and features a part of the training, which the plain code would take hours for. The rest is the record's own.
WITNESSED = {
    "attackers_view": {
        "mnist.n_train": 10000,
        "view.n_images": 60,
        "view.n_few": 20,
        "view.doublings": 2,
        "view.iterations": 10,
        "view.queries": 100,
    },
    "attackers_view_cifar10": {
        "cifar10.n_train": 5000,
        "view.n_images": 40,
        "view.n_few": 10,
        "view.epsilons": [0.01, 0.1],
        "view.auto_epsilons": [0.1],
        "view.steps": 4,
        "view.transfer_steps": 4,
        "view.doublings": 2,
        "view.iterations": 5,
        "view.queries": 20,
    },
    "baselines": {"*.n_train": 6000, "n_images": 60, "n_few": 20, "doublings": 2, "iterations": 10, "queries": 100},
    "fig1_mappings": {"mappings.epochs": 2000},
    "fig2_rings": {"rings.epochs": 1000},
    "fig3_cifar10": {"cifar10.n_train": 5000, "cifar10.n_test": 200, "n_compared": 20, "precision": "float32"},
    "fig3_cifar10_public": {"cifar10.n_train": 5000, "cifar10.n_test": 200, "n_compared": 20, "precision": "float32"},
    "fig3_mnist": {"mnist.n_test": 2000},
    "fig3_mnist_public": {"mnist.n_test": 2000},
    "fig4_torus": {"*.epochs": 500},
    "figA1_distances": {"*.n_train": 5000, "n_images": 1000},
    "lipschitz_bound": {"rings.epochs": 500, "torus.epochs": 300, "mnist.n_train": 5000, "n_images": 60},
    "lipschitz_bound_cifar10": {"cifar10.n_train": 5000, "n_images": 20},
    "scale_and_depth": {"*.n_train": 10000, "*.n_test": 500, "n_distances": 500},
    "scaling": {"repeats": 1, "points": [200, 400], "threads": [1]},
    "table1": {"*.n_train": 5000, "*.n_test": 2000},
}
