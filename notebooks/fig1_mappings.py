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
# # Figure 1: three kinds of mapping
#
# The paper tells three kinds of mapping apart (its Definition 2.2, here {prf:ref}`def-isometry`) and draws them by hand: no isometry, isometry within each class, and global
# isometry. Does training reach the mapping that its loss names?
#
# ## Finding
#
# A network *keeps* the pairs of a kind if it changes their distances by at most a tenth, from the 5 % to the 95 % quantile over the pairs.
#
# * *Isometry within each class:* {glue:text}`fig1_kept_within-class_within` of {glue:text}`fig1_seeds` networks keep the pairs within a class, and the lowest accuracy is
#   {glue:text}`fig1_accuracy_within-class:.2f`.
# * *Global isometry:* {glue:text}`fig1_kept_all_within` of {glue:text}`fig1_seeds` networks keep the pairs within a class, {glue:text}`fig1_kept_all_between` of
#   {glue:text}`fig1_seeds` those between the classes, and the lowest accuracy is {glue:text}`fig1_accuracy_all:.2f`.
# * *No isometry, β = 0:* {glue:text}`fig1_kept_none_within` of {glue:text}`fig1_seeds` networks keep the pairs within a class. Their median ratio of distances is
#   {glue:text}`fig1_least_none_within:.5f` to {glue:text}`fig1_most_none_within:.5f`.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import fig1_mappings
from lil.models import LIL
from lil.paper import notebook
from lil.paper.tables import toys
from lil.plotting import architecture, mappings

plotting.style()

# %% tags=["parameters", "hide-input", "with-all-code"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
beta = None  # weight of the isometry term
seeds = None  # a number, that many of the first seeds, or a list of them
epochs = None  # passes over the training data

# %% tags=["hide-input", "with-all-code"]
settings = dict(beta=beta, seeds=seeds, epochs=epochs)
result = results.get(fig1_mappings, profile, mode, **settings)
notebook.glue_all("fig1", toys.mappings(result))
notebook.changed(result)

# %% [markdown]
# ## Figure 1A: the mappings
#
# Networks that start from the same weights are trained on the same data. Only the weight of the isometry term and the pairs that it counts,
# {eq}`indexing-matrix`, differ.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The data, and where three networks put them, all on one scale, for the first of {glue:text}`fig1_seeds` seeds. The networks start from the same weights. Each picture is turned and shifted, which changes no distance, to lay the first class on its place in the data.", "name": "fig-mappings"}, "image": {"alt": "Four panels: two interlocking crescents drawn as meshes, then the same meshes after three networks. Medians over all seeds: without isometry each class shrinks to a point, with ratios of distances of {glue:text}`fig1_most_none_within:.4f` at most; within-class isometry keeps both crescents, with ratios of {glue:text}`fig1_least_within-class_within:.3f` or more, and moves them apart; global isometry leaves them interlocked, with an accuracy of {glue:text}`fig1_accuracy_all:.2f` or more."}}
mappings.mapping_panels(result, seed=int(result.seed.min()));

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same for each of {glue:text}`fig1_seeds` seeds.", "name": "fig-mappings-seeds"}, "image": {"alt": "A grid of the two classes as meshes, three rows for the kinds of mapping and one column per seed. Distances within the classes are kept in {glue:text}`fig1_kept_none_within` columns without isometry, in {glue:text}`fig1_kept_within-class_within` with within-class isometry and in {glue:text}`fig1_kept_all_within` with global isometry."}}
mappings.every_seed(result);

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Ratios of distances, of the pairs within a class and between the classes, on logarithmic axes. Each bar is one of {glue:text}`fig1_seeds` networks of a kind and runs from the 5 % to the 95 % quantile of the pairs. The dot is the median; an isometry is at 1, the dashed line. No interval over seeds is drawn.", "name": "fig-mappings-ratios"}, "image": {"alt": "Two panels of horizontal bars on logarithmic axes, for pairs within a class and between classes, with a dashed line at ratio one. The medians within a class are {glue:text}`fig1_most_none_within:.4f` at most without isometry, {glue:text}`fig1_least_within-class_within:.3f` to {glue:text}`fig1_most_within-class_within:.3f` with within-class isometry and {glue:text}`fig1_least_all_within:.3f` to {glue:text}`fig1_most_all_within:.3f` with global isometry."}}
figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
mappings.ratio_ranges(axes, result);

# %% [markdown]
# ## Figure 1B: the architecture
#
# A LIL of the toy experiments, drawn from the network object: other sizes make another picture.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "A locally isometric layer with the sizes of the paper's toy experiments. The isometry loss acts on the last hidden layer, the cross-entropy on the classifier that reads it.", "name": "fig-architecture"}, "image": {"alt": "A network as a graph: three green input units, four columns of twenty purple hidden units, two orange classifier units, all joined to the next column"}}
network = LIL((3, 20, 20, 20, 20, 2), seeds=[0])
figure, ax = plt.subplots(figsize=(8, 4))
architecture.architecture(ax, network.sizes);

