"""Measures of the ledger: pure functions from a recorded result to an effect with its interval and its finding.

A new proposition needs one function here and one entry in ``claims.toml``:

1. The function takes a result, ``where`` (the beginning of its sentence, "On MNIST") and the words of the entry by
   name. It takes differences seed by seed first, and returns an :class:`Effect`: the interval of
   :func:`lil.paper.intervals.over_seeds`, or of ``over_seeds_and_images`` where each image's answer is recorded, and
   one sentence. Numbers go through :func:`amount`, gains and losses through :func:`change`, counts through
   :func:`counted` and :func:`some_of`: their branches are tested::

       def half_radius(result, *, where, beta):
           gain = over_seeds(result.half.sel(beta=beta) - result.half.sel(beta=0))
           return Effect(gain, f"{where}, β = {beta:g} {change(gain, 'ε at half accuracy')}.", 1000)

2. The entry is a ``[[claim.proposition]]`` under its claim: name, title, measured, condition ("≥ stark", a name of
   ``[thresholds]``; a new threshold gets its reason and its date there), measure, and one line for each data set and
   reading in ``cases``: ``{ on = "MNIST", reading = "public", record = "half_public", beta = 10.0 }``.
   ``opposite = 0`` lets it be refuted, ``stronger`` names entries of the same networks under stronger attacks,
   ``fixed`` dates a condition that is younger than its threshold.
3. The date of the experiment's first record stands in ``[records]``. ``lil claims`` prints the verdict,
   ``lil claims --freeze`` makes it the expected one. State the threshold before you look.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from lil.paper import numbers
from lil.paper.intervals import Interval, over_seeds, over_seeds_and_images, rank_correlation
from lil.paper.tables import config, metrics, visualisation, worst_case

KEPT = 0.99  # correlation from which distances count as kept
WITHIN = 0.1  # how far from 1 a ratio of distances may lie
SMALL_BETAS = (0.001, 0.01, 0.1)
TORUS_ACCURACY = numbers.TORUS_ACCURACY
PUBLISHED = 0.893  # accuracy that Madry et al. (2017, Table 1) report for MNIST under their strongest attack,
PUBLISHED_AT = 0.3  # at this ε: PGD with 100 steps and 20 restarts
BELOW_PUBLISHED = PUBLISHED - 0.05
BOUND = 1 + 1e-5  # a ratio of single precision that a theorem keeps at 1 or below
NEAR = 0.01  # clean accuracies that differ by no more count as equal
TEST_IMAGES = 10_000  # of MNIST, and of CIFAR10
OBJECTIVES = {"total": "the paper's attack", "classification": "FGSM on the cross-entropy alone"}
NOISES = {"sign": "random signs of size ε", "gaussian": "Gaussian noise of σ"}
PLAIN = {"lil": "plain", "lil_public": "plain_public"}  # readings of the isometry term, and their networks at β = 0
STACKS = {"text": "the stack", "both": "a stack with the mean over pairs and a falling learning rate"}
OTHERS = {
    "plain": "the same stack with β = 0",
    "deep": "a flat network of twelve layers",
    "shallow": "a flat network of four layers",
    "deep_both": "a flat network of twelve layers with the same",
    "shallow_both": "a flat network of four layers with the same",
}
ATTACKS = {"pgd": "PGD", "autoattack": "AutoAttack", "noise": "random noise"}


class Effect(NamedTuple):
    """An effect with its interval, and the sentence that states it."""

    interval: Interval
    finding: str
    size: int | None = None  # images that were classified, or points that were measured; None: not stated
    of: str = "image"  # or "point"
    over: str = "seed"  # or "network"

    @property
    def n(self) -> str:
        """Return "5 seeds, 500 images", and the kind of its interval where that is not one over seeds."""
        size = self.interval.images or self.size
        words = counted(self.interval.seeds, self.over) + (f", {counted(size, self.of)}" if size else "")
        if self.interval.images is not None:
            return f"{words}; interval over both"
        return words + ("; no interval" if np.isnan(self.interval.low) else "")


# Words


def counted(n: int, noun: str) -> str:
    """Return "1 seed" or "10,000 images"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def some_of(k: int, n: int, noun: str) -> str:
    """Return "all 10 rings", "3 of the 10 rings", "none of the 10 rings"; "the one ring", "not the one ring"."""
    if n == 1:
        return f"{'' if k else 'not '}the one {noun}"
    return {0: f"none of the {n} {noun}s", n: f"all {n} {noun}s"}.get(k, f"{k} of the {n} {noun}s")


