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
# # Table 1's CIFAR10 row, with the backbone trained along
#
# The paper prints {glue:text}`trained_printed` for six β. Does a backbone that is trained along with the LIL, as in the last public commits, give these numbers?
#
# ## Finding
#
# One network was trained for each β (n = {glue:text}`trained_vgg13_seeds`), and a printed number is given if accuracy lies within {glue:text}`trained_within` of it.
#
# * *VGG13 trained along*, β = {glue:text}`trained_vgg13_betas`: gives {glue:text}`trained_vgg13_given`. Its root mean square difference from the printed row is {glue:text}`trained_vgg13_by:.3f`.
# * *The CNN of the last public commit, 7167a91*, β = {glue:text}`trained_cnn_betas`: gives {glue:text}`trained_cnn_given`. Its difference is {glue:text}`trained_cnn_by:.3f`.
#
# From β = 0 to β = {glue:text}`trained_largest` accuracy falls by {glue:text}`trained_printed_drop:.3f` in the paper, by {glue:text}`trained_vgg13_drop` with the VGG13 and by {glue:text}`trained_cnn_drop` with the CNN.
# Accuracy at β = {glue:text}`trained_largest` is half of that at β = 0, or less, with: {glue:text}`trained_falling`.
#
# A backbone that gives the numbers need not be the authors'. {doc}`table1_cifar10` tries another origin, the scale of frozen features.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt
from IPython.display import display

from lil import plotting, results
from lil.experiments import table1_cifar10, table1_cifar10_trained, table1_cifar10_trained_between
from lil.paper import notebook
from lil.paper.numbers import TABLE_1
from lil.paper.tables import table1_cifar10_trained as tables
from lil.paper.tables.table1_cifar10 import row_table
from lil.plotting import robustness
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
# With β of the reader's own, the first experiment has them all; else the second one adds the CNN at β = 1.
experiments = [table1_cifar10_trained, *([table1_cifar10_trained_between] if betas is None else [])]
parts = [results.get(experiment, profile, mode, **settings) for experiment in experiments]
trained = tables.joined(*parts)
scaled = results.get(table1_cifar10, profile, mode, **settings)
notebook.glue_all("trained", tables.numbers(trained))
notebook.changed(trained)

# %% tags=["hide-input", "with-all-code"]
title = notebook.title(trained, "cifar10")
notebook.computed_on(title)

# %% [markdown]
# ## The row

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy on the test images for each β, for LILs whose backbone is trained along, to keep distances between pixels. Lines join the means over seeds of the β that were trained, dots are networks, crosses the paper's numbers. Seeds: {glue:text}`trained_vgg13_seeds` (VGG13) and {glue:text}`trained_cnn_seeds` (CNN). No interval is drawn.", "name": "fig-trained-row"}, "image": {"alt": "Accuracy against beta: a line for each of two trained backbones, and crosses for the paper, at {glue:text}`trained_printed`. At beta {glue:text}`trained_largest` the VGG13 has fallen by {glue:text}`trained_vgg13_drop` to {glue:text}`trained_vgg13_last:.3f`, the CNN by {glue:text}`trained_cnn_drop` to {glue:text}`trained_cnn_last:.3f`."}}
figure, ax = plt.subplots(figsize=(8.5, 4))
drawn.backbones(ax, trained, TABLE_1["cifar10"]).set_title(title);

# %% [markdown]
# ## Figure 3B at the last public commit
#
# The networks on the CNN are the reading of commit 7167a91, so their accuracy under FGSM is that commit's Figure 3B. They were attacked on the first {glue:text}`trained_attacked` test images, each through its own backbone.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy against the size ε of the attack, in pixel values from 0 to 1 on a logarithmic axis, for LILs with the CNN of commit 7167a91 trained along. Left: along the gradient of the total loss with distances of pixels, as in that commit. Right: along that of the cross-entropy alone. Seeds: {glue:text}`trained_cnn_seeds`; test images: the first {glue:text}`trained_attacked`. No interval is drawn. Crosses are Table 1 of the paper.", "name": "fig-trained-attack"}, "image": {"alt": "Two panels of accuracy against the attack size on a logarithmic axis, one line per beta from orange for zero to dark green for the largest. At epsilon {glue:text}`trained_cnn_epsilon` beta zero keeps {glue:text}`trained_cnn_base:.3f`; the largest beta gains {glue:text}`trained_cnn_paper_gain:+.3f` on the left and {glue:text}`trained_cnn_attacker_gain:+.3f` on the right."}}
robustness.attack_panels(tables.robust(trained, "cnn"), f"{title}, the reading of commit 7167a91", "cifar10");

