"""The ledger: what the paper claims, how each claim is measured, when it counts as kept, and whether it is.

A claim states its conditions before any number is looked at; its measures are pure functions of recorded results; one
rule makes the verdict of the two (:func:`decide`). The claims are in :mod:`lil.claims.ledger`, the measures in
:mod:`lil.claims.measures`.
"""

from lil.claims.judging import Entry as Entry
from lil.claims.judging import judge as judge
from lil.claims.judging import judge_all as judge_all
from lil.claims.ledger import CLAIMS as CLAIMS
from lil.claims.verdicts import Number as Number
from lil.claims.verdicts import Verdict as Verdict
from lil.claims.verdicts import decide as decide
