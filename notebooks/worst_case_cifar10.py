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
# # The worst case on CIFAR10
#
# How many test images do the classifiers of {doc}`fig3_cifar10` get right, in the text's reading and in the mixture of public commits, if each image meets every attack that this book
# has, all of one size ε, as {doc}`worst_case` asks of MNIST?
#
# ## Finding
#
# At ε = {glue:text}`worstc_epsilon` (8/255), on {glue:text}`worstc_images` images and {glue:text}`worstc_seeds` seeds, with intervals of 95 % over seeds and images:
#
# * *The text's reading.* {glue:text}`worstc_text_finding`.
# * *The mixture of public commits.* {glue:text}`worstc_mixture_finding`.
#
# The worst case leaves {glue:text}`worstc_text_worst` of accuracy over the {glue:text}`worstc_betas` β in the text's reading and {glue:text}`worstc_mixture_worst` in
# the mixture; {glue:text}`worstc_kept`. Under random noise of the same size the β that gains most under the paper's attack
# changes the accuracy by {glue:text}`worstc_text_gain_noise` and {glue:text}`worstc_mixture_gain_noise`.

# %% tags=["hide-input", "with-all-code"]
from lil import plotting, results
from lil.experiments import worst_case_cifar10
from lil.paper import notebook
from lil.paper.tables import worst_case as tables
from lil.plotting import worst_case as drawn

plotting.style()

# %% tags=["remove-input"]
notebook.findings("nb/worst_case_cifar10")

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
result = results.get(worst_case_cifar10, profile, mode, **settings)
notebook.glue_all("worstc", tables.numbers(result))
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
title = notebook.title(result, "cifar10")
notebook.computed_on(title)

# %% [markdown]
# ## From the paper's attack to the worst case

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy under attacks of one size, ε = {glue:text}`worstc_epsilon`, from the paper's attack on the left to the worst case on the right, one column per reading. A dot is one of {glue:text}`worstc_seeds` seeds on {glue:text}`worstc_images` images, a bar the mean over seeds. No interval is drawn. Intervals stand in the tables.", "name": "fig-worst-case-cifar10"}, "image": {"alt": "Two panels of dots and bars that fall from the paper's attack on the left to the worst case on the right, orange for beta zero and green for larger beta. In the text's reading beta zero goes from {glue:text}`worstc_text_base_total:.3f` to {glue:text}`worstc_text_base_worst:.3f`, beta {glue:text}`worstc_text_beta` from {glue:text}`worstc_text_best_total:.3f` to {glue:text}`worstc_text_best_worst:.3f`; in the mixture, beta {glue:text}`worstc_mixture_beta` from {glue:text}`worstc_mixture_best_total:.3f` to {glue:text}`worstc_mixture_best_worst:.3f`."}}
drawn.accuracy_dots(result, title);

# %% [markdown]
# ## How to read it
#
# CSE is the cross-entropy, ISO the isometry term. Within a group the β rise from left to right, and orange is β = 0. A network that is robust keeps its accuracy towards the right. A
# difference between the colours that shrinks towards the right belongs to the attack on the left.
#
# ## Numbers
#
# Accuracy of the text's reading under each attack, means over seeds and images, with the interval of the worst case. The last column is the share of images that
# AutoAttack alone made wrong. Images made for β = 0 say nothing about β = 0 itself.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.accuracy_table(result, "text").round(3)

# %% [markdown]
# The mixture of public commits:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.accuracy_table(result, "mixture").round(3)

# %% [markdown]
# Gains over β = 0, paired by seed and image, with intervals over seeds and images. The last three columns count the images alone that the network classifies
# rightly when clean: the share of them that stays right.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.gain_table(result)

