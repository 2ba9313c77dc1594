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
# # The isometry term beside other methods
#
# The paper says of its networks that they are "not competitive with the state of the art (data not shown)". How robust are networks of MNIST with the isometry term beside the
# same networks with other methods that restrict the mapping, and beside adversarial training?
#
# ## Finding
#
# Under PGD, as a mean over ε = {glue:text}`base_epsilons` and {glue:text}`base_seeds` seeds, the isometry term (β = {glue:text}`base_beta`) has an accuracy of {glue:text}`base_pgd_lil:.3f` and cross-entropy
# alone {glue:text}`base_pgd_plain:.3f`. It takes place {glue:text}`base_place` of {glue:text}`base_methods`; above it: {glue:text}`base_better`.
#
# Of each method the page compares the strength whose clean accuracy, that without attack, is nearest to that of the isometry term, {glue:text}`base_clean_lil:.3f`. No strength that was tried comes to
# within {glue:text}`base_near:.2f` of it for: {glue:text}`base_far`.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import baselines
from lil.paper import notebook
from lil.paper.tables import baselines as tables
from lil.plotting import baselines as drawn

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
result = results.get(baselines, profile, mode, **settings)
networks, matched = baselines.combine(result), baselines.match(result)
notebook.glue_all("base", tables.numbers(networks, matched) | {"near": baselines.NEAR})
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
notebook.computed_on(notebook.title(result, "mnist"))

# %% [markdown]
# ## Every network

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy under PGD against clean accuracy. A mark is a network, a line joins a method's means over seeds in the order of its strengths.", "name": "fig-baselines-tradeoff"}, "image": {"alt": "Three panels, one an epsilon, of marks in a colour and shape for each of seven methods, clean accuracy to the right and accuracy under attack upwards"}}
figure, axes = plt.subplots(1, networks.sizes["epsilon"], figsize=(11, 4.6), sharex=True, sharey=True)
drawn.robust_against_clean(axes, networks)
drawn.legend(axes);

# %% [markdown]
# ## One setting of each method

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One setting of each method, that whose clean accuracy is nearest to that of the best isometry term. A mark is a seed, a bar the mean over seeds. AutoAttack was run on fewer images.", "name": "fig-baselines-matched"}, "image": {"alt": "Groups of marks for no attack, PGD at each epsilon and AutoAttack, in each group one column for each of seven methods"}}
figure, ax = plt.subplots(figsize=(11, 4.6))
drawn.matched_dots(ax, matched)
figure.legend(loc="outside lower center", ncols=3);

# %% [markdown]
# ## Local Lipschitz constants

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy under PGD against two medians over test images: of the local Lipschitz constant of the logits, left, and of the reach, right. A mark is a network, a line joins a method's means over seeds in the order of its strengths.", "name": "fig-baselines-constants"}, "image": {"alt": "Two panels of marks in a colour and shape for each method, accuracy under attack upwards, the local constant on a logarithmic axis on the left and the reach on the right"}}
figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True)
drawn.constants(axes, networks, epsilon=min(tables.auto_epsilons(networks)))
drawn.legend(axes);

# %% [markdown]
# ## How to read it
#
# In {numref}`fig-baselines-tradeoff`, clean accuracy rises to the right and accuracy under attack upwards. PGD follows the cross-entropy, with steps and starts doubled in turn, on the
# first {glue:text}`base_every` test images; the clean accuracy is that on all of them.
#
# A strong method that costs accuracy can look robust, or weak, for that alone. In {numref}`fig-baselines-matched` the reference is the network with the isometry term that is best under PGD, as a
# mean over ε = {glue:text}`base_epsilons`. Of every other method it has the strength whose clean accuracy is nearest to the reference's. The two count as near up to a difference of
# {glue:text}`base_near:.2f`; the column `near` of the table below says where they are.
#
# The local constant is the largest singular value of the logits' derivative by the pixels. It says little by itself: multiply all logits by ten, and it is ten
# times as large while no answer changes. So beside it stands the *reach*: the margin of an image, the logit of its own class minus the largest other logit, divided by √2 times
# the local constant. To first order no smaller change of the image (Euclidean) changes the answer. It is negative where the answer is wrong.
#
# ## Numbers
#
# The settings of {numref}`fig-baselines-matched`, as means over {glue:text}`base_seeds` seeds:

# %% tags=["nbval-check-output", "hide-input", "scroll-output"]
tables.matched_table(matched).round(3)

# %% [markdown]
# All settings, as means over {glue:text}`base_seeds` seeds. AutoAttack has the first {glue:text}`base_few` test images. The constants are medians over the
# {glue:text}`base_every` images.

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.table(networks).round(3)

