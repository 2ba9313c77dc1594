"""The store of results: taken from a record or computed now, and never a record that its code no longer computes.

An *experiment* is a module with ``Config``, ``PAPER``, ``QUICK``, ``RECIPES`` (for each field of the config that holds
a recipe's settings, that recipe) and ``evaluate(config, networks, *, device, progress)``. A *recipe* is a module with
``Config``, named settings (``PAPER``, …), ``train(config, *, device, progress)`` and, where it reads data,
``data_fingerprint(config)``, which reads none of it, and ``data_available(config)``, whether it is on this machine.

An evaluation of many minutes can take a keyword ``partial``: a file in which it keeps how far it is, from which it
goes on after a kill, and which it removes at its end. Its result's attribute ``seconds_before`` says what it took until
then.

For :func:`affirm`, a recipe's ``members(config)`` says which networks there are, one entry for each in the order of
the tensors' first axis, and ``BAND`` how far two trainings of one network may lie apart; an experiment's ``BANDS`` says
the same of its variables. Both are shares of the largest value; what states none has the band ``computing.ROUNDING``, and
of what has one of 1 or more the values are not compared.

The package of the experiments can say in ``SEPARATE`` for which of them, by name, what is measured of one network does
not depend on the others, along which axes of the result ("beta", "seed"): a :class:`lil.results.cluster.Cluster`
evaluates those one by one.
"""

from lil.results.affirmation import affirm as affirm
from lil.results.closing import footer as footer
from lil.results.listing import listing as listing
from lil.results.modes import get as get
from lil.results.modes import networks as networks
from lil.results.modes import record as record
