"""Numbers of the worst case over all attacks, of :func:`lil.experiments._worst_case.attack_by_everything`'s answers.

All intervals are over seeds and images. Differences from β = 0 are taken seed by seed and image by
image first.
"""

from __future__ import annotations

from itertools import product

import pandas as pd
import xarray as xr

from lil.paper.intervals import Interval, extent, over_seeds_and_images
from lil.paper.tables import Numbers, comparing, flat, frame, prefixed, printed
from lil.paper.tables.attackers import verdict

NAMES = {
    "none": "clean",
    "noise": "random noise",
    "transfer": "made for β = 0",
    "total": "one step on CSE + β · ISO (the paper's)",
    "classification": "one step on CSE",
    "margin": "one step on the margin",
    "pgd": "PGD on CSE",
    "targeted": "multi-targeted PGD",
    "worst": "worst case",
}
RISING = ("total", "classification", "margin", "pgd", "targeted", "worst")  # from the paper's attack to the worst case
READINGS = {
    "text": "the text's reading (K = 1)",
    "public": "the public code's reading (K = 10)",
    "mixture": "a mixture of public commits (K = 1)",
}
IMAGES = ("seed", "image")
FIRST = 100  # images, on which lil.experiments.attackers_view runs AutoAttack


def answers(result: xr.Dataset) -> xr.DataArray:
    """Return 1 for a right answer and 0 for a wrong one (reading, epsilon, attack, beta, seed, image), NaN if not run.

    The attack "worst" stands in the place of AutoAttack, which meets the images alone that all the others leave: an
    answer is right in the worst case if nothing that was tried makes it wrong, noise included.
    """
    there = result.right.where(result.right <= 1).drop_sel(attack="autoattack")
    worst = (result.right != 0).all("attack").expand_dims(attack=["worst"])
    return xr.concat([there, worst.astype(float)], "attack", join="exact").sel(attack=list(NAMES))


def taken_by_autoattack(result: xr.Dataset) -> xr.DataArray:
    """Return the share of all images that AutoAttack alone makes wrong, of each network; NaN where it is not run."""
    return (result.right.sel(attack="autoattack") == 0).mean("image").where(result.autoattacked)


def kept(right: xr.DataArray, clean: xr.DataArray) -> xr.DataArray:
    """Return values whose mean over images is the share of rightly classified images that stay right.

    The share is Σ right · clean / Σ clean. Each value is the share plus the image's influence on it, so that the
    interval of their mean is, to first order, that of the share. Raises ValueError where no image is classified right.
    """
    of = clean.mean("image")
    if not (of > 0).all():
        raise ValueError("some network classifies no image rightly: there is no share of those that stay right.")
    share = (right * clean).mean("image") / of
    return share + clean * (right - share) / of


def gain(values: xr.DataArray, beta: float) -> Interval:
    """Return the mean of the values (beta, seed, image) at β less that at β = 0, paired, with its interval."""
    return over_seeds_and_images(values.sel(beta=beta) - values.sel(beta=0))


def accuracy_table(result: xr.Dataset, reading: str) -> pd.DataFrame:
    """Return a row for each ε and β: accuracy under each attack, the worst case's interval, AutoAttack's part in it."""
    right, taken = answers(result).sel(reading=reading), taken_by_autoattack(result).sel(reading=reading).mean("seed")
    rows = {}
    for (epsilon, name), beta in product(printed(result.epsilon.values).items(), result.beta.values.tolist()):
        one = right.sel(epsilon=epsilon, beta=beta)
        row = dict(zip(NAMES.values(), one.mean(IMAGES, skipna=False).sel(attack=list(NAMES)).values, strict=True))
        interval = over_seeds_and_images(one.sel(attack="worst"))
        row["95 % interval"] = f"{max(interval.low, 0.0):.3f} to {min(interval.high, 1.0):.3f}"
        row["of it, AutoAttack took"] = float(taken.sel(epsilon=epsilon, beta=beta))
        rows[name, beta] = row
    return frame(rows, ["ε", "β"])


