"""Figure 3A in the public code's reading: one hidden layer more, orthogonal initial weights, K = 10."""

from lil.experiments import fig3_mnist
from lil.experiments.fig3_mnist import Config
from lil.recipes import mnist

RECIPES, evaluate, run = fig3_mnist.RECIPES, fig3_mnist.evaluate, fig3_mnist.run

PAPER = Config(mnist=mnist.PAPER_PUBLIC)
QUICK = Config(mnist=mnist.QUICK_PUBLIC)
