"""What the choices in the method do to Table 1 and Figure 3, beside what a seed does: figures, tables and words."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lil.paper import sensitivity
from lil.paper.numbers import Row
from lil.plotting import CLASSES, INK, ISOMETRY, Panels, beta_colours, plain_log_ticks

MEASURES = {"clean": "no attack (Table 1)", "total": "the paper's attack", "classification": "the attacker's"}
CHOICES = {
    "scale": "K",
    "reduction": "the reduction",
    "layers": "the depth",
    "batch_size": "the batch size",
    "seed": "the seed",
}
OPTIONS = {
    "scale": "K = {:g}",
    "reduction": "reduction {}",
    "layers": "{} hidden layers",
    "batch_size": "batches of {}",
}
BELOW = ((CLASSES[0], "v"), (CLASSES[3], "<"))  # looks of options on either side of the text's
ABOVE = ((CLASSES[2], ">"), (CLASSES[1], "^"), ("#7a3e62", "s"))


def set_name(result: xr.Dataset, name: str) -> str:
    """What a set of networks has otherwise than the text's: "K = 10"."""
    one, text = result.sel(networks=name), result.sel(networks="text")
    changed = [choice for choice in OPTIONS if one[choice] != text[choice]]
    return ", ".join(OPTIONS[choice].format(one[choice].item()) for choice in changed) or "the text"


# Figures


def span_dots(axes: Panels, result: xr.Dataset) -> Panels:
    """For each choice, how far apart its options lie: a dot a β, a bar their mean; dashed, the mean of the seeds."""
    apart = sensitivity.spans(result)
    for ax, (measure, title) in zip(axes, MEASURES.items(), strict=True):
        for place, choice in enumerate(CHOICES):
            one = apart.sel(choice=choice, measure=measure)
            offsets = np.linspace(-0.25, 0.25, one.size)
            for value, colour, offset in zip(one.values, beta_colours(one.beta.values), offsets, strict=True):
                ax.plot(value, -place - offset, "o", color=colour, markersize=5)
            ax.plot([one.mean()] * 2, [-place - 0.36, -place + 0.36], color=INK, linewidth=2.5)
        ax.axvline(float(one.mean()), color=INK, linewidth=0.8, linestyle="--")
        ax.set(title=title, xlabel="accuracies lie apart by", xlim=(0, None))
        ax.set_yticks(-np.arange(len(CHOICES)), list(CHOICES.values()))
        ax.grid(axis="y", visible=False)
    return axes


def beta_legend(figure: Figure, result: xr.Dataset) -> None:
    """Which dot of :func:`span_dots` is which β, below the panels."""
    betas = result.beta.values
    dots = [plt.Line2D([], [], marker="o", linestyle="", color=colour) for colour in beta_colours(betas)]
    figure.legend(dots, [f"β = {beta:g}" for beta in betas], loc="outside lower center", ncols=len(dots))


def choice_panels(result: xr.Dataset, title: str, printed: Row) -> Figure:
    """Accuracy for each β: a row a choice, columns without attack and under each. Marks are seeds, lines means."""
    figure, axes = plt.subplots(len(OPTIONS), len(MEASURES), figsize=(11, 11), sharex=True, sharey="col")
    each, average = sensitivity.measures(result), sensitivity.means(result)
    betas = result.beta.values
    for row, choice in zip(axes, OPTIONS, strict=True):
        looks = _looks(sensitivity.options(result, choice))
        for ax, (measure, words) in zip(row, MEASURES.items(), strict=True):
            for name, (colour, marker) in looks.items():
                label = OPTIONS[choice].format(result[choice].sel(networks=name).item())
                _one_set(
                    ax,
                    each.sel(networks=name, measure=measure),
                    average.sel(networks=name, measure=measure),
                    colour=colour,
                    marker=marker,
                    label=label,
                )
            if measure == "clean":
                ax.plot(
                    range(len(betas)),
                    [printed.at(beta) for beta in betas],
                    "x",
                    color=INK,
                    markersize=8,
                    mew=1.8,
                    label="the paper",
                )
            if ax in axes[0]:
                ax.set_title(words)
        row[0].set_ylabel(f"{CHOICES[choice]}\naccuracy")
        row[-1].legend(*row[0].get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(1, 1))
    for ax in axes[-1]:
        ax.set_xticks(range(len(betas)), [f"{beta:g}" for beta in betas])
        ax.set_xlabel("β")
    text, others = result.clean.isel(beta=0).notnull().sum("seed").sel(networks=["text", "pairs"]).values
    figure.suptitle(f"{title}: {text} seeds for the text's settings, {others} for the others", fontsize=11)
    return figure