@comparing(0.0)
def gain_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the gains over β = 0 with their intervals: of all images, and of those classified rightly when clean.

    A row is a reading, an ε and a β > 0.
    """
    right = answers(result)
    share = kept(right, right.sel(attack="none", drop=True))
    groups = {"all images": right, "those right when clean": share}
    rows = {}
    for reading in result.reading.values.tolist():
        for (epsilon, name), beta in product(printed(result.epsilon.values).items(), _positive(result)):
            here = dict(reading=reading, epsilon=epsilon)
            rows[READINGS[reading], name, beta] = {
                (group, NAMES[attack]): format(gain(values.sel(attack=attack, **here), beta), "+.3f")
                for group, values in groups.items()
                for attack in ("total", "classification", "worst")
            }
    return frame(rows, ["reading", "ε", "β"])


def finding(right: xr.DataArray, beta: float, worst_beta: float) -> str:
    """Return the gains of a reading as sentences: the paper's attack, one step on the cross-entropy, the worst case.

    ``right`` are its :func:`answers`; ``beta`` gains most under the paper's attack, ``worst_beta`` in the worst case.
    """
    shown, step, worst = (gain(right.sel(attack=attack), beta) for attack in ("total", "classification", "worst"))
    if shown.low > 0:
        words = f"Under the paper's attack β = {beta:g} gains most over β = 0, {shown:+.3f}"
    else:
        words = f"Under the paper's attack no β is shown to gain over β = 0; the best is {beta:g}, {shown:+.3f}"
    words += f". Under one step on the cross-entropy the accuracy of the same networks changes by {step:+.3f}"
    words += f", in the worst case by {worst:+.3f}"
    if not right.sel(attack="worst").any():
        return f"{words}: no network keeps a single image"
    words += f": {verdict(worst)}"
    if worst_beta != beta:
        other = gain(right.sel(attack="worst"), worst_beta)
        words += f". The best β in the worst case is {worst_beta:g}, {other:+.3f}: {verdict(other)}"
    return words


@comparing(0.0)
def numbers(result: xr.Dataset) -> Numbers:
    """Return the numbers of a page at the largest ε, those of each reading with the reading's name before theirs.

    ``beta`` gains most under the paper's attack. ``gain_…`` and ``kept_…`` are gains at ``beta`` in words, with
    intervals: of all images, and of those classified rightly when clean. ``smaller`` has the findings at all other
    ε, ``smallest`` the gains in the worst case at the smallest, ``first`` those of the first images there.
    ``kept`` says what any network of any reading keeps in the worst case.
    """
    stated = float(result.epsilon.max())
    found: Numbers = {
        "epsilon": f"{stated:.2g}",
        "least_epsilon": f"{float(result.epsilon.min()):.2g}",
        "betas": result.sizes["beta"],
        "seeds": result.sizes["seed"],
        "images": result.sizes["image"],
    }
    right, taken = answers(result), taken_by_autoattack(result)
    most = float(right.sel(attack="worst", epsilon=stated).mean("image").max())
    found["kept"] = f"no network keeps more than {most:.3f} of the images" if most else "no network keeps an image"
    for reading in result.reading.values.tolist():
        there = right.sel(reading=reading)
        one = _numbers(there.sel(epsilon=stated)) | {"taken": float(taken.sel(reading=reading, epsilon=stated).max())}
        more = {"smaller": smaller(there), "smallest": smallest(there), "first": first(there)}
        found |= prefixed(reading, one | more)
    return found


def smaller(right: xr.DataArray) -> str:
    """Return the findings of a reading at all ε below the largest, "" if there is none."""
    epsilons = sorted(right.epsilon.values.tolist(), reverse=True)[1:]
    found = {epsilon: right.sel(epsilon=epsilon) for epsilon in epsilons}
    return ". ".join(f"At ε = {epsilon:.2g}: {finding(one, *_best(one))}" for epsilon, one in found.items())


def smallest(right: xr.DataArray) -> str:
    """Return the gains in the worst case at a reading's smallest ε as a clause, at the β best under the paper's attack.

    They are the gain of all images and that of the images classified rightly when clean.
    """
    one = right.sel(epsilon=right.epsilon.min())
    beta, _ = _best(one)
    share = kept(one, one.sel(attack="none", drop=True))
    every, clean = (gain(values.sel(attack="worst"), beta) for values in (one, share))
    return (
        f"at ε = {float(one.epsilon):.2g} β = {beta:g} changes the accuracy over all images by {every:+.3f}, "
        f"{verdict(every)}; among the images that are right when clean it changes the share that stays right by "
        f"{clean:+.3f}, {verdict(clean)}"
    )


def first(right: xr.DataArray) -> str:
    """Return the gains in the worst case at a reading's smallest ε, of the first images and of all, as a clause."""
    one = right.sel(epsilon=right.epsilon.min())
    worst = one.sel(attack="worst")
    few, every = (gain(values, _best(one)[0]) for values in (worst.isel(image=slice(FIRST)), worst))
    return f"{few:+.3f} on the first {few.images} images and {every:+.3f} on {every.images}"


def _positive(values: xr.DataArray | xr.Dataset) -> list[float]:
    return [beta for beta in values.beta.values.tolist() if beta > 0]


def _best(right: xr.DataArray) -> tuple[float, float]:
    """Return the β > 0 that does best under the paper's attack, and in the worst case."""
    means = right.sel(beta=_positive(right), attack=["total", "worst"]).mean(IMAGES)
    total, worst = means.idxmax("beta").transpose("attack").values.tolist()
    return total, worst


def _numbers(right: xr.DataArray) -> Numbers:
    """Return the numbers of one reading at one ε."""
    means = right.mean(IMAGES, skipna=False)
    beta, worst_beta = _best(right)
    worst = right.sel(attack="worst").mean("image")
    found: Numbers = {
        "beta": f"{beta:g}",
        "worst": extent(worst.mean("seed"), ".3f"),
        "finding": finding(right, beta, worst_beta),
        "weaker": papers_against_transfer(right, beta),
        "pgd_above": float((right.sel(attack="pgd").mean("image") - worst).max()),
    }
    found |= flat(base=means.sel(beta=0), best=means.sel(beta=beta))
    share = kept(right, right.sel(attack="none", drop=True))
    for attack in (*RISING, "noise", "none"):
        found[f"gain_{attack}"] = format(gain(right.sel(attack=attack), beta), "+.3f")
        if attack != "none":
            found[f"kept_{attack}"] = format(gain(share.sel(attack=attack), beta), "+.3f")
    return found


def papers_against_transfer(right: xr.DataArray, beta: float) -> str:
    """Return in words whether images made for β = 0 fool the networks at β more often than the paper's attack does."""
    papers, transferred = (right.sel(attack=attack, beta=beta) for attack in ("total", "transfer"))
    apart = over_seeds_and_images(papers - transferred)
    weaker, stronger = (f"the paper's attack is {how} than a transferred one" for how in ("weaker", "stronger"))
    how = apart.side(weaker, stronger, "no difference between the two is shown")
    return (
        f"the paper's attack leaves {float(papers.mean()):.3f}, images made for β = 0 leave "
        f"{float(transferred.mean()):.3f}, a difference of {apart:+.3f}: {how}"
    )
