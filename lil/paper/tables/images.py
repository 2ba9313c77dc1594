"""Numbers of Figure 3, Table 1 and Appendix Figure 1."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import stdtrit
from scipy.stats import t as student

from lil.paper.intervals import over_seeds
from lil.paper.numbers import TABLE_1, Row
from lil.paper.tables import Numbers, comparing, config, flat, over_baseline, prefixed

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
COVERAGE = 0.95  # of the interval in which one more run of ours would lie
BASELINES = {  # readings of the method for CIFAR10 at β = 0
    "text": "the text",
    "deeper": "one hidden layer more",
    "as_published": "inputs of all public commits",
    "public": "both: a mixture of commits",
    "first": "the first commit, 9cf1b6c",
}


# Figure 3


def robust_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the accuracy for each β, clean, and attacked as the mean over ε: mean and standard deviation over seeds.

    One seed has no standard deviation: the column is left out.
    """
    robust = result.accuracy.mean("epsilon")
    attacked = {f"attacked: {name}": robust.sel(objective=name) for name in robust.objective.values}
    parts = {}
    for name, one in ({"clean": result.clean} | attacked).items():
        columns = {"mean": one.mean("seed").to_series()}
        if one.sizes["seed"] > 1:
            columns["sd"] = one.std("seed", ddof=1).to_series()
        parts[name] = pd.DataFrame(columns)
    return pd.concat(parts, axis=1).astype(float)


@comparing(0.0)
def gain_table(result: xr.Dataset) -> pd.DataFrame:
    """Return for each ε the accuracy at β = 0, and the gain of the best β under both attacks, with its 95 % interval.

    The β is the one that is best under the paper's attack, as a mean over ε and seeds.
    """
    beta, gains = _best_beta(result), over_baseline(result.accuracy)
    base = result.accuracy.sel(beta=0, objective="classification").mean("seed")
    columns = {"accuracy, β = 0": [f"{float(value):.3f}" for value in base]}
    for name in gains.objective.values.tolist():
        of_one = gains.sel(objective=name, beta=beta)
        columns[f"gain, {name}"] = [format(over_seeds(of_one.sel(epsilon=each)), "+.3f") for each in gains.epsilon]
    return pd.DataFrame(columns, pd.Index([f"{each:.3f}" for each in gains.epsilon.values], name="ε"))


def _best_beta(result: xr.Dataset) -> float:
    """Return the β > 0 with the highest accuracy under the paper's attack, as a mean over ε and seeds."""
    robust = result.accuracy.sel(objective="total").mean(("epsilon", "seed"))
    return float(robust.drop_sel(beta=0).idxmax("beta"))


def half_epsilon(result: xr.Dataset) -> xr.DataArray:
    """Return the ε at which the accuracy first falls to half of the network's clean accuracy: (objective, beta, seed).

    It is interpolated linearly in log ε. It is infinite where more than half remains at every ε. Where half or less
    remains at the smallest ε, that is returned: the accuracy has fallen there or before.
    """
    log = np.log(result.epsilon.values)

    def of_one(accuracy: np.ndarray, clean: float) -> float:
        fallen = np.flatnonzero(accuracy <= clean / 2)
        if not len(fallen):
            return np.inf
        at, before = fallen[0], max(fallen[0] - 1, 0)
        share = (accuracy[before] - clean / 2) / (accuracy[before] - accuracy[at]) if at else 0.0
        return np.exp(log[before] + share * (log[at] - log[before]))

    both = result.accuracy.astype(float), result.clean.astype(float)
    return xr.apply_ufunc(of_one, *both, input_core_dims=[["epsilon"], []], vectorize=True)


