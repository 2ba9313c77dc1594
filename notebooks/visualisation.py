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
# # MNIST in two and three units
#
# The discussion proposes LILs for visualisation: labels given, they "can be used to project the data to a low dimensional space in which the different classes are separated while the metric structure is maintained". Do networks of
# MNIST with two or three units in the last hidden layer do both, beside PCA, UMAP and supervised UMAP?
#
# ## Finding
#
# *In the plane.* The most accurate networks with two units (K = {glue:text}`vis_best_scale_2`, β = {glue:text}`vis_best_beta_2`) give {glue:text}`vis_best_vote_2:.3f` of the test images their class by the vote of
# their neighbours, and keep distances within the classes with a correlation of {glue:text}`vis_best_correlation_2:.3f`. Supervised UMAP has {glue:text}`vis_other_vote_2_supervised:.3f` and
# {glue:text}`vis_other_correlation_2_supervised:.3f`, PCA {glue:text}`vis_other_vote_2_pca:.3f` and {glue:text}`vis_other_correlation_2_pca:.3f`.
#
# *In space.* With three units (K = {glue:text}`vis_best_scale_3`, β = {glue:text}`vis_best_beta_3`) the vote reaches {glue:text}`vis_best_vote_3:.3f` and the correlation {glue:text}`vis_best_correlation_3:.3f`: beside supervised UMAP
# {glue:text}`vis_vote_over_3_supervised` and {glue:text}`vis_correlation_over_3_supervised`, beside PCA {glue:text}`vis_vote_over_3_pca` and {glue:text}`vis_correlation_over_3_pca`.
#
# *K decides.* Two tanh units reach distances of {glue:text}`vis_reach_2:.1f`, and images of one class lie {glue:text}`vis_x_dist:.1f` apart (the median). With K = 1 that is out of reach; with K = 10 the aim is a tenth of it.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import visualisation
from lil.paper import notebook
from lil.paper.tables import visualisation as tables
from lil.plotting import visualisation as drawn

plotting.style()

# %% tags=["remove-input"]
notebook.findings("nb/visualisation")

# %% tags=["parameters", "hide-input", "with-all-code"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
betas = None  # weights of the isometry term, as in [0, 3]
seeds = None  # a number, that many of the first seeds, or a list of them
epochs = None  # passes over the training data

# %% tags=["hide-input", "with-all-code"]
settings = dict(betas=betas, seeds=seeds, epochs=epochs)
result = results.get(visualisation, profile, mode, **settings)
notebook.glue_all("vis", tables.numbers(result))
notebook.changed(result)

# %% tags=["hide-input", "with-all-code"]
notebook.computed_on(notebook.title(result, "mnist"))

# %% [markdown]
# ## Classes apart against distances kept

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Each mark is a layout of the same {glue:text}`vis_images` test images: to the right, distances within the classes are kept better; up, classes lie apart more clearly. Networks are coloured by β, circles for K = 1 and squares for K = 10, one mark for each of {glue:text}`vis_seeds` seeds. Marks without a colour are the other methods; PCA has no seed. No interval is drawn.", "name": "fig-visualisation-trade"}, "image": {"alt": "Two panels, two units and three, of coloured circles and squares and marks without a colour, correlation of distances to the right and accuracy of the neighbours' vote upwards. With two units the most accurate networks lie at a vote of {glue:text}`vis_best_vote_2:.2f` and a correlation of {glue:text}`vis_best_correlation_2:.2f`, PCA at {glue:text}`vis_other_vote_2_pca:.2f` and {glue:text}`vis_other_correlation_2_pca:.2f`, UMAP at {glue:text}`vis_other_vote_2_umap:.2f` and {glue:text}`vis_other_correlation_2_umap:.2f`."}}
figure, axes = plt.subplots(1, 2, figsize=(11, 5), sharex=True, sharey=True)
drawn.trade_off(axes, result);

# %% [markdown]
# ## The layouts in the plane

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same {glue:text}`vis_images` test images in the plane, in the colours of their classes: the last hidden layer of the networks of the first of {glue:text}`vis_seeds` seeds, K = 1 above and K = 10 below, and the other methods in the last row. Tanh units lie between −1 and 1.", "name": "fig-visualisation-plane"}, "image": {"alt": "A grid of point clouds in ten colours: two rows of networks with beta rising to the right, and a row with PCA, UMAP and supervised UMAP. The neighbours vote rightly for {glue:text}`vis_best_vote_2:.2f` of the images in the most accurate networks, {glue:text}`vis_other_vote_2_pca:.2f` after PCA, {glue:text}`vis_other_vote_2_umap:.2f` after UMAP and {glue:text}`vis_other_vote_2_supervised:.2f` after supervised UMAP."}}
drawn.layout_panels(result);

