"""Numbers of the choices that the text leaves open, beside the seed's."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from lil.paper import sensitivity
from lil.paper.numbers import Row
from lil.paper.tables import Numbers, comparing, config

MEASURES = {"clean": "clean (Table 1)", "total": "the paper's attack", "classification": "the attacker's"}
CHOICES = {
    "scale": "K",
    "reduction": "the reduction",
    "layers": "the depth",
    "batch_size": "the batch size",
    "seed": "the seed",
}
CODE = 10  # K of the public code
OPTIONS = {
    "scale": "K = {:g}",
    "reduction": "reduction {}",
    "layers": "{} hidden layers",
    "batch_size": "batches of {}",
}


def set_name(result: xr.Dataset, name: str) -> str:
    """Return the settings in which a set of networks differs from the text's: "K = 10"."""
    one, text = result.sel(networks=name), result.sel(networks="text")
    changed = [choice for choice in OPTIONS if one[choice] != text[choice]]
    return ", ".join(OPTIONS[choice].format(one[choice].item()) for choice in changed) or "the text"


def accuracy_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the accuracy of each set, clean and under each attack, a column a β: means over the shared seeds."""
    means = sensitivity.means(result).transpose("measure", "networks", "beta")
    parts = {title: means.sel(measure=measure).to_pandas() for measure, title in MEASURES.items()}
    table = pd.concat(parts, names=["", "networks"]).astype(float)
    return table.rename(index=lambda name: set_name(result, name), level=1)


def span_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the spread over the options of each choice, as means over β, and the β at which it exceeds the seeds'."""
    apart = sensitivity.spans(result)
    more = (apart > apart.sel(choice="seed")).sum("beta")
    columns = {}
    for measure, title in MEASURES.items():
        columns[title, "apart by"] = apart.sel(measure=measure).mean("beta").to_series()
        columns[title, "β beyond the seeds"] = more.sel(measure=measure).to_series()
    return pd.DataFrame(columns).rename(index=CHOICES).rename_axis("")


@comparing(0.0)
def outcome_table(result: xr.Dataset, printed: Row) -> pd.DataFrame:
    """Return each set's say on Table 1 and on Figure 3: means over the shared seeds.

    ``from the paper`` is the mean distance from its row. A gain is that of the best β > 0 over β = 0, under one attack.
    """
    clean, gain = sensitivity.means(result).sel(measure="clean"), sensitivity.gains(result)
    largest = float(clean.beta.max())
    columns = {
        ("clean", "β = 0"): clean.sel(beta=0),
        ("clean", "best"): clean.max("beta"),
        ("clean", "at β"): clean.idxmax("beta"),
        ("clean", f"β = {largest:g}"): clean.sel(beta=largest),
        ("clean", "from the paper"): sensitivity.from_paper(result, printed),
    }
    for measure in ("total", "classification"):
        one, head = gain.sel(measure=measure), f"gain, {MEASURES[measure]}"
        columns |= {(head, "best"): one.max("beta"), (head, "at β"): one.idxmax("beta")}
    index = [set_name(result, name) for name in result.networks.values]
    return pd.DataFrame({name: values.values for name, values in columns.items()}, index=index).astype(float)


def weight_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the distance of other K and reductions from the text's networks: at the same β and at equal weight."""
    apart = sensitivity.at_equal_weight(result)
    if not apart.size:
        return pd.DataFrame()
    table = apart.stack(column=("measure", "compared")).to_pandas().astype(float)
    table.columns = pd.MultiIndex.from_tuples([(MEASURES[measure], compared) for measure, compared in table.columns])
    return table.rename(index=lambda name: set_name(result, name)).rename_axis("")


