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
# # Certificates, gradients and margins
#
# The paper argues that a locally isometric network has small gradients, and that small gradients make it robust. What can be *proven* about the
# trained networks of Figure 3A, what does an attack leave of them at the same ε, and do their gradients get small?
#
# ## Finding
#
# At ε = {glue:text}`ce_epsilon`, from β = 0 to β = {glue:text}`ce_beta_last:g`, with 95 % intervals over {glue:text}`ce_seeds` seeds and
# {glue:text}`ce_images` images:
#
# * With **K = 1**, the text's reading, {glue:text}`ce_text_sentence`.
# * With **K = 10**, as in the public code, {glue:text}`ce_public_sentence`.
# * The median norm of the cross-entropy's gradient {glue:text}`ce_text_change_cross_entropy` with K = 1, and {glue:text}`ce_public_change_cross_entropy`
#   with K = 10.
#
# A certificate counts the images for which it is proven that no perturbation of this size changes the class. An attack counts the images that it does not break. The
# true robust accuracy lies between the two.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import certificates
from lil.paper import notebook
from lil.paper.tables import certificates as tables
from lil.plotting import certificates as drawing

plotting.style()

# %% tags=["parameters", "hide-input", "with-all-code"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
betas = None  # weights of the isometry term, as in [0, 3]
seeds = None  # a number, that many of the first seeds, or a list of them
epochs = None  # passes over the training data
epsilons = None  # sizes γ of the attack, as in [0.05, 0.1, 0.2]
n_images = None  # test images, the first
n_train = None  # training images, the first

# %% tags=["hide-input", "with-all-code"]
settings = dict(betas=betas, seeds=seeds, epochs=epochs, epsilons=epsilons, n_images=n_images, n_train=n_train)
result = results.get(certificates, profile, mode, **settings)
notebook.glue_all("ce", tables.numbers(result))
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
notebook.computed_on(f"{notebook.title(result, 'mnist')}, at {result.sizes['image']} test images")

# %% [markdown]
# ## Certified and attacked

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Share of {glue:text}`ce_images` test images against β, for both readings (rows) and three ε (columns), in pixel values from 0 to 1. Bars: clean accuracy. Dots: right under PGD. Triangles: certified by CROWN. Crosses: certified by the product of spectral norms. A mark is one of {glue:text}`ce_seeds` seeds, a line joins the means. No interval is drawn. The true robust accuracy lies between triangles and dots.", "name": "fig-certificates"}, "image": {"alt": "Six panels of marks over six values of beta, K = 1 above and K = 10 below, epsilon growing to the right. From beta zero to the largest, at epsilon {glue:text}`ce_epsilon`: with K = 1, {glue:text}`ce_text_sentence`; with K = 10, {glue:text}`ce_public_sentence`."}}
size = (2, result.sizes["epsilon"])
figure, axes = plt.subplots(*size, figsize=(11, 6), sharex=True, sharey=True, squeeze=False)
drawing.accuracies(axes, result);

# %% [markdown]
# ## Gradients and margins

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Gradients and margins over {glue:text}`ce_images` test images, against β, for both readings. A bar is a network, {glue:text}`ce_seeds` seeds for each β. It runs from the 5 % to the 95 % quantile over the images, with a dot at the median; no interval over seeds is drawn. Gradients are Euclidean norms, per unit of pixel value, of an image's own cross-entropy, and of the training loss of its batch times the size of the batch. Margins are in logits, margins over a constant in Euclidean distance.", "name": "fig-certificates-gradients"}, "image": {"alt": "Eight panels of vertical bars over six values of beta. From beta zero to the largest with K = 1, the gradient of the cross-entropy {glue:text}`ce_text_change_cross_entropy` and the margin {glue:text}`ce_text_change_margin`; with K = 10, the gradient {glue:text}`ce_public_change_cross_entropy` and the margin {glue:text}`ce_public_change_margin`."}}
figure, axes = plt.subplots(2, 4, figsize=(13, 6), sharex=True)
drawing.spreads(axes, result);

# %% [markdown]
# ## How to read it
#
# In each panel of {numref}`fig-certificates` the dots say whether the isometry term makes a network harder to attack at this ε, the triangles whether it makes the network easier to
# certify. Between triangle and dot nothing is known: these images are neither proven nor broken. With K = 1 this gap goes from
# {glue:text}`ce_text_open_first:.1%` of the images at β = 0 to {glue:text}`ce_text_open_last:.1%` at β = {glue:text}`ce_beta_last:g`, with K = 10 from
# {glue:text}`ce_public_open_first:.1%` to {glue:text}`ce_public_open_last:.1%` (ε = {glue:text}`ce_epsilon`).
#
# A small gradient of the cross-entropy in {numref}`fig-certificates-gradients` says that a network is sure. It says nothing about the distance to the next class: multiplying all logits by a number
# makes the gradients of rightly classified images vanish and moves no boundary ({doc}`/theory/limits`). The last column does not change if the logits are multiplied. It is a first-order estimate of
# the distance to another class: the margin over √2 times the local Lipschitz constant of the logits.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun certificates betas="[0, 10]" seeds=1
# ```
#
# Each panel then compares two networks of one seed: β = 0 and β = 10.
# :::
#
# ## Numbers
#
# Accuracies, means over seeds and images:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.accuracy_table(result).round(3)