def amount(interval: Interval, spec: str = ".3f") -> str:
    """Return the value and, unless all three look the same, its interval: "0.191 (0.174 to 0.209)"."""
    same = len({format(number, spec) for number in interval[:3]}) == 1
    words = format(interval._replace(low=np.nan) if same else interval, spec)
    return re.sub(r"[−+](0(\.0+)?%?(?![.\d]))", r"\1", words)  # no "−0.000"


def change(interval: Interval, noun: str) -> str:
    """Return "gains 0.191 (0.174 to 0.209) in accuracy", or that it loses, or that no clear change is shown."""
    value, low, high = interval[:3]
    alone = np.isnan(low)
    if amount(interval) == "0.000":
        return f"shows no change in {noun}: 0.000"
    if low > 0 or (alone and value > 0):
        return f"gains {amount(interval)} in {noun}"
    if high < 0 or alone:
        return f"loses {amount(interval._replace(value=-value, low=-high, high=-low))} in {noun}"
    return f"shows no clear change in {noun}: {amount(interval)}"


def _cut(interval: Interval, least: float = 0.0) -> Interval:
    """Return the interval of a share, cut at 0 and 1; of a correlation, at −1 and 1."""
    low, high = np.clip(interval[1:3], least, 1).tolist()
    return interval._replace(low=low, high=high)


def _exact(value: float, networks: int) -> Interval:
    """Return the interval of the largest value of all networks, which has no width."""
    return Interval(value, value, value, networks)


def _best(values: xr.DataArray) -> float:
    """Return the β > 0 with the highest mean over seeds: the choice that is kindest to a gain."""
    return float(values.mean("seed").drop_sel(beta=0).idxmax("beta"))


def _rank_with_beta(values: xr.DataArray) -> Interval:
    """Return Spearman's correlation of β with values (beta, seed), as a mean over seeds."""
    there = values.dropna("seed").transpose("seed", "beta")
    ranks = [spearmanr(there.beta, one).statistic for one in there.values]
    return _cut(over_seeds(xr.DataArray(ranks, dims="seed")), -1.0)


# Figure 2


def rings_accuracy(result: xr.Dataset, *, where: str) -> Effect:
    """Measure the accuracy on a new draw of the rings, at the largest β."""
    share = _cut(over_seeds(result.accuracy.sel(beta=result.beta.max())))
    return Effect(share, f"{where}, the isometry term's networks classify {amount(share)} of a new draw rightly.")


def rings_correlation(result: xr.Dataset, *, where: str, term: bool) -> Effect:
    """Measure the correlation of distances with the data's, of the worse ring with the term, of the better without."""
    by_ring = result.correlation.sel(beta=result.beta.max() if term else 0)
    found = over_seeds(by_ring.min("ring") if term else by_ring.max("ring"))
    words = ("with isometry", "worse") if term else ("with cross-entropy alone", "better")
    sentence = f"{where} {words[0]}, distances correlate with the data's by {amount(found)} in the {words[1]} ring."
    return Effect(found, sentence)


def rings_stretch(result: xr.Dataset, *, where: str) -> Effect:
    """Measure the largest change of a distance among the inner nine in ten pairs of a ring, at the largest β."""
    most = abs(result.ratio.sel(beta=result.beta.max()) - 1).max(("ring", "quantile"))
    found = over_seeds(most)
    return Effect(found, f"{where} with isometry, nine in ten distances change by at most {amount(found, '.1%')}.")


def rings_shrinkage(result: xr.Dataset, *, where: str) -> Effect:
    """Measure the median ratio of distances of the ring that shrinks less, at β = 0."""
    found = over_seeds(result.ratio.sel(beta=0, quantile=0.5).max("ring"))
    sentence = f"{where} with cross-entropy alone, the median distance becomes {amount(found)} times as long"
    return Effect(found, f"{sentence} in the ring that changes less.")


def rings_loops(result: xr.Dataset, *, where: str, term: bool) -> Effect:
    """Measure the share of rings with exactly one loop, at the largest β or without the term."""
    one = result.loops.sel(beta=result.beta.max() if term else 0) == 1
    how, rings = "with isometry" if term else "with cross-entropy alone", some_of(int(one.sum()), one.size, "ring")
    return Effect(_cut(over_seeds(one.mean("ring"))), f"{where} {how}, {rings} keep exactly one loop.")


