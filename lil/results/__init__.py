"""The store of results: taken from a record or computed now, and never a record that its code no longer computes.

An *experiment* is a module with ``Config``, ``PAPER``, ``QUICK``, ``RECIPES`` (a name for each field of the config that
holds a recipe's settings, with that recipe) and ``evaluate(config, networks, *, device, progress)``. A *recipe* is a
module with ``Config``, named settings (``PAPER``, …), ``train(config, *, device, progress)`` and, where it reads data,
``data_fingerprint(config)``, which reads none of it, and ``data_available(config)``, whether it is on this machine.

For :func:`affirm` a recipe also says who the networks are, ``members(config)``, one entry for each in the order of the
tensors' first axis, and how far two trainings of one network may lie apart, ``BAND``; an experiment states how far
each variable may, in ``BANDS``.
"""

from lil.results.closing import footer as footer
from lil.results.modes import get as get
from lil.results.modes import networks as networks
from lil.results.modes import record as record
