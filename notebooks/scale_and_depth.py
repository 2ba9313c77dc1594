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
# # What the choices do to Table 1 and Figure 3
#
# The text has no factor K, and the public code has one, and a layer more. How far do K, the divisor of the sum in {eq}`isometry-loss`, the number of layers and the batch size move Table 1's first row and
# Figure 3A, beside what another seed does?
#
# ## Finding
#
# As means over the {glue:text}`choice_betas` β, these choices put accuracies further apart than the {glue:text}`choice_text_seeds` seeds do:
#
# * in clean accuracy *{glue:text}`choice_more_clean`*; furthest, {glue:text}`choice_largest_clean`, {glue:text}`choice_times_clean:.2f` times as far as the seeds;
# * under the paper's attack *{glue:text}`choice_more_total`*; furthest, {glue:text}`choice_largest_total`, {glue:text}`choice_times_total:.2f` times as far;
# * under the attacker's *{glue:text}`choice_more_classification`*; furthest, {glue:text}`choice_largest_classification`,
#   {glue:text}`choice_times_classification:.2f` times as far.
#
# The span of K is that of small K: with K below 1 the largest β loses the classes, which makes nearly all of the span without attack. Between the text's K = 1 and the public
# code's K = 10 the clean accuracies lie about as far apart as those of two seeds, mostly because of the largest β (see the table of all accuracies).

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import scale_and_depth
from lil.paper import notebook
from lil.paper.numbers import TABLE_1
from lil.paper.tables import choices as tables
from lil.plotting import beta_marks, choices

plotting.style()

# %% tags=["parameters", "hide-input", "with-all-code"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
betas = None  # weights of the isometry term, as in [0, 3]
seeds = None  # a number, that many of the first seeds, or a list of them
epochs = None  # passes over the training data
epsilons = None  # sizes γ of the attack, as in [0.05, 0.1, 0.2]
pictured = None  # ε that are shown as pictures, as in [0.1]
n_train = None  # training images, the first
n_test = None  # test images, the first

# %% tags=["hide-input", "with-all-code"]
settings = dict(
    betas=betas, seeds=seeds, epochs=epochs, epsilons=epsilons, pictured=pictured, n_train=n_train, n_test=n_test
)
result = results.get(scale_and_depth, profile, mode, **settings)
printed = TABLE_1["mnist"]
notebook.glue_all("choice", tables.numbers(result, printed))
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
title = notebook.title(result, "mnist")
notebook.computed_on(title)

# %% [markdown]
# ## How far apart the options lie

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How far apart the options of each choice put the accuracy, and at the bottom how far apart the seeds do. A dot is a β, a bar the mean over β, the dashed line the mean of the seeds: a bar to its right is a choice that matters more than a seed. Options are means over the {glue:text}`choice_seeds` seeds that all sets have; the last row is over the text's {glue:text}`choice_text_seeds`. No interval is drawn.", "name": "fig-choices-spans"}, "image": {"alt": "Three panels with five rows of dots each, for the scale K, the reduction, the depth, the batch size and the seed, with a bar at the mean of each row and a dashed line through the bar of the seeds. The widest row of clean accuracy is that of {glue:text}`choice_largest_clean`, {glue:text}`choice_times_clean:.1f` times the seeds'; under the paper's attack {glue:text}`choice_largest_total`, {glue:text}`choice_times_total:.1f` times; under the attacker's {glue:text}`choice_largest_classification`, {glue:text}`choice_times_classification:.1f` times."}}
figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), sharey=True)
choices.span_dots(axes, result)
figure.legend(handles=beta_marks(result.beta.values), loc="outside lower center", ncols=result.sizes["beta"]);

# %% [markdown]
# ## Table 1 and Figure 3, choice by choice

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy on the test images for each β: one row per choice, the first column clean, the others under each attack as the mean over its sizes ε. Each mark is a seed: {glue:text}`choice_text_seeds` for the text's settings, {glue:text}`choice_seeds` for the others. Lines go through the means over the seeds that all sets have. No interval is drawn. The text's settings have the thick line; crosses are the numbers of Table 1.", "name": "fig-choices"}, "image": {"alt": "Four rows of three panels of accuracy against beta, for the scale K, the reduction, the depth and the batch size, with one coloured line per option, a thick one for the text's and crosses in the first column for the paper. Under the paper's attack the best beta gains between {glue:text}`choice_gain_low_total:.3f` ({glue:text}`choice_gain_low_of_total`) and {glue:text}`choice_gain_high_total:.3f` ({glue:text}`choice_gain_high_of_total`), under the attacker's between {glue:text}`choice_gain_low_classification:.3f` ({glue:text}`choice_gain_low_of_classification`) and {glue:text}`choice_gain_high_classification:.3f` ({glue:text}`choice_gain_high_of_classification`)."}}
choices.choice_panels(result, title, printed);

