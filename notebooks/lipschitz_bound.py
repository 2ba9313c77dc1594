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
# # The Lipschitz constant and the gradient bound, measured
#
# The paper explains robustness by a chain: the isometry term makes the representation Φ nearly an isometry, so its Lipschitz constant is about 1, so the
# gradient of the loss is bounded (Eq. 6), so attacks are weak. How far does each link hold in the trained networks of Figures 2, 3A and 4?
#
# ## Finding
#
# * *The constant.* From β = 0 to the largest β, the local constant of Φ at the median point is multiplied by {glue:text}`lb_rings_change` on the rings, by
#   {glue:text}`lb_images_change` on {glue:text}`lb_images_data` with K = 1 and by {glue:text}`lb_public_change` with K = 10 (means over seeds, 95 % intervals).
# * *Eq. 6.* It holds at every point with a true bound of the constant. With the constant of an isometry, the bound on the cross-entropy's gradient holds at
#   {glue:text}`lb_images_last_holds_cross_entropy` of the points with K = 1, at
#   {glue:text}`lb_public_last_holds_cross_entropy` with K = 10, and at
#   {glue:text}`lb_rings_last_holds_cross_entropy` on the rings (largest β, lowest and highest seed).
# * *Robustness.* The rank correlation of the local constant of Φ with the share of rightly classified images that stay right under PGD is {glue:text}`lb_images_rank_local`
#   (K = 1, ε = {glue:text}`lb_images_rank_at:.2g`), and {glue:text}`lb_public_rank_local` (K = 10, ε = {glue:text}`lb_public_rank_at:.2g`). The ledger's entries average this
#   share over all ε, so that their correlations are others.

# %% tags=["hide-input", "with-all-code"]
import matplotlib.pyplot as plt

from lil import plotting, results
from lil.experiments import lipschitz_bound
from lil.paper import notebook
from lil.paper.tables import lipschitz as tables
from lil.plotting import lipschitz

plotting.style()

# %% tags=["remove-input"]
notebook.findings("nb/lipschitz_bound", "eq-6", "constant-median", "constant-largest", "constant-explains")

# %% tags=["parameters", "hide-input", "with-all-code"]
profile = "paper"  # or "quick", the same code in seconds
mode = "auto"  # or "live" or "recorded"
# Settings in place of the profile's; None keeps those.
seeds = None  # a number, that many of the first seeds, or a list of them
epsilons = None  # sizes γ of the attack, as in [0.05, 0.1, 0.2]
n_images = None  # test images, the first

# %% tags=["hide-input", "with-all-code"]
settings = dict(seeds=seeds, epsilons=epsilons, n_images=n_images)
result = results.get(lipschitz_bound, profile, mode, **settings)
readings = tables.readings(result)
notebook.glue_all("lb", tables.numbers(result))
notebook.changed(result)

# %% [markdown]
# ## The constant, from below and from above
#
# The true constant of a network lies between the largest lower bound and the product of the layers' norms.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Every estimate of the Lipschitz constant of Φ, times K, on a logarithmic axis, one row for each of {glue:text}`lb_networks` networks. Pairs within a class (bar), pairs between classes (cross) and the local constant at all points (line, with a dot at the median) are lower bounds. The product of spectral norms (arrow) is an upper bound. The dashed line is at 1, the constant of an isometry. No interval is drawn.", "name": "fig-lipschitz-constants"}, "image": {"alt": "Rows of marks on a logarithmic axis, one row per network, in six groups: rings, three levels of the torus, and images in two readings; orange without the isometry term, green with it. From beta zero to the largest, the local constant at the median point goes from {glue:text}`lb_rings_first_median:.2f` to {glue:text}`lb_rings_last_median:.2f` on the rings, from {glue:text}`lb_images_first_median:.2f` to {glue:text}`lb_images_last_median:.2f` on images with K = 1 and from {glue:text}`lb_public_first_median:.1f` to {glue:text}`lb_public_last_median:.2f` with K = 10."}}
lipschitz.constants(result);

