"""The twelve claims of the paper that this companion tests, each with the conditions under which it counts as kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from lil.paper import measures as m
from lil.paper.numbers import TORUS_ACCURACY
from lil.paper.verdicts import Number


@dataclass(frozen=True)
class Measure:
    """Numbers of one experiment's result."""

    experiment: str
    of: Callable[[xr.Dataset], list[Number]]


@dataclass(frozen=True)
class Claim:
    """What the paper says, and what has to be seen for it to hold."""

    number: int
    name: str  # "rings-keep-distances"
    title: str  # for a row of a table
    statement: str  # in our words
    place: str  # in the paper
    measured: str  # on what, in words
    criterion: str  # the conditions, in words; as numbers they stand with the measures
    reason: str  # why these and no others
    pages: tuple[str, ...]  # of the book, that show it
    measures: tuple[Measure, ...]  # none: not testable, for the ``reason``

    @property
    def experiments(self) -> tuple[str, ...]:
        """Whose records it needs."""
        return tuple(measure.experiment for measure in self.measures)


DISENTANGLING = "“Disentangling entangled data”"
ROBUST = "“Isometric mappings are robust”"
ATTACKS = "“Robustness to adversarial attacks on MNIST and CIFAR10”"
HIERARCHY = "“Locally isometric layers and hierarchical representations”"

TABLE_1_NETWORKS = {
    "mnist_text": "MNIST",
    "mnist_public": "MNIST, public code",
    "cifar10_text": "CIFAR10",
    "cifar10_public": "CIFAR10, public code",
}
FIGURE_A1_NETWORKS = {"mnist_text": "MNIST", "mnist_public": "MNIST, public code", "cifar10_text": "CIFAR10"}

