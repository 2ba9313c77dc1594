"""A fault for nbval to find: PLANTED_FAULT names how lil.isometry is wrong in the processes that start with this.

Python imports a module of this name at start-up where it finds one; the test that plants the fault puts this folder on
the path of its own subprocess. The package itself has no such door.
"""

import importlib.abc
import importlib.machinery
import os
import sys


def gradient_sign(isometry_loss):
    """The right value, the gradient of the opposite sign."""

    def faulty(z, *args, **kwargs):
        loss = isometry_loss(z, *args, **kwargs)
        return 2 * loss.detach() - loss

    return faulty


def reduction(isometry_loss):
    """Divided by N instead of N²."""

    def faulty(z, *args, **kwargs):
        return isometry_loss(z, *args, **kwargs) * z.shape[-2]

    return faulty


FAULTS = {"gradient_sign": gradient_sign, "reduction": reduction}


class Planter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds lil.isometry as usual, and spoils it once it is loaded."""

    def find_spec(self, name, path, target=None):
        if name != "lil.isometry":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        self.loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        module.isometry_loss = FAULTS[os.environ["PLANTED_FAULT"]](module.isometry_loss)


if os.environ.get("PLANTED_FAULT"):
    sys.meta_path.insert(0, Planter())