def rings_exponential(result: xr.Dataset, *, where: str) -> Effect:
    """Measure the share of rings whose distances lie nearer to an exponential law than to a ring's, at β = 0."""
    misfit = result.misfit.sel(beta=0)
    nearer = misfit.sel(law="exponential") < misfit.sel(law="chord")
    rings = some_of(int(nearer.sum()), nearer.size, "ring")
    what = f"in {rings} distances are nearer to an exponential law than to a ring's"
    sentence = f"{where} with cross-entropy alone, {what}."
    return Effect(_cut(over_seeds(nearer.mean("ring"))), sentence)


def rings_misfit(result: xr.Dataset, *, where: str) -> Effect:
    """Measure the Kolmogorov-Smirnov distance from an exponential law in the worse ring, at β = 0."""
    found = over_seeds(result.misfit.sel(beta=0, law="exponential").max("ring"))
    share = amount(found, ".1%")
    return Effect(found, f"{where} with cross-entropy alone, an exponential law misplaces {share} of the pairs.")


# The theory


def _data(result: xr.Dataset, data: str, *, largest: bool) -> xr.Dataset:
    """Return a data set's networks with the largest β, or those with β = 0, over ``seed``."""
    betas = result.beta.where(result.data == data)
    chosen = result.isel(network=np.flatnonzero(betas == (betas.max() if largest else 0.0)))
    return chosen.swap_dims(network="seed").sortby("seed")


def bounded_estimate(result: xr.Dataset, *, where: str, of: str) -> Effect:
    """Measure a lower estimate of the Lipschitz constant over its upper bound, the largest of all networks."""
    lower = result.lower.max("pairs") if of == "pair" else result.local.sel(map="representation", quantile=1)
    most, n = float((lower / result.upper.sel(map="representation")).max()), result.sizes["network"]
    thing = "pair's stretch" if of == "pair" else "derivative"
    what = f"{'no' if most <= BOUND else 'a'} {thing} in {counted(n, 'network')} exceeds the constant's upper bound"
    return Effect(_exact(most, n), f"{where}, {what}: the largest is {most:.3f} of it.", over="network")


def equation_6(result: xr.Dataset, *, where: str) -> Effect:
    """Measure the share of points that violate Eq. 6 with a true constant, in the worst term and network."""
    most, n = float(result.violated.sel(constant=["local", "product"]).max()), result.sizes["network"]
    holds = f"holds at every point of {some_of(n, n, 'network')}"
    broken = f"is violated at up to {most:.1%} of the points of a network"
    return Effect(_exact(most, n), f"{where}, Eq. 6 with norms {broken if most else holds}.", over="network")


def isometrys_bound(result: xr.Dataset, *, where: str, data: str, term: str) -> Effect:
    """Measure the share of points that violate Eq. 6 with the constant 1 of an isometry, at the largest β."""
    networks = _data(result, data, largest=True)
    share = _cut(over_seeds(networks.violated.sel(constant="one", term=term)))
    name = {"cross_entropy": "cross-entropy's", "isometry": "isometry term's"}[term]
    beta, points = float(networks.beta.max()), f"at {amount(share, '.1%')} of points"
    sentence = f"{where} at β = {beta:g}, the {name} gradient exceeds an isometry's bound {points}."
    return Effect(share, sentence, int(networks.points.max()), "point")


def constant_factor(result: xr.Dataset, *, where: str, data: str, of: str) -> Effect:
    """Measure the Lipschitz constant at the largest β over that at β = 0: at the median point, or the largest found."""
    without, term = (_data(result, data, largest=largest) for largest in (False, True))
    before, after = (_constant(each, of) for each in (without, term))
    found, beta = over_seeds(after / before), float(term.beta.max())
    name = {"median": "constant at the median point", "largest": "largest constant found"}[of]
    levels = f"{float(after.mean()):.2f} against {float(before.mean()):.2f}"
    sentence = f"{where}, the {name} at β = {beta:g} is {amount(found, '.2f')} times that at β = 0: {levels}."
    return Effect(found, sentence, int(term.points.max()), "point")


def _constant(networks: xr.Dataset, of: str) -> xr.DataArray:
    local = networks.local.sel(map="representation")
    if of == "median":
        return local.sel(quantile=0.5)
    return np.maximum(networks.lower.max("pairs"), local.sel(quantile=1))


