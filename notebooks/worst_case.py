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
# # The worst case on MNIST
#
# How many test images do the classifiers of {doc}`fig3_mnist` get right, in the text's reading (K = 1) and in the public code's (K = 10), if each image meets all attacks of this book (AutoAttack at
# ε = {glue:text}`worst_epsilon` alone), each of one size ε?
#
# ## Finding
#
# At ε = {glue:text}`worst_epsilon`, on {glue:text}`worst_images` images and {glue:text}`worst_seeds` seeds, with intervals of 95 % over seeds and images:
#
# * *The text's reading.* {glue:text}`worst_text_finding`.
# * *The public code's reading.* {glue:text}`worst_public_finding`.
#
# A smaller ε leaves enough accuracy to compare networks:
#
# * *The text's reading.* {glue:text}`worst_text_smaller`.
# * *The public code's reading.* {glue:text}`worst_public_smaller`.
#
# At ε = {glue:text}`worst_epsilon` the worst case leaves {glue:text}`worst_text_worst` of accuracy over the {glue:text}`worst_betas` β in the
# text's reading and {glue:text}`worst_public_worst` in the public code's. Under random noise of the same size
# the β that gains most under the paper's attack changes the accuracy by {glue:text}`worst_text_gain_noise` and {glue:text}`worst_public_gain_noise`.

# %% tags=["hide-input", "with-all-code"]
from lil import plotting, results
from lil.experiments import worst_case
from lil.paper import notebook
from lil.paper.tables import worst_case as tables
from lil.plotting import worst_case as drawn

plotting.style()

# %% tags=["remove-input"]
notebook.findings("nb/worst_case")

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
result = results.get(worst_case, profile, mode, **settings)
notebook.glue_all("worst", tables.numbers(result))
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
title = notebook.title(result, "mnist")
notebook.computed_on(title)

# %% [markdown]
# ## From the paper's attack to the worst case

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy gained over β = 0 of the same seed under the same attack, from the paper's attack on the left to the worst case on the right: one row per ε, one column per reading. A dot is one of {glue:text}`worst_seeds` seeds on {glue:text}`worst_images` images, a bar the mean over seeds. No interval is drawn. Intervals stand in the tables.", "name": "fig-worst-case"}, "image": {"alt": "Four panels of dots and bars in shades of green, one shade per beta, in groups for six attacks, from the paper's attack on the left to the worst case on the right. At epsilon {glue:text}`worst_epsilon` beta {glue:text}`worst_text_beta` gains {glue:text}`worst_text_gain_total` on the left and {glue:text}`worst_text_gain_worst` on the right in the text's reading; in the public code's, beta {glue:text}`worst_public_beta` gains {glue:text}`worst_public_gain_total` and {glue:text}`worst_public_gain_worst`."}}
drawn.gain_dots(result, title);

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy under the attacks of the figure above: one row per ε, one column per reading. A dot is one of {glue:text}`worst_seeds` seeds on {glue:text}`worst_images` images, a bar the mean over seeds. No interval is drawn.", "name": "fig-worst-case-accuracy"}, "image": {"alt": "Four panels of dots and bars that fall from the paper's attack on the left to the worst case on the right, orange for beta zero and green for larger beta. At epsilon {glue:text}`worst_epsilon` in the text's reading, beta zero goes from {glue:text}`worst_text_base_total:.3f` to {glue:text}`worst_text_base_worst:.3f` and beta {glue:text}`worst_text_beta` from {glue:text}`worst_text_best_total:.3f` to {glue:text}`worst_text_best_worst:.3f`."}}
drawn.accuracy_dots(result, title);

# %% [markdown]
# ## How to read it
#
# CSE is the cross-entropy, ISO the isometry term. Within a group the β rise from left to right. A gain that shrinks towards the right of {numref}`fig-worst-case` belongs to the attack on the left; a gain that stays belongs to
# the network. Where all networks lose all images, every gain is 0: the accuracies themselves stand in {numref}`fig-worst-case-accuracy`, β = 0 in orange.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun worst_case betas="[0, 10]" epsilons="[0.05, 0.1]" seeds=1
# ```
#
# Each group of {numref}`fig-worst-case` then has one dot, the gain of β = 10 for one seed.
# :::
#
# ## Numbers
#
# Accuracy of the text's reading under each attack, means over seeds and images, with the interval of the worst case. The last column is the share of images that
# AutoAttack alone made wrong; it is empty where AutoAttack was not run. Images made for β = 0 say nothing about β = 0 itself.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.accuracy_table(result, "text").round(3)

