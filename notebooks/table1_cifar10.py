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
# # What makes Table 1's CIFAR10 row
#
# The paper prints {glue:text}`row_printed` for six β, and our networks, made as the text says, have {glue:text}`row_text_first:.3f` at β = 0 and still {glue:text}`row_text_last:.3f` at β = {glue:text}`row_largest` ({doc}`table1`).
# Does another scale of the frozen VGG13's features give the printed numbers?
#
# ## Finding
#
# Features as they are give {glue:text}`row_text_given` printed numbers to within {glue:text}`row_within`. Of the scales tried, *{glue:text}`row_nearest`* come
# nearest to the row and give {glue:text}`row_nearest_given`. Their root mean square difference from the row is {glue:text}`row_nearest_by:.3f`, against {glue:text}`row_text_by:.3f` for features as they are.
# {glue:text}`row_all_six`
#
# From β = 0 to β = {glue:text}`row_largest` accuracy falls by {glue:text}`row_printed_drop:.3f` in the paper, by {glue:text}`row_nearest_drop` at the nearest scale and by {glue:text}`row_text_drop` with features as they are
# (95 % intervals over {glue:text}`row_seeds` seeds). Accuracy at β = {glue:text}`row_largest` is half of that at β = 0, or less, with: {glue:text}`row_falling`.
#
# A scale that gives the row need not be the authors'. {doc}`table1_cifar10_trained` tries another possible origin, a backbone that is trained along.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import table1_cifar10
from lil.paper import notebook
from lil.paper.numbers import TABLE_1
from lil.paper.tables import table1_cifar10 as tables
from lil.plotting import table1_cifar10 as drawn

plotting.style()

# %% tags=["parameters", "hide-input", "with-all-code"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
betas = None  # weights of the isometry term, as in [0, 3]
seeds = None  # a number, that many of the first seeds, or a list of them
epochs = None  # passes over the training data
n_train = None  # training images, the first
n_test = None  # test images, the first

# %% tags=["hide-input", "with-all-code"]
settings = dict(betas=betas, seeds=seeds, epochs=epochs, n_train=n_train, n_test=n_test)
scaled = results.get(table1_cifar10, profile, mode, **settings)
names = tables.set_names(scaled)
notebook.glue_all("row", tables.numbers(scaled))
notebook.changed(scaled)

# %% tags=["hide-input", "with-all-code"]
title = notebook.title(scaled, "cifar10")
notebook.computed_on(title)

# %% [markdown]
# ## The row

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy on the test images for each β, for LILs on a frozen VGG13 whose features are multiplied by a factor. Lines join the means over {glue:text}`row_seeds` seeds, dots are networks, crosses the paper's numbers. No interval is drawn.", "name": "fig-row"}, "image": {"alt": "Accuracy against beta: lines from light to dark blue for growing scales of the features, a dashed line for other inputs of the VGG13, and crosses for the paper, at {glue:text}`row_printed`. Features as they are go from {glue:text}`row_text_first:.3f` to {glue:text}`row_text_last:.3f`; the line nearest to the crosses, {glue:text}`row_nearest`, ends at {glue:text}`row_nearest_last:.3f`."}}
figure, ax = plt.subplots(figsize=(8.5, 4))
drawn.scales(ax, scaled, TABLE_1["cifar10"]).set_title(title);

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Mean Euclidean distance between representations of one class against that between their inputs, on the first test images. A line goes through the sets of networks in order of their inputs' distance; dots are networks, of {glue:text}`row_seeds` seeds. No interval is drawn.", "name": "fig-row-reach"}, "image": {"alt": "Curves of the representations' mean distance against the inputs', one per beta, below a dashed diagonal and a horizontal line at the largest distance that tanh units can reach. They begin at the features as they are, {glue:text}`row_input_distance:.1f` apart, and flatten as the distance of the inputs grows."}}
figure, ax = plt.subplots(figsize=(8.5, 4))
drawn.reach(ax, scaled).set_title(title);

