"""The store of results: computed now or taken from a record, and never from a record whose code has changed.

An *experiment* is a module with ``Config``, ``PAPER``, ``QUICK``, ``RECIPES`` (the recipe of each field of the config
that holds a recipe's settings) and ``evaluate(config, networks, *, device, progress)``. A *recipe* is a module with
``Config``, named settings (``PAPER``, …), ``train(config, *, device, progress)`` and ``members(config)``, one entry a
network in the order of the tensors' first axis. A recipe that reads data has ``data_fingerprint(config)``, which
reads none of it, and ``data_available(config)``.

An evaluation of many minutes can take a keyword ``partial``: a file in which it keeps its state, from which it goes
on after a kill, and which it removes at its end. It guards the file itself, as :mod:`lil.checkpoints` does. The
attribute ``seconds_before`` of its result counts the seconds until the kill.

The package of the experiments can have three tables by experiment. ``SEPARATE`` names the axes of a result ("beta",
"seed") along which one network's numbers do not depend on the other networks: a :class:`lil.results.cluster.Cluster`
evaluates them one by one. ``PROBES`` are the settings of :mod:`lil.results.affirmation`, ``WITNESSED`` those of
:mod:`lil.results.witness`, by dotted field.
"""

from lil.results.affirmation import affirm as affirm
from lil.results.closing import footer as footer
from lil.results.listing import listing as listing
from lil.results.modes import get as get
from lil.results.modes import give_witness as give_witness
from lil.results.modes import networks as networks
from lil.results.modes import record as record