def constant_and_robustness(result: xr.Dataset, *, where: str, data: str) -> Effect:
    """Measure the rank correlation of the constant at the median point with the accuracy that PGD leaves."""
    one = result.isel(network=np.flatnonzero(result.data == data))
    kept = (one.attacked / one.accuracy).mean("epsilon")
    found = rank_correlation(_constant(one, "median").values, kept.values)
    what = "the constant's rank correlation with the share of right answers that PGD leaves"
    return Effect(found, f"{where}, {what} is {amount(found, '+.2f')}.", int(one.points.max()), "point", "network")


# Figure 3, and attacks beyond it


def _gain(values: xr.DataArray, where: str, noun: str, images: int, beta: float) -> Effect:
    """Measure the accuracy (beta, seed) at one β minus that at β = 0."""
    gain, base = over_seeds(values.sel(beta=beta) - values.sel(beta=0)), float(values.sel(beta=0).mean())
    return Effect(gain, f"{where}, β = {beta:g} {change(gain, noun)}; β = 0 keeps {base:.3f}.", images)


def _attacked(result: xr.Dataset, networks: str | None) -> tuple[xr.DataArray, int]:
    """Return the accuracy under FGSM (objective, beta, seed, epsilon), of the named networks if any, and its images."""
    if networks is None:
        return result.accuracy, TEST_IMAGES
    return result.attacked.sel(networks=networks).dropna("beta", how="all"), config(result)["n_attacked"]


def fgsm_gain(
    result: xr.Dataset, *, where: str, objective: str, chosen_under: str | None = None, networks: str | None = None
) -> Effect:
    """Measure Figure 3: the gain in accuracy under FGSM, as a mean over the paper's ten ε.

    The β is the best under the objective ``chosen_under``, by default under the same one.
    """
    accuracy, images = _attacked(result, networks)
    averages, where = accuracy.mean("epsilon"), f"{where} under {OBJECTIVES[objective]}"
    best = _best(averages.sel(objective=chosen_under or objective))
    noun = f"accuracy averaged over {accuracy.sizes['epsilon']} ε"
    return _gain(averages.sel(objective=objective), where, noun, images, best)


def fgsm_peak(
    result: xr.Dataset, *, where: str, objective: str, chosen_under: str | None = None, networks: str | None = None
) -> Effect:
    """Measure Figure 3 at one of its ten ε: the gain in accuracy under FGSM.

    β and ε are those with the largest gain under the objective ``chosen_under``, by default under the same one.
    """
    accuracy, images = _attacked(result, networks)
    gains = (accuracy - accuracy.sel(beta=0)).drop_sel(beta=0).sel(objective=chosen_under or objective).mean("seed")
    beta, epsilon = (float(gains[name][place]) for name, place in gains.argmax(("beta", "epsilon")).items())
    where = f"{where} under {OBJECTIVES[objective]} at ε = {epsilon:.2g}"
    return _gain(accuracy.sel(objective=objective, epsilon=epsilon), where, "accuracy", images, beta)


def fgsm_trend(result: xr.Dataset, *, where: str, objective: str) -> Effect:
    """Measure the rank correlation with β of the accuracy under FGSM, as a mean over the paper's ten ε."""
    rank = _rank_with_beta(result.accuracy.sel(objective=objective).mean("epsilon"))
    what = f"accuracy under {OBJECTIVES[objective]}"
    sentence = f"{where}, the rank correlation of β with {what} is {amount(rank, '+.2f')}."
    return Effect(rank, sentence, TEST_IMAGES)


def _at(values: xr.DataArray, epsilon: float) -> xr.DataArray:
    """Return the values at an ε that is given with two digits. Raise KeyError where there is none so near."""
    return values.sel(epsilon=epsilon, method="nearest", tolerance=epsilon / 50)


def attack_gain(result: xr.Dataset, *, where: str, attack: str, epsilon: float) -> Effect:
    """Measure the gain in accuracy under an attack at one ε, on all of its images."""
    images = int(result.images.min() if attack == "autoattack" else result.images.max())
    values = _at(result.accuracy.sel(images=images, attack=attack), epsilon)
    return _gain(values, f"{where} under {ATTACKS[attack]} at ε = {epsilon:.2g}", "accuracy", images, _best(values))


