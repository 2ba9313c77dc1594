"""A fault for nbval to find: PLANTED_FAULT names how the package is wrong in the processes that start with this.

Python imports a module of this name at start-up where it finds one; the test that plants the fault puts this folder on
the path of its own subprocess. The package itself has no such door.
"""

import importlib.abc
import importlib.machinery
import os
import sys


def gradient_sign(loss):
    """The right loss, the gradient of its isometry term of the opposite sign."""

    def faulty(alpha, scale, weights, strengths):
        return loss(alpha, scale, weights, -strengths)

    return faulty


def reduction(pair_weights):
    """Divided by N instead of N²."""

    def faulty(blocks, reduction="n2"):
        return pair_weights(blocks, reduction) * blocks.n_points

    return faulty


FAULTS = {  # the module that is spoilt, what in it, and how
    "gradient_sign": ("lil.fast.full_batch_kernel", "Loss", gradient_sign),
    "reduction": ("lil.isometry", "pair_weights", reduction),
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