# %% [markdown]
# The networks of Figure 1A have the sizes {glue:text}`fig1_sizes`.
#
# ## How to read it
#
# The ratio $d(\Phi) / d(x)$ is the distance of two points in the representation divided by their distance in the data. It is 1 for every pair under an
# isometry. A mesh that keeps its shape in {numref}`fig-mappings` is a class that keeps its distances.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun fig1_mappings beta=10 seeds=1
# ```
#
# Each kind of mapping then has one network, and the isometry term has a tenth of this page's weight.
# :::
#
# ## Numbers
#
# The 5 %, 50 % and 95 % quantiles of the ratio, for each kind of mapping and each seed:

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
ratio = result.ratio.stack(row=("mapping", "seed"), column=("pairs", "quantile"))
ratio.to_pandas().astype(float).round(4)

# %% [markdown]
# Accuracy on the points of the finer mesh:

# %% tags=["nbval-check-output", "hide-input"]
result.accuracy.to_pandas().astype(float).round(3)

# %% [markdown]
# Number of seeds that keep each kind of pairs:

# %% tags=["nbval-check-output", "hide-input"]
toys.kept_pairs(result).to_pandas()

# %% [markdown]
# ## Beside the paper
#
# The paper's Figure 1A has no numbers to compare with; what it illustrates can be checked.
#
# | the loss asks for | pairs within a class kept | pairs between classes kept | median ratio within a class | lowest accuracy |
# |---|---|---|---|---|
# | no isometry, $\beta = 0$ | {glue:text}`fig1_kept_none_within` of {glue:text}`fig1_seeds` seeds | {glue:text}`fig1_kept_none_between` of {glue:text}`fig1_seeds` | {glue:text}`fig1_least_none_within:.5f` to {glue:text}`fig1_most_none_within:.5f` | {glue:text}`fig1_accuracy_none:.2f` |
# | within-class isometry | {glue:text}`fig1_kept_within-class_within` of {glue:text}`fig1_seeds` | {glue:text}`fig1_kept_within-class_between` of {glue:text}`fig1_seeds` | {glue:text}`fig1_least_within-class_within:.3f` to {glue:text}`fig1_most_within-class_within:.3f` | {glue:text}`fig1_accuracy_within-class:.2f` |
# | global isometry, $G = 1$ | {glue:text}`fig1_kept_all_within` of {glue:text}`fig1_seeds` | {glue:text}`fig1_kept_all_between` of {glue:text}`fig1_seeds` | {glue:text}`fig1_least_all_within:.3f` to {glue:text}`fig1_most_all_within:.3f` | {glue:text}`fig1_accuracy_all:.2f` |
#
# The paper says that with $\beta = 0$ one obtains "discontinuous representations". A network of hyperbolic tangents is continuous whatever its
# weights; what the numbers can show is how far it shrinks a class and how far it moves the classes apart
# (median ratio between them {glue:text}`fig1_least_none_between:.3f` to {glue:text}`fig1_most_none_between:.3f`).
#
# ## What it means
#
# The two terms of the loss want different things of a global isometry. It moves no point relative to any other, so
# the crescents stay interlocked and no line separates them; cross-entropy pulls at the points on the wrong side for as long as they are
# there. What training reaches is a compromise: in the last row of the table the accuracy falls to
# {glue:text}`fig1_accuracy_all:.2f` for the worst seed, and one pair in twenty within a class is drawn together to
# {glue:text}`fig1_all_low:.2f` of its distance or less. An isometry within each class leaves the classes free to slide apart, and there is nothing to
# compete for: its lowest accuracy is {glue:text}`fig1_accuracy_within-class:.2f`. This is what the indexing matrix $G$ is for.
#
# ## How it was done
#
# The data are two interlocking crescents in the plane, one per class, which no straight line separates. Ratios are measured on the points of a finer mesh,
# which shares none with the training.
#
# `lil.training.train` trains the networks that `lil.recipes.mappings` describes, three `lil.models.LIL` per seed, and
# `lil.experiments.fig1_mappings.evaluate` measures them ({doc}`/method` shows these functions). The numbers in the text are those of
# `lil.paper.tables.toys.mappings`.
#
# Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(fig1_mappings, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *The data are ours.* The paper draws its mappings by hand and names no data. The width of the last hidden layer is ours too: two units, so that a
#   representation is a picture and not a projection.
# * *One β.* Both isometric kinds have the same weight. Another weight may strike another compromise between distances and accuracy.
# * *The criterion is ours.* A stricter criterion than a tenth could be met by fewer networks, a looser one by more.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