# %% [markdown]
# ## The layouts in space

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same in three units, to turn with the mouse: networks of the first of {glue:text}`vis_seeds` seeds with K = 1 and K = 10, and PCA and UMAP. The slider chooses β.", "name": "fig-visualisation-space"}, "image": {"alt": "Four scenes to turn of points in ten colours, two of networks, one of PCA and one of UMAP. The neighbours vote rightly for {glue:text}`vis_best_vote_3:.2f` of the images in the most accurate networks, {glue:text}`vis_other_vote_3_pca:.2f` after PCA and {glue:text}`vis_other_vote_3_umap:.2f` after UMAP."}}
drawn.turning_layouts(result)

# %% [markdown]
# ## Four measures against β

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four measures of a layout of {glue:text}`vis_images` test images against β, one line for each of {glue:text}`vis_seeds` seeds; dotted lines are the other methods, as means over seeds. Trustworthiness looks at the nearest neighbours in the layout, in all classes or within one. No interval is drawn.", "name": "fig-visualisation-measures"}, "image": {"alt": "Two rows of four panels, two units above three: accuracy of the vote, correlation of distances, trustworthiness and trustworthiness within the classes against beta, one colour for each K. The most accurate networks with three units have a vote of {glue:text}`vis_best_vote_3:.2f` and a correlation of {glue:text}`vis_best_correlation_3:.2f`, at K = {glue:text}`vis_best_scale_3` and beta {glue:text}`vis_best_beta_3`; PCA has {glue:text}`vis_other_vote_3_pca:.2f` and {glue:text}`vis_other_correlation_3_pca:.2f`."}}
drawn.measure_curves(result);

# %% [markdown]
# ## How to read it
#
# A layout at the upper right would do what the discussion proposes. A network is ahead of a method if it lies higher and further to the right, as a mean over {glue:text}`vis_seeds` seeds:
#
# | ahead of | two units | three units |
# |---|---|---|
# | PCA | {glue:text}`vis_ahead_2_pca` | {glue:text}`vis_ahead_3_pca` |
# | UMAP | {glue:text}`vis_ahead_2_umap` | {glue:text}`vis_ahead_3_umap` |
# | supervised UMAP | {glue:text}`vis_ahead_2_supervised` | {glue:text}`vis_ahead_3_supervised` |
#
# Networks with large β and K = 10 keep distances well and lose their classes; those with small β do the reverse. UMAP is made to keep neighbours and not distances, so that its place on the left is no failure of it.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun visualisation betas="[0, 1, 10]" seeds=1
# ```
#
# The figures then show three β, with one network for each K.
# :::
#
# ## Numbers
#
# Means over {glue:text}`vis_seeds` seeds. The classifier's accuracy is that of the network's own last layer on all test images; K d(Φ)/d(x) is 1 where the isometry term has reached its aim.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.measure_table(result).round(3)

# %% [markdown]
# The layouts that are compared:

# %% tags=["nbval-check-output", "hide-input"]
print(*(f"{name}: {size}" for name, size in result.sizes.items()), sep="\n")

# %% [markdown]
# Gains of the most accurate networks over each method, with 95 % intervals over {glue:text}`vis_seeds` seeds, and for the vote over {glue:text}`vis_images` images too:
#
# | | vote, two units | correlation, two units | vote, three units | correlation, three units |
# |---|---|---|---|---|
# | over PCA | {glue:text}`vis_vote_over_2_pca` | {glue:text}`vis_correlation_over_2_pca` | {glue:text}`vis_vote_over_3_pca` | {glue:text}`vis_correlation_over_3_pca` |
# | over UMAP | {glue:text}`vis_vote_over_2_umap` | {glue:text}`vis_correlation_over_2_umap` | {glue:text}`vis_vote_over_3_umap` | {glue:text}`vis_correlation_over_3_umap` |
# | over supervised UMAP | {glue:text}`vis_vote_over_2_supervised` | {glue:text}`vis_correlation_over_2_supervised` | {glue:text}`vis_vote_over_3_supervised` | {glue:text}`vis_correlation_over_3_supervised` |
#
# ## Beside the paper
#
# The paper proposes this use and shows no number. Its networks have 100 units in the last hidden layer; here only that layer is narrowed.
#
# ## How it was done
#
# `lil.recipes.visualisation` describes the networks, and `lil.experiments.visualisation.evaluate` lays out and measures the first test images. PCA, UMAP and supervised UMAP are fitted to training images and applied to the test images,
# as the networks are. The vote asks the nearest training images in the layout.
#
# The numbers in the text are those of `lil.paper.tables.visualisation.numbers`.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(visualisation, result)

# %% [markdown]
# ## Where it might be wrong
#
# * The networks saw all training images, the other methods the first of them alone. PCA and UMAP saw no labels.
# * Five epochs and the text's learning rate. Networks with so narrow a layer learn slowly, and longer training could raise their accuracy.
# * The most accurate network of each width was chosen on test images: its accuracy is favoured by that choice. All others stand in the table.
# * The vote favours layouts with tight clusters, the correlation layouts that spread as the images do. Trustworthiness asks for neighbours alone.
# * UMAP with its default settings. With more neighbours it keeps more of the large distances.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
