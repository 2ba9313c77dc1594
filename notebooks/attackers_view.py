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
# # An attacker's view of Figure 3A
#
# Under the paper's attack the robust accuracy of {doc}`fig3_mnist` grows with β; under an attack that follows the cross-entropy alone, little of that gain remains.
# What remains of it under attackers who want a wrong answer and nothing else?
#
# ## Finding
#
# β = {glue:text}`av_beta` gains most under the paper's attack: {glue:text}`av_gain_total` in accuracy over β = 0 at ε = {glue:text}`av_epsilon`, on
# {glue:text}`av_every` images, with an interval of 95 % over {glue:text}`av_seeds` seeds. Against one step along the gradient of the cross-entropy the same networks gain
# {glue:text}`av_gain_classification` at that ε. Under AutoAttack, on the first {glue:text}`av_few` images: {glue:text}`av_remains`.
# {doc}`worst_case` attacks more images, with an interval over the images too. In its worst case, {glue:text}`worst_case.ipynb::worst_text_smallest:s`.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import attackers_view
from lil.paper import notebook
from lil.paper.checklist import checklist
from lil.paper.tables import attackers as tables
from lil.plotting import attackers

plotting.style()

# %% tags=["remove-input"]
notebook.findings("nb/attackers_view", "autoattack", "noise")

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
result = results.get(attackers_view, profile, mode, **settings)
items = checklist(result)
numbers = tables.numbers(result, items)
notebook.glue_all("av", numbers)
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
title = notebook.title(result, "mnist")
notebook.computed_on(title)

# %% [markdown]
# ## The gain under each attack
#
# By how much is a network with β > 0 more accurate than the network of the same seed with β = 0, if both meet the same attack on the same images?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy gained over β = 0 of the same seed under the same attack. The attacks grow stronger from left to right. One panel per ε at which AutoAttack was run: {glue:text}`av_auto_epsilons`. A dot is a seed, a bar the mean over seeds. Seeds: {glue:text}`av_seeds`; test images: the first {glue:text}`av_few`. No interval is drawn. Intervals stand in the table below.", "name": "fig-attackers-gains"}, "image": {"alt": "Dots and bars of the accuracy gained over beta zero, one shade of green per beta, in groups from one step of the paper's attack on the left to PGD and AutoAttack on the right. Under AutoAttack the gain of beta {glue:text}`av_beta` is: {glue:text}`av_remains`."}}
attackers.gain_dots(result);

# %% [markdown]
# ## Accuracy at every ε

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy against the size ε of the attack, one panel per attack. ε is in pixel values from 0 to 1, on a logarithmic axis. Thick lines are means over seeds, thin lines the seeds. Seeds: {glue:text}`av_seeds`; test images: the first {glue:text}`av_every`. AutoAttack was run at a few ε, on the first {glue:text}`av_few` images. No interval is drawn.", "name": "fig-attackers-curves"}, "image": {"alt": "Seven panels of curves that fall along a logarithmic axis of epsilon, one panel per attack, orange for beta zero and darker green for larger beta. At epsilon {glue:text}`av_epsilon` beta {glue:text}`av_beta` gains {glue:text}`av_gain_total` in accuracy over beta zero under the paper's attack, and {glue:text}`av_gain_pgd` under PGD."}}
attackers.attack_curves(result, title);

# %% [markdown]
# ## Is PGD strong enough?
#
# The first attempt of PGD is 10 steps from one start. Then the steps and the starts are doubled in turn, and an image counts as beaten as soon as one attempt has
# beaten it. For each network and ε this stops when two doublings in a row, one of each, beat no further image, or after a fixed number of doublings.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy that later attempts of PGD still took, at the ε where that is most. Thick lines are means over seeds, thin lines the seeds. Seeds: {glue:text}`av_seeds`; test images: the first {glue:text}`av_every`. At 0 no later attempt took more; no attempt follows the last, so that every curve ends there. No interval is drawn.", "name": "fig-attackers-doubling"}, "image": {"alt": "Falling curves against the steps and random starts of an attempt, one colour per beta. Attempts after the first take at most {glue:text}`av_later:.3f` of accuracy from a network, and every curve ends at zero, as no attempt follows the last."}}
figure, ax = plt.subplots(figsize=(8, 3.6))
attackers.doubling_curves(ax, result);