# %% [markdown]
# The public code's reading:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.accuracy_table(result, "public").round(3)

# %% [markdown]
# Gains over β = 0, paired by seed and image, with intervals over seeds and images. The last three columns count the images alone that the network classifies
# rightly when clean: the share of them that stays right.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.gain_table(result)

# %% [markdown]
# ## Beside the paper
#
# The paper finds that robust accuracy grows with β (Figure 3A). Here is the β that gains most under its attack at ε = {glue:text}`worst_epsilon`, against every attack of
# this page.
#
# In the text's reading:
#
# | attack | β = 0 | β = {glue:text}`worst_text_beta` | gain | gain among images right when clean |
# |---|---|---|---|---|
# | clean | {glue:text}`worst_text_base_none:.3f` | {glue:text}`worst_text_best_none:.3f` | {glue:text}`worst_text_gain_none` | |
# | one step on CSE + β · ISO (the paper's) | {glue:text}`worst_text_base_total:.3f` | {glue:text}`worst_text_best_total:.3f` | {glue:text}`worst_text_gain_total` | {glue:text}`worst_text_kept_total` |
# | one step on CSE | {glue:text}`worst_text_base_classification:.3f` | {glue:text}`worst_text_best_classification:.3f` | {glue:text}`worst_text_gain_classification` | {glue:text}`worst_text_kept_classification` |
# | one step on the margin | {glue:text}`worst_text_base_margin:.3f` | {glue:text}`worst_text_best_margin:.3f` | {glue:text}`worst_text_gain_margin` | {glue:text}`worst_text_kept_margin` |
# | PGD on CSE | {glue:text}`worst_text_base_pgd:.3f` | {glue:text}`worst_text_best_pgd:.3f` | {glue:text}`worst_text_gain_pgd` | {glue:text}`worst_text_kept_pgd` |
# | multi-targeted PGD | {glue:text}`worst_text_base_targeted:.3f` | {glue:text}`worst_text_best_targeted:.3f` | {glue:text}`worst_text_gain_targeted` | {glue:text}`worst_text_kept_targeted` |
# | worst case | {glue:text}`worst_text_base_worst:.3f` | {glue:text}`worst_text_best_worst:.3f` | {glue:text}`worst_text_gain_worst` | {glue:text}`worst_text_kept_worst` |
# | random noise | {glue:text}`worst_text_base_noise:.3f` | {glue:text}`worst_text_best_noise:.3f` | {glue:text}`worst_text_gain_noise` | {glue:text}`worst_text_kept_noise` |
#
# In the public code's reading:
#
# | attack | β = 0 | β = {glue:text}`worst_public_beta` | gain | gain among images right when clean |
# |---|---|---|---|---|
# | clean | {glue:text}`worst_public_base_none:.3f` | {glue:text}`worst_public_best_none:.3f` | {glue:text}`worst_public_gain_none` | |
# | one step on CSE + β · ISO (the paper's) | {glue:text}`worst_public_base_total:.3f` | {glue:text}`worst_public_best_total:.3f` | {glue:text}`worst_public_gain_total` | {glue:text}`worst_public_kept_total` |
# | one step on CSE | {glue:text}`worst_public_base_classification:.3f` | {glue:text}`worst_public_best_classification:.3f` | {glue:text}`worst_public_gain_classification` | {glue:text}`worst_public_kept_classification` |
# | one step on the margin | {glue:text}`worst_public_base_margin:.3f` | {glue:text}`worst_public_best_margin:.3f` | {glue:text}`worst_public_gain_margin` | {glue:text}`worst_public_kept_margin` |
# | PGD on CSE | {glue:text}`worst_public_base_pgd:.3f` | {glue:text}`worst_public_best_pgd:.3f` | {glue:text}`worst_public_gain_pgd` | {glue:text}`worst_public_kept_pgd` |
# | multi-targeted PGD | {glue:text}`worst_public_base_targeted:.3f` | {glue:text}`worst_public_best_targeted:.3f` | {glue:text}`worst_public_gain_targeted` | {glue:text}`worst_public_kept_targeted` |
# | worst case | {glue:text}`worst_public_base_worst:.3f` | {glue:text}`worst_public_best_worst:.3f` | {glue:text}`worst_public_gain_worst` | {glue:text}`worst_public_kept_worst` |
# | random noise | {glue:text}`worst_public_base_noise:.3f` | {glue:text}`worst_public_best_noise:.3f` | {glue:text}`worst_public_gain_noise` | {glue:text}`worst_public_kept_noise` |
#
# Is the paper's attack stronger than no knowledge of the network at all? In the text's reading {glue:text}`worst_text_weaker`.
# In the public code's reading {glue:text}`worst_public_weaker`.
#
# ## How it was done
#
# Every attack may change each pixel by ε at most:
#
# * *one step* of FGSM along the gradient of CSE + β · ISO (the paper's attack, with the reading's K), of the cross-entropy, or of the negative margin,
#   the largest logit of another class minus the logit of the own class;
# * *PGD on CSE* {cite:p}`Madry2017`: small steps along the cross-entropy from random starts;
# * *multi-targeted PGD* {cite:p}`Gowal2019`: small steps along the logit of one other class minus the logit of the own class, one class after the other;
# * *transfer*: images that PGD made for the network of the same seed with β = 0;
# * *random noise*: each pixel goes up or down by ε;
# * *AutoAttack* {cite:p}`Croce2020`, in its authors' code, at ε = {glue:text}`worst_epsilon`, on the images that all other attacks leave right.
#
# An image is right in the *worst case* if none of them changes its class, noise included. The table has the form of
# RobustBench {cite:p}`Croce2021`: a stated ε, clean accuracy, accuracy in the worst case.
#
# The networks are those of {doc}`fig3_mnist`, the first seeds. `lil.attacks`, `lil.stronger_attacks` and `lil.targeted` attack them; the record keeps the answer to
# each image. The numbers in the text are those of `lil.paper.tables.worst_case.numbers`.
#
# Did the attacks do what they should? No pixel may move further than ε, rounding apart, and no answer may be right in the worst case that is wrong on the clean image.