# %% [markdown]
# ## In which direction?
#
# The isometry term sees pairs of data. An attack may go anywhere. So the stretch of Φ is measured at each point towards the nearest point of the same class,
# in random directions, and in the direction of FGSM on the cross-entropy.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "K times the stretch of Φ in three directions, on a logarithmic axis. A dot is one of {glue:text}`lb_networks` networks, at the median over its points. Orange is β = 0, green β > 0, the darker the larger. No interval is drawn.", "name": "fig-lipschitz-directions"}, "image": {"alt": "Six panels of dots, for each data set and reading three groups: towards the nearest point of the class, random, and attack. On images at the largest beta they lie at {glue:text}`lb_images_last_along_neighbour:.2f`, {glue:text}`lb_images_last_along_random:.2f` and {glue:text}`lb_images_last_along_attack:.2f` with K = 1, and at {glue:text}`lb_public_last_along_neighbour:.2f`, {glue:text}`lb_public_last_along_random:.2f` and {glue:text}`lb_public_last_along_attack:.2f` with K = 10."}}
figure, axes = plt.subplots(1, len(tables.data_names(result)), figsize=(13, 3.4), sharey=True)
lipschitz.stretches(axes, result);

# %% [markdown]
# ## Both sides of Eq. 6
#
# At each point, the norm of the gradient against its bound ({eq}`bound-cse`, {eq}`bound-iso`), with three constants: the local one, the product of spectral norms, and Λ = 1/K, as if
# K Φ were an isometry around each point. With the first two the bound is proven. It was violated at {glue:text}`lb_violated_local:.1%` and {glue:text}`lb_violated_product:.1%` of the
# points of the worst network.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Eq. 6 on images with K = 1, at a few points of each of {glue:text}`lb_images_rank_networks` networks. Both axes are norms of gradients, logarithmic. A point above the dashed line violates the inequality. No interval is drawn.", "name": "fig-lipschitz-sides"}, "image": {"alt": "Six scatter plots, two rows for the cross-entropy and the isometry term, three columns for the constant, with a dashed diagonal. The bound is violated at {glue:text}`lb_violated_local:.1%` of the points of the worst network with the local constant and at {glue:text}`lb_violated_product:.1%` with the product of spectral norms; with the constant of an isometry the cross-entropy's bound holds at {glue:text}`lb_images_last_holds_cross_entropy` of the points at the largest beta."}}
figure, axes = plt.subplots(2, 3, figsize=(10, 6), sharey="row")
lipschitz.both_sides(axes, readings["images"]);

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Eq. 6 on images with K = 10, at a few points of each of {glue:text}`lb_public_rank_networks` networks. Both axes are norms of gradients, logarithmic. A point above the dashed line violates the inequality. No interval is drawn.", "name": "fig-lipschitz-sides-public"}, "image": {"alt": "Six scatter plots like those above, for the networks with K = 10. The bound is violated at {glue:text}`lb_violated_local:.1%` of the points of the worst network with the local constant and at {glue:text}`lb_violated_product:.1%` with the product of spectral norms; with the constant of an isometry the cross-entropy's bound holds at {glue:text}`lb_public_last_holds_cross_entropy` of the points at the largest beta."}}
figure, axes = plt.subplots(2, 3, figsize=(10, 6), sharey="row")
lipschitz.both_sides(axes, readings["public"]);

# %% [markdown]
# ## What it certifies, and what an attack leaves
#
# Margin and upper bound certify a radius in which no perturbation changes a point's class ({eq}`certified-radius`). Above the certificate an
# attack sets the other limit: projected gradient ascent on the cross-entropy. The robust accuracy lies between the two curves of a network.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Images: accuracy under attack (solid) and certified accuracy (dotted) of each of {glue:text}`lb_images_rank_networks` networks of a reading, on {glue:text}`lb_points` test images. Left, at most ε in each pixel, in pixel values from 0 to 1; right, the Euclidean certificate alone. No interval is drawn.", "name": "fig-lipschitz-certificates"}, "image": {"alt": "Four panels of falling curves, two for each reading, over a logarithmic axis of epsilon: solid attack curves, and dotted certificates that fall at far smaller epsilon. At epsilon {glue:text}`lb_certified_at` the certificate covers {glue:text}`lb_images_certified_first` of the images at beta zero and {glue:text}`lb_images_certified_last` at the largest beta with K = 1, and {glue:text}`lb_public_certified_first` and {glue:text}`lb_public_certified_last` with K = 10."}}
figure, axes = plt.subplots(2, 2, figsize=(10, 7), sharex="col", sharey=True)
lipschitz.certificates(axes, readings);

