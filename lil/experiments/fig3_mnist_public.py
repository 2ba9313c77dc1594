"""Figure 3A in the public code's reading: one hidden layer more, orthogonal initial weights, K = 10."""

from lil.experiments.fig3_mnist import BANDS as BANDS
from lil.experiments.fig3_mnist import RECIPES as RECIPES
from lil.experiments.fig3_mnist import Config
from lil.experiments.fig3_mnist import evaluate as evaluate
from lil.experiments.fig3_mnist import run as run
from lil.recipes import mnist

PAPER = Config(mnist=mnist.reading("public-code"))
QUICK = Config(mnist=mnist.QUICK_PUBLIC)
