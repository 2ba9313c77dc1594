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
# The paper compares histograms of the distances between points of one class, in the last hidden layer and in the inputs. Do they come to agree as β grows, and do
# single pairs keep their distances too?
#
# ## Finding

# %% tags=["hide-input", "with-all-code"]
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

# %% tags=["parameters", "hide-input", "with-all-code"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
betas = None  # weights of the isometry term, as in [0, 3]
seeds = None  # a number, that many of the first seeds, or a list of them
epochs = None  # passes over the training data
n_images = None  # test images, the first
n_train = None  # training images, the first

# %% tags=["hide-input", "with-all-code"]
settings = dict(betas=betas, seeds=seeds, epochs=epochs, n_images=n_images, n_train=n_train)
result = results.get(figA1_distances, profile, mode, **settings)
sets = {name: result.sel(networks=name).dropna("seed") for name in result.networks.values}
notebook.glue_all("figA1", images.distances(result))
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
title, settings = notebook.title(result, "mnist", "cifar10"), json.loads(result.attrs["config"])
pairs = int(result.data_count.sel(networks="mnist_text").sum())
notebook.computed_on(f"{title}, the first {settings['n_images']} images of the test set: {pairs} pairs of one class on MNIST")

# %% [markdown]
# ## The histograms
#
# In the text's reading, on MNIST:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How often each distance occurs between two test images of one class, in pairs of images on a logarithmic axis: in the inputs (grey) and in the last hidden layer, one line per network. Distances are Euclidean. MNIST, the text's reading, {glue:text}`figA1_seeds_mnist_text` seeds. No interval is drawn.", "name": "fig-distances-mnist"}, "image": {"alt": "Six histograms with logarithmic counts, one per beta, each over the grey histogram of the inputs. The Wasserstein distance between the two is {glue:text}`figA1_first_mnist_text:.2f` at beta zero and {glue:text}`figA1_last_mnist_text:.3f` at the largest beta, in units of the mean distance of the inputs."}}
distances.histograms(sets["mnist_text"], f"{notebook.title(result, 'mnist')}, the text's reading");

# %% [markdown]
# On CIFAR10, where the inputs are the VGG13's features:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same on CIFAR10, with {glue:text}`figA1_seeds_cifar10_text` seeds: the inputs are the 512 features of the VGG13.", "name": "fig-distances-cifar10"}, "image": {"alt": "Six histograms with logarithmic counts, one per beta, each over the grey histogram of the features. The Wasserstein distance between the two is {glue:text}`figA1_first_cifar10_text:.2f` at beta zero and {glue:text}`figA1_last_cifar10_text:.3f` at the largest beta, in units of the mean distance of the features."}}
distances.histograms(sets["cifar10_text"], f"{notebook.title(result, 'cifar10')}, the text's reading");

# %% [markdown]
# In the public code's reading, with K = 10, on MNIST:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "MNIST in the public code's reading, with {glue:text}`figA1_seeds_mnist_public` seeds. Distances in the last hidden layer are multiplied by K, as the loss does.", "name": "fig-distances-public"}, "image": {"alt": "Six histograms with logarithmic counts, one per beta, each over the grey histogram of the inputs. The Wasserstein distance between the two is {glue:text}`figA1_first_mnist_public:.2f` at beta zero and {glue:text}`figA1_last_mnist_public:.3f` at the largest beta, in units of the mean distance of the inputs."}}
scale = settings["mnist_public"]["scale"]
distances.histograms(sets["mnist_public"], f"{notebook.title(result, 'mnist')}, the public code's reading", scale=scale);

# %% [markdown]
# All three in one measure, the Wasserstein distance between the two histograms:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How far the distances in the last hidden layer are from those of the inputs, in units of the inputs' mean distance on a logarithmic axis: one point per network, a line through the means. Seeds: {glue:text}`figA1_seeds_mnist_text` (MNIST, the text), {glue:text}`figA1_seeds_mnist_public` (MNIST, the public code) and {glue:text}`figA1_seeds_cifar10_text` (CIFAR10). No interval is drawn.", "name": "fig-distances-nearness"}, "image": {"alt": "Wasserstein distance on a logarithmic axis against beta, with three lines for three sets of networks. From beta zero to the largest it goes from {glue:text}`figA1_first_mnist_text:.2f` to {glue:text}`figA1_last_mnist_text:.3f` on MNIST in the text's reading, from {glue:text}`figA1_first_mnist_public:.2f` to {glue:text}`figA1_last_mnist_public:.3f` in the public code's, and from {glue:text}`figA1_first_cifar10_text:.2f` to {glue:text}`figA1_last_cifar10_text:.3f` on CIFAR10."}}
figure, ax = plt.subplots(figsize=(7.5, 4))
names = {"mnist_text": "MNIST, the text", "mnist_public": "MNIST, the public code", "cifar10_text": "CIFAR10, the text"}
distances.nearness(ax, {names[key]: one for key, one in sets.items()}).set_title(title);

# %% [markdown]
# ## How to read it
#
# A coloured histogram that lies on the grey one has the distances of the inputs. The axis is logarithmic: a wide tail holds few pairs, and the Wasserstein distance counts each pair alike. Histograms may agree while the distances behind them have changed places, so
# the table below compares pairs too. Where the loss has a factor K, the distances in the last hidden layer are multiplied by K.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun figA1_distances betas="[0, 1, 10]" seeds=1 --profile quick
# ```
#
# The histograms then show small networks on images of digits, one for each reading and β.
# :::
#
# ## Numbers
#
# For each β, means over the seeds: {glue:text}`figA1_seeds_mnist_text` of the text's networks on MNIST, {glue:text}`figA1_seeds_mnist_public` of the public code's and
# {glue:text}`figA1_seeds_cifar10_text` of the text's on CIFAR10. The Wasserstein distance is in units of the inputs' mean distance: 0 if the histograms agree. The
# correlation of the two distances, pair by pair, and the median of their ratio are both 1 under an isometry.

# %% tags=["nbval-check-output", "hide-input"]
images.distance_table(result).round(3 if profile == "paper" else 2)

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
# The Wasserstein distance says whether the networks keep the *size* of distances, the correlation whether they keep their *order*. A
# network can have one without the other. The images are test images: a small loss on the training pairs need not show here.
#
# ## How it was done
#
# `lil.training.train` trains the networks that `lil.recipes.mnist` and `lil.recipes.cifar10` describe, and
# `lil.experiments.figA1_distances.evaluate` takes the distances with `lil.isometry.pair_distances`. The numbers in the text are those of
# `lil.paper.tables.images.distances`.
#
# Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(figA1_distances, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *Only pairs of one class.* The isometry term counts no others, and this page measures none.
# * *Tanh units have a reach.* Two representations of n tanh units are at most 2√n apart. Inputs that lie more than K times as far apart cannot keep their distance, whatever β.
# * *Few seeds and the first test images.* The numbers above state how many.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