def _one_set(ax: Axes, each: xr.DataArray, average: xr.DataArray, *, colour: str, marker: str, label: str) -> None:
    """Marks for the seeds that there are, a line through the means over those that all sets have."""
    places = np.arange(average.size)
    for seed in each.seed.values:
        ax.plot(places, each.sel(seed=seed), marker, color=colour, markersize=3.5, alpha=0.6)
    width = 2 if marker == "o" else 1.2
    ax.plot(places, average, marker=marker, markersize=3.5, color=colour, linewidth=width, label=label)


def _looks(options: list[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each option: the text's in ink, those on either side of it in other colours."""
    text = options.index("text")
    below, above = options[:text], options[text + 1 :]
    return dict(zip(below, BELOW, strict=False)) | {"text": (INK, "o")} | dict(zip(above, ABOVE, strict=False))


def weight_curves(axes: Panels, result: xr.Dataset) -> Panels:
    """Accuracy against the weight of (d(Φ) − d/K)², each K and reduction: means over seeds, β > 0; dotted, β = 0."""
    average, weight = sensitivity.means(result), sensitivity.weights(result)
    looks = _looks(sensitivity.options(result, "scale")) | {"pairs": (ISOMETRY, "D")}
    for ax, (measure, title) in zip(axes, MEASURES.items(), strict=True):
        for name, (colour, marker) in looks.items():
            one = average.sel(networks=name, measure=measure).drop_sel(beta=0)
            ax.plot(
                one.beta * float(weight.sel(networks=name)),
                one,
                marker=marker,
                markersize=5,
                color=colour,
                linewidth=2.4 if name == "text" else 1.2,
                label=set_name(result, name),
            )
        ax.axhline(float(average.sel(networks="text", measure=measure, beta=0)), color=INK, linewidth=1, linestyle=":")
        ax.set(title=title, xscale="log", xlabel="weight of (d(Φ) − d/K)²")
        plain_log_ticks(ax.xaxis)
    axes[0].set_ylabel("accuracy")
    axes[-1].legend(loc="upper left", bbox_to_anchor=(1, 1))
    return axes


# Tables


def accuracy_table(result: xr.Dataset) -> pd.DataFrame:
    """Accuracy of each set without attack and under each, a column a β: means over the seeds that all sets have."""
    parts = {
        title: sensitivity.means(result).sel(measure=measure).transpose("networks", "beta").to_pandas()
        for measure, title in MEASURES.items()
    }
    table = pd.concat(parts, names=["", "networks"]).astype(float)
    return table.rename(index=lambda name: set_name(result, name), level=1)


def span_table(result: xr.Dataset) -> pd.DataFrame:
    """How far apart the options of each choice lie, as means over β, and for how many β further than the seeds do."""
    apart = sensitivity.spans(result)
    more = (apart > apart.sel(choice="seed")).sum("beta")
    parts = {
        title: pd.DataFrame(
            {
                "apart by": apart.sel(measure=measure).mean("beta").to_pandas(),
                "β beyond the seeds": more.sel(measure=measure).to_pandas(),
            }
        )
        for measure, title in MEASURES.items()
    }
    return pd.concat(parts, axis=1).rename(index=CHOICES).rename_axis("")


def outcome_table(result: xr.Dataset, printed: Row) -> pd.DataFrame:
    """What each set of networks says of Table 1 and of Figure 3: means over the seeds that all have.

    ``from the paper`` is the mean distance from its row. A gain is that of the best β > 0 over β = 0, under one attack.
    """
    clean = sensitivity.means(result).sel(measure="clean")
    largest = f"β = {float(clean.beta[-1]):g}"
    columns = {
        ("no attack", "β = 0"): clean.sel(beta=0),
        ("no attack", "best"): clean.max("beta"),
        ("no attack", "at β"): clean.idxmax("beta"),
        ("no attack", largest): clean.isel(beta=-1),
        ("no attack", "from the paper"): sensitivity.from_paper(result, printed),
    }
    gain = sensitivity.gains(result)
    for measure in ("total", "classification"):
        one = gain.sel(measure=measure)
        head = f"gain, {MEASURES[measure]}"
        columns |= {(head, "best"): one.max("beta"), (head, "at β"): one.idxmax("beta")}
    index = [set_name(result, name) for name in result.networks.values]
    return pd.DataFrame({name: values.values for name, values in columns.items()}, index=index).astype(float)


def weight_table(result: xr.Dataset) -> pd.DataFrame:
    """How far the other K and the other reduction lie from the text's networks: at the same β, and at equal weight."""
    apart = sensitivity.at_equal_weight(result)
    table = apart.stack(column=("measure", "compared")).to_pandas().astype(float)
    table.columns = pd.MultiIndex.from_tuples([(MEASURES[measure], compared) for measure, compared in table.columns])
    return table.rename(index=lambda name: set_name(result, name)).rename_axis("")


# Words


def answer(result: xr.Dataset, printed: Row) -> dict[str, float | int | str]:
    """What the words need, for each measure after its name.

    ``more``: the choices that put accuracies further apart than the seeds do, as means over β; ``largest``: the first
    among the four, and how many ``times`` the seeds' mean; ``gain``: what the best β > 0 gains, of the text's networks,
    and the lowest and highest of all sets. ``zero`` is the largest difference at β = 0 between networks of which only K
    or the reduction differ: none but rounding.
    """
    apart = sensitivity.spans(result).mean("beta")
    best, from_paper = sensitivity.gains(result).max("beta"), sensitivity.from_paper(result, printed)
    equal = sensitivity.at_equal_weight(result)
    nearest = from_paper.idxmin("networks").item()
    alike = sorted({*sensitivity.options(result, "scale"), *sensitivity.options(result, "reduction")})
    at_zero = sensitivity.means(result).sel(networks=alike, beta=0)
    numbers: dict[str, float | int | str] = {
        "seeds": int(result.clean.notnull().all(("networks", "beta")).sum()),
        "text_seeds": result.sizes["seed"],
        "betas": result.sizes["beta"],
        "sets": result.sizes["networks"],
        "x_dist": float(result.x_dist),
        "nearest": set_name(result, nearest),
        "nearest_by": float(from_paper.min()),
        "text_by": float(from_paper.sel(networks="text")),
        "zero": float((at_zero.max("networks") - at_zero.min("networks")).max()),
    }
    for measure in MEASURES:
        one = apart.sel(measure=measure)
        seeds = one.sel(choice="seed")
        more = [words for choice, words in CHOICES.items() if one.sel(choice=choice) > seeds]
        numbers |= {
            f"more_{measure}": ", ".join(more) or "none of the four",
            f"seed_{measure}": float(seeds),
            f"largest_{measure}": CHOICES[one.drop_sel(choice="seed").idxmax("choice").item()],
            f"times_{measure}": float(one.drop_sel(choice="seed").max() / seeds),
        }
        scales = equal.sel(networks=[name for name in equal.networks.values if name != "pairs"], measure=measure)
        for compared, key in (("same β", "same"), ("equal weight", "equal")):
            numbers[f"pairs_{key}_{measure}"] = float(equal.sel(networks="pairs", measure=measure, compared=compared))
            numbers[f"scale_{key}_{measure}"] = float(scales.sel(compared=compared).mean())
    for measure in ("total", "classification"):
        one = best.sel(measure=measure)
        low, high = one.idxmin("networks").item(), one.idxmax("networks").item()
        numbers |= {
            f"gain_text_{measure}": float(one.sel(networks="text")),
            f"gain_low_{measure}": float(one.min()),
            f"gain_low_of_{measure}": set_name(result, low),
            f"gain_high_{measure}": float(one.max()),
            f"gain_high_of_{measure}": set_name(result, high),
        }
    return numbers