def noise_gain(result: xr.Dataset, *, where: str, networks: str, noise: str, severity: float) -> Effect:
    """Measure the gain in accuracy under one kind of random noise, at one severity."""
    one = result.sel(networks=networks, corruption=noise)
    there = one.accuracy.assign_coords(epsilon=one.severity).swap_dims(level="epsilon")
    values = _at(there, severity).dropna("seed", how="all")
    under = f"{where} under {NOISES[noise]} = {severity:.2g}"
    return _gain(values, under, "accuracy", int(result.images), _best(values))


def worst_gain(result: xr.Dataset, *, where: str, networks: str, epsilon: float) -> Effect:
    """Measure the gain that the worst case over all attacks leaves at one ε, over seeds and images."""
    right = _at(worst_case.answers(result).sel(reading=networks, attack="worst"), epsilon)
    best = _best(right.mean("image"))
    gain, base = over_seeds_and_images(right.sel(beta=best) - right.sel(beta=0)), float(right.sel(beta=0).mean())
    under = f"in the worst case over all attacks at ε = {epsilon:.2g}"
    return Effect(gain, f"{where} {under}, β = {best:g} {change(gain, 'accuracy')}; β = 0 keeps {base:.3f}.")


def below_published(result: xr.Dataset, *, where: str) -> Effect:
    """Measure the highest accuracy of any β under the paper's attack, at the largest recorded ε up to the published."""
    epsilon = float(result.epsilon.where(result.epsilon <= PUBLISHED_AT).max())
    best = over_seeds(result.accuracy.sel(epsilon=epsilon, objective="total").max("beta"))
    return Effect(best, _beside_published(best, where, "the paper's attack", epsilon), TEST_IMAGES)


def below_published_under_pgd(result: xr.Dataset, *, where: str) -> Effect:
    """Measure the highest accuracy of any β under PGD, at the published ε."""
    images = int(result.images.max())
    best = over_seeds(_at(result.accuracy.sel(images=images, attack="pgd"), PUBLISHED_AT).max("beta"))
    return Effect(best, _beside_published(best, where, "PGD", PUBLISHED_AT), images)


def _beside_published(best: Interval, where: str, under: str, epsilon: float) -> str:
    theirs = f"adversarial training is reported to keep {PUBLISHED:.3f} under PGD at ε = {PUBLISHED_AT:g}"
    return f"{where}, the best β keeps {amount(best)} under {under} at ε = {epsilon:.2g}; {theirs}."


def below_jacobian(result: xr.Dataset, *, where: str, networks: str, epsilon: float) -> Effect:
    """Measure the accuracy under PGD of the best β minus that of the best Jacobian regularisation.

    Of that, strengths count whose clean accuracy is near that of β = 0 or above it. β and strength are both chosen by
    the accuracy that is measured. ``networks``: the reading of the isometry term, "lil" or "lil_public".
    """
    right = _at(result.pgd_right.astype(float).expand_dims(epsilon=[float(result.strongest_epsilon)]), epsilon)
    clean, kept = result.clean.mean("seed"), right.mean(("seed", "image"))
    plain = float(clean[result.method == PLAIN[networks]].item())
    eligible = (result.method == "jacobian") & (clean >= plain - NEAR)
    ours, theirs = (
        right.isel(setting=int(kept.where(candidates).argmax("setting")), drop=True)
        for candidates in (result.method == networks, eligible)
    )
    levels = f"keeps {float(ours.mean()):.3f} and the best Jacobian regularisation {float(theirs.mean()):.3f}"
    apart, least = over_seeds_and_images(ours - theirs), float(kept.where(eligible).min())
    sentence = f"{where} under PGD at ε = {epsilon:.2g}, the best β {levels}: a difference of {amount(apart)}"
    worst = f"the regularisation's worst strength near β = 0 in clean accuracy keeps {least:.3f}"
    return Effect(apart, f"{sentence}; {worst}.", right.sizes["image"])


# Table 1 and Appendix Figure 1


def _set(values: xr.DataArray, networks: str) -> xr.DataArray:
    """Return one set of networks, with the seeds and β that it has."""
    return values.sel(networks=networks).dropna("seed", how="all").dropna("beta", how="all")


def small_beta(result: xr.Dataset, *, where: str, networks: str) -> Effect:
    """Measure the change of clean accuracy at the small β whose mean over seeds is lowest."""
    accuracy = _set(result.accuracy, networks)
    changes = accuracy.sel(beta=list(SMALL_BETAS)) - accuracy.sel(beta=0)
    worst = float(changes.mean("seed").idxmin("beta"))
    found = over_seeds(changes.sel(beta=worst))
    sentence = f"{where}, the worst of the small β, {worst:g}, {change(found, 'clean accuracy')}."
    return Effect(found, sentence, TEST_IMAGES)