@comparing(0.0)
def numbers(result: xr.Dataset, printed: Row) -> Numbers:
    """Return the numbers of the page; those of one measure end in its name.

    ``seeds``: those that all sets have, over which all means are; ``text_seeds``: those of the text's networks.
    ``base`` is the text's accuracy at β = 0 over the former, ``base_text`` over the latter. ``options`` counts the
    options of a choice.
    ``more``: the choices whose options lie further apart than the seeds, as means over β; ``largest``: the first among
    the four, and how many ``times`` the seeds' mean; ``gain``: that of the best β > 0, of the text's networks, and the
    lowest and highest of all sets. ``zero`` is the largest difference at β = 0 between networks of which only K or the
    reduction differ: none but rounding. ``code``: how far the clean accuracy with the public code's K lies from the
    text's, as a multiple of the seeds' range, as means over β; ``code_last``: at the largest β.
    """
    spans, means = sensitivity.spans(result), sensitivity.means(result)
    apart = spans.mean("beta")
    best, from_paper = sensitivity.gains(result).max("beta"), sensitivity.from_paper(result, printed)
    equal = sensitivity.at_equal_weight(result).reindex(networks=result.networks[sensitivity.weights(result) != 1])
    alike = sorted({*sensitivity.options(result, "scale"), *sensitivity.options(result, "reduction")})
    at_zero = means.sel(networks=alike, beta=0)
    units = config(result)["text"]["hidden"][-1]
    clean, seed = means.sel(measure="clean"), spans.sel(measure="clean", choice="seed")
    code = abs(clean.sel(networks=result.networks[result.scale == CODE]) - clean.sel(networks="text"))
    numbers: Numbers = {
        "code": float(code.mean() / seed.mean()),
        "code_last": float(code.isel(beta=-1).mean() / seed.isel(beta=-1)),
        "seeds": int(sensitivity.shared_seeds(result).sum()),
        "text_seeds": int(result.clean.sel(networks="text").notnull().all("beta").sum()),
        "betas": result.sizes["beta"],
        "sets": result.sizes["networks"],
        "units": units,
        "farthest": 2 * units**0.5,
        "x_dist": float(result.x_dist),
        "nearest": set_name(result, from_paper.idxmin("networks").item()) if from_paper.notnull().any() else "none",
        "nearest_by": float(from_paper.min()),
        "text_by": float(from_paper.sel(networks="text")),
        "zero": float((at_zero.max("networks") - at_zero.min("networks")).max()),
    } | {f"options_{choice}": len(sensitivity.options(result, choice)) for choice in sensitivity.CHOICES}
    each = sensitivity.measures(result)
    plain, every = means.sel(networks="text", beta=0), each.sel(networks="text", beta=0).mean("seed")
    for measure in MEASURES:
        one, pairs = apart.sel(measure=measure), equal.sel(networks="pairs", measure=measure)
        four, seeds = one.drop_sel(choice="seed"), one.sel(choice="seed")
        scales = equal.sel(measure=measure).drop_sel(networks="pairs").mean("networks")
        more = [CHOICES[choice] for choice in four.choice[four > seeds].values]
        numbers |= {
            f"base_{measure}": float(plain.sel(measure=measure)),
            f"base_text_{measure}": float(every.sel(measure=measure)),
            f"more_{measure}": ", ".join(more) or "none of the four",
            f"seed_{measure}": float(seeds),
            f"largest_{measure}": CHOICES[four.idxmax("choice").item()],
            f"times_{measure}": float(four.max() / seeds),
        }
        for compared, key in (("same β", "same"), ("equal weight", "equal")):
            numbers[f"pairs_{key}_{measure}"] = float(pairs.sel(compared=compared))
            numbers[f"scale_{key}_{measure}"] = float(scales.sel(compared=compared))
    for measure in ("total", "classification"):
        one = best.sel(measure=measure)
        numbers |= {
            f"gain_text_{measure}": float(one.sel(networks="text")),
            f"gain_low_{measure}": float(one.min()),
            f"gain_low_of_{measure}": set_name(result, one.idxmin("networks").item()),
            f"gain_high_{measure}": float(one.max()),
            f"gain_high_of_{measure}": set_name(result, one.idxmax("networks").item()),
        }
    return numbers
