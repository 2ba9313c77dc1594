"""Figure 3B with a mixture of public commits: one hidden layer more, other inputs, an attack with pixels' distances."""

from dataclasses import replace

from lil.evaluation import Fgsm
from lil.experiments import fig3_cifar10
from lil.experiments.fig3_cifar10 import Config
from lil.recipes import cifar10

RECIPES, evaluate, run = fig3_cifar10.RECIPES, fig3_cifar10.evaluate, fig3_cifar10.run

PAPER = Config(cifar10=cifar10.PAPER_PUBLIC, fgsm=Fgsm(distances="pixels"))
QUICK_ATTACK = replace(fig3_cifar10.QUICK.fgsm, distances="pixels")
QUICK = replace(fig3_cifar10.QUICK, cifar10=replace(cifar10.QUICK_PUBLIC, n_test=40), fgsm=QUICK_ATTACK)
