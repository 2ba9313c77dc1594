# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Appendix Figure 1: distances within the classes
#
# ## Question
#
# The isometry term asks a network to keep the distances between points of one class. The paper compares histograms of these
# distances for each β with that of the inputs, and finds that they come to agree as β grows.
# Histograms may agree while the distances behind them have changed places, so pairs are compared too.

# %%
import json

import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import figA1_distances
from lil.paper import notebook
from lil.paper.tables import images
from lil.plotting import distances

plotting.style()

# %% tags=["remove-input"]
notebook.findings("nb/figA1_distances", "histogram-distance")

# %% tags=["parameters"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
betas = None  # weights of the isometry term, as in [0, 3]
seeds = None  # a number, that many of the first seeds, or a list of them
epochs = None  # passes over the training data
n_images = None  # test images, the first
n_train = None  # training images, the first

# %% [markdown]
# ## How it is computed
#
# Every setting, with the comment that stands beside it in the code:

# %%
notebook.settings(figA1_distances, profile)

# %% [markdown]
# `lil.training.train` trains the networks that `lil.recipes.mnist` and `lil.recipes.cifar10` describe, and
# `lil.experiments.figA1_distances.evaluate` takes the distances with `lil.isometry.pair_distances`. The numbers in the text are those of
# `lil.paper.tables.images.distances`.

# %%
settings = dict(betas=betas, seeds=seeds, epochs=epochs, n_images=n_images, n_train=n_train)
result = results.get(figA1_distances, profile, mode, **settings)
sets = {name: result.sel(networks=name).dropna("seed") for name in result.networks.values}
notebook.glue_all("figA1", images.distances(result))
notebook.changed(result)

# %% tags=["hide-input"]
title, settings = notebook.title(result, "mnist", "cifar10"), json.loads(result.attrs["config"])
pairs = int(result.data_count.sel(networks="mnist_text").sum())
notebook.computed_on(f"{title}, the first {settings['n_images']} images of the test set: {pairs} pairs of one class on MNIST")

# %% [markdown]
# ## Numbers
#
# For each β, means over the seeds: {glue:text}`figA1_seeds_mnist_text` of the text's networks on MNIST, {glue:text}`figA1_seeds_mnist_public` of the public code's and
# {glue:text}`figA1_seeds_cifar10_text` of the text's on CIFAR10. The Wasserstein distance between the distances in the last hidden layer and those of the inputs, in
# units of the latter's mean: 0 if the histograms agree. The correlation of the two, pair by pair, and the median of their ratio: both
# are 1 under an isometry. Where the loss has a factor K, the distances in the last hidden layer are multiplied by it.

# %% tags=["nbval-check-output"]
images.distance_table(result).round(3 if profile == "paper" else 2)

# %% [markdown]
# ## The histograms
#
# In the text's reading, on MNIST:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How often each distance occurs between two test images of one class: in the inputs (grey) and in the last hidden layer, a line a network. MNIST, the text's reading.", "name": "fig-distances-mnist"}, "image": {"alt": "Six histograms with logarithmic counts, one for each beta, each over the grey histogram of the inputs"}}
distances.histograms(sets["mnist_text"], f"{notebook.title(result, 'mnist')}, the text's reading");

# %% [markdown]
# and on CIFAR10, where the inputs are the VGG13's features:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same on CIFAR10: the inputs are the 512 features of the VGG13.", "name": "fig-distances-cifar10"}, "image": {"alt": "Six histograms with logarithmic counts, one for each beta, each over the grey histogram of the features"}}
distances.histograms(sets["cifar10_text"], f"{notebook.title(result, 'cifar10')}, the text's reading");

# %% [markdown]
# In the public code's reading, with K = 10, on MNIST:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "MNIST in the public code's reading. Distances in the last hidden layer are multiplied by K, as the loss does.", "name": "fig-distances-public"}, "image": {"alt": "Six histograms with logarithmic counts, one for each beta, each over the grey histogram of the inputs"}}
scale = settings["mnist_public"]["scale"]
distances.histograms(sets["mnist_public"], f"{notebook.title(result, 'mnist')}, the public code's reading", scale=scale);

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How far the distances in the last hidden layer are from those of the inputs: a point a network, a line through the means.", "name": "fig-distances-nearness"}, "image": {"alt": "Wasserstein distance on a logarithmic axis against beta, with three lines for three sets of networks"}}
figure, ax = plt.subplots(figsize=(7.5, 4))
names = {"mnist_text": "MNIST, the text", "mnist_public": "MNIST, the public code", "cifar10_text": "CIFAR10, the text"}
distances.nearness(ax, {names[key]: one for key, one in sets.items()}).set_title(title);

# %% [markdown]
# ## Beside the paper
#
# The appendix figure has no printed numbers; its claim is that the histograms follow the inputs' as β grows.
#
# | | MNIST, the text | MNIST, the public code | CIFAR10, the text |
# |---|---|---|---|
# | Wasserstein distance at β = 0 | {glue:text}`figA1_first_mnist_text:.3f` | {glue:text}`figA1_first_mnist_public:.3f` | {glue:text}`figA1_first_cifar10_text:.3f` |
# | at the largest β | {glue:text}`figA1_last_mnist_text:.3f` | {glue:text}`figA1_last_mnist_public:.3f` | {glue:text}`figA1_last_cifar10_text:.3f` |
# | falls with every step of β | {glue:text}`figA1_falls_mnist_text` | {glue:text}`figA1_falls_mnist_public` | {glue:text}`figA1_falls_cifar10_text` |
# | correlation at β = 0 | {glue:text}`figA1_correlation_first_mnist_text:.3f` | {glue:text}`figA1_correlation_first_mnist_public:.3f` | {glue:text}`figA1_correlation_first_cifar10_text:.3f` |
# | at the largest β | {glue:text}`figA1_correlation_last_mnist_text:.3f` | {glue:text}`figA1_correlation_last_mnist_public:.3f` | {glue:text}`figA1_correlation_last_cifar10_text:.3f` |
#
# ## What it means
#
# The Wasserstein distance says whether the networks keep the *size* of distances, the correlation whether they keep their *order*: a
# network can have one without the other. These are images that the networks were not trained on, so what is kept here is more than
# the loss asked for; a small loss on the training pairs would not have to show here. A representation of tanh units also
# has a largest distance, twice the square root of its width, which no scale K of 1 lets it exceed.

# %%
results.footer(result)
