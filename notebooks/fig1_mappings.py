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
# ## Question
#
# The paper tells three kinds of mapping apart ({prf:ref}`def-isometry`): no isometry, isometry within each class, and global
# isometry. Its Figure 1A draws them by hand.
# Here they are *obtained*: networks that start from the same weights are trained on the same data, and only the weight of the isometry
# term and the pairs that it counts, {eq}`indexing-matrix`, differ.
#
# Does training reach the mapping that its loss names?
#
# The data are two interlocking crescents in the plane, one a class, which no straight line separates. They are ours.
# So is the width of the last hidden layer: two units, so that a representation is a picture and not a projection.

# %%
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import fig1_mappings
from lil.models import LIL
from lil.paper import notebook
from lil.paper.tables import toys
from lil.plotting import architecture, mappings

plotting.style()

# %% tags=["parameters"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
beta = None  # weight of the isometry term
seeds = None  # a number, that many of the first seeds, or a list of them
epochs = None  # passes over the training data

# %% [markdown]
# ## How it is computed
#
# Every setting, with the comment that stands beside it in the code:

# %%
notebook.settings(fig1_mappings, profile)

# %% [markdown]
# `lil.training.train` trains the networks that `lil.recipes.mappings` describes, three `lil.models.LIL` a seed, and
# `lil.experiments.fig1_mappings.evaluate` measures them ({doc}`/method` shows these functions). The numbers in the text are those of
# `lil.paper.tables.toys.mappings`.

# %%
settings = dict(beta=beta, seeds=seeds, epochs=epochs)
result = results.get(fig1_mappings, profile, mode, **settings)
notebook.glue_all("fig1", toys.mappings(result))
notebook.changed(result)

# %% [markdown]
# ## Numbers
#
# How much farther apart are two points in the representation than in the data? The ratio $d(\Phi) / d(x)$ is 1 for every
# pair under an isometry. Below, its 5 %, 50 % and 95 % quantiles over the pairs within a class and between the classes, for
# each kind of mapping and each seed. The points are those of a finer mesh, which shares none with the training.

# %% tags=["nbval-check-output"]
ratio = result.ratio.to_series().astype(float)
ratio.unstack(["pairs", "quantile"], sort=False).round(4)

# %% tags=["nbval-check-output"]
result.accuracy.to_pandas().astype(float).round(3)

# %% [markdown]
# We say that a network *keeps* a kind of pairs if from the 5 % to the 95 % quantile the ratio stays between 0.9 and 1.1.
# How many of the seeds do?

# %% tags=["nbval-check-output"]
toys.kept_pairs(result).to_pandas()

# %% [markdown]
# ## Figure 1A: the mappings

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The data, and where three networks put them, all on one scale. The networks start from the same weights. Each picture is turned and shifted, which changes no distance, to lay the first class on its place in the data.", "name": "fig-mappings"}, "image": {"alt": "Four panels: two interlocking crescents drawn as meshes, then the same meshes after a network trained without isometry, with within-class isometry and with global isometry"}}
mappings.mapping_panels(result, seed=int(result.seed.min()));

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same for every seed.", "name": "fig-mappings-seeds"}, "image": {"alt": "A grid of the two classes as meshes, three rows for the kinds of mapping and a column for each seed"}}
mappings.every_seed(result);

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The distance ratios of the table above. Each bar is a network and runs from the 5 % to the 95 % quantile, the dot is the median; an isometry is at 1, the dashed line.", "name": "fig-mappings-ratios"}, "image": {"alt": "Two panels of horizontal bars on logarithmic axes, for pairs within a class and between classes, three groups of bars for the kinds of mapping, with a dashed line at ratio one"}}
figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
mappings.ratio_ranges(axes, result);

# %% [markdown]
# ## Figure 1B: the architecture
#
# A LIL of the toy experiments, drawn from the network object: other sizes make another picture.

# %% mystnb={"figure": {"caption": "A locally isometric layer with the sizes of the paper's toy experiments. The isometry loss acts on the last hidden layer, the cross-entropy on the classifier that reads it.", "name": "fig-architecture"}, "image": {"alt": "A network as a graph: three green input units, four columns of twenty purple hidden units, two orange classifier units, all joined to the next column"}}
network = LIL((3, 20, 20, 20, 20, 2), seeds=[0])
figure, ax = plt.subplots(figsize=(8, 4))
architecture.architecture(ax, network.sizes);

# %% [markdown]
# The networks of Figure 1A have the sizes {glue:text}`fig1_sizes`.
#
# ## Beside the paper
#
# The paper's Figure 1A has no numbers to compare with; what it illustrates can be checked.
#
# | the loss asks for | pairs within a class kept | pairs between classes kept | median ratio within a class | lowest accuracy |
# |---|---|---|---|---|
# | no isometry, $\beta = 0$ | {glue:text}`fig1_kept_none_within` of {glue:text}`fig1_seeds` seeds | {glue:text}`fig1_kept_none_between` of {glue:text}`fig1_seeds` | {glue:text}`fig1_least_none_within:.1e` to {glue:text}`fig1_most_none_within:.1e` | {glue:text}`fig1_accuracy_none:.2f` |
# | within-class isometry | {glue:text}`fig1_kept_within-class_within` of {glue:text}`fig1_seeds` | {glue:text}`fig1_kept_within-class_between` of {glue:text}`fig1_seeds` | {glue:text}`fig1_least_within-class_within:.3f` to {glue:text}`fig1_most_within-class_within:.3f` | {glue:text}`fig1_accuracy_within-class:.2f` |
# | global isometry, $G = 1$ | {glue:text}`fig1_kept_all_within` of {glue:text}`fig1_seeds` | {glue:text}`fig1_kept_all_between` of {glue:text}`fig1_seeds` | {glue:text}`fig1_least_all_within:.3f` to {glue:text}`fig1_most_all_within:.3f` | {glue:text}`fig1_accuracy_all:.2f` |
#
# The paper says that with $\beta = 0$ one obtains "discontinuous representations". A network of hyperbolic tangents is continuous whatever its
# weights; what the numbers can show is how far it shrinks a class and how far it moves the classes apart
# (median ratio between them {glue:text}`fig1_least_none_between:.1f` to {glue:text}`fig1_most_none_between:.1f`).
#
# ## What it means
#
# The two terms of the loss want different things of a global isometry. It moves no point relative to any other, so
# the crescents stay interlocked and no line separates them; cross-entropy pulls at the points on the wrong side for as long as they are
# there. What training reaches is a compromise: in the last row of the table the accuracy falls to
# {glue:text}`fig1_accuracy_all:.2f` for the worst seed, and one pair in twenty within a class is drawn together to
# {glue:text}`fig1_all_low:.2f` of its distance or less. An isometry within each class leaves the classes free to slide apart, and there is nothing to
# compete for: its lowest accuracy is {glue:text}`fig1_accuracy_within-class:.2f`. This is what the indexing matrix $G$ is for.

# %%
results.footer(result)