# %% tags=["nbval-check-output", "hide-input"]
right = tables.answers(result)
print("beyond ε by more than 1e-6:", int((result.change > result.epsilon + 1e-6).sum()), "attacks")
print("right in the worst case, wrong on the clean image:", int((right.sel(attack="worst") > right.sel(attack="none")).sum()), "answers")
print(f"clean accuracy, over all networks: {float(right.sel(attack='none').mean()):.2f}")

# %% [markdown]
# Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(worst_case, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *Two ε.* Where the worst case leaves next to nothing at any β, it cannot rank the networks. At the smaller ε AutoAttack was not run; {doc}`attackers_view` ran it
#   there on the first images of the text's reading, and found a gain. On those the worst case here gains too: {glue:text}`worst_text_first`.
# * *Clean accuracy is part of the accuracy.* A large β loses some of it. The last columns of the table of gains count only the images that are right without attack.
# * *An upper bound.* A stronger attack lowers an accuracy, never raises it. PGD on CSE alone is not the strongest attack: it leaves up to
#   {glue:text}`worst_text_pgd_above:.3f` (text) and {glue:text}`worst_public_pgd_above:.3f` (public code) more than the worst case does. AutoAttack took at most
#   {glue:text}`worst_text_taken:.3f` and {glue:text}`worst_public_taken:.3f` of the images of a network that all other attacks had left.
# * *The seeds.* {glue:text}`worst_seeds` seeds are few, and the intervals are wide where the seeds differ.
# * *The best β is chosen by the numbers shown.* Its interval does not account for the choice, which favours β > 0.
# * *One step.* Under one step an image that is wrong when clean may become right; the accuracy counts it, as Figure 3 does. In the worst case it is wrong.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