def large_beta(result: xr.Dataset, *, where: str, networks: str) -> Effect:
    """Measure the change of clean accuracy at the largest β."""
    accuracy = _set(result.accuracy, networks)
    largest = float(accuracy.beta.max())
    found = over_seeds(accuracy.sel(beta=largest) - accuracy.sel(beta=0))
    return Effect(found, f"{where}, β = {largest:g} {change(found, 'clean accuracy')}.", TEST_IMAGES)


def histogram_distance(result: xr.Dataset, *, where: str, networks: str) -> Effect:
    """Measure the distance between the histograms of distances, at the largest β."""
    far = _set(result.wasserstein, networks)
    largest = float(far.beta.max())
    found, before = over_seeds(far.sel(beta=largest)), float(far.sel(beta=0).mean())
    sentence = (
        f"{where} at β = {largest:g}, distances within classes are off by {amount(found)} of the inputs' mean distance"
    )
    return Effect(found, f"{sentence}; at β = 0 by {before:.3f}.")


def histogram_trend(result: xr.Dataset, *, where: str, networks: str) -> Effect:
    """Measure the rank correlation of that distance with β."""
    rank = _rank_with_beta(_set(result.wasserstein, networks))
    what = "the distance between the histograms"
    return Effect(rank, f"{where}, the rank correlation of β with {what} is {amount(rank, '+.2f')}.")


# Figure 4


def torus_level(result: xr.Dataset, *, where: str, cut: str, of: str) -> Effect:
    """Measure the accuracy, the correlation of distances, or the median ratio's distance from 1, at the worst level."""
    one = result.sel(cut=cut).sortby("level", ascending=False)  # of levels that are equal, the finest
    values = abs(one.ratio.sel(quantile=0.5) - 1) if of == "ratio" else one[of]
    means = values.mean("seed")
    level = int(means.idxmax("level") if of == "ratio" else means.idxmin("level"))
    found = over_seeds(values.sel(level=level))
    if of == "accuracy":
        found = _cut(found)
    elif of == "ratio":
        found = found._replace(low=max(found.low, 0.0))
    words = {
        "accuracy": "has an accuracy of {}",
        "correlation": "keeps distances with a correlation of {}",
        "ratio": "changes the median distance by {}",
    }[of]
    text = words.format(amount(found, ".1%" if of == "ratio" else ".3f"))
    sentence = f"{where}, the worst level ({level} classes) {text}."
    return Effect(found, sentence, result.sizes["point"], "point")


def torus_hottest(result: xr.Dataset, *, where: str, cut: str, saliency: str) -> Effect:
    """Measure the share of levels whose largest gradient of all points lies at a cut."""
    one = result.sel(cut=cut, saliency=saliency)
    at_cut = one.at_cut.isel(point=one.gradient.argmax("point"))
    levels = some_of(int(at_cut.sum()), at_cut.size, "trained level")
    return Effect(_cut(over_seeds(at_cut.mean("level"))), f"{where}, the largest gradient lies at a cut in {levels}.")


def torus_contrast(result: xr.Dataset, *, where: str, cut: str, saliency: str) -> Effect:
    """Measure the median gradient at the cuts over that elsewhere, at the level where it stands out least."""
    contrast = result.contrast.sel(cut=cut, saliency=saliency)
    level = int(contrast.mean("seed").idxmin("level"))
    found = over_seeds(contrast.sel(level=level))
    sentence = f"{where}, the median gradient at the cuts is {amount(found, '.2f')} times that elsewhere"
    return Effect(found, f"{sentence}, at the level where it stands out least ({level} classes).")


# Beyond the figures: what the paper suggests or concludes


def metric_kept(result: xr.Dataset, *, where: str, data: str, metric: str) -> Effect:
    """Measure the correlation of distances in a metric, of the networks that were trained to keep it, on new points."""
    there = result.correlation.sel(data=data, metric=metric, points="held-out")
    found, other = _cut(over_seeds(there.sel(term=metric)), -1.0), float(there.sel(term="euclidean").mean())
    kept = f"networks trained on {metrics.NAMES[metric]} distances keep them with a correlation of {amount(found)}"
    sentence = f"{where}, {kept}; those trained on Euclidean distances have {other:.3f}"
    if metric == "geodesic":
        best = float(result.best_correlation.sel(data=data, points="held-out"))
        sentence += f", and the best points found in a Euclidean space {best:.3f}"
        sentence += f", short of {KEPT:g} as well" if best < KEPT else ""
    return Effect(found, f"{sentence}.")