# %% [markdown]
# ## Is it β under another name?
#
# If a choice did no more than to change the weight of the isometry term, all curves below would lie on the thick one.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy against the weight of the squared distortion, on a logarithmic axis: β K², and about ten times that for the reduction by pairs. Means over the {glue:text}`choice_seeds` seeds that all sets have, for β > 0; dotted, β = 0. Neither seeds nor intervals are drawn.", "name": "fig-choices-weight"}, "image": {"alt": "Three panels of curves of accuracy against a weight on a logarithmic axis, one line per K and one for the reduction by pairs. At equal weight the reduction by pairs lies {glue:text}`choice_pairs_equal_clean:.4f` from the text's clean accuracy and {glue:text}`choice_pairs_equal_total:.4f` from its accuracy under the paper's attack; other K lie {glue:text}`choice_scale_equal_clean:.3f` and {glue:text}`choice_scale_equal_total:.3f` away."}}
figure, axes = plt.subplots(1, 3, figsize=(11, 3.6))
choices.weight_curves(axes, result);

# %% [markdown]
# ## How to read it
#
# For each choice and β, {numref}`fig-choices-spans` has the largest minus the smallest accuracy over its options, each option being the mean over the seeds that all sets
# of networks have. The last row has the same over the seeds, network by network, of the text's settings. Accuracies under attack are means over its sizes ε.
#
# With more options a choice can spread further: K has {glue:text}`choice_options_scale` and the batch size {glue:text}`choice_options_batch_size`, the reduction
# {glue:text}`choice_options_reduction` and the depth {glue:text}`choice_options_layers`. An option is a mean over {glue:text}`choice_seeds` seeds, the seeds are single networks:
# a choice without any effect would be expected to lie less far apart than the seeds do.
#
# *The reduction should be β under another name.* The sum over pairs is the same, divided by the number of ordered pairs of one class
# instead of by $N^2$, so that the loss is $N^2/\text{pairs}$ times as large. In a batch of ten equally frequent classes about one pair in ten
# counts: `pairs` at β should do what `n2` does at 10 β, and a column of Table 1 become its neighbour.
#
# *K should not.* Written out,
#
# $$ \beta\, (K d_\Phi - d)^2 = \beta K^2 \Bigl( d_\Phi - \frac{d}{K} \Bigr)^{\!2} = \beta K^2 d_\Phi^2 - 2 \beta K\, d_\Phi\, d + \beta\, d^2 , $$
#
# K multiplies the weight by $K^2$ and divides the distance that is aimed at by K. A pair is pulled together with $\beta K^2$ and pushed apart with
# $\beta K$, and no β changes both in that way: near the aim K counts twice, far below it once. Nor can each aim be reached: tanh units lie between −1 and 1, so that no distance between
# representations exceeds $2\sqrt{n_L}$, where $n_L$ is the number of units.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun scale_and_depth betas="[0, 1, 10]" --profile quick
# ```
#
# The figures then compare the same kinds of choices for small networks on images of digits.
# :::
#
# ## Numbers
#
# The spans of the first figure:

# %% tags=["hide-input"]
tables.span_table(result).round(3)

# %% [markdown]
# What each set of networks would have said of Table 1 and of Figure 3: the clean accuracy, with its mean distance over β from the
# paper's row, and under each attack, as a mean over its sizes ε, what the best β > 0 gains over β = 0. Means over {glue:text}`choice_seeds` seeds.

# %% tags=["hide-input"]
tables.outcome_table(result, printed).round(3)

# %% [markdown]
# All accuracies behind it, as means over the same seeds:

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.accuracy_table(result).round(3 if profile == "paper" else 2)

# %% [markdown]
# How far each set of networks lies from the text's, as a mean over those β that have a counterpart: at the same β, and at equal weight.

# %% tags=["hide-input"]
tables.weight_table(result).round(3)