# %% [markdown]
# ## How to read it
#
# A line that meets the crosses at one β explains one number. The row is explained by a line that meets all six. With several lines some meet single crosses by chance, so a single meeting says little.
#
# *Why a scale should matter.* The isometry term asks for representations as far apart as the features. A unit of a tanh layer lies between −1 and 1, so two representations of 1000 units are
# at most $2\sqrt{1000} = 63$ apart. Features of one class lie {glue:text}`row_input_distance:.1f` apart on average as they come, and a factor multiplies that distance. A network cannot keep a distance beyond the limit:
# there the term pushes units to ±1, where gradients vanish. The second table below has the distances and the share of such units. How large the features of the paper's VGG13 were is not stated; they depend on its weights and on the form of its inputs.
#
# ## Numbers
#
# Means over the networks of each β; `apart` is the root mean square difference from the paper's row, over the β that were trained:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.row_table(scaled, names)

# %% [markdown]
# Mean distances within classes of inputs and representations, the share of input distances `beyond` the reach, and the share of units of Φ that are saturated (beyond ±0.99):

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.reach_table(scaled)

# %% tags=["nbval-check-output", "hide-input"]
for name, distance in zip(names.values(), scaled.input_distance.values, strict=True):
    print(f"mean distance within a class, {name}: {distance:.3g}")
print("largest distance of two representations:", *sorted({f"{reach:.1f}" for reach in scaled.reach.values}))

# %% [markdown]
# ## Beside the paper
#
# The text freezes a pretrained VGG13 "with the final classification layer removed". The public code has several versions of the experiment, and none is the text:
#
# | commit | backbone | distances to keep | LIL | epochs |
# |---|---|---|---|---|
# | 9cf1b6c, 2022-11-08 | VGG13 trained on CIFAR10, frozen, 512 features | of the features | input layer + 10 × 500 | 2, batches of 200 |
# | 863b5e2, 2022-11-09 | the same | of the features, K = 10; in the attack of pixels, K = 1 | input layer + 5 × 100 | 1, batches of 200 |
# | 1ce1117 | the same | of the features | input layer + 10 × 500 | 150 |
# | 050ff84 | an untrained CNN in the VGG13's place; the lines that freeze it are commented out | read from a file | input layer + 3 × 100 | 50 |
# | ecfc79a to 7167a91, 2024 | an untrained CNN of two convolutions, trained along | of the pixels | input layer + 3 × 1000 | 10 |
#
# Scaled features are in neither text nor code. They stand for a VGG13 whose features are larger than ours.
#
# The frozen VGG13 of this page is that of the text and of the first three rows. In the last two rows a CNN takes its place and is trained along.
#
# One reading is not recorded. Torchvision's VGG13 has three linear layers, and removing the final one leaves the 4096 units before it, not 512. Our VGG13 was trained with a single linear layer,
# so that it has no such units, and no weights of CIFAR10 that have them were at hand. Those 4096 numbers are rectified and their scale is another one, so that the scan above bears on this reading too.
#
# ## How it was done
#
# `lil.recipes.scaled_features` trains the LILs on frozen features, multiplied by a factor; all else is as in {doc}`fig3_cifar10`. Those on features as they are were trained
# anew on another machine, so that their accuracies differ from those of {doc}`table1` in the third decimal. One set of networks has images (x − 0.5)/0.5 too, a transform that commit 050ff84 sets and then bypasses.
# The numbers in the text are those of `lil.paper.tables.table1_cifar10.numbers`. Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(table1_cifar10, scaled)

# %% [markdown]
# ## Where it might be wrong
#
# * *A scale that gives the row need not be theirs.* Only the authors' weights, or the seeds and the commit of the printed row, would settle it. In the same way a scale that misses the row does not
#   rule the features out: another VGG13 differs from ours in more than the scale.
# * *There is a second mechanism:* a backbone that is trained along, as in the last public commits, on {doc}`table1_cifar10_trained`. This page does not decide between the two.
# * *A factor changes more than the reach.* The isometry term sums squared differences of distances, so that it grows about with the square of the factor, which acts like a larger β. Larger inputs can
#   also saturate the first layer, at β = 0 too. This page does not separate the three.
# * *The nearest scale was picked after the fact.* It is the nearest of those on this page. A finer scan would find one nearer still, and that would prove no more.
# * *That scales between 1 and 12 are tried, and a distance of {glue:text}`row_within` counts, was decided knowing one earlier run.* It had images (x − 0.5)/0.5 and the factor 9. The networks of this page were not known.

# %% tags=["hide-input", "with-all-code"]
results.footer(scaled)