def half_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the ε at half accuracy in words (:func:`half_epsilon`) for each β and attack: median and range over seeds.

    "never" stands for infinity, and "≤" before the smallest ε.
    """
    values = half_epsilon(result)
    words = {"median": values.median("seed"), "lowest": values.min("seed"), "highest": values.max("seed")}
    return pd.DataFrame(
        {
            (f"attacked: {name}", word): [_in_words(result, value) for value in one.sel(objective=name).values]
            for name in values.objective.values
            for word, one in words.items()
        },
        pd.Index(result.beta.values, name="beta"),
    )


def _in_words(result: xr.Dataset, epsilon: float) -> str:
    if np.isinf(epsilon):
        return "never"
    return ("≤ " if np.isclose(epsilon, float(result.epsilon.min())) else "") + f"{epsilon:.3f}"


@comparing(0.0)
def robustness(result: xr.Dataset, public: xr.Dataset) -> Numbers:
    """Return the numbers of a page on Figure 3; those of the second reading begin with ``public``.

    ``images`` (in words), ``seeds`` and ``epsilons`` say what the accuracies are means over. ``best_beta`` is the β > 0
    with the highest accuracy under the paper's attack, as a mean over ε and seeds. After ``paper`` and ``attacker``
    (the gradient of the cross-entropy): ``best``, the accuracy there; ``better``, the number of seeds for which it
    beats β = 0; ``rising``, whether the accuracy rises with every step of β. ``half`` is the median over seeds of the ε
    at half accuracy, in words, and ``half_better`` the number of seeds for which it is larger than at β = 0.
    ``peak_epsilon`` is the ε at which the paper's attack shows the largest gain of any β.
    """
    numbers = _robustness(result) | prefixed("public", _robustness(public))
    return numbers | (prefixed("precision", precision(result)) if "compared" in result else {})


def _robustness(result: xr.Dataset) -> Numbers:
    robust, half = result.accuracy.mean("epsilon"), half_epsilon(result)
    best_beta = _best_beta(result)
    gain = over_baseline(result.accuracy).sel(objective="total").mean("seed").max("beta")
    plain = half.sel(objective="classification", beta=0)
    parts = [part for part in config(result).values() if isinstance(part, dict)]
    (count,) = (part["n_test"] for part in parts if "n_test" in part)
    numbers: Numbers = {
        "images": "all" if count is None else f"the first {count}",
        "seeds": result.sizes["seed"],
        "epsilons": result.sizes["epsilon"],
        "base": float(robust.sel(objective="classification", beta=0).mean()),
        "base_half": _in_words(result, float(plain.median())),
        "best_beta": f"{best_beta:g}",
        "peak_epsilon": f"{float(gain.idxmax('epsilon')):.2g}",
        "clean_base": float(result.clean.sel(beta=0).mean()),
        "clean_best": float(result.clean.sel(beta=best_beta).mean()),
    }
    for word, objective in (("paper", "total"), ("attacker", "classification")):
        one = robust.sel(objective=objective)
        rises = bool((one.mean("seed").diff("beta") > 0).all())
        best_half = half.sel(objective=objective, beta=best_beta)
        numbers |= {
            f"{word}_best": float(one.sel(beta=best_beta).mean()),
            f"{word}_better": int((one.sel(beta=best_beta) > one.sel(beta=0)).sum()),
            f"{word}_rising": "rises with every step of β" if rises else "does not rise with every step of β",
            f"{word}_half": _in_words(result, float(best_half.median())),
            f"{word}_half_better": int((best_half > plain).sum()),
        }
    return numbers


def precision_change(result: xr.Dataset) -> xr.DataArray:
    """Return the accuracy under the attack as it was run minus that in float32, on the images attacked with both."""
    used, exact = (result.compared.sel(precision=name).astype(float) for name in ("used", "float32"))
    return used - exact


def precision(result: xr.Dataset) -> Numbers:
    """Return the changes of accuracy made by the attack's precision, over all attacks, β, seeds and ε.

    ``mean``: of their sizes on the first ``images``; ``bias``: with their signs; ``seeds``: the root mean square of the
    standard deviations over seeds, on all images.
    """
    change = precision_change(result)
    return {
        "images": config(result)["n_compared"],
        "mean": float(abs(change).mean()),
        "bias": float(change.mean()),
        "seeds": float(result.accuracy.astype(float).var("seed", ddof=1).mean() ** 0.5),
    }


# Table 1


def beside_paper(accuracy: xr.DataArray, printed: Row) -> pd.DataFrame:
    """Return the paper's numbers beside ours, accuracy (beta, seed): one row for each β that both have.

    One more run of ours would lie between ``low`` and ``high`` with 95 % confidence, if runs are normally distributed:
    mean ± t · sd · √(1 + 1/n). ``inside`` says whether the paper's number, which is one run, does; it is None where
    one seed has no spread.
    """
    rows = {}
    for beta in (float(b) for b in accuracy.beta if float(b) in printed.betas):
        ours = accuracy.sel(beta=beta).dropna("seed").values.astype(np.float64)
        n, mean, paper = len(ours), ours.mean(), printed.at(beta)
        sd = ours.std(ddof=1) if n > 1 else np.nan
        reach = stdtrit(n - 1, (1 + COVERAGE) / 2) * sd * np.sqrt(1 + 1 / n) if n > 1 else np.nan
        rows[beta] = {
            "paper": paper,
            "mean": mean,
            "sd": sd,
            "n": n,
            "difference": mean - paper,
            "low": mean - reach,
            "high": mean + reach,
            "inside": bool(abs(paper - mean) <= reach) if n > 1 else None,
        }
    columns = ["paper", "mean", "sd", "n", "difference", "low", "high", "inside"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("beta")


def beside_table(accuracy: xr.DataArray, printed: Row) -> pd.DataFrame:
    """Return :func:`beside_paper` as text with four digits; a dash where one seed has no spread."""
    rows = beside_paper(accuracy, printed)
    alone = rows.n == 1
    columns = {
        "paper": rows.paper.map("{:.4f}".format),
        "mean": rows["mean"].map("{:.4f}".format),
        "sd": rows.sd.map("{:.4f}".format),
        "n": rows.n.astype(str),
        "difference": rows.difference.map("{:+.4f}".format),
        "one more run": rows.low.map("{:.4f} to ".format) + rows.high.map("{:.4f}".format),
        "inside": rows.inside.map({True: "yes", False: "no"}),
    }
    table = pd.DataFrame(columns)
    table.loc[alone, ["sd", "one more run", "inside"]] = "–"
    return table


def log_likelihoods(accuracy: xr.DataArray, printed: Row) -> pd.Series:
    """Return for each β the log density of the printed number as one more run of ours; NaN without any spread.

    It is the predictive density of normally distributed runs: Student's t with n − 1 degrees of freedom around the
    mean, of the width sd · √(1 + 1/n).
    """
    rows = beside_paper(accuracy, printed)
    width = (rows.sd * np.sqrt(1 + 1 / rows.n)).where(rows.sd > 0)
    return pd.Series(student.logpdf(rows.paper, rows.n - 1, rows["mean"], width), rows.index)


def readings_of_mnist(text: xr.DataArray, public: xr.DataArray) -> Numbers:
    """Return the comparison of the two readings with the printed row on MNIST, in numbers and as one sentence.

    ``text`` and ``public`` are accuracies (beta, seed) of the same ``seeds``. ``inside_text`` and ``inside_public``
    count the printed numbers inside the spread of a reading. ``ratio`` is the likelihood of the row under the public
    code's reading, divided by that under the text's, with columns taken as independent; ``without`` leaves out the
    column that favours the likelier reading most. One seed has no spread, and no reading is judged by it.
    """
    row, ours = TABLE_1["mnist"], {"text": text, "public": public}
    inside = {name: int(beside_paper(each, row).inside.sum()) for name, each in ours.items()}
    columns = log_likelihoods(ours["public"], row) - log_likelihoods(ours["text"], row)
    ratio = float(columns.sum(skipna=False))
    telling = (columns if ratio > 0 else -columns).idxmax() if np.isfinite(ratio) else columns.index[0]
    without = ratio - float(columns[telling])
    sentence = (
        f"The printed row lies inside the spread of the public code's reading in {inside['public']} of {len(columns)} "
        f"columns and inside that of the text's reading in {inside['text']}."
    )
    if np.isfinite(ratio):
        sentence += (
            f" Under the public code's reading it is {times(ratio)} times as likely as under the text's, and "
            f"{times(without)} times without the most telling column, β = {telling:g}."
        )
    sentence += f" {fitting(inside['public'], inside['text'], len(columns))}"
    seeds = [each.dropna("seed", how="all").sizes["seed"] for each in ours.values()]
    if min(seeds) == 1:
        sentence = "One network for each β has no spread, so neither reading is judged by the printed row."
    return {f"inside_{name}": count for name, count in inside.items()} | {
        "seeds": seeds[0],
        "ratio": float(np.exp(ratio)),
        "without": float(np.exp(without)),
        "readings": sentence,
    }


def fitting(public: int, text: int, columns: int) -> str:
    """Return the sentence on the readings that fit: at most one column lies outside the spread.

    Of six independent columns two or more lie outside an interval of 95 % with a probability of 3 %.
    """
    fits = {name: inside >= columns - 1 for name, inside in (("K = 10", public), ("K = 1", text))}
    right, wrong = ([name for name, each in fits.items() if each == wanted] for wanted in (True, False))
    if not wrong or not right:
        return f"So it fits {'both readings' if right else 'neither reading'}."
    return f"So it fits the reading with {right.pop()}, and not that with {wrong.pop()}."


def times(log_ratio: float) -> str:
    """Return a ratio with two or three digits: "2.1·10⁵", "0.25"."""
    ratio = float(np.exp(log_ratio))
    if 1e-3 <= ratio < 999.5:
        return f"{ratio:.3g}"
    mantissa, exponent = f"{ratio:.1e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def accuracy_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the accuracy of each set of networks for each β, as means over seeds."""
    return result.accuracy.mean("seed").to_pandas().astype(float)