# %% [markdown]
# ## Does a smaller bound go with more robustness?
#
# Three candidates, on the networks of images: the bound on the cross-entropy's gradient (median over the points, with the local constant), the local constant of Φ, and
# that of the logits. Robustness is the share of rightly classified images that stay right under projected gradient ascent, at one ε: that of {numref}`fig-lipschitz-certificates` at
# which the mean of this share is nearest to one half, so that networks can differ.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Images: three measures that the theory suggests, on logarithmic axes, against the share of rightly classified images that PGD leaves right at one ε. There is one row per reading, and one dot for each of its {glue:text}`lb_images_rank_networks` networks. No interval is drawn.", "name": "fig-lipschitz-robustness"}, "image": {"alt": "Six scatter plots, one row per reading, of the share that PGD leaves right against the bound on the gradient, the local constant of the representation and that of the logits. With K = 1 its rank correlation with the local constant of the representation is {glue:text}`lb_images_rank_local`; with K = 10 it is {glue:text}`lb_public_rank_local`."}}
figure, axes = plt.subplots(2, 3, figsize=(10, 7), sharey="row")
lipschitz.against_robustness(axes, readings);

# %% [markdown]
# ## How to read it
#
# All constants of Φ are multiplied by K, the factor of the isometry loss, so that an isometry has the constant 1 in every reading. Orange is β = 0. Green marks to the left of
# orange ones in {numref}`fig-lipschitz-constants` are networks that the isometry term has given a smaller constant.
#
# :::{admonition} Try it
# :class: tip
#
# ```bash
# lil rerun lipschitz_bound seeds=1 --profile quick
# ```
#
# The figures then show small networks, one for each data set, reading and β.
# :::
#
# ## Numbers
#
# Of the representation Φ of each network: the largest ratio $d(\Phi)/d(x)$ over pairs `within` a class and `between` classes; the local constant, the
# largest singular value of the Jacobian, as `median` over the points and `largest` of them; and the `product` of the spectral norms of the layers.
# `forced` is the ratio that the margins between classes demand
# of any representation with the same classifier ({prf:ref}`prop-margins`). An isometry has 1 in `within`, `between`, `median` and `largest`.
# Medians over the seeds, by data set, reading and β:

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
table = tables.by_beta(tables.constants_table(result))
table.assign(product=table["product"].map("{:.2e}".format)).round(2)

# %% [markdown]
# The stretch in each direction; `most` is the local constant, the stretch in the worst direction. Medians over the points and then over seeds:

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.by_beta(tables.stretch_table(result)).round(2)

# %% [markdown]
# The norm of the gradient divided by its bound: the median over the points, with the local constant at that point (`local`), with the product of spectral norms (`product`), and with
# Λ = 1/K (`one`). `holds` is the share of points at which the bound with Λ = 1/K holds. Medians over the seeds:

# %% tags=["nbval-check-output", "hide-cell"] mystnb={"code_prompt_show": "Show the table", "code_prompt_hide": "Hide the table"}
tables.by_beta(tables.sides_table(result)).round(3)

# %% [markdown]
# Certificates and attack:

# %% tags=["nbval-check-output", "hide-input", "scroll-output"]
tables.certificate_table(result).round(3)

# %% [markdown]
# A rank correlation of −1 would say that a smaller value always means more robustness. The intervals (95 %) are from a bootstrap over the networks of a reading, and treat them as
# independent of each other:

