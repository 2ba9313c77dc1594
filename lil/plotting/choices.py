"""The choices in the method beside the seed: their effect on Table 1 and Figure 3."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.paper import sensitivity
from lil.paper.numbers import Row
from lil.paper.tables.choices import CHOICES, MEASURES, OPTIONS, set_name
from lil.plotting import CLASSES, INK, ISOMETRY, Panels, beta_mark, coloured, plain_log_ticks, spread

BELOW = ((CLASSES[0], "v"), (CLASSES[3], "<"))  # looks of options on either side of the text's
ABOVE = ((CLASSES[2], ">"), (CLASSES[1], "^"), ("#7a3e62", "s"))


def span_dots(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw the spread of the options of each choice: a dot a β, a bar their mean; dashed, the mean of the seeds."""
    apart = sensitivity.spans(result)
    for ax, (measure, title) in zip(axes, MEASURES.items(), strict=True):
        for place, choice in enumerate(CHOICES):
            one = apart.sel(choice=choice, measure=measure)
            for (beta, colour), offset in zip(coloured(one), spread(one.size, 0.25), strict=True):
                ax.plot(one.sel(beta=beta), -place - offset, color=colour, linestyle="none", **beta_mark(beta))
            ax.plot([one.mean()] * 2, [-place - 0.36, -place + 0.36], color=INK, linewidth=2.5)
        ax.axvline(float(apart.sel(choice="seed", measure=measure).mean()), color=INK, linewidth=0.8, linestyle="--")
        ax.set(title=title, xlabel="accuracies lie apart by", xlim=(0, None))
        ax.set_yticks(-np.arange(len(CHOICES)), list(CHOICES.values()))
        ax.grid(axis="y", visible=False)
    return axes


def choice_panels(result: xr.Dataset, title: str, printed: Row) -> Figure:
    """Draw accuracy for each β: a row a choice, columns clean and under each attack. Marks are seeds, lines means."""
    figure, axes = plt.subplots(len(OPTIONS), len(MEASURES), figsize=(11, 11), sharex=True, sharey="col")
    each, average = sensitivity.measures(result), sensitivity.means(result)
    places, betas = range(result.sizes["beta"]), result.beta.values
    for row, choice in zip(axes, OPTIONS, strict=True):
        for ax, measure in zip(row, MEASURES, strict=True):
            for name, look in _looks(sensitivity.options(result, choice)).items():
                one = dict(networks=name, measure=measure)
                label = OPTIONS[choice].format(result[choice].sel(networks=name).item())
                _one_set(ax, each.sel(one), average.sel(one), *look, label)
            if measure == "clean":
                paper = [printed.at(beta) if beta in printed.betas else np.nan for beta in betas]
                ax.plot(places, paper, "x", color=INK, markersize=8, mew=1.8, label="the paper")
        row[0].set_ylabel(f"{CHOICES[choice]}\naccuracy")
        row[-1].legend(*row[0].get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(1, 1))
    for ax, words in zip(axes[0], MEASURES.values(), strict=True):
        ax.set_title(words)
    for ax in axes[-1]:
        ax.set_xticks(places, [f"{beta:g}" for beta in betas])
        ax.set_xlabel("β")
    text, others = result.clean.sel(networks=["text", "pairs"]).notnull().all("beta").sum("seed").values
    figure.suptitle(f"{title}: {text} seeds for the text's settings, {others} for the others", fontsize=11)
    return figure


def _one_set(ax: Axes, each: xr.DataArray, average: xr.DataArray, colour: str, marker: str, label: str) -> None:
    """Draw marks for the seeds that there are, and a line through the means over those that all sets have."""
    places, width = np.arange(average.size), 2 if marker == "o" else 1.2
    for seed in each.seed.values:
        ax.plot(places, each.sel(seed=seed), marker, color=colour, markersize=3.5, alpha=0.6)
    ax.plot(places, average, marker=marker, markersize=3.5, color=colour, linewidth=width, label=label)


def _looks(options: list[str]) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each option: the text's in ink, those on either side of it in other colours."""
    text = options.index("text")
    below, above = zip(options[:text], BELOW, strict=False), zip(options[text + 1 :], ABOVE, strict=False)
    return dict(below) | {"text": (INK, "o")} | dict(above)


def weight_curves(axes: Panels, result: xr.Dataset) -> Panels:
    """Draw accuracy against the weight of (d(Φ) − d/K)², each K and reduction: means over seeds; dotted, β = 0."""
    average, weight = sensitivity.means(result), sensitivity.weights(result)
    looks = _looks(sensitivity.options(result, "scale")) | {"pairs": (ISOMETRY, "D")}
    for ax, (measure, title) in zip(axes, MEASURES.items(), strict=True):
        for name, (colour, marker) in looks.items():
            one = average.sel(networks=name, measure=measure, beta=average.beta > 0)
            look = dict(marker=marker, markersize=5, color=colour, linewidth=2.4 if name == "text" else 1.2)
            ax.plot(one.beta * float(weight.sel(networks=name)), one, label=set_name(result, name), **look)
        for base in average.sel(networks="text", measure=measure, beta=average.beta == 0).values:
            ax.axhline(base, color=INK, linewidth=1, linestyle=":")
        ax.set(title=title, xlabel="weight of (d(Φ) − d/K)²")
        if average.beta.max() > 0:
            ax.set_xscale("log")
            plain_log_ticks(ax.xaxis)
    axes[0].set_ylabel("accuracy")
    axes[-1].legend(loc="upper left", bbox_to_anchor=(1, 1))
    return axes
