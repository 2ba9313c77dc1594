"""Table 1 and the numbers of Figure 3: tables for a page, numbers for its words, and pictures of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from scipy.special import stdtrit

from lil.paper.numbers import Row
from lil.plotting import INK, beta_colours

COVERAGE = 0.95  # of the interval in which one more run of ours would lie


def robust_table(result: xr.Dataset) -> pd.DataFrame:
    """For each β, mean and standard deviation over seeds of the accuracy: clean, and under each attack over all ε."""
    robust = result.accuracy.mean("epsilon")
    columns = {"clean": result.clean} | {
        f"attacked: {name}": robust.sel(objective=name) for name in robust.objective.values
    }
    parts = {
        name: pd.DataFrame({"mean": one.mean("seed").to_series(), "sd": one.std("seed", ddof=1).to_series()})
        for name, one in columns.items()
    }
    return pd.concat(parts, axis=1).astype(float)


def robust_numbers(result: xr.Dataset) -> dict[str, float | int | str]:
    """What the words about :func:`robust_table` need; accuracies under attack are means over all ε and seeds.

    ``best_beta`` is the β > 0 that does best under the paper's attack, the gradient of the total loss. With ``paper`` and
    ``attacker`` (the gradient of the cross-entropy) before them: ``best``, the accuracy there; ``better``, for how many seeds
    it beats β = 0; and ``rising``, whether the accuracy rises with every step of β.
    """
    robust = result.accuracy.mean("epsilon")
    best_beta = float(robust.sel(objective="total").mean("seed").drop_sel(beta=0).idxmax("beta"))
    numbers = {
        "seeds": result.sizes["seed"],
        "base": float(robust.sel(objective="classification", beta=0).mean()),
        "best_beta": f"{best_beta:g}",
        "clean_base": float(result.clean.sel(beta=0).mean()),
        "clean_best": float(result.clean.sel(beta=best_beta).mean()),
    }
    for word, objective in (("paper", "total"), ("attacker", "classification")):
        one = robust.sel(objective=objective)
        rises = bool((one.mean("seed").diff("beta") > 0).all())
        numbers |= {
            f"{word}_best": float(one.sel(beta=best_beta).mean()),
            f"{word}_better": int((one.sel(beta=best_beta) > one.sel(beta=0)).sum()),
            f"{word}_rising": "rises with every step of β" if rises else "does not rise with every step of β",
        }
    return numbers


def of_precision(result: xr.Dataset) -> xr.DataArray:
    """How much more accuracy under attack the precision of an attack leaves than float32, on the images that had both."""
    used, exact = (result.compared.sel(precision=name).astype(float) for name in ("used", "float32"))
    return used - exact


def precision_numbers(result: xr.Dataset) -> dict[str, float | int]:
    """What the precision of the attack changes in accuracy, over all attacks, β, seeds and ε, beside what the seed does.

    ``mean``: of the differences to float32 on the first ``images``, without their sign; ``bias``: with it; ``seeds``: the
    root mean square of the standard deviations over seeds, on all images.
    """
    change = of_precision(result)
    return {
        "images": json.loads(result.attrs["config"])["n_compared"],
        "mean": float(abs(change).mean()),
        "bias": float(change.mean()),
        "seeds": float(result.accuracy.astype(float).var("seed", ddof=1).mean() ** 0.5),
    }


def beside_paper(accuracy: xr.DataArray, printed: Row) -> pd.DataFrame:
    """The paper's numbers beside ours, accuracy (beta, seed): one row for each β that both have.

    ``low`` to ``high`` is where one more run of ours would lie with 95 % confidence, if runs are normally distributed:
    mean ± t · sd · √(1 + 1/n). ``inside`` says whether the paper's number, which is one run, does; it is None where
    one seed has no spread.
    """
    rows = {}
    for beta in (float(b) for b in accuracy.beta if float(b) in printed.betas):
        ours = accuracy.sel(beta=beta).dropna("seed").values.astype(np.float64)
        n, mean, paper = len(ours), ours.mean(), printed.at(beta)
        row = {
            "paper": paper,
            "mean": mean,
            "sd": np.nan,
            "n": n,
            "difference": mean - paper,
            "low": np.nan,
            "high": np.nan,
            "inside": None,
        }
        if n > 1:
            sd = ours.std(ddof=1)
            reach = stdtrit(n - 1, (1 + COVERAGE) / 2) * sd * np.sqrt(1 + 1 / n)
            row |= {"sd": sd, "low": mean - reach, "high": mean + reach, "inside": bool(abs(paper - mean) <= reach)}
        rows[beta] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("beta")


def accuracy_dots(ax: Axes, sets: dict[str, xr.DataArray], printed: Row) -> Axes:
    """Accuracy for each β: a dot a seed, side by side for each of the named sets of networks, and the paper's number."""
    betas = printed.betas
    offsets = np.linspace(-0.22, 0.22, len(sets)) if len(sets) > 1 else [0.0]
    for (name, accuracy), offset, marker in zip(sets.items(), offsets, "os^v", strict=False):
        for place, (beta, colour) in enumerate(zip(betas, beta_colours(betas), strict=True)):
            if beta in accuracy.beta:
                ours = accuracy.sel(beta=beta).dropna("seed").values
                ax.plot(np.full(len(ours), place + offset), ours, marker, color=colour, markersize=4.5, alpha=0.8)
        ax.plot([], [], marker, color=INK, label=name)
    ax.plot(range(len(betas)), printed.values, "x", color=INK, markersize=9, mew=2, label="the paper, Table 1")
    ax.set_xticks(range(len(betas)), [f"{beta:g}" for beta in betas])
    ax.set(xlabel="β", ylabel="accuracy on the test images")
    ax.legend(loc="lower left")
    return ax


def baseline_dots(ax: Axes, sets: dict[str, Sequence[float]], printed: float) -> Axes:
    """Accuracies at β = 0 under different readings, a row each, with the paper's as a line."""
    for place, (name, values) in enumerate(sets.items()):
        ax.plot(values, np.full(len(values), -place), "o", color=beta_colours([0.0])[0], alpha=0.8)
    ax.axvline(printed, color=INK, linewidth=1, linestyle="--", label=f"the paper: {printed}")
    ax.set_yticks(-np.arange(len(sets)), list(sets))
    ax.set(xlabel="accuracy on the test images, β = 0", ylim=(-len(sets) + 0.5, 0.5))
    ax.grid(axis="y", visible=False)
    ax.legend(loc="best")
    return ax
