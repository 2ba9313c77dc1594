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
# # Random noise and corruptions on CIFAR10
#
# On CIFAR10 the isometry term keeps distances between features of a frozen VGG13, while noise and corruptions are of the pixels. Is the layer that it trains more accurate on the features of
# perturbed images, as {doc}`corruptions` asks on MNIST?
#
# ## Finding
#
# Two kinds of noise, at the same β as on MNIST:
#
# * {glue:text}`coc_sign`
# * {glue:text}`coc_gaussian`
#
# All perturbations, at the middle of {glue:text}`coc_levels` severities (the rest is undecided):
#
# * {glue:text}`coc_tally_large`
# * {glue:text}`coc_tally_small`
#
# No perturbation, and the mildest severity:
#
# * {glue:text}`coc_none`
# * Mildest severity: {glue:text}`coc_mild`
#
# A gain is the accuracy minus the accuracy of the network of the same seed with β = 0, with its 95 % interval over {glue:text}`coc_seeds` seeds. Accuracy counts as raised or lowered
# once the interval excludes 0.

# %% tags=["hide-input", "with-all-code"]
from IPython.display import HTML

from lil import plotting, results
from lil.experiments import corruptions_cifar10
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
result = results.get(corruptions_cifar10, profile, mode, **settings)
notebook.glue_all("coc", tables.numbers(result))
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
title = notebook.title(result, "cifar10")
notebook.computed_on(title)

# %% [markdown]
# ## Gains and losses

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy gained over β = 0 under each perturbation at the middle severity; left of 0 the term lowers accuracy. A colour is a β. A dot is one of {glue:text}`coc_seeds` seeds on {glue:text}`coc_images` test images. A stroke is the mean, a bar the 95 % interval over the seeds. Dotted lines divide noise from corruptions.", "name": "fig-corruptions-cifar10-gains"}, "image": {"alt": "One panel with one row per perturbation, and in each row five short horizontal bars with dots, one green per beta, around a vertical line at zero. {glue:text}`coc_tally_large`"}}
drawn.gain_rows(result, title);

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy against the severity of two kinds of noise, 0 being the images as they are. Severities are in pixel values from 0 to 1. A colour is a β. Thick lines are means over {glue:text}`coc_seeds` seeds, thin lines the seeds, on {glue:text}`coc_images` test images. No interval is drawn.", "name": "fig-corruptions-cifar10-curves"}, "image": {"alt": "Two panels of falling curves, sign noise on the left and Gaussian noise on the right, orange for beta zero and darker green for larger beta. {glue:text}`coc_gaussian`"}}
drawn.severity_curves(result, title);

# %% [markdown]
# The perturbations, on the first test image:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The first test image, and the same under each perturbation at the middle severity.", "name": "fig-corruptions-cifar10-pictures"}, "image": {"alt": "Sixteen small pictures of the same image: as it is, with five kinds of noise, blurred, darkened, greyed, rotated, sheared, moved, shrunk, distorted, partly hidden and compressed"}}
drawn.pictures(result);

# %% [markdown]
# ## How to read it
#
# As in {doc}`corruptions`: the first row of {numref}`fig-corruptions-cifar10-gains` is the price without perturbation, and all networks see the same perturbed images.
#
# ## Numbers
#
# Of {glue:text}`coc_corruptions` perturbations, under how many is accuracy higher than at β = 0, and under how many lower, at each severity?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.verdict_table(result)

# %% [markdown]
# Gains at the middle severity; n = {glue:text}`coc_seeds` seeds, {glue:text}`coc_images` test images:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.gain_table(result, "cifar10_text")

# %% [markdown]
# All accuracies, means over the seeds:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
HTML(tables.accuracy_table(result).round(3).to_html())  # every row: pandas alone leaves out the middle

# %% [markdown]
# The severities, and the mean Euclidean distance by which the middle one moves an image, cut off at the bounds of a pixel:

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.severity_table(result).round(2)

# %% [markdown]
# ## Beside the paper
#
# The paper prints no number for random perturbations of CIFAR10.
#
# ## How it was done
#
# The networks are those of {doc}`fig3_cifar10`. `lil.corruptions` perturbs the first test images, and the VGG13 makes the features in float32. The severities of Gaussian noise, salt and pepper, blur,
# contrast and JPEG are those of CIFAR10-C {cite:p}`Hendrycks2019`; the others are ours.
# The numbers in the text are those of `lil.paper.tables.corruptions.numbers`. Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(corruptions_cifar10, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *The VGG13 decides most.* It is the same for all β, was trained without noise, and sees the perturbation first. The page compares the layers behind it.
# * *Few seeds.* Intervals over {glue:text}`coc_seeds` seeds are wide, and "undecided" is no proof of no effect. The test images and one draw of each perturbation are the same for all networks.
# * *Many intervals.* The first figure has {glue:text}`coc_intervals` of them beside the first row. If no β had an effect, about {glue:text}`coc_by_chance` would exclude 0 by chance.
# * *Random noise is no attack*, and the cause of a gain is open: see {doc}`corruptions`.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