# %% [markdown]
# ## How to read it
#
# CSE is the cross-entropy, ISO the isometry term. A gain that is large on the left of {numref}`fig-attackers-gains` and gone on the right belongs to the attack on the left. At a large ε every network loses nearly all images
# under the strong attacks, so that neither a gain nor a loss can be seen there. One image is {glue:text}`av_few_image:.3f` in accuracy.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun attackers_view betas="[0, 10]" seeds=1
# ```
#
# The figures then compare two networks of one seed: β = 0 and β = 10.
# :::
#
# ## Numbers
#
# The gains of the first figure as means over {glue:text}`av_seeds` seeds with intervals of 95 %, on the first {glue:text}`av_few` images:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.auto_table(result)

# %% [markdown]
# Accuracy under each attack at each ε of AutoAttack, on the first {glue:text}`av_few` images, the mean over the seeds. Images made for β = 0 say nothing about
# β = 0 itself. The clean accuracy on {glue:text}`av_every` images is {glue:text}`av_clean_best:.3f` at β = {glue:text}`av_beta` and
# {glue:text}`av_clean_base:.3f` at β = 0.

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.accuracy_table(result).round(3)

# %% [markdown]
# The gain of one β at every ε, on {glue:text}`av_every` images, with intervals over seeds: the β that gains most under the paper's attack.

# %% tags=["hide-input", "scroll-output"]
tables.gain_table(result, float(numbers["beta"]))

# %% [markdown]
# *The checklist* of Carlini et al. {cite:p}`Carlini2019` asks whether an attack that fails may be weak. Each item is the worst case over all networks and ε, unless it says otherwise; two attacks that differ by
# one percentage point or less count as equally strong.

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.checklist_table(items).round(3)

# %% [markdown]
# {glue:text}`av_passed` of {glue:text}`av_items` items pass. Those that fail: *{glue:text}`av_failed`*.
#
# ## Beside the paper
#
# The paper attacks its networks along the gradient of the training loss, in one step. The last two items of the checklist are about that attack: whether it follows what decides the answer, and whether it is stronger than
# images that were made for another network. The other items are about the attackers of this page.
#
# ## What it means
#
# *What the objective hides.* The paper's attack follows the gradient of the whole training loss. The larger β, the more of that step goes where distances are
# distorted, and not to where the answer changes. At β = 0 all of it goes there. So under the paper's attack the networks that are compared do not meet the
# same attacker; along the gradient of the cross-entropy they do.
#
# *What one step hides.* A single step of size ε overshoots where the loss is curved. Many small steps follow it.
#
# *What the network keeps.* Only what the strongest attack leaves can belong to it. A gain against images that were made for β = 0, or against noise, is a gain in its own
# right: it says that the weak directions of a network with β > 0 are others.
#
# ## How it was done
#
# The networks meet
#
# * *one step* of FGSM along the gradient of the training loss, CSE + β · ISO (the paper's attack), of the cross-entropy, or of the
#   negative margin, the largest logit of another class minus the logit of the own class;
# * *PGD on the cross-entropy* {cite:p}`Madry2017`: many small steps from random starts, steps and starts doubled in turn until nothing changes or a limit is reached;
# * *AutoAttack* {cite:p}`Croce2020`, in its authors' code: APGD on the cross-entropy, APGD and FAB with every other class as a target, and
#   Square, which asks for answers and needs no gradient;
# * *transfer*: images that were made for the network of the same seed with β = 0;
# * *random noise* of the same size: what is not stronger than that is no attack.
#
# The networks are those of {doc}`fig3_mnist`. `lil.attacks` and `lil.stronger_attacks` attack them, and
# `lil.paper.checklist.checklist` compares the attacks. The numbers in the text are those of `lil.paper.tables.attackers.numbers`.
#
# Every setting, with the comment that stands beside it in the code. All seeds in it are used; they are the first of those of {doc}`fig3_mnist`.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(attackers_view, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *A stronger attack lowers an accuracy, never raises it.* An item of the checklist that fails says where a number here is not the last word. {glue:text}`av_stronger`. So of this page's gains those under AutoAttack come nearest to the worst case.
# * *Few images.* AutoAttack was run on {glue:text}`av_few`, and its intervals do not cover the choice of the images: in {doc}`the worst case <worst_case>` the gain is
#   {glue:text}`worst_case.ipynb::worst_text_first:s`.
# * *The best β is chosen by the numbers shown.* Its interval does not account for the choice, which favours β > 0.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
