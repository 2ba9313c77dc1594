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
# # The hierarchy of Figure 4, looked at again
#
# In {doc}`fig4_torus` the third level of the stack keeps distances worst: does that come from stacking, or from a weight and a learning rate that can be changed? Is the map "isometric
# everywhere, except around decision boundaries" (abstract), and are stacks better at hierarchical classification than a flat network (conclusion)?
#
# ## Finding
#
# *Distances.* With the text's settings the eight classes keep theirs with a correlation of {glue:text}`hier_correlation_text_8:.3f` (seeds: {glue:text}`hier_least_correlation_text_8:.2f` to
# {glue:text}`hier_most_correlation_text_8:.2f`). The mean over pairs together with a falling learning rate gives {glue:text}`hier_correlation_both_8:.3f`
# ({glue:text}`hier_least_correlation_both_8:.3f` to {glue:text}`hier_most_correlation_both_8:.3f`). With the text's weight and rate a flat LIL of four layers keeps {glue:text}`hier_correlation_shallow_8:.3f`,
# and a flat network with the twelve layers of the stack {glue:text}`hier_correlation_deep_8:.3f`.
#
# *Where the map is isometric.* The shares of the text's stack stand below. With the mean over pairs and the falling rate they are {glue:text}`hier_isometric_far_both_2:.0%`,
# {glue:text}`hier_isometric_far_both_4:.0%` and {glue:text}`hier_isometric_far_both_8:.0%` at two, four and eight classes.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import hierarchy
from lil.paper import notebook
from lil.paper.tables import hierarchy as tables
from lil.plotting import hierarchy as drawn

plotting.style()

# %% tags=["remove-input"]
notebook.findings("nb/hierarchy")

# %% tags=["parameters", "hide-input", "with-all-code"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
seeds = None  # a number, that many of the first seeds, or a list of them
epochs = None  # steps, each on all points

# %% tags=["hide-input", "with-all-code"]
settings = dict(seeds=seeds, epochs=epochs)
result = results.get(hierarchy, profile, mode, **settings)
notebook.glue_all("hier", tables.numbers(result))
notebook.changed(result)

# %% [markdown]
# ## Distances and accuracy, level by level

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Correlation of the distances within the classes with those on the torus: one row per variant, one panel per level. A dot is one of {glue:text}`hier_seeds` seeds. Full dots are the {glue:text}`hier_points` training points, hollow dots held-out points. Green are stacks, blue flat networks with the eight finest labels alone, which have no coarser level. “Both” is the mean over pairs and a falling learning rate. No interval is drawn.", "name": "fig-hierarchy-correlation"}, "image": {"alt": "Three panels for two, four and eight classes with one row of dots per variant, green stacks above a line and blue flat networks below, correlation to the right. At eight classes the mean over seeds is {glue:text}`hier_correlation_text_8:.3f` for the text's stack, {glue:text}`hier_correlation_both_8:.3f` for the stack with both changes and {glue:text}`hier_correlation_shallow_8:.3f` for a flat network of four layers."}}
figure, axes = plt.subplots(1, 3, figsize=(11.5, 4.6), sharey=True)
drawn.level_dots(axes, result, "correlation", "correlation of distances");

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy of the same networks, of {glue:text}`hier_seeds` seeds. That of a flat network on two and four classes is the accuracy of its eight classes, joined. No interval is drawn.", "name": "fig-hierarchy-accuracy"}, "image": {"alt": "Three panels for two, four and eight classes with one row of dots per variant, accuracy to the right. At eight classes the mean over seeds is {glue:text}`hier_accuracy_text_8:.3f` for the text's stack, {glue:text}`hier_accuracy_plain_8:.3f` for the stack without the isometry term and {glue:text}`hier_accuracy_deep_plain_8:.3f` for a flat network without it."}}
figure, axes = plt.subplots(1, 3, figsize=(11.5, 4.6), sharey=True)
drawn.level_dots(axes, result, "accuracy", "accuracy");