@comparing(0.0)
def baselines(result: xr.Dataset) -> dict[str, np.ndarray]:
    """Return the accuracies on CIFAR10 at β = 0 of every seed, by the reading of the method."""
    plain = result.accuracy.sel(beta=0)
    return {words: plain.sel(networks=f"cifar10_{name}").dropna("seed").values for name, words in BASELINES.items()}


@comparing(0.0)
def table1(result: xr.Dataset, text: xr.Dataset, public: xr.Dataset) -> Numbers:
    """Return the numbers of the page on Table 1; names begin with the data set, baselines with their reading.

    ``text`` and ``public`` are results of Figure 3A in both readings, whose networks on MNIST have more seeds.
    ``seeds`` ends in the set of networks.
    """
    numbers: Numbers = {}
    for name, row in TABLE_1.items():
        rows = beside_paper(result.accuracy.sel(networks=f"{name}_text"), row)
        means = rows["mean"]
        values = {
            "rows": len(rows),
            "inside": int(rows.inside.sum()),
            "difference": float(rows.difference.abs().max()),
            "best_beta": f"{means.idxmax():g}",
            "first": float(means[rows.index.min()]),
            "best": float(means.max()),
            "last": float(means[rows.index.max()]),
            "printed_last": row.at(rows.index.max()),
        }
        numbers |= prefixed(name, values)
    printed = TABLE_1["cifar10"].at(0.0)
    found = {words: float(values.mean()) for words, values in baselines(result).items()}
    nearest = min(found, key=lambda words: abs(found[words] - printed))
    means_of = {name: found[BASELINES[name]] for name in ("text", "deeper", "as_published")}
    numbers |= {"printed": printed, "nearest": nearest, "nearest_mean": found[nearest], **means_of}
    few = (result.accuracy.sel(networks=f"mnist_{name}") for name in ("text", "public"))
    numbers |= prefixed("mnist", readings_of_mnist(*few))
    numbers |= prefixed("mnist_more", readings_of_mnist(text.clean, public.clean))
    return numbers | flat(seeds=result.accuracy.notnull().any("beta").sum("seed"))


# Appendix Figure 1


def distance_table(result: xr.Dataset) -> pd.DataFrame:
    """Return Wasserstein distance, correlation and median ratio for each β and set of networks, as means over seeds."""
    measures = {"Wasserstein": result.wasserstein, "correlation": result.correlation}
    measures["median ratio"] = result.ratio.sel(quantile=0.5)
    means = {name: one.mean("seed").to_series().astype(float) for name, one in measures.items()}
    return pd.concat(means, axis=1).unstack("networks")


@comparing(0.0)
def distances(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page on Appendix Figure 1, means over ``seeds``; names end in the set of networks."""
    means = result[["wasserstein", "correlation"]].mean("seed")
    first, last = (means.sel(beta=beta) for beta in (result.beta.min(), result.beta.max()))
    return flat(
        first=first.wasserstein,
        last=last.wasserstein,
        correlation_first=first.correlation,
        correlation_last=last.correlation,
        seeds=result.wasserstein.notnull().any("beta").sum("seed"),
        falls=xr.where((means.wasserstein.diff("beta") < 0).all("beta"), "yes", "no"),
    )
