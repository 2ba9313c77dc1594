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
# # Random noise and corruptions on MNIST
#
# "Organisms seem particularly robust to random input perturbations", says the paper's introduction, and its experiments test attacks. Does the isometry term make a network
# of MNIST more accurate on images with random noise, or on images that are blurred, darkened, turned or partly hidden?
#
# ## Finding
#
# Two kinds of noise, each at a β that earlier runs suggested:
#
# * {glue:text}`cor_sign`
# * {glue:text}`cor_gaussian`
#
# All perturbations, at the middle of {glue:text}`cor_levels` severities (the rest is undecided):
#
# * {glue:text}`cor_tally_large`
# * {glue:text}`cor_tally_small`
#
# No perturbation, and the mildest severity:
#
# * {glue:text}`cor_none`
# * Mildest severity: {glue:text}`cor_mild`
#
# A gain is the accuracy minus the accuracy of the network of the same seed with β = 0, with its 95 % interval over {glue:text}`cor_seeds` seeds. Accuracy counts as raised or lowered
# once the interval excludes 0.

# %% tags=["hide-input", "with-all-code"]
from IPython.display import HTML

from lil import plotting, results
from lil.experiments import corruptions
from lil.paper import notebook
from lil.paper.tables import corruptions as tables
from lil.plotting import corruptions as drawn

plotting.style()

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
result = results.get(corruptions, profile, mode, **settings)
notebook.glue_all("cor", tables.numbers(result))
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
title = notebook.title(result, "mnist")
notebook.computed_on(title)

# %% [markdown]
# ## Gains and losses

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy gained over β = 0 under each perturbation at the middle severity; left of 0 the term lowers accuracy. There is one panel per reading of the method and one colour per β. A dot is one of {glue:text}`cor_seeds` seeds on {glue:text}`cor_images` test images. A stroke is the mean, a bar the 95 % interval over the seeds. Dotted lines divide noise from corruptions.", "name": "fig-corruptions-gains"}, "image": {"alt": "Two panels, K = 1 on the left and K = 10 on the right, with one row per perturbation, and in each row five short horizontal bars with dots, one green per beta, around a vertical line at zero. {glue:text}`cor_tally_large`"}}
drawn.gain_rows(result, title);

# %% [markdown]
# From no noise to strong noise:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy against the severity of two kinds of noise, 0 being the images as they are. Severities are in pixel values from 0 to 1. There is one column per reading of the method and one colour per β. Thick lines are means over {glue:text}`cor_seeds` seeds, thin lines the seeds, on {glue:text}`cor_images` test images. No interval is drawn.", "name": "fig-corruptions-curves"}, "image": {"alt": "Four panels of falling curves, sign noise above and Gaussian noise below, K = 1 on the left and K = 10 on the right, orange for beta zero and darker green for larger beta. {glue:text}`cor_gaussian`"}}
drawn.severity_curves(result, title);

# %% [markdown]
# The perturbations, on the first test image:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The first test image, and the same under each perturbation at the middle severity.", "name": "fig-corruptions-pictures"}, "image": {"alt": "Sixteen small pictures of the same digit: as it is, with five kinds of noise, blurred, darkened, greyed, rotated, sheared, moved, shrunk, distorted, partly hidden and compressed"}}
drawn.pictures(result);

# %% [markdown]
# ## How to read it
#
# The first row of {numref}`fig-corruptions-gains` is the price without perturbation. A bar to the right of 0 in another row says that networks with that β are more accurate on images perturbed so. All networks see the
# same perturbed images. A row whose bars lie where the bars of the first row lie says nothing about the perturbation: those networks lost as much before.
#
# Where curves of {numref}`fig-corruptions-curves` cross, the answer depends on the severity. So the verdicts are counted at every severity, in the first table.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun corruptions betas="[0, 1, 10]" seeds=1
# ```
#
# Each row of {numref}`fig-corruptions-gains` then has one dot for β = 1 and one for β = 10, without an interval.
# :::
#
# ## Numbers
#
# Of {glue:text}`cor_corruptions` perturbations, under how many is accuracy higher than at β = 0, and under how many lower?

# %% tags=["hide-input", "scroll-output"]
tables.verdict_table(result)

# %% [markdown]
# Gains at the middle severity with K = 1, the text's reading; n = {glue:text}`cor_seeds` seeds, {glue:text}`cor_images` test images:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.gain_table(result, "mnist_text")

# %% [markdown]
# With K = 10, the public code's reading:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.gain_table(result, "mnist_public")

# %% [markdown]
# All accuracies, means over the seeds:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
HTML(tables.accuracy_table(result).round(3).to_html())  # every row: pandas alone leaves out the middle

# %% [markdown]
# The severities, and the mean Euclidean distance by which the middle one moves an image, cut off at black and white:

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.severity_table(result).round(2)

# %% [markdown]
# ## Beside the paper
#
# The paper prints no number for random perturbations. It uses the robustness of organisms to them as a motive for representations that keep distances, and then
# attacks its networks. {doc}`attackers_view` says what the same networks keep under attacks.
#
# ## How it was done
#
# The networks are those of {doc}`fig3_mnist`, in both readings. `lil.corruptions` perturbs the test images. The corruptions are in the manner of MNIST-C {cite:p}`Mu2019`
# and of CIFAR10-C {cite:p}`Hendrycks2019`, built on torchvision, and not those sets themselves.
# The numbers in the text are those of `lil.paper.tables.corruptions.numbers`. Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(corruptions, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *Random noise is no attack.* Nobody looks for the weak points of a network here. A gain says nothing about the worst case, nor does a loss.
# * *The two kinds of noise in words were not chosen blindly.* Their severities and β come from earlier runs that showed a large effect. The other perturbations and severities were fixed before any network met them.
# * *Many intervals.* The first figure has {glue:text}`cor_intervals` of them beside the first row. If no β had an effect, about {glue:text}`cor_by_chance` would exclude 0 by chance. Nothing is corrected for that.
# * *The intervals are over seeds.* The test images and one draw of each perturbation are the same for all networks and are not drawn anew.
# * *The cause of a gain is open.* A larger margin between classes and a smaller constant of the map look alike here. {doc}`lipschitz_bound` measures constants.
# * *K is not alone.* The public code's reading has one hidden layer more and other initial weights too. The page does not say which of the three turns a gain into a loss.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
