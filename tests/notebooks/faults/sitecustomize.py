"""Faults that nbval has to find, or to bear: PLANTED names the change of the package in processes that start with this.

Python imports a module of this name at start-up where it finds one; the test that plants the fault puts this folder on
the path of its own subprocess. The package itself has no such door.
"""

import importlib.abc
import importlib.machinery
import os
import sys


def gradient_sign(prepare):
    """The isometry term of the opposite sign: distances within classes are driven apart from those of the data."""

    def faulty(*arguments):
        batches = prepare(*arguments)
        return batches._replace(weights=-batches.weights)

    return faulty


def reduction(prepare):
    """Divided by N instead of N²."""

    def faulty(*arguments):
        batches = prepare(*arguments)
        return batches._replace(weights=batches.order.shape[-1] * batches.weights)

    return faulty


def by_rounding(seed):
    """The last bit of every number moved, or not: data and initial weights as another machine might have them."""

    def moved(value, generator):
        import torch

        if isinstance(value, torch.Tensor) and value.is_floating_point():
            size = torch.finfo(value.dtype).eps / 2
            steps = torch.randint(-1, 2, value.shape, generator=generator)
            return (value + steps * size * value).clamp(value.amin(), value.amax())
        if isinstance(value, list):
            return [moved(each, generator) for each in value]
        if isinstance(value, tuple):
            parts = [moved(each, generator) for each in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        return value

    def change(function):
        def near(*arguments, **options):
            import torch

            return moved(function(*arguments, **options), torch.Generator().manual_seed(seed))

        return near

    return change


def rounding(seed):
    """Return the places where numbers enter: images, points of the toy manifolds, initial weights."""
    places = [
        ("lil.datasets.images", ["load"]),
        ("lil.datasets.toy", ["crescents", "rings", "torus"]),
        ("lil.models", ["_draw"]),
    ]
    return [(module, attribute, by_rounding(seed)) for module, names in places for attribute in names]


CHANGES = {  # each a list of places: the module, the attribute, what becomes of it
    "gradient_sign": [("lil.fast.training", "prepare", gradient_sign)],
    "reduction": [("lil.fast.training", "prepare", reduction)],
    "rounding-1": rounding(1),
    "rounding-2": rounding(2),
}


class Planter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module as usual, and changes it once it is loaded."""

    def __init__(self, places):
        self.places, self.loaders = places, {}

    def find_spec(self, name, path, target=None):
        if name not in [module for module, _, _ in self.places]:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        self.loaders[name], spec.loader = spec.loader, self
        return spec

    def create_module(self, spec):
        return self.loaders[spec.name].create_module(spec)

    def exec_module(self, module):
        self.loaders[module.__name__].exec_module(module)
        for name, attribute, change in self.places:
            if name == module.__name__:
                setattr(module, attribute, change(getattr(module, attribute)))


if os.environ.get("PLANTED"):
    sys.meta_path.insert(0, Planter(CHANGES[os.environ["PLANTED"]]))