# %% [markdown]
# ## Beside the paper
#
# The paper gives no numbers of other methods: its words are that the improvement on MNIST is there "despite not being competitive with the state of the art".
# Ours, for the setting of each method that is nearest in clean accuracy, as means over {glue:text}`base_seeds` seeds; PGD as a mean over ε = {glue:text}`base_epsilons`, AutoAttack at
# ε = {glue:text}`base_auto_epsilons`:
#
# | | no attack | PGD | AutoAttack | local constant | reach |
# |---|---|---|---|---|---|
# | cross-entropy alone | {glue:text}`base_clean_plain:.3f` | {glue:text}`base_pgd_plain:.3f` | {glue:text}`base_auto_plain:.2f` | {glue:text}`base_local_plain:.2f` | {glue:text}`base_reach_plain:.2f` |
# | isometry term, β = {glue:text}`base_beta` | {glue:text}`base_clean_lil:.3f` | {glue:text}`base_pgd_lil:.3f` | {glue:text}`base_auto_lil:.2f` | {glue:text}`base_local_lil:.2f` | {glue:text}`base_reach_lil:.2f` |
# | Jacobian regularisation | {glue:text}`base_clean_jacobian:.3f` | {glue:text}`base_pgd_jacobian:.3f` | {glue:text}`base_auto_jacobian:.2f` | {glue:text}`base_local_jacobian:.2f` | {glue:text}`base_reach_jacobian:.2f` |
# | spectral normalisation | {glue:text}`base_clean_spectral:.3f` | {glue:text}`base_pgd_spectral:.3f` | {glue:text}`base_auto_spectral:.2f` | {glue:text}`base_local_spectral:.2f` | {glue:text}`base_reach_spectral:.2f` |
# | weight decay | {glue:text}`base_clean_decay:.3f` | {glue:text}`base_pgd_decay:.3f` | {glue:text}`base_auto_decay:.2f` | {glue:text}`base_local_decay:.2f` | {glue:text}`base_reach_decay:.2f` |
# | FGSM training | {glue:text}`base_clean_fgsm:.3f` | {glue:text}`base_pgd_fgsm:.3f` | {glue:text}`base_auto_fgsm:.2f` | {glue:text}`base_local_fgsm:.2f` | {glue:text}`base_reach_fgsm:.2f` |
# | PGD training | {glue:text}`base_clean_pgd:.3f` | {glue:text}`base_pgd_pgd:.3f` | {glue:text}`base_auto_pgd:.2f` | {glue:text}`base_local_pgd:.2f` | {glue:text}`base_reach_pgd:.2f` |
#
# ## What it means
#
# *What is compared.* Adversarial training is told which attack will come, in kind and size; the regularisers and the isometry term are not. So a gap to the
# former is no surprise, and one to the latter says more: they too restrict the mapping without having seen an attack.
#
# *What the constants say.* The paper's explanation is that the isometry term makes the Lipschitz constant small. Whether a small constant goes with
# robustness across methods is what {numref}`fig-baselines-constants` shows on the left; the panel on the right takes the scale of the logits out of it.
#
# ## How it was done
#
# The networks of MNIST are trained with
#
# * *the isometry term*: the networks of {doc}`fig3_mnist`;
# * *Jacobian regularisation* {cite:p}`Hoffman2019`: the squared norm of the logits' derivative by the pixels, with weight λ/2;
# * *spectral normalisation* {cite:p}`Miyato2018`: every layer, the classifier too, divided by its largest singular value and multiplied by a constant;
# * *weight decay*, decoupled from the gradient as in AdamW {cite:p}`Loshchilov2019`, with strength λ;
# * *FGSM training* {cite:p}`Goodfellow2014`, as Wong et al. {cite:p}`Wong2020` do it: on images attacked by one step of 1.25 ε from a random start in the ball;
# * *PGD training* {cite:p}`Madry2017`: on images attacked by several steps from a random start.
#
# Layers, weights at the start, order of the batches, optimiser and epochs are the same for all.
#
# `lil.training.train` trains the networks with the isometry term and `lil.recipes.baselines` the others, with `lil.regularisers`;
# `lil.stronger_attacks` attacks them all. `every` puts them together and `matched` takes one setting of each method. The numbers in the
# text are those of `lil.paper.tables.baselines.numbers`.
#
# Every setting, with the comment that stands beside it in the code. It lists the seeds of {doc}`fig3_mnist` for the isometry term; the page uses the {glue:text}`base_seeds` of them that the other methods have.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(baselines, profile)

# %% [markdown]
# ## Where it might be wrong
#
# * *Unequal clean accuracy.* Where no strength comes near the reference, a gap under attack is a gap between a more and a less accurate network too.
# * *Few seeds and strengths.* {glue:text}`base_seeds` seeds show how far one network is from the next, no more. Few strengths were tried, and none was tuned.
# * *These are not the numbers of the state of the art.* Those who hold it use larger networks, more epochs and, for PGD training, more steps.
# * *PGD may be too weak.* On the same images AutoAttack leaves at most {glue:text}`base_excess:+.3f` more accuracy than our PGD, over all networks; a positive number
#   is an image that PGD beat and AutoAttack did not. No pixel moved by more than ε but for rounding ({glue:text}`base_beyond:.0e`).

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
