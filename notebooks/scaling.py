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
# # What the isometry loss costs
#
# The loss of {eq}`isometry-loss` compares pairs of points, and their number grows with the square of the points. How do time and memory grow, and what can be done with more
# points than they allow?
#
# ## Finding
#
# At {glue:text}`scaling_points` points a call, the loss and its gradient, takes {glue:text}`scaling_ms_all:.1f` ms and {glue:text}`scaling_mib_all:.0f` MiB with all pairs,
# {glue:text}`scaling_ms_within-class:.1f` ms and {glue:text}`scaling_mib_within-class:.0f` MiB with those of one class, and {glue:text}`scaling_ms_sampled:.1f` ms and
# {glue:text}`scaling_mib_sampled:.0f` MiB with a fixed number of pairs drawn at random. With {glue:text}`scaling_many` pairs drawn, the estimate's standard deviation is
# {glue:text}`scaling_spread_many:.2%` of the loss.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import scaling
from lil.paper import notebook
from lil.paper.tables import scaling as tables
from lil.plotting import scaling as drawn

plotting.style()

# %% tags=["parameters", "hide-input", "with-all-code"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
n_points = None  # points

# %% tags=["hide-input", "with-all-code"]
settings = dict(n_points=n_points)
result = results.get(scaling, profile, mode, **settings)
notebook.glue_all("scaling", tables.numbers(result))
notebook.changed(result)

# %% [markdown]
# ## Points

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Time in milliseconds (left) and memory in MiB (right) of one call against the number of points, in four classes, on logarithmic axes. A time is the median of {glue:text}`scaling_calls` calls. The memory is that of one call in a fresh process, the distances of the data among it. No interval is drawn.", "name": "fig-scaling-points"}, "image": {"alt": "Two logarithmic panels with three lines each: all pairs and pairs of one class rise steeply with the number of points, pairs drawn at random stay nearly flat. At {glue:text}`scaling_points` points all pairs take {glue:text}`scaling_ms_all:.0f` ms and {glue:text}`scaling_mib_all:.0f` MiB, pairs drawn at random {glue:text}`scaling_ms_sampled:.0f` ms and {glue:text}`scaling_mib_sampled:.0f` MiB."}}
figure, axes = plt.subplots(1, 2, figsize=(10.5, 3.9))
drawn.by_points(axes, result);

# %% [markdown]
# ## Classes, networks, threads

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Time in milliseconds of one call, the median of {glue:text}`scaling_calls`, against the number of classes that the same points are divided into, of networks that are trained together, and of threads (at the largest number of points), on logarithmic axes. Dotted, for comparison: inversely proportional for classes and threads, proportional for networks. No interval is drawn.", "name": "fig-scaling-rest"}, "image": {"alt": "Three logarithmic panels of one line each beside a dotted line of slope minus one, one and minus one. {glue:text}`scaling_members` networks take {glue:text}`scaling_member_ratio:.1f` times as long as one, and {glue:text}`scaling_threads` threads are {glue:text}`scaling_faster:.2f` times as fast as one."}}
figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.4))
drawn.by_the_rest(axes, result);

# %% [markdown]
# ## Fewer pairs
#
# What the paper does for images is one way out: batches, whose pairs are few. The other is to draw pairs. `lil.sampled_pairs` takes a number of them at random, from
# all that count. It returns an estimate of the loss that is right on average, as is its gradient, and an estimate of its variance.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Standard deviation of {glue:text}`scaling_estimates` estimates of the loss, as a share of the loss, against the number of pairs drawn, on logarithmic axes. No interval is drawn.", "name": "fig-scaling-spread"}, "image": {"alt": "Marks on a falling line on logarithmic axes: the standard deviation is {glue:text}`scaling_spread_few:.1%` of the loss with {glue:text}`scaling_few` pairs drawn and {glue:text}`scaling_spread_many:.2%` with {glue:text}`scaling_many`."}}
figure, ax = plt.subplots(figsize=(6, 3.6))
drawn.estimate_spread(ax, result);

# %% [markdown]
# ## How to read it
#
# From the last three sizes, the time grows with the power {glue:text}`scaling_power_all:.1f` of the points for all pairs and {glue:text}`scaling_power_within-class:.1f` for those
# of one class; the square is 2. Memory goes to the distances of the data, one number per pair. The plain loss holds several arrays of that
# size, distances, mismatches and their gradients; it computes all pairs and masks those of two classes.
#
# Dividing the same points into more classes leaves the time as it is, since pairs of two classes are masked and not left out. {glue:text}`scaling_members` networks together take
# {glue:text}`scaling_member_ratio:.1f` times as long as one, and {glue:text}`scaling_threads` threads on {glue:text}`scaling_cores` cores are {glue:text}`scaling_faster:.1f` times as fast as one.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun scaling n_points=800
# ```
#
# All times are then those of your machine, and the times against classes and networks are for half as many points.
# :::
#
# ## Numbers
#
# Medians of several calls:

# %% tags=["hide-input"]
tables.table(result).round(2)

# %% [markdown]
# Standard deviation of the estimated loss, as a share of the loss, for each number of pairs drawn: over many draws, and as the estimate itself predicts it.

# %% tags=["nbval-check-output", "hide-input"]
result[["spread", "predicted"]].to_pandas().round(3)

# %% [markdown]
# With {glue:text}`scaling_few` pairs an estimate lies {glue:text}`scaling_spread_few:.1%` from the loss, as a standard deviation, with {glue:text}`scaling_many` it is
# {glue:text}`scaling_spread_many:.2%`, whatever the number of points.
#
# ## How it was done
#
# One *call* is what a training step asks for: the loss of one network's representations of all
# points, and its gradient. The distances between the data are made once, before the training. There are four classes of equal size unless a panel says otherwise, and no network: the points are drawn at random.
#
# `lil.experiments.scaling.evaluate` times the isometry loss and its gradient, and `lil.sampled_pairs` on drawn pairs. The numbers in the text
# are those of `lil.paper.tables.scaling.numbers`.
#
# Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(scaling, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *One machine.* Times and memory are those of one machine; the last line names it.
# * *Noise of a training.* How much noise of the estimate a training bears is another question: batches are noisy too.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