# %% [markdown]
# ## How to read it
#
# A line that meets the crosses at one β explains one number. A backbone explains the row if its line meets every cross at which it was trained, and the other β remain open.
#
# ## Numbers
#
# Means over the networks of each β; `apart` is the root mean square difference from the paper's row, over the β that were trained:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
row_table(trained, tables.TRAINED)

# %% [markdown]
# Which origin gives which number? Each printed number beside the means of frozen features, as they are and at the scale that comes nearest to the row ({doc}`table1_cifar10`), and of both
# trained backbones. The nearest of four is near by chance more often than one:

# %% tags=["hide-input"]
tables.origins_table(trained, scaled)

# %% [markdown]
# Accuracy on the training images in each epoch of training:

# %% tags=["hide-input"]
tables.history_table(trained)

# %% [markdown]
# The VGG13: {glue:text}`trained_vgg13_rising` The CNN: {glue:text}`trained_cnn_rising`
#
# Accuracy of the networks on the CNN under FGSM:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.attack_table(trained, "cnn").round(3)

# %% [markdown]
# At ε = {glue:text}`trained_cnn_epsilon`, where the largest β gains most under the paper's attack, it gains {glue:text}`trained_cnn_paper_gain:+.3f` over β = 0 (accuracy {glue:text}`trained_cnn_base:.3f`);
# along the gradient of the cross-entropy, at the same ε, {glue:text}`trained_cnn_attacker_gain:+.3f`. With the VGG13 trained along the two gains are {glue:text}`trained_vgg13_paper_gain:+.3f` and
# {glue:text}`trained_vgg13_attacker_gain:+.3f` at ε = {glue:text}`trained_vgg13_epsilon`. With {glue:text}`trained_attacked` images and one seed per β, gains below {glue:text}`trained_sampling:.3f` can come from the choice of images alone.
# That ε was chosen after the attack, in favour of the gain.
#
# ## Beside the paper
#
# The text freezes the VGG13. In the public code the lines that freeze it are commented out from commit 050ff84 on; {doc}`table1_cifar10` lists the versions.
#
# The networks with the CNN are those of commit 7167a91, the last public one. Those with a VGG13 trained along are a mixture: its weights as in the first commits, its training as in the last; no commit does that.
#
# ## How it was done
#
# `lil.recipes.trained_along` trains backbone and LIL together. Batch norms of the VGG13 stay in eval mode, as in the public code.
# Trainings that are killed go on from their last epoch, with other threads too: in the record all ran on one, but for the last 3000 steps of the CNN at β = 0, on two.
# In the record, the CNN at β = 1 was trained last, and is a result of its own: `table1_cifar10_trained_between`, with the settings of `cnn` below but for β.
# The numbers in the text are those of `lil.paper.tables.table1_cifar10_trained.numbers`. Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(table1_cifar10_trained, trained)

# %% [markdown]
# The β of the networks on the CNN, and distances of pixels within a class, on the first test images, beside what the tanh units can reach:

# %% tags=["nbval-check-output", "hide-input"]
print("β of the CNN:", tables.accuracies(trained, tables.TRAINED)[tables.TRAINED["cnn"]].beta.values)
print(f"mean distance of pixels within a class: {float(trained.input_distance.mean()):.3g}")
print(f"largest distance of two representations: {float(trained.reach.max()):.1f}")
print(f"share of the pairs that lie further apart: {float(trained.beyond.max()):.3f}")

# %% [markdown]
# ## Where it might be wrong
#
# * *One network per β:* no spread over seeds, hence no intervals. In the record, the CNN was trained at three of the six β, as one training takes over half an hour.
# * *Epochs and rate of the VGG13 are ours.* At the public code's rate, 0.001, its pretrained weights were lost within the first steps here (not recorded). A rate of 0.0001 and five epochs is what the text's "five epochs" and two processor
#   cores allow. The changes in the last epoch, above, say how far from the end that is.
# * *Products of the backbones are in bfloat16 while they are trained*, where the processor has it. Everything is evaluated in float32.
# * *A backbone that gives the numbers need not be theirs.* Only the authors' weights, or the seeds and the commit of the printed row, would settle it.

# %% tags=["hide-input", "with-all-code"]
display(*(results.footer(part, "table1_cifar10_trained") for part in parts))