# %% [markdown]
# ## Is the map isometric everywhere, except around decision boundaries?
#
# A unit vector t along the surface has the length ‖J t‖ after the map, with J its derivative (DΦ on the pages of the theory); an isometry keeps 1. Below: how far ‖J t‖ is from 1, against the distance to the nearest cut of that level.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Distance of ‖J t‖ from 1 on the surface: the median over the points at one distance from a cut, on a logarithmic axis. The distance from a cut is in steps of the grid. A line is one of {glue:text}`hier_seeds` seeds; solid, for the direction across the cuts, dotted, along them. Below the dashed line a point counts as isometric. With eight classes no point is further than two and a half steps from a cut. No interval is drawn.", "name": "fig-hierarchy-distortion"}, "image": {"alt": "Three panels for two, four and eight classes of lines that fall steeply within one step of the nearest cut, orange for the text, green with both changes, blue for a flat network of four layers at eight classes. At a cut the text's stack has a median distortion of {glue:text}`hier_distortion_text_2:.0f`, {glue:text}`hier_distortion_text_4:.0f` and {glue:text}`hier_distortion_text_8:.0f` across it; a point counts as isometric below {glue:text}`hier_within:.1f`."}}
figure, axes = plt.subplots(1, 3, figsize=(11.5, 4.2), sharey=True)
drawn.distortion_curves(axes, result);

# %% [markdown]
# ## Tears
#
# A level inherits the cuts of the level below. How far apart are two neighbours of the training grid after the map, in units of their distance before it, if a cut lies between them?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "d(Φ)/d(x) of neighbours along the angle of the cuts, on a logarithmic axis. A dot is one of {glue:text}`hier_seeds` seeds, the median of its pairs. A level's own cuts are those that the level below does not have. On the dashed line neighbours stay as far apart as they were. No interval is drawn.", "name": "fig-hierarchy-tears"}, "image": {"alt": "Eight groups of dots on a logarithmic axis: own cuts, inherited cuts and no cut for each level, high at the cuts and near one elsewhere. In the text's stack the stretch at inherited cuts is {glue:text}`hier_inherited_4` times that at own cuts with four classes and {glue:text}`hier_inherited_8` times with eight."}}
figure, ax = plt.subplots(figsize=(10.5, 4))
drawn.tear_dots(ax, result);

# %% [markdown]
# In the text's stack an inherited cut is torn {glue:text}`hier_inherited_4` times as wide as an own one at four classes, and {glue:text}`hier_inherited_8` times at eight (mean over seeds, 95 % interval).
#
# ## How to read it
#
# Each variant changes one thing of the text's stack, or two:
#
# * *mean over pairs*: {eq}`isometry-loss` divides the sum over the pairs of one class by $N^2$. With C equal classes one pair in C counts, so β weighs C times as much once the sum is divided by the
#   number of these pairs;
# * *falling rate*: three stages of equal length, in which the learning rate is 1, 0.3 and 0.1 times the text's; Adam begins each stage anew;
# * *no stop of gradients*: the relaxation that the paper allows;
# * *β = 0*: cross-entropy alone;
# * *flat*: one LIL with the eight finest labels, with as many hidden layers as the whole stack or as one of its LILs.
#
# The change in correlation at eight classes over the text's stack, seed by seed, is {glue:text}`hier_change_pairs` with the mean over pairs ({glue:text}`hier_verdict_pairs`),
# {glue:text}`hier_change_decayed` with the falling rate ({glue:text}`hier_verdict_decayed`), {glue:text}`hier_change_both` with both ({glue:text}`hier_verdict_both`) and
# {glue:text}`hier_change_connected` without the stop ({glue:text}`hier_verdict_connected`). A change whose interval lies above 0 comes from weight and rate. Whether they are all of it, the flat networks say,
# which have the text's weight and rate too: the stack's correlation minus theirs is {glue:text}`hier_stack_shallow` with four layers ({glue:text}`hier_verdict_stack_shallow`) and {glue:text}`hier_stack_deep` with twelve
# ({glue:text}`hier_verdict_stack_deep`). In brackets are 95 % intervals over {glue:text}`hier_seeds` seeds.
#
# On a cut ‖J t‖ differs from 1 by {glue:text}`hier_distortion_text_2:.0f`, {glue:text}`hier_distortion_text_4:.0f` and {glue:text}`hier_distortion_text_8:.0f` in the text's stack (medians over the points, level by level): the network is continuous,
# and sets the two sides apart over a fraction of a step.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun hierarchy seeds=1 epochs=500
# ```
#
# Each variant then has one network, trained for a twentieth of the steps.
# :::
#
# ## Numbers
#
# Shares of isometric points, up to one step from a cut (near) and further away (far), and medians of the distortion across the cuts:

# %% tags=["hide-input"]
tables.isometry_table(result).round(3)

# %% [markdown]
# Each stack beside the flat networks that were trained like it: the stack's measure minus the flat network's, at eight classes and on held-out points, with 95 % intervals over
# {glue:text}`hier_seeds` seeds.

# %% tags=["hide-input"]
tables.stacking_table(result)

# %% [markdown]
# {glue:text}`hier_stacking`
#
# {glue:text}`hier_stacking_distances`
#
# Without the isometry term the stack reaches an accuracy of {glue:text}`hier_accuracy_plain_2:.3f`, {glue:text}`hier_accuracy_plain_4:.3f` and {glue:text}`hier_accuracy_plain_8:.3f` at two, four and eight classes; with it
# {glue:text}`hier_accuracy_text_2:.3f`, {glue:text}`hier_accuracy_text_4:.3f` and {glue:text}`hier_accuracy_text_8:.3f`. Cross-entropy draws the points of a class together, and a LIL that reads such a
# representation, without gradients to the LIL below, has less to tell its own classes apart by. The paper's discussion expects as much: mapping the first partition isometrically guarantees
# that the next network "will work with a truthful representation of the data".
#
# All measures of all variants:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.outcome_table(result).round(3)

# %% [markdown]
# The variants:

# %% tags=["nbval-check-output", "hide-input"]
tables.variant_table(result)

# %% [markdown]
# ## Beside the paper
#
# | the paper | here |
# |---|---|
# | stacks keep "a high classification rate (> 0.99) on each level" | lowest of {glue:text}`hier_seeds` seeds on held-out points: {glue:text}`hier_least_accuracy_text_2:.3f`, {glue:text}`hier_least_accuracy_text_4:.3f`, {glue:text}`hier_least_accuracy_text_8:.3f` |
# | the map "is isometric everywhere, except around decision boundaries" | far from a cut, isometric to within {glue:text}`hier_within:g`: {glue:text}`hier_isometric_far_text_2:.1%`, {glue:text}`hier_isometric_far_text_4:.1%`, {glue:text}`hier_isometric_far_text_8:.1%`; the lowest seed {glue:text}`hier_least_isometric_far_text_2:.1%`, {glue:text}`hier_least_isometric_far_text_4:.1%`, {glue:text}`hier_least_isometric_far_text_8:.1%` |
# | "our LIL model can be stacked to improve hierarchical classification" | accuracy at eight classes on held-out points: the stack {glue:text}`hier_accuracy_text_8:.3f`, flat networks {glue:text}`hier_accuracy_deep_8:.3f` and {glue:text}`hier_accuracy_shallow_8:.3f`, a stack with β = 0 {glue:text}`hier_accuracy_plain_8:.3f` |
#
# ## How it was done
#
# `lil.recipes.hierarchy` describes the networks, and `lil.experiments.hierarchy.evaluate` measures them. Stacks as in the text are those of {doc}`fig4_torus`.
#
# The numbers in the text are those of `lil.paper.tables.hierarchy.numbers`.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(hierarchy, result)

# %% [markdown]
# *Held-out points* are the grid of {glue:text}`hier_points` points shifted by half a step both ways, with noise of its own. Those on a cut belong to no class and are left out. Means of the correlation differ by at most
# {glue:text}`hier_gap:.3f` between training points and held-out ones.
#
# ## Where it might be wrong
#
# * One data set, on which most variants classify almost every point: a difference in accuracy can hardly show. A hierarchy that is harder to learn could still profit from a stack.
# * The falling rate restarts Adam at each stage, so that a stage is also a restart. Its factors were chosen once and not tuned.
# * Twelve tanh layers of twenty units, drawn as `torch.nn.Linear` does, are hard to train from end to end. Another initialisation could serve the deep flat network better.
# * The distortion follows two directions of the surface. The derivative in the direction that leaves the torus is free.
# * Over 10 000 steps rounding errors grow to the size of the weights: a single seed's number on the finest level is a draw (see {doc}`fig4_torus`).

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