# %% tags=["hide-input"]
tables.ranks_table(result).round(3)  # nbval does not check it: at the quick scale there are few networks

# %% [markdown]
# ## Beside the paper
#
# The paper's discussion says that "it is unclear what the Lipschitz constant of a traditional cross-entropy trained neural network is", and adds: "If such networks turned out to have an even smaller Lipschitz constant almost everywhere except at a few breaking
# points … there would have to be a different explanation for the improvement in robustness". Medians over the seeds; constants of Φ times K:
#
# | | rings, β = 0 | β = {glue:text}`lb_rings_beta_last:g` | {glue:text}`lb_images_data`, β = 0 | β = {glue:text}`lb_images_beta_last:g` | {glue:text}`lb_public_data`, β = 0 | β = {glue:text}`lb_public_beta_last:g` |
# |---|---|---|---|---|---|---|
# | largest ratio of a pair within a class | {glue:text}`lb_rings_first_within:.2f` | {glue:text}`lb_rings_last_within:.2f` | {glue:text}`lb_images_first_within:.2f` | {glue:text}`lb_images_last_within:.2f` | {glue:text}`lb_public_first_within:.2f` | {glue:text}`lb_public_last_within:.2f` |
# | largest ratio of a pair between classes | {glue:text}`lb_rings_first_between:.2f` | {glue:text}`lb_rings_last_between:.2f` | {glue:text}`lb_images_first_between:.2f` | {glue:text}`lb_images_last_between:.2f` | {glue:text}`lb_public_first_between:.2f` | {glue:text}`lb_public_last_between:.2f` |
# | local constant of Φ: median over the points | {glue:text}`lb_rings_first_median:.2f` | {glue:text}`lb_rings_last_median:.2f` | {glue:text}`lb_images_first_median:.2f` | {glue:text}`lb_images_last_median:.2f` | {glue:text}`lb_public_first_median:.2f` | {glue:text}`lb_public_last_median:.2f` |
# | local constant of Φ: exceeded at 5 % of them | {glue:text}`lb_rings_first_most:.2f` | {glue:text}`lb_rings_last_most:.2f` | {glue:text}`lb_images_first_most:.2f` | {glue:text}`lb_images_last_most:.2f` | {glue:text}`lb_public_first_most:.2f` | {glue:text}`lb_public_last_most:.2f` |
# | local constant of Φ: at the worst point | {glue:text}`lb_rings_first_largest:.2f` | {glue:text}`lb_rings_last_largest:.2f` | {glue:text}`lb_images_first_largest:.2f` | {glue:text}`lb_images_last_largest:.2f` | {glue:text}`lb_public_first_largest:.2f` | {glue:text}`lb_public_last_largest:.2f` |
# | local constant of the logits: median | {glue:text}`lb_rings_first_logits:.2f` | {glue:text}`lb_rings_last_logits:.2f` | {glue:text}`lb_images_first_logits:.2f` | {glue:text}`lb_images_last_logits:.2f` | {glue:text}`lb_public_first_logits:.2f` | {glue:text}`lb_public_last_logits:.2f` |
# | upper bound of Φ's constant | {glue:text}`lb_rings_first_upper:.0f` | {glue:text}`lb_rings_last_upper:.0f` | {glue:text}`lb_images_first_upper:.0f` | {glue:text}`lb_images_last_upper:.0f` | {glue:text}`lb_public_first_upper:.0f` | {glue:text}`lb_public_last_upper:.0f` |
#
# The true constant over all inputs lies between the largest ratio or local constant found and the upper bound. So the answer to the open question depends on where one looks, and on K. At the median point the isometry
# term makes the local constant of Φ {glue:text}`lb_rings_verdict` on the rings ({glue:text}`lb_rings_change` times that at β = 0), {glue:text}`lb_images_verdict` on {glue:text}`lb_images_data` with K = 1
# ({glue:text}`lb_images_change` times) and {glue:text}`lb_public_verdict` with K = 10 ({glue:text}`lb_public_change` times). Where it is larger, a smaller local constant at the median point cannot be the explanation of more robustness. Where it is smaller,
# it may be a part of it, together with the weights of the classifier, which the row of the logits includes. The constant of Definition 3.1 is nearer to the largest one found, which the ledger compares by itself (*few breaking points*, above).
#
# ## What it means
#
# *The theorem holds, as it must:* no point violates the bound with the local constant or with the product of spectral norms. Whether it holds with Λ = 1/K is a question about the network: see
# `holds` in the table of both sides, by β. An isometry on pairs of data need not be one around the data.
#
# *The constant is about directions.* In {numref}`fig-lipschitz-directions` the term asks for 1 towards other points of the class, and for nothing in any other direction. At β = {glue:text}`lb_images_beta_last:g`,
# K times the median stretch is {glue:text}`lb_images_last_along_neighbour:.2f` towards the nearest point of the class,
# {glue:text}`lb_images_last_along_random:.2f` in random directions and {glue:text}`lb_images_last_along_attack:.2f` in the direction of the attack with K = 1;
# {glue:text}`lb_public_last_along_neighbour:.2f`, {glue:text}`lb_public_last_along_random:.2f` and {glue:text}`lb_public_last_along_attack:.2f` with K = 10.
#
# *Between certificate and attack lies what is not known.* At ε = {glue:text}`lb_certified_at` the product certifies {glue:text}`lb_images_certified_first` at β = 0 and {glue:text}`lb_images_certified_last` at
# β = {glue:text}`lb_images_beta_last:g` with K = 1, {glue:text}`lb_public_certified_first` and {glue:text}`lb_public_certified_last` with K = 10 (95 % intervals over seeds). The attack leaves {glue:text}`lb_images_attacked_first` and
# {glue:text}`lb_images_attacked_last`, {glue:text}`lb_public_attacked_first` and {glue:text}`lb_public_attacked_last`.
#
# *Smaller, and more robust?* Over the {glue:text}`lb_images_rank_networks` networks of a reading, at ε = {glue:text}`lb_images_rank_at:.2g` (K = 1) and {glue:text}`lb_public_rank_at:.2g` (K = 10):
#
# | rank correlation with robustness | K = 1 | K = 10 |
# |---|---|---|
# | bound on the cross-entropy's gradient | {glue:text}`lb_images_rank_bound` | {glue:text}`lb_public_rank_bound` |
# | local constant of Φ | {glue:text}`lb_images_rank_local` | {glue:text}`lb_public_rank_local` |
# | local constant of the logits | {glue:text}`lb_images_rank_logits` | {glue:text}`lb_public_rank_logits` |
#
# ## How it was done
#
# The networks are those of the figures. `lil.lipschitz` estimates their constants, `lil.gradient_bound` both sides of Eq. 6, and
# `lil.attacks` attacks them, with 20 steps of projected gradient ascent at the paper's scale. The points are the test draw of the rings, the torus itself (of which the paper has one draw), and the first
# {glue:text}`lb_points` test images. {doc}`/theory/lipschitz` and {doc}`/theory/gradient_bound` prove the parts of the chain that can be proven. The numbers in the text, and on the pages of the theory, are those
# of `lil.paper.tables.lipschitz.numbers`.
#
# Every setting, with the comment that stands beside it in the code:

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the settings", "code_prompt_hide": "Hide the settings"}
notebook.settings(lipschitz_bound, result)

# %% [markdown]
# ## Where it might be wrong
#
# * *A correlation is no cause.* Over networks of different β it does not say which of the things that β changes is the cause.
# * *One ε.* At larger ε the attack leaves no network anything, and nothing can be compared there.
# * *One attack and one certificate.* A stronger attack lowers its curve, never below the certificate. {doc}`certificates` has certificates that reach further.
# * *Networks of points and pixels.* {doc}`lipschitz_bound_cifar10` has the networks of CIFAR10, which read features of the VGG13.

# %% tags=["hide-input", "with-all-code"]
results.footer(result)
