"""Figure 3B in the public code's reading: one hidden layer more, other inputs, an attack with pixels' distances."""

from dataclasses import replace

from lil.evaluation import Fgsm
from lil.experiments import fig3_cifar10
from lil.experiments.fig3_cifar10 import BANDS as BANDS
from lil.experiments.fig3_cifar10 import RECIPES as RECIPES
from lil.experiments.fig3_cifar10 import Config
from lil.experiments.fig3_cifar10 import evaluate as evaluate
from lil.experiments.fig3_cifar10 import run as run
from lil.recipes import cifar10

PAPER = Config(cifar10=cifar10.reading("public-code"), fgsm=Fgsm(distances="pixels"))
QUICK = replace(
    fig3_cifar10.QUICK,
    cifar10=replace(cifar10.QUICK_PUBLIC, n_test=40),
    fgsm=replace(fig3_cifar10.QUICK.fgsm, distances="pixels"),
)
