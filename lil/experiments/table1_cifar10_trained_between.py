"""Beyond the paper: the CNN of commit 7167a91 trained along at β = 1, between the ends that table1_cifar10_trained has.

A result of its own, because it was trained later: the other networks' record stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from lil.experiments import table1_cifar10_trained
from lil.experiments._common import make_run
from lil.experiments.table1_cifar10_trained import QUICK_ATTACK, Measures
from lil.recipes import trained_along

RECIPES = {"cnn": trained_along}
evaluate = table1_cifar10_trained.evaluate


@dataclass(frozen=True)
class Config(Measures):
    cnn: trained_along.Config = trained_along.PAPER_CNN_BETWEEN  # the networks, on the CNN of commit 7167a91


PAPER = Config()
QUICK = Config(cnn=trained_along.QUICK_CNN_BETWEEN, fgsm=QUICK_ATTACK, n_attacked=10, n_distances=20)

run = make_run(RECIPES, evaluate)