# %% [markdown]
# The largest β minus β = 0, paired image by image and seed by seed, with 95 % intervals over seeds and images:

# %% tags=["hide-input"]
tables.gains_table(result)

# %% [markdown]
# At ε = {glue:text}`ce_far`: with K = 1, {glue:text}`ce_text_far_sentence`; with K = 10, {glue:text}`ce_public_far_sentence`.
#
# The product of spectral norms certifies less than CROWN, and its share changes with β in another way. At ε = {glue:text}`ce_small` it
# certifies {glue:text}`ce_text_product_small_first:.1%` of the images at β = 0 and {glue:text}`ce_text_product_small_last:.1%` at
# β = {glue:text}`ce_beta_last:g` with K = 1, {glue:text}`ce_public_product_small_first:.1%` and
# {glue:text}`ce_public_product_small_last:.1%` with K = 10.
#
# Gradients and margins, medians over the images, means over seeds:

# %% tags=["nbval-check-output", "hide-input", "scroll-output"]
table = tables.spread_table(result)
table.round(2) if profile == "quick" else table.map("{:.3g}".format)

# %% [markdown]
# From β = 0 to β = {glue:text}`ce_beta_last:g`, with 95 % intervals over seeds; a factor is a geometric mean, a margin's change a mean difference:
#
# | median over the images | K = 1 | K = 10 |
# |---|---|---|
# | gradient of the cross-entropy | {glue:text}`ce_text_change_cross_entropy` | {glue:text}`ce_public_change_cross_entropy` |
# | gradient of the training loss | {glue:text}`ce_text_change_total` | {glue:text}`ce_public_change_total` |
# | margin | {glue:text}`ce_text_change_margin` | {glue:text}`ce_public_change_margin` |
# | local Lipschitz constant of the logits | {glue:text}`ce_text_change_local` | {glue:text}`ce_public_change_local` |
# | margin over √2 times that constant | {glue:text}`ce_text_change_reach` | {glue:text}`ce_public_change_reach` |
#
# Do these quantities order the networks by their robustness? Rank correlations over the {glue:text}`ce_networks` networks of each reading, with the accuracy that PGD leaves and with the certified
# accuracy, and 95 % intervals from a bootstrap over networks. Where an interval contains 0, no relation is shown:

# %% tags=["hide-input", "scroll-output"]
tables.ranks_table(result)

# %% [markdown]
# ## Beside the paper
#
# "By exploiting the isometric property, one can enforce neural networks to implement mappings with a bounded derivative, which is expected to improve robustness because it keeps gradients with
# respect to the data small." The derivative of each network is bounded, at every β: the layers are tanh. The chain has two further links. *Are the gradients kept small?* See the first two rows of
# the table above. *Is robustness improved?* See the dots of {numref}`fig-certificates`. A certificate is the part of the argument that holds against every
# attack, and the triangles show how far it goes. That more is proven about a network does not say that fewer of its images can be broken.
#
# The paper has no certificates. Its networks and sizes of attack are those of {doc}`fig3_mnist`, from ε = 0.01 on.
#
# ## How it was done
#
# Certificates are those of `lil.crown`, linear bounds through all layers ({prf:ref}`prop-crown`), and those of the product of spectral norms
# ({eq}`certified-radius`). The attack is PGD on the cross-entropy from random starts; steps and starts are doubled until that changes nothing. Both use the same images, in
# float64. `lil.gradient_bound` and `lil.lipschitz` measure gradients and local constants. The numbers in the text are those of `lil.paper.tables.certificates.numbers`.
#
# Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(certificates, result)

# %% [markdown]
# ## Where it might be wrong
#
# * CROWN is one relaxation. A tighter one would raise the triangles, at some β perhaps more than at others. So the triangles compare what CROWN can prove, not the networks' robustness.
# * PGD is one attack. A stronger one would lower the dots, never below the triangles. PGD had converged for {glue:text}`ce_settled:.1%` of the networks and ε;
#   it broke {glue:text}`ce_broken` of the certified images, which must be 0.
# * The certificates are for networks in exact arithmetic. The rounding of a network in float32 is no part of them.
# * {glue:text}`ce_images` images are few. The intervals say how much that matters.
# * The largest ε here is {glue:text}`ce_far`, because certificates reach no further. Figure 3's curves are steep at larger ε: nothing is said here about those.
# * The intervals of the rank correlations treat the networks as independent of each other; those of one seed start alike.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