def _beside(
    gain: Interval, where: str, beta: float, noun: str, other: str, ours: xr.DataArray, theirs: xr.DataArray
) -> str:
    """Return the sentence on a layout in two units beside that of another method, without its point."""
    levels = f"{float(ours.mean()):.3f} against {float(theirs.mean()):.3f}"
    return f"{where} in two units, β = {beta:g} {change(gain, noun)}, beside {visualisation.METHODS[other]}: {levels}"


def layout_correlation(result: xr.Dataset, *, where: str, scale: float, classifying: bool = False) -> Effect:
    """Measure the correlation of distances within classes in two units, minus that of the best other method.

    The β is the one with the highest correlation; with ``classifying``, of those whose clean accuracy is near that of
    β = 0 or above it.
    """
    ours, theirs = result.correlation.sel(units=2, scale=scale), result.other_correlation.sel(units=2)
    clean = result.accuracy.sel(units=2, scale=scale).mean("seed")
    offered = ours.where(clean >= clean.sel(beta=0) - NEAR) if classifying else ours
    beta, other = _best(offered), str(theirs.mean("seed").idxmax("other").item())
    ours, theirs = ours.sel(beta=beta), theirs.sel(other=other)
    found = over_seeds(ours - theirs)
    sentence = _beside(found, where, beta, "the correlation of distances within classes", other, ours, theirs)
    accuracy = f"clean accuracy is {float(clean.sel(beta=beta)):.3f}, against {float(clean.sel(beta=0)):.3f} at β = 0"
    return Effect(found, f"{sentence}; {accuracy}.", result.sizes["image"])


def layout_vote(result: xr.Dataset, *, where: str, scale: float) -> Effect:
    """Measure the accuracy of the neighbours' vote in two units, minus that of supervised UMAP, over seeds and images.

    The β is the one with the highest vote.
    """
    ours, theirs = result.vote.sel(units=2, scale=scale), result.other_vote.sel(units=2, other="supervised")
    beta = _best(ours.mean("image"))
    ours = ours.sel(beta=beta).astype(float)
    found = over_seeds_and_images(ours - theirs)
    sentence = _beside(found, where, beta, "the neighbours' vote", "supervised", ours, theirs)
    return Effect(found, f"{sentence}.")


def isometric_share(result: xr.Dataset, *, where: str, classes: int, than_near: bool = False) -> Effect:
    """Measure the share of the surface's points far from a cut that are isometric; or that minus the share near one."""
    share = result.isometric.sel(variant="text", level=classes)
    far, near, where = share.sel(region="far"), share.sel(region="near"), f"{where} in {classes} classes"
    if than_near:
        found = over_seeds(far - near)
        shares = float(far.mean()), float(near.mean())
        levels = "{:.1%} far from a cut, {:.1%} near one".format(*shares)
        few = "; most points are isometric in neither place" if max(shares) < 0.5 else ""
        return Effect(found, f"{where}, the shares of isometric points differ by {amount(found)}: {levels}{few}.")
    found = _cut(over_seeds(far))
    points = f"{amount(found, '.1%')} of the points further than one step from a cut"
    return Effect(found, f"{where}, {points} are isometric to within {float(result.within):g}.")


def stacking_gain(result: xr.Dataset, *, where: str, stack: str, other: str) -> Effect:
    """Measure the accuracy of a stack at the finest level minus that of another network, on new points."""
    there = result.accuracy.sel(points="held-out", level=result.level.max())
    theirs = there.sel(variant=other)
    found = over_seeds(there.sel(variant=stack) - theirs)
    gains = f"{STACKS[stack]} {change(found, 'accuracy at eight classes')}"
    ceiling = " and leaves nothing to gain" if float(theirs.min()) == 1 else ""
    cause = ": the gain is the term's, not stacking's" if other == "plain" and found.low > 0 else ""
    said = f"{where}, {gains}, beside {OTHERS[other]}, which has {float(theirs.mean()):.3f}{ceiling}{cause}."
    return Effect(found, said)
