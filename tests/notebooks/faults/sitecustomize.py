"""A fault for nbval to find: PLANTED_FAULT names how the package is wrong in the processes that start with this.

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


FAULTS = {  # the module that is spoilt, the attribute, the fault
    "gradient_sign": ("lil.fast.training", "prepare", gradient_sign),
    "reduction": ("lil.fast.training", "prepare", reduction),
}


class Planter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the module as usual, and spoils it once it is loaded."""

    def __init__(self, module, attribute, fault):
        self.module, self.attribute, self.fault = module, attribute, fault

    def find_spec(self, name, path, target=None):
        if name != self.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        self.loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        setattr(module, self.attribute, self.fault(getattr(module, self.attribute)))


if os.environ.get("PLANTED_FAULT"):
    sys.meta_path.insert(0, Planter(*FAULTS[os.environ["PLANTED_FAULT"]]))
