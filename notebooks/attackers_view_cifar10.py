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
# # An attacker's view of Figure 3B
#
# {doc}`attackers_view` asks what remains of Figure 3's gain under stronger attacks, and says what the attacks are. What remains if the same attacks meet the classifiers of
# CIFAR10 of {doc}`fig3_cifar10`?
#
# ## Finding
#
# β = {glue:text}`avc_beta` gains most under the paper's attack: {glue:text}`avc_gain_total` in accuracy over β = 0 at ε = {glue:text}`avc_epsilon`, on
# {glue:text}`avc_every` images and {glue:text}`avc_seeds` seed. Against one step along the gradient of the cross-entropy the accuracy of the same network differs from that at β = 0 by
# {glue:text}`avc_gain_classification` at that ε. Under AutoAttack, on the first {glue:text}`avc_few` images: {glue:text}`avc_remains`.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import attackers_view_cifar10
from lil.paper import notebook
from lil.paper.checklist import checklist
from lil.paper.tables import attackers as tables
from lil.plotting import attackers

plotting.style()

# %% tags=["remove-input"]
notebook.findings("nb/attackers_view_cifar10", "autoattack", "noise")

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
result = results.get(attackers_view_cifar10, profile, mode, **settings)
items = checklist(result)
numbers = tables.numbers(result, items)
notebook.glue_all("avc", numbers)
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
title = notebook.title(result, "cifar10")
notebook.computed_on(title)

# %% [markdown]
# ## The gain under each attack
#
# By how much is a network with β > 0 more accurate than the network of the same seed with β = 0, if both meet the same attack on the same images?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy gained over β = 0 of the same seed under the same attack. The attacks grow stronger from left to right. AutoAttack was run at ε = {glue:text}`avc_auto_epsilons`. A dot is a seed, a bar the mean over seeds. Seeds: {glue:text}`avc_seeds`; test images: the first {glue:text}`avc_few`. No interval is drawn.", "name": "fig-attackers-cifar10-gains"}, "image": {"alt": "Dots and bars of the accuracy gained over beta zero, one shade of green per beta, in groups from one step of the paper's attack on the left to PGD and AutoAttack on the right. Under AutoAttack the gain of beta {glue:text}`avc_beta` is: {glue:text}`avc_remains`."}}
attackers.gain_dots(result);

# %% [markdown]
# ## Accuracy at every ε

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy against the size ε of the attack, one panel per attack. ε is in pixel values from 0 to 1, on a logarithmic axis. Thick lines are means over seeds, thin lines the seeds. Seeds: {glue:text}`avc_seeds`; test images: the first {glue:text}`avc_every`. AutoAttack was run at a few ε, on the first {glue:text}`avc_few` images. No interval is drawn.", "name": "fig-attackers-cifar10-curves"}, "image": {"alt": "Seven panels of curves that fall along a logarithmic axis of epsilon, one panel per attack, orange for beta zero and darker green for larger beta. At epsilon {glue:text}`avc_epsilon` beta {glue:text}`avc_beta` gains {glue:text}`avc_gain_total` in accuracy over beta zero under the paper's attack, and {glue:text}`avc_gain_pgd` under PGD."}}
attackers.attack_curves(result, title);

# %% [markdown]
# ## Is PGD strong enough?
#
# The steps and starts of PGD are doubled in turn until nothing changes or a limit is reached.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy that later attempts of PGD still took, at the ε where that is most. Thick lines are means over seeds, thin lines the seeds. Seeds: {glue:text}`avc_seeds`; test images: the first {glue:text}`avc_every`. At 0 no later attempt took more; no attempt follows the last, so that every curve ends there. No interval is drawn.", "name": "fig-attackers-cifar10-doubling"}, "image": {"alt": "Falling curves against the steps and random starts of an attempt, one colour per beta. Attempts after the first take at most {glue:text}`avc_later:.3f` of accuracy from a network, and every curve ends at zero, as no attempt follows the last."}}
figure, ax = plt.subplots(figsize=(8, 3.6))
attackers.doubling_curves(ax, result);

# %% [markdown]
# ## How to read it
#
# CSE is the cross-entropy, ISO the isometry term. A gain that is large on the left of {numref}`fig-attackers-cifar10-gains` and gone on the right belongs to the attack on the left. One image is {glue:text}`avc_few_image:.3f` in accuracy
# here. There is one seed: {doc}`fig3_cifar10` shows how far seeds lie apart.
#
# ## Numbers
#
# Accuracy under each attack at each ε of AutoAttack, on the first {glue:text}`avc_few` images. Images made for β = 0 say nothing about β = 0 itself. The clean accuracy
# on {glue:text}`avc_every` images is {glue:text}`avc_clean_best:.3f` at β = {glue:text}`avc_beta` and {glue:text}`avc_clean_base:.3f` at β = 0.

# %% tags=["hide-input", "scroll-output"]
tables.accuracy_table(result).round(3)  # nbval does not check it: under attack it is at chance at the quick scale

# %% [markdown]
# The gain of one β at every ε, on {glue:text}`avc_every` images, each of them {glue:text}`avc_image:.3f` in accuracy: the β that gains most under the paper's attack.

# %% tags=["hide-input", "scroll-output"]
tables.gain_table(result, float(numbers["beta"]))

# %% [markdown]
# *The checklist.* Each item is the worst case over all networks and ε, unless it says otherwise; two attacks that differ by one percentage point or less count as equally strong.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.checklist_table(items).round(3)

# %% [markdown]
# {glue:text}`avc_passed` of {glue:text}`avc_items` items pass. Those that fail: *{glue:text}`avc_failed`*.
#
# ## Beside the paper
#
# At ε = {glue:text}`avc_auto_epsilons` AutoAttack leaves at most {glue:text}`avc_left_autoattack:.3f` of accuracy, whatever β. Our PGD, which follows the cross-entropy,
# leaves up to {glue:text}`avc_left_pgd:.3f`, and a single step, as in the paper, far more. {glue:text}`avc_stronger`.
#
# The last two items of the checklist are about the paper's attack; {doc}`attackers_view` says what they mean.
#
# ## How it was done
#
# Every gradient goes back through the VGG13 to the pixels, which takes long. So the networks are those of one seed, the images are few, the test set's first, and
# AutoAttack is run at ε = 8/255 alone, which is customary for CIFAR10. The isometry term of the paper's attack compares distances between features, as in training.
#
# The networks are those of {doc}`fig3_cifar10`. `lil.attacks` and `lil.stronger_attacks` attack them, and
# `lil.paper.checklist.checklist` compares the attacks. The numbers in the text are those of `lil.paper.tables.attackers.numbers`.
#
# Every setting, with the comment that stands beside it in the code (it lists the seeds of {doc}`fig3_cifar10`; `n_seeds` says how many of them are used here):

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(attackers_view_cifar10, result)

# %% [markdown]
# Did the attacks do what they should? No pixel may move further than ε, rounding apart.

# %% tags=["nbval-check-output", "hide-input"]
print("beyond ε by more than 1e-6:", int((result.change > result.epsilon + 1e-6).sum()), "attacks")
print(f"clean accuracy, over all networks: {float(result.clean.mean()):.2f}")

# %% [markdown]
# ## Where it might be wrong
#
# * *One seed and few images decide little.* A difference of one or two images is none. {doc}`worst_case_cifar10` has three seeds, more images and the mixture of public commits too, at one ε.
# * *A stronger attack lowers an accuracy, never raises it.* An item of the checklist that fails says where a number here is not the last word.
# * *The best β is chosen by the numbers shown.* The choice favours β > 0.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