CLAIMS = (
    Claim(
        1,
        "rings-with-isometry",
        "Rings disentangled, distances kept",
        "A network trained with the isometry term takes two linked rings apart and keeps the distances within each "
        "ring “almost perfectly”, and so its topology.",
        f"{DISENTANGLING}, Figure 2",
        "The last hidden layer at a test draw of the rings, with the isometry term (β = 1).",
        f"For every seed: accuracy of at least {m.SEPARATED:g}; in both rings a correlation of at least {m.KEPT:g} "
        f"between distances before and after, nine in ten pairs with a ratio of distances within {m.WITHIN:g} of 1, "
        "and exactly one loop in the persistent homology.",
        "The correlation does not see a common factor and the ratio does, so both are asked. A tenth for nine pairs "
        "in ten is what we can grant to “almost”; one loop is what makes a ring a ring.",
        ("nb/fig2_rings",),
        (Measure("fig2_rings", m.rings_with_isometry),),
    ),
    Claim(
        2,
        "rings-without",
        "Cross-entropy alone breaks the rings",
        "Trained with cross-entropy alone, the network brings the points of a ring closer together, their distances "
        "follow an exponential shape, and the topological structure is lost.",
        f"{DISENTANGLING}, Figure 2",
        "The last hidden layer at a test draw of the rings, without the isometry term (β = 0).",
        f"For every seed: in both rings a median ratio of distances below {1 - m.WITHIN:g} and a correlation below "
        f"{m.KEPT:g}; at least one ring without exactly one loop; and distances that are nearer to an exponential law "
        f"than to the law of a ring, with a Kolmogorov–Smirnov statistic of at most {m.POOR_FIT:g}.",
        "The first three say that distances and loops are not kept, by what claim 1 asks for. An exponential law "
        "describes the distances if it misplaces no more than a tenth of the pairs; a test of significance would "
        "refuse any law with so many pairs.",
        ("nb/fig2_rings",),
        (Measure("fig2_rings", m.rings_without),),
    ),
    Claim(
        3,
        "lipschitz-derivative",
        "Isometries have bounded derivatives",
        "Isometric maps are 1-Lipschitz, and the derivative of a K-Lipschitz map is bounded by K (Propositions 3.1 "
        "and 3.2).",
        f"{ROBUST}, Propositions 3.1 and 3.2",
        "Both are proven in this book, with the hypotheses that they need: for the Euclidean norm, and for a "
        "derivative on an open set. What a number can refute is measured on all trained networks: no pair of points "
        "may be stretched, and no derivative be larger, than an upper bound of the Lipschitz constant allows.",
        "In every network of every seed both ratios to the upper bound are at most 1.",
        "A theorem has no exceptions; the 0.00001 above 1 are the rounding of the record.",
        ("theory/lipschitz", "nb/lipschitz_bound", "nb/lipschitz_bound_cifar10"),
        (Measure("lipschitz_bound", m.lipschitz_estimates), Measure("lipschitz_bound_cifar10", m.lipschitz_estimates)),
    ),
    Claim(
        4,
        "gradient-bound",
        "So the gradient is bounded (Eq. 6)",
        "By the isometry term the gradient of the loss with respect to the data is bounded, term by term, as in Eq. 6.",
        f"{ROBUST}, Eq. 6 and Appendix A.1",
        "Both sides of Eq. 6 at each test point of all networks, for three values of its constant: the norm of the "
        "derivative at that point, the product of spectral norms, and 1, which an isometry would have (here the "
        "networks with the largest β of each data set).",
        "For every seed: no point violates the inequality with the first two constants, and at most "
        f"{m.EXCEPTIONS:.0%} of the points of a network do with the third.",
        "With a true upper bound the inequality is a theorem. That training makes it one with the constant of an "
        "isometry is what the paper draws from it; a twentieth is granted to points at the decision boundary.",
        ("theory/gradient_bound", "nb/lipschitz_bound", "nb/lipschitz_bound_cifar10"),
        (Measure("lipschitz_bound", m.gradient_bound), Measure("lipschitz_bound_cifar10", m.gradient_bound)),
    ),
    Claim(
        5,
        "robustness-grows",
        "Robustness to FGSM grows starkly with β",
        "As β grows, robustness to FGSM improves starkly, on MNIST and on CIFAR10.",
        f"{ATTACKS}, Figure 3",
        "Accuracy under FGSM on all test images, averaged over the ten sizes of the attack; with the paper's "
        "objective (the whole training loss, as in Eq. 6) and with an attacker's (the cross-entropy alone); in the "
        "text's reading of the method and in the public code's.",
        f"For every seed, data set, reading and objective: the best β > 0 gains at least {m.STARK:g} over β = 0, and "
        f"the rank correlation of accuracy with β is at least {m.TREND:g}. The conditions with the attacker's "
        "objective go beyond the paper's protocol.",
        "The average runs over sizes that hardly change an image and sizes that erase it, where nothing can be "
        "gained: five points on average are about twice that in between. A rank correlation of 0.8 lets neighbouring "
        "β of six change places.",
        ("nb/fig3_mnist", "nb/fig3_cifar10", "nb/attackers_view", "nb/attackers_view_cifar10"),
        (
            Measure("fig3_mnist", m.robustness("MNIST")),
            Measure("fig3_mnist_public", m.robustness("MNIST, public code")),
            Measure("fig3_cifar10", m.robustness("CIFAR10")),
            Measure("fig3_cifar10_public", m.robustness("CIFAR10, public code")),
        ),
    ),
    Claim(
        6,
        "accuracy-and-beta",
        "Small β keeps accuracy, large β costs it",
        "Small β keeps the accuracy on clean images around that of cross-entropy alone or above it; large β degrades "
        "it.",
        f"{ATTACKS}, Table 1",
        "Accuracy on all clean test images, against that of the same seed at β = 0; in the text's reading of the "
        "method and in the public code's.",
        f"For every seed and data set: at β = 0.001, 0.01 and 0.1 at most {m.AROUND:g} below β = 0, and at β = 10 at "
        f"least {m.AROUND:g} below it.",
        "One point is the same distance for both halves of the claim, and more than two networks of ten thousand "
        "images differ by chance of the images alone.",
        ("nb/table1",),
        (Measure("table1", m.accuracy_and_beta(TABLE_1_NETWORKS)),),
    ),
    Claim(
        7,
        "histograms-follow",
        "Distances follow the input's as β grows",
        "As β grows, the histogram of distances within the classes follows that of the inputs.",
        "Appendix Figure 1",
        "The Wasserstein distance between the distances of representations and those of inputs, over all pairs of "
        "one class among the first test images, as a share of the mean distance of the inputs.",
        f"For every seed and set of networks: at most {m.FOLLOWS:g} at β = 10, and a rank correlation with β of at "
        f"most −{m.TREND:g}.",
        "To follow is to be near, a tenth of the mean distance as in claim 1, and to come nearer with β.",
        ("nb/figA1_distances",),
        (Measure("figA1_distances", m.distances_and_beta(FIGURE_A1_NETWORKS)),),
    ),
    Claim(
        8,
        "torus-levels",
        "Stacked LILs split a torus, metric kept",
        f"Stacked LILs split a torus into two, four and eight classes with a rate above {TORUS_ACCURACY.value:g} on "
        "each level, and keep the metric structure within the classes.",
        f"{HIERARCHY}, Figure 4B",
        "Each level's representation at the points of the torus, which are also those of training, as in the paper; "
        "for arcs around the hole (the text) and bands of the tube (the public code).",
        f"For every seed, at each level: accuracy above {TORUS_ACCURACY.value:g}, a correlation of distances within "
        f"classes of at least {m.KEPT:g}, and a median ratio of distances within {m.WITHIN:g} of 1.",
        "The first number is the paper's. The other two are those of claim 1, with the median alone in place of nine "
        "pairs in ten: of the torus the paper does not say “almost perfectly”.",
        ("nb/fig4_torus",),
        (Measure("fig4_torus", m.torus_levels),),
    ),
    Claim(
        9,
        "torus-gradients",
        "The gradient is largest near the cuts",
        "The norm of the gradient with respect to the input is maximised around the decision regions of the torus.",
        f"{HIERARCHY}, Figure 4C",
        "The gradient of the logit of a point's own class: its Euclidean norm with the text's cut, its largest "
        "coordinate with the public code's. A point is at a cut if it lies within one step of the grid of one.",
        "For every seed, at each level: the largest gradient of all points lies at a cut, and the median gradient at "
        f"the cuts is at least {m.STANDS_OUT:g} times that of all other points.",
        "The first condition takes “maximised” literally, but is about one point; the second asks that the regions "
        "as a whole stand out, for which twice is the least that the eye sees in a picture.",
        ("nb/fig4_torus",),
        (Measure("fig4_torus", m.torus_gradients),),
    ),
    Claim(
        10,
        "smaller-constant",
        "LIL lowers the Lipschitz constant",
        "The isometry term imposes a small Lipschitz constant, which explains the robustness. What constant a "
        "network trained with cross-entropy alone has, the discussion leaves open: were it smaller almost "
        "everywhere, “there would have to be a different explanation”.",
        "Discussion, “Robustness to adversarial attacks”",
        "Estimates of the Lipschitz constant of the representation, for rings and images: the local constant at the "
        "median point, and the largest that any point or pair of points shows. At the largest β, over that of the "
        "same seed at β = 0.",
        "For every seed and data set both ratios are below 1.",
        "The median point stands for “almost everywhere”, the largest for the “few breaking points”. Any ratio below "
        "1 is smaller; the numbers say by how much.",
        ("nb/lipschitz_bound", "nb/lipschitz_bound_cifar10"),
        (Measure("lipschitz_bound", m.lipschitz_constants), Measure("lipschitz_bound_cifar10", m.lipschitz_constants)),
    ),
    Claim(
        11,
        "not-competitive",
        "Robustness is below the state of the art",
        "The robustness on MNIST is not competitive with the state of the art (“data not shown”).",
        "Discussion, “Robustness to adversarial attacks”",
        "The best β of each seed under FGSM at the largest recorded ε up to 0.3, beside the accuracy that Madry et "
        "al. (2017, Table 1) report at ε = 0.3 for a network trained on attacked images, under a stronger attack: "
        f"projected gradient descent of 100 steps with 20 restarts leaves {m.PUBLISHED:.1%}.",
        f"For every seed, reading and objective: accuracy below {m.PUBLISHED - m.STARK:.3g}, five points under the "
        "published number.",
        "Size and kind of the attack both favour the LIL, so less accuracy settles the matter; more would not. The "
        "last of the linked pages trains relatives of the method, and on attacked images, and gives no verdict.",
        ("nb/fig3_mnist", "nb/baselines"),
        (
            Measure("fig3_mnist", m.against_published("MNIST")),
            Measure("fig3_mnist_public", m.against_published("MNIST, public code")),
        ),
    ),
    Claim(
        12,
        "other-metrics",
        "Other metrics, and visualisation",
        "The approach extends to metrics other than the Euclidean, and LILs can be used to reduce dimensions and "
        "visualise data.",
        "Discussion, “Advantages of isometric mappings” and “Hierarchical splitting of representations”",
        "Nothing: the paper shows neither, and no result recorded here uses another metric or a layer of two or "
        "three neurons.",
        "None was set.",
        "The claim is about possibility, and names no data, metric or number that could fail. It can be tried: every "
        "function of lil.isometry takes a metric, and lil.isometry.manhattan is one.",
        ("method",),
        (),
    ),
)