# %% [markdown]
# ## Beside the paper
#
# The paper finds that robust accuracy grows with β (Figure 3B). Here is the β that gains most under its attack, against every attack of this
# page.
#
# In the text's reading:
#
# | attack | β = 0 | β = {glue:text}`worstc_text_beta` | gain | gain among images right when clean |
# |---|---|---|---|---|
# | clean | {glue:text}`worstc_text_base_none:.3f` | {glue:text}`worstc_text_best_none:.3f` | {glue:text}`worstc_text_gain_none` | |
# | one step on CSE + β · ISO (the paper's) | {glue:text}`worstc_text_base_total:.3f` | {glue:text}`worstc_text_best_total:.3f` | {glue:text}`worstc_text_gain_total` | {glue:text}`worstc_text_kept_total` |
# | one step on CSE | {glue:text}`worstc_text_base_classification:.3f` | {glue:text}`worstc_text_best_classification:.3f` | {glue:text}`worstc_text_gain_classification` | {glue:text}`worstc_text_kept_classification` |
# | one step on the margin | {glue:text}`worstc_text_base_margin:.3f` | {glue:text}`worstc_text_best_margin:.3f` | {glue:text}`worstc_text_gain_margin` | {glue:text}`worstc_text_kept_margin` |
# | PGD on CSE | {glue:text}`worstc_text_base_pgd:.3f` | {glue:text}`worstc_text_best_pgd:.3f` | {glue:text}`worstc_text_gain_pgd` | {glue:text}`worstc_text_kept_pgd` |
# | multi-targeted PGD | {glue:text}`worstc_text_base_targeted:.3f` | {glue:text}`worstc_text_best_targeted:.3f` | {glue:text}`worstc_text_gain_targeted` | {glue:text}`worstc_text_kept_targeted` |
# | worst case | {glue:text}`worstc_text_base_worst:.3f` | {glue:text}`worstc_text_best_worst:.3f` | {glue:text}`worstc_text_gain_worst` | {glue:text}`worstc_text_kept_worst` |
# | random noise | {glue:text}`worstc_text_base_noise:.3f` | {glue:text}`worstc_text_best_noise:.3f` | {glue:text}`worstc_text_gain_noise` | {glue:text}`worstc_text_kept_noise` |
#
# In the mixture of public commits:
#
# | attack | β = 0 | β = {glue:text}`worstc_mixture_beta` | gain | gain among images right when clean |
# |---|---|---|---|---|
# | clean | {glue:text}`worstc_mixture_base_none:.3f` | {glue:text}`worstc_mixture_best_none:.3f` | {glue:text}`worstc_mixture_gain_none` | |
# | one step on CSE + β · ISO (the paper's) | {glue:text}`worstc_mixture_base_total:.3f` | {glue:text}`worstc_mixture_best_total:.3f` | {glue:text}`worstc_mixture_gain_total` | {glue:text}`worstc_mixture_kept_total` |
# | one step on CSE | {glue:text}`worstc_mixture_base_classification:.3f` | {glue:text}`worstc_mixture_best_classification:.3f` | {glue:text}`worstc_mixture_gain_classification` | {glue:text}`worstc_mixture_kept_classification` |
# | one step on the margin | {glue:text}`worstc_mixture_base_margin:.3f` | {glue:text}`worstc_mixture_best_margin:.3f` | {glue:text}`worstc_mixture_gain_margin` | {glue:text}`worstc_mixture_kept_margin` |
# | PGD on CSE | {glue:text}`worstc_mixture_base_pgd:.3f` | {glue:text}`worstc_mixture_best_pgd:.3f` | {glue:text}`worstc_mixture_gain_pgd` | {glue:text}`worstc_mixture_kept_pgd` |
# | multi-targeted PGD | {glue:text}`worstc_mixture_base_targeted:.3f` | {glue:text}`worstc_mixture_best_targeted:.3f` | {glue:text}`worstc_mixture_gain_targeted` | {glue:text}`worstc_mixture_kept_targeted` |
# | worst case | {glue:text}`worstc_mixture_base_worst:.3f` | {glue:text}`worstc_mixture_best_worst:.3f` | {glue:text}`worstc_mixture_gain_worst` | {glue:text}`worstc_mixture_kept_worst` |
# | random noise | {glue:text}`worstc_mixture_base_noise:.3f` | {glue:text}`worstc_mixture_best_noise:.3f` | {glue:text}`worstc_mixture_gain_noise` | {glue:text}`worstc_mixture_kept_noise` |
#
# Is the paper's attack stronger than no knowledge of the network at all? In the text's reading {glue:text}`worstc_text_weaker`. In the
# mixture {glue:text}`worstc_mixture_weaker`.
#
# ## How it was done
#
# The attacks are those of {doc}`worst_case`: one step of FGSM along three objectives, PGD on the cross-entropy, multi-targeted PGD, images made for β = 0, random
# noise, and AutoAttack on the images that all others leave right. Every gradient goes back through the VGG13 to the pixels, which takes long: so there are fewer
# images and seeds, PGD has fewer steps and one start, and Square, the last stage of AutoAttack, has fewer queries than in the standard version. Gradients are in
# bfloat16 where the processor multiplies it; every answer is that of float32. The isometry term of the paper's attack compares distances between features, as in
# training; in the mixture it compares distances between pixels, as in the public code.
#
# The networks are those of {doc}`fig3_cifar10`, with three seeds in the mixture too. `lil.attacks`, `lil.stronger_attacks` and `lil.targeted` attack them; the record keeps the
# answer to each image. The numbers in the text are those of `lil.paper.tables.worst_case.numbers`.
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
notebook.settings(worst_case_cifar10, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *One ε.* Where the worst case leaves next to nothing at any β, it cannot rank the networks: at a smaller ε they may differ. {doc}`attackers_view_cifar10` has more ε,
#   on fewer images of one seed.
# * *An upper bound.* A stronger attack lowers an accuracy, never raises it. PGD on CSE alone is not the strongest attack: it leaves up to
#   {glue:text}`worstc_text_pgd_above:.3f` (text) and {glue:text}`worstc_mixture_pgd_above:.3f` (mixture) more than the worst case does. AutoAttack took at most
#   {glue:text}`worstc_text_taken:.3f` and {glue:text}`worstc_mixture_taken:.3f` of the images of a network that all other attacks had left.
# * *The mixture is no commit's.* No public commit has all of its settings ({doc}`fig3_cifar10`). The networks of 7167a91, the last one, train a CNN along
#   ({doc}`table1_cifar10_trained`) and are not attacked here.
# * *The best β is chosen by the numbers shown.* Its interval does not account for the choice, which favours β > 0.
# * *One step.* Under one step an image that is wrong when clean may become right; the accuracy counts it, as Figure 3 does. In the worst case it is wrong.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