# %% [markdown]
# The reduction by pairs: {glue:text}`choice_pairs_same_clean:.3f` apart in clean accuracy at the same β, {glue:text}`choice_pairs_equal_clean:.3f` at ten
# times the β; under the paper's attack {glue:text}`choice_pairs_same_total:.3f` and {glue:text}`choice_pairs_equal_total:.3f`, under the attacker's
# {glue:text}`choice_pairs_same_classification:.3f` and {glue:text}`choice_pairs_equal_classification:.3f`. The seeds lie
# {glue:text}`choice_seed_clean:.3f`, {glue:text}`choice_seed_total:.3f` and {glue:text}`choice_seed_classification:.3f` apart.
# The other K, on average: {glue:text}`choice_scale_same_clean:.3f` at the same β and {glue:text}`choice_scale_equal_clean:.3f` at equal weight in clean accuracy,
# {glue:text}`choice_scale_same_total:.3f` and {glue:text}`choice_scale_equal_total:.3f` under the paper's, {glue:text}`choice_scale_same_classification:.3f` and
# {glue:text}`choice_scale_equal_classification:.3f` under the attacker's.
#
# Images of one class lie {glue:text}`choice_x_dist:.1f` apart on average, in units of a pixel's range; {glue:text}`choice_units` tanh units reach at most
# {glue:text}`choice_farthest:.1f`. With K = 1 the aim is the former; with K = 0.1 it is ten times that, out of reach,
# so that the term never vanishes.
#
# One check of all this costs nothing: at β = 0 there is no isometry term, so K and the reduction must change nothing. The largest difference
# of an accuracy there is {glue:text}`choice_zero:.4f`.
#
# ## Beside the paper
#
# Only the first row of Table 1 can be set beside these networks; for CIFAR10, where the public code makes other choices, see {doc}`table1`.
#
# Baselines on other pages are over other seeds and images. Here the text's networks at β = 0 have a clean accuracy of {glue:text}`choice_base_clean:.4f` and one of
# {glue:text}`choice_base_classification:.4f` under attack, over the {glue:text}`choice_seeds` seeds that all sets have; over all {glue:text}`choice_text_seeds` of their seeds
# {glue:text}`choice_base_text_clean:.4f` and {glue:text}`choice_base_text_classification:.4f`.
#
# | over {glue:text}`choice_seeds` seeds | |
# |---|---|
# | mean distance from Table 1's first row, the text's settings | {glue:text}`choice_text_by:.4f` |
# | the nearest of all {glue:text}`choice_sets` sets, and its distance | {glue:text}`choice_nearest`, {glue:text}`choice_nearest_by:.4f` |
# | best gain over β = 0 under the paper's attack, the text's settings | {glue:text}`choice_gain_text_total:+.3f` |
# | the least and the largest of all sets | {glue:text}`choice_gain_low_total:+.3f` ({glue:text}`choice_gain_low_of_total`), {glue:text}`choice_gain_high_total:+.3f` ({glue:text}`choice_gain_high_of_total`) |
# | best gain under the attacker's, the text's settings | {glue:text}`choice_gain_text_classification:+.3f` |
# | the least and the largest of all sets | {glue:text}`choice_gain_low_classification:+.3f` ({glue:text}`choice_gain_low_of_classification`), {glue:text}`choice_gain_high_classification:+.3f` ({glue:text}`choice_gain_high_of_classification`) |
#
# ## What it means
#
# A choice whose bar in {numref}`fig-choices-spans` stands right of the seeds' has to be stated for a number to be repeated; one whose bar stands left of it can
# stay unsaid. Two of the choices act through the weight of the isometry term, so a β has no meaning without them: "β = 1" is a strong term or
# a weak one, depending on K and on what the sum is divided by. The reduction can be traded for β. K cannot: it also says how large the representation is to be.
#
# Whether the paper's conclusions survive a choice is in the table above, set by set: a gain under the paper's attack is what Figure 3 shows, and the column beside
# it says what the same networks gain against an attacker who follows the cross-entropy.
#
# ## How it was done
#
# The networks are those of {doc}`fig3_mnist` with one change at a time, everything else as in the text. The text has no factor K in {eq}`isometry-loss`, and its public code multiplies the distances of
# representations by 10. The text divides by $N^2$; dividing by the number of pairs that count is as natural. The text has four hidden
# layers, the public code five. Both have batches of 100, which decide how many pairs a step sees.
#
# Each network meets the two attacks of {doc}`fig3_mnist`, along the
# gradient of the loss that it was itself trained with (the paper's attack), and along that of the cross-entropy (the attacker's).
#
# `lil.training.train` trains the networks that `lil.recipes.choices` describes, and `lil.evaluation.robustness` attacks them. The numbers in
# the text are those of `lil.paper.tables.choices.numbers`.
#
# Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(scale_and_depth, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *One learning rate and five epochs for all.* Larger batches mean fewer steps: the largest batches train least, and what they lose is no property of the method.
# * *The batch size does more than one thing.* At β = 0 it changes how many steps are made, and how noisy they are. Whatever it does beyond that at β > 0 includes
#   the number of pairs that a step sees, while the share of pairs that count stays the same.
# * *Few seeds.* An option is a mean over {glue:text}`choice_seeds` seeds. Choices are changed one at a time, so nothing is said about two changes together.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
